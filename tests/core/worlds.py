"""Random jobs whose service lags, errs and contradicts itself, and the truth about each: which build is the right one.

Instants are in seconds after the gate's start.
"""

# ruff: noqa: D102 - the methods of the service are those of gate.core.ports.BuildService

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal, Protocol

from gate.errors import (
    Forbidden,
    InvalidAnswer,
    NotFound,
    Refused,
    RouteMissing,
    ServiceError,
    ServiceFailing,
    Throttled,
    Unreachable,
)
from gate.model import BuildPage, ListedBuild, Record, RunningStatus
from gate.settings import Rules
from tests.core.fakes import EPOCH, JOB

COMMIT, OTHER_COMMIT = "2f37dd494927d2c6259417c58e5faeb72bfe7150", "ffe2ee8" + "0" * 33
BRANCH, OTHER_BRANCH = "main", "next"
NEVER_RAN = "SCHEDULE_FAILURE"
START = 1000.0
"""The instant of the gate's start on the clock of the driver."""

MODES = ("newest", "commit", "branch", "since", "commit-branch", "commit-since", "commit-age", "number")

PAGE_SIZE = 6
"""Rows on one page of the model's list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldBuild:
    """A build as it truly is."""

    number: int
    created: float
    starts: float
    checked_out: float
    """The instant from which on the service says its commit."""
    ends: float
    word: str
    commit: str | None
    """`None` if the service never says it."""
    branch: str
    parent: int | None = None
    late: float = 0.0
    """Seconds after its creation from which on its record can be read."""
    says_end: bool = True

    def runs(self, at: float) -> bool:
        """Tell whether the build runs or is queued."""
        return self.created <= at < self.ends


@dataclass(slots=True, kw_only=True)
class World:
    """A job, what its service does wrong, and what the gate is asked for."""

    mode: str
    rules: Rules
    number: int | None
    builds: list[WorldBuild]
    deleted: set[int]
    lag: float
    """Seconds by which lists are late."""
    loses_rows: float = 0.0
    loses_commits: float = 0.0
    drifts: float = 0.0
    empties: float = 0.0
    nulls: float = 0.0
    fails: float = 0.0
    """How probable each of these is, for a row, a list, or a request."""
    hides_losses: bool = False
    """Whether the list's own count leaves out what it lost."""
    absence: type[ServiceError] = NotFound
    """How the service answers for a build that does not exist."""
    has_running: bool = True
    has_status: bool = True
    status_is_result: bool = False
    """Whether `/status` tells how the last build ended, as older pages say."""
    date_ahead: float = 0.0
    """Seconds by which the service's `Date` is ahead of the times in its records."""
    local_ahead: float = 0.0
    """Seconds by which this machine's clock is ahead of the true time."""
    looks: list[float] = field(default_factory=list)
    """The instants at which the list's first page was read."""

    def at(self, number: int) -> WorldBuild:
        """Return a build that is there."""
        return next(build for build in self.builds if build.number == number)

    # The truth.

    def fits(self, build: WorldBuild) -> bool | None:
        """Tell whether a build is the one that was asked for, apart from its age; `None` if nobody can know."""
        rules = self.rules
        if build.parent is not None:
            return False
        if rules.branch and build.branch != rules.branch:
            return False
        if rules.since and instant(build.created) < rules.since:
            return False
        if rules.commit:
            return None if build.commit is None else build.commit.startswith(rules.commit)
        return True

    def is_fresh(self, build: WorldBuild, at: float) -> bool:
        """Tell whether a build runs, or ended recently enough, by the service's own clocks; a second is allowed."""
        limit = self.rules.age_limit
        return limit is None or at < build.ends or build.ends >= self.date_ahead - limit - 1

    def is_knowable(self, build: WorldBuild, at: float) -> bool:
        """Tell whether any answer could show a build at an instant: the last one by its number, others by records."""
        return build.created <= at and (self.has_running or build.created + build.late <= at)

    def is_wrong(self, pinned: int, began: float) -> str:
        """Say what is wrong with judging a build that was found by a look which began then; empty if nothing."""
        build = self.at(pinned)
        if self.number is not None:
            return "" if pinned == self.number else "another number"
        if not self.fits(build):
            return "it does not fit"
        if build.ends < began and not self.is_fresh(build, began):
            return "it is stale"
        for newer in self.builds:
            fits = self.fits(newer)
            may_fit = fits or (fits is None and newer.word != NEVER_RAN)
            if newer.number > pinned and may_fit and self.is_knowable(newer, began):
                return f"build {newer.number} is newer"
        return ""

    def is_skipped_wrongly(self, began: float, ended: float) -> str:
        """Say why it is wrong that there is no build, after a look of that time; empty if it is right."""
        if self.number is not None:
            return "a number was given"
        newest = max((build.number for build in self.builds if self.fits(build) and build.created <= began), default=0)
        for build in self.builds:
            if build.created > began:
                continue
            fits = self.fits(build)
            is_told = fits is not False or (self.has_status and not self.status_is_result and build.starts < began)
            if build.ends > ended + 1 and is_told:
                return f"build {build.number} runs"
            if (build.number == newest or fits is None) and self.is_fresh(build, ended):
                return f"build {build.number} may be the one"
        return ""

    def must_be_found(self, ended: float) -> bool:
        """Tell whether the right build was there for some minutes, and nothing keeps it from being known."""
        if self.number is not None:
            return any(b.number == self.number and b.created + b.late < ended - 120 for b in self.builds)
        is_blind = not self.has_running and (self.status_is_result or not self.has_status)
        is_blind = is_blind or (self.lag > 100 and self.fails > 0)  # old builds are tried once, in the last look
        is_odd = self.absence is not NotFound and (self.lag > 0 or self.drifts or self.loses_rows or self.nulls)
        if is_blind or is_odd or self.fails > 0.25 or self.empties > 0.5 or self.drifts > 0.5:
            return False
        if any(build.parent in self.deleted for build in self.builds):
            return False
        if self.loses_rows and self._right(ended) <= max((b.number for b in self.builds), default=0) - PAGE_SIZE:
            return False  # further pages are read only twice
        older = [build for build in self.builds if build.number < self._right(ended)]
        if (self.loses_rows or self.empties) and any(build.runs(ended) for build in older):
            return False  # nothing may show why the job runs
        ages = [at for at in (ended - 150, ended - 75, ended) if at > 0]
        return len(ages) == 3 and all(self._right(at) == self._right(ended) != 0 for at in ages)

    def _right(self, at: float) -> int:
        """Return the number of the build that is to be judged at an instant; 0 if there is none, or nobody can know."""
        there = sorted((b for b in self.builds if b.created + b.late <= at), key=lambda build: -build.number)
        for build in there:
            if self.rules.commit and at < build.checked_out and self.fits(replace(build, commit=COMMIT)):
                return 0
            fits = self.fits(build)
            if fits is None and build.word == NEVER_RAN and at >= build.ends:
                continue
            if fits is None:
                return 0
            if fits:
                is_end_known = build.says_end or self.rules.age_limit is None or at < build.ends
                return build.number if self.is_fresh(build, at) and is_end_known else 0
        return 0

    def must_be_skipped(self, ended: float) -> bool:
        """Tell whether nothing is wrong with the service, there is no build, and none could be hidden."""
        is_honest = self.absence is NotFound and not (self.fails or self.drifts or self.empties or self.loses_rows)
        is_honest = is_honest and not self.nulls and not self.loses_commits and not self.status_is_result
        is_honest = is_honest and (self.has_running or self.has_status) and abs(self.local_ahead) < 600
        if self.number is not None or not is_honest or self.deleted or self.is_skipped_wrongly(ended, ended):
            return False
        is_dated = self.rules.age_limit is None or all(build.says_end for build in self.builds)
        is_quiet = all(build.ends + self.lag + 60 < ended for build in self.builds)
        is_clear = all(self.fits(build) is not None for build in self.builds)
        newest = max((build for build in self.builds if self.fits(build)), key=lambda b: b.number, default=None)
        others = [b for b in self.builds if newest and b.number < newest.number and self.fits(b) is not False]
        no_later = not any(self.is_fresh(build, ended) for build in others)
        return is_dated and is_quiet and is_clear and no_later


