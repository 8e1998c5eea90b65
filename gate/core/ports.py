"""What the core needs from outside: a service to ask, workers that carry out calls, an observer of the progress."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from gate.model import (
    BuildPage,
    ChildBuild,
    FailedStep,
    LogPiece,
    LogTail,
    Order,
    Progress,
    ProjectPage,
    Record,
    RunningStatus,
    Stage,
    Started,
    Target,
    TargetOutcome,
    UnitTests,
)
from gate.settings import Rules
from gate.value_types import NamedTuple


class CallResult(NamedTuple):
    """The result of the call number `key`: a value, or the error that the call ended in."""

    key: int
    value: Any = None
    error: Exception | None = None


class Interruption(NamedTuple):
    """A signal that ends the wait."""

    signal_number: int


class LogLine(NamedTuple):
    """A line for people from another thread: a warning, or a detail for those who asked for it (`--verbose`)."""

    text: str


Event = CallResult | Interruption | LogLine


class Workers(Protocol):
    """Carries out calls outside of the thread that keeps the deadline, and brings back what happened."""

    def now(self) -> float:
        """Return the instant, in seconds on a clock that never jumps."""

    def submit(self, key: int, call: Callable[[], object]) -> None:
        """Start a call at once; its `CallResult` carries `key`."""

    def next(self, until: float) -> Event | None:
        """Return the next event; `None` when the instant `until` comes first, or earlier for no reason."""


class LineSplitter(Protocol):
    """Makes lines of the consecutive pieces of one growing log: whole ones, in which secrets are masked."""

    def add(self, piece: str) -> Sequence[str]:
        """Return the lines that are complete with the next piece."""

    def end(self) -> Sequence[str]:
        """Return the last line, if it has no end; the next piece starts anew."""


class LogSink(Protocol):
    """The file for the log of one build (`--log-dir`). A new one takes the place of an older one at its path."""

    path: str

    def has_failed(self) -> bool:
        """Tell whether it could not be written, which is told elsewhere."""

    def has_begun(self) -> bool:
        """Tell whether there is a file by now."""

    def write(self, text: str) -> None:
        """Add text, and create the file before the first one. To be called by one worker; raises nothing."""

    def finish(self, missing: str) -> None:
        """End the file, from the same worker; `missing` says what is missing in it, and stands at its end."""

    def abandon(self) -> bool:
        """Refuse whatever is still written; return whether the file was not finished. It never waits."""


class BuildService(Protocol):
    """CodeArts Build as the core sees it. Every method but the clocks may raise a `ServiceError`."""

    def now(self) -> datetime:
        """Return the time of day by the service's clock, as far as it is known."""

    def local_now(self) -> datetime:
        """Return the time of day by this machine's clock."""

    def is_running(self, job_id: str) -> bool | None:
        """Return what `/v3/jobs/{job_id}/status` says; `None` when it says nothing."""

    def running_status(self, job_id: str) -> RunningStatus:
        """Return what `running-status` says of the job's latest build, queued ones included."""

    def build_page(self, job_id: str, page: int) -> BuildPage:
        """Return a page (from 0) of the job's builds of the last weeks, newest first: one request."""

    def record(self, job_id: str, build_number: int) -> Record:
        """Return the record of exactly this build."""

    def stages(self, record_id: str) -> Sequence[Stage]:
        """List the stages of a build in their order."""

    def unit_tests(self, job_id: str, build_number: int) -> UnitTests | None:
        """Return the totals of a build's unit tests; `None` when the service has none."""

    def log_tail(self, record_id: str, lines: int, seconds: float) -> LogTail:
        """Return the last lines of a build's log, as far as it comes within `seconds`."""

    def whole_log(self, record_id: str, lines: int, seconds: float, write: Callable[[str], None]) -> LogTail:
        """Hand the text of a build's log to `write` as it comes; otherwise like `log_tail`."""

    def step_log(self, record_id: str, step: str, lines: int, seconds: float) -> LogTail:
        """Return the last lines of the log of one stage (`Stage.step`); an empty one raises a `ServiceError`."""

    def log_piece(self, job_id: str, build_number: int, offset: int) -> LogPiece:
        """Return what the log of a running build has from `offset` on."""

    def log_lines(self) -> LineSplitter:
        """Return what makes lines of the pieces of one growing log. It asks nothing."""

    def failed_steps(self, job_id: str, build_number: int) -> Sequence[FailedStep]:
        """Return the service's own analysis of a failed build."""

    def child_builds(self, record_id: str) -> Sequence[ChildBuild]:
        """List the builds of which a multi-job build consists; empty for any other build."""

    def project_page(self, project_id: str, page: int) -> ProjectPage:
        """Return a page (from 0) of the jobs of a project, with what is known of their last builds."""

    def jobs_page(self, project_id: str, page: int, search: str) -> ProjectPage:
        """Return the same where a verdict depends on it; with `search`, of the jobs whose name contains that."""

    def start(self, job_id: str, order: Order, may_send: Callable[[], bool]) -> Started:
        """Start a build of a job; the order is sent once.

        `may_send` is asked after sign-in and connect, immediately before the first byte of the order is written.
        Raises `OrderNotSent` when it returns false, `StartLost` when it is unknown whether a build was started, and a
        `TransientError` when none was: the order was not sent, or the service refused to admit it.
        """

    def stop(self, job_id: str, build_number: int, seconds: float) -> bool:
        """Stop exactly this build, each request within `seconds`; return false when it had ended before.

        `TransientError.sent` tells whether the build may have been stopped although there is no usable answer.
        """


