"""The program's commands, what they share, and turning errors into messages and exit statuses."""

import io
import os
import time
from collections import UserDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from gate import __version__, former_reports, mistakes
from gate.cli import credentials, options
from gate.errors import GateError, ReportFailed, UsageProblem, explain_surroundings

COMMANDS = ("doctor", "demo", "jobs", "run", "simulate", "wait")
"""The commands; each is a function of this name, and `wait` is in the module `wait_command`."""

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


class _Commands(UserDict[str, click.Command]):
    """The commands by name. Each is loaded when it is looked up: making the options of all costs milliseconds."""

    def __init__(self) -> None:
        super().__init__({name: click.Command(name) for name in COMMANDS})  # only the names count

    def __getitem__(self, name: str) -> click.Command:
        if name not in self:
            raise KeyError(name)
        command: click.Command = getattr(import_module(f"gate.cli.{name}_command"), name)
        return command


@click.group(commands=_Commands(), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@with_version
def main() -> None:
    """Hold a pipeline until a build at Huawei Cloud CodeArts Build has a result.

    Exit codes: 0 passed, 1 failed, 2 usage, 3 timed out, 4 aborted, 5 undetermined, 130, 143 and 129 interrupted.
    """


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
    others = {name for name in os.environ if name.upper().startswith("GATE_")}
    others -= variables_of(click.get_current_context().command)
    if others:  # than those of the command that runs
        from gate.cli import variables
        from gate.reports.result import DOTENV_NAMES

        known = known_variables()
        outputs_of_a_former_step = set(DOTENV_NAMES.values())
        for line in variables.warnings(others - known - outputs_of_a_former_step, known):
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
            print_message(line)


def print_message(text: str) -> None:
    """Print lines on stderr. A value in them, such as the name of a pull request's branch, gives no command to the CI.

    Where a part of the program is missing, they are printed as they are.
    """
    with suppress(ImportError):
        from gate.platforms.detect import detect_here
        from gate.text import clean

        platform = detect_here()
        text = "\n".join(map(platform.without_commands, clean(text).split("\n")))
    click.echo(text, err=True)


def known_variables() -> set[str]:
    """Return all variables that some command reads."""
    return set().union(*map(variables_of, main.commands.values()))


def variables_of(command: click.Command) -> set[str]:
    """Return the variables of a command's parameters, and those of credentials, which any command may need."""
    of_parameters = {name for parameter in command.params for name in options.variables(parameter)}
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
        print_message(whole_message(error))
        return give_up(arguments, error.format_message(), error.exit_code)
    except click.Abort as error:
        # click turns an EOFError into this as well: the gate asks for no input, but a cut .pyc file raises one.
        return give_up_on_failure(arguments, error.__cause__) if isinstance(error.__cause__, EOFError) else INTERRUPTED
    except GateError as error:
        hint = error.hint_for(next(iter(arguments), ""))
        text = f"{error}." + (f" {hint}" if hint else "")
        print_message(f"Error: {text}")
        return give_up(arguments, text, 2 if isinstance(error, UsageProblem) else 5)
    except (Exception, SystemExit) as error:  # Python would exit with 1, which means that a build failed
        return give_up_on_failure(arguments, error)
    return int(status or 0)


def give_up_on_failure(arguments: Sequence[str], error: Exception | SystemExit) -> int:
    """Print what kept the program from doing its work, see `give_up`, and return 5."""
    text = describe_failure(error)
    print_message(f"Error: {text}")
    return give_up(arguments, text, 5)


def whole_message(error: click.ClickException) -> str:
    """Return what click shows of an error: how the command is used, and what is wrong."""
    message = io.StringIO()
    error.show(message)
    return message.getvalue().removesuffix("\n")


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
    if not (explanation := explain_surroundings(error)):  # of which any may keep this module from being loaded
        from gate.core.wait import explain_failure

        explanation = explain_failure(error)
    return ". ".join(explanation)


def give_up(arguments: Sequence[str], text: str, exit_code: int) -> int:
    """Show an error on the pipeline's page, write reports that say so, and return `exit_code`."""
    with suppress(Exception):  # what keeps the gate from its work may keep it from this too
        from gate.platforms.detect import detect_here

        for line in detect_here().error_annotation(text):
            click.echo(line, err=True)
    if arguments and arguments[0] in WITH_REPORTS:
        try:
            from gate.cli import wrong_call

            wrong_call.write_reports(main.commands[arguments[0]], arguments[1:], text, exit_code)
        except Exception:
            former_reports.write(arguments, os.environ, text, exit_code)
    return exit_code
