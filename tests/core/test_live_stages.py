"""Stages that are read for a screen: in place of polls, at little cost, and never in the way of a verdict."""

import random
import statistics
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from gate.core.forecast import LONGEST_PAUSE
from gate.core.watch import STAGES_PAUSE
from gate.errors import Forbidden
from gate.model import ListedBuild, Order, Record, RunningStatus, Stage, Verdict
from gate.settings import Rules
from tests.core.fakes import EPOCH, World, pinned, record
from tests.tables import each_row

PARTS = {"initial": 0.03, "Cache Check": 0.05, "Code CheckOut": 0.15, "Maven": 0.85, "Upload": 0.97, "final": 0.995}
"""The stages of a build, and the share of its time after which each has ended."""

MODES = ("JOB", "JOB:N", "run")


def begin(seconds: float) -> Any:
    """Return an instant of the service's time, in seconds after the gate's start."""
    return EPOCH + timedelta(seconds=seconds)


class Build:
    """A build of five minutes or so in a world of its own; it runs from the gate's start on, `run` starts it."""

    def __init__(self, mode: str, seed: int = 0, *, screen: bool = True, **scripts: Any) -> None:
        chances = random.Random(seed)
        self.seconds = 300 * chances.lognormvariate(0, 0.1)
        past = [300 * chances.lognormvariate(0, 0.1) for _ in range(30)]
        rows = [
            ListedBuild(number=56 - index, word="SUCCESS", duration_seconds=seconds, started_at=begin(-9000 - index))
            for index, seconds in enumerate(past)
        ]
        running = ListedBuild(number=57, run_word="Running", started_at=begin(0))
        status = RunningStatus(is_running=mode != "run", build_number=None if mode == "run" else 57)
        usual: dict[str, Any] = {
            "record": [lambda *_: self.record()],
            "stages": [lambda *_: self.stages()],
            "builds": [rows if mode == "run" else [running, *rows]],
            "running_status": [status],
            "start": [57],
        }
        self.world = World(
            pinned(57 if mode == "JOB:N" else None),
            rules=Rules(timeout=900),
            chance=chances.random,
            order=Order() if mode == "run" else None,
            **(usual | scripts),
        )
        self.world.observer.shows_stages = lambda: screen  # type: ignore[method-assign]
        self.world.observer.wants_stages = lambda target: screen and bool(target)  # type: ignore[method-assign]

    def record(self) -> Record:
        """Return the record of the build now."""
        known: dict[str, Any] = {"record_id": "r", "started_at": begin(0)}
        if self.world.elapsed < self.seconds:
            return record("RUNNING", **known)
        return record("SUCCESS", finished_at=begin(self.seconds), duration_seconds=self.seconds, **known)

    def stages(self) -> Sequence[Stage]:
        """Return its stages now."""
        done = self.world.elapsed / self.seconds
        starts = [0.0, *PARTS.values()]
        return [
            Stage(name, "SUCCESS" if done >= end else "RUNNING" if done >= start else None)
            for start, (name, end) in zip(starts, PARTS.items(), strict=False)
        ]

    def times(self, name: str) -> list[float]:
        """Return the instants of calls while the build ran, in seconds after the start."""
        return [at for at in (called - 1000 for called in self.world.service.times(name)) if at < self.seconds]

    def wait(self) -> "Build":
        """Wait for it, and see that it is judged rightly."""
        assert self.world.verdict() is Verdict.PASSED
        return self

    @property
    def calls(self) -> int:
        """All calls, those for the report included."""
        return len(self.world.service.asked)

    @property
    def lag(self) -> float:
        """Seconds from its end to the record that tells it."""
        return max(self.world.service.times("record")) - 1000 - self.seconds


@pytest.mark.parametrize("mode", MODES)
def test_screen_costs_two_calls_more_at_most(mode: str) -> None:
    """The first stages, and the list of past builds where the wait does not read it; nor is a verdict later."""
    seeds = range(4)
    without = [Build(mode, seed, screen=False).wait() for seed in seeds]
    shown = [Build(mode, seed).wait() for seed in seeds]
    more = statistics.mean(one.calls for one in shown) - statistics.mean(one.calls for one in without)
    later = statistics.mean(one.lag for one in shown) - statistics.mean(one.lag for one in without)
    print(f"{mode}: {more:+.1f} calls, {later:+.2f} s")
    assert more <= 2
    assert later <= 0.5


@each_row("mode", MODES)
def test_stage_is_shown_at_once_and_kept_up_to_date(mode: str) -> None:
    """The first record of a running build brings its stages; later ones come every other poll."""
    times = Build(mode).wait().times("stages")
    pauses = [later - sooner for sooner, later in pairwise(times)]
    assert times[0] <= 2
    assert min(pauses) >= STAGES_PAUSE
    assert statistics.mean(pauses) <= (36 if mode == "JOB" else 22)  # with past builds, polls are rare at first
    assert max(pauses) <= 2 * LONGEST_PAUSE * Rules().poll_interval


def test_stages_that_stand_still_put_one_poll_off_and_no_more() -> None:
    """A record is read after each reading of stages, whatever they say: the end is known one pause later at most."""
    frozen = [Stage("Code CheckOut", "SUCCESS"), Stage("Maven", "RUNNING"), Stage("Upload")]
    for seed in range(8):
        build = Build("JOB:N", seed, stages=[frozen]).wait()
        times = build.times("record")
        assert max(later - sooner for sooner, later in pairwise(times)) <= 2 * 12 + 1
        assert build.lag <= 2 * 12 + 1


@each_row(
    "stages",
    [
        [Stage("Maven", "SUCCESS"), Stage("final", "SUCCESS")],
        [Stage("Maven", "FAILURE"), Stage("Upload", "RUNNING")],
        [Stage("Maven", "EVAPORATED")],
        [Stage("Maven")],
        [],
    ],
)
def test_other_stages_put_no_poll_off(stages: list[Stage]) -> None:
    """That all have ended, or one has failed, brings the next poll forward by a moment; the record decides."""
    without, build = Build("JOB:N", screen=False).wait(), Build("JOB:N", stages=[stages]).wait()
    assert len(build.times("record")) >= len(without.times("record"))


def test_stages_that_tell_nothing_are_read_ever_more_rarely() -> None:
    """Nobody has published what the service says of the stages of a build that runs."""
    times = Build("JOB:N", stages=[[]]).wait().times("stages")
    pauses = [later - sooner for sooner, later in pairwise(times)]
    assert len(times) <= 5
    assert all(later > 1.5 * sooner for sooner, later in pairwise(pauses))


def test_stages_that_are_refused_are_not_asked_for_again() -> None:
    """Before the report, that is; it does not change the verdict."""
    assert len(Build("JOB:N", stages=[Forbidden("no")]).wait().times("stages")) == 1
