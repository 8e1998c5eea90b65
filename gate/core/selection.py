"""Which build is judged: a given one, the newest of a commit, or the newest that belongs to this pipeline.

Lists of builds were seen to lag, to lose rows and to drift to empty. So every number that was seen in any answer is
remembered, the records behind the highest known number are read until the service says that there is no such build, and
only that answer ends this search: an error is not an absence. None of these calls is left out under load.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from gate.core.forecast import Forecast, forecast
from gate.core.identity import hash_of, is_same_commit
from gate.core.ports import Ask, Context, Steps
from gate.core.retrier import Retrier
from gate.core.schedule import pause
from gate.core.verdict import interpret
from gate.durations import spell
from gate.errors import Forbidden, NoBuildAppeared, NotFound, Refused, RouteMissing, TransientError
from gate.model import ListedBuild, Record, Target

LISTING_LAG = 10.0
"""Seconds, from its first answer on, for which the job's own "is running" is believed although no such build can be
seen. Not longer, because older pages of ShowJobStatus give the field another meaning."""

CLOCK_SKEW = timedelta(minutes=10)
"""How far two clocks of the service may differ: the one in its `Date`, and the one by which it records times."""

RECENT = 10
"""Builds at the end of the list whose commit is looked up in their records when no listed build has the commit."""

MAX_AHEAD = 100
"""Records that are read behind the list in one look."""


class PinnedBuild(NamedTuple):
    """The build that is judged from now on, whatever starts later."""

    build_number: int
    record: Record | None = None
    """Its record, if that has been read in the same look."""
    forecast: Forecast = Forecast()
    appearing_seconds: float = 10.0
    """For how long the build may be unknown to the service: a record is not always readable at once."""
    has_children: bool = False
    """Whether a child of it was seen, so that it is a multi-job build."""


class Objection(NamedTuple):
    """Why no build can be pinned yet; `is_absence` if the reason is that none was started for this pipeline."""

    text: str
    is_absence: bool = False


def newest(builds: Iterable[ListedBuild]) -> ListedBuild | None:
    """Return the build with the highest number."""
    return max(builds, key=lambda build: build.number, default=None)


def is_fresh(record: Record, since: datetime, now: datetime) -> bool:
    """Tell whether a build ended between `since` and `now`, give or take `CLOCK_SKEW` at the end of that time.

    A build whose end is not known is not fresh.
    """
    ended_at = record.finished_at
    if ended_at is None and record.started_at is not None and record.duration_seconds is not None:
        ended_at = record.started_at + timedelta(seconds=record.duration_seconds)
    return ended_at is not None and since <= ended_at <= now + CLOCK_SKEW


class Selection:
    """Finds the build of one target."""

    def __init__(self, target: Target, context: Context, retrier: Retrier) -> None:
        """Nothing is asked yet."""
        self._target = target
        self._rules = context.rules
        self._service = context.service
        self._retrier = retrier
        self._now = context.now
        self._chance = context.chance
        self._say = retrier.say
        self._rows: dict[int, ListedBuild] = {}
        self._records: dict[int, Record] = {}
        self._read_in_this_look: set[int] = set()
        self._look_at = 0.0
        """The instant at which the present look was due; its calls came no earlier."""
        self._missing_since: dict[int, float] = {}
        """Numbers below a known one that have neither a row nor a record, with the instant when that was found."""
        self._busy_since: float | None = None
        """The instant of the first answer of /status that the job runs, while no build explains that."""

    def run(self) -> Steps[PinnedBuild]:
        """Find the build, and wait for it to appear if need be.

        Raises `NoBuildAppeared` when the service answered, but none has appeared in time.
        """
        if self._target.build_number is not None:
            return PinnedBuild(build_number=self._target.build_number)
        began = at = self._now()
        give_up, looks, told = None, 0, ""
        while True:
            builds = yield from self._look(at)
            answered = self._now()
            give_up = give_up or answered + self._rules.appear_timeout
            record, objection = yield from self._choose(began)
            if record is not None and objection is None:
                read_now = record if record.build_number in self._read_in_this_look else None
                past = forecast(builds, self._rules.poll_interval)
                self._rows.clear()  # hundreds of targets would keep a hundred rows each
                children = [one for one in self._records.values() if one.parent_record_id is not None]
                return PinnedBuild(
                    build_number=record.build_number,
                    record=read_now,
                    forecast=past,
                    has_children=record.record_id in [child.parent_record_id for child in children],
                )
            objection = objection or Objection("no build was found", is_absence=True)
            now = self._now()
            if at >= give_up:  # the last look, which begins when the time is over
                raise self._none_appeared(objection)
            if objection.text != told:
                self._say(f"{objection.text}; waiting for a build, at most {spell(give_up - now)}")
                told = objection.text
            looks += 1
            at = min(now + pause(looks, self._rules.poll_interval, self._chance()), max(give_up, now))

    def newest_number(self) -> Steps[int]:
        """Look once for the highest number of the job's builds; 0 if there is none."""
        yield from self._look(self._now())
        return self._highest

    @property
    def _highest(self) -> int:
        """The highest number seen in any answer so far; 0 if none was."""
        return max((*self._rows, *self._records), default=0)

    @property
    def _oldest(self) -> int:
        """The lowest number seen in any answer so far; 1 if none was."""
        return min((*self._rows, *self._records), default=1)

    def _none_appeared(self, objection: Objection) -> NotFound:
        """Return the error for a build that did not appear in time."""
        kind = NoBuildAppeared if objection.is_absence else NotFound
        return kind(
            f"no build to judge appeared within {spell(self._rules.appear_timeout)}: {objection.text}",
            hint="Check that the build gets started, or raise --appear-timeout or --max-age.",
        )

    def _look(self, at: float) -> Steps[Sequence[ListedBuild]]:
        """Read the list, and the records of the builds behind it; return the list."""
        self._look_at = at
        job, commit = self._target.job_id, self._rules.commit
        builds: Sequence[ListedBuild] = yield from self._retrier(
            partial(self._service.builds, job, commit), at, coalesce=("builds", job, commit)
        )
        self._rows.update((build.number, build) for build in builds)
        self._read_in_this_look.clear()
        if self._highest:
            for _ in range(MAX_AHEAD):
                if (yield from self._read(self._highest + 1)) is None:
                    break
        return builds

    def _read(self, number: int) -> Steps[Record | None]:
        """Return the record of a build, read in this look unless it had ended before; `None` if there is none."""
        known = self._records.get(number)
        if known is not None and (interpret(known).ended or number in self._read_in_this_look):
            return known
        job = self._target.job_id
        try:
            record = yield from self._retrier(
                partial(self._service.record, job, number), coalesce=("record", job, number)
            )
        except NotFound:
            return None
        self._records[number] = record
        self._read_in_this_look.add(number)
        return record

    def _choose(self, began: float) -> Steps[tuple[Record | None, Objection | None]]:
        """Return the record of the build to judge, and the objection to it; `began`: the instant of the first look."""
        if self._rules.commit:
            record, objection = yield from self._newest_of_commit(self._rules.commit)
        else:
            record, objection = yield from self._newest_of_job()
        if record is None or objection is not None or not interpret(record).ended:
            return record, objection
        stale = self._stale(record, began)
        busy = yield from self._busy(record, is_stale=stale is not None)
        return record, busy or stale

    def _newest_of_job(self) -> Steps[tuple[Record | None, Objection | None]]:
        """Return the record of the job's newest build that is no child of a multi-job build."""
        for number in range(self._highest, self._oldest - 1, -1):
            record = yield from self._read(number)
            if record is None and (number in self._rows or not self._is_long_missing(number)):
                return None, Objection(f"build {number} has no record yet")
            if record is not None and record.parent_record_id is None:
                return record, None
        return None, Objection("the job has no build in the last weeks", is_absence=True)

    def _newest_of_commit(self, commit: str) -> Steps[tuple[Record | None, Objection | None]]:
        """Return the record of the newest build of `commit`, a full or shortened hash, that is no child of another.

        The records of the builds behind it are read as long as their commit is not known: a list may not have it yet.
        """
        first_in_doubt = (self._newest_matching(commit) or max(self._highest - RECENT, self._oldest - 1)) + 1
        in_doubt = 0
        for number in range(first_in_doubt, self._highest + 1):
            if not self._commit_of(number) and not self._is_child(number):
                record = yield from self._read(number)
                if self._may_be_of_any_commit(number, record):
                    in_doubt = number
        chosen = self._newest_matching(commit)
        while chosen is not None:
            record = yield from self._read(chosen)
            if record is None:
                return None, Objection(f"build {chosen} has no record yet")
            if in_doubt > chosen:
                break
            if chosen == self._newest_matching(commit):
                return record, None
            chosen = self._newest_matching(commit)  # by its record, the build is of another commit or a child
        if in_doubt:
            return None, Objection(f"the commit of build {in_doubt} is not known yet")
        return None, Objection(f"the job has no build of commit {commit}", is_absence=True)

    def _may_be_of_any_commit(self, number: int, record: Record | None) -> bool:
        """Tell whether a build without a known commit has to be waited for: it runs, or it is not visible yet."""
        if record is not None:
            return not self._commit_of(number) and not interpret(record).ended
        return not self._is_long_missing(number)

    def _is_long_missing(self, number: int) -> bool:
        """Tell whether a number below a known one still has no record a while after that was first seen."""
        return self._look_at - self._missing_since.setdefault(number, self._now()) >= LISTING_LAG

    def _newest_matching(self, commit: str) -> int | None:
        """Return the number of the newest build that is known to be of `commit` and not known to be a child.

        Raises `NotFound` when a shortened hash fits several commits.
        """
        commits = {number: self._commit_of(number) for number in (*self._rows, *self._records)}
        matching = {number: known for number, known in commits.items() if is_same_commit(commit, known)}
        longest = max(matching.values(), key=len, default="")
        if not all(is_same_commit(longest, known) for known in matching.values()):
            names = ", ".join(sorted(set(matching.values())))
            raise NotFound(f"--commit {commit} fits several commits: {names}", hint="Give the full hash.")
        return max((number for number in matching if not self._is_child(number)), default=None)

    def _commit_of(self, number: int) -> str:
        """Return the commit of a build in lower case, by its record or else its row; empty while it is not known."""
        record, row = self._records.get(number), self._rows.get(number)
        of_record, of_row = (hash_of(source.commit) if source else "" for source in (record, row))
        if not of_record or (is_same_commit(of_record, of_row) and len(of_row) > len(of_record)):
            return of_row
        return of_record

    def _is_child(self, number: int) -> bool:
        """Tell whether a build is known to be a child of a multi-job build."""
        record = self._records.get(number)
        return record is not None and record.parent_record_id is not None

    def _stale(self, record: Record, began: float) -> Objection | None:
        """Say that a build has ended too long ago. Its age counts up to the first look; later delays do not matter."""
        limit = self._rules.age_limit
        if limit is None:
            return None
        now = self._service.latest_now()
        if is_fresh(record, now - timedelta(seconds=self._now() - began + limit), now):
            return None
        text = f"build {record.build_number} ended more than {spell(limit)} ago (--max-age)"
        return Objection(text, is_absence=True)

    def _busy(self, record: Record, *, is_stale: bool) -> Steps[Objection | None]:
        """Say that the job runs, or may run, although its newest known build has ended: another one is not visible yet.

        This is asked only where no known build explains it. It is a hint: a fresh build is judged all the same when a
        look that began `LISTING_LAG` seconds after the first such answer has found nothing newer.
        """
        newer = {number for number in (*self._rows, *self._records) if number > record.build_number}
        if not all(self._has_ended(number) for number in newer):
            return None
        job = self._target.job_id
        told = "the job is running"
        try:
            running = yield Ask(partial(self._service.is_running, job), coalesce=("status", job))
        except TransientError as error:
            running, told = True, f"the job may be running ({error})"
        except (RouteMissing, NotFound, Forbidden, Refused):  # not published here, or not for this user
            running = None
        if not running:
            self._busy_since = None
            return None
        if self._busy_since is None:
            self._busy_since = self._now()
        if not is_stale and self._look_at - self._busy_since >= LISTING_LAG:
            return None
        return Objection(f"{told}, but its newest known build, {record.build_number}, has ended")

    def _has_ended(self, number: int) -> bool:
        """Tell whether a known build has ended, by its record or else its row."""
        record, row = self._records.get(number), self._rows.get(number)
        if record is None and row is not None:
            record = Record(job_id="", build_number=number, word=row.word, run_word=row.run_word)
        return record is not None and interpret(record).ended
