"""How targets stand, in words."""

import time
from typing import Any

import pytest

from gate.model import Progress, Target
from gate.platforms.columns import width
from gate.platforms.live_lines import LiveLine
from gate.platforms.progress import count_states, describe, table


def standing(label: str = "app", **fields: Any) -> Progress:
    """Return a target whose build 57 runs."""
    usual: dict[str, Any] = {
        "build_number": 57, "word": "RUNNING", "running_seconds": 80.0, "expected_seconds": 120.0
    }  # fmt: skip
    return Progress(target=Target(job_id="1" * 32, label=label), **(usual | fields))


NOT_POLLED = {"was_polled": False, "word": None, "running_seconds": None}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "build 57 RUNNING, for 1 m 20 s, about 40 s left"),
        ({"running_seconds": 150.0}, "build 57 RUNNING, for 2 m 30 s, usually done in 2 m"),
        ({"expected_seconds": None}, "build 57 RUNNING, for 1 m 20 s"),
        ({"running_seconds": None}, "build 57 RUNNING"),
        ({"stage": "Maven"}, "build 57 RUNNING, stage Maven, for 1 m 20 s, about 40 s left"),
        ({"stage": "A\x1b[31m\nB", "running_seconds": None}, "build 57 RUNNING, stage A B"),
        ({"word": None, "running_seconds": None}, "build 57 without a state"),
        ({"word": "A\x1b[31mB\n"}, "build 57 AB, for 1 m 20 s, about 40 s left"),
        ({"build_number": None, "running_seconds": None}, "waiting for a build"),
        (NOT_POLLED, "build 57 not asked about yet"),
        (NOT_POLLED | {"build_number": None}, "not asked about yet"),
    ],
)
def test_one_target_is_described(fields: dict[str, Any], text: str) -> None:
    """Where it is, for how long, and what is left; the service's words cannot steer the terminal."""
    assert describe(standing(**fields)) == text


def test_several_targets_are_counted_by_state() -> None:
    """One line for all; a target that was not asked about is not said to wait for a build."""
    several = [
        standing("a"), standing("b", word="QUEUED"), standing("c"), standing("d", word=None),
        standing("e", word=None, build_number=None), standing("f", **NOT_POLLED), standing("g", **NOT_POLLED),
    ]  # fmt: skip
    counts = "2 RUNNING, 2 not asked about yet, 1 QUEUED, 1 without a state, 1 without a build"
    assert count_states(several) == f"7 targets without a verdict: {counts}"
    assert count_states(several[:1]) == "1 target without a verdict: 1 RUNNING"


def test_states_that_are_many_are_counted_together() -> None:
    """The line stays one that can be read, whatever words the service has."""
    text = count_states([standing(f"t{index}", word=f"W{index}" + "x" * 30) for index in range(500)])
    assert text.endswith(", 492 in other states")
    assert len(text) < 500


def test_table_that_fits_keeps_the_order() -> None:
    """One line a target, labels in a column."""
    rows = texts(table([standing("a"), standing("long-name")], {"long-name": 5.0}, 2, 79))
    assert [row.split()[1] for row in rows] == ["a", "long-name"]
    assert {row.index("build") for row in rows} == {13}


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_table_that_does_not_fit_shows_what_changed_last(rows: int) -> None:
    """The last change on top; never more lines than there is room for."""
    several = [standing(f"t{index}") for index in range(10)]
    shown = texts(table(several, {f"t{index}": float(index) for index in range(10)}, rows, 79))
    assert [row.split()[1] for row in shown] == ["t9", "t8", "t7"][:rows]


def test_long_label_leaves_room_for_the_rest() -> None:
    """The column of labels is bounded."""
    (row,) = texts(table([standing("x" * 64)], {}, 5, 200))
    assert row.index("build") == 36


@pytest.mark.parametrize("columns", [39, 30])
def test_narrow_terminal_shortens_the_label_first(columns: int) -> None:
    """The state of every target is what people look for."""
    rows = texts(table([standing("payment-service-backend"), standing("app", build_number=1234)], {}, 5, columns))
    assert ["build 57 RUNNING" in rows[0][:columns], "build 1234 RUNNING" in rows[1][:columns]] == [True, True]
    assert rows[0].startswith("* payme")


def test_ideographs_line_up() -> None:
    """They take two columns each; a long name is cut where they allow it."""
    rows = texts(table([standing("构建服务"), standing("app"), standing("构" * 20)], {}, 5, 79))
    assert {width(row[: row.index("build")]) for row in rows} == {2 + 32 + 2}


def test_table_of_many_targets_is_cheap() -> None:
    """It is drawn with every message: 500 targets take a few milliseconds at most."""
    several = [standing(f"t{index}") for index in range(500)]
    changes = {f"t{index}": float(index % 7) for index in range(500)}
    started = time.process_time()
    for _ in range(20):
        table(several, changes, 23, 79)
    assert (time.process_time() - started) / 20 < 0.02


def texts(rows: list[LiveLine]) -> list[str]:
    """Return the lines without their colours."""
    return [row.text for row in rows]
