"""One thing that can go wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.response_faults import ResponseFault
from tests.faults.transport_faults import TransportFault


@dataclass(frozen=True, slots=True)
class NamedFault:
    """A fault with a name. `make` gives its act, so that a large one is made only where it is used."""

    name: str
    description: str
    make: Callable[[], ResponseFault | TransportFault]