def instant(seconds: float) -> datetime:
    """Return the time of day in records so many seconds after the gate's start."""
    return EPOCH + timedelta(seconds=seconds)


def make(seed: int) -> World:
    """Return a random world."""
    chance = Random(seed)
    mode = chance.choice(MODES)
    has_running = chance.random() < 0.75
    builds = _builds(mode, chance, is_told_late=has_running)
    deleted = {build.number for build in builds if chance.random() < chance.choice([0.0, 0.0, 0.25])}
    if not has_running:  # without the latest number, only one deleted build in a row can be looked past
        deleted = {number for number in deleted if number - 1 not in deleted and number + 1 not in deleted}
    number = chance.choice(builds).number if mode == "number" else None
    world = World(
        mode=mode,
        rules=_rules(mode, chance),
        number=number,
        builds=[build for build in builds if build.number not in deleted],
        deleted=deleted,
        lag=chance.choice([0.0, 0.0, 3.0, 30.0, 1000.0] if has_running else [0.0, 0.0, 3.0, 30.0]),
        has_running=has_running,
        has_status=chance.random() < 0.8,
        status_is_result=chance.random() < 0.1,
    )
    if chance.random() < 0.2:
        world.date_ahead = chance.uniform(-500, 500)
    if chance.random() < 0.2:
        world.local_ahead = chance.uniform(-7200, 7200)
    if chance.random() < 0.7:
        world.loses_rows = chance.choice([0.0, 0.0, 0.3])
        world.loses_commits = chance.choice([0.0, 0.0, 0.5, 1.0])
        world.drifts = chance.choice([0.0, 0.0, 0.3])
        world.empties = chance.choice([0.0, 0.0, 0.2, 1.0])
        world.nulls = chance.choice([0.0, 0.0, 0.0, 0.2])
        world.fails = chance.choice([0.0, 0.1, 0.3])
        world.hides_losses = chance.random() < 0.3
    if chance.random() < 0.1:
        world.absence = chance.choice([Refused, InvalidAnswer, ServiceFailing, Forbidden])
        if not has_running:  # nothing but an honest list tells the end then
            world.lag = world.drifts = world.empties = world.loses_rows = world.fails = 0.0
    return world


