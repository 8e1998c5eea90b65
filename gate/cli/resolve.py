"""From the values of options and variables to validated settings."""

import os
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gate.cli.credentials import choose
from gate.codearts.regions import endpoints
from gate.errors import UsageProblem
from gate.model import Order, Target
from gate.settings import Connection, Reports, Rules, Settings, check_unique

_RULES = (
    "commit", "max_age", "appear_timeout", "timeout", "poll_interval", "error_budget", "verdict_from", "require_tests",
    "fail_fast", "max_rate", "log_tail", "keep_running",
)  # fmt: skip
_REPORTS = ("junit", "summary", "outputs", "platform", "json", "quiet", "verbose")


def settle(targets: Sequence[Target], values: Mapping[str, Any], order: Order | None = None) -> Settings:
    """Make the settings of one run; raises `UsageProblem` that names the option or the variable that is wrong."""
    check_files(values)
    return Settings(
        targets=targets,
        order=order,
        connection=connection(values),
        rules=Rules(**{name: values[name] for name in _RULES if name in values}),
        reports=Reports(**{name: values[name] for name in _REPORTS}),
    )


def order(target: Target, values: Mapping[str, Any]) -> Order:
    """Make the order of `run`."""
    if target.build_number is not None:
        raise UsageProblem("run starts a new build: give JOB_ID without a build number, or use wait for that build")
    if len(of := [f"--{name}" for name in ("branch", "tag", "commit") if values[name]]) > 1:
        raise UsageProblem(f"{' and '.join(of)} do not go together: a build is of one of them")
    names = [name for name, _ in values["parameters"]]
    check_unique(names, "--param is given twice with the name")
    return Order(
        job_id=target.job_id,
        parameters=values["parameters"],
        branch=values["branch"],
        tag=values["tag"],
        commit=values["commit"],
    )


def connection(values: Mapping[str, Any]) -> Connection:
    """Make the settings of the connection."""
    region = values["region"]
    known = endpoints(region) if region else None
    endpoint = (values["endpoint"] or "").strip() or (known.build if known else "")
    if not endpoint:
        raise UsageProblem("no endpoint: give --region or --endpoint (GATE_REGION, GATE_ENDPOINT)")
    choice = choose(values["auth"], values["token_file"], region, os.environ)
    if values["ca_bundle"] and endpoint.startswith("https:"):
        check_bundle(values["ca_bundle"])
    if values["auth"] == "auto" and not values.get("quiet"):
        click.echo(choice.told, err=True)
    return Connection(
        endpoint=endpoint,
        iam_endpoint=(values["iam_endpoint"] or "").strip() or (known.iam if known else ""),
        credential=choice.credential,
        ca_bundle=values["ca_bundle"],
        request_timeout=values["request_timeout"],
    )


def check_bundle(path: Path) -> None:
    """Raise `UsageProblem` unless `path` is a folder, or a file with CA certificates."""
    reason = ""
    try:
        if path.is_file():
            ssl.create_default_context(cafile=path)
        elif not path.is_dir():
            reason = "it is neither a file nor a folder"
    except ssl.SSLError:
        reason = "it holds no certificates in PEM"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    if reason:
        raise UsageProblem(
            f"--ca-bundle {path} cannot be used: {reason}",
            hint="It may come from GATE_CA_BUNDLE or REQUESTS_CA_BUNDLE, too.",
        )


def check_files(values: Mapping[str, Any]) -> None:
    """Raise `UsageProblem` when two options name one file, which would be lost, or when a report has a blank name."""
    named: dict[str, str] = {}
    for option in ("--token-file", "--ca-bundle", "--junit", "--summary", "--outputs"):
        path: Path | None = values[option[2:].replace("-", "_")]
        if path is None or (os.path.exists(path) and not os.path.isfile(path)):  # noqa: PTH110, PTH113 - these never raise
            continue  # a device or a pipe takes any number of reports
        if not str(path).strip():
            raise UsageProblem(f"{option} must be the name of a file, not a blank")
        real = os.path.realpath(path)
        if real in named:
            raise UsageProblem(f"{named[real]} and {option} name the same file, {path}")
        named[real] = option
