"""Lists that tell about many builds in one call: they say which record to read next, and never decide.

Where the targets want more polls than the request rate allows, the gate reads lists: the pages of the lists of jobs of
the CodeArts projects (each page tells about the last builds of a hundred jobs), and the list of a job of which several
builds are targets. A build that a list says has ended is polled next. The poll of one that a list says is running is
put off. A row that is missing, that is about another build, or that is not understood says nothing: the build is polled
as without lists. Only the record decides.

Lists were seen to lag, to lose rows and to become empty. So builds that are said to run are polled from time to time
all the same; a list is given up when it is refused, when it tells about too few targets for what it costs, and when
records show too often that it was wrong or late.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial

from gate.core import verdict as judging
from gate.core.fair_queue import LIST_KEY, FairQueue
from gate.core.ports import Ask, CallResult, Context
from gate.core.schedule import Pace, vary
from gate.errors import CredentialRefused, TransientError
from gate.limits import MAX_PROJECT_PAGES
from gate.model import ListedBuild, ProjectPage, ProjectRow, Record, RecordState, State

BuildKey = tuple[str, int]
"""A build's job and number."""

SHORTAGE = 1.5
"""Polls that the targets want, for each one that the request rate allows, from which on lists are read. Where they want
little more than they get, the lag without lists is small, and a list that lags itself would do harm."""

FEWEST_BUILDS = 3
"""Builds about which a list must tell to be read again; fewer cost no more calls when they are polled."""

TRIAL_PAGES = 3
"""Pages of a project that are read before what they told is compared with what they cost."""

SHORTEST_PAUSE = 2.0
"""Seconds between two readings of the same list, at least."""

LIST_SHARE = 0.6
"""Share of the request rate that lists take at most, as they go before most polls."""

OWN_POLL_SHARE = 0.25
"""Share of the request rate that is meant for polls of builds which a list says are running, at least."""

OWN_POLL_MOST = 0.8
"""The share that they get of what the lists leave, if that is more."""

SHORTEST_DELAY = 30.0
"""Seconds for which the poll of a build that a list says is running is put off at least."""

SEARCH_PAUSE = 30.0
"""Seconds after which builds about which no page tells are looked for again; each search doubles them."""

ERROR_PAUSE = 30.0
"""Seconds after which a list is tried again that could not be read."""

MAX_ERRORS = 3
"""Failures in a row after which a list is given up."""

MAX_STRIKES = 3
"""How often, beyond the times that it was right, a list may be wrong or late before it is given up."""

FINAL_WORDS = frozenset({"red", "blue", "timeout", "aborted"})
"""`last_build_status` of a job whose last build has ended."""

BUILDING_WORD = "building"


class _Told(Enum):
    """What a row says about a build."""

    RUNNING = auto()
    ENDED = auto()
    JOB_RUNNING = auto()
    """Some build of the job runs. That says nothing about the target's build, but the end of that build will."""


@dataclass(slots=True, eq=False)
class _ListState:
    """A project or a job, and how its list has proved itself."""

    project_id: str | None = None
    strikes: int = 0
    is_given_up: bool = False
    pages_read: int = 0
    """Pages that the present search has read."""
    builds_found: int = 0
    """Builds whose jobs the present search has found on them, whatever the rows say."""
    search_pause: float = SEARCH_PAUSE
    search_again_at: float = math.inf
    """The instant from which builds that no page lists are looked for again; infinite during a search."""


@dataclass(slots=True, eq=False)
class _Source:
    """What one call reads: a page of a project's jobs, or the list of a job's builds."""

    name: str
    state: _ListState
    call: Callable[[], object]
    page: int | None = None
    """The page of the project's list; `None` for the list of a job's builds."""
    read_at: float = -math.inf
    read_at_service_time: datetime | None = None
    not_before: float = 0.0
    errors: int = 0
    builds: dict[BuildKey, "_PolledBuild"] = field(default_factory=dict)
    """The builds about which it tells."""


@dataclass(slots=True, eq=False)
class _PolledBuild:
    """A build that is polled, and what lists said about it."""

    key: BuildKey
    followers: int = 1
    project_id: str | None = None
    daily_number: str | None = None
    asks: set[int] = field(default_factory=set)
    """The keys of its polls that may wait."""
    source: _Source | None = None
    told: _Told | None = None
    """What the last row said; `None` if it said nothing about this build."""
    running_at: datetime | None = None
    """The service's time when a row last said that the build runs."""
    is_hurried: bool = False
    """Whether a poll was brought forward because a row said that the build has ended."""
    is_denied: bool = False
    """Whether a record has said since then that the build runs."""
    has_ended: bool = False


