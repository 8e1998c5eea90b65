"""Finding the build that is judged: collects evidence about a job until `gate.core.evidence` can decide.

The calls of a selection are never left out under load, and an error is never taken for an absence.
"""

from typing import NamedTuple

from gate.core.forecast import Forecast
from gate.core.ports import Context
from gate.core.retry import Retrier
from gate.model import Record, Target


class PinnedBuild(NamedTuple):
    """The build that is judged from now on, whatever starts later."""

    build_number: int
    record: Record | None = None
    """Its record, if that has been read in the same look."""
    forecast: Forecast = Forecast()
    has_children: bool = False
    """Whether a child of it was seen, so that it is a multi-job build."""


class Selection:
    """Finds the build of one target."""

    def __init__(self, target: Target, context: Context, retrier: Retrier) -> None:
        """Nothing is asked yet."""
        self._target = target
        self._context = context
        self._retrier = retrier

    async def run(self) -> PinnedBuild:
        """Find the build, and wait for it to appear if need be.

        Raises `NoBuildAppeared` when it is proven that there is none, and `NotFound` when none was found in time but
        there may be one. The record of a numbered target is not compared with what was asked for here.
        """
        raise NotImplementedError

    async def newest_number(self, until: float) -> int:
        """Look once for the highest number of the job's builds, at once whatever the rate; 0 if there is none.

        Raises a `ServiceError` when there is no usable answer by the instant `until`.
        """
        raise NotImplementedError

    async def reusable(self) -> PinnedBuild | None:
        """Look once for the newest build of the order's commit, for `run --reuse`.

        Returns `None` where it ended otherwise than passed, where there is none, or where that is not known.
        """
        raise NotImplementedError
