"""The command `simulate`."""

import click

from gate.cli.commands import with_version
from gate.cli.param_types import Duration, Number, ScenarioName


@click.command(
    short_help="Serve a simulated CodeArts Build.",
    epilog="Exit codes: 0 it was stopped, 2 the call is wrong, 5 its first line could not be written.",
)
@click.option(
    "--port",
    type=Number(0, 65535),
    metavar="NUMBER",
    default=0,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@click.option(
    "--scenario",
    "scenarios",
    type=ScenarioName(),
    multiple=True,
    default=["passing"],
    show_default=True,
    metavar="NAME[:COUNT]",
    help="A job to serve, or so many jobs; may be repeated. All jobs are in one project.",
)
@click.option(
    "--speed",
    type=Number(0.001, 100_000, whole=False),
    metavar="NUMBER",
    default=1,
    show_default=True,
    help="How many times as fast as in reality builds and the service's clock run. Once that is ten minutes ahead, "
    "`wait` needs a build number or --commit.",
)
@click.option(
    "--queue", type=Duration(zero=True), show_default="as the scenario says", help="How long each build is queued."
)
@with_version
def simulate(port: int, scenarios: tuple[str, ...], speed: float, queue: float | None) -> int:
    """Serve a simulated CodeArts Build on loopback until stopped.

    The first line on stdout is JSON: the endpoint, the credentials that it accepts, the jobs with their ids, and the
    project that all of them are in.
    """
    from gate.cli import rehearsal

    rehearsal.simulate(scenarios, port, speed, queue)
    return 0
