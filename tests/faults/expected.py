"""What must come of each fault: which verdicts are allowed, and what people have to be told."""

from tests.faults.moments import Moment
from tests.faults.named_faults import NamedFault, Nature, Reach


def nature(fault: NamedFault, moment: Moment) -> Nature:
    """Return what a fault is at a moment."""
    if fault.nature is Nature.DELAYING:
        return Nature.DELAYING
    reached = {Reach.EVERY_ANSWER: True, Reach.OF_BUILD: moment.of_build, Reach.RECORD: moment.record}
    if not reached[fault.reach]:
        return Nature.HARMLESS
    if fault.may_mean_late:
        return Nature.TRANSIENT if moment.of_build else Nature.PERMANENT
    if fault.means_no_route:
        return Nature.PERMANENT if len(moment.operations) == 1 else Nature.TRANSIENT
    return fault.nature


def verdicts(fault: NamedFault, moment: Moment, once: bool) -> set[str]:
    """Return the allowed verdicts for a build that passes, or has failed where the moment is a side channel."""
    if moment.ended:  # a token that is refused before it was accepted is not sent again, for no target
        return {"failed"} | ({"undetermined"} if fault.refuses_credential else set())
    match nature(fault, moment):
        case Nature.HARMLESS:
            return {"passed"}
        case _ if moment.name == "selection":  # records and running-status may tell enough without the list
            return {"passed", "undetermined", "timed-out"}
        case Nature.PERMANENT:
            # The first answer may be that for a build that is not there yet, and nothing may have been accepted so far.
            is_early = once and (moment.record or fault.refuses_credential)
            # What comes after records were read has to come twice.
            may_pass = is_early or (once and (fault.may_pass or moment.name == "unit-tests"))
            return ({"passed"} if may_pass else set()) | ({"undetermined"} if is_early or not may_pass else set())
        case Nature.DELAYING:
            return {"timed-out", "passed" if once else "undetermined"}
        case Nature.TRANSIENT:
            return {"passed"} if once else {"undetermined"}


def after_valid_answers(fault: NamedFault) -> set[str]:
    """Return the allowed verdicts when a refusal comes three times in a row, after the credential was accepted.

    The service's own refusal is believed when it is said twice; what a proxy or a web page says is transient.
    """
    return {"undetermined"} if fault.is_official else {"passed"}


def at_last_look(fault: NamedFault, moment: Moment, once: bool) -> set[str]:
    """Return the allowed verdicts for a build that passes before the deadline, when the look at the deadline fails."""
    found = nature(fault, moment)
    if found is Nature.HARMLESS:
        return {"passed"}
    if once and found is Nature.TRANSIENT:  # a word that nobody documents is not asked about again by then
        return {"passed", "undetermined"} if fault.reach is Reach.RECORD else {"passed"}
    return {"timed-out", "undetermined", "passed"} if once else {"timed-out", "undetermined"}


def at_early_deadline(fault: NamedFault, moment: Moment) -> set[str]:
    """Return the allowed verdicts where the deadline comes before the error budget is spent.

    Requests that hang may leave no connection to the others.
    """
    if moment.ended:
        return {"failed", "timed-out"}
    return {"timed-out", "passed" if nature(fault, moment) is Nature.HARMLESS else "undetermined"}


def after_order(fault: NamedFault, moment: Moment) -> set[str]:
    """Return the allowed verdicts when an order meets this fault: it is never sent a second time."""
    is_known = nature(fault, moment) is Nature.HARMLESS and not fault.spoils_order
    return {"passed"} if is_known else {"undetermined"}


def after_look_up(fault: NamedFault, moment: Moment, once: bool) -> set[str]:
    """Return the allowed verdicts for a build that passes when the list in which its job is looked up meets this fault.

    Nothing has been accepted before, so that whatever is permanent ends the run at its first time.
    """
    match nature(fault, moment):
        case Nature.HARMLESS:
            return {"passed"}
        case Nature.PERMANENT:
            return {"passed", "undetermined"} if once else {"undetermined"}
        case Nature.DELAYING:
            return {"timed-out", "passed" if once else "undetermined"}
        case Nature.TRANSIENT:
            return {"passed"} if once else {"undetermined"}


def after_sign_in(fault: NamedFault, moment: Moment, once: bool) -> set[str]:
    """Return the allowed verdicts for a build that has failed when a sign-in meets this fault.

    The token comes in a header, so that only faults that take the headers away or spoil the JSON matter.
    """
    found = nature(fault, moment)
    if found is Nature.HARMLESS or not fault.spoils_sign_in:
        return {"failed", "undetermined"} if fault.moves_clock else {"failed"}
    if found is Nature.PERMANENT:
        return {"undetermined"}
    return {"failed", "timed-out"} if once else {"undetermined", "timed-out"}


def is_told(fault: NamedFault, moment: Moment, once: bool) -> bool:
    """Return whether people must be told that a side channel failed: not where its answer can be used all the same."""
    if not moment.ended or nature(fault, moment) is Nature.HARMLESS or (once and fault.means_no_route):
        return False
    return fault.spoils_text if moment.name == "log" else fault.spoils_stages
