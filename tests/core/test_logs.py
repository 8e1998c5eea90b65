"""Logs in virtual time: followed while a build runs, and read when it has ended."""

import heapq
import itertools
import math
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import pytest

from gate.core.asks import Ask, Priority, Result
from gate.core.logs import Follower, WantedLog, read_log, side_end
from gate.core.ports import Context
from gate.errors import CredentialRefused, Forbidden, NotFound, RouteMissing, ServiceError, ServiceFailing, TooSlow
from gate.model import LogPiece, LogTail, Target
from gate.settings import Rules
from tests.core.fakes import HANG, FakeService, FakeWorkers, Late, pinned
from tests.tables import each_row

FAILING = ServiceFailing("HTTP 500, CB.00030004")


class Drive:
    """Drives coroutines as the loop does: each waits for its asks, which are carried out when they are due."""

    def __init__(self, *, full_after: float = math.inf, **scripts: Any) -> None:
        self.workers = FakeWorkers()
        usual: dict[str, Any] = {"log_tail": [LogTail(["the end"], 1)], "step_log": [RouteMissing("no such path")]}
        self.service = FakeService(self.workers, usual | scripts)
        self.said: list[str] = []
        self.shown: list[str] = []
        self.calls: list[Ask[Any]] = []
        self.running: int | None = None
        self.full_after = full_after
        self.files: list[File] = []
        self.target = pinned()
        self.context = Context(
            rules=Rules(poll_interval=10.0),
            service=self.service,
            now=self.workers.now,
            chance=lambda: 0.5,
            say=lambda _target, text: self.said.append(text),
            show_log=self._show,
        )
        self._instants: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    @property
    def now(self) -> float:
        """The instant, from 0."""
        return self.workers.clock - 1000

    def at(self, instant: float, action: Callable[[], None]) -> None:
        """Do something at an instant."""
        heapq.heappush(self._instants, (1000 + instant, next(self._numbers), action))

    def runs(self, number: int | None) -> Callable[[], None]:
        """Return the action that lets a build run; `None` lets it end."""

        def change() -> None:
            self.running = number

        return change

    def start(self, steps: Coroutine[Any, Any, Any]) -> "Task":
        """Begin to carry out a coroutine."""
        task = Task(steps)
        self._advance(task, None)
        return task

    def run(self, seconds: float) -> None:
        """Let time pass until so many seconds after the start."""
        while self._instants and self._instants[0][0] <= 1000 + seconds:
            instant, _, action = heapq.heappop(self._instants)
            self.workers.clock = max(self.workers.clock, instant)
            action()
        self.workers.clock = 1000 + seconds

    def read(self, *, follower: Follower | None = None, until: float = 20.0, **wanted: Any) -> Sequence[str]:
        """Read the log of build 57, which ends now, and return what is shown of its end."""
        build = WantedLog(self.target, 57, "r", **{"tail": 5, **wanted})
        end = self.workers.clock + until
        task = self.start(read_log(build, self.context, follower, lambda: end))
        self.run(self.now + until + 1)
        assert task.is_done
        found: Sequence[str] = task.value
        return found

    def let_log_go_to_files(self, error: str = "") -> None:
        """Write logs to files that are kept."""

        def new_file(_target: Target) -> File:
            self.files.append(File(error))
            return self.files[-1]

        self.context = self.context._replace(log_file=new_file)

    def _show(self, _target: Target, lines: Sequence[str]) -> bool:
        self.shown += lines
        return len(self.shown) < self.full_after

    def _advance(self, task: "Task", results: list[Result] | None) -> None:
        if task.is_closed:
            return
        try:
            asks: Sequence[Ask[Any]] = task.steps.send(results)
        except StopIteration as stop:
            task.is_done, task.value = True, stop.value
            return
        found: dict[Ask[Any], Result] = {}

        def note(ask: Ask[Any], result: Result) -> None:
            if ask not in found:
                found[ask] = result
                if len(found) == len(asks):
                    self._advance(task, [found[one] for one in asks])

        for ask in asks:
            self._carry_out(ask, note)

    def _carry_out(self, ask: Ask[Any], note: Callable[[Ask[Any], Result], None]) -> None:
        begin = max(ask.not_before, self.workers.clock) - 1000

        def begins() -> None:
            call = ask.call
            if call is None:
                note(ask, Result())
                return
            assert ask.priority is Priority.SIDE
            self.calls.append(ask)
            self.workers.submit(len(self.calls), call)
            late = min(ask.expires, self.workers.clock + ask.seconds) - 1000
            if math.isfinite(late):
                self.at(late, lambda: note(ask, Result(error=TooSlow("no answer in time"))))
            while (event := self.workers._events) and event[0][2].key == len(self.calls):  # type: ignore[union-attr]
                instant, _, result = heapq.heappop(event)
                answer = Result(result.value, result.error)  # type: ignore[union-attr]
                self.at(instant - 1000, partial(note, ask, answer))

        self.at(begin, begins)


