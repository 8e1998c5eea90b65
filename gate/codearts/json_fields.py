"""How one field of an answer is read: numbers that come as text, times without a zone, names in camelCase."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from gate.errors import InvalidAnswer
from gate.limits import MAX_TEXT

Json = dict[str, Any]

CHINA = timezone(timedelta(hours=8))
"""The zone of the times that the service gives and takes without one."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""Instants beyond these are nonsense, and some could not be reckoned with."""

LONGEST_MS = 366 * 24 * 3600 * 1000.0
"""Milliseconds; the same for durations."""


def inner(document: Json, name: str) -> Json:
    """Return an object inside of a document; raises `InvalidAnswer` if it is not there."""
    value = document.get(name)
    if not isinstance(value, dict):
        raise InvalidAnswer(f"the answer has no object at {name}")
    return value


def field(row: Json, name: str) -> Any:
    """Return a field by its name in snake_case or in camelCase."""
    first, *rest = name.split("_")
    return row[name] if name in row else row.get(first + "".join(part.capitalize() for part in rest))


def text(row: Json, name: str) -> str | None:
    """Read a text that is not empty, up to its bound."""
    value = field(row, name)
    return value[:MAX_TEXT] if isinstance(value, str) and value else None


def identifier(row: Json, name: str) -> str | None:
    """Read what becomes a part of a path: a UUID, or nothing."""
    value = text(row, name)
    return value if value and re.fullmatch(r"[0-9A-Za-z-]{1,64}", value) else None


def plain_number(value: object) -> float | None:
    """Read a finite number, also from a text of digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    return None


def whole(value: object) -> int | None:
    """Read a whole number; half a build or half a failure is none."""
    plain = plain_number(value)
    return int(plain) if plain is not None and plain == int(plain) else None


def owner(row: Json, name: str) -> str:
    """Read the id of what a row belongs to; empty when it is not there. Raises `InvalidAnswer` when it is no text."""
    value = field(row, name)
    if not isinstance(value, str | None):
        raise InvalidAnswer(f"the answer has no text at {name}")
    return value or ""


def number(row: Json, name: str, path: str) -> int:
    """Read a build number; raises `InvalidAnswer` with its path if there is none."""
    value = whole(field(row, name))
    if value is None or value < 1:
        raise InvalidAnswer(f"the answer has no build number at {path}")
    return value


def seconds(row: Json, name: str) -> float | None:
    """Read milliseconds as seconds; a duration that no build can have is none."""
    value = plain_number(field(row, name))
    return None if value is None or not 0 <= value < LONGEST_MS else value / 1000


def time(row: Json, name: str) -> datetime | None:
    """Read an instant: epoch milliseconds, or ISO 8601 (China's time where no zone is given); `None` for nonsense."""
    value = field(row, name)
    try:
        if isinstance(value, str):
            then = datetime.fromisoformat(value)
            then = (then if then.tzinfo else then.replace(tzinfo=CHINA)).astimezone(UTC)
        else:
            then = datetime.fromtimestamp((plain_number(value) or 0) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return then if EARLIEST <= then < LATEST else None
