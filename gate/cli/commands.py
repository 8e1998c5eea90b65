"""The door: click commands, which translate options into settings and errors into exit statuses."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gate import __version__
from gate.cli import options
from gate.cli.param_types import JOB_ID, Pattern, TargetType
from gate.errors import GateError, UsageProblem
from gate.model import Target
from gate.settings import require

INTERRUPTED = 130
"""The exit status after Ctrl-C before there was anything to wait for."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version", prog_name="codearts-gate", message="%(prog)s %(version)s")
def main() -> None:
    """Hold a pipeline until a build at Huawei Cloud CodeArts Build has a result.

    Exit codes: 0 passed, 1 failed, 2 usage, 3 timed out, 4 aborted, 5 undetermined, 130, 143 and 129 interrupted.
    """


@main.command(short_help="Wait until every target's build has a result.")
@click.argument("targets", nargs=-1, type=TargetType(), envvar="GATE_TARGETS", metavar="TARGET...")
@options.connection
@options.selecting
@options.waiting
@options.reporting
@click.pass_obj
def wait(started: float, /, targets: tuple[Target, ...], **values: Any) -> int:
    """Wait until the build of every TARGET has a result, then report and exit.

    TARGET is [LABEL=]JOB_ID[:BUILD_NUMBER]; without a number, the job's newest build is judged. With no TARGET, they
    are taken from GATE_TARGETS. The credential comes from GATE_TOKEN or --token-file, from HUAWEICLOUD_SDK_AK and
    HUAWEICLOUD_SDK_SK, or from GATE_IAM_USER, GATE_IAM_PASSWORD and GATE_IAM_DOMAIN.
    """
    from gate import app
    from gate.cli.resolve import settle

    return app.wait(settle(options.label_apart(targets), values), started)


@main.command(short_help="Start a build, then wait for exactly that build.")
@click.argument("target", type=TargetType(), envvar="GATE_TARGETS", metavar="JOB_ID")
@options.connection
@options.ordering
@options.waiting
@options.reporting
@click.pass_obj
def run(started: float, /, target: Target, **values: Any) -> int:
    """Start a build of the job JOB_ID, then wait for exactly that build.

    JOB_ID may have a label in front, [LABEL=]JOB_ID. The build is started once, never twice. It is stopped when
    the gate times out or is interrupted, unless --keep-running is given.
    """
    from gate import app
    from gate.cli.resolve import order, settle

    return app.wait(settle([target], values, order(target, values)), started)


@main.command(short_help="Rehearse `wait` on a simulated build.")
@click.option("--scenario", default="passing", show_default=True, help="What the simulated build does; see --list.")
@click.option("--list", "show_list", is_flag=True, help="Print the scenarios and exit.")
@click.option(
    "--junit", type=options.FILE, default=Path("gate-report.xml"), show_default=True, help="The JUnit report."
)
@click.pass_obj
def demo(started: float, /, scenario: str, show_list: bool, junit: Path) -> int:
    """Rehearse `wait` on a simulated build on this machine: no account, no network."""
    from gate.cli import rehearsal
    from gate.settings import Reports

    if show_list:
        for name, description in rehearsal.descriptions().items():
            click.echo(f"{name:<17} {description}")
        return 0
    check_scenarios([scenario])
    return rehearsal.demo(scenario, Reports(junit=junit), started)


@main.command(short_help="Serve a simulated CodeArts Build.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="The port; 0 takes a free one."
)
@click.option("--scenario", "scenarios", multiple=True, default=["passing"], show_default=True, help="A job to serve.")
@click.option("--speed", type=click.FloatRange(0.001, 100_000), default=1.0, show_default=True, help="Clock's speed.")
def simulate(port: int, scenarios: tuple[str, ...], speed: float) -> int:
    """Serve a simulated CodeArts Build on loopback until stopped.

    The first line on stdout is JSON: the endpoint, a token for it, and the job id of each scenario.
    """
    from gate.cli import rehearsal

    check_scenarios(scenarios)
    require(speed, "--speed")
    rehearsal.simulate(scenarios, port, speed)
    return 0


@main.command()
@click.argument("job_id", required=False, type=Pattern("job_id", JOB_ID, "32 digits or letters"))
@options.connection
@click.option("--json", "as_json", is_flag=True, help="Print all steps as one JSON document on stdout.")
@click.option("--verbose", is_flag=True, help="Say every request, with its status and time.")
def doctor(job_id: str | None, as_json: bool, verbose: bool, **values: Any) -> int:
    """Check the set-up one step at a time, and say what to mend.

    With JOB_ID, also whether the job can be read, and its newest build. Nothing is changed at the service.
    """
    from gate.cli.resolve import connection
    from gate.doctor.run import examine

    return examine(connection(values), job_id, as_json=as_json, verbose=verbose)


def check_scenarios(names: Sequence[str]) -> None:
    """Raise `UsageProblem` for a scenario that does not exist."""
    from gate.cli import rehearsal

    known = rehearsal.descriptions()
    for name in names:
        if name not in known:
            raise UsageProblem(f"--scenario {name!r} does not exist; there are {', '.join(known)}")


def execute(arguments: Sequence[str], started: float) -> int:
    """Carry out a command line and give the exit status; every message goes to stderr."""
    try:
        status = main.main(args=list(arguments), prog_name="codearts-gate", standalone_mode=False, obj=started)
    except click.ClickException as error:
        error.show()
        annotate(error.format_message())
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except GateError as error:
        text = f"{error}." + (f" {error.hint}" if error.hint else "")
        click.echo(f"Error: {text}", err=True)
        annotate(text)
        return 2 if isinstance(error, UsageProblem) else 5
    except Exception as error:  # Python would exit with 1, which means that a build failed
        from gate.core.wait import BUG_HINT, describe_bug

        text = f"{describe_bug(error)}. {BUG_HINT}"
        click.echo(f"Error: {text}", err=True)
        annotate(text)
        return 5
    return int(status or 0)


def annotate(text: str) -> None:
    """Put an error on the pipeline's page too, where there is one."""
    from gate.platforms.detect import detect

    for line in detect(os.environ.get("GATE_PLATFORM", "auto"), os.environ).error_annotation(text):
        click.echo(line, err=True)
