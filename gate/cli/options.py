"""The options of the command line, in the groups that commands share, and how their variables are read."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from gate import mistakes
from gate.cli.credentials import INPUTS
from gate.cli.param_types import (
    Commit,
    Duration,
    FilePath,
    Flag,
    FolderPath,
    GitName,
    Instant,
    LinkTemplate,
    Number,
    ParameterType,
    ProjectId,
    Region,
    TargetType,
    Text,
)
from gate.mistakes import Kind
from gate.text import trimmed

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class _VariableRule(click.Parameter):
    """A parameter whose variable is read by the rule for all, and whose errors name where the value is from."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:  # noqa: ARG002 - click's signature
        """Return the value of the variable, or `None` when it is not set or blank."""
        return _variable_of(self)[1]

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value as its type; raises `BadParameter` about a mistake that any value may have."""
        values = [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
        texts = [text for text in values if isinstance(text, str)]
        if isinstance(self.type, TargetType):
            mistake = mistakes.explain_targets(texts)
        elif isinstance(self.type, ParameterType):  # the values of parameters are taken as they are
            mistake = ""
        else:
            kind = Kind.FILE if isinstance(self.type, (FilePath, FolderPath, click.Path)) else Kind.VALUE
            mistake = next(filter(None, (mistakes.explain(text, kind) for text in texts)), "")
        if mistake:
            raise click.BadParameter(mistake, ctx, self)
        return super().type_cast_value(ctx, value)

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the place of the value, quoted: see `place`."""
        return f"'{place(self, ctx)}'"


class GateOption(_VariableRule, click.Option):
    """An option under the rule for variables."""

    heading = ""
    """The heading under which help shows it."""


class GateArgument(_VariableRule, click.Argument):
    """An argument under the rule for variables."""


def _variable_of(parameter: click.Parameter) -> tuple[str, str | None]:
    """Return the first variable of a parameter that is set and not blank, and its value without white space around.

    The values of parameters of a build (`GATE_PARAM`) keep theirs.
    """
    for name in variables(parameter):
        value = os.environ.get(name, "")
        if trimmed(value):
            return name, value if isinstance(parameter.type, ParameterType) else trimmed(value)
    return "", None


def variables(parameter: click.Parameter) -> Sequence[str]:
    """Return the names of the variables of a parameter."""
    names = parameter.envvar or ()
    return [names] if isinstance(names, str) else list(names)


def place(parameter: click.Parameter, ctx: click.Context | None) -> str:
    """Return the variable or the action's input if the value came from one, else the option or the argument."""
    source = ctx.get_parameter_source(parameter.name) if ctx and parameter.name else None
    if source is ParameterSource.ENVIRONMENT:
        variable = _variable_of(parameter)[0]
        is_input = variable in os.environ.get(INPUTS, "").split()
        return f"input {name_of(parameter)}" if is_input else variable
    return parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name


def name_of(parameter: click.Parameter) -> str:
    """Return what an option and the action's input of the same meaning are called; targets are an argument here."""
    return parameter.opts[0].lstrip("-") if isinstance(parameter, click.Option) else "targets"


def places() -> Mapping[str, str]:
    """Return, for each parameter of the command that runs, where its value came from."""
    ctx = click.get_current_context()
    return {parameter.name: place(parameter, ctx) for parameter in ctx.command.params if parameter.name}


def given() -> Collection[str]:
    """Return the parameters of the command that runs whose value somebody has given, by an option or a variable."""
    ctx = click.get_current_context()
    return [name for name in ctx.params if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT]


def option(name: str, *more: str, **kwargs: Any) -> Decorator:
    """Make an option with the variable that belongs to it, `GATE_` and the option's name, shown in its help."""
    kwargs.setdefault("envvar", "GATE_" + name.lstrip("-").replace("-", "_").upper())
    kwargs.setdefault("show_default", True)
    if kwargs.get("is_flag"):
        kwargs.setdefault("type", Flag())
    return click.option(name, *more, cls=GateOption, show_envvar=True, **kwargs)


def all_of(heading: str, *decorators: Decorator) -> Decorator:
    """Make one decorator of several, in the order in which help shows them under `heading`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        before = len(getattr(function, "__click_params__", ()))
        for decorator in reversed(decorators):
            function = decorator(function)
        for parameter in function.__click_params__[before:]:  # type: ignore[attr-defined]
            parameter.heading = parameter.heading or heading
        return function

    return decorate


CONNECTION = "Service and credential"

CREDENTIAL = (
    "The credential comes from GATE_TOKEN or --token-file, from HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or from "
    "GATE_IAM_USER, GATE_IAM_PASSWORD and GATE_IAM_DOMAIN. HUAWEICLOUD_SDK_SECURITY_TOKEN, HUAWEICLOUD_SDK_PROJECT_ID "
    "and GATE_IAM_PROJECT (default: the region) may go with the last two."
)


class GroupedCommand(click.Command):
    """A command whose help shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group, those without a heading last."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                groups.setdefault(getattr(parameter, "heading", ""), []).append(record)
        others = groups.pop("", [])
        for heading, records in [*groups.items(), ("Other", others)]:
            with formatter.section(heading):
                formatter.write_dl(records)
                if heading == CONNECTION:
                    formatter.write_paragraph()
                    formatter.write_text(CREDENTIAL)


targets = click.argument(
    "targets", nargs=-1, type=TargetType(), cls=GateArgument, envvar="GATE_TARGETS", metavar="TARGET..."
)

