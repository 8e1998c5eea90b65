"""What the wait needs from the world: a service to ask, workers that ask it, an observer that is told.

Code that waits is written as generators: a *step* yields an `Ask` and gets the answer back, or the error thrown in.
The loop in `gate.core.wait` decides when each ask is carried out, so no step ever blocks.
"""

import math
from collections.abc import Callable, Generator, Hashable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from gate.model import ListedBuild, Order, Progress, Record, Stage, Target, TargetOutcome, UnitTests
from gate.settings import Rules

T = TypeVar("T")


class Ask(NamedTuple):
    """One question to the service: not before the instant `at`, and of no use after the instant `until`.

    Of the asks that wait with the same `share`, one is carried out and all get its answer. While others wait long for
    their turn, one that is `spare` is not carried out; its answer is `None`. One that is `refused` had its turn before,
    but was throttled. One that is `urgent` waits for no turn.
    """

    call: Callable[[], object]
    at: float = 0.0
    until: float = math.inf
    share: Hashable = None
    spare: bool = False
    refused: bool = False
    urgent: bool = False


Steps = Generator[Ask, Any, T]


class CallResult(NamedTuple):
    """What became of the ask number `key`: a value, or the error it ended in."""

    key: int
    value: object = None
    error: Exception | None = None


class Interruption(NamedTuple):
    """A signal that ends the wait."""

    signal_number: int


class DebugLine(NamedTuple):
    """A line for people who asked for every detail."""

    text: str


Event = CallResult | Interruption | DebugLine


class Workers(Protocol):
    """Carries out calls elsewhere than in the thread that keeps the deadline, and brings back what happened."""

    def now(self) -> float:
        """Return the instant, in seconds on a clock that never jumps."""

    def has_room(self) -> bool:
        """Tell whether another call could start at once."""

    def submit(self, key: int, call: Callable[[], object]) -> None:
        """Start a call; its `CallResult` carries `key`."""

    def next(self, until: float) -> Event | None:
        """Return the next event, or `None` when the instant `until` has come first."""


class BuildService(Protocol):
    """CodeArts Build as the core sees it; every method may raise a `ServiceError`."""

    def now(self) -> datetime:
        """Return the time of day by the service's clock, as far as it is known."""

    def is_running(self, job_id: str) -> bool | None:
        """Tell what `/v3/jobs/{job_id}/status` says; `None` when it says nothing."""

    def builds(self, job_id: str, commit: str | None = None) -> Sequence[ListedBuild]:
        """List the job's builds of the last weeks, newest first, as far back as the newest one of `commit`."""

    def record(self, job_id: str, build_number: int) -> Record:
        """Return the record of exactly this build."""

    def stages(self, record_id: str) -> Sequence[Stage]:
        """List the stages of a build in their order."""

    def unit_tests(self, job_id: str, build_number: int) -> UnitTests | None:
        """Return the totals of a build's unit tests; `None` when the service has none."""

    def log_tail(self, record_id: str, lines: int) -> Sequence[str]:
        """Return the last lines of a build's log."""

    def start(self, order: Order) -> int:
        """Start a build and give its number; sent once, and `StartLost` when its answer got lost."""

    def stop(self, job_id: str, build_number: int) -> str:
        """Stop exactly this build, and say what became of it."""

    def stop_command(self, job_id: str, build_number: int) -> str:
        """Return the shell command by which a user can stop a build; empty when there is none."""


class Observer(Protocol):
    """Is told what happens while it happens."""

    def due(self) -> float:
        """Return the instant at which `tick` should be called next."""

    def say(self, target: Target, text: str, now: float) -> None:
        """Take note of a change: one sentence."""

    def remark(self, text: str) -> None:
        """Take note of a detail."""

    def tick(self, standings: Sequence[Progress], now: float) -> None:
        """Show how things stand."""

    def decided(self, outcome: TargetOutcome) -> None:
        """Take note of a target's verdict."""


class Context(NamedTuple):
    """What every watch of one run shares."""

    rules: Rules
    service: BuildService
    now: Callable[[], float]
    """Instants in seconds, on a clock that never jumps."""
    chance: Callable[[], float]
    """Random numbers from 0 to 1."""
    say: Callable[[Target, str], None]
    """Takes sentences for people."""
    order: Order | None = None
    """The build to start, where the gate starts one."""
