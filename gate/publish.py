"""The reports of one run: which there are, and writing them before, during and after the wait."""

import contextlib
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gate.core.wait import explain_failure
from gate.errors import ReportFailed, UsageProblem
from gate.model import Outcome, Target, TargetOutcome, Verdict
from gate.platforms.detect import detect
from gate.platforms.platform import Platform
from gate.platforms.shared_files import is_shared
from gate.platforms.terminal import Terminal
from gate.reports import placeholder
from gate.runtime import streams
from gate.settings import Reports, Settings
from gate.value_types import NamedTuple

if TYPE_CHECKING:
    from gate.runtime.log_folder import LogFolder

DRAIN_BETWEEN = 5.0
"""Seconds at most for what one stream holds before the other goes on, so that a file for both keeps its order."""

NOT_FINISHED = "the gate did not finish"
"""The reason in the reports that stand while the gate runs: whatever ends it, they are no pass."""


class Report(NamedTuple):
    """A report of the run: what is in it, where it goes, and when it is written."""

    path: Path
    render: Callable[[Outcome, Path | None], bytes]
    """Return its content; the second argument is the JUnit report that has been written, if there is one."""
    place: str = ""
    """The option or variable that names the file; empty where nobody asked for it: the default, the CI system's."""
    render_early: Callable[[Outcome], bytes] | None = None
    """Return its content before the result is known, where that is made in another way."""
    is_junit: bool = False
    is_appended: bool = False
    """Whether others write to the file too: it is appended to, and its last value for a name counts."""
    is_early: bool = True
    """Whether it is written when the gate starts, so that what a former run has left says nothing."""
    tells_build: bool = False
    """Whether it is written again as soon as the build is known, for later steps."""
    is_final: bool = True
    """Whether it is written at the end; one that is not is removed when the gate starts."""

    def write(self, outcome: Outcome, junit: Path | None) -> None:
        """Write it; raises `ReportFailed`."""
        from gate import files

        content = self.render(outcome, junit)
        if self.is_appended:
            append(self.path, content)
        else:
            files.write(self.path, content)

    def write_early(self, outcome: Outcome, junit: Path | None) -> None:
        """Write it before the result is known, or see whether that will be possible; raises `ReportFailed`.

        What a former run has left is removed where it cannot be replaced. Nothing is written to a pipe, a FIFO or a
        device, whose reader gets one report, the last.
        """
        if self.is_stream():
            return
        if not self.is_final:
            remove_file(self.path)
        elif self.is_early:
            early = self.render_early
            report = self._replace(render=lambda outcome, _: early(outcome)) if early else self
            report.write_or_remove(outcome, junit)
        elif self.is_appended:
            append(self.path, b"")

    def write_or_remove(self, outcome: Outcome, junit: Path | None) -> None:
        """Write it, or else remove what stands at its path, which says something else; raises what went wrong."""
        try:
            self.write(outcome, junit)
        except Exception:
            if not self.is_appended:
                remove_file(self.path)
            raise

    def is_stream(self) -> bool:
        """Tell whether it goes to a pipe, a FIFO or a device."""
        from gate import files

        with contextlib.suppress(OSError):  # of a path that cannot even be looked at
            return files.is_stream(self.path)
        return False


def remove_file(path: Path) -> None:
    """Remove a file if there is one and if it can be removed; of a symbolic link, the file that it leads to.

    A pipe or a folder at the path stays, and so does the file that stdout or stderr goes to.
    """
    from gate import files

    with contextlib.suppress(OSError):
        if path.is_file() and not files.is_own_output(path):
            path.resolve().unlink()