def _rules(mode: str, chance: Random) -> Rules:
    """Return rules that ask for a build in the world's mode."""
    commit = chance.choice([COMMIT, COMMIT[:8]]) if mode.startswith("commit") else None
    branch = BRANCH if mode in ("branch", "commit-branch") else None
    since = instant(chance.uniform(-700, 30)) if mode in ("since", "commit-since") else None
    max_age = chance.choice([None, 300.0, 3600.0]) if mode == "newest" else 900.0 if mode == "commit-age" else None
    if_none: Literal["fail", "pass"] = "fail" if mode == "number" else chance.choice(["fail", "pass"])
    return Rules(commit=commit, branch=branch, since=since, max_age=max_age, if_none=if_none, appear_timeout=240.0)


def _builds(mode: str, chance: Random, *, is_told_late: bool) -> list[WorldBuild]:
    """Return builds with rising numbers, some of them children of multi-job builds."""
    count = chance.choice([1, 3, 6, 14])
    span = chance.choice([100.0, 600.0, 3000.0, 40_000.0])
    times = sorted(chance.uniform(-span, chance.choice([0.0, 0.0, 90.0])) for _ in range(count))
    is_rare = chance.random() < 0.5
    """Whether few builds, or none, are of the commit and of the branch."""
    first = chance.choice([1, 1, 40])
    planned: list[tuple[float, int | None]] = []
    for created in times:
        planned.append((created, None))
        if chance.random() < 0.15:
            parent = len(planned) - 1
            planned += [(created + chance.uniform(0.1, 3), parent) for _ in range(chance.randint(1, 3))]
    order = sorted(range(len(planned)), key=lambda index: planned[index][0])
    numbers = {index: first + place for place, index in enumerate(order)}
    builds = []
    for index in order:
        created, parent_index = planned[index]
        starts = created + chance.choice([0.0, 5.0, 40.0])
        ends = starts + chance.choice([1.0, 30.0, 150.0, chance.uniform(1, 2000)])
        word = chance.choice(["SUCCESS", "SUCCESS", "FAILURE", "ABORTED"])
        commit: str | None = COMMIT if chance.random() < (0.1 if is_rare else 0.6) else OTHER_COMMIT
        checked_out = starts + chance.choice([0.0, 10.0, ends - starts + 4])
        if chance.random() < 0.08:
            word, commit, ends = chance.choice([(NEVER_RAN, None, starts + 1), ("FAILURE", None, starts + 2)])
        if mode == "newest" and chance.random() < 0.5:
            ends = min(ends, created + 20)
        builds.append(
            WorldBuild(
                number=numbers[index],
                created=created,
                starts=starts,
                checked_out=checked_out,
                ends=ends,
                word=word,
                commit=commit,
                branch=BRANCH if chance.random() < (0.1 if is_rare else 0.7) else OTHER_BRANCH,
                parent=None if parent_index is None else numbers[parent_index],
                late=chance.choice([0.0, 0.0, 5.0, 40.0]) if is_told_late else 0.0,
                says_end=word != NEVER_RAN or chance.random() < 0.5,
            )
        )
    return builds


