"""Composition: settings -> service -> wait -> reports -> exit status; the only file that knows everybody."""

import contextlib
import dataclasses
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gate.codearts.client import Client
from gate.codearts.connect import connect
from gate.codearts.fallback_routes import Routes
from gate.core import verdict as judging
from gate.core.ports import Context, DebugLine, Interruption
from gate.core.wait import BUG_HINT, Wait, describe_bug
from gate.errors import ReportFailed
from gate.limits import MAX_CONNECTIONS
from gate.model import Outcome, Target, TargetOutcome, Verdict
from gate.platforms.detect import detect
from gate.platforms.platform import Platform
from gate.platforms.terminal import Terminal
from gate.runtime import streams
from gate.runtime.workers import WorkerPool
from gate.settings import Reports, Settings

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

DRAIN_AFTER_DEADLINE = 3.0
"""Seconds after the deadline until which a slow reader of stdout or stderr is waited for."""

DRAIN_AFTER_SIGNAL = 1.0
"""Seconds for the same after a signal: who has sent it sends a stronger one soon."""

DRAIN_BETWEEN = 5.0
"""Seconds at most for what one stream holds before the other goes on, so that a file for both keeps its order."""

STATING = ("outputs", "next steps")
"""The reports that state the exit code; they are written again if it changes after them."""

STATUS_WARNING = (
    "warning: --verdict status takes the boolean of /v3/jobs/{job_id}/status for the result of a build. Newer pages of "
    "CodeArts Build define it as 'is running', and it is about the job, not about one build: true may mean that "
    "somebody else's build runs now. Use it only where no record routes are published."
)


def wait(settings: Settings, started: float) -> int:
    """Wait for all targets, write the reports, and give the exit code.

    `started`: the instant of the process's start. Raises `UsageProblem` before anything is asked of the service.
    """
    crew, ending = WorkerPool(MAX_CONNECTIONS), threading.Event()
    remark: Callable[[str], None] = (lambda text: crew.post(DebugLine(text))) if settings.reports.verbose else _ignore
    session = connect(settings.connection, remark, lambda text: crew.post(DebugLine(f"warning: {text}")))
    routes = Routes(session)
    platform = detect(settings.reports.platform, os.environ)
    terminal = Terminal(started, targets=len(settings.targets), quiet=settings.reports.quiet, platform=platform)
    if settings.rules.verdict_from == "status":
        terminal.line(STATUS_WARNING)
    context = Context(
        rules=settings.rules,
        service=Client(routes),
        order=settings.order,
        now=crew.now,
        chance=random.random,
        say=lambda target, text: terminal.say(target, text, crew.now()),
        request_timeout=settings.connection.request_timeout,
        is_ending=ending.is_set,
        debug=terminal.remark if settings.reports.verbose else _ignore,
    )
    waiting = Wait(settings.targets, context, crew, terminal)
    with interruptions(crew, ending):
        targets = waiting.run(started + settings.rules.timeout)
        signal_number = waiting.signal_number
        skipped_passes = settings.rules.if_none == "pass"
        verdict = judging.combine([target.verdict for target in targets], skipped_passes=skipped_passes)
        elapsed = crew.now() - started
        outcome = Outcome(
            verdict=verdict,
            exit_code=judging.exit_code(verdict, signal_number),
            started_at=datetime.now(UTC) - timedelta(seconds=elapsed),
            elapsed_seconds=elapsed,
            api_calls=session.calls,
            targets=targets,
        )
        patience = started + settings.rules.timeout + DRAIN_AFTER_DEADLINE
        if signal_number is not None:
            patience = min(patience, crew.now() + DRAIN_AFTER_SIGNAL)
        status = publish(outcome, settings.reports, platform, terminal, patience)
    streams.drain(patience)
    return status


def handled_signals() -> list[signal.Signals]:
    """Return the signals that end the gate: a hang-up does not where the caller has said so (`nohup`)."""
    return [number for number in SIGNALS if number is signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN]


@contextlib.contextmanager
def interruptions(crew: WorkerPool, ending: threading.Event) -> Iterator[None]:
    """Turn signals into events while the block runs; `ending` is set at once, so that nothing is started any more."""

    def handle(received: int, _: object) -> None:
        ending.set()
        crew.post(Interruption(received))

    former = [(number, signal.signal(number, handle)) for number in handled_signals()]
    try:
        yield
    finally:
        for number, handler in former:
            signal.signal(number, handler)


