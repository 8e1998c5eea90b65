"""Read single fields of an answer: numbers that come as text, times without a zone, values of a wrong type."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from gate.errors import InvalidAnswer
from gate.limits import MAX_BUILD_NUMBER, MAX_TEXT

Json = dict[str, Any]

CHINA = timezone(timedelta(hours=8))
"""The zone of times that the service sends or expects without a zone."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""Instants outside this range are treated as unknown; extreme ones would overflow in computations."""

MAX_DURATION_MS = 366 * 24 * 3600 * 1000.0
"""Longer durations (in milliseconds) are treated as unknown."""


def inner(document: Json, name: str) -> Json:
    """Return the object at `name`. Raises `InvalidAnswer` if there is none."""
    value = document.get(name)
    if not isinstance(value, dict):
        raise InvalidAnswer(f"the answer has no object at {name}")
    return value


def text(row: Json, name: str) -> str | None:
    """Return a non-empty text, cut to `MAX_TEXT` characters; `None` for anything else."""
    value = row.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) and value else None


def identifier(row: Json, name: str) -> str | None:
    """Return an id that may become a part of a path; `None` for anything that does not look like one."""
    value = text(row, name)
    return value if value and re.fullmatch(r"[0-9A-Za-z-]{1,64}", value) else None


def project_id(row: Json, name: str) -> str | None:
    """Return the id of a CodeArts project; `None` for anything else."""
    value = text(row, name)
    return value if value and re.fullmatch(r"[0-9a-z]{32}", value) else None


def is_number(value: str) -> bool:
    """Tell whether a text is a number, as the service writes some."""
    return value.isascii() and value.isdigit() and len(value) < 16


def plain_number(value: object) -> float | None:
    """Return a finite number, also from a text of digits; `None` for anything else."""
    if isinstance(value, str) and is_number(value):
        return int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    return None


def integer(value: object) -> int | None:
    """Return an integer; `None` for anything else, such as a number with a fraction."""
    plain = plain_number(value)
    return int(plain) if plain is not None and plain == int(plain) else None


def owner_id(row: Json, name: str) -> str:
    """Return the id of what a row belongs to, empty if missing. Raises `InvalidAnswer` when it is not text."""
    value = row.get(name)
    if not isinstance(value, str | None):
        raise InvalidAnswer(f"the answer has no text at {name}, but another type")
    return value or ""


def possible_build_number(row: Json, name: str) -> int | None:
    """Return a build number; `None` for anything else, such as one beyond the service's own limit."""
    value = integer(row.get(name))
    return value if value is not None and 1 <= value <= MAX_BUILD_NUMBER else None


def build_number(row: Json, name: str, path: str) -> int:
    """Return a build number. Raises `InvalidAnswer`, which names `path`, if there is none."""
    value = possible_build_number(row, name)
    if value is None:
        raise InvalidAnswer(f"the answer has no valid build number at {path}")
    return value


def daily_number(value: object) -> str | None:
    """Return the number of a build within its day, `YYYYMMDD.n`; lists of jobs put a `#` before it."""
    found = re.fullmatch(r"#?([0-9]{8}\.[0-9]{1,9})", value) if isinstance(value, str) else None
    return found[1] if found else None


def boolean(value: object, path: str) -> bool | None:
    """Return a boolean, also from the text `true` or `false`; `None` if missing. Raises `InvalidAnswer` otherwise."""
    match value:
        case None | True | False:
            return value
        case "true" | "false":
            return value == "true"
        case _:
            raise InvalidAnswer(f"the answer has neither true nor false at {path}")


def objects(row: Json, name: str, path: str) -> list[Json]:
    """Return a list of objects, empty if missing. Raises `InvalidAnswer`, which names `path`, for anything else."""
    value = row.get(name)
    rows = [] if value is None else value
    if not isinstance(rows, list) or not all(isinstance(item, dict) for item in rows):
        raise InvalidAnswer(f"the answer has no list of objects at {path}")
    return rows


def seconds(row: Json, name: str) -> float | None:
    """Return a duration given in milliseconds as seconds; `None` for one that no build can have."""
    value = plain_number(row.get(name))
    return None if value is None or not 0 <= value < MAX_DURATION_MS else value / 1000


def time(row: Json, name: str) -> datetime | None:
    """Return an instant; `None` if invalid.

    It is given as epoch milliseconds, a number or a text of digits, or as ISO 8601, without a zone in China's time.
    """
    value = row.get(name)
    try:
        number = plain_number(value)
        if number is None and isinstance(value, str):
            instant = datetime.fromisoformat(value)
            instant = (instant if instant.tzinfo else instant.replace(tzinfo=CHINA)).astimezone(UTC)
        else:
            instant = datetime.fromtimestamp((number or 0) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return instant if EARLIEST <= instant < LATEST else None
