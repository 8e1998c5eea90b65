"""Showing the log of a build while it grows (`--follow`): it decides nothing, and its failure is one line."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gate.core.outcome_builder import OutcomeBuilder
from gate.core.ports import Ask, Context, Steps
from gate.core.verdict import WAITING_WORDS
from gate.model import LogPiece, Record, Stage, State
from gate.text import one_line

PIECE_SECONDS = 5.0
"""Seconds that one request for a piece may take at most; it never holds the next poll up."""

MAX_FAILURES = 3
"""Requests in a row that may fail before the log is no longer asked for."""


class Follower:
    """Asks for the next piece of one build's log and for its stages, once after each poll at most."""

    def __init__(self, builder: OutcomeBuilder, context: Context, say: Callable[[str], None]) -> None:
        """Nothing is asked yet; `say` shows people one sentence about the target."""
        self._builder = builder
        self._target = builder.target
        self._service = context.service
        self._now = context.now
        self._show_lines = context.show_log
        self._say = say
        self._offset = 0
        self._lines = context.service.log_lines()
        self._failures = 0

    def read(self, record: Record, until: float) -> Steps[None]:
        """Show what the log of a build has that was not shown, and note the stage that runs now.

        Nothing is shown if there is no answer by the instant `until`. Both requests are left out while targets wait
        long for their turn.
        """
        if self._failures >= MAX_FAILURES:
            return
        expires = min(until, self._now() + PIECE_SECONDS)
        calls: list[Callable[[], Any]] = [self.next_piece(record.build_number)]
        if record.record_id is not None:
            calls.append(partial(self._service.stages, record.record_id))
        piece, *stages = yield [Ask(call, expires=expires, optional=True, may_hang=True) for call in calls]
        for result in stages:
            if result.value is not None:
                self._builder.running_stage = _running(result.value)
        if piece.value is not None:
            self._failures = 0
            self.show(piece.value)
        if piece.error is None:  # or the request was left out
            return
        self._failures += 1
        if self._failures == MAX_FAILURES:
            self._say(f"the log is no longer followed, which does not change the verdict: {piece.error}")

    @property
    def is_answered(self) -> bool:
        """Whether the last request for a piece got an answer, so that the next one probably does."""
        return self._failures == 0

    def next_piece(self, number: int) -> Callable[[], LogPiece]:
        """Return the call that reads the next piece of the log of build `number`."""
        return partial(self._service.log_piece, self._target.job_id, number, self._offset)

    def show(self, piece: LogPiece | None) -> None:
        """Show the lines of a piece, and go on behind it; nothing for one that could not be read."""
        if piece is None:
            return
        if piece.next_offset < self._offset:  # the log has started again
            self._lines = self._service.log_lines()
        self._offset = piece.next_offset
        if lines := self._lines.add(piece.text):
            self._show_lines(self._target, lines)


def _running(stages: Sequence[Stage]) -> str | None:
    """Return the name of the stage that runs now, as far as its word tells."""
    words = ((stage.name, WAITING_WORDS.get((stage.state or "").lower())) for stage in stages)
    return next((one_line(name, limit=60) for name, state in words if state is State.RUNNING), None)
