"""How targets stand, in words, as a log has them."""

from typing import Any

from gate.model import Phase, Progress, Stage, Target
from gate.platforms.progress import count_states, describe
from tests.tables import each_row


def standing(label: str = "app", phase: Phase = Phase.RUNNING, **fields: Any) -> Progress:
    """Return a target whose build 57 runs, unless `phase` is another one."""
    usual: dict[str, Any] = {"build_number": 57, "word": phase.name}
    if phase is Phase.RUNNING:
        usual |= {"running_seconds": 80.0, "expected_seconds": 120.0}
    return Progress(target=Target(job_id="1" * 32, label=label), phase=phase, **(usual | fields))


NO_BUILD: dict[str, Any] = {"phase": Phase.SELECTING, "build_number": None, "word": None}
STAGES = (Stage("A", "SUCCESS"), Stage("A\x1b[31m\nB", "RUNNING"), Stage("C"))


@each_row(
    ("fields", "text"),
    [
        ({}, "build 57 RUNNING, for 1 m 20 s, about 40 s left"),
        ({"running_seconds": 150.0}, "build 57 RUNNING, for 2 m 30 s, usually done in 2 m"),
        ({"expected_seconds": None}, "build 57 RUNNING, for 1 m 20 s"),
        ({"running_seconds": None}, "build 57 RUNNING"),
        ({"stages": STAGES}, "build 57 RUNNING, stage A B, for 1 m 20 s, about 40 s left"),
        ({"stages": STAGES[:1]}, "build 57 RUNNING, for 1 m 20 s, about 40 s left"),
        ({"word": "A\x1b[31mB\n"}, "build 57 AB, for 1 m 20 s, about 40 s left"),
        ({"phase": Phase.QUEUED, "queued_seconds": 40.0}, "build 57 QUEUED, for 40 s"),
        ({"phase": Phase.ENDED, "word": "SUCCESS"}, "build 57 has ended (SUCCESS), not judged yet"),
        ({"phase": Phase.SELECTING}, "waiting for build 57"),
        (NO_BUILD, "waiting for a build"),
        ({"phase": Phase.NOT_ASKED}, "not asked about yet"),
    ],
)
def test_one_target_is_described(fields: dict[str, Any], text: str) -> None:
    """Where it is, for how long, and what is left; the service's words cannot steer the terminal."""
    assert describe(standing(**fields)) == text


def test_several_targets_are_counted_by_state() -> None:
    """One line for all; a target that was not asked about is not said to wait for a build."""
    several = [
        standing("a"), standing("b", Phase.QUEUED), standing("c"), standing("d", Phase.ENDED),
        standing("e", **NO_BUILD), standing("f", Phase.NOT_ASKED), standing("g", Phase.NOT_ASKED),
    ]  # fmt: skip
    counts = "2 RUNNING, 2 not asked about yet, 1 QUEUED, 1 ended, 1 without a build"
    assert count_states(several) == f"7 targets without a verdict: {counts}"
    assert count_states(several[:1]) == "1 target without a verdict: 1 RUNNING"


def test_states_that_are_many_are_counted_together() -> None:
    """The line stays one that can be read, whatever words the service has."""
    text = count_states([standing(f"t{index}", word=f"W{index}" + "x" * 30) for index in range(500)])
    assert text.endswith(", 492 in other states")
    assert len(text) < 500
