"""The click commands: they turn options into settings, and errors into messages and exit statuses."""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from gate import __version__, former_reports, mistakes
from gate.cli import options
from gate.cli.param_types import Duration, FilePath, ScenarioName, TargetType
from gate.errors import GateError, ReportFailed, UsageProblem
from gate.model import Target
from gate.settings import require

WITH_REPORTS = ("wait", "run")
"""The commands that write reports for a pipeline."""

SECRETS = ("--token", "--ak", "--sk", "--access-key", "--secret-key", "--password", "--iam-password")
"""Options that people try; there is none of them."""

INTERRUPTED = 130
"""The exit status after Ctrl-C before there was anything to wait for."""


def epilog(example: str) -> str:
    """Return the end of a command's help: an example, and the exit codes."""
    return f"""\b
Example:
  {example}

\b
Exit codes:
  0    passed; skipped (--if-none pass); started (run --no-wait)
  1    failed: a build ended otherwise than with SUCCESS, or unit tests did under --require-tests
  2    the call or the configuration is wrong; nothing was asked of the service
  3    timed out: no result before --timeout
  4    aborted: somebody stopped the build
  5    undetermined: the gate could not find out, or a report could not be written
  130, 143, 129    interrupted by SIGINT, SIGTERM or SIGHUP

Which build is judged, and all fields of the reports: .github/REFERENCE.md in the repository.
"""


