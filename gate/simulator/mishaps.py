"""What can go wrong, by name: faults that go with any scenario, at any request.

Simulator(["passing"], faults=[mishap("HTTP 502", operations=RECORD_ROUTES, skip=2, times=None)])
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gate.simulator.breaks import BREAKS
from gate.simulator.faults import Fault
from gate.simulator.garbage import GARBAGE
from gate.simulator.lies import LIES
from gate.simulator.mishap import Mishap
from gate.simulator.refusals import REFUSALS

MISHAPS: Mapping[str, Mishap] = MappingProxyType(
    {one.name: one for one in (*REFUSALS, *GARBAGE, *BREAKS, *LIES)},
)


def mishap(name: str, **where: Any) -> Fault:
    """Return the fault of this name; `where` says at which requests and how often, as `Fault` takes it."""
    return Fault(act=MISHAPS[name].make(), **where)
