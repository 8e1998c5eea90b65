"""Which build is the one that was asked for: one pure function over the evidence.

`choose` returns the build (`Found`), that there is none (`NoneProven`), that neither is known (`NotKnown`), or which
fact would tell more (`MissingFact`). Each criterion answers yes, no or not known (`None`) for a build. A build is found
only if no newer one can be the one that was asked for; that there is none is proven only if every build is known not
to be that one.
"""

from bisect import bisect_right
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

from gate.core.evidence import Evidence, NoAnswer
from gate.core.identity import CLOCK_SKEW, hash_of, is_of_branch, is_of_commit, is_same_commit
from gate.core.verdict import interpret, interpret_row
from gate.durations import spell
from gate.model import BuildPage, ListedBuild, Record, RunningStatus
from gate.value_types import NamedTuple
from gate.vocabulary import NEVER_RAN

RECORD_LAG = 60.0
"""Seconds for which the record of a new build may not be readable (dossier, section 3); a number below a known one that
has none for longer was deleted."""

ODD_ANSWERS, ODD_SECONDS = 3, 30.0
"""How often, and over how many seconds, the service has to answer the number after the newest with the same error until
that is taken for the way in which it says that there is no such build."""

SILENCE = 60.0
"""Seconds for which `running-status` and `/status` may fail until a build is judged without them."""

READS_IN_A_LOOK = 100
"""Records that are read in one look at most; the next look goes on."""

RECENT = 10
"""How many of the newest builds are looked up in their records where no row has what was asked for; in the last look,
all are. Also how many builds below the one to judge are searched for the parent of a newer child."""

MAX_PAGES = 10
"""Pages of the list that are read at most."""

LONGEST_BUILD = timedelta(days=7)
"""How long a build may be under way, for the proof that old ones ended before `--max-age`."""


class Asked(NamedTuple):
    """The build that was asked for: the newest one of which all of these are true."""

    commit: str | None = None
    branch: str | None = None
    since: datetime | None = None
    """The earliest time of creation."""
    age_limit: float | None = None
    """How many seconds ago, counted from the first look, it may have ended; `None`: any time ago."""

    def words(self) -> str:
        """Return what was asked for, to follow "build"; empty where any build will do."""
        parts = [f"commit {self.commit}" if self.commit else "", f"branch {self.branch}" if self.branch else ""]
        created = f" created since {self.since:%Y-%m-%d %H:%M:%S %Z}" if self.since else ""
        named = " and ".join(part for part in parts if part)
        return (f" of {named}" if named else "") + created


class Found(NamedTuple):
    """The build that was asked for."""

    number: int
    warning: str = ""
    """What people should know about how it was found."""


class NoneProven(NamedTuple):
    """There is no such build, and that is proven."""

    sentence: str


class NotKnown(NamedTuple):
    """No build can be judged yet, and it is not proven that there is none."""

    sentence: str
    hint: str = ""
    is_final: bool = False
    """Whether waiting cannot help."""


class MissingFact(NamedTuple):
    """A fact that would tell more: one of these."""

    record: int | None = None
    """The number of a build whose record is to be read."""
    page: int | None = None
    """The index of a page of the list."""
    status: bool = False
    """The answer of `/status`."""


Choice = Found | NoneProven | NotKnown


class _Doubt(Exception):
    """Raised where a choice cannot be made; has its result."""

    def __init__(self, result: NotKnown | MissingFact) -> None:
        super().__init__()
        self.result = result


def choose(evidence: Evidence, asked: Asked, *, is_last: bool = False) -> Choice | MissingFact:
    """Return the build to judge, or why there is none to judge yet, or what has to be asked first.

    `is_last`: whether this is the last look, in which it is worth asking for the proof that there is no such build.
    """
    try:
        return _Choosing(evidence, asked, is_last).choose()
    except _Doubt as doubt:
        return doubt.result


