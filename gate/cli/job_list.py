"""What `jobs` prints: the jobs of a CodeArts project."""

from collections.abc import Sequence

import click

from gate import app, publish
from gate.model import ProjectRow, State
from gate.platforms.columns import width
from gate.platforms.detect import detect_here
from gate.reports.result import one_json_line
from gate.settings import Connection, Rules
from gate.text import one_line, word
from gate.vocabulary import JOB_LIST_WORDS

RULES = Rules(timeout=300, error_budget=10, error_budget_source="", poll_interval=2)
"""People wait for it."""

WORDS = {State.SUCCEEDED: "passed", State.FAILED: "failed", State.ABORTED: "aborted", State.RUNNING: "runs"}
"""What became of the last build of a job; where the list has another word, that is shown as it is."""

NEVER_BUILT = "never built"


def show(connection: Connection, project: str, text: str, started: float, *, as_json: bool, verbose: bool) -> int:
    """Print the jobs whose name contains a text, and return the exit code."""
    rows: list[ProjectRow] = []
    exit_code = app.read_jobs(connection, RULES, project, text, started, rows, verbose=verbose)
    if exit_code:
        return exit_code
    platform = detect_here()
    if as_json:
        publish.print_result(one_json_line([_fields(row) for row in rows]) + "\n")
    else:
        publish.print_result("".join(f"{platform.without_commands(line)}\n" for line in lines(rows)))
    if not rows:
        what = f"no job of the project has {text!r} in its name" if text else "the project has no job"
        click.echo(platform.without_commands(f"{what}."), err=True)
    return 0


def lines(rows: Sequence[ProjectRow]) -> list[str]:
    """Return a line for each job, in columns: name, id, last build."""
    names = [one_line(row.name or "-") for row in rows]
    longest = max(map(width, names), default=0)
    return [
        f"{name}{' ' * (longest - width(name))}  {row.job_id}  {last_build(row)}"
        for name, row in zip(names, rows, strict=True)
    ]


def last_build(row: ProjectRow) -> str:
    """Return the last build of a job and what became of it, as far as the list says so."""
    if row.word == "none":
        return NEVER_BUILT
    number = str(row.build_number) if row.build_number else row.daily_number or ""
    known = JOB_LIST_WORDS.get((row.word or "").lower(), State.UNKNOWN)
    state = WORDS.get(known, word(row.word or ""))
    return f"build {number} {state}".strip() if number else state or "-"


def _fields(row: ProjectRow) -> dict[str, object]:
    return {"name": row.name, "job_id": row.job_id, "build_number": row.build_number, "state": row.word}