with_version = click.version_option(
    __version__, "--version", "-V", prog_name="codearts-gate", message="%(prog)s %(version)s"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@with_version
def main() -> None:
    """Hold a pipeline until a build at Huawei Cloud CodeArts Build has a result.

    Exit codes: 0 passed, 1 failed, 2 usage, 3 timed out, 4 aborted, 5 undetermined, 130, 143 and 129 interrupted.
    """


@main.command(
    short_help="Wait until the build of every target has a result.",
    cls=options.GroupedCommand,
    epilog=epilog("codearts-gate wait --region cn-north-4 --commit 2f37dd4 api=901878212b1a49be9c1a1054c272762a"),
)
@click.argument(
    "targets", nargs=-1, type=TargetType(), cls=options.GateArgument, envvar="GATE_TARGETS", metavar="TARGET..."
)
@options.connection
@options.selecting
@options.waiting
@options.reporting
@click.pass_obj
def wait(started: float, /, targets: tuple[Target, ...], **values: Any) -> int:
    """Wait until the build of every TARGET has a result, then report and exit.

    TARGET is [LABEL=]JOB[:BUILD_NUMBER]; without a number, the job's newest build is judged. JOB is a job id, or with
    --codearts-project a name. With no TARGET, they are taken from GATE_TARGETS. The credential comes from GATE_TOKEN or
    --token-file, from HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or from GATE_IAM_USER, GATE_IAM_PASSWORD and
    GATE_IAM_DOMAIN.
    """
    from gate import app
    from gate.cli.resolve import resolve

    warn_about_variables(values)
    settings, notes = resolve(targets, values, options.places())
    print_notes(notes, values)
    return app.wait(settings, started)


@main.command(
    short_help="Start builds, then wait for exactly these.",
    cls=options.GroupedCommand,
    epilog=epilog("codearts-gate run --region cn-north-4 --branch main 901878212b1a49be9c1a1054c272762a"),
)
@click.argument(
    "targets", nargs=-1, type=TargetType(), cls=options.GateArgument, envvar="GATE_TARGETS", metavar="TARGET..."
)
@options.connection
@options.ordering
@options.waiting
@options.reporting
@click.pass_obj
def run(started: float, /, targets: tuple[Target, ...], **values: Any) -> int:
    """Start a build of the job of every TARGET, then wait for exactly these builds.

    TARGET is [LABEL=]JOB, where JOB is a job id, or with --codearts-project a name. All builds are ordered before any
    is judged, each once, never twice. Those that have not ended are stopped when the gate ends, unless --keep-running
    is given.
    """
    from gate import app
    from gate.cli.resolve import resolve, resolve_order

    warn_about_variables(values)
    places = options.places()
    order = resolve_order(targets, values, places)
    settings, notes = resolve(targets, values, places, order)
    print_notes(notes, values)
    return app.wait(settings, started)


@main.command(short_help="Rehearse `wait` and `run` on simulated builds.")
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


@main.command(short_help="Serve a simulated CodeArts Build.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="The port; 0 takes a free one."
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
    type=click.FloatRange(0.001, 100_000),
    default=1.0,
    show_default=True,
    help="How many times as fast as in reality builds run.",
)
@click.option(
    "--queue", type=Duration(zero=True), show_default="as the scenario says", help="How long each build is queued."
)
def simulate(port: int, scenarios: tuple[str, ...], speed: float, queue: float | None) -> int:
    """Serve a simulated CodeArts Build on loopback until stopped.

    The first line on stdout is JSON: the endpoint, the credentials that it accepts, the jobs with their ids, and the
    project that all of them are in.
    """
    from gate.cli import rehearsal

    require(speed, "--speed")
    rehearsal.simulate(scenarios, port, speed, queue)
    return 0


@main.command(short_help="List the jobs of a CodeArts project.", cls=options.GroupedCommand)
@click.argument("text", required=False, default="")
@options.connection
@options.project
@options.option("--json", "as_json", is_flag=True, help="Print the jobs as one JSON document on stdout.")
@options.option("--verbose", "-v", is_flag=True, help="Print every request with its status and time.")
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


@main.command(cls=options.GroupedCommand)
@click.argument("target", required=False, type=TargetType())
@options.project
@options.connection
@options.option("--json", "as_json", is_flag=True, help="Print all steps as one JSON document on stdout.")
@options.option("--verbose", "-v", is_flag=True, help="Print every request with its status and time.")
def doctor(target: Target | None, as_json: bool, verbose: bool, **values: Any) -> int:
    """Check the set-up one step at a time, and say what to fix.

    With TARGET, written as for `wait`, also whether the job and the build can be read, its newest build, and the target
    to write into a pipeline. Nothing is changed at the service.
    """
    from gate.cli.resolve import resolve_connection
    from gate.doctor.run import examine

    warn_about_variables(values)
    project = values.pop("codearts_project")
    connection, notes = resolve_connection(values | {"verbose": verbose}, options.places())
    print_notes(notes, values)
    return delivered(examine(connection, target, project, as_json=as_json, verbose=verbose))


for _command in main.commands.values():
    with_version(_command)


def delivered(status: int) -> int:
    """Return the status of a command whose result is what it prints; raises `ReportFailed` if that was lost."""
    from gate.runtime import streams

    streams.drain(time.monotonic() + streams.DRAIN)
    if status == 0 and streams.has_lost_output():
        raise ReportFailed(
            "the result could not be written: stdout is closed or full", hint="Let it go to another file."
        )
    return status


def warn_about_variables(values: Mapping[str, Any]) -> None:
    """Print on stderr which variables look misspelt; before what is missing is said, as that may be the cause."""
    known = known_variables()
    unknown = {name for name in os.environ if name.upper().startswith("GATE_")} - known
    if unknown:
        from gate.cli import variables
        from gate.reports.result import DOTENV_NAMES

        outputs_of_a_former_step = set(DOTENV_NAMES.values())
        for line in variables.warnings(unknown - outputs_of_a_former_step, known):
            print_notes([line], values)
    print_notes(without_effect(values), values)


def without_effect(values: Mapping[str, Any]) -> list[str]:
    """Return a warning if a variable chooses what `run` builds, and the command is `wait`, which does not read it."""
    if "max_age" not in values or not os.environ.get("GATE_TAG", "").strip():
        return []
    return ["warning: GATE_TAG chooses what `run` builds and has no effect on `wait`; to choose a build, give --commit"]


def print_notes(lines: Sequence[str], values: Mapping[str, Any]) -> None:
    """Print lines on stderr unless `--quiet` is given."""
    if not values.get("quiet"):
        for line in lines:
            click.echo(line, err=True)


def known_variables() -> set[str]:
    """Return all variables that some command reads."""
    from gate.cli import credentials

    of_parameters = {
        name
        for command in main.commands.values()
        for parameter in command.params
        for name in options.variables(parameter)
    }
    return of_parameters.union([credentials.INPUTS], credentials.OPTIONAL, *credentials.FAMILIES.values())


PROGRAM = "codearts-gate"

COMPLETION = "_CODEARTS_GATE_COMPLETE"
"""The variable by which a shell asks for its script, or for what can follow what was typed so far."""


def complete(instruction: str) -> int:
    """Answer a shell that completes a command line, and return the exit status."""
    from click.shell_completion import shell_complete

    answered = shell_complete(main, {}, PROGRAM, COMPLETION, instruction) == 0
    return 0 if answered else 2


def execute(arguments: Sequence[str], started: float) -> int:
    """Carry out a command line and return the exit status; every message goes to stderr.

    A shell that completes a command line gives no arguments: with some, the variable is ignored, as the status would
    be taken for a verdict.
    """
    instruction = os.environ.pop(COMPLETION, "")
    try:
        if instruction and not arguments:
            return complete(instruction)
        status = main.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False, obj=started)
    except click.ClickException as error:
        error = with_remedy(error, arguments)
        error.show()
        return give_up(arguments, error.format_message(), error.exit_code)
    except click.Abort as error:
        # click turns an EOFError into this as well: the gate asks for no input, but a cut .pyc file raises one.
        return give_up_on_failure(arguments, error.__cause__) if isinstance(error.__cause__, EOFError) else INTERRUPTED
    except GateError as error:
        text = f"{error}." + (f" {error.hint}" if error.hint else "")
        click.echo(f"Error: {text}", err=True)
        return give_up(arguments, text, 2 if isinstance(error, UsageProblem) else 5)
    except (Exception, SystemExit) as error:  # Python would exit with 1, which means that a build failed
        return give_up_on_failure(arguments, error)
    return int(status or 0)


