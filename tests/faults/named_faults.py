"""Faults with a name, and what each of them is to the gate."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from tests.faults.response_faults import ResponseFault
from tests.faults.transport_faults import TransportFault


class Nature(Enum):
    """What a fault is to the gate."""

    TRANSIENT = auto()
    """No answer: the gate asks again within the error budget."""
    PERMANENT = auto()
    """A refusal that ends the wait at once."""
    HARMLESS = auto()
    """The answer can be used."""
    DELAYING = auto()
    """The service asks for fewer requests, or for more time than there is."""


class Reach(Enum):
    """Which answers a fault spoils; all others can be used."""

    EVERY_ANSWER = auto()
    OF_BUILD = auto()
    """Answers that name their build: its record and its unit tests."""
    RECORD = auto()
    """The record of a build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFault:
    """A fault that goes with any scenario, at any request."""

    name: str
    description: str
    make: Callable[[], ResponseFault | TransportFault]
    """Returns the act of the fault; a large one is made only where it is used."""
    nature: Nature = Nature.TRANSIENT
    reach: Reach = Reach.EVERY_ANSWER
    may_mean_late: bool = False
    """The service says the same of a build whose record is still to come: it is transient for a while then."""
    means_no_route: bool = False
    """Only this route is missing: it is permanent where the operation has no other one."""
    is_official: bool = False
    """It has an error code of the service or of its gateway; what a proxy or a web page answers has none."""
    may_pass: bool = False
    """A single one does not end the wait once the credential has been accepted."""
    refuses_credential: bool = False
    """The gate may not send the credential again."""
    spoils_text: bool = False
    """No text can be read either, such as a log; most faults spoil JSON only."""
    spoils_stages: bool = True
    """The stages cannot be read; false where the answer is a valid one without stages, or with too many."""
    spoils_sign_in: bool = True
    """No token can be had; false where headers and JSON stay as they are."""
    spoils_order: bool = False
    """The number of an ordered build cannot be read although other answers can be used."""
    moves_clock: bool = False
    """The service's clock is no longer known: a token may be taken for an expired one."""
    asks_to_wait: bool = False
    """It holds up all requests of the process for some time."""
    hangs: bool = False
    """The answer takes longer than any wait: it is tried against the deadline too."""
    exclusive: bool = False
    """It leaves little for other faults in the same process: time, connections or the credential."""
    heavy: bool = False
    """It takes much memory or time to make."""
