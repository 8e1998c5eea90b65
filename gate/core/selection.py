"""Which build is judged: a given one, the newest of a commit, or the newest that belongs to this pipeline."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from gate.core.forecast import Forecast, expect
from gate.core.ports import Ask, Context, Steps
from gate.core.retrier import Retrier
from gate.core.schedule import pause
from gate.core.verdict import read
from gate.durations import spell
from gate.errors import NotFound, ServiceError, TransientError
from gate.model import ListedBuild, Record, Target

LISTING_LAG = 10.0
"""Seconds for which the job's own "is running" is believed against a newest record that has ended: a build that is just
starting may not be listed yet. Not longer, because older pages of ShowJobStatus give the field another meaning."""

SKEW = timedelta(minutes=10)
"""How far two clocks of the service may differ: the one in its `Date`, and the one by which it notes times."""


class PinnedBuild(NamedTuple):
    """The build that is judged from now on, whatever starts later."""

    build_number: int
    record: Record | None = None
    """Its record, if that has been read just now."""
    expectation: Forecast = Forecast()
    appearing_seconds: float = 10.0
    """For how long the build may be unknown to the service: a record is not always readable at once."""
    ordered_at: datetime | None = None
    """When this gate ordered the build, if it did, by the service's clock."""


def newest(builds: Sequence[ListedBuild], commit: str | None = None) -> ListedBuild | None:
    """Return the build with the highest number, of `commit` (a full or shortened hash) if one is given.

    Raises `NotFound` when a shortened hash fits several commits.
    """
    matching = [build for build in builds if not commit or build.is_of(commit)]
    commits = {(build.commit or "").lower() for build in matching} if commit else set()
    if len(commits) > 1:
        raise NotFound(
            f"--commit {commit} fits several commits: {', '.join(sorted(commits))}", hint="Give the full hash."
        )
    return max(matching, key=lambda build: build.number, default=None)


def is_fresh(record: Record, since: datetime, now: datetime) -> bool:
    """Tell whether a build ended between `since` and `now`, or soon after that; not if nobody knows when it ended."""
    ended_at = record.finished_at
    if ended_at is None and record.started_at is not None and record.duration_seconds is not None:
        ended_at = record.started_at + timedelta(seconds=record.duration_seconds)
    return ended_at is not None and since <= ended_at <= now + SKEW


class Selection:
    """Finds the build of one target."""

    def __init__(self, target: Target, context: Context, asking: Retrier) -> None:
        """Nothing is asked yet."""
        self._target = target
        self._rules = context.rules
        self._service = context.service
        self._asking = asking
        self._record: Record | None = None
        self._read_now = False  # the record, in this look

    def run(self) -> Steps[PinnedBuild]:
        """Find the build, waiting for it to appear if need be; raises `NotFound` when none has appeared in time."""
        if self._target.build_number is not None:
            return PinnedBuild(build_number=self._target.build_number)
        started = self._asking.now()
        give_up = started + self._rules.appear_timeout
        at, looks, told = started, 0, ""
        while True:
            builds = yield from self._asking(lambda: self._service.builds(self._target.job_id, self._rules.commit), at)
            found = newest(builds, self._rules.commit)
            self._read_now = False
            objection = yield from self._object(found, self._asking.now() - started)
            if found and not objection:
                return (yield from self._pin(found, builds))
            now = self._asking.now()
            if at >= give_up:  # the last look, which begins when the time is over
                raise NotFound(
                    f"no build to judge appeared within {spell(self._rules.appear_timeout)}: {objection}",
                    hint="Check that the build gets started, or raise --appear-timeout or --max-age.",
                )
            if objection != told:
                self._asking.say(f"{objection}; waiting for a build, at most {spell(give_up - now)}")
                told = objection
            looks += 1
            at = min(now + pause(looks, self._rules.poll_interval, self._asking.chance()), max(give_up, now))

    def _object(self, found: ListedBuild | None, elapsed: float) -> Steps[str]:
        """Say why the newest build is not the one to judge, `elapsed` seconds after the first look; empty if it is."""
        if found is None:
            what = f"of commit {self._rules.commit}" if self._rules.commit else "in the last weeks"
            return f"the job has no build {what}"
        if self._rules.commit:
            return ""
        record = self._record
        if record is None or record.build_number != found.number or not read(record).ended:
            try:
                record = yield from self._asking(lambda: self._service.record(self._target.job_id, found.number))
            except NotFound:
                return f"build {found.number} is listed, but has no record yet"
            self._record, self._read_now = record, True
        return (yield from self._object_to_ended(record, elapsed)) if read(record).ended else ""

    def _object_to_ended(self, record: Record, elapsed: float) -> Steps[str]:
        """Say why a build that has ended is not the one to judge: another one runs, or it is stale."""
        now = self._service.now()
        limit = self._rules.age_limit or 0.0
        fresh = is_fresh(record, now - timedelta(seconds=elapsed + limit), now)
        believed = not fresh or elapsed < LISTING_LAG
        if believed and (busy := (yield from self._is_busy())):
            return f"{busy}, but its newest known build, {record.build_number}, has ended"
        return "" if fresh else f"build {record.build_number} ended more than {spell(limit)} ago (--max-age)"

    def _is_busy(self) -> Steps[str]:
        """Say that the job runs now, or may do so; empty when it does not, and where the service does not say."""
        try:
            running = yield Ask(lambda: self._service.is_running(self._target.job_id))
        except TransientError as error:
            return f"the job may be running ({error})"
        except ServiceError:
            return ""
        return "the job is running" if running else ""

    def _pin(self, found: ListedBuild, builds: Sequence[ListedBuild]) -> Steps[PinnedBuild]:
        """Pin the build that was found, or the one behind it that has a record already: lists were seen to lag."""
        number, record = found.number, self._record if self._read_now else None
        if self._record and read(self._record).ended and (ahead := (yield from self._unlisted(number))):
            number, record = ahead.build_number, ahead
        return PinnedBuild(build_number=number, record=record, expectation=expect(builds, self._rules.poll_interval))

    def _unlisted(self, number: int) -> Steps[Record | None]:
        """Return the record of the newest build behind this number; `None` if there is none that can be read.

        It is a call for each target, which is spared while others wait long for theirs.
        """
        last: Record | None = None
        with suppress(ServiceError):
            while last is None or read(last).ended:
                number += 1
                ahead: Record | None = yield Ask(partial(self._service.record, self._target.job_id, number), spare=True)
                if ahead is None:
                    break
                last = ahead
        return last
