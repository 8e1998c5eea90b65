"""From the values of options and variables to validated settings."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gate.codearts.regions import endpoints
from gate.errors import UsageProblem
from gate.model import Target
from gate.settings import Connection, Credential, Reports, Rules, Settings, Token

_RULES = (
    "commit", "max_age", "appear_timeout", "timeout", "poll_interval", "error_budget", "verdict_from", "require_tests",
    "fail_fast", "max_rate", "log_tail",
)  # fmt: skip
_REPORTS = ("junit", "summary", "outputs", "json", "quiet", "verbose")


def settle(targets: Sequence[Target], values: Mapping[str, Any]) -> Settings:
    """Make the settings of one run; raises `UsageProblem` that names the option or the variable that is wrong."""
    return Settings(
        targets=targets,
        connection=connection(values),
        rules=Rules(**{name: values[name] for name in _RULES if name in values}),
        reports=Reports(**{name: values[name] for name in _REPORTS}),
    )


def connection(values: Mapping[str, Any]) -> Connection:
    """Make the settings of the connection."""
    region = values["region"]
    known = endpoints(region) if region else None
    endpoint = values["endpoint"] or (known.build if known else "")
    if not endpoint:
        raise UsageProblem("no endpoint: give --region or --endpoint (GATE_REGION, GATE_ENDPOINT)")
    return Connection(
        endpoint=endpoint,
        iam_endpoint=values["iam_endpoint"] or (known.iam if known else ""),
        credential=credential(values["token_file"], os.environ),
        ca_bundle=values["ca_bundle"],
        request_timeout=values["request_timeout"],
    )


def credential(token_file: Path | None, environment: Mapping[str, str]) -> Credential:
    """Take the first credential that is set."""
    token = environment.get("GATE_TOKEN", "")
    if token and token_file:
        raise UsageProblem("GATE_TOKEN and --token-file are both given; keep one")
    if token or token_file:
        return Token(value=token, file=token_file)
    raise UsageProblem("no credential: set GATE_TOKEN, or give --token-file (GATE_TOKEN_FILE)")
