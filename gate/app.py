"""Composition: settings -> service -> wait -> reports -> exit status."""

import contextlib
import gc
import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import quote

from gate.codearts.client import Client
from gate.codearts.connect import connect
from gate.codearts.fallback_routes import Routes
from gate.core import verdict as judging
from gate.core.asks import Ending
from gate.core.ports import Context, Interruption, LogLine
from gate.core.retry import Retrier
from gate.core.wait import Wait
from gate.durations import spell
from gate.errors import GaveUp
from gate.model import Outcome, ProjectRow, Target, Verdict
from gate.platforms.detect import detect, detect_here
from gate.platforms.terminal import Terminal, open_terminal
from gate.publish import NOT_FINISHED, Publisher
from gate.runtime import signals, streams
from gate.runtime.workers import WorkerPool
from gate.settings import Connection, Rules, Settings

DRAIN_AFTER_SIGNAL = 1.0
"""The same as `streams.DRAIN` after a signal: the sender usually sends a stronger one soon."""

STATUS_WARNING = (
    "warning: --verdict status takes the boolean of /v3/jobs/{job_id}/status for the result of a build. Newer pages of "
    "CodeArts Build define it as 'is running', and it is about the job, not about one build: true may mean that "
    "somebody else's build runs now. Use it only where no record routes are published."
)


def wait(settings: Settings, started: float) -> int:
    """Wait for all targets, write the reports, and return the exit code.

    `started`: the instant of the process's start. Raises `UsageProblem` before anything is asked of the service.
    """
    platform = detect(settings.reports.platform, os.environ)
    terminal = open_terminal(settings, started, platform)
    publisher = Publisher(settings, platform, terminal)
    publisher.write_placeholder(settings.targets, NOT_FINISHED, exit_code=5)
    gc.freeze()  # modules are no garbage: looking at them again and again would cost a tenth of a short run
    with contextlib.closing(WorkerPool()) as pool:
        return _carry_out(settings, started, pool, terminal, publisher)


def _carry_out(settings: Settings, started: float, pool: WorkerPool, terminal: Terminal, publisher: Publisher) -> int:
    """Wait, write the reports and let what was printed be read; return the exit code.

    A signal that comes after the verdict changes nothing: the reports have it already, and the last lines follow.
    """
    received: list[int] = []
    debug: Callable[[str], None] = (lambda text: pool.post(LogLine(text))) if settings.reports.verbose else _ignore
    session = connect(settings.connection, debug, lambda text: pool.post(LogLine(f"warning: {text}")))
    routes = Routes(session)
    if settings.rules.verdict_from == "status":
        terminal.line(STATUS_WARNING)
    context = Context(
        rules=settings.rules,
        service=Client(routes),
        order=settings.order,
        now=pool.now,
        chance=random.random,
        say=lambda target, text: terminal.say(target, text, pool.now()),
        say_state=lambda target, text: terminal.say_state(target, text, pool.now()),
        request_timeout=settings.connection.request_timeout,
        sent=session.sent,
        is_ending=lambda: bool(received),
        show_log=lambda target, lines: terminal.log_lines(target, lines, pool.now()),
        log_file=publisher.logs.new_file if publisher.logs else None,
        link=partial(build_link, settings.reports.build_url, settings.region),
        pinned=publisher.note_build,
        resolved=partial(_take_targets, terminal, publisher),
        debug=terminal.debug_line if settings.reports.verbose else _ignore,
    )
    waiting = Wait(settings.targets, context, pool, terminal)
    with interruptions(pool, received), closing_log(terminal), signals.suspension(terminal.leave_screen):
        targets = waiting.run(started + settings.rules.timeout)
        skipped_passes = settings.rules.if_none == "pass"
        verdict = judging.combine([target.verdict for target in targets], skipped_passes=skipped_passes)
        elapsed = pool.now() - started
        outcome = Outcome(
            verdict=verdict,
            exit_code=judging.exit_code(verdict, waiting.signal_number),
            started_at=datetime.now(UTC) - timedelta(seconds=elapsed),
            elapsed_seconds=elapsed,
            api_calls=session.calls,
            targets=targets,
            advice=waiting.final_words,
        )
        seconds = streams.DRAIN if waiting.signal_number is None else DRAIN_AFTER_SIGNAL
        drain_until = min(waiting.end, pool.now() + seconds)
        status = publisher.publish(outcome, drain_until)
        streams.drain(drain_until)
    return status


def read_jobs(
    connection: Connection,
    rules: Rules,
    project: str,
    text: str,
    started: float,
    rows: list[ProjectRow],
    *,
    verbose: bool,
) -> int:
    """Add the jobs of a CodeArts project whose name contains `text` to `rows`; return the exit code.

    Raises the `ServiceError` of the list.
    """
    from gate.core.names import list_jobs

    platform = detect_here()
    terminal = Terminal(started, targets=1, quiet=False, platform=platform)
    received: list[int] = []
    with contextlib.closing(WorkerPool()) as pool:
        debug: Callable[[str], None] = (lambda line: pool.post(LogLine(line))) if verbose else _ignore
        session = connect(connection, debug, lambda line: pool.post(LogLine(f"warning: {line}")))
        context = Context(
            rules=replace(rules, codearts_project=project),
            service=Client(Routes(session)),
            now=pool.now,
            chance=random.random,
            say=lambda _target, line: terminal.line(line),
            request_timeout=connection.request_timeout,
            sent=session.sent,
            is_ending=lambda: bool(received),
        )
        waiting = Wait([], context, pool, terminal)
        with interruptions(pool, received):
            try:
                rows += waiting.ask(list_jobs(text, context, Retrier(context, terminal.line)), started + rules.timeout)
            except Ending as ending:
                if ending.verdict is Verdict.INTERRUPTED:
                    return judging.exit_code(ending.verdict, waiting.signal_number)
                raise GaveUp(f"the list of jobs was not read within {spell(rules.timeout)}") from None
    return 0


@contextlib.contextmanager
def closing_log(terminal: Terminal) -> Iterator[None]:
    """Close the section of a followed log, whatever ends the block."""
    try:
        yield
    finally:
        terminal.close_log()


def build_link(template: str | None, region: str, job_id: str, number: int, project_id: str | None) -> str | None:
    """Return the link to a build by the template of `--build-url`; `None` if it needs a project that is unknown."""
    if not template or ("{project_id}" in template and not project_id):
        return None
    values = {"job_id": job_id, "build_number": str(number), "project_id": project_id or "", "region": region}
    return template.format_map({name: quote(value, safe="") for name, value in values.items()})


@contextlib.contextmanager
def interruptions(pool: WorkerPool, received: list[int]) -> Iterator[None]:
    """Turn signals into events while the block runs, and note their numbers in `received`.

    The number is noted after the event, so that an order that is held back by it is known to be held back by a signal.
    The handler takes no lock: a second signal may come while it runs.
    """

    def handle(number: int, _: object) -> None:
        pool.post(Interruption(number))
        received.append(number)

    former = [(number, signal.signal(number, handle)) for number in signals.handled()]
    former_descriptor = pool.wake_on_signals()
    signals.let_through()
    try:
        yield
    finally:
        signal.set_wakeup_fd(former_descriptor)
        for number, handler in former:
            signal.signal(number, handler)


def _take_targets(terminal: Terminal, publisher: Publisher, targets: Sequence[Target]) -> None:
    """Replace the targets whose jobs were given by name by those with the jobs' ids."""
    terminal.take_targets(targets)
    if publisher.logs is not None:
        publisher.logs.take_targets(targets)


def _ignore(text: str) -> None:
    """Drop a debug line that was not asked for."""