class Task:
    """A coroutine under way."""

    def __init__(self, steps: Coroutine[Any, Any, Any]) -> None:
        self.steps = steps
        self.is_done = self.is_closed = False
        self.value: Any = None

    def close(self) -> None:
        """End it; an answer that still comes is dropped."""
        self.is_closed = True
        self.steps.close()


class File:
    """A file in memory."""

    def __init__(self, error: str = "") -> None:
        self.path = "logs/app.log"
        self.error = error
        self.text = ""
        self.ended_by: str | None = None

    def has_begun(self) -> bool:
        """See `LogSink`."""
        return bool(self.text)

    def write(self, text: str) -> None:
        """See `LogSink`."""
        self.text += text

    def finish(self, missing: str) -> None:
        """See `LogSink`."""
        self.ended_by = self.ended_by or f"finished {missing}".rstrip()

    def abandon(self) -> bool:
        """See `LogSink`."""
        self.ended_by = self.ended_by or "abandoned"
        return self.ended_by == "abandoned"

    def has_failed(self) -> bool:
        """See `LogSink`."""
        return bool(self.error)


def follow(drive: Drive) -> tuple[Follower, Task]:
    """Begin to follow the target's builds."""
    follower = Follower(drive.target, drive.context)
    follower.begin(57)
    return follower, drive.start(follower.follow(lambda: drive.running))


def piece(text: str, offset: int, *, more: bool = False) -> LogPiece:
    """Return a piece of a log."""
    return LogPiece(text, offset, has_more=more)


def growing(lines: int, page: int = 1000) -> Callable[..., LogPiece]:
    """Return a log of so many numbered lines, of which one answer has a page."""

    def answer(_job: str, _number: int, offset: int) -> LogPiece:
        end = min(offset + page, lines)
        return LogPiece("".join(f"line {line}\n" for line in range(offset, end)), end, has_more=end < lines)

    return answer


# While builds run.


def test_queued_build_is_not_asked_for_its_log() -> None:
    """It has none; its errors would end the following before it begins."""
    drive = Drive(log_piece=[piece("one\n", 4)])
    follow(drive)
    drive.at(100, drive.runs(57))
    drive.run(99)
    assert drive.service.times("log_piece") == []
    drive.run(102)
    assert (drive.shown, len(drive.service.times("log_piece"))) == (["one"], 1)


def test_each_attempt_is_followed_from_its_start() -> None:
    """The log of the first one could not be read, which says nothing about the next."""
    answers: list[Any] = [FAILING, FAILING, FAILING, piece("second\n", 7), piece("", 7)]
    asked: list[int] = []

    def answer(_job: str, number: int, offset: int) -> Any:
        asked.append(number)
        assert offset in (0, 7)
        if isinstance(found := answers.pop(0) if len(answers) > 1 else answers[0], Exception):
            raise found
        return found

    drive = Drive(log_piece=[answer])
    follower, _ = follow(drive)
    drive.at(0, drive.runs(57))
    drive.at(60, drive.runs(None))
    drive.at(70, lambda: follower.begin(58))
    drive.at(80, drive.runs(58))
    drive.run(85)
    assert asked == [57, 57, 57, 58]
    assert drive.shown == ["second"]
    assert len(drive.said) == 1
    assert "no longer followed, which does not change the verdict" in drive.said[0]


@each_row(
    ("error", "times"),
    [(Forbidden("no"), 1), (RouteMissing("no"), 1), (NotFound("422"), 3), (CredentialRefused("401"), 3)],
)
def test_log_that_cannot_be_read_is_given_up_with_one_line(error: ServiceError, times: int) -> None:
    """At once where another request would get the same answer."""
    drive = Drive(log_piece=[error])
    follow(drive)
    drive.at(0, drive.runs(57))
    drive.run(200)
    assert (len(drive.service.times("log_piece")), len(drive.said)) == (times, 1)


