"""What goes wrong, at which request and how often."""

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gate.simulator.exchange import Call
from gate.simulator.operations import RECORD_OPERATIONS
from tests.faults.response_faults import ResponseFault
from tests.faults.transport_faults import TransportFault

RECORD_ROUTES = RECORD_OPERATIONS
"""The operations that tell the word of one build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One act at certain requests.

    Of the requests that match, the first `skip` are spared, the next `times` (`None`: all) are hit.
    """

    act: ResponseFault | TransportFault
    operations: Sequence[str] = ()
    """The operations that are hit; none named: any."""
    job_id: str | None = None
    build_number: int | None = None
    when: Callable[[Call], bool] | None = None
    """Any further condition."""
    skip: int = 0
    times: int | None = 1

    def matches(self, call: Call) -> bool:
        """Whether the request is one that counts."""
        return (
            (not self.operations or call.operation in self.operations)
            and self.job_id in (None, call.job_id)
            and self.build_number in (None, call.build_number)
            and (self.when is None or self.when(call))
        )

    def hits(self, count: int) -> bool:
        """Whether it acts on the matching request with this number; the first is 0."""
        return self.skip <= count and (self.times is None or count < self.skip + self.times)


class FaultPlan:
    """Faults with the count of the requests that each has matched."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._plan = [(fault, itertools.count()) for fault in faults]

    def add(self, *faults: Fault) -> None:
        """Add faults; they count the requests from now on."""
        with self._lock:
            self._plan += [(fault, itertools.count()) for fault in faults]

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._plan.clear()

    def acts(self, call: Call) -> list[ResponseFault | TransportFault]:
        """Return the acts that this request meets, in the order of the plan."""
        with self._lock:
            return [fault.act for fault, count in self._plan if fault.matches(call) and fault.hits(next(count))]