class _Choosing:
    """One choice; every method may raise a `_Doubt`."""

    def __init__(self, evidence: Evidence, asked: Asked, is_last: bool) -> None:
        self._e = evidence
        self._asked = asked
        self._is_last = is_last
        self._highest = evidence.highest
        self._orphans = evidence.orphans()
        self._numbers_with_times, self._earliest_times = self._start_times()
        self._is_end_odd = False
        self._unproven: list[NotKnown] = []
        """What keeps "none" from being proven, but no older build from being judged."""

    def choose(self) -> Choice | MissingFact:
        """Return what `choose` returns."""
        self._check_ambiguity()
        self._check_order()
        self._find_end()
        number = self._newest()
        if number is None:
            return self._no_build(f"the job has no build{self._asked.words() or ' in the last weeks'}", 0)
        self._check_parents(number)
        state = interpret(self._e.records[number])
        if not state.ended:
            self._need_record(number)
        elif not self._is_fresh(number):
            limit = spell(self._asked.age_limit or 0)
            return self._no_build(f"build {number} ended more than {limit} ago (--max-age)", number)
        return Found(number, self._check_activity(has_ended=state.ended))

    # The end of the job's builds.

    def _check_order(self) -> None:
        """Have the whole list read where it is not sorted, as the newest build may be on any page then."""
        if all(map(_is_descending, self._e.pages.values())) or self._need_next_page().is_last:
            return
        raise _Doubt(NotKnown("the list of builds is not sorted, and longer than what is read of it", BY_NUMBER))

    def _find_end(self) -> None:
        """Make sure that the records behind the highest known number say that there is no more."""
        if not self._highest:
            return
        # Where the number of the latest build is not told, one more is tried: the first one may have been deleted.
        is_told = isinstance(self._e.running, RunningStatus) and self._e.running.build_number is not None
        for number in range(self._highest + 1, self._highest + (2 if is_told else 3)):
            self._need_record(number)
            if number in self._e.odd:
                self._is_end_odd = True
                if not self._e.records:  # to see whether any record can be read
                    listed = (number for number in self._e.rows if self._has_ended(number))
                    self._need_record(max(listed, default=self._highest))
                if not self._is_known_oddity(number):
                    raise _Doubt(NotKnown(f"whether there is a build {number} is not known: {self._e.odd[number]}"))

    def _is_known_oddity(self, number: int) -> bool:
        """Tell whether an error for a number is how this service says that there is no such build.

        The list's own count of builds then stands for the end: it must not contradict itself, and have the newest one.
        """
        odd, page = self._e.odd_answer, self._e.pages.get(0)
        return (
            odd is not None
            and odd.error == self._e.odd.get(number)
            and odd.times >= ODD_ANSWERS
            and odd.last - odd.first >= ODD_SECONDS
            and bool(self._e.records)
            and page is not None
            and self._contradiction() == ""
            and max((row.number for row in page.rows), default=0) == self._highest
        )

    # The newest build of which everything that was asked for is true.

    def _newest(self) -> int | None:
        """Return the newest build that is the one that was asked for, apart from its age; `None` if none is."""
        number = self._highest
        while number >= 1:
            if self._is_excluded_by_time(number):
                return None  # and so are all older ones
            if number < self._lowest():
                self._find_start(number)
                return None
            if self._is_beyond_reach(number):
                self._unproven.append(NotKnown(f"builds older than {number + 1} have not been looked up"))
                return None
            if self._is_asked_for(number):
                return number
            number -= 1
        return None

    def _lowest(self) -> int:
        """Return the lowest number that is looked at: that of the oldest known build.

        Where no list shows any build although there is one, the records before the newest one are tried after a while.
        """
        lowest = min((*self._e.rows, *self._e.records), default=1)
        if self._e.rows or not self._highest:
            return lowest
        is_late = self._is_last or self._e.seen[self._highest] + RECORD_LAG <= self._e.now
        return min(lowest, max(self._highest - RECENT, 1)) if is_late else lowest

    def _find_start(self, number: int) -> None:
        """Note if the list does not reach back past every build that can be the one; `number` is the first below it."""
        page = self._need_next_page()
        told = f"the list of builds reaches back to build {number + 1} only"
        has_limit = self._asked.since is not None or self._asked.age_limit is not None
        too_short = NotKnown(told, "" if has_limit else "Say with --since or --max-age how old the build may be.")
        if not self._is_last or not page.is_last or number < min(self._e.rows, default=1) - 1:
            self._unproven.append(too_short)
            return
        self._search_parents()
        self._need_record(number)  # the service keeps no older build if it has none here
        if not self._was_deleted(number):
            self._unproven.append(too_short)

    def _need_next_page(self) -> BuildPage:
        """Have the next page of the list read, if there is one; return the last one."""
        index, page = max(self._e.pages.items(), default=(0, BuildPage()))
        if not page.is_last and index + 1 < MAX_PAGES and not self._repeats(index):
            raise _Doubt(MissingFact(page=index + 1))
        return page

    def _repeats(self, index: int) -> bool:
        """Tell whether a page shows nothing that the pages before it do not: the service ignores its number."""
        before = {row.number for other, page in self._e.pages.items() if other < index for row in page.rows}
        return index > 0 and all(row.number in before for row in self._e.pages[index].rows)

    def _is_beyond_reach(self, number: int) -> bool:
        """Tell whether a build is not looked up in this look: no row has what was asked for, and it is an old one."""
        if self._is_last or number > self._highest - RECENT or None not in self._answers(number)[1:]:
            return False
        return not self._e.is_read(number) and number <= self._oldest_fitting

    @cached_property
    def _oldest_fitting(self) -> int:
        """The lowest number of the known builds that fit, children included."""
        return min((number for number in self._known() if all(self._answers(number)[1:])), default=self._highest)

    def _is_asked_for(self, number: int) -> bool:
        """Tell whether a build is the one that was asked for, apart from its age."""
        if False in self._answers(number):
            return False
        if not self._is_final(number) and not self._was_deleted(number):
            self._need_record(number)
        answers, record = self._answers(number), self._e.records.get(number)
        if record is None:
            if self._was_deleted(number):
                return False
            self._search_parents()
            problem = f"cannot be read: {self._e.odd[number]}" if number in self._e.odd else "has no record yet"
            raise _Doubt(NotKnown(f"build {number} {problem}"))
        if False in answers:
            return False
        if None not in answers:
            return True
        if answers.of_commit is None and interpret(record).word == NEVER_RAN:
            # It did nothing, so an older build may be judged; but it may be of the commit.
            self._unproven.append(NotKnown(f"build {number} never ran, and its commit is not known"))
            return False
        raise _Doubt(NotKnown(f"the {answers.unknown()} of build {number} is not known"))

    def _answers(self, number: int) -> "_Answers":
        """Return what each criterion but the age says of a build."""
        record, row = self._e.records.get(number), self._e.rows.get(number)
        branch = (record and record.branch) or (row and row.branch)
        return _Answers(
            is_own=None if record is None else record.parent_record_id is None,
            of_commit=is_of_commit(self._commit(number), self._asked.commit) if self._asked.commit else True,
            of_branch=is_of_branch(branch or None, self._asked.branch) if self._asked.branch else True,
            is_in_time=self._is_created_since(number, self._asked.since) if self._asked.since else True,
        )

    def _commit(self, number: int) -> str:
        """Return the commit of a build by its record or else its row, the longer one where both agree; or empty."""
        record, row = self._e.records.get(number), self._e.rows.get(number)
        of_record = hash_of(record.commit) if record else ""
        of_row = hash_of(row.commit) if row else ""
        if not of_record or (is_same_commit(of_record, of_row) and len(of_row) > len(of_record)):
            return of_row
        return of_record

    def _is_created_since(self, number: int, since: datetime) -> bool | None:
        """Tell whether a build was created at or after a time; a start before that time is enough to deny it."""
        record = self._e.records.get(number)
        if record is not None and record.created_at is not None:
            return record.created_at >= since
        return False if any(instant < since for instant in self._times(number)) else None

    def _times(self, number: int) -> list[datetime]:
        """Return the times at which a build is known to have existed."""
        record, row = self._e.records.get(number), self._e.rows.get(number)
        times = [record.created_at, record.started_at, record.finished_at] if record else []
        times += [row.started_at, _end_of(row)] if row else []
        return [time for time in times if time is not None]

    def _start_times(self) -> tuple[list[int], list[datetime]]:
        """Return the numbers of known builds, rising, each with the earliest time of a build from there on."""
        numbers: list[int] = []
        times: list[datetime] = []
        for number in sorted({*self._e.rows, *self._e.records}, reverse=True):
            if own := self._times(number):
                numbers.append(number)
                times.append(min([*own, *times[-1:]]))
        return numbers[::-1], times[::-1]

    def _has_newer_before(self, number: int, instant: datetime) -> bool:
        """Tell whether a build of a higher number is older than an instant, so that this one is older, too."""
        index = bisect_right(self._numbers_with_times, number)
        return index < len(self._earliest_times) and self._earliest_times[index] < instant

    def _is_excluded_by_time(self, number: int) -> bool:
        """Tell whether a build and all older ones are too old, because a newer one is."""
        since, clock = self._asked.since, self._e.clock
        if since is not None and self._has_newer_before(number, since - CLOCK_SKEW):
            return True
        if not self._is_last or self._asked.age_limit is None or clock is None:
            return False
        return self._has_newer_before(number, self._fresh_since(clock) - LONGEST_BUILD - CLOCK_SKEW)

    def _is_final(self, number: int) -> bool:
        """Tell whether another reading of a record would tell nothing new of which build it is."""
        record = self._e.records.get(number)
        if record is None or not interpret(record).ended:
            return False
        times = self._times(number)
        return None not in self._answers(number) or bool(times and self._is_settled([max(times)]))

    def _is_settled(self, times: list[datetime]) -> bool:
        """Tell whether one of the times is so long ago that the service has written what it knows by now.

        It is so by the service's clock, or by a later time in its records.
        """
        return self._settled_before is not None and any(time <= self._settled_before for time in times)

    @cached_property
    def _settled_before(self) -> datetime | None:
        """The time before which every record has been written by now; `None` if the time is not known."""
        clock = self._e.clock
        if clock is None:
            return None
        times = [time for number in self._known() for time in self._times(number) if time <= clock + CLOCK_SKEW]
        return max([*times, clock - CLOCK_SKEW]) - timedelta(seconds=RECORD_LAG)

    def _was_deleted(self, number: int) -> bool:
        """Tell whether a number that has no record in this look will never have one.

        A new record is not always readable at once. But this build is older than each of a higher number: one of those
        has to have been there for a while. A parent is waited for as long as one of its children is known.
        """
        at = self._e.now if self._is_known_oddity(number) else self._e.absences.get(number)
        if at is None or self._e.is_known(number) or any(child > number for child in self._orphans):
            return False
        index = bisect_right(self._numbers_with_times, number)
        has_old = self._is_settled(self._earliest_times[index : index + 1])
        return has_old or any(other > number and seen + RECORD_LAG <= at for other, seen in self._e.seen.items())

    def _need_record(self, number: int) -> None:
        """Have the record of a build read, unless it was asked for in this look."""
        if number in self._e.read:
            return
        if len(self._e.read) >= READS_IN_A_LOOK:
            told = f"{READS_IN_A_LOOK} records were read, but the job's builds go on"
            raise _Doubt(NotKnown(told, BY_NUMBER))
        raise _Doubt(MissingFact(record=number))

    def _check_parents(self, number: int) -> None:
        """Doubt a build where a newer child is known but not its parent, which may be newer than the build, too."""
        children = [child for child in self._orphans if child > number]
        if not children:
            return
        self._search_parents()
        raise _Doubt(NotKnown(_unknown_parent(children)))

    def _search_parents(self) -> None:
        """Have the records before a child read whose parent is not known: parents are older than their children."""
        for child in self._orphans:
            for older in range(child - 1, max(child - 1 - RECENT, 0), -1):
                if older not in self._e.records:
                    self._need_record(older)

    def _check_ambiguity(self) -> None:
        """Refuse a shortened hash that fits several commits."""
        if not self._asked.commit:
            return
        commits = {self._commit(number) for number in (*self._e.rows, *self._e.records)}
        fitting = {commit for commit in commits if is_same_commit(commit, self._asked.commit)}
        longest = max(fitting, key=len, default="")
        if not all(is_same_commit(longest, commit) for commit in fitting):
            told = f"--commit {self._asked.commit} fits several commits: {', '.join(sorted(fitting))}"
            raise _Doubt(NotKnown(told, "Give the full hash.", is_final=True))

    # Its age, and what the job does now.

    def _fresh_since(self, clock: datetime) -> datetime:
        """Return the time at or after which a build has to have ended, by the clock that reads `clock` now."""
        return clock - timedelta(seconds=self._e.now - self._e.began + (self._asked.age_limit or 0.0))

    def _is_fresh(self, number: int) -> bool:
        """Tell whether a build that has ended did so recently enough, by the service's clock.

        Its end is not known, but certainly not before its creation. An end in the future shows that the clocks
        contradict each other. Where this machine's clock differs much, an old build has to be old by both.
        """
        record, clock = self._e.records[number], self._e.clock
        if self._asked.age_limit is None:
            return True
        end = _end_of(record)
        known = (record.created_at, record.queued_at, record.started_at)
        earliest = end or max((time for time in known if time), default=None)
        doubt = _Doubt(NotKnown(f"when build {number} ended is not known"))
        if clock is None or earliest is None:
            raise doubt
        if earliest > clock + CLOCK_SKEW:
            raise _Doubt(NotKnown(f"build {number} ended in the future, by the service's clock"))
        if earliest >= self._fresh_since(clock):
            return True
        if end is None:
            raise doubt
        local = self._e.local_clock or clock
        if abs(local - clock) > CLOCK_SKEW and self._fresh_since(local) <= end <= local + CLOCK_SKEW:
            told = f"whether build {number} ended long ago is not known: this machine's clock contradicts the service's"
            raise _Doubt(NotKnown(told, "Correct this machine's clock."))
        return False

    def _check_activity(self, *, has_ended: bool) -> str:
        """Doubt a build where the job is said to run or to be queued, and no known build explains that.

        Returns a warning, or nothing. A build that runs itself explains that the job runs, but not a queued one.
        """
        e, is_active = self._e, self._e.is_active()
        if silence := self._silence(e.running):
            raise _Doubt(NotKnown(f"whether the job has a newer build is not known: {silence}"))
        warnings = [self._odd_warning()] if self._is_end_odd else []
        if has_ended:
            if e.status is None:
                raise _Doubt(MissingFact(status=True))
            if is_active is None and (silence := self._silence(e.status)):
                raise _Doubt(NotKnown(f"whether the job runs is not known: {silence}"))
            is_disputed = is_active is False and e.disputed_since is not None and e.now - e.disputed_since >= SILENCE
            if is_disputed:
                warnings.append("/status says that the job runs, running-status that it does not; the latter counts")
            elif (is_active or e.status is True) and not self._some_build_runs():
                said = "running or queued" if is_active else "running"
                raise _Doubt(NotKnown(f"the job is {said}, but its newest known build, {self._highest}, has ended"))
        return "; ".join(warnings)

    def _odd_warning(self) -> str:
        error = self._e.odd_answer.error if self._e.odd_answer else ""
        return (
            f"the service answers with an error for a build that does not exist ({error}); "
            f"build {self._highest}, the newest of the list, is taken for the newest one"
        )

    def _silence(self, answer: object) -> str:
        """Return why an answer is missing that may still come; empty otherwise."""
        if not isinstance(answer, NoAnswer) or answer.is_refused or self._e.now - answer.since >= SILENCE:
            return ""
        return answer.reason

    def _some_build_runs(self) -> bool:
        """Tell whether a build is known to run or to be queued, by a record that was read in this look."""
        unfinished = [number for number in self._known() if not self._has_ended(number)]
        for number in unfinished[:RECENT]:
            self._need_record(number)
        if any(self._e.is_read(number) for number in unfinished):
            return True
        self._need_next_page()
        return False

    def _known(self) -> list[int]:
        """Return the numbers of all builds that have a row or a record, newest first."""
        return sorted({*self._e.rows, *self._e.records}, reverse=True)

    def _has_ended(self, number: int) -> bool:
        """Tell whether a known build has ended, by its record or else its row."""
        record, row = self._e.records.get(number), self._e.rows.get(number)
        if record is not None:
            return interpret(record).ended
        return row is not None and interpret_row(row).ended

    # The proof that there is no such build.

    def _no_build(self, sentence: str, stale: int) -> Choice:
        """Return that there is no such build, if that is proven. `stale`: the newest one, if it is too old."""
        if not self._is_last:
            return NotKnown(sentence)
        if self._unproven:
            found = self._unproven[0]
            return NotKnown(f"{sentence}, but that is not proven: {found.sentence}", found.hint)
        self._search_parents()
        reason = (
            self._contradiction()
            or self._reason_from_end()
            or (_unknown_parent(self._orphans) if self._orphans else "")
            or self._reason_from_activity()
            or self._reason_from_older_builds(stale)
        )
        return NotKnown(f"{sentence}, but that is not proven: {reason}") if reason else NoneProven(sentence)

    def _contradiction(self) -> str:
        """Say how the list contradicts itself or other answers; empty if it does not."""
        pages = self._e.pages
        if 0 not in pages:
            return "the list of builds was not read"
        problems = [page.problem for page in pages.values() if page.problem]
        if problems:
            return f"the list of builds is not complete: {problems[0]}"
        first, is_complete = pages[0], pages[max(pages)].is_last
        shown = len(self._e.rows)
        if first.total is not None and (first.total < len(first.rows) or (is_complete and first.total > shown)):
            return f"the list of builds counts {first.total} and shows {shown}"
        if self._highest and not first.rows:
            return f"the list of builds is empty, but there is build {self._highest}"
        if first.window and self._e.clock and not first.window[0] <= self._e.clock <= first.window[1]:
            return "the list of builds is that of another time"
        return ""

    def _reason_from_end(self) -> str:
        """Say why there may be a newer build than the highest known one."""
        if self._is_end_odd:
            return self._odd_warning()
        if not self._highest:
            self._need_record(1)
            if 1 in self._e.odd:
                return f"whether there is a build 1 is not known: {self._e.odd[1]}"
            running = self._e.running  # may say nothing; and lists were seen to drift to empty
            if not isinstance(running, RunningStatus) or running == RunningStatus():
                return "only the list of builds says that it has no build at all"
        return ""

    def _reason_from_activity(self) -> str:
        """Say why the job may run or be queued."""
        e, is_active = self._e, self._e.is_active()
        if is_active:
            return "the job is running or queued"
        if e.status is None:
            raise _Doubt(MissingFact(status=True))
        if e.status is True:
            return "the job is running"
        if isinstance(e.running, RunningStatus) and is_active is None and e.running != RunningStatus():
            return "running-status does not say that the newest build has finished"
        if isinstance(e.running, NoAnswer) and not e.running.is_refused:
            return f"whether the job is queued is not known: {e.running.reason}"
        if is_active is None and isinstance(e.status, NoAnswer):
            return f"whether the job runs is not known: {e.status.reason}"
        unfinished = [number for number in self._known() if not self._has_ended(number)]
        for number in unfinished[:RECENT]:
            self._need_record(number)
        return f"build {unfinished[0]} has not ended" if unfinished else ""

    def _reason_from_older_builds(self, stale: int) -> str:
        """Say which known build ended later than the newest one that fits, which is too old."""
        if self._e.clock is None:
            return "the time is not known"
        for number in self._known():
            record, row = self._e.records.get(number), self._e.rows.get(number)
            if number >= stale or False in self._answers(number):
                continue
            end = _end_of(record or row)
            if end is not None and end >= self._fresh_since(self._e.clock):
                return f"build {number} ended later"
        return ""


BY_NUMBER = "Name the build by its number: JOB_ID:NUMBER."


class _Answers(NamedTuple):
    """What each criterion but the age says of a build: yes, no, or not known."""

    is_own: bool | None
    """Whether it is no child of a multi-job build."""
    of_commit: bool | None
    of_branch: bool | None
    is_in_time: bool | None

    def unknown(self) -> str:
        """Name the first thing that is not known."""
        names = ("parent", "commit", "branch", "time of creation")
        return next(name for name, answer in zip(names, self, strict=True) if answer is None)


def _end_of(build: Record | ListedBuild | None) -> datetime | None:
    """Return when a build ended, by its own account; `None` if that is not known."""
    if build is None:
        return None
    if isinstance(build, Record) and build.finished_at is not None:
        return build.finished_at
    if build.started_at is None or build.duration_seconds is None:
        return None
    return build.started_at + timedelta(seconds=build.duration_seconds)


def _is_descending(page: BuildPage) -> bool:
    """Tell whether a page is sorted, newest first."""
    return all(one.number > other.number for one, other in pairwise(page.rows))


def _unknown_parent(children: list[int]) -> str:
    return f"the multi-job build that build {max(children)} is a part of is not known yet"