def give_up_on_failure(arguments: Sequence[str], error: Exception | SystemExit) -> int:
    """Print what kept the program from doing its work, see `give_up`, and return 5."""
    text = describe_failure(error)
    click.echo(f"Error: {text}", err=True)
    return give_up(arguments, text, 5)


def with_remedy(error: click.ClickException, arguments: Sequence[str]) -> click.ClickException:
    """Return the error, or a better one for an option that does not exist: one dash too few, or a secret."""
    if not isinstance(error, click.NoSuchOption):
        return error
    if error.option_name in SECRETS:
        text = (
            f"{error.option_name} is no option, because every user of this machine could read the value. Set the "
            "variable GATE_TOKEN or another one that --help names, or give --token-file"
        )
        return click.UsageError(text, ctx=error.ctx)
    options = [option for parameter in (error.ctx.command.params if error.ctx else ()) for option in parameter.opts]
    mistake = mistakes.explain_option(arguments, options)
    return click.UsageError(mistake, ctx=error.ctx) if mistake else error


def describe_failure(error: Exception | SystemExit) -> str:
    """Say in one or two sentences what kept the program from doing its work, which is not the user's mistake."""
    if isinstance(error, ImportError | SyntaxError | EOFError | SystemExit):
        return (
            f"a part of the program could not be loaded: {type(error).__name__}: {error}. Install codearts-gate again."
        )
    from gate.core.wait import BUG_HINT, describe_bug

    return f"{describe_bug(error)}. {BUG_HINT}"


def give_up(arguments: Sequence[str], text: str, exit_code: int) -> int:
    """Show an error on the pipeline's page, write reports that say so, and return `exit_code`."""
    with suppress(Exception):  # what keeps the gate from its work may keep it from this too
        from gate.platforms.detect import detect

        for line in detect(os.environ.get("GATE_PLATFORM", "").strip(), os.environ).error_annotation(text):
            click.echo(line, err=True)
    if arguments and arguments[0] in WITH_REPORTS:
        try:
            from gate.cli import wrong_call

            wrong_call.write_reports(main.commands[arguments[0]], arguments[1:], text, exit_code)
        except Exception:
            former_reports.write(arguments, os.environ, text, exit_code)
    return exit_code
