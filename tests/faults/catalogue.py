"""Every named fault.

FaultySimulator(["passing"], faults=[named_fault("HTTP 502 HTML", operations=RECORD_ROUTES, skip=2, times=None)])
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tests.faults.connection_faults import CONNECTION_FAULTS
from tests.faults.error_responses import ERROR_RESPONSES
from tests.faults.fault_plan import Fault
from tests.faults.malformed_bodies import MALFORMED_BODIES
from tests.faults.named_faults import NamedFault
from tests.faults.wrong_answers import WRONG_ANSWERS

NAMED_FAULTS: Mapping[str, NamedFault] = MappingProxyType(
    {one.name: one for one in (*ERROR_RESPONSES, *MALFORMED_BODIES, *CONNECTION_FAULTS, *WRONG_ANSWERS)},
)


def named_fault(name: str, **where: Any) -> Fault:
    """Return the fault of this name; `where` says at which requests and how often, as `Fault` takes it."""
    return Fault(act=NAMED_FAULTS[name].make(), **where)