def publish(outcome: Outcome, reports: Reports, platform: Platform, terminal: Terminal, patience: float) -> int:
    """Write the reports, print the result, and return the exit code: never 0 if a report could not be written.

    `patience`: the instant until which slow readers of stdout and stderr are waited for.
    """
    from gate.reports import result

    missing: list[str] = []
    stated: list[tuple[Callable[[Outcome], None], int]] = []
    for name, deliver in deliveries(reports, platform):
        try:
            deliver(outcome)
        except Exception as error:
            missing.append(name)
            terminal.line(f"error: {explain(error)}")
            outcome = dataclasses.replace(outcome, exit_code=outcome.exit_code or 5)
        else:
            stated += [(deliver, outcome.exit_code)] if name in STATING else []
    for deliver, code in stated:
        if code != outcome.exit_code:
            with contextlib.suppress(ReportFailed):
                deliver(outcome)
    streams.drain(min(patience, time.monotonic() + DRAIN_BETWEEN))
    print_result(result.to_json(outcome) + "\n" if reports.json else result.lines(outcome))
    terminal.relay(platform.annotations(outcome))
    streams.drain(min(patience, time.monotonic() + DRAIN_BETWEEN))  # the final line is the last one in a file for both
    advice = "A report is missing, so that this is no pass; see above." if missing else ""
    terminal.finish(outcome, "" if "junit" in missing else str(reports.junit), advice)
    return outcome.exit_code


def explain(error: Exception) -> str:
    """Say why a report is missing, and what to do."""
    if isinstance(error, ReportFailed):
        return f"{error} {error.hint}"
    return f"a report could not be made: {describe_bug(error)}. {BUG_HINT}"


def deliveries(reports: Reports, platform: Platform) -> Iterator[tuple[str, Callable[[Outcome], None]]]:
    """Return what writes each report, by name; those that state the exit code come last, as it may still change."""
    from gate import files
    from gate.reports import junit, result, summary

    yield "junit", lambda outcome: files.write(reports.junit, junit.render(outcome))
    if (path := reports.summary) is not None:
        yield "summary", lambda outcome: files.write(path, summary.render(outcome).encode())
    if (page := platform.summary_path) is not None:
        yield "page", lambda outcome: append(page, summary.render(outcome))
    if (file := reports.outputs) is not None:
        yield "outputs", lambda outcome: files.write(file, result.dotenv(outcome, reports.junit).encode())
    if (steps := platform.outputs_path) is not None:
        yield "next steps", lambda outcome: append(steps, platform.format_outputs(step_outputs(outcome, reports)))


def write_placeholder(
    reports: Reports, targets: Sequence[Target], reason: str, exit_code: int, *, has_junit: bool = True
) -> None:
    """Replace what stands at the report paths by reports of a run that is no pass; what cannot be written is left.

    `exit_code`: 5 before the wait, when the CI system has not been told anything yet; 2 or 5 when the gate ends.
    `has_junit`: whether the path of the JUnit report is known.
    """
    platform = detect(reports.platform, os.environ)
    undetermined = [
        TargetOutcome(
            label=target.label,
            job_id=target.job_id,
            build_number=target.build_number,
            verdict=Verdict.UNDETERMINED,
            reason=reason,
        )
        for target in targets or [Target(label="codearts-gate", job_id="")]
    ]
    outcome = Outcome(
        verdict=Verdict.UNDETERMINED,
        exit_code=exit_code,
        started_at=datetime.now(UTC),
        elapsed_seconds=0.0,
        api_calls=0,
        targets=undetermined,
    )
    for name, deliver in deliveries(reports, platform):
        if name != "page" and (name != "junit" or has_junit):
            with contextlib.suppress(ReportFailed):
                deliver(outcome)


def step_outputs(outcome: Outcome, reports: Reports) -> Mapping[str, str]:
    """Return the values for later steps of the pipeline, the whole result among them."""
    from gate.reports import result

    return result.outputs(outcome, reports.junit) | {"results": result.results(outcome)}


def append(path: Path, text: str) -> None:
    """Append to a file that the CI system reads; raises `ReportFailed`."""
    from gate import files

    try:
        files.append(path, text.encode())
    except OSError as error:
        cause = error.strerror or error
        raise ReportFailed(f"The CI system's file {path} could not be written: {cause}.") from error


def print_result(text: str) -> None:
    """Write to stdout, for machines."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _ignore(text: str) -> None:
    """Take a remark that nobody wants."""
