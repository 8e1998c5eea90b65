"""Stopping a build when the gate ends before it has."""

from functools import partial

from gate.core.asks import Ask, Ending, Priority
from gate.core.ports import Context
from gate.core.retry import HAS_TO_COME_TWICE
from gate.core.target_state import StopResult, TargetState
from gate.errors import NotFound, ServiceError, TooSlow, TransientError

STOP_REQUEST = 1.2
"""Seconds of one request to stop a build: one that hangs leaves time for a second try, over another connection."""

STOP_AGAIN = 0.3
"""Seconds between two tries to stop a build."""


async def stop(known: TargetState, context: Context, until: float) -> bool:
    """Stop a build, try again until that is done or the instant `until` comes; note what became of it in `known`.

    Returns whether the build had ended already. Goes on when the gate begins to end meanwhile.
    """
    number = known.build_number
    assert number is not None
    at = context.now()
    known.stop, known.stop_problem = StopResult.FAILED, "the time was over"
    may_have_stopped = is_refused = False
    while at < until:
        call = partial(context.service.stop, known.target.job_id, number, STOP_REQUEST)
        try:
            was_running = await Ask(call, at, Priority.STOP, min(until, context.now() + STOP_REQUEST + STOP_AGAIN))
        except Ending as ending:
            at, until = context.now(), ending.stop_until
        except TransientError as error:
            may_have_stopped |= error.sent
            known.stop_problem, at = str(error), context.now() + (0 if isinstance(error, TooSlow) else STOP_AGAIN)
        except ServiceError as error:
            if isinstance(error, NotFound) and known.record is None and not known.is_own:
                known.stop, known.stop_problem = StopResult.NOT_REQUESTED, ""  # as far as anybody has seen
                return False
            may_pass = isinstance(error, HAS_TO_COME_TWICE) and not is_refused
            known.stop_problem, at = str(error), context.now() + STOP_AGAIN if may_pass else until
            is_refused = True
        else:
            is_done = was_running or may_have_stopped
            known.stop = StopResult.REQUESTED if is_done else StopResult.HAD_ENDED
            known.stop_problem = ""
            return not was_running
        if may_have_stopped:
            known.stop = StopResult.NOT_KNOWN
    return False
