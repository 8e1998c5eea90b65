"""Lists that tell about many builds in one call: they say which record to read next, and never decide.

The pages of the list of jobs of a CodeArts project (each tells about the last builds of a hundred jobs), and the list
of a job of which several builds are targets, are read round after round. A row that says that a build has ended brings
its poll forward. A row that says that it runs puts its polls off: each such build is polled once in the time in which
the rate that lists leave reaches them all, spread over that time from its first moment on. Any other row changes
nothing. Only the record decides.

Lists were seen to lag, to lose rows and to become empty. So a list puts nothing off before it has proved itself: it has
to tell an end that a record tells, too. Until then it is read rarely. It is given up when it is refused, when it costs
more than it saves, and when records show that it was wrong or late; its builds are then polled as without lists, the
one first that has not been polled for longest.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial

from gate.core import verdict as judging
from gate.core.asks import Ask, Priority, together
from gate.core.ports import BuildService, Context
from gate.core.queue import Queue
from gate.core.schedule import vary
from gate.errors import CredentialRefused, ServiceError, TransientError, Unauthorised
from gate.limits import MAX_PROJECT_PAGES
from gate.model import ListedBuild, ProjectPage, ProjectRow, Record, RecordState, State
from gate.value_types import dataclass

BuildKey = tuple[str, int]
"""A build's job and number."""

FEWEST_TARGETS = 5
"""Builds that have to be polled at a time before a list is read: for fewer it would cost as much as it saves."""

FEWEST_ROWS = 3
"""Builds about which a page must tell to be read again; fewer cost no more calls when they are polled."""

TRIAL_PAGES = 3
"""Pages of a project that are read before what they told is compared with what they cost."""

SHORTEST_ROUND = 2.0
"""Seconds between the beginnings of two rounds of one list, at least."""

WORTH = 0.8
"""A list is read if its round takes at most this share of the time between two polls of a build without lists."""

TRIAL_SHARE = 0.08
"""Share of the request rate that lists take at most before they have proved themselves."""

LIST_SHARE = 0.6
"""Share of the request rate that lists take at most, as they go before polls."""

OWN_SHARE = 0.25
"""Share of the request rate that is meant for polls of builds which a list says are running, at least."""

OWN_SHARE_OF_REST = 0.8
"""The share that they get of what the lists leave, if that is more."""

OWN_INTERVALS = 6.0
"""Steady intervals between two polls of a build that a list says is running, at least."""

SEARCH_PAUSE = 30.0
"""Seconds after which builds about which no page tells are looked for again; each search doubles them."""

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


