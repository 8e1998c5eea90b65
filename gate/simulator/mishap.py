"""One thing that can go wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from gate.simulator.deliveries import Delivery
from gate.simulator.shapes import Shape


@dataclass(frozen=True, slots=True)
class Mishap:
    """A fault with a name. `make` gives its act, so that a large one is made only where it is used."""

    name: str
    description: str
    make: Callable[[], Shape | Delivery]