def test_only_failures_in_a_row_end_the_following() -> None:
    """An answer between them begins the count anew."""
    drive = Drive(log_piece=[FAILING, FAILING, piece("one\n", 4), FAILING, FAILING, piece("two\n", 8)])
    follow(drive)
    drive.at(0, drive.runs(57))
    drive.run(100)
    assert (drive.shown[:2], drive.said) == (["one", "two"], [])


def test_log_is_read_on_at_once_while_it_has_more() -> None:
    """13 500 lines in pages of 1 000; then once an interval."""
    drive = Drive(log_piece=[growing(13_500)])
    follow(drive)
    drive.at(0, drive.runs(57))
    drive.run(2)
    assert (len(drive.shown), drive.shown[-1]) == (13_500, "line 13499")
    drive.run(32)
    assert len(drive.service.times("log_piece")) == 14 + 3


def test_log_is_not_asked_for_any_more_when_no_more_is_shown() -> None:
    """A megabyte has been shown."""
    drive = Drive(log_piece=[growing(100_000)], full_after=3000)
    follower, task = follow(drive)
    drive.at(0, drive.runs(57))
    drive.run(20)
    assert (len(drive.shown), task.is_done) == (3000, True)
    drive.read(follower=follower)
    assert len(drive.shown) == 3000


def test_request_that_hangs_is_given_up_and_asked_again() -> None:
    """After five seconds; nothing of its answer is used that comes later."""
    drive = Drive(log_piece=[Late(7, piece("late\n", 5)), piece("one\n", 4)])
    follow(drive)
    drive.at(0, drive.runs(57))
    drive.run(30)
    assert drive.shown[0] == "one"
    assert "late" not in drive.shown


def test_gap_in_the_log_is_said_where_it_is() -> None:
    """The service's answer starts behind the place that was asked for."""
    drive = Drive(log_piece=[piece("one\n", 4, more=True), LogPiece("nine\n", 40, has_more=False, is_gap=True)])
    follow(drive)
    drive.at(0, drive.runs(57))
    drive.run(5)
    assert drive.shown == ["one", "[a part of the log is missing here: the service left it out]", "nine"]


def test_log_of_a_build_that_ran_between_two_looks_is_shown() -> None:
    """The gate had seen it before it ended."""
    drive = Drive(log_piece=[piece("one\n", 4)])
    follower, task = follow(drive)
    drive.run(0.5)
    task.close()
    drive.read(follower=follower, tail=0)
    assert drive.shown == ["one"]


# When a build has ended.


def ended(drive: Drive, at: float) -> Follower:
    """Follow a build that runs from the start until `at`, and end as the loop does: whatever is asked is dropped."""
    follower, task = follow(drive)
    drive.at(0, drive.runs(57))
    drive.run(at)
    task.close()
    return follower


def test_last_line_is_shown_without_a_newline() -> None:
    """Of a build that passed, too."""
    drive = Drive(log_piece=[piece("one\nBUILD ", 10), piece("SUCCESS", 17)])
    follower = ended(drive, 5)
    assert drive.shown == ["one"]
    drive.read(follower=follower, tail=0)
    assert drive.shown == ["one", "BUILD SUCCESS"]


def test_answer_that_nobody_waits_for_changes_nothing() -> None:
    """It was under way when the build ended; the same piece is asked for again, and no line is lost or shown twice."""
    half = piece("one\ntw", 6, more=True)
    drive = Drive(log_piece=[half, Late(3, piece("o\n", 8)), piece("o\nlast\n", 13)])
    follower = ended(drive, 2)
    drive.read(follower=follower, tail=0)
    assert drive.shown == ["one", "two", "last"]
    assert [ask.call.args[-1] for ask in drive.calls if hasattr(ask.call, "args")] == [0, 6, 6]  # type: ignore[union-attr]


