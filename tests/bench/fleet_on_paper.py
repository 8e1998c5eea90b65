"""A fleet on paper: thousands of gates under one account, started in the same minute, each on a build of its own."""

import heapq
import itertools
import random
from collections import Counter
from statistics import mean
from typing import NamedTuple

from gate.core.schedule import Pace, backoff, pause
from gate.settings import Rules
from tests.bench import table

RULES = Rules()
BUILD = 600.0
"""Seconds that builds last, about."""

MINUTES = 20.0
"""How long the gates are watched."""


class Kind(NamedTuple):
    """How the gates behave, and where."""

    title: str
    jitter: bool = True
    adaptive: bool = True
    spread: float = 0.0
    """Seconds within which the gates start."""


KINDS = (
    Kind("all start at once, no jitter, no adaptive rate", jitter=False, adaptive=False),
    Kind("all start at once, jitter", adaptive=False),
    Kind("all start at once, jitter and adaptive rate: the gate"),
    Kind("starts over ten minutes, no jitter, no adaptive rate", jitter=False, adaptive=False, spread=600),
    Kind("starts over ten minutes: the gate", spread=600),
)


class Count(NamedTuple):
    """What a fleet did: requests by second, refused ones, and the lag of each gate."""

    seconds: Counter[int]
    refused: int
    lags: list[float]


def simulate(kind: Kind, gates: int, minutes: float, per_minute: float) -> Count:
    """Let the gates poll until their builds have ended; the service refuses what goes beyond its minute."""
    chance = random.Random(1)
    rand = chance.random if kind.jitter else lambda: 0.5
    starts = [chance.uniform(0, kind.spread) for _ in range(gates)]
    ends = [start + BUILD * chance.lognormvariate(0, 0.2) for start in starts]
    paces = [Pace(RULES.max_rate, start) for start in starts]
    looks, failures = [0] * gates, [0] * gates
    order = itertools.count()
    queue = [(start, next(order), gate) for gate, start in enumerate(starts)]
    heapq.heapify(queue)
    seconds: Counter[int] = Counter()
    admitted: Counter[int] = Counter()
    refused, lags = 0, []
    while queue and queue[0][0] < minutes * 60:
        now, _, gate = heapq.heappop(queue)
        ready = paces[gate].ready_at(now) if kind.adaptive else now
        if ready > now:
            heapq.heappush(queue, (ready + 1e-6, next(order), gate))
            continue
        paces[gate].spend(now)
        seconds[int(now)] += 1
        if admitted[int(now // 60)] < per_minute:
            admitted[int(now // 60)] += 1
            if now >= ends[gate]:
                lags.append(now - ends[gate])
                continue
            looks[gate], failures[gate] = looks[gate] + 1, 0
            after = pause(looks[gate], RULES.poll_interval, rand())
        else:
            refused, failures[gate] = refused + 1, failures[gate] + 1
            paces[gate].ease(now, rand())
            after = backoff(failures[gate], RULES.poll_interval, rand())
        heapq.heappush(queue, (now + after, next(order), gate))
    lags += [minutes * 60 - ends[gate] for _, _, gate in queue if ends[gate] < minutes * 60]
    return Count(seconds, refused, lags)


def report(gates: int) -> None:
    """Simulate and print the tables."""
    demand = gates * 60 / RULES.poll_interval
    for title, per_minute in (("no limit", float("inf")), ("a limit of a third of what they ask for", demand / 3)):
        rows = []
        for kind in KINDS:
            count = simulate(kind, gates, MINUTES, per_minute)
            busy = [count.seconds[second] for second in range(120, 360)]
            total = sum(count.seconds.values())
            lag, high = mean(count.lags), table.quantile(count.lags, 0.95)
            rows.append(
                (
                    kind.title,
                    max(count.seconds.values()),
                    max(busy),
                    mean(busy),
                    total,
                    count.refused / total,
                    lag,
                    high,
                )
            )
        heads = (
            "gates",
            "peak a second",
            "peak after 2 min",
            "mean a second",
            "requests",
            "share refused",
            "mean lag",
            "p95 lag",
        )
        table.show(f"{gates} gates under one account, {title} ({per_minute:.0f} a minute)", heads, rows)
