"""Many small gates in one CodeArts project: calls and lag with lists and without, in virtual time.

Each gate is the real core and client, with a request rate, random numbers and lists of its own. Where the account has a
limit, it is one for all of them.
"""

import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import mean
from typing import NamedTuple

from gate.model import Target
from gate.settings import Rules
from tests.bench import crowd, table, virtual
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.list_faults import PROJECT_LISTS

RULES = Rules(timeout=3 * 3600)
LIMITED_SHARE = 3
"""Where the account has a limit, it is the polls that all gates want together, divided by this."""

STARTS_WITHIN = 60.0
"""Seconds within which the gates start. The builds of a gate start a second before it."""


class Fleet(NamedTuple):
    """How many gates there are, and how many targets each of them has."""

    gates: int
    targets: int

    @property
    def wanted(self) -> int:
        """Polls a minute that all gates want together, as far as their own rates allow."""
        return int(self.gates * min(self.targets * 60 / RULES.poll_interval, RULES.max_rate))


FLEETS = (Fleet(50, 1), Fleet(50, 5), Fleet(50, 20), Fleet(20, 25))
LONGEST_BUILD = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a fleet did."""

    calls: int
    lists: int
    """Calls that read a page of the project's list."""
    refused: int
    right: int
    lags: Sequence[float]


def wait(fleet: Fleet, seconds: float, per_minute: int, *, reads_lists: bool) -> Counted:
    """Let a fleet wait for builds of up to so many seconds."""
    chance = random.Random(fleet.gates)
    starts = [1 + chance.uniform(0, STARTS_WITHIN) for _ in range(fleet.gates)]
    count = fleet.gates * fleet.targets
    scenarios, expected = crowd.numbered(count, seconds, starts_at=lambda index: starts[index // fleet.targets] - 1)

    def choose(simulator: FaultySimulator) -> list[virtual.Gate]:
        targets = [Target(job_id=simulator.jobs[name], build_number=1, label=name) for name in expected]
        first = range(0, count, fleet.targets)
        return [virtual.Gate(targets[at : at + fleet.targets], starts[at // fleet.targets]) for at in first]

    waited = virtual.wait_together(scenarios, RULES, choose, per_minute=per_minute, reads_lists=reads_lists)
    outcomes = waited.listener.outcomes
    return Counted(
        calls=len(waited.simulator.journal.entries),
        lists=len(waited.simulator.journal.of(*PROJECT_LISTS)),
        refused=waited.refused,
        right=sum(outcomes[name].verdict.value == verdict for name, verdict in expected.items()),
        lags=[one.lag for one in crowd.watched(waited.simulator).values()],
    )


def compare(fleet: Fleet, per_minute: int, hinted: Counted, plain: Counted) -> tuple[object, ...]:
    """Return a row of the table: what a fleet did with lists and without."""
    return (
        f"{fleet.gates} x {fleet.targets}",
        "none" if per_minute == virtual.UNLIMITED else per_minute,
        f"{hinted.right} of {fleet.gates * fleet.targets}",
        hinted.calls,
        hinted.lists,
        plain.calls,
        hinted.refused / hinted.calls,
        plain.refused / plain.calls,
        mean(hinted.lags),
        table.quantile(hinted.lags, 0.95),
        mean(plain.lags),
        table.quantile(plain.lags, 0.95),
        hinted.calls / plain.calls,
        mean(hinted.lags) / mean(plain.lags),
    )


def report(fleets: Sequence[Fleet], seconds: float) -> None:
    """Compare fleets with lists and without, and print the table."""
    with ProcessPoolExecutor(2) as pool:  # a wait needs one core
        waits = []
        for fleet in fleets:
            for per_minute in (virtual.UNLIMITED, fleet.wanted // LIMITED_SHARE):
                hinted = pool.submit(wait, fleet, seconds, per_minute, reads_lists=True)
                plain = pool.submit(wait, fleet, seconds, per_minute, reads_lists=False)
                waits.append((fleet, per_minute, hinted, plain))
        rows = [compare(fleet, limit, one.result(), other.result()) for fleet, limit, one, other in waits]
    heads = (
        "gates x targets",
        "limit a minute",
        "right verdicts",
        "calls",
        "of lists",
        "calls, no lists",
        "refused",
        "refused, no lists",
        "mean lag",
        "p95",
        "mean, no lists",
        "p95, no lists",
        "calls : no lists",
        "mean : no lists",
    )
    title = (
        f"Small gates in one project: builds given by number, of up to {seconds:.0f} s, "
        f"--max-rate {RULES.max_rate:.0f} for each gate, in virtual time"
    )
    note = "Lag in seconds; refused: share of the calls. The limit is one for all gates, a third of what they ask for."
    table.show(title, heads, rows, note)
