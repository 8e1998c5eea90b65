"""The result for programs: the lines on stdout, the JSON document, the outputs of a pipeline step."""

import dataclasses
import json
import re
from pathlib import Path

from gate.model import Outcome, Stage, TargetOutcome
from gate.reports.formatting import instant, seconds
from gate.text import one_line

RESULTS_LIMIT = 450_000
"""Characters: GitHub refuses outputs of a job above 1 MB, counted as UTF-16."""


def lines(outcome: Outcome) -> str:
    """Return one line a target, `VERDICT LABEL build=N state=WORD`, each ending with a newline; `-` where unknown."""
    return "".join(map(_line, outcome.targets))


def to_json(outcome: Outcome) -> str:
    """Return the JSON document on one line of ASCII, without a newline."""
    return one_json_line(document(outcome))


def one_json_line(value: object) -> str:
    """Return `value` as JSON on one line of ASCII, without a newline; nothing in it is a command to a CI system."""
    # Some CI systems look for commands such as `##[error]` and `##vso[...]` anywhere in a line.
    return re.sub(r"##(?=\w*\[)", r"\\u0023#", json.dumps(value, allow_nan=False))


def document(outcome: Outcome) -> dict[str, object]:
    """Return the JSON document as plain values; texts are cleaned, unknown values are `None`."""
    return {
        "verdict": outcome.verdict.value,
        "exit_code": outcome.exit_code,
        "started_at": instant(outcome.started_at),
        "elapsed_seconds": seconds(outcome.elapsed_seconds),
        "api_calls": outcome.api_calls,
        "targets": [_target(target) for target in outcome.targets],
    }


def results(outcome: Outcome) -> str:
    """Return the document on one line that GitHub takes as an output: without stages, or empty, when it is too long."""
    bare = [dataclasses.replace(target, stages=()) for target in outcome.targets]
    for candidate in (outcome, dataclasses.replace(outcome, targets=bare)):
        text = to_json(candidate)
        if len(text) <= RESULTS_LIMIT:
            return text
    return ""


def outputs(outcome: Outcome, report: Path) -> dict[str, str]:
    """Return the outputs of a pipeline step by name; every value is one line.

    The build number is that of the only target, and empty when there are several.
    """
    number = outcome.targets[0].build_number if len(outcome.targets) == 1 else None
    return {
        "verdict": outcome.verdict.value,
        "exit-code": str(outcome.exit_code),
        "build-number": str(number or ""),
        "report": one_line(str(report), limit=4096),
        "elapsed-seconds": str(seconds(outcome.elapsed_seconds) or 0.0),
    }


def dotenv(outcome: Outcome, report: Path) -> str:
    """Return the outputs as a dotenv file, `GATE_EXIT_CODE=0` and so on; values stand bare, as GitLab wants them."""
    return "".join(
        f"GATE_{name.replace('-', '_').upper()}={value}\n" for name, value in outputs(outcome, report).items()
    )


def _line(target: TargetOutcome) -> str:
    """Return one target's line."""
    number, word = target.build_number or "-", _token(target.state)
    return f"{target.verdict.token} {_token(target.label)} build={number} state={word}\n"


def _token(word: str | None) -> str:
    """Return `word` as one token in which nothing but letters, digits and `._-` stands; `-` for none."""
    return re.sub(r"[^\w.-]+", "_", one_line(word or "", limit=64)) or "-"


def _text(value: str | None) -> str | None:
    """Return `value` cleaned to one line; `None` when nothing is left of it."""
    return one_line(value or "", limit=1000) or None


def _target(target: TargetOutcome) -> dict[str, object]:
    """Return one target's part of the document."""
    return {
        "label": _text(target.label),
        "job_id": _text(target.job_id),
        "build_number": target.build_number,
        "verdict": target.verdict.value,
        "state": _text(target.state),
        "reason": _text(target.reason),
        "branch": _text(target.branch),
        "commit": _text(target.commit),
        "started_at": instant(target.started_at),
        "finished_at": instant(target.finished_at),
        "duration_seconds": seconds(target.duration_seconds),
        "record_id": _text(target.record_id),
        "polls": target.polls,
        "stages": [_stage(stage) for stage in target.stages],
        "tests": target.tests and {name: getattr(target.tests, name) for name in ("total", "failures", "errors")},
    }


def _stage(stage: Stage) -> dict[str, object]:
    """Return one stage's part of the document."""
    return {
        "name": _text(stage.name),
        "state": _text(stage.state),
        "duration_seconds": seconds(stage.duration_seconds),
    }
