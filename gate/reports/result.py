"""The result for programs: the lines on stdout, the JSON document, the outputs of a pipeline step.

A verdict is one word in all of them, such as `timed-out`.
"""

import dataclasses
import json
import re
from pathlib import Path

from gate.model import Outcome, TargetOutcome, Verdict
from gate.reports.formatting import seconds
from gate.text import clean, link, one_line

RESULTS_LIMIT = 120_000
"""Characters of the output `results`: it has to fit in one environment variable, which Linux limits to 128 KiB."""

SMALLEST_DETAIL = 50
"""Characters that a stage, a child or an attempt takes at least in the JSON document."""

DOTENV_NAMES = {
    "verdict": "GATE_VERDICT",
    "exit-code": "GATE_EXIT_CODE",
    "build-number": "GATE_BUILD_NUMBER",
    "ordered": "GATE_ORDERED",
    "build-url": "GATE_BUILD_LINK",  # not GATE_BUILD_URL: a later run of the gate would take it for its template
    "report": "GATE_REPORT",
    "elapsed-seconds": "GATE_ELAPSED_SECONDS",
}
"""The outputs of a pipeline step, and their names in the dotenv file."""


def lines(outcome: Outcome) -> str:
    """Return one line a target, `VERDICT LABEL build=N state=WORD`, each ending with a newline; `-` where unknown."""
    return "".join(map(_line, outcome.targets))


def document(outcome: Outcome) -> dict[str, object]:
    """Return the JSON document as plain values; texts are cleaned, unknown values are `None`."""
    from gate.reports.fields import DOCUMENT, plain  # a run without the document does not need them

    return plain(outcome, DOCUMENT)


def to_json(outcome: Outcome) -> str:
    """Return the JSON document on one line of ASCII, without a newline."""
    return one_json_line(document(outcome))


def one_json_line(value: object) -> str:
    """Return `value` as JSON on one line of ASCII, without a newline; nothing in it is a command to a CI system."""
    # Some CI systems look for commands such as `##[error]` and `##vso[...]` anywhere in a line.
    return re.sub(r"##(?=\w*\[)", r"\\u0023#", json.dumps(value, allow_nan=False))


def results(outcome: Outcome) -> str:
    """Return the JSON document on one line of fewer than `RESULTS_LIMIT` characters.

    If it is too long, the stages, children and attempts of all targets are left out. If it still is, so are targets,
    those that passed first. The field `omitted` then says how many of each are missing.
    """
    targets = outcome.targets
    missing = {
        "stages": sum(len(target.stages) for target in targets),
        "children": sum(len(target.children) for target in targets),
        "attempts": sum(len(target.attempts) for target in targets),
    }
    if sum(missing.values()) * SMALLEST_DETAIL < RESULTS_LIMIT:  # saves making a document of many megabytes
        text = to_json(outcome)
        if len(text) < RESULTS_LIMIT:
            return text
    from gate.reports.fields import TARGET, plain

    bare = [plain(dataclasses.replace(target, stages=(), children=(), attempts=()), TARGET) for target in targets]
    shortened = document(dataclasses.replace(outcome, targets=())) | {"omitted": missing | {"targets": len(bare)}}
    left = RESULTS_LIMIT - len(one_json_line(shortened))
    kept: list[int] = []
    for index in sorted(range(len(bare)), key=lambda index: targets[index].verdict is Verdict.PASSED):
        left -= len(one_json_line(bare[index])) + len(", ")
        if left <= 0:
            break
        kept.append(index)
    omitted = missing | {"targets": len(bare) - len(kept)}
    return one_json_line(shortened | {"targets": [bare[index] for index in sorted(kept)], "omitted": omitted})


def outputs(outcome: Outcome, report: Path | None) -> dict[str, str]:
    """Return the outputs of a pipeline step by name; every value is one line.

    `report` is the JUnit report of this run; `None` if there is none. The number of the build and its link are those of
    the only target, and empty if there are several; `ordered` tells whether this run started all builds. The outcome
    may be that of an unfinished run: the build is known before the verdict is.
    """
    target = outcome.targets[0] if len(outcome.targets) == 1 else None
    return {
        "verdict": outcome.verdict.token,
        "exit-code": str(outcome.exit_code),
        "build-number": str((target and target.build_number) or ""),
        "ordered": "true" if outcome.targets and all(one.is_own for one in outcome.targets) else "false",
        "build-url": (target and link(target.build_url)) or "",
        "report": clean(report.as_posix()).replace("\n", " ") if report else "",
        "elapsed-seconds": str(seconds(outcome.elapsed_seconds) or 0.0),
    }


def dotenv(outcome: Outcome, report: Path | None) -> str:
    """Return the outputs as a dotenv file, `GATE_EXIT_CODE=0` and so on.

    Values stand as they are: GitLab's `dotenv` reports and Jenkins' `readProperties` take quotes for a part of them.
    """
    return "".join(f"{DOTENV_NAMES[name]}={value}\n" for name, value in outputs(outcome, report).items())


def _line(target: TargetOutcome) -> str:
    """Return one target's line."""
    number, word = target.build_number or "-", _token(target.state)
    return f"{target.verdict.token} {_token(target.label)} build={number} state={word}\n"


def _token(word: str | None) -> str:
    """Return `word` as one token in which nothing but letters, digits and `._-` stands; `-` for none."""
    return re.sub(r"[^\w.-]+", "_", one_line(word or "", limit=64)) or "-"
