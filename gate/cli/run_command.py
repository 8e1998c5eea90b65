"""The command `run`."""

from typing import Any

import click

from gate.cli import options
from gate.cli.commands import epilog, print_notes, warn_about_variables, with_version
from gate.model import Target


@click.command(
    short_help="Start builds, then wait for exactly these.",
    cls=options.GroupedCommand,
    epilog=epilog("codearts-gate run --region cn-north-4 --branch main 901878212b1a49be9c1a1054c272762a"),
)
@options.targets
@options.connection
@options.ordering
@options.waiting
@options.reporting
@with_version
@click.pass_obj
def run(started: float, /, targets: tuple[Target, ...], **values: Any) -> int:
    """Start a build of the job of every TARGET, then wait for exactly these builds.

    TARGET is [LABEL=]JOB, where JOB is a job id, or with --codearts-project a name. With no TARGET, they are taken from
    GATE_TARGETS. All builds are ordered before any is judged, each once; with --retries, one that never ran is ordered
    again. Those that this run started and that have not ended are stopped when it ends, unless --keep-running is given.
    """
    from gate import app
    from gate.cli.resolve import resolve, resolve_order

    warn_about_variables(values)
    places = options.places()
    order = resolve_order(targets, values, places)
    settings, notes = resolve(targets, values, places, order)
    print_notes(notes, values)
    return app.wait(settings, started)