class Publisher:
    """Writes the reports of one run: before it, when its build is known, and at its end."""

    def __init__(self, settings: Settings, platform: Platform, terminal: Terminal) -> None:
        """Nothing is written yet."""
        self._settings = settings
        self._reports = list(reports_of(settings.reports, platform, no_wait=settings.rules.no_wait))
        log_dir = settings.reports.log_dir
        self.logs = _log_folder(log_dir, settings.targets) if log_dir is not None else None
        """The folder for the logs of builds, if they are wanted."""
        self._json = settings.reports.json
        self._platform = platform
        self._terminal = terminal
        self._junit: Path | None = None
        """The JUnit report of this run that has been written."""

    def write_placeholder(self, targets: Sequence[Target], reason: str, *, exit_code: int) -> None:
        """Replace what stands at the report paths by reports that are no pass, or remove it where that fails.

        Raises `UsageProblem` about a report that was asked for and cannot be written; of any other, a warning tells. A
        bug, or an import that fails, is raised: the run could not pass.
        """
        self._check_log_folder()
        outcome = unfinished(targets, reason, exit_code)
        for report in self._reports:
            try:
                self._write_early(report, outcome)
            except ReportFailed as error:
                if report.place:
                    raise usage_problem(report.place, error) from error
                self._terminal.line(f"warning: {explain(error)} Without it, the run cannot pass.")

    def _check_log_folder(self) -> None:
        """Make the folder for logs, and remove those of a former run there.

        Raises `UsageProblem` if nothing can be written to it.
        """
        from gate import files

        reports = self._settings.reports
        if reports.log_dir is None or self.logs is None:
            return
        try:
            files.make_folder(reports.log_dir)
            for path in self.logs.paths():
                if files.is_own_output(path):
                    raise files.own_output("The log", path)
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise files.failure("The log", path, error) from error
        except ReportFailed as error:
            raise usage_problem(reports.named_by.get("log_dir", "--log-dir"), error) from error

    def _write_early(self, report: Report, outcome: Outcome) -> None:
        """Write a report before the result is known; raises `ReportFailed`."""
        report.write_early(outcome, self._junit)
        if report.is_junit and report.is_final:
            self._junit = report.path

    def note_build(self, target: Target, number: int, url: str | None, is_own: bool) -> None:
        """Hand the number and the link of the only target's build to later steps, also when the gate is killed.

        `is_own`: whether this run started it.

        What cannot be written is told at the end.
        """
        if len(self._settings.targets) > 1:
            return
        outcome = unfinished([target], NOT_FINISHED, exit_code=5, number=number, url=url, is_own=is_own)
        for report in self._reports:
            if report.tells_build:
                with contextlib.suppress(ReportFailed):
                    report.write_early(outcome, self._junit)

    def publish(self, outcome: Outcome, drain_until: float) -> int:
        """Write the reports, print the result, and return the exit code: never 0 if a report could not be written.

        `drain_until`: the instant until which slow readers of stdout and stderr are waited for.
        """
        from gate.reports import result

        written: list[Report] = []
        for report in self._reports:
            if not report.is_final:
                continue
            try:
                self._write(report, outcome)
            except Exception as error:
                outcome = self._degrade(outcome, explain(error), written)
            else:
                written.append(report)
        missing = self.logs.note_unread(outcome.targets) if self.logs else ""
        if missing and not self._settings.reports.quiet:
            self._terminal.line(missing)
        for problem in self.logs.errors() if self.logs else ():
            outcome = self._degrade(outcome, problem, written)
        streams.drain(min(drain_until, time.monotonic() + DRAIN_BETWEEN))
        if self._json:
            print_result(result.to_json(outcome) + "\n")
        elif not self._terminal.shows_results_on(sys.stdout):
            print_result(result.lines(outcome))
        self._terminal.lines(self._platform.annotations(outcome))
        # Drained again, so that the final line comes last where both streams go to one file.
        streams.drain(min(drain_until, time.monotonic() + DRAIN_BETWEEN))
        if self._json and streams.has_lost_output():
            problem = "The JSON document could not be written: stdout is closed or full. Let it go to another file."
            outcome = self._degrade(outcome, problem, written)
        advice = "A report is missing, so the run does not pass; see above." if outcome.exit_code else ""
        self._terminal.finish(outcome, str(self._junit or ""), advice)
        return outcome.exit_code

    def _write(self, report: Report, outcome: Outcome) -> None:
        """Write a report; raises what went wrong."""
        if report.is_junit:
            self._junit = None
        report.write(outcome, self._junit)
        if report.is_junit:
            self._junit = report.path

    def _degrade(self, outcome: Outcome, problem: str, written: Sequence[Report]) -> Outcome:
        """Return the outcome of a run that lacks a report, and let every report that was written say the same.

        A report that cannot be written again is removed. Only an outcome with exit code 0 changes.
        """
        self._terminal.line(f"error: {problem}")
        if outcome.exit_code:
            return outcome
        targets = [
            dataclasses.replace(
                target,
                verdict=Verdict.UNDETERMINED,
                reason=f"{target.reason}, but a report of this run could not be written",
                hint="See the error about the report.",
            )
            for target in outcome.targets
        ]
        degraded = dataclasses.replace(outcome, verdict=Verdict.UNDETERMINED, exit_code=5, targets=targets)
        for report in written:
            try:
                self._write(report, degraded)
            except Exception:
                if not report.is_appended:
                    remove_file(report.path)
        return degraded


def _log_folder(folder: Path, targets: Sequence[Target]) -> "LogFolder":
    from gate.runtime.log_folder import LogFolder

    return LogFolder(folder, targets)


