"""What must come of each fault: which verdicts are allowed, and what people have to be told."""

import re
from enum import Enum, auto

from gate.simulator.lies import LIES
from tests.faults.moments import Moment


class Nature(Enum):
    """What a fault is to the gate."""

    TRANSIENT = auto()
    """No answer: asked again within the error budget."""
    PERMANENT = auto()
    """A refusal that ends the wait at once."""
    HARMLESS = auto()
    """The answer can be used."""
    DELAYING = auto()
    """The service asks for fewer requests, or for more time than there is."""


_PERMANENT = re.compile(
    r"HTTP \d+ (APIGW\.(0106|03|04|08)(?<!0308)|CB\.000602(00|01)|DEV\.CB\.032011)|HTTP 4(07|18) HTML|redirect"
)
_HARMLESS = re.compile(
    r"JSON in a JSON text$|wrong c|UTF-16|byte order mark|Date |hostile texts|record id|texts of a|list backwards"
)
_ABOUT_RECORDS = re.compile(
    "|".join(lie.name for lie in LIES if not lie.name.startswith("result ")) + "|lone surrogates"
)
ROUTE_MISSING = re.compile(r"HTTP 404 (APIGW\.0101|CB\.00060214)")
_NO_TEXT = re.compile(r"HTTP|redirect|429|503|200 |(closed|reset) before|silence|drip in the h|no HTTP")
_NO_STAGES = re.compile("huge float|result empty|20,000 stages")


def nature(name: str, moment: Moment) -> Nature:
    """Say what a fault is at a moment."""
    if re.search("absurd|0308|00060211|429", name):
        return Nature.DELAYING
    if name == "lone surrogates" and moment.of_build:  # in the ids, too
        return Nature.TRANSIENT
    if _HARMLESS.match(name) or (_ABOUT_RECORDS.match(name) and not moment.record):
        return Nature.HARMLESS
    if re.search(r"00031006|00031059", name):
        permanent = not moment.of_build
    elif ROUTE_MISSING.match(name):
        permanent = len(moment.operations) == 1
    else:
        permanent = bool(_PERMANENT.match(name))
    return Nature.PERMANENT if permanent else Nature.TRANSIENT


def verdicts(name: str, moment: Moment, once: bool) -> set[str]:
    """Return the verdicts that are right for a build that passes, or has failed where the moment is a side channel."""
    if moment.ended:  # a token that is refused before it was accepted is not sent again, for no target
        return {"failed", "undetermined"} if name.startswith("HTTP 401") else {"failed"}
    match nature(name, moment):
        case Nature.HARMLESS:
            return {"passed"}
        case Nature.PERMANENT:
            return {"undetermined"}
        case Nature.DELAYING:
            return {"timed out", "passed" if once else "undetermined"}
        case Nature.TRANSIENT:
            return {"passed"} if once else {"undetermined"}


def in_a_hurry(name: str, moment: Moment) -> set[str]:
    """Return the verdicts that are right where the deadline comes before the end of all patience.

    Requests that hang may leave no connection to the others.
    """
    if moment.ended:
        return {"failed", "timed out"}
    return {"timed out", "passed" if nature(name, moment) is Nature.HARMLESS else "undetermined"}


def after_start(name: str, moment: Moment) -> set[str]:
    """Return the verdicts that are right when an order meets this fault: it is never sent a second time."""
    told = nature(name, moment) is Nature.HARMLESS and name not in ("no build number", "lone surrogates")
    return {"passed"} if told else {"undetermined"}


def after_sign_in(name: str, moment: Moment, once: bool) -> set[str]:
    """Return the verdicts that are right for a build that has failed when a sign-in meets this fault.

    The token comes in a header, so that only faults that take the headers away or spoil the JSON matter.
    """
    if name.startswith(("result ", "20,000", "Date", "not UTF-8")) or nature(name, moment) is Nature.HARMLESS:
        return {"failed", "undetermined"} if name.startswith("Date") else {"failed"}
    if nature(name, moment) is Nature.PERMANENT:
        return {"undetermined"}
    return {"failed", "timed out"} if once else {"undetermined", "timed out"}


def is_told(name: str, moment: Moment, once: bool) -> bool:
    """Say whether people are told that a side channel failed: not where its answer can be used all the same."""
    if not moment.ended or nature(name, moment) is Nature.HARMLESS or (once and ROUTE_MISSING.match(name)):
        return False
    return bool(_NO_TEXT.match(name)) if moment.name == "log" else not _NO_STAGES.match(name)
