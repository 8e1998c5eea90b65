"""The reports of one run: which there are, and writing them before, during and after the wait."""

import contextlib
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from gate.core.wait import BUG_HINT, describe_bug
from gate.errors import ReportFailed
from gate.model import Outcome, Target, TargetOutcome, Verdict
from gate.platforms.detect import detect
from gate.platforms.platform import Platform
from gate.platforms.terminal import Terminal
from gate.runtime import streams
from gate.settings import Reports, Settings

DRAIN_BETWEEN = 5.0
"""Seconds at most for what one stream holds before the other goes on, so that a file for both keeps its order."""

NOT_FINISHED = "the gate did not finish"
"""The reason in the reports that stand while the gate runs: whatever ends it, they are no pass."""


class Report(NamedTuple):
    """A report: how it is written, and the file that holds it, unless the CI system keeps it."""

    name: str
    write: Callable[[Outcome], None]
    path: Path | None = None

    def write_early(self, outcome: Outcome) -> None:
        """Write it before the result is known; where that fails, remove the report of a former run.

        What is missing at the end is told at the end. Nothing is written to a pipe, a FIFO or a device, whose reader
        gets one report, the last.
        """
        from gate import files

        with contextlib.suppress(OSError):  # of a path that cannot even be looked at
            if self.path is None or not files.is_stream(self.path):
                self.write_or_remove(outcome)

    def write_or_remove(self, outcome: Outcome) -> None:
        """Write it, or else remove what stands at its path, which says something else."""
        try:
            self.write(outcome)
        except Exception:
            if self.path is not None:
                remove_file(self.path)


def remove_file(path: Path) -> None:
    """Remove a file if there is one and if it can be removed; a pipe or a folder at the path stays."""
    with contextlib.suppress(OSError):
        if path.is_file():
            path.unlink()


class Publisher:
    """Writes the reports of one run: before it, when its build is known, and at its end."""

    def __init__(self, settings: Settings, platform: Platform, terminal: Terminal) -> None:
        """Nothing is written yet."""
        self._settings = settings
        self._reports = settings.reports
        self._platform = platform
        self._terminal = terminal

    def write_placeholder(self, targets: Sequence[Target], reason: str, *, exit_code: int) -> None:
        """Replace what stands at the report paths by reports that are no pass, or remove it where that fails.

        With `--no-wait` there is no JUnit report, so that one of a former run is removed.
        """
        if self._settings.rules.no_wait:
            remove_file(self._reports.junit)
        outcome = unfinished(targets, reason, exit_code)
        for report in reports_of(self._reports, self._platform):
            if report.name != "page" and self._is_wanted(report):
                report.write_early(outcome)

    def note_build(self, target: Target, number: int, url: str | None) -> None:
        """Hand the number and the link of the only target's build to later steps, also when the gate is killed."""
        if len(self._settings.targets) > 1:
            return
        outcome = unfinished([target], NOT_FINISHED, exit_code=5, number=number, url=url)
        for report in reports_of(self._reports, self._platform):
            if report.name in ("outputs", "next steps"):
                report.write_early(outcome)

    def publish(self, outcome: Outcome, drain_until: float) -> int:
        """Write the reports, print the result, and return the exit code: never 0 if a report could not be written.

        `drain_until`: the instant until which slow readers of stdout and stderr are waited for.
        """
        from gate.reports import result

        written: list[Report] = []
        failed: set[str] = set()
        for report in reports_of(self._reports, self._platform):
            if not self._is_wanted(report):
                continue
            try:
                report.write(outcome)
            except Exception as error:
                failed.add(report.name)
                outcome = self._degrade(outcome, explain(error), written)
            else:
                written.append(report)
        streams.drain(min(drain_until, time.monotonic() + DRAIN_BETWEEN))
        print_result(result.to_json(outcome) + "\n" if self._reports.json else result.lines(outcome))
        self._terminal.relay(self._platform.annotations(outcome))
        # Drained again, so that the final line comes last where both streams go to one file.
        streams.drain(min(drain_until, time.monotonic() + DRAIN_BETWEEN))
        if self._reports.json and streams.has_lost_output():
            problem = "The JSON document could not be written: stdout is closed or full. Let it go to another file."
            outcome = self._degrade(outcome, problem, written)
        has_junit = "junit" not in failed and not self._settings.rules.no_wait
        advice = "A report is missing, so the run does not pass; see above." if outcome.exit_code else ""
        self._terminal.finish(outcome, str(self._reports.junit) if has_junit else "", advice)
        return outcome.exit_code

    def _is_wanted(self, report: Report) -> bool:
        """Tell whether a report is written in this run: `--no-wait` has no result for a JUnit report."""
        return report.name != "junit" or not self._settings.rules.no_wait

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
            report.write_or_remove(degraded)
        return degraded


def unfinished(
    targets: Sequence[Target], reason: str, exit_code: int, *, number: int | None = None, url: str | None = None
) -> Outcome:
    """Return the outcome of a run without a result; `number` and `url` are those of a build that is known already."""
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
    for report in reports_of(reports, detect(reports.platform, os.environ)):
        if report.name != "page" and (report.name != "junit" or has_junit):
            with contextlib.suppress(ReportFailed):
                report.write(outcome)


def explain(error: Exception) -> str:
    """Say why a report is missing, and what to do."""
    if isinstance(error, ReportFailed):
        return f"{error} {error.hint}"
    return f"a report could not be made: {describe_bug(error)}. {BUG_HINT}"


def reports_of(reports: Reports, platform: Platform) -> Iterator[Report]:
    """Return the reports that were asked for, and those that the platform takes."""
    from gate import files
    from gate.reports import junit, result, summary

    yield Report("junit", lambda outcome: files.write(reports.junit, junit.render(outcome)), reports.junit)
    if (path := reports.summary) is not None:
        yield Report("summary", lambda outcome: files.write(path, summary.render(outcome).encode()), path)
    if (file := reports.outputs) is not None:
        yield Report("outputs", lambda outcome: files.write(file, result.dotenv(outcome, reports.junit).encode()), file)
    if (steps := platform.outputs_path) is not None:
        yield Report(
            "next steps", lambda outcome: append(steps, platform.format_outputs(step_outputs(outcome, reports)))
        )
    if (page := platform.summary_path) is not None:
        yield Report("page", lambda outcome: append(page, summary.render(outcome)))


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
