"""The options of the command line, in the groups that commands share."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gate.cli.param_types import Duration, ParameterType, Pattern
from gate.model import Target

COMMIT = Pattern("commit", r"[0-9A-Fa-f]{7,40}", "a commit of 7 to 40 hex digits")
FILE = click.Path(path_type=Path)
READABLE_FILE = click.Path(path_type=Path, exists=True, readable=True)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def option(name: str, *more: str, **kwargs: Any) -> Decorator:
    """Make an option with the variable that belongs to it, `GATE_` and the option's name, shown in its help."""
    kwargs.setdefault("envvar", "GATE_" + name.lstrip("-").replace("-", "_").upper())
    kwargs.setdefault("show_default", True)
    return click.option(name, *more, show_envvar=True, **kwargs)


def all_of(*decorators: Decorator) -> Decorator:
    """Make one decorator of several, in the order in which help shows them."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


connection = all_of(
    option("--region", help="A region of CodeArts Build; gives both endpoints."),
    option("--endpoint", help="The base URL of CodeArts Build, https unless on loopback.  [default: the region's]"),
    option("--iam-endpoint", help="The base URL of IAM.  [default: the region's]"),
    option("--auth", type=click.Choice(["auto", "token", "aksk", "password"]), default="auto", help="How to sign in."),
    option("--token-file", type=FILE, help="A file that holds an X-Auth-Token; read again when it is refused."),
    option(
        "--ca-bundle",
        type=READABLE_FILE,
        envvar=["GATE_CA_BUNDLE", "REQUESTS_CA_BUNDLE"],
        help="A file or folder of CA certificates to trust instead of the usual ones.",
    ),
    option("--request-timeout", type=Duration(), default="10s", help="One request, from connect to last byte."),
)

waiting = all_of(
    option("--timeout", type=Duration(), default="60m", help="From process start to verdict."),
    option("--poll-interval", type=Duration(), default="10s", help="The steady time between two looks at a build."),
    option("--error-budget", type=Duration(zero=True), default="5m", help="How long the service may keep failing."),
    option(
        "--max-rate",
        type=click.FloatRange(1, 60000),
        metavar="NUMBER",
        default=60,
        help="Requests a minute at most, for the whole process.",
    ),
    option("--require-tests", is_flag=True, help="Pass only builds with unit tests, none of which failed."),
    option(
        "--log-tail",
        type=click.IntRange(0, 10000),
        metavar="LINES",
        default=50,
        help="Lines of the log to show when a build did not pass.",
    ),
)

selecting = all_of(
    option("--commit", type=COMMIT, help="Judge the newest build of this commit, 7 to 40 hex digits."),
    option("--max-age", type=Duration(zero=True), default="15m", help="How old an ended build may be to be judged."),
    option("--appear-timeout", type=Duration(zero=True), default="5m", help="How long to wait for a build to appear."),
    option(
        "--verdict",
        "verdict_from",
        envvar="GATE_VERDICT_FROM",
        type=click.Choice(["record", "status"]),
        default="record",
        help="Judge by the build's own record, or by the boolean of /status, which newer pages call 'is running'.",
    ),
    option("--fail-fast", is_flag=True, help="End at the first target that did not pass."),
)

ordering = all_of(
    option(
        "--param",
        "parameters",
        type=ParameterType(),
        multiple=True,
        metavar="NAME=VALUE",
        help="A parameter of the build; may be given again. The variable has one on each line.",
    ),
    option("--branch", help="Build this branch."),
    option("--tag", help="Build this tag."),
    option("--commit", type=COMMIT, help="Build this commit, 7 to 40 hex digits."),
    option("--keep-running", is_flag=True, help="Do not stop the build when the gate times out or is interrupted."),
)

reporting = all_of(
    option("--junit", type=FILE, default=Path("gate-report.xml"), help="The JUnit report, always written."),
    option("--summary", type=FILE, help="A Markdown summary."),
    option("--outputs", type=FILE, help="A dotenv file with the verdict, for later steps."),
    option(
        "--platform",
        type=click.Choice(["auto", "github", "gitlab", "jenkins", "none"]),
        default="auto",
        help="The CI system whose log, outputs and summary are served.",
    ),
    click.option("--json", is_flag=True, help="Print the whole result as one JSON document on stdout."),
    click.option("--quiet", is_flag=True, help="Say only how it ended."),
    click.option("--verbose", is_flag=True, help="Say every request, with its status and time."),
)


def label_apart(targets: Sequence[Target]) -> list[Target]:
    """Return targets that share a job and have no label of their own a number behind it, in their order."""
    counts: dict[str, int] = {}
    apart = []
    for target in targets:
        counts[target.label] = counts.get(target.label, 0) + 1
        number = counts[target.label]
        own = target.label != target.job_id
        apart.append(target if own or number == 1 else replace(target, label=f"{target.label}.{number}"))
    return apart
