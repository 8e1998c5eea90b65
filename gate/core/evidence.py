"""What is known of a job's builds: every answer that a selection got, and how the answers contradict each other.

Lists of builds were seen to lag, to lose rows and to drift to empty, so every number that was seen in any answer is
remembered, and so is what spoke against an answer.
"""

from dataclasses import field, replace
from datetime import datetime

from gate.model import BuildPage, ListedBuild, Record, RunningStatus
from gate.value_types import NamedTuple, dataclass
from gate.vocabulary import FINISHED, WAITING_WORDS


class Odd(NamedTuple):
    """An error that is the answer for a build nobody knows, since when, and how many times in a row."""

    error: str
    first: float
    last: float
    times: int


class NoAnswer(NamedTuple):
    """Why a question about the job has no answer."""

    reason: str
    since: float
    """The instant of the first of the errors in a row."""
    is_refused: bool = False
    """Whether no answer can be had here: the path is not published, or not for this user."""


@dataclass(slots=True, kw_only=True)
class Evidence:
    """All that is known of one job. Instants are in seconds on a clock that never jumps; times are the service's.

    A *look* reads everything anew that may have changed; what is known for good is kept.
    """

    began: float = 0.0
    """The instant of the first look."""
    now: float = 0.0
    """The instant of the last answer."""
    clock: datetime | None = None
    """The service's time at `now`."""
    local_clock: datetime | None = None
    """This machine's time at `now`."""
    rows: dict[int, ListedBuild] = field(default_factory=dict)
    """The newest row of each listed build, of any look."""
    pages: dict[int, BuildPage] = field(default_factory=dict)
    """The last reading of each page of the list."""
    records: dict[int, Record] = field(default_factory=dict)
    """The last record of each build."""
    read: set[int] = field(default_factory=set)
    """The numbers whose records were asked for in this look, whatever the answer."""
    seen: dict[int, float] = field(default_factory=dict)
    """The instant at which each known number was seen first."""
    absences: dict[int, float] = field(default_factory=dict)
    """The numbers for which the service has no record, with the last instant of that answer."""
    odd: dict[int, str] = field(default_factory=dict)
    """The numbers for which the service has an error instead, in this look."""
    odd_answer: Odd | None = None
    """The error for the number after the newest, as long as it is always the same."""
    running: RunningStatus | NoAnswer | None = None
    """What `running-status` said in this look; `None` if it was not asked."""
    status: bool | NoAnswer | None = None
    """What `/status` said in this look; `None` if it was not asked."""
    disputed_since: float | None = None
    """Since when `/status` says that the job runs, and `running-status` that its newest build has finished."""
    latest_number: int = 0
    """The highest number that `running-status` ever named."""

    def begin_look(self, *, is_last: bool = False) -> None:
        """Forget what may have changed. What a host does not publish is not asked again.

        `is_last`: whether all pages of the list are to be read anew. They also are if they did not show all builds that
        the list counts; else only the first one is read again.
        """
        first = self.pages.get(0, BuildPage())
        if is_last or (first.total or 0) > len(self.rows) or any(page.problem for page in self.pages.values()):
            self.pages.clear()
        self.read.clear()
        self.odd.clear()
        self.running = self.running if isinstance(self.running, NoAnswer) and self.running.is_refused else None
        self.status = self.status if isinstance(self.status, NoAnswer) and self.status.is_refused else None

    def note_page(self, index: int, page: BuildPage) -> None:
        """Take a page of the list. What a row said before is kept where it says nothing now."""
        self.pages[index] = page
        for row in page.rows:
            self.seen.setdefault(row.number, self.now)
            before = self.rows.get(row.number, row)
            self.rows[row.number] = row._replace(
                commit=row.commit or before.commit,
                branch=row.branch or before.branch,
                started_at=row.started_at or before.started_at,
            )

    def note_record(self, record: Record) -> None:
        """Take the record of a build. What it said before is kept where it says nothing now."""
        number = record.build_number
        before = self.records.get(number, record)
        self.records[number] = replace(
            record,
            commit=record.commit or before.commit,
            branch=record.branch or before.branch,
            parent_record_id=record.parent_record_id or before.parent_record_id,
            created_at=record.created_at or before.created_at,
        )
        self.read.add(number)
        self.seen.setdefault(number, self.now)
        self.absences.pop(number, None)

    def note_absence(self, number: int) -> None:
        """Take note that the service has no record of a build."""
        self.absences[number] = self.now
        self.read.add(number)
        if number > self.highest:
            self.odd_answer = None

    def note_odd(self, number: int, error: str) -> None:
        """Take note of an error that may be how this deployment says that there is no such build."""
        self.odd[number] = error
        self.read.add(number)
        if number != self.highest + 1:
            return
        before = self.odd_answer
        if before is None or before.error != error:
            before = Odd(error, self.now, self.now, 0)
        self.odd_answer = before._replace(last=self.now, times=before.times + 1)

    def note_running(self, running: RunningStatus | NoAnswer) -> None:
        """Take the answer of `running-status`, or why there is none."""
        self.running = running
        if isinstance(running, RunningStatus):
            self.latest_number = max(self.latest_number, running.build_number or 0)
            if self.latest_number:
                self.seen.setdefault(self.latest_number, self.now)

    def note_status(self, status: bool | NoAnswer) -> None:
        """Take the answer of `/status`, or why there is none."""
        self.status = status
        is_active = self.is_active()
        if status is False or is_active:
            self.disputed_since = None
        elif status is True and is_active is False and self.disputed_since is None:
            self.disputed_since = self.now

    def is_active(self) -> bool | None:
        """Return whether `running-status` says that the job runs or is queued; `None` when it does not tell."""
        running = self.running
        if not isinstance(running, RunningStatus):
            return None
        if running.is_running is True or (running.run_word or "").lower() in WAITING_WORDS:
            return True
        is_latest = running.build_number in (None, self.highest)
        return False if is_latest and running.is_running is False and running.run_word in (None, FINISHED) else None

    @property
    def highest(self) -> int:
        """The highest number seen in any answer; 0 if none was."""
        return max((*self.rows, *self.records, self.latest_number), default=0)

    def is_known(self, number: int) -> bool:
        """Tell whether any answer showed that there is, or was, a build of this number."""
        return number in self.rows or number in self.records or number == self.latest_number

    def is_read(self, number: int) -> bool:
        """Tell whether the record of a build was read in this look."""
        return number in self.read and number in self.records and number not in self.absences

    def orphans(self) -> list[int]:
        """Return the children of multi-job builds whose parents are not known."""
        ids = {record.record_id for record in self.records.values()}
        return [
            number
            for number, record in self.records.items()
            if record.parent_record_id is not None and record.parent_record_id not in ids
        ]