@dataclass(slots=True, eq=False)
class _List:
    """The list of a project's jobs, or of a job's builds, and how it has proved itself."""

    name: str
    read: Callable[[int], object]
    project_id: str | None = None
    """The project; `None` for the list of a job's builds."""
    pages: list[int] = field(default_factory=list)
    """The pages that told about enough builds."""
    next_at: float = 0.0
    """The instant of the next round."""
    search_at: float = 0.0
    """The instant from which on a round reads all pages, to find builds that no page lists."""
    search_pause: float = SEARCH_PAUSE
    read_at: datetime | None = None
    """The service's time of the present round."""
    sample: "_Build | None" = None
    """A build that has ended by its record; the list has to say so before it puts anything off."""
    is_proven: bool = False
    """Whether the list has told such an end."""
    pages_tried: int = 0
    strikes: int = 0
    errors: int = 0
    is_given_up: bool = False
    builds: "dict[BuildKey, _Build]" = field(default_factory=dict)
    """The builds about which it tells."""


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
    own_poll_at: float = 0.0
    """The instant of its own next poll while a list says that it runs."""
    source: _List | None = None
    page: int = 0
    """The page of `source` that tells about it."""
    told: _Told | None = None
    """What the last row said; `None` if it said nothing about this build."""
    running_at: datetime | None = None
    """The service's time when a row last said that the build runs."""
    is_hurried: bool = False
    """Whether a poll was brought forward because a row said that the build has ended."""
    is_denied: bool = False
    """Whether a record has said since then that the build runs."""
    has_ended: bool = False


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
        else:
            self._builds[key] = _Build(key)
            self._most_builds = max(self._most_builds, len(self._builds))

    def end(self, job_id: str, build_number: int) -> None:
        """Take note that a build is polled no longer."""
        build = self._builds[job_id, build_number]
        build.followers -= 1
        if build.followers == 0:
            self._leave(build)
            del self._builds[build.key]

    async def poll(self, job_id: str, build_number: int, ask: Ask[Record]) -> Record:
        """Carry out a poll of a build, sooner or later than it says, if a list has said something about the build."""
        build = self._builds[job_id, build_number]
        now = self._now()
        if build.told is _Told.ENDED and not build.is_hurried:
            build.is_hurried = True
            ask.not_before, ask.priority = now, Priority.NEXT
        elif self._is_put_off(build) and ask.priority is Priority.POLL and not self._is_last_look:
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

    def _is_put_off(self, build: _Build) -> bool:
        """Tell whether a list that is to be believed says that a build runs."""
        return build.told is _Told.RUNNING and build.source is not None and build.source.is_proven

    def note(self, record: Record, state: RecordState) -> None:
        """Compare a record with what a list said, and learn the project of its job."""
        if self._is_refused:
            self._is_refused = False
            self._wake()
        build = self._builds.get((record.job_id, record.build_number))
        if build is None:
            return
        build.polled_at = self._now()
        build.own_poll_at = self._now() + self._sweep() * vary(self._chance(), 0.1)
        build.daily_number = record.daily_number or build.daily_number
        if build.project_id is None and record.project_id is not None:
            build.project_id = record.project_id
            self._find_lists()
            self._wake()
        source = build.source
        if state.ended:
            build.has_ended = True
            was_hurried = build.is_hurried
            self._leave(build)
            if source is not None and source.is_proven:
                self._rate(source, was_right=not self._was_late(build, record))
            elif source is not None and was_hurried and not source.is_given_up:
                self._believe(source)
                self._wake()
            self._find_lists()
            for one in (self._lists.get(build.project_id or ""), self._lists.get(build.key[0])):
                if one is not None and not one.is_proven and not one.is_given_up:
                    one.sample, one.next_at = build, max(one.next_at, self._now())
                    self._wake()
        elif build.is_hurried and not build.is_denied and source is not None:
            build.is_denied = True
            self._rate(source, was_right=False)

    # Reading.

    async def run(self) -> None:
        """Read lists, round after round, for as long as the wait lasts."""
        while True:
            worth = [one for one in self._lists.values() if self._is_worth_reading(one)]
            for build in [build for one in self._lists.values() if one not in worth for build in one.builds.values()]:
                self._leave(build)
            next_one = min(worth, key=lambda one: one.next_at, default=None)
            at = next_one.next_at if next_one and not self._is_refused else math.inf
            if next_one is None or at > self._now():
                self._pause = Ask(None, at)
                await self._pause
                self._pause = None
            elif next_one.is_proven:
                await self._read_round(next_one)
            else:
                await self._try(next_one)

    async def last_look(self, until: float) -> None:
        """Read once more what lists say of the builds that are polled now, at the deadline."""
        self._is_last_look = True
        for build in self._builds.values():
            build.is_hurried = False
        for one in [one for one in self._lists.values() if one.builds and not self._is_refused]:
            await self._read_pages(one, list(one.pages), until)

    def _wake(self) -> None:
        """Choose anew which list to read: something has changed."""
        if self._pause is not None:
            self._queue.move(self._pause, self._now())

    def _find_lists(self) -> None:
        """Take note of the projects and jobs about whose builds a list may tell."""
        by_job: dict[str, int] = {}
        for build in self._builds.values():
            by_job[build.key[0]] = by_job.get(build.key[0], 0) + 1
            if (project := build.project_id) is not None and project not in self._lists:
                read = partial(self._service.project_page, project)
                self._lists[project] = _List(f"project {project}", read, project)
        for job, count in by_job.items():
            if count >= FEWEST_ROWS and job not in self._lists:
                self._lists[job] = _List(f"job {job}", partial(_builds_of, self._service, job))

    def _is_worth_reading(self, one: _List) -> bool:
        """Tell whether reading a list makes the ends of its builds known earlier than polling them."""
        count = sum(1 for _ in self._may_tell_about(one))
        if one.is_given_up or self._most_builds < FEWEST_TARGETS or count < FEWEST_ROWS:
            return False
        if not one.is_proven and one.sample is not None:
            return True
        if not one.is_proven and not self._is_rate_short():
            return False
        return self._round_seconds(one, max(len(one.pages), 1)) <= WORTH * self._usual_interval()

    def _may_tell_about(self, one: _List) -> Iterable[_Build]:
        """Yield the builds that may be in a list and have not ended."""
        for build in self._builds.values():
            is_here = one.name == f"job {build.key[0]}"
            if one.project_id is not None:
                in_job_list = build.source is not None and build.source.project_id is None
                is_here = build.project_id in (None, one.project_id) and not in_job_list
            if is_here and not build.has_ended:
                yield build

    def _is_rate_short(self) -> bool:
        """Tell whether the polls want more than the request rate, so that ends become known late without lists."""
        return self._usual_interval() > self._interval

    def _usual_interval(self) -> float:
        """Return the seconds between two polls of a build without lists."""
        return max(self._interval, len(self._builds) / self._queue.pace.per_second)

    def _list_rate(self) -> float:
        """Return the requests a second that lists may take: no more than they save, and not all of the rate."""
        saved = len(self._builds) / self._interval * (1 - 1 / OWN_INTERVALS)
        return min(LIST_SHARE * self._queue.pace.per_second, saved)

    def _round_seconds(self, one: _List, pages: int) -> float:
        """Return the seconds from the beginning of one round to that of the next; all lists share the rate."""
        if not one.is_proven:
            tried = sum(not other.is_proven and not other.is_given_up for other in self._lists.values())
            return max(SHORTEST_ROUND, tried / (TRIAL_SHARE * self._queue.pace.per_second))  # one page at a time
        others = sum(max(len(other.pages), 1) for other in self._lists.values() if other is not one and other.builds)
        return max(SHORTEST_ROUND, (pages + others) / self._list_rate())

    def _sweep(self) -> float:
        """Return the seconds in which every build that is said to run has its own poll once."""
        rate = self._queue.pace.per_second
        own_rate = max(OWN_SHARE * rate, OWN_SHARE_OF_REST * (rate - self._list_rate()))
        return max(OWN_INTERVALS * self._interval, len(self._builds) / own_rate)

    async def _try(self, one: _List) -> None:
        """Read a list that has not proved itself; with a sample, it has to say that this build has ended."""
        sample, now = one.sample, self._now()
        one.sample = None
        if one.project_id is not None and (sample is not None or not one.pages):
            await self._search(one, sample)
        else:
            pages = one.pages or [0]
            one.pages_tried += 1
            await self._read_pages(one, [pages[one.pages_tried % len(pages)]], math.inf, sample)
        self._set_next_round(one, now)
        if one.is_proven:
            self._believe(one)
        elif sample is not None and not one.errors:
            self._rate(one, was_right=False)

    def _believe(self, one: _List) -> None:
        """Put the polls of builds off that a list says are running, now that it has proved itself."""
        one.is_proven, one.next_at = True, min(one.next_at, self._now() + SHORTEST_ROUND)
        for build in [build for build in one.builds.values() if build.told is _Told.RUNNING]:
            self._put_off(build)

    async def _read_round(self, one: _List) -> None:
        """Read the pages that tell about builds; from time to time all of them, to find those that no page lists."""
        now = self._now()
        is_search = now >= one.search_at and any(build.source is None for build in self._may_tell_about(one))
        if is_search and one.project_id is not None:
            await self._search(one)
        else:
            await self._read_pages(one, list(one.pages) or [0], math.inf)
        self._set_next_round(one, now)
        if not one.errors and not one.builds and one.search_at > self._now():
            one.next_at = one.search_at  # it tells about nothing

    def _set_next_round(self, one: _List, began: float) -> None:
        if one.errors:
            one.next_at = self._now() + ERROR_PAUSE
        else:
            one.next_at = max(began + self._round_seconds(one, max(len(one.pages), 1)), self._now())

    async def _search(self, one: _List, sample: _Build | None = None) -> None:
        """Read a project's pages from the first one on, while they tell about enough builds that were missing.

        `sample`: a build that has ended, see `_try`.
        """
        read, found = 0, 0
        is_last = False
        while not is_last:
            page = await self._read_pages(one, [read], math.inf, sample)
            if page is None:
                return
            jobs = {row.job_id for row in page.rows}
            read, found = read + 1, found + sum(build.key[0] in jobs for build in self._may_tell_about(one))
            pays = found >= FEWEST_ROWS * (read - TRIAL_PAGES + 1)
            missing = any(build.source is None for build in self._may_tell_about(one))
            is_last = page.is_last or read >= MAX_PROJECT_PAGES or not pays or not missing
        one.search_at = self._now() + one.search_pause
        one.search_pause *= 2
        if not one.is_given_up and found < FEWEST_ROWS:
            self._give_up(one, f"{read} pages tell about {found} targets")

    async def _read_pages(
        self, one: _List, pages: Sequence[int], expires: float, sample: _Build | None = None
    ) -> ProjectPage | None:
        """Read pages and move polls by what they say; return the last page of a project, `None` after an error.

        `sample`: a build that has ended, see `_try`.
        """
        answer: ProjectPage | None = None
        for number in pages:
            one.read_at = self._service.now()
            ask = Ask(partial(one.read, number), self._now(), Priority.LIST, expires)
            (result,) = await together([ask])
            if isinstance(result.error, ServiceError):
                self._note_error(one, result.error)
                return None
            one.errors = 0
            if isinstance(result.value, ProjectPage):
                answer = result.value
                jobs = {row.job_id: row for row in answer.rows}
                if sample is not None and sample.key[0] in jobs:
                    one.is_proven |= _told_by_project(jobs[sample.key[0]], sample, has_ended=True) is _Told.ENDED
                self._take_rows(one, number, jobs, {})
            else:
                numbers = {row.number: row for row in result.value}
                if sample is not None and sample.key[1] in numbers:
                    one.is_proven |= _told_by_job(numbers[sample.key[1]]) is _Told.ENDED
                self._take_rows(one, number, {}, numbers)
            if one.is_given_up:
                return None
        return answer

    def _take_rows(
        self, one: _List, page: int, jobs: Mapping[str, ProjectRow], numbers: Mapping[int, ListedBuild]
    ) -> None:
        """Move polls by the rows of a page, and remember whether it is worth another reading.

        `jobs`: the rows of a project's list. `numbers`: those of a job's list.
        """
        for build in list(self._may_tell_about(one)):
            job, number = build.key
            told = None
            if job in jobs:
                told = _told_by_project(jobs[job], build)
            elif number in numbers:
                told = _told_by_job(numbers[number])
            if told is not None:
                if build.source is not None and build.source is not one:
                    del build.source.builds[build.key]
                build.source, build.page, one.builds[build.key] = one, page, build
                self._apply(build, told)
            elif build.source is one and build.page == page:
                self._leave(build)
        builds = [build for build in one.builds.values() if build.page == page]
        if len(builds) >= FEWEST_ROWS:
            one.pages = sorted({*one.pages, page})
            return
        one.pages = [other for other in one.pages if other != page]
        for build in builds:
            self._leave(build)

    def _apply(self, build: _Build, told: _Told | None) -> None:
        """Move the polls of a build by what a row says about it."""
        before, build.told = build.told, told
        now = self._now()
        if told is _Told.RUNNING:
            build.running_at = build.source.read_at if build.source else None
            build.is_hurried = build.is_denied = False
            if before is not _Told.RUNNING:
                self._put_off(build)
        elif told is _Told.ENDED and not build.is_hurried:
            build.is_hurried = self._move(build, now, Priority.NEXT)
        elif told in (None, _Told.JOB_RUNNING) and before is _Told.RUNNING:
            self._move(build, max(build.polled_at, now - self._usual_interval()) + self._interval * self._chance())

    def _put_off(self, build: _Build) -> None:
        """Spread the next polls of builds over the time of one sweep, if the list that says that they run is proven."""
        if self._is_put_off(build) and not self._is_last_look:
            build.own_poll_at = self._now() + self._sweep() * self._chance()
            self._move(build, build.own_poll_at)

    def _move(self, build: _Build, at: float, priority: Priority = Priority.POLL) -> bool:
        """Move the polls of a build that wait; return whether there were any."""
        waiting = self._waiting(build)
        for ask in waiting:
            self._queue.move(ask, at, priority)
        return bool(waiting)

    def _waiting(self, build: _Build) -> list[Ask[Record]]:
        """Return the polls of a build that wait and may be moved."""
        return [ask for ask in build.asks if ask in self._queue and ask.priority is Priority.POLL]

    def _note_error(self, one: _List, error: ServiceError) -> None:
        """Learn nothing: the builds are polled as without lists. A list that is refused is not read again."""
        self._is_refused = self._is_refused or isinstance(error, CredentialRefused | Unauthorised)
        for build in list(one.builds.values()):
            self._leave(build)
        one.errors += 1
        if not isinstance(error, TransientError) or one.errors >= MAX_ERRORS:
            self._give_up(one, str(error))

    def _was_late(self, build: _Build, record: Record) -> bool:
        """Tell whether a list still said that a build ran when polls without lists would have seen its end."""
        if build.running_at is None or record.finished_at is None:
            return False
        allowed = min(self._usual_interval() / 2, LATE_SECONDS)
        return build.running_at - record.finished_at > timedelta(seconds=allowed)

    def _rate(self, one: _List, *, was_right: bool) -> None:
        """Count how often a list was wrong, and give it up when it was so too often."""
        one.strikes = max(one.strikes + (-1 if was_right else 1), 0)
        if one.strikes >= (MAX_STRIKES if self._is_rate_short() else 1):
            self._give_up(one, "records say otherwise")

    def _leave(self, build: _Build) -> None:
        """Poll a build as without lists from now on."""
        source, build.source = build.source, None
        if source is not None:
            del source.builds[build.key]
            if not build.has_ended:
                self._apply(build, None)

    def _give_up(self, one: _List, why: str) -> None:
        """Read a list never again."""
        if one.is_given_up:
            return
        one.is_given_up = True
        self._debug(f"the list of {one.name} is not read any more: {why}")
        for build in list(one.builds.values()):
            self._leave(build)
        one.pages.clear()


