"""Lists that tell about many builds in one call: they say which record to read next, and never decide.

The list of a CodeArts project's jobs tells about the last build of each job, a hundred a page; the list of a job's
builds is used where several of them are targets. Both are read round after round, page after page.

- **What a row does.** Where it says that a build has ended, the build is polled next. Where it says that it runs, its
  polls are put off if the list is believed: each such build is polled once in the time in which the rate that lists
  leave reaches them all, spread over that time from the first moment on. Any other row changes nothing.
- **When a list is read.** If its round takes less time than passes between two polls of a build without lists.
- **How it is checked.** Lists were seen to lag, to lose rows and to become empty. So rows and records about one build
  are compared, whichever comes first. A list is believed, and gets its share of the rate, once it has told an end that
  a record tells, too. It is given up when it was wrong or late too often, when it is refused, and when it tells about
  next to nothing; its builds are then polled as without lists, the one first that has not been polled for longest.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import Enum, auto
from functools import partial

from gate.core import verdict as judging
from gate.core.asks import Ask, Priority, together
from gate.core.ports import BuildService, Context
from gate.core.queue import Queue
from gate.core.schedule import vary
from gate.errors import CredentialRefused, ServiceError, TransientError, Unauthorised
from gate.limits import MAX_PROJECT_PAGES
from gate.model import Record, RecordState, State
from gate.value_types import NamedTuple, dataclass

BuildKey = tuple[str, int]
"""A build's job and number."""

FEWEST_TARGETS = 5
"""Builds that have to be polled at a time before a list is read: for fewer it would cost as much as it saves."""

FEWEST_ROWS = 3
"""Builds about which a list must tell for each page that is read; fewer cost no more calls when they are polled."""

TRIAL_PAGES = 3
"""Pages that are read before it is asked whether they tell about enough builds."""

SEARCH_ROUNDS = 10
"""Rounds of which one, the first, reads on behind the pages that told something, to find builds that no page lists."""

SHORTEST_ROUND = 2.0
"""Seconds between the beginnings of two rounds of one list, at least."""

WORTH = 0.8
"""A list is read if its round takes at most this share of the time between two polls of a build without lists."""

TRIAL_SHARE = 0.12
"""Share of the request rate that lists take at most which are not believed yet."""

LIST_SHARE = 0.6
"""Share of the request rate that the others take at most, as they go before polls."""

OWN_SHARE = 0.8
"""Share of the rate which lists leave that is meant for polls of builds which a list says are running."""

OWN_INTERVALS = 3.0
"""Steady intervals between two polls of such a build, at least."""

ERROR_PAUSE = 30.0
"""Seconds after which a list is tried again that could not be read."""

MAX_ERRORS = 3
"""Failures in a row after which a list is given up."""

MAX_STRIKES = 3
"""How often, beyond the times that it was right, a list may be wrong or late before it is given up, where the polls
want more than the request rate; where they do not, lists are no need, and the first time ends them."""

LATE_SECONDS = 30.0
"""Seconds by which a list may be late at most; less where polls without lists would see the end earlier."""


class _Told(Enum):
    """What a row says about a build."""

    RUNNING = auto()
    ENDED = auto()
    JOB_RUNNING = auto()
    """Some build of the job runs. That says nothing about the target's build, but the end of that build will."""


class _Row(NamedTuple):
    """What a list says of one build of a job: by its number, by the number within its day, or by neither."""

    number: int | None
    daily_number: str | None
    has_ended: bool | None
    """`None` if the row contradicts itself, or says neither."""


class _Page(NamedTuple):
    """One page of a list: the rows of each job, and whether there is nothing behind it."""

    rows: Mapping[str, Sequence[_Row]]
    is_last: bool


@dataclass(slots=True, eq=False)
class _List:
    """A list, and how it has proved itself."""

    name: str
    read: Callable[[int], _Page]
    """Return a page, from 0; one request."""
    project_id: str | None = None
    """The project; `None` for the list of a job's builds."""
    pages: int = 1
    """The pages of a round, up to the last one that told something."""
    rounds: int = 0
    next_at: float = 0.0
    """The instant of the next round."""
    read_at: datetime | None = None
    """The service's time when the last page was asked for."""
    is_tried: bool = False
    """Whether a record has told an end: the first one brings the next round forward, as it allows a comparison."""
    is_believed: bool = False
    is_given_up: bool = False
    strikes: int = 0
    errors: int = 0


