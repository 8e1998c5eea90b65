"""The command `doctor`."""

from typing import Any

import click

from gate.cli import options
from gate.cli.commands import delivered, print_notes, warn_about_variables, with_version
from gate.cli.param_types import TargetType
from gate.model import Target


@click.command(
    cls=options.GroupedCommand,
    epilog="Exit codes: 0 no step failed, 2 the call or the configuration is wrong, 5 a step failed.",
)
@click.argument("target", required=False, type=TargetType())
@options.project
@options.connection
@options.option("--json", "as_json", is_flag=True, help="Print all steps as one JSON document on stdout.")
@options.option("--verbose", "-v", is_flag=True, help="Print every request with its status and time.")
@with_version
def doctor(target: Target | None, as_json: bool, verbose: bool, **values: Any) -> int:
    """Check the set-up one step at a time, and say what to fix.

    With --codearts-project, also whether its jobs can be listed. With TARGET, written as for `wait`, also whether the
    job and the build can be read, its newest build, and the target to write into a pipeline. Nothing is changed at the
    service.
    """
    from gate.cli.resolve import resolve_connection
    from gate.doctor.run import examine

    warn_about_variables(values)
    project = values.pop("codearts_project")
    connection, notes = resolve_connection(values | {"verbose": verbose}, options.places())
    print_notes(notes, values)
    return delivered(examine(connection, target, project, as_json=as_json, verbose=verbose))