class HasClock(Protocol):
    """What carries out the calls, and has the time."""

    clock: float


class WorldService:
    """CodeArts Build in such a world."""

    def __init__(self, world: World, driver: "HasClock", chance: Random) -> None:
        """`driver` has the clock."""
        self.world = world
        self._driver = driver
        self._chance = chance
        self.asked: list[str] = []

    @property
    def _now(self) -> float:
        return self._driver.clock - START

    def now(self) -> datetime:
        return instant(self._now + self.world.date_ahead)

    def local_now(self) -> datetime:
        return instant(self._now + self.world.local_ahead)

    def _begin(self, name: str) -> None:
        """Count a call; it may fail."""
        self.asked.append(name)
        if self._chance.random() < self.world.fails:
            raise self._chance.choice([ServiceFailing, Throttled, Unreachable, InvalidAnswer])("trouble")

    def is_running(self, job_id: str) -> bool | None:
        self._begin("is_running")
        world, now = self.world, self._now
        if not world.has_status:
            raise RouteMissing("404")
        if world.status_is_result:
            ended = [build for build in world.builds if build.ends <= now]
            return bool(ended) and max(ended, key=lambda build: build.ends).word == "SUCCESS"
        return any(build.starts <= now < build.ends for build in world.builds)

    def running_status(self, job_id: str) -> RunningStatus:
        self._begin("running_status")
        world, now = self.world, self._now
        if not world.has_running:
            raise RouteMissing("404")
        latest = max((b for b in world.builds if b.created <= now), key=lambda build: build.number, default=None)
        if latest is None:
            return RunningStatus(is_running=False)
        word = "Finished" if now >= latest.ends else "Running" if now >= latest.starts else "InQueue"
        return RunningStatus(latest.number, word, latest.starts <= now < latest.ends)

    def build_page(self, job_id: str, page: int) -> BuildPage:
        if page == 0:
            self.world.looks.append(self._now)
        self._begin("build_page")
        world, chance = self.world, self._chance
        seen = self._now - world.lag
        if chance.random() < world.drifts:
            seen -= chance.choice([60.0, 400.0, 1e6])
        there = sorted((b for b in world.builds if b.created <= seen), key=lambda build: -build.number)
        total = len(there)
        here = there[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
        shown = [b for b in here if chance.random() >= world.loses_rows]
        problem = ""
        if chance.random() < world.empties:
            shown = []
        elif shown and chance.random() < world.nulls:
            shown.pop(chance.randrange(len(shown)))
            problem = "1 of its rows has no build number"
        if world.hides_losses:
            total -= len(here) - len(shown)
        is_last = (page + 1) * PAGE_SIZE > len(there)
        now = self.now()
        window = (now - timedelta(days=29), now + timedelta(days=1))
        return BuildPage([self._row(b, seen) for b in shown], is_last, total, problem, window)

    def _row(self, build: WorldBuild, seen: float) -> ListedBuild:
        """Return a row of the list as it was at an instant."""
        has_commit = seen >= build.checked_out and self._chance.random() >= self.world.loses_commits
        ended = seen >= build.ends
        return ListedBuild(
            number=build.number,
            commit=build.commit if has_commit else None,
            started_at=instant(build.starts if seen >= build.starts else build.created),
            duration_seconds=build.ends - build.starts if ended and build.says_end else None,
            word=build.word if ended else None,
            run_word="Finished" if ended else "Running" if seen >= build.starts else "InQueue",
            branch=build.branch,
        )

    def record(self, job_id: str, build_number: int) -> Record:
        self._begin("record")
        now = self._now
        for build in self.world.builds:
            if build.number == build_number and now >= build.created + build.late:
                ended = now >= build.ends
                has_started = now >= build.starts and build.word != NEVER_RAN
                return Record(
                    job_id=JOB,
                    build_number=build_number,
                    record_id=f"record-{build_number}",
                    word=build.word if ended else "RUNNING" if has_started else "QUEUED",
                    commit=build.commit if now >= build.checked_out else None,
                    branch=build.branch,
                    parent_record_id=None if build.parent is None else f"record-{build.parent}",
                    created_at=instant(build.created),
                    started_at=instant(build.starts) if has_started else None,
                    finished_at=instant(build.ends) if ended and build.says_end else None,
                )
        raise self.world.absence(f"no build {build_number}", status=404 if self.world.absence is Refused else None)