@dataclass(slots=True, eq=False)
class _Build:
    """A build that is polled, and what lists said about it."""

    key: BuildKey
    followers: int = 1
    project_id: str | None = None
    daily_number: str | None = None
    asks: set[Ask[Record]] = field(default_factory=set)
    """Its polls that wait or are under way."""
    polled_at: float = -math.inf
    """The instant of the last answer to a poll."""
    own_poll_at: float | None = None
    """The instant until which its polls are put off; `None` if they are not."""
    source: _List | None = None
    """The list that tells about it."""
    told: _Told | None = None
    """What the last row said; `None` if it said nothing about this build."""
    running_at: datetime | None = None
    """The service's time when a row last said that the build runs."""
    is_hurried: bool = False
    """Whether a poll was brought forward because a row said that the build has ended."""
    is_denied: bool = False
    """Whether a record has said since then that the build runs."""
    ended_at: datetime | None = None
    """The service's time of its end, by its record."""


class Lists:
    """Reads lists, and moves the polls that wait in the queue."""

    def __init__(self, context: Context, queue: Queue) -> None:
        """Nothing is polled yet."""
        self._service = context.service
        self._interval = context.rules.poll_interval
        self._now = context.now
        self._chance = context.chance
        self._debug = context.debug
        self._queue = queue
        self._builds: dict[BuildKey, _Build] = {}
        """The builds that are polled."""
        self._ended: dict[BuildKey, _Build] = {}
        """Builds that have ended by their records, until a list was compared with that."""
        self._of_job: Counter[str] = Counter()
        """The number of builds that are polled, by job."""
        self._lists: dict[str, _List] = {}
        """By the id of the project or the job."""
        self._most_builds = 0
        """The most builds that were polled at a time."""
        self._pause: Ask[None] | None = None
        """What `run` waits for when no list is to be read now."""
        self._is_refused = False
        """Whether the credential was refused at a list since a record was read: more refusals may lock the account."""
        self._is_last_look = False

    # Used by the polls.

    def begin(self, job_id: str, build_number: int) -> None:
        """Take note that a build is polled from now on."""
        key = (job_id, build_number)
        if key in self._builds:
            self._builds[key].followers += 1
            return
        self._builds[key] = _Build(key)
        self._most_builds = max(self._most_builds, len(self._builds))
        self._of_job[job_id] += 1
        if self._of_job[job_id] >= FEWEST_ROWS:
            self._lists.setdefault(job_id, _List(f"job {job_id}", partial(_builds_of, self._service, job_id)))

    def end(self, job_id: str, build_number: int) -> None:
        """Take note that a build is polled no longer."""
        build = self._builds[job_id, build_number]
        build.followers -= 1
        if build.followers:
            return
        del self._builds[build.key]
        self._of_job[job_id] -= 1
        if build.ended_at is not None:
            self._ended[build.key] = build
            self._compare(build)
            for one in self._lists.values():
                if not one.is_tried and any(self._may_tell_about(one, [build])):
                    one.is_tried, one.next_at = True, self._now()
            self._wake()

    async def poll(self, job_id: str, build_number: int, ask: Ask[Record]) -> Record:
        """Carry out a poll of a build, sooner or later than it says, if a list has said something about the build."""
        build = self._builds[job_id, build_number]
        if build.told is _Told.ENDED and not build.is_hurried:
            build.is_hurried = True
            ask.not_before, ask.priority = self._now(), Priority.NEXT
        elif build.own_poll_at is not None and ask.priority is Priority.POLL and not self._is_last_look:
            ask.not_before = max(ask.not_before, build.own_poll_at)
        build.asks.add(ask)
        try:
            return await ask
        finally:
            build.asks.discard(ask)

    def next_poll(self, job_id: str, build_number: int) -> float:
        """Return the instant of the poll of a build that waits; infinity if none does."""
        build = self._builds.get((job_id, build_number))
        return min((ask.not_before for ask in self._waiting(build)), default=math.inf) if build else math.inf

    def move_poll(self, job_id: str, build_number: int, at: float) -> None:
        """Move the poll of a build that waits to the instant `at`: something else than a list has told about it."""
        build = self._builds.get((job_id, build_number))
        if build is not None and not self._is_last_look:
            self._move(build, at)

    def note(self, record: Record, state: RecordState) -> None:
        """Compare a record with what a list said, and learn the project of its job."""
        if self._is_refused:
            self._is_refused = False
            self._wake()
        build = self._builds.get((record.job_id, record.build_number))
        if build is None:
            return
        build.polled_at = self._now()
        build.daily_number = record.daily_number or build.daily_number
        if (project := record.project_id) is not None and build.project_id is None:
            build.project_id = project
            read = partial(_jobs_of, self._service, project)
            self._lists.setdefault(project, _List(f"project {project}", read, project))
            self._wake()
        if build.own_poll_at is not None:
            build.own_poll_at = self._now() + self._sweep() * vary(self._chance(), 0.1)
        if state.ended:
            build.ended_at = record.finished_at or self._service.now()
        elif build.is_hurried and not build.is_denied and build.source is not None:
            build.is_denied = True
            self._rate(build.source, was_right=False)

    # When a list is read.

    async def run(self) -> None:
        """Read lists, round after round, for as long as the wait lasts."""
        while True:
            worth = [one for one in self._lists.values() if self._is_worth_reading(one)]
            self._leave(build for build in self._builds.values() if build.source not in worth)
            next_one = min(worth, key=lambda one: one.next_at, default=None)
            at = next_one.next_at if next_one and not self._is_refused else math.inf
            if next_one is None or at > self._now():
                self._pause = Ask(None, at)
                await self._pause
                self._pause = None
            else:
                await self._read_round(next_one)

    async def last_look(self, until: float) -> None:
        """Read once more what lists say of the builds that are polled now, at the deadline."""
        self._is_last_look = True
        for build in self._builds.values():
            build.is_hurried = False
        for one in {build.source for build in self._builds.values() if build.source}:
            if not self._is_refused:
                await self._read_round(one, until)

    def _wake(self) -> None:
        """Choose anew which list to read: something has changed."""
        if self._pause is not None:
            self._queue.move(self._pause, self._now())

    def _is_worth_reading(self, one: _List) -> bool:
        """Tell whether reading a list makes the ends of its builds known earlier than polling them."""
        count = sum(1 for _ in self._may_tell_about(one, self._builds.values()))
        if one.is_given_up or self._most_builds < FEWEST_TARGETS or count < FEWEST_ROWS:
            return False
        if not one.is_believed and any(self._may_tell_about(one, self._ended.values())):
            return True  # to compare it
        if not one.is_believed and not self._is_rate_short():
            return False
        return self._round_seconds(one) <= WORTH * self._usual_interval()

    def _may_tell_about(self, one: _List, builds: Collection[_Build]) -> Iterable[_Build]:
        """Yield those of the builds that may be in a list; the list of a job tells more than that of its project."""
        for build in builds:
            of_job = self._lists.get(build.key[0])
            if one is of_job or (
                build.project_id in (None, one.project_id)
                and one.project_id is not None
                and (of_job is None or of_job.is_given_up or not of_job.is_believed)
            ):
                yield build

    def _is_rate_short(self) -> bool:
        """Tell whether the polls want more than the request rate, so that ends become known late without lists."""
        return self._usual_interval() > self._interval

    def _usual_interval(self) -> float:
        """Return the seconds between two polls of a build without lists."""
        return max(self._interval, len(self._builds) / self._queue.pace.per_second)

    def _list_rate(self) -> float:
        """Return the requests a second that lists may take: no more than they save, and not all of the rate."""
        builds = max(len(self._builds), 1)  # the last one may have ended while a list was being read
        saved = builds / self._interval * (1 - 1 / OWN_INTERVALS)
        return min(LIST_SHARE * self._queue.pace.per_second, saved)

    def _round_seconds(self, one: _List) -> float:
        """Return the seconds from the beginning of one round to that of the next; the lists share their rate."""
        rate = self._list_rate() if one.is_believed else TRIAL_SHARE * self._queue.pace.per_second
        alike = [other for other in self._lists.values() if other.is_believed is one.is_believed]
        return max(SHORTEST_ROUND, one.pages * sum(not other.is_given_up for other in alike) / rate)

    def _sweep(self) -> float:
        """Return the seconds in which every build that is said to run has its own poll once."""
        own_rate = OWN_SHARE * (self._queue.pace.per_second - self._list_rate())
        return max(OWN_INTERVALS * self._interval, len(self._builds) / own_rate)

    # Reading.

    async def _read_round(self, one: _List, until: float = math.inf) -> None:
        """Read the pages of a list and move polls by what they say; answers after the instant `until` are of no use."""
        began, is_search = self._now(), one.rounds % SEARCH_ROUNDS == 0
        one.rounds += 1
        found: set[BuildKey] = set()
        pages, read, is_last = 1, 0, False
        while not is_last and read < MAX_PROJECT_PAGES and (missing := self._missing(one, found)):
            if read >= one.pages and not (is_search and len(found) >= FEWEST_ROWS * (read - TRIAL_PAGES + 1)):
                break
            one.read_at = self._service.now()
            (result,) = await together([Ask(partial(one.read, read), self._now(), Priority.LIST, until)])
            if isinstance(result.error, ServiceError):
                self._note_error(one, result.error)
                return
            page: _Page = result.value
            read += 1
            here = [build for build in missing if build.key[0] in page.rows]
            for build in here:
                self._take_row(one, build, _told(page.rows[build.key[0]], build))
            found.update(build.key for build in here)
            pages, is_last = read if here else pages, page.is_last
        missing = self._missing(one, found)
        self._leave(build for build in missing if build.source is one)
        for build in missing:
            self._ended.pop(build.key, None)
        one.errors, one.pages = 0, pages
        one.next_at = max(began + self._round_seconds(one), self._now())
        if len(found) < FEWEST_ROWS:
            self._give_up(one, f"{read} pages tell about {len(found)} targets")

    def _missing(self, one: _List, found: Collection[BuildKey]) -> list[_Build]:
        """Return the builds that may be in a list and were not found there yet."""
        builds = [*self._builds.values(), *self._ended.values()]
        return [build for build in self._may_tell_about(one, builds) if build.key not in found]

    def _take_row(self, one: _List, build: _Build, told: _Told | None) -> None:
        """Move the polls of a build by what the row of a list says about it, and compare that with its record."""
        build.source, build.told = one, told
        if told is _Told.RUNNING:
            build.running_at = one.read_at
            build.is_hurried = build.is_denied = False
            self._put_off(build)
        elif told is _Told.ENDED and not build.is_hurried:
            build.is_hurried = self._move(build, self._now(), Priority.NEXT)
        elif told is not _Told.ENDED:
            self._release(build)
        self._compare(build)

    def _put_off(self, build: _Build) -> None:
        """Put the polls of a build that is said to run off, all such builds over one sweep, if the list is believed."""
        if build.own_poll_at is None and build.source is not None and build.source.is_believed:
            build.own_poll_at = self._now() + self._sweep() * self._chance()
            if not self._is_last_look:
                self._move(build, build.own_poll_at)

    def _release(self, build: _Build) -> None:
        """Poll a build as without lists again, the sooner, the longer ago its last poll was."""
        if build.own_poll_at is not None:
            build.own_poll_at = None
            last = max(build.polled_at, self._now() - self._usual_interval())
            self._move(build, last + self._interval * self._chance())

    def _move(self, build: _Build, at: float, priority: Priority = Priority.POLL) -> bool:
        """Move the polls of a build that wait; return whether there were any."""
        waiting = self._waiting(build)
        for ask in waiting:
            self._queue.move(ask, at, priority)
        return bool(waiting)

    def _waiting(self, build: _Build) -> list[Ask[Record]]:
        """Return the polls of a build that wait and may be moved."""
        return [ask for ask in build.asks if ask in self._queue and ask.priority is Priority.POLL]

    # How a list is checked.

    def _compare(self, build: _Build) -> None:
        """Rate a list by what it says of a build that has ended by its record, unless it may still be in time.

        One that is not believed yet has to say something: if it did not, it would be read for nothing for ever.
        """
        one = build.source
        if build.key not in self._ended or build.ended_at is None or one is None:
            return
        allowed = min(self._usual_interval() / 2, LATE_SECONDS)
        is_late = build.running_at is not None and (build.running_at - build.ended_at).total_seconds() > allowed
        if is_late or build.told is not _Told.RUNNING:
            del self._ended[build.key]
        if is_late or build.told is _Told.ENDED or (build.told is not _Told.RUNNING and not one.is_believed):
            self._rate(one, was_right=build.told is _Told.ENDED and not is_late)

    def _rate(self, one: _List, *, was_right: bool) -> None:
        """Count how often a list was wrong, and believe it, or give it up when it was wrong too often."""
        one.strikes = max(one.strikes + (-1 if was_right else 1), 0)
        if one.strikes >= (MAX_STRIKES if self._is_rate_short() else 1):
            self._give_up(one, "records say otherwise")
        elif was_right and not one.is_believed:
            one.is_believed, one.next_at = True, min(one.next_at, self._now() + SHORTEST_ROUND)
            for build in self._builds.values():
                if build.source is one and build.told is _Told.RUNNING:
                    self._put_off(build)
            self._wake()

    def _note_error(self, one: _List, error: ServiceError) -> None:
        """Learn nothing: the builds are polled as without lists. A list that is refused is not read again."""
        self._is_refused = self._is_refused or isinstance(error, CredentialRefused | Unauthorised)
        self._leave(build for build in self._builds.values() if build.source is one)
        one.errors += 1
        one.next_at = self._now() + ERROR_PAUSE
        if not isinstance(error, TransientError) or one.errors >= MAX_ERRORS:
            self._give_up(one, str(error))

    def _leave(self, builds: Iterable[_Build]) -> None:
        """Poll builds as if no list had told about them."""
        for build in builds:
            build.source = build.told = None
            self._release(build)

    def _give_up(self, one: _List, why: str) -> None:
        """Read a list never again."""
        if not one.is_given_up:
            one.is_given_up = True
            self._debug(f"the list of {one.name} is not read any more: {why}")
            self._leave(build for build in self._builds.values() if build.source is one)