class ListHints:
    """Reads lists and moves the polls that wait in the queue."""

    def __init__(self, context: Context, queue: FairQueue, pace: Pace) -> None:
        """Nothing is polled yet."""
        self._service = context.service
        self._interval = context.rules.poll_interval
        self._now = context.now
        self._chance = context.chance
        self._debug = context.debug
        self._queue = queue
        self._pace = pace
        self._builds: dict[BuildKey, _PolledBuild] = {}
        self._sources: list[_Source] = []
        self._projects: dict[str, _ListState] = {}
        self._job_lists: dict[str, _ListState] = {}
        self._asked: _Source | None = None
        """The source whose call waits or is under way."""
        self._has_news = False
        """Whether a build or a project has become known since the lists to read were last chosen from."""
        self._is_on = False
        self._is_refused = False
        """Whether the credential was refused at a list since a record was read: a second refusal in a row would end the
        wait for all targets, and lists decide nothing."""

    # Told by the polls.

    def begin(self, job_id: str, build_number: int) -> None:
        """Note that a build is polled from now on."""
        key = (job_id, build_number)
        if key in self._builds:
            self._builds[key].followers += 1
        else:
            self._builds[key] = _PolledBuild(key)
            self._has_news = True

    def end(self, job_id: str, build_number: int) -> None:
        """Note that a build is polled no longer."""
        build = self._builds[job_id, build_number]
        build.followers -= 1
        if build.followers == 0:
            self._leave_source(build)
            del self._builds[build.key]
        if not self._builds and LIST_KEY in self._queue:
            self._queue.remove(LIST_KEY)
            self._asked = None

    def note(self, record: Record, state: RecordState) -> None:
        """Compare a record with what a list said, and learn the project of its job."""
        self._is_refused = False
        build = self._builds.get((record.job_id, record.build_number))
        if build is None:
            return
        build.project_id = record.project_id or build.project_id
        build.daily_number = record.daily_number or build.daily_number
        if build.project_id is not None and build.project_id not in self._projects:
            self._projects[build.project_id] = _ListState(project_id=build.project_id, search_again_at=-math.inf)
            self._has_news = True
        source = build.source
        if state.ended:
            build.has_ended = True
            self._leave_source(build)
            if source is not None:
                self._rate(source.state, was_right=not self._was_late(build, record))
        elif build.is_hurried and not build.is_denied and source is not None:
            build.is_denied = True
            self._rate(source.state, was_right=False)

    def _was_late(self, build: _PolledBuild, record: Record) -> bool:
        """Tell whether a list still said that a build ran when a poll without lists would have seen its end."""
        if build.running_at is None or record.finished_at is None:
            return False
        usual_lag = max(len(self._builds) / self._pace.per_second, self._interval) / 2
        return build.running_at - record.finished_at > timedelta(seconds=usual_lag)

    def _rate(self, state: _ListState, *, was_right: bool) -> None:
        state.strikes = max(state.strikes + (-1 if was_right else 1), 0)
        if state.strikes >= MAX_STRIKES:
            self._give_up(state, "records say otherwise")

    # Asked and told by the loop.

    def schedule(self, key: int, ask: Ask, now: float) -> Ask:
        """Return the ask as it is to wait: sooner or later, if a list has said something about its build."""
        build = self._builds.get(ask.poll_of) if ask.poll_of else None
        if build is None or build.has_ended:
            return ask
        build.asks = {other for other in build.asks if other in self._queue} | {key}
        if build.told is _Told.ENDED and not build.is_hurried:
            build.is_hurried = True
            return ask._replace(not_before=now, is_retry=True)
        if build.told is _Told.RUNNING:
            return ask._replace(not_before=max(now + self._delay(), ask.not_before))
        return ask

    def next_list(self, now: float) -> Ask | None:
        """Return the call that reads the next list, to wait under `LIST_KEY`; `None` if no list is to be read.

        It is `None` too while such a call is under way, or waits and is still the earliest. A call that waits, perhaps
        for a list that could not be read, is replaced by one that is to come earlier.
        """
        if self._asked is not None and not (LIST_KEY in self._queue and self._has_news):
            return None
        if self._is_refused or not self._should_read():
            return None
        self._has_news = False
        self._find_sources(now)
        if not self._sources:
            return None
        source = min(self._sources, key=lambda one: one.not_before)
        if self._asked is not None and source.not_before >= self._asked.not_before:
            return None
        self._queue.remove(LIST_KEY)
        self._asked = source
        return Ask(source.call, max(source.not_before, now))

    def take(self, result: CallResult) -> None:
        """Learn from a list, or from the error in its place."""
        source, self._asked = self._asked, None
        if source is None or source not in self._sources:
            return
        now = self._now()
        source.read_at, source.read_at_service_time = now, self._service.now()
        if result.error is not None:
            self._take_error(source, result.error)
            return
        source.errors = 0
        if isinstance(result.value, ProjectPage):
            self._take_page(source, result.value)
        else:
            self._take_builds(source, result.value)
        source.not_before = now + self._pause(source)

    @property
    def takes_all(self) -> bool:
        """Whether lists need so much of the request rate that nothing optional should be read."""
        return len(self._sources) / SHORTEST_PAUSE > self._pace.per_second

    def _should_read(self) -> bool:
        """Tell whether lists are read: once the targets want too many polls, for as long as lists tell of several."""
        if not self._is_on and self._wanted_rate() > SHORTAGE * self._pace.per_second:
            self._is_on = True
        elif self._is_on and not self._sources:
            self._is_on = self._wanted_rate() > SHORTAGE * self._pace.per_second
        return self._is_on

    def _wanted_rate(self) -> float:
        """Return how many polls a second the builds want."""
        return len(self._builds) / self._interval

    def _find_sources(self, now: float) -> None:
        """Let projects and jobs be listed about whose builds no list tells yet."""
        for project in self._projects.values():
            if not project.is_given_up and now >= project.search_again_at and self._is_worth_search(project):
                project.pages_read = project.builds_found = 0
                project.search_again_at = math.inf
                self._add_page(project, 0)
        for job_id, keys in self._builds_by_job().items():
            if job_id not in self._job_lists and len(keys) >= FEWEST_BUILDS:
                self._job_lists[job_id] = _ListState()
                source = _Source(f"job {job_id}", self._job_lists[job_id], partial(self._service.builds, job_id))
                self._sources.append(source)
                for key in keys:
                    self._assign_source(source, self._builds[key])

    def _builds_by_job(self) -> dict[str, list[BuildKey]]:
        by_job: dict[str, list[BuildKey]] = {}
        for key in self._builds:
            by_job.setdefault(key[0], []).append(key)
        return by_job

    def _is_worth_search(self, project: _ListState) -> bool:
        return sum(1 for _ in self._missing_from(project)) >= FEWEST_BUILDS

    def _missing_from(self, project: _ListState) -> Iterable[_PolledBuild]:
        """Return the builds that may be in the project, and about which no list tells."""
        for build in self._builds.values():
            may_be_here = build.project_id in (None, project.project_id)
            if build.source is None and may_be_here and not build.has_ended:
                yield build

    def _add_page(self, project: _ListState, page: int) -> None:
        assert project.project_id is not None
        known = (source for source in self._sources if source.state is project and source.page == page)
        if (source := next(known, None)) is None:
            call = partial(self._service.project_page, project.project_id, page)
            source = _Source(f"project {project.project_id}, page {page}", project, call, page)
            self._sources.append(source)
        source.not_before = self._now()

    def _pause(self, source: _Source) -> float:
        """Return the seconds between two readings of a list: no more calls than for polls, and not all of the rate."""
        at_most_the_share = len(self._sources) / (LIST_SHARE * self._pace.per_second)
        no_more_than_polls = self._interval / max(len(source.builds), 1)
        return max(SHORTEST_PAUSE, at_most_the_share, no_more_than_polls)

    def _delay(self) -> float:
        """Return for how many seconds the poll of a build that is said to run is put off."""
        rate = self._pace.per_second
        rate_of_lists = sum(1 / self._pause(source) for source in self._sources)
        rate_of_own_polls = max(OWN_POLL_SHARE * rate, OWN_POLL_MOST * (rate - rate_of_lists))
        seconds = max(len(self._builds) / rate_of_own_polls, SHORTEST_DELAY)
        return seconds * vary(self._chance(), 0.5)

    def _take_page(self, source: _Source, page: ProjectPage) -> None:
        """Learn from a page of a project's jobs."""
        rows = {row.job_id: row for row in page.rows}
        told_of: set[BuildKey] = set()
        found = 0
        for key, build in self._builds.items():
            row = rows.get(key[0])
            if row is None or build.has_ended or (build.source is not None and build.source.page is None):
                continue  # in the last case, the list of its job tells about it
            found += 1
            told = _told_by_project(row, build)
            if told is None:
                continue
            told_of.add(key)
            self._assign_source(source, build)
            self._apply_hint(build, told)
        for key in [key for key in source.builds if key not in told_of]:
            self._leave_source(self._builds[key])
        project = source.state
        if math.isinf(project.search_again_at) and source.page == project.pages_read:
            self._go_on_searching(source, found, is_last=page.is_last)
        self._drop_if_useless(source)

    def _go_on_searching(self, source: _Source, found: int, *, is_last: bool) -> None:
        """Read the next page too, if builds are missing and the pages so far told about enough of them."""
        project = source.state
        project.pages_read += 1
        project.builds_found += found
        pays = project.builds_found >= FEWEST_BUILDS * (project.pages_read - TRIAL_PAGES + 1)
        is_last = is_last or project.pages_read >= MAX_PROJECT_PAGES
        if not is_last and pays and self._is_worth_search(project):
            self._add_page(project, project.pages_read)
            return
        project.search_again_at = self._now() + project.search_pause
        project.search_pause *= 2
        if project.builds_found < FEWEST_BUILDS * (1 if is_last else project.pages_read):
            self._give_up(project, f"{project.pages_read} pages tell about {project.builds_found} targets")

    def _take_builds(self, source: _Source, builds: Sequence[ListedBuild]) -> None:
        """Learn from the list of a job's builds."""
        rows = {build.number: build for build in builds}
        for (_, number), build in list(source.builds.items()):
            told = _told_by_job(rows[number]) if number in rows else None
            if told is None:
                self._leave_source(build)
            else:
                self._apply_hint(build, told)
        self._drop_if_useless(source)

    def _take_error(self, source: _Source, error: Exception) -> None:
        """Learn nothing: the builds are polled as without lists. A list that is refused is not read again."""
        self._is_refused = isinstance(error, CredentialRefused)
        for build in source.builds.values():
            self._apply_hint(build, None)
        source.errors += 1
        source.not_before = self._now() + ERROR_PAUSE
        if not isinstance(error, TransientError) or source.errors >= MAX_ERRORS:
            self._give_up(source.state, str(error))

    def _apply_hint(self, build: _PolledBuild, told: _Told | None) -> None:
        """Move the polls of a build by what a row says about it."""
        before, build.told = build.told, told
        now = self._now()
        if told is _Told.RUNNING:
            build.running_at = build.source.read_at_service_time if build.source else None
            build.is_hurried = build.is_denied = False
            if before is not _Told.RUNNING:
                for key in build.asks:
                    self._queue.move(key, now + self._delay(), now)
        elif told is _Told.ENDED and not build.is_hurried:
            for key in build.asks:
                if self._queue.move(key, now, now, is_next=True):
                    build.is_hurried = True
        elif told in (None, _Told.JOB_RUNNING) and before is _Told.RUNNING:
            for key in build.asks:
                self._queue.move(key, now + self._interval * self._chance(), now)

    def _assign_source(self, source: _Source, build: _PolledBuild) -> None:
        if build.source is not source:
            if build.source is not None:
                build.source.builds.pop(build.key, None)
            build.source = source
            source.builds[build.key] = build

    def _leave_source(self, build: _PolledBuild) -> None:
        """Poll a build as without lists from now on."""
        source, build.source = build.source, None
        if source is not None:
            del source.builds[build.key]
            if not build.has_ended:
                self._apply_hint(build, None)

    def _drop_if_useless(self, source: _Source) -> None:
        """Read a list no longer that tells about too few builds."""
        if source in self._sources and len(source.builds) < FEWEST_BUILDS:
            for build in list(source.builds.values()):
                self._leave_source(build)
            self._sources.remove(source)

    def _give_up(self, state: _ListState, why: str) -> None:
        """Read the list of a project or a job never again."""
        if state.is_given_up:
            return
        state.is_given_up = True
        for source in [source for source in self._sources if source.state is state]:
            self._debug(f"the list of {source.name} is not read any more: {why}")
            for build in list(source.builds.values()):
                self._leave_source(build)
            self._sources.remove(source)


