"""Showing the log of a build while it grows (`--follow`): it decides nothing, and its failure is one line."""

from collections.abc import Callable, Sequence
from functools import partial

from gate.core.ports import Ask, Context, Steps
from gate.errors import ServiceError
from gate.model import LogPiece, Target

PIECE_SECONDS = 5.0
"""Seconds that one request for a piece may take at most; it never holds the next poll up."""

MAX_FAILURES = 3
"""Requests in a row that may fail before the log is no longer asked for."""


class Follower:
    """Asks for the next piece of one build's log, once after each poll at most."""

    def __init__(self, target: Target, context: Context, say: Callable[[str], None]) -> None:
        """Nothing is asked yet; `say` shows people one sentence about the target."""
        self._target = target
        self._service = context.service
        self._now = context.now
        self._show = context.show_log
        self._say = say
        self._offset = 0
        self._failures = 0

    def read(self, number: int, until: float) -> Steps[None]:
        """Show what the log of build `number` has that was not shown, unless there is no answer by the instant `until`.

        The request is left out while targets wait long for their turn.
        """
        if self._failures >= MAX_FAILURES:
            return
        call = partial(self._service.log_piece, self._target.job_id, number, self._offset)
        expires = min(until, self._now() + PIECE_SECONDS)
        try:
            piece: LogPiece | None = yield Ask(call, expires=expires, optional=True)
        except ServiceError as error:
            self._failures += 1
            if self._failures == MAX_FAILURES:
                self._say(f"the log is no longer followed, which does not change the verdict: {error}")
            return
        self._failures = 0
        if piece is None:
            return
        self._offset = piece.next_offset
        if lines := _lines_of(piece.text):
            self._show(self._target, lines)


def _lines_of(text: str) -> Sequence[str]:
    """Return the lines of a piece, of a progress line that rewrites itself only the last state."""
    return [line.rstrip("\r").rpartition("\r")[2] for line in text.removesuffix("\n").split("\n")] if text else []