def _jobs_of(service: BuildService, project_id: str, page: int) -> _Page:
    """Read a page of the list of a project's jobs."""
    found = service.project_page(project_id, page)
    rows = {
        row.job_id: [_Row(row.build_number, row.daily_number, judging.has_last_build_ended(row))] for row in found.rows
    }
    return _Page(rows, found.is_last)


def _builds_of(service: BuildService, job_id: str, page: int) -> _Page:
    """Read the newest builds of a job; older ones have ended."""
    rows = []
    for row in service.build_page(job_id, page).rows:
        state = judging.interpret_row(row)
        is_known = state.ended or state.state is not State.UNKNOWN
        rows.append(_Row(row.number, None, state.ended if is_known else None))
    return _Page({job_id: rows}, is_last=True)


def _told(rows: Sequence[_Row], build: _Build) -> _Told | None:
    """Return what the rows of a job say about one of its builds.

    A row that does not name its build tells only one thing: that a job which was building has finished.
    """
    for number, daily_number, has_ended in rows:
        is_named = number is not None or (daily_number is not None and build.daily_number is not None)
        is_same = number == build.key[1] if number is not None else daily_number == build.daily_number
        if (is_named and not is_same) or has_ended is None:
            continue
        if is_named:
            return _Told.ENDED if has_ended else _Told.RUNNING
        if not has_ended:
            return _Told.JOB_RUNNING
        was_building = build.told is _Told.JOB_RUNNING or build.is_hurried or build.ended_at is not None
        return _Told.ENDED if was_building else None
    return None
