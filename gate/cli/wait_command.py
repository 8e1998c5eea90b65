"""The command `wait`."""

from typing import Any

import click

from gate.cli import options
from gate.cli.commands import epilog, print_notes, warn_about_variables, with_version
from gate.model import Target


@click.command(
    short_help="Wait until the build of every target has a result.",
    cls=options.GroupedCommand,
    epilog=epilog("codearts-gate wait --region cn-north-4 --commit 2f37dd4 api=901878212b1a49be9c1a1054c272762a"),
)
@options.targets
@options.connection
@options.selecting
@options.waiting
@options.reporting
@with_version
@click.pass_obj
def wait(started: float, /, targets: tuple[Target, ...], **values: Any) -> int:
    """Wait until the build of every TARGET has a result, then report and exit.

    TARGET is [LABEL=]JOB[:BUILD_NUMBER]; without a number, the job's newest build is judged. JOB is a job id, or with
    --codearts-project a name. With no TARGET, they are taken from GATE_TARGETS.
    """
    from gate import app
    from gate.cli.resolve import resolve

    warn_about_variables(values)
    settings, notes = resolve(targets, values, options.places())
    print_notes(notes, values)
    return app.wait(settings, started)