connection = all_of(
    CONNECTION,
    option("--region", type=Region(), help="A region of CodeArts Build; sets both endpoints."),
    option(
        "--endpoint",
        type=Text(),
        metavar="URL",
        show_default="that of the region",
        help="The base URL of CodeArts Build; https, unless it is on loopback.",
    ),
    option(
        "--iam-endpoint", type=Text(), metavar="URL", show_default="that of the region", help="The base URL of IAM."
    ),
    option(
        "--auth",
        type=click.Choice(["auto", "token", "aksk", "password"]),
        default="auto",
        help="Which credential to use; auto takes the first that is set.",
    ),
    option(
        "--token-file", type=FilePath(), help="A file that contains an X-Auth-Token; read again when it is refused."
    ),
    option(
        "--ca-bundle",
        type=click.Path(path_type=Path, exists=True, readable=True),
        envvar=["GATE_CA_BUNDLE", "REQUESTS_CA_BUNDLE"],
        help="A file or folder of CA certificates to trust instead of the usual ones.",
    ),
    option(
        "--request-timeout", type=Duration(), default="10s", help="Time for one request, from connect to last byte."
    ),
)

project = all_of(
    CONNECTION,
    option(
        "--codearts-project",
        type=ProjectId(),
        metavar="PROJECT_ID",
        is_eager=True,  # what a target may be depends on it
        help="The CodeArts project (not the IAM project) whose jobs may be given by name.",
    ),
)

waiting = all_of(
    "How to wait, and what passes",
    project,
    option("--timeout", type=Duration(), default="60m", help="Time from the start of the process to the verdict."),
    option("--queue-timeout", type=Duration(), help="How long a build may be queued before it runs."),
    option("--poll-interval", type=Duration(), default="10s", help="Time between two requests about one build."),
    option(
        "--error-budget",
        type=Duration(zero=True),
        default="5m",
        help="How long requests about a target may fail before the gate gives up on it.",
    ),
    option(
        "--max-rate",
        type=Number(1, 60000, whole=False),
        metavar="NUMBER",
        default=60,
        help="Requests per minute at most, for the whole process.",
    ),
    option("--require-tests", is_flag=True, help="Pass only builds that have unit tests, none of which failed."),
    option("--fail-fast", is_flag=True, help="End at the first target that did not pass."),
    option(
        "--log-tail",
        type=Number(0, 10000),
        metavar="LINES",
        default=50,
        help="Lines of the log to show when a build did not pass; 0 for none.",
    ),
    option("--follow", is_flag=True, help="Show the log of a build while it runs."),
    option(
        "--build-url",
        type=LinkTemplate(),
        metavar="TEMPLATE",
        help="The link to a build, with {job_id}, {build_number}, {project_id} or {region} in it.",
    ),
)

selecting = all_of(
    "Which build is judged",
    option("--commit", type=Commit(), help="Judge the newest build of this commit, 7 to 40 hex digits."),
    option("--branch", type=GitName(), help="Judge the newest build of this branch; with --commit, of both."),
    option(
        "--since",
        type=Instant(),
        metavar="TIME",
        help="Judge only builds created at this time or later: ISO 8601 with a zone, or seconds since 1970.",
    ),
    option(
        "--max-age",
        type=Duration(zero=True),
        show_default="15m; with --commit, --branch or --since, any time",
        help="How long ago a build may have ended and still be judged.",
    ),
    option("--appear-timeout", type=Duration(zero=True), default="5m", help="How long to wait for a build to appear."),
    option(
        "--if-none",
        type=click.Choice(["fail", "pass"]),
        default="fail",
        help="What it means when no build appeared in time although the service answered.",
    ),
    option(
        "--verdict",
        "verdict_from",
        envvar="GATE_VERDICT_FROM",
        type=click.Choice(["record", "status"]),
        default="record",
        help="Judge by the build's own record, or by the boolean of /status, which newer pages call 'is running'.",
    ),
    option("--stop", is_flag=True, help="Stop the builds, all given by number, when the gate ends before they do."),
)

ordering = all_of(
    "What is built",
    option(
        "--param",
        "parameters",
        type=ParameterType(),
        multiple=True,
        metavar="NAME=VALUE",
        help="A parameter of the build; may be repeated. The variable has one on each line.",
    ),
    option("--branch", type=GitName(), help="Build this branch."),
    option("--tag", type=GitName(), help="Build this tag."),
    option("--commit", type=Commit(), help="Build this commit, 7 to 40 hex digits."),
    option(
        "--reuse",
        is_flag=True,
        help="Where the newest build of --commit runs or has passed, take that instead of starting one.",
    ),
    option("--keep-running", is_flag=True, help="Do not stop builds when the gate ends before they do."),
    option("--no-wait", is_flag=True, help="Start builds, report their numbers and exit; nothing is waited for."),
    option(
        "--retries",
        type=Number(0, 3),
        metavar="NUMBER",
        default=0,
        help="How often to start the build again when it never ran (SCHEDULE_FAILURE); at most 3.",
    ),
)

REPORT = Path("gate-report.xml")

reporting = all_of(
    "Reports and output",
    option("--junit", type=FilePath(), default=REPORT, help="The JUnit report, always written."),
    option("--summary", type=FilePath(), help="A Markdown summary."),
    option("--log-dir", type=FolderPath(), help="A folder for the whole log of each build, LABEL.log."),
    option("--outputs", type=FilePath(), help="A dotenv file with the verdict, for later steps."),
    option(
        "--platform",
        type=click.Choice(["auto", "github", "gitlab", "jenkins", "none"]),
        default="auto",
        help="The CI system whose log, outputs and summary are used.",
    ),
    option("--json", is_flag=True, help="Print the whole result as one JSON document on stdout."),
    option("--quiet", "-q", is_flag=True, help="Print only how it ended."),
    option("--verbose", "-v", is_flag=True, help="Print every request with its status and time."),
)
