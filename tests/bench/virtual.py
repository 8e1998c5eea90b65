"""The gate's core and client on the simulator, without a network, in a time that passes only when it is waited for."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, cast

from gate.codearts.client import Client
from gate.codearts.fallback_routes import Routes
from gate.codearts.session import Session
from gate.core.ports import CallResult, Context, Event
from gate.core.wait import Wait
from gate.model import Progress, Target, TargetOutcome
from gate.settings import Rules
from gate.simulator.scenarios import Scenario
from tests.bench.timeline import Timeline
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.memory import MemorySession
from tests.faults.quota import Quota

LATENCY = 0.1
"""Seconds that each call takes."""
UNLIMITED = 10**9
"""Calls a minute that no wait comes near."""


class Workers:
    """Carries out each call at once; its answer comes a little later, in virtual time."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._answers: list[tuple[float, int, CallResult]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Return the instant."""
        return self._timeline.now()

    def submit(self, key: int, call: Callable[[], object]) -> None:
        """Carry out a call."""
        try:
            answer = CallResult(key, value=call())
        except Exception as error:
            answer = CallResult(key, error=error)
        heapq.heappush(self._answers, (self.now() + LATENCY, next(self._numbers), answer))

    def next(self, until: float) -> Event | None:
        """Return the next answer, or let the time pass until then."""
        comes = self._answers[0][0] if self._answers else until
        self._timeline.wait_until(min(comes, until))
        return heapq.heappop(self._answers)[2] if self._answers and comes <= until else None


@dataclass(slots=True)
class Listener:
    """An observer that keeps what it is told."""

    outcomes: dict[str, TargetOutcome] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def due(self) -> float:
        """Return the instant of the next tick: never."""
        return float("inf")

    def say(self, target: Target, text: str, now: float) -> None:
        """Keep a change."""
        self.told.append(text)

    def debug_line(self, text: str) -> None:
        """Ignore a detail."""

    def tick(self, standings: Sequence[Progress], now: float) -> None:
        """Do nothing; never called."""

    def shows_stages(self) -> bool:
        """Tell that there is no screen."""
        return False

    def wants_stages(self, target: Target) -> bool:
        """Tell that nothing is on a screen."""
        return False

    def explained(self, outcome: TargetOutcome) -> None:
        """Keep an outcome."""
        self.outcomes[outcome.label] = outcome

    def decided(self, outcome: TargetOutcome) -> None:
        """Keep an outcome."""
        self.outcomes[outcome.label] = outcome


class Gate(NamedTuple):
    """One process of the gate: its targets, and the instant at which it starts."""

    targets: Sequence[Target]
    starts_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """What came of a wait: what was told, the seconds it took, and the service with its journal."""

    listener: Listener
    seconds: float
    simulator: FaultySimulator
    refused: int
    """Requests that the service refused as too many."""


def wait(
    scenarios: Sequence[Scenario],
    rules: Rules,
    *,
    per_minute: int = UNLIMITED,
    choose: Callable[[FaultySimulator], Sequence[Target]] | None = None,
    reads_lists: bool = True,
) -> Waited:
    """Wait for the newest build of every scenario (or what `choose` says) at a service with a limit of calls.

    With `reads_lists` false, no list is taken as a hint.
    """

    def one_gate(simulator: FaultySimulator) -> list[Gate]:
        newest = [Target(job_id=job, label=name) for name, job in simulator.jobs.items()]
        return [Gate(choose(simulator) if choose else newest)]

    return wait_together(scenarios, rules, one_gate, per_minute=per_minute, reads_lists=reads_lists)


def wait_together(
    scenarios: Sequence[Scenario],
    rules: Rules,
    choose: Callable[[FaultySimulator], Sequence[Gate]],
    *,
    per_minute: int = UNLIMITED,
    reads_lists: bool = True,
) -> Waited:
    """Let several gates wait at one service, whose limit of calls is one for all of them.

    Each has connections, a request rate and random numbers of its own. Labels must differ.
    """
    with FaultySimulator(scenarios, speed=0) as simulator:
        quota = Quota(per_minute, simulator.clock)
        simulator.faults.add(Fault(act=quota, times=None))
        timeline = Timeline(simulator.clock.advance)
        listener = Listener()
        timeline.run(
            [
                (gate.starts_at, partial(_wait, gate, rules, simulator, Workers(timeline), listener, seed, reads_lists))
                for seed, gate in enumerate(choose(simulator), start=1)
            ]
        )
        return Waited(listener=listener, seconds=timeline.now(), simulator=simulator, refused=quota.refused)


def _wait(
    gate: Gate,
    rules: Rules,
    simulator: FaultySimulator,
    workers: Workers,
    listener: Listener,
    seed: int,
    reads_lists: bool,
) -> None:
    """Let one gate wait to the end."""
    context = Context(
        rules=rules,
        service=Client(Routes(cast(Session, MemorySession(simulator)))),
        now=workers.now,
        chance=random.Random(seed).random,
        say=lambda target, text: listener.say(target, text, workers.now()),
    )
    waiting = Wait(gate.targets, context, workers, listener)
    if not reads_lists:
        waiting._lists._is_worth_reading = lambda one: False  # type: ignore[method-assign]
    waiting.run(workers.now() + rules.timeout)