def _told_by_project(row: ProjectRow, build: _PolledBuild) -> _Told | None:
    """Return what a row about a job's last build says about one build of the job.

    A row that does not name its build tells only one thing: that a job which was building has finished.
    """
    told = _state_of(row)
    if row.build_number is not None:
        return told if row.build_number == build.key[1] else None
    if row.daily_number is not None and build.daily_number is not None:
        return told if row.daily_number == build.daily_number else None
    if told is _Told.RUNNING:
        return _Told.JOB_RUNNING
    has_just_ended = build.told is _Told.JOB_RUNNING or build.is_hurried
    return told if told is _Told.ENDED and has_just_ended else None


def _state_of(row: ProjectRow) -> _Told | None:
    """Return whether a job's last build runs or has ended; `None` if the row contradicts itself or says neither."""
    word, run_word = (row.word or "").lower(), (row.run_word or "").lower()
    has_ended = row.is_finished is True or run_word == judging.FINISHED.lower() or word in FINAL_WORDS
    is_running = row.is_finished is False or run_word in judging.WAITING_WORDS or word == BUILDING_WORD
    if has_ended == is_running:
        return None
    return _Told.ENDED if has_ended else _Told.RUNNING


def _told_by_job(row: ListedBuild) -> _Told | None:
    """Return what a row about a build of a job says."""
    state = judging.interpret(Record(job_id="", build_number=row.number, word=row.word, run_word=row.run_word))
    if state.ended:
        return _Told.ENDED
    return None if state.state is State.UNKNOWN else _Told.RUNNING
