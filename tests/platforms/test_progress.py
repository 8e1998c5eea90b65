"""How targets stand, in words and on a terminal."""

import io
from typing import Any

import pytest

from gate.model import Progress, Target
from gate.platforms.progress import LiveLines, describe, summary, table


def standing(label: str = "app", **fields: Any) -> Progress:
    """Return a target whose build 57 runs."""
    usual: dict[str, Any] = {
        "build_number": 57, "word": "RUNNING", "running_seconds": 80.0, "expected_seconds": 120.0
    }  # fmt: skip
    return Progress(target=Target(job_id="1" * 32, label=label), **(usual | fields))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "build 57 RUNNING, for 1 m 20 s, about 40 s left"),
        ({"running_seconds": 150.0}, "build 57 RUNNING, for 2 m 30 s, usually done in 2 m"),
        ({"expected_seconds": None}, "build 57 RUNNING, for 1 m 20 s"),
        ({"running_seconds": None}, "build 57 RUNNING"),
        ({"word": None, "running_seconds": None}, "build 57 has no state yet"),
        ({"word": "A\x1b[31mB\n"}, "build 57 AB, for 1 m 20 s, about 40 s left"),
        ({"build_number": None}, "waiting for a build"),
    ],
)
def test_one_target_is_described(fields: dict[str, Any], text: str) -> None:
    """Where it is, for how long, and what is left; the service's word cannot steer the terminal."""
    assert describe(standing(**fields)) == text
    assert summary([standing(**fields)]) == text


def test_several_targets_are_counted_by_word() -> None:
    """One line for all."""
    several = [standing("a"), standing("b", word="QUEUED"), standing("c"), standing("d", word=None)]
    assert summary(several) == "4 targets without a verdict: 2 RUNNING, 1 QUEUED, 1 no build yet"


def test_table_that_fits_keeps_the_order() -> None:
    """One line a target, labels in a column."""
    rows = table([standing("a"), standing("long-name")], {"long-name": 5.0}, 2)
    assert [row.split("  ")[0] for row in rows] == ["a", "long-name"]
    assert {row.index("build") for row in rows} == {11}


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_table_that_does_not_fit_shows_what_changed_last(rows: int) -> None:
    """The last change on top; never more lines than there is room for."""
    several = [standing(f"t{index}") for index in range(10)]
    shown = table(several, {f"t{index}": float(index) for index in range(10)}, rows)
    assert [row.split()[0] for row in shown] == ["t9", "t8", "t7"][:rows]


def test_long_label_leaves_room_for_the_rest() -> None:
    """The column of labels is bounded."""
    (row,) = table([standing("x" * 64)], {}, 5)
    assert row.index("build") == 34


def test_live_lines_take_the_place_of_those_before() -> None:
    """As many lines up as were shown, then everything below is erased; lines are cut to the width."""
    live = LiveLines(io.StringIO())
    assert live.show(["a", "b" * 200, "c"]) == "\r\x1b[Ja\n" + "b" * 79 + "\nc"
    assert live.show(["d"]) == "\r\x1b[2A\x1b[Jd"
    assert live.clear() == "\r\x1b[J"