class Observer(Protocol):
    """Shows people what happens while it happens."""

    def due(self) -> float:
        """Return the instant at which `tick` should be called next."""

    def say(self, target: Target, text: str, now: float) -> None:
        """Show a change: one sentence."""

    def debug_line(self, text: str) -> None:
        """Show a detail."""

    def tick(self, progress: Sequence[Progress], now: float) -> None:
        """Show the progress of all targets, in their order."""

    def shows_stages(self) -> bool:
        """Tell whether there is a screen that shows the stages of builds."""

    def wants_stages(self, target: Target) -> bool:
        """Tell whether the stages of the target's build are on a screen now, so that they are worth reading."""

    def decided(self, outcome: TargetOutcome) -> None:
        """Show a target's verdict."""

    def explained(self, outcome: TargetOutcome) -> None:
        """Show the end of the log of a target that was shown as decided, as far as it was read since then."""


def _show_nothing(*_: object) -> None:
    """Show people nothing."""


def _show_no_log(_target: Target, _lines: Sequence[str]) -> bool:
    """Show no lines of a log."""
    return False


def _no_link(_job_id: str, _number: int, _project_id: str | None) -> str | None:
    """Return no link."""
    return None


class Context(NamedTuple):
    """What all targets of one run share."""

    rules: Rules
    service: BuildService
    now: Callable[[], float]
    """Return the instant in seconds, on a clock that never jumps."""
    chance: Callable[[], float]
    """Return a random number from 0 to 1."""
    say: Callable[[Target, str], None]
    """Show people one sentence about a target."""
    say_state: Callable[[Target, str], None] | None = None
    """Show people one sentence about the state of a target, which a screen shows anyway; `None`: like `say`."""
    order: Order | None = None
    """What to build, where the gate starts builds."""
    request_timeout: float = 10.0
    """Seconds that one request may take."""
    sent: Callable[[], int] = lambda: 0
    """Return how many requests were sent so far: one call may need several."""
    is_ending: Callable[[], bool] = lambda: False
    """Tell, from any thread, whether a signal has come: nothing is started from then on."""
    has_answered: Callable[[], bool] = lambda: False
    """Tell whether the service has answered a question on which a verdict depends, about any target."""
    show_log: Callable[[Target, Sequence[str]], bool] = _show_no_log
    """Show new lines of the log of a running build (`--follow`); return whether more of them will be shown."""
    log_file: Callable[[Target], LogSink] | None = None
    """Return a new file for the log of a target's build; `None` without `--log-dir`."""
    link: Callable[[str, int, str | None], str | None] = _no_link
    """Return the link to a build of a job, by its number and its project, as far as that is known (`--build-url`)."""
    pinned: Callable[[Target, int, str | None, bool], None] = _show_nothing
    """Hand on the number and the link of the build that is judged from now on, and whether this run started it."""
    resolved: Callable[[Sequence[Target]], None] = _show_nothing
    """Hand on the targets once the jobs that were given by name are known."""
    debug: Callable[[str], None] = _show_nothing
    """Show people who asked for every detail one line."""
