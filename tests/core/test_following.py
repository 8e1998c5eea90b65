"""Verdicts come at the same moment with and without `--follow`, whatever the logs do; in virtual time."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from gate.errors import CredentialRefused, Forbidden, ServiceFailing
from gate.model import LogPiece, LogTail, Record, TargetOutcome, Verdict
from gate.settings import Rules
from tests.core.fakes import HANG, Late, World, pinned, record

START, END = 20.0, 100.0
"""Seconds in which builds begin to run one after the other, and from which on they end in the same order."""


def growing(_job: str, _number: int, offset: int) -> LogPiece:
    """Return a log that always has more."""
    return LogPiece(f"{'a line':<69}\n" * 100, offset + 7000, has_more=True)


def quiet(_job: str, _number: int, offset: int) -> LogPiece:
    """Return a log in which nothing is new."""
    return LogPiece("", offset, has_more=False)


LOGS: dict[str, Any] = {
    "grows": growing,
    "grows slowly": lambda *args: Late(3.0, growing(*args)),
    "is quiet": quiet,
    "hangs": HANG,
    "fails": ServiceFailing("500"),
    "is forbidden": Forbidden("403"),
    "is refused": CredentialRefused("401"),
}


class Following(World):
    """Some builds that run and end one after the other, at the default rate."""

    def __init__(self, count: int, log: Any, *, follow: bool, word: str = "SUCCESS", **scripts: Any) -> None:
        targets = [pinned(57, f"{number:032}", f"t{number}") for number in range(count)]
        self.moments: dict[str, float] = {}
        self.order = {target.job_id: number for number, target in enumerate(targets)}
        rules = Rules(follow=follow, timeout=1800.0)
        calls = {"record": [self._record(word)], "log_piece": [log], "log_tail": [LogTail(["the end"], 1)]}
        super().__init__(*targets, rules=rules, **(calls | scripts))
        self.observer.decided = self._note  # type: ignore[method-assign]

    def _record(self, word: str) -> Callable[[str, int], Record]:
        def answer(job: str, number: int) -> Record:
            late = 3.7 * self.order[job]
            ended = self.elapsed >= END + late
            running = self.elapsed >= START + late
            state = word if ended else "RUNNING" if running else "QUEUED"
            return record(state, number, job, record_id="r")

        return answer

    def _note(self, outcome: TargetOutcome) -> None:
        self.moments[outcome.label] = self.elapsed


@cache
def moments_without_following(count: int) -> Mapping[str, float]:
    """Return when each of so many builds is decided where no log is followed."""
    world = Following(count, quiet, follow=False)
    assert {outcome.verdict for outcome in world.run()} == {Verdict.PASSED}
    return world.moments


@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS.keys())
def test_following_delays_no_verdict(count: int, log: Any) -> None:
    """Not by more than a third of a second."""
    world, without = Following(count, log, follow=True), moments_without_following(count)
    assert {outcome.verdict for outcome in world.run()} == {Verdict.PASSED}
    late = {label: moment - without[label] for label, moment in world.moments.items()}
    assert max(late.values()) <= 0.3, late


@pytest.mark.parametrize(("word", "trouble"), [("FAILURE", HANG), ("ABORTED", ServiceFailing("500"))])
def test_log_that_hangs_at_the_end_delays_no_verdict(word: str, trouble: Any) -> None:
    """Neither the rest of a followed log nor the end of a failed build's."""
    for count in (1, 40):
        with_it, without = (
            Following(count, trouble if follow else quiet, follow=follow, word=word, log_tail=[trouble])
            for follow in (True, False)
        )
        for world in (with_it, without):
            world.run()
        late = {label: moment - without.moments[label] for label, moment in with_it.moments.items()}
        assert max(late.values()) <= 0.3, late
        assert with_it.elapsed <= max(with_it.moments.values()) + 20.0


def test_log_is_followed_with_what_the_polls_leave() -> None:
    """One target leaves nearly the whole rate of 60 a minute; forty of them leave none."""
    asked = {}
    for count in (1, 40):
        world = Following(count, growing, follow=True)
        world.run()
        asked[count] = len(world.service.times("log_piece"))
    assert asked[1] > 0.6 * (END - START)
    assert len(world.service.times("record")) > 0.6 * (END + 3.7 * 39)