def _builds_of(service: BuildService, job_id: str, _page: int) -> Sequence[ListedBuild]:
    """Return the newest builds of a job; older ones have ended."""
    return service.build_page(job_id, 0).rows


def _told_by_project(row: ProjectRow, build: _Build, *, has_ended: bool = False) -> _Told | None:
    """Return what a row about a job's last build says about one build of the job.

    A row that does not name its build tells only one thing: that a job which was building has finished. `has_ended`:
    whether the build has ended by its record, so that it was building.
    """
    told = _state_of(row)
    if row.build_number is not None:
        return told if row.build_number == build.key[1] else None
    if row.daily_number is not None and build.daily_number is not None:
        return told if row.daily_number == build.daily_number else None
    if told is _Told.RUNNING:
        return _Told.JOB_RUNNING
    has_just_ended = has_ended or build.told is _Told.JOB_RUNNING or build.is_hurried
    return told if told is _Told.ENDED and has_just_ended else None


def _state_of(row: ProjectRow) -> _Told | None:
    """Return whether a job's last build runs or has ended; `None` if the row contradicts itself or says neither."""
    has_ended = judging.has_last_build_ended(row)
    if has_ended is None:
        return None
    return _Told.ENDED if has_ended else _Told.RUNNING


def _told_by_job(row: ListedBuild) -> _Told | None:
    """Return what a row about a build of a job says."""
    state = judging.interpret(Record(job_id="", build_number=row.number, word=row.word, run_word=row.run_word))
    if state.ended:
        return _Told.ENDED
    return None if state.state is State.UNKNOWN else _Told.RUNNING