def unfinished(
    targets: Sequence[Target],
    reason: str,
    exit_code: int,
    *,
    number: int | None = None,
    url: str | None = None,
    is_own: bool = False,
) -> Outcome:
    """Return the outcome of a run without a result.

    `number` and `url` are those of a build that is known already; `is_own`: whether this run started it.
    """
    return Outcome(
        verdict=Verdict.UNDETERMINED,
        exit_code=exit_code,
        started_at=datetime.now(UTC),
        elapsed_seconds=0.0,
        api_calls=0,
        targets=[
            TargetOutcome(
                label=target.label,
                job_id=target.job_id,
                build_number=number or target.build_number,
                build_url=url,
                is_own=is_own,
                verdict=Verdict.UNDETERMINED,
                reason=reason,
            )
            for target in targets
        ],
    )


def write_wrong_call(
    reports: Reports, targets: Sequence[Target], reason: str, exit_code: int, *, has_junit: bool = True
) -> None:
    """Replace what stands at the report paths by reports of a run that ended before it began.

    `exit_code`: 2, or 5 after a bug. `has_junit`: whether the path of the JUnit report is known.
    """
    outcome = unfinished(targets or [Target(label="codearts-gate", job_id="")], reason, exit_code)
    junit = None
    for report in reports_of(reports, detect(reports.platform, os.environ)):
        if report.is_early and (has_junit or not report.is_junit):
            with contextlib.suppress(ReportFailed):
                report.write_or_remove(outcome, junit)
                junit = report.path if report.is_junit else junit


def usage_problem(place: str, error: ReportFailed) -> UsageProblem:
    """Return the error about a file that was asked for by an option or a variable, and cannot be written."""
    return UsageProblem(f"{place}: {str(error).rstrip('.')}", hint=error.hint)


def explain(error: Exception) -> str:
    """Say why a report is missing, and what to do."""
    if isinstance(error, ReportFailed):
        return f"{error} {error.hint}"
    why, hint = explain_failure(error)
    return f"a report could not be made: {why}. {hint}"


def reports_of(reports: Reports, platform: Platform, *, no_wait: bool = False) -> Iterator[Report]:
    """Return the reports that were asked for, and those that the platform takes.

    With `no_wait`, there is no result for a JUnit report.
    """

    def junit(outcome: Outcome, _: Path | None) -> bytes:
        from gate.reports import junit

        return junit.render(outcome)

    def page(outcome: Outcome, _: Path | None) -> bytes:
        from gate.reports import summary

        return summary.render(outcome).encode()

    def appended_page(path: Path, outcome: Outcome, _: Path | None) -> bytes:
        from gate.reports import summary

        # GitHub refuses the whole summary of a step that is too large, with what others have written to it.
        return summary.render(outcome, max(summary.LIMIT - size_of(path), 0)).encode()

    def dotenv(outcome: Outcome, written: Path | None) -> bytes:
        from gate.reports import result

        return result.dotenv(outcome, written).encode()

    def steps(outcome: Outcome, written: Path | None) -> bytes:
        return platform.format_outputs(step_outputs(outcome, written)).encode()

    yield Report(
        reports.junit,
        junit,
        place=reports.named_by.get("junit", ""),
        render_early=placeholder.junit,
        is_junit=True,
        is_final=not no_wait,
    )
    pages = platform.summary_path
    if reports.summary is not None and not (pages and os.path.realpath(pages) == os.path.realpath(reports.summary)):
        shared = is_shared(reports.summary, os.environ)
        place = reports.named_by.get("summary", "--summary")
        render = partial(appended_page, reports.summary) if shared else page
        yield Report(reports.summary, render, place, is_appended=shared, is_early=not shared)
    if reports.outputs is not None:
        place = reports.named_by.get("outputs", "--outputs")
        is_appended = is_shared(reports.outputs, os.environ)
        yield Report(reports.outputs, dotenv, place, is_appended=is_appended, tells_build=True)
    if platform.outputs_path is not None:
        yield Report(platform.outputs_path, steps, is_appended=True, tells_build=True)
    if pages is not None:
        yield Report(pages, partial(appended_page, pages), is_appended=True, is_early=False)


def size_of(path: Path) -> int:
    """Return the bytes of a file; 0 where there is none."""
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def step_outputs(outcome: Outcome, report: Path | None) -> Mapping[str, str]:
    """Return the values for later steps of the pipeline, the whole result among them."""
    from gate.reports import result

    return result.outputs(outcome, report) | {"results": result.results(outcome)}


def append(path: Path, content: bytes) -> None:
    """Append to a file to which others write too; raises `ReportFailed`."""
    from gate import files

    try:
        files.append(path, content)
    except OSError as error:
        raise files.failure("The CI system's file", path, error) from error


def print_result(text: str) -> None:
    """Write to stdout, for machines."""
    sys.stdout.write(text)
    sys.stdout.flush()
