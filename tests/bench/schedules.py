"""Schedules of looks at one build: the gate's own, and those that other tools publish."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence

from gate.core.forecast import PollPlan
from gate.core.schedule import steady_pause

Schedule = Callable[[Sequence[float], float, random.Random], Iterator[float]]
"""Takes the durations of the job's past builds, newest first, and the age of the build at the first look; gives the
pauses from there on, in seconds, without end."""


def gate(interval: float) -> Schedule:
    """Return the gate's schedule, which knows the job's past builds."""

    def pauses(past: Sequence[float], age: float, chance: random.Random) -> Iterator[float]:
        plan = PollPlan(past, interval)
        while True:
            wait = plan.pause(age, chance.random())
            age += wait
            yield wait

    return pauses


def gate_steady(interval: float) -> Schedule:
    """Return the gate's schedule where there is no history."""
    return lambda past, age, chance: (steady_pause(interval, chance.random()) for _ in itertools.count())


def fixed(interval: float) -> Schedule:
    """Return the schedule that looks every so many seconds."""
    return lambda past, age, chance: itertools.repeat(interval)


def gcloud_waiter(past: Sequence[float], age: float, chance: random.Random) -> Iterator[float]:
    """Return gcloud's waiter for operations: 1 s, then 2 s x 1.4^n and up to a second more, 180 s at most."""
    yield 1.0
    for count in itertools.count():
        yield min(2.0 * 1.4 ** min(count, 30), 180.0) + chance.random()


def exponential(first: float, factor: float, most: float) -> Schedule:
    """Return a schedule whose pauses grow by a factor up to a bound."""
    return lambda past, age, chance: (min(first * factor ** min(count, 60), most) for count in itertools.count())


SCHEDULES: dict[str, Schedule] = {
    "the gate, 10 s": gate(10),
    "the gate without history, 10 s": gate_steady(10),
    **{f"fixed {interval} s": fixed(interval) for interval in (5, 10, 15)},
    "fixed 1 s (gcloud builds)": fixed(1),
    "gcloud waiter: 1 s, 2 s x 1.4^n to 180 s": gcloud_waiter,
    "fixed 30 s (AWS CodeBuild action)": fixed(30),
    "Terraform: 0.1 s x 2^n to 10 s": exponential(0.1, 2, 10),
    "Google GAPIC: 5 s x 1.5^n to 45 s": exponential(5, 1.5, 45),
}
