"""The command `jobs`."""

from typing import Any

import click

from gate.cli import options
from gate.cli.commands import delivered, print_notes, warn_about_variables, with_version


@click.command(
    short_help="List the jobs of a CodeArts project.",
    cls=options.GroupedCommand,
    epilog="Exit codes: 0 the list was read, 2 the call or the configuration is wrong, 5 the list could not be read.",
)
@click.argument("text", required=False, default="", cls=options.GateArgument)
@options.connection
@options.project
@options.option("--json", "as_json", is_flag=True, help="Print the jobs as one JSON document on stdout.")
@options.option("--verbose", "-v", is_flag=True, help="Print every request with its status and time.")
@with_version
@click.pass_obj
def jobs(started: float, /, text: str, as_json: bool, verbose: bool, **values: Any) -> int:
    """List the jobs of a CodeArts project whose name contains TEXT, whatever its case.

    Each line has a job's name, its id and what became of its last build; either one is a target for `wait` and `run`.
    """
    from gate.cli.job_list import show
    from gate.cli.resolve import resolve_connection

    warn_about_variables(values)
    project = values.pop("codearts_project")
    missing = [] if project else ["no project: give --codearts-project (GATE_CODEARTS_PROJECT)"]
    connection, notes = resolve_connection(values | {"verbose": verbose}, options.places(), missing)
    print_notes(notes, values)
    return delivered(show(connection, project, text.strip(), started, as_json=as_json, verbose=verbose))
