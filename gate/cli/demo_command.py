"""The command `demo`."""

from pathlib import Path

import click

from gate.cli import options
from gate.cli.commands import with_version
from gate.cli.param_types import FilePath, ScenarioName


@click.command(
    short_help="Rehearse `wait` and `run` on simulated builds.",
    epilog="Exit codes: those of the command that it shows.",
)
@click.option(
    "--scenario",
    type=ScenarioName(),
    default="passing",
    show_default=True,
    help="What the simulated build does; see --list.",
)
@click.option("--list", "show_list", is_flag=True, help="Print the scenarios and exit.")
@click.option("--follow", is_flag=True, help="Show the log of the build while it runs.")
@click.option("--junit", type=FilePath(), default=options.REPORT, show_default=True, help="The JUnit report.")
@with_version
@click.pass_obj
def demo(started: float, /, scenario: str, show_list: bool, follow: bool, junit: Path) -> int:
    """Rehearse `wait` and `run` on simulated builds on this machine: no account, no network."""
    from gate.cli import rehearsal

    if show_list:
        descriptions = rehearsal.descriptions()
        width = max(map(len, descriptions))
        for name, description in descriptions.items():
            click.echo(f"{name:<{width}}  {description}")
        return 0
    return rehearsal.demo(scenario, junit, started, follow=follow)