def test_lines_that_were_not_read_in_time_are_counted_where_they_are_missing() -> None:
    """A page takes 1.5 s, so that most of 13 500 lines are not shown; the end of the log is."""

    def slow(*args: Any) -> Any:
        return Late(1.5, growing(13_500)(*args))

    drive = Drive(log_piece=[slow], log_tail=[LogTail(["line 13498", "line 13499"], 13_500)])
    follower = ended(drive, 5)
    tail = drive.read(follower=follower, tail=2)
    shown = len(drive.shown) - 1
    assert drive.shown[-1] == f"[{13_500 - shown - 2} lines of the log left out here]"
    assert drive.shown[-2] == f"line {shown - 1}"
    assert list(tail) == ["line 13498", "line 13499"]


@pytest.mark.parametrize("trouble", [HANG, FAILING])
def test_rest_of_a_log_that_does_not_come_is_said(trouble: Any) -> None:
    """Of a build that passed, its number of lines is not known; the end waits for it for two seconds at most."""
    drive = Drive(log_piece=[piece("one\n", 4), trouble])
    follower = ended(drive, 5)
    task = drive.start(read_log(WantedLog(drive.target, 57, "r"), drive.context, follower, lambda: 1020.0))
    drive.run(drive.now + 2.1)
    assert task.is_done
    assert drive.shown == ["one", "[the rest of the log did not come in time]"]


def test_log_that_failed_last_is_not_asked_for_its_rest() -> None:
    """Nor waited for."""
    drive = Drive(log_piece=[piece("one\n", 4), HANG])
    follower = ended(drive, 25)
    asked = len(drive.service.times("log_piece"))
    drive.read(follower=follower, tail=0)
    assert len(drive.service.times("log_piece")) == asked
    assert drive.shown == ["one", "[the rest of the log did not come in time]"]


def test_build_that_was_never_followed_has_no_rest() -> None:
    """It had ended before the gate looked."""
    drive = Drive(log_piece=[piece("one\n", 4)])
    assert list(drive.read(follower=Follower(drive.target, drive.context))) == ["the end"]
    assert (drive.shown, drive.service.times("log_piece")) == ([], [])


def test_log_of_the_step_that_failed_is_preferred() -> None:
    """It ends with the error."""
    drive = Drive(step_log=[LogTail(["cannot find symbol"], 900)])
    assert list(drive.read(failed_step="stage3")) == ["cannot find symbol"]
    assert drive.service.times("log_tail") == []


@each_row("step_log", [RouteMissing("no"), FAILING, LogTail(["one"], 1, "broke off"), HANG])
def test_whole_log_is_read_where_that_of_the_step_cannot_be_had(step_log: Any) -> None:
    """Without a word."""
    drive = Drive(step_log=[step_log])
    assert list(drive.read(failed_step="stage3")) == ["the end"]
    assert drive.said == []


def test_step_is_not_asked_for_where_time_is_short_or_its_lines_were_shown() -> None:
    """Its end is not that of the log that was followed."""
    drive = Drive(log_piece=[piece("one\n", 4)])
    drive.read(failed_step="stage3", until=1.0)
    drive.read(failed_step="stage3", follower=ended(drive, 30))
    assert drive.service.times("step_log") == []


def test_log_that_is_not_complete_says_so_behind_its_lines() -> None:
    """What came is shown."""
    drive = Drive(log_tail=[LogTail(["line 1"], 1, "did not come to its end in time, after 2.9 MB")])
    shown = list(drive.read())
    assert shown == ["line 1", "[the log did not come to its end in time, after 2.9 MB; this is not its end]"]


@each_row(
    ("trouble", "tries"),
    [(FAILING, 2), (NotFound("422"), 1), (CredentialRefused("401"), 1), (TooSlow("no"), 1), (HANG, 1)],
)
def test_log_that_cannot_be_read_is_one_line(trouble: Any, tries: int) -> None:
    """What may be answered a moment later is asked for once more."""
    drive = Drive(log_tail=[trouble])
    assert list(drive.read()) == []
    assert (len(drive.service.times("log_tail")), len(drive.said)) == (tries, 1)
    assert "the log could not be read, which does not change the verdict" in drive.said[0]


@each_row("until", [20.0, 5.0, 1.0, 0.4])
def test_log_ends_before_the_time_of_whoever_waits_for_it(until: float) -> None:
    """Its seconds are counted from its start, however long it waits for its turn."""
    given: list[float] = []

    def answer(_record: str, _lines: int, seconds: float) -> LogTail:
        given.append(seconds)
        return LogTail([])

    drive = Drive(log_tail=[answer])
    drive.read(until=until)
    assert until * 0.7 <= given[0] < until
    drive.read(until=until)
    start = drive.workers.clock
    ask = drive.calls[-1]
    drive.workers.clock = start + until
    assert ask.call is not None
    ask.call()
    assert given[-1] == 0.0


