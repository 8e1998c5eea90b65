"""Values as the reports write them. Impossible times and durations, which the service may send, count as unknown."""

import re
from datetime import UTC, datetime

from gate.model import Attempt, UnitTests
from gate.text import one_line

LONGEST = 1e9
"""Seconds (over 30 years) from which on a duration counts as unknown."""

MOST_TEST_STAGES = 20
"""Stages whose unit tests are listed one by one."""


def seconds(duration: float | None) -> float | None:
    """Return a duration in seconds with at most three decimals; `None` if it is unknown or impossible."""
    return round(duration, 3) if duration is not None and 0 <= duration < LONGEST else None


def instant(moment: datetime | None) -> str | None:
    """Return an aware `moment` as ISO 8601 in UTC, to the second: `2024-09-24T03:18:49Z`.

    `None` if it is unknown or outside the calendar, such as the first day of year 1 in a zone east of Greenwich.
    """
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    except OverflowError:
        return None


def test_rows(tests: UnitTests) -> list[tuple[str, UnitTests]]:
    """Return the totals of each stage that ran unit tests, if several did, and then those of all, with their names."""
    parts = tests.parts[:MOST_TEST_STAGES] if len(tests.parts) > 1 else ()
    return [*((one_line(part.name, limit=120) or "without a name", part) for part in parts), ("all", tests)]


def unit_tests(tests: UnitTests | None) -> list[str]:
    """Return a sentence with the totals of the unit tests and, if several stages ran some, one for each stage."""
    if tests is None:
        return []
    *stages, (_, everything) = test_rows(tests)
    return [
        f"{where}: {part.total}, failures: {part.failures}, errors: {part.errors}."
        for where, part in [
            ("Unit tests", everything),
            *((f"Unit tests of stage {name}", part) for name, part in stages),
        ]
    ]


def attempt(former: Attempt) -> str:
    """Return what is known of a build of this run that was ordered again, without its link."""
    word = one_line(former.state or "", limit=60) or "no result"
    return f"build {former.build_number} ({word}). {one_line(former.reason)}".rstrip()


def class_name(label: str) -> str:
    """Return the class of a target's cases.

    Readers take what follows the last dot for the name of a file in the workspace and mark that file: `app` would be
    `src/app.ts`. So that part holds the whole label, without dots, in a form that is no file's name.
    """
    return "codearts.CodeArts " + label.replace(".", "·")


def without_orders(text: str) -> str:
    """Return `text` in which nothing is a command to a reader.

    GitLab and Jenkins take `[[ATTACHMENT|path]]` for an order to attach a file, and some `[[PROPERTY|name=value]]`.
    """
    return re.sub(r"\[\[(?=\w+\|)", "[ [", text)
