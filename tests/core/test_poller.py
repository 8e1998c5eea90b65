"""Looks at one build: when they come, and what is said."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from gate.core.forecast import LONGEST_PAUSE
from gate.model import ListedBuild, Record, Verdict
from gate.settings import Rules
from tests.core.fakes import EPOCH, World, build, pinned, record


def history(count: int, seconds: float) -> list[ListedBuild]:
    """Return a job's list: build 57 runs, so many before it passed in about so many seconds."""
    past = [
        build(56 - index, word="SUCCESS", duration_seconds=seconds * (1 + 0.01 * (index % 5))) for index in range(count)
    ]
    return [build(57, word="RUNNING"), *past]


def running(until: float, world: list[World]) -> Any:
    """Return the record of a build that started with the wait and passes after so many seconds."""

    def answer(job: str, number: int) -> Record:
        started = EPOCH
        if world[0].elapsed >= until:
            return record("SUCCESS", number, job, started_at=started, finished_at=EPOCH + timedelta(seconds=until))
        return record("RUNNING", number, job, started_at=started)

    return answer


def watch(seconds: float, builds: list[ListedBuild], **rules: Any) -> World:
    """Wait for a build of so many seconds; gives the world afterwards."""
    worlds: list[World] = []
    world = World(pinned(None), record=[running(seconds, worlds)], builds=[builds], rules=Rules(**rules))
    worlds.append(world)
    assert world.verdict() is Verdict.PASSED
    return world


def test_without_history_looks_are_steady() -> None:
    """Every interval, from the first one on."""
    times = watch(60, history(5, 60)).service.times("record")
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([10] * 6)


def test_history_brings_the_end_closer_for_no_more_calls() -> None:
    """A build like those before is seen sooner after its end."""
    durations = [600.0 + more for more in range(20)]
    plain, informed = ([watch(seconds, history(count, 600)) for seconds in durations] for count in (5, 30))
    lags = [sum(world.elapsed for world in worlds) - sum(durations) for worlds in (plain, informed)]
    calls = [sum(len(world.service.asked) for world in worlds) for worlds in (plain, informed)]
    assert lags[1] < 0.6 * lags[0]
    assert calls[1] <= calls[0]


def test_build_that_hangs_is_looked_at_all_the_same() -> None:
    """No look is put off for more than two intervals."""
    times = watch(3000, history(30, 60)).service.times("record")
    assert max(later - earlier for earlier, later in pairwise(times)) <= 10 * LONGEST_PAUSE + 0.01


def test_record_that_selection_has_read_is_not_read_again() -> None:
    """Its record is read once in the selection, and the next time after the first pause."""
    world = watch(1.5, history(0, 0))
    first = [name for name, at in world.service.asked if at == 1000]
    assert (first.count("record"), len(world.service.asked) - len(first)) == (1, 1)


def test_slow_build_is_said_to_be_slow_once() -> None:
    """Slower than 95 % of twenty passes, with both times."""
    said = [text for text in watch(200, history(25, 60)).observer.said if "slower" in text]
    assert len(said) == 1
    assert said[0].startswith("build 57 is slower than 95 % of the past builds that passed")


@pytest.mark.parametrize(("seconds", "count"), [(60, 25), (200, 19)])
def test_usual_build_or_short_history_gives_no_warning(seconds: float, count: int) -> None:
    """Nothing can be said about 95 % of a few."""
    assert not [text for text in watch(seconds, history(count, 60)).observer.said if "slower" in text]


def test_polls_of_one_build_are_those_of_the_schedule_and_read_no_list() -> None:
    """A build of five minutes costs 31 polls, as many as its schedule has; its project's list is left alone."""
    world = World(record=[running(300, worlds := [])], rules=Rules())
    worlds.append(world)
    assert world.verdict() is Verdict.PASSED
    assert [name for name, _ in world.service.asked] == ["record"] * 31
    assert world.elapsed == pytest.approx(300)


def test_contradictions_with_a_right_record_between_them_are_no_wrong_build() -> None:
    """Three records of another commit in a row count; four of them, of which no three follow each other, do not."""
    ours, other = "a" * 40, "b" * 40
    words = [("RUNNING", other)] * 2 + [("RUNNING", ours)] + [("SUCCESS", other)] * 2 + [("SUCCESS", ours)]
    answers = [record(word, commit=commit) for word, commit in words]
    assert World(rules=Rules(commit=ours), record=answers).verdict() is Verdict.PASSED
    assert World(rules=Rules(commit=ours), record=[answers[0]] * 3 + answers[2:]).verdict() is Verdict.UNDETERMINED