def test_side_channels_end_as_late_as_was_promised_at_their_start() -> None:
    """Whenever all verdicts come; in time for the deadline's seconds."""
    deadline, end = 100.0, 102.5
    ends = [side_end(now, deadline, end) for now in range(104)]
    assert (ends[0], ends[40], ends[80], ends[100]) == (20.0, 60.0, 85.0, 102.5)
    assert ends == sorted(ends)
    assert all(until >= now + 5 for now, until in enumerate(ends[:97]))


# The file of a log.


def file_of(drive: Drive, error: str = "") -> File:
    """Let the log go to a file; return that of the last try."""
    drive.let_log_go_to_files(error)
    drive.read(failed_step="stage3")
    return drive.files[-1]


def writing(tail: LogTail, seconds: float = 0.0) -> Callable[..., Any]:
    """Return a log of one line that is written to the file, with its end after so many seconds."""

    def answer(_r: str, _lines: int, _seconds: float, write: Callable[[str], None]) -> Any:
        write("line\n")
        return Late(seconds, tail) if seconds else tail

    return answer


def test_whole_log_is_written_and_its_end_shown() -> None:
    """By one download."""
    drive = Drive(whole_log=[writing(LogTail(["line"], 1))])
    file = file_of(drive)
    assert (file.text, file.ended_by, drive.said) == ("line\n", "finished", [])
    assert drive.service.times("log_tail") == drive.service.times("step_log") == []


def test_file_that_lacks_something_says_so_and_so_does_one_line() -> None:
    """The service did not send all of it."""
    drive = Drive(whole_log=[writing(LogTail(["line"], 1, "broke off (IncompleteRead), after 0.1 MB"))])
    file = file_of(drive)
    assert file.ended_by == "finished broke off (IncompleteRead), after 0.1 MB"
    assert drive.said == ["logs/app.log is not complete: the log broke off (IncompleteRead), after 0.1 MB"]


def test_file_of_a_build_that_has_not_ended_says_so() -> None:
    """The time was up; what it has logged so far is there."""
    drive = Drive(whole_log=[writing(LogTail(["line"], 1))])
    drive.let_log_go_to_files()
    drive.read(has_ended=False)
    assert drive.files[0].ended_by == "finished goes on, as the build had not ended"
    assert drive.said == []


def test_log_that_cannot_be_read_leaves_a_file_that_says_so() -> None:
    """One line for people; the second try has a file of its own."""
    drive = Drive(whole_log=[FAILING])
    file = file_of(drive)
    assert (len(drive.files), file.ended_by) == (2, f"finished could not be read: {FAILING}")
    assert len(drive.said) == 1


def test_nothing_is_written_to_a_file_that_nobody_waits_for() -> None:
    """A disk that hangs: one line, no verdict, and the file stays as it is."""
    drive = Drive(whole_log=[HANG])
    file = file_of(drive)
    assert file.ended_by == "abandoned"
    assert drive.said == ["logs/app.log was not written: the log did not come in time"]


def test_file_that_cannot_be_written_is_told_with_the_reports() -> None:
    """The end of the log is shown all the same."""
    drive = Drive(whole_log=[writing(LogTail(["line"], 1, "broke off"))])
    file_of(drive, error="no space left on device")
    assert drive.said == []


def test_file_is_given_up_when_the_gate_ends() -> None:
    """The coroutine is closed while its call is under way."""
    drive = Drive(whole_log=[HANG])
    drive.let_log_go_to_files()
    task = drive.start(read_log(WantedLog(drive.target, 57, "r"), drive.context, None, lambda: 1020.0))
    drive.run(1)
    task.close()
    assert (drive.files[0].ended_by, len(drive.said)) == ("abandoned", 1)


def test_nothing_is_said_of_a_log_that_was_shown_whole() -> None:
    """No line of it is left out."""
    drive = Drive(log_piece=[growing(20)], log_tail=[LogTail(["line 18", "line 19"], 20)])
    follower = ended(drive, 60)
    drive.read(follower=follower, tail=2)
    assert drive.shown == [f"line {number}" for number in range(20)]
