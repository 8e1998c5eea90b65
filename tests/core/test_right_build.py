"""The right build, always: an oracle that knows the truth watches selections in random worlds.

Lists lag, drift, run empty, lose rows and commits; records, parents and commits come late; builds are queued unseen or
deleted; clocks are wrong; any request may fail. No other build than the newest that fits may ever be judged, none may
be skipped where one exists, and what can be known has to be found out. `python -m tests.core.test_right_build 20000`
plays that many worlds and counts how they ended.
"""

import sys
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

import pytest

from gate.core.ports import Context
from gate.core.retry import Retrier
from gate.core.select import Selection
from gate.core.wait import Wait
from gate.errors import GaveUp, NoBuildAppeared, RouteMissing, ServiceError
from gate.model import Target, Verdict
from tests.core.drive import Driver
from tests.core.fakes import JOB, FakeWorkers, Recording
from tests.core.worlds import START, World, WorldService, make

FAULTS = ("wrong build", "wrong skip", "undetermined without need")


class Played(NamedTuple):
    """How a world ended."""

    result: str
    detail: str
    calls: int
    looks: int


def play(seed: int) -> Played:
    """Let a selection find the build of a random world, and compare that with the truth."""
    world, chance = make(seed), Random(seed)
    driver = Driver(latency=lambda: chance.choice([0.05, 0.3, 2.0]))
    service = WorldService(world, driver, chance)
    said: list[str] = []
    context = Context(
        rules=world.rules,
        service=service,  # type: ignore[arg-type]  # a selection asks nothing else
        now=driver.now,
        chance=chance.random,
        say=lambda _target, text: said.append(text),
    )
    target = Target(job_id=JOB, label="job", build_number=world.number)
    selection = Selection(target, context, Retrier(context, said.append))
    result, detail = _result(world, driver, selection)
    return Played(result, detail, len(service.asked), len(world.looks))


def _result(world: World, driver: Driver, selection: Selection) -> tuple[str, str]:
    """Run a selection; say how it ended."""
    try:
        pinned = driver.run(selection.run())
    except NoBuildAppeared as error:
        began, ended = world.looks[-1], driver.clock - START
        told = world.is_skipped_wrongly(began, ended)
        return ("wrong skip", f"{told}: {error}") if told else ("none", "")
    except GaveUp as error:
        return "gave up", str(error)
    except ServiceError as error:
        ended = driver.clock - START
        if world.must_be_found(ended) or world.must_be_skipped(ended):
            return "undetermined without need", str(error)
        return "undetermined", str(error)
    told = world.is_wrong(pinned.build_number, world.looks[-1] if world.looks else 0.0)
    return ("wrong build", f"{pinned.build_number}: {told}") if told else ("found", "")


@pytest.mark.parametrize("block", range(4))
def test_no_world_ends_wrong(block: int) -> None:
    """Whatever the service does: the right build, a proven absence, or an honest "not known"."""
    for seed in range(block * 100, block * 100 + 100):
        played = play(seed)
        assert played.result not in FAULTS, (seed, played, make(seed))


class WholeService(WorldService):
    """The same service for the whole gate: it publishes nothing but what decides."""

    def stop_command(self, job_id: str, build_number: int) -> str:
        """Return no command."""
        return ""

    def __getattr__(self, name: str) -> Any:
        """Return a side channel that is not published."""

        def refuse(*_: object) -> Any:
            raise RouteMissing(f"{name} is not published")

        return refuse


def test_no_world_ends_wrong_in_the_whole_gate() -> None:
    """Through the loop, up to the verdict: it is that of the right build."""
    for seed in range(120):
        world, workers = make(seed), FakeWorkers()
        context = Context(
            rules=replace(world.rules, timeout=20_000.0),
            service=WholeService(world, workers, Random(seed)),
            now=workers.now,
            chance=Random(seed).random,
            say=lambda _target, _text: None,
        )
        target = Target(job_id=JOB, label="job", build_number=world.number)
        (outcome,) = Wait([target], context, workers, Recording()).run(START + 20_000)
        if outcome.verdict is Verdict.SKIPPED:
            assert world.is_skipped_wrongly(world.looks[-1], workers.clock - START) == "", (seed, world)
        elif outcome.verdict is not Verdict.UNDETERMINED:
            assert outcome.build_number is not None, (seed, outcome)
            build = world.at(outcome.build_number)
            assert world.is_wrong(build.number, world.looks[-1] if world.looks else 0.0) == "", (seed, world, outcome)
            assert (outcome.verdict is Verdict.PASSED) == (build.word == "SUCCESS"), (seed, world, outcome)


def main(worlds: int) -> None:
    """Print how the worlds ended, and what they cost in calls."""
    ended: Counter[tuple[str, str]] = Counter()
    calls: Counter[str] = Counter()
    for seed in range(worlds):
        played = play(seed)
        mode = make(seed).mode
        ended[mode, played.result] += 1
        calls[mode] += played.calls
        if played.result in FAULTS:
            print(seed, mode, played.result, played.detail)
    for (mode, result), count in sorted(ended.items()):
        print(f"{mode:14} {result:26} {count}")
    print({mode: round(count / sum(n for (m, _), n in ended.items() if m == mode), 1) for mode, count in calls.items()})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
