"""`action.yml` says what the program does: inputs, defaults, variables, outputs and locks are derived from it."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from gate.cli.commands import main
from gate.model import Outcome, Verdict
from gate.reports.result import outputs
from tests.conftest import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEP = ACTION["runs"]["steps"][-1]
LOCKS = ("requirements.txt", "requirements-aksk.txt")

CREDENTIALS = {
    "token": "GATE_TOKEN",
    "ak": "HUAWEICLOUD_SDK_AK",
    "sk": "HUAWEICLOUD_SDK_SK",
    "security-token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "project-id": "HUAWEICLOUD_SDK_PROJECT_ID",
    "iam-user": "GATE_IAM_USER",
    "iam-password": "GATE_IAM_PASSWORD",
    "iam-domain": "GATE_IAM_DOMAIN",
    "iam-project": "GATE_IAM_PROJECT",
}
"""The credentials' variables, which are no options, by input."""


def options() -> dict[str, click.Option]:
    """Return the options of `wait` and `run` by their names."""
    found = {}
    for command in ("wait", "run"):
        for option in main.commands[command].params:
            if isinstance(option, click.Option) and option.name != "help":
                found[option.opts[0].removeprefix("--")] = option
    return found


def default_of(option: click.Option) -> str:
    """Return an option's default as an input has it."""
    if option.is_flag:
        return "false"
    known = isinstance(option.default, (str, int, float, Path))
    return f"{option.default:g}" if isinstance(option.default, float) else str(option.default) if known else ""


def variable_of(option: click.Option) -> str | None:
    """Return the first variable of an option."""
    return option.envvar if isinstance(option.envvar, str) or option.envvar is None else option.envvar[0]


def test_inputs_are_the_options() -> None:
    """Every option of `wait` and `run` is an input of the same name; beside them stand only these."""
    assert set(ACTION["inputs"]) == {*options(), *CREDENTIALS, "command", "targets"}


@pytest.mark.parametrize("name", options())
def test_default_of_the_input_is_that_of_the_option(name: str) -> None:
    """Nobody has to look up in two places what happens without the input."""
    assert ACTION["inputs"][name]["default"] == default_of(options()[name])


@pytest.mark.parametrize("name", ACTION["inputs"])
def test_input_is_described(name: str) -> None:
    """Each description is a sentence, and each input but the targets has a default."""
    assert ACTION["inputs"][name]["description"].endswith(".")
    assert ("default" in ACTION["inputs"][name]) == (name != "targets")


@pytest.mark.parametrize("name", [*options(), *CREDENTIALS])
def test_input_travels_through_its_variable(name: str) -> None:
    """An input reaches the program by the option's own variable; one left empty does not hide the job's variable."""
    option = options().get(name)
    variable = variable_of(option) if option else CREDENTIALS[name]
    default = ACTION["inputs"][name]["default"]
    expected = f"${{{{ inputs.{name} }}}}" if default else f"${{{{ inputs.{name} || env.{variable} }}}}"
    assert STEP["env"][variable or name.upper()] == expected


def test_script_holds_no_expression() -> None:
    """No input can become a part of the script."""
    assert all("${{" not in step["run"] for step in ACTION["runs"]["steps"])


def test_outputs_are_those_of_the_program() -> None:
    """The outputs that the program writes are all passed on, under their own names."""
    start = datetime(2024, 9, 24, tzinfo=UTC)
    outcome = Outcome(verdict=Verdict.PASSED, exit_code=0, started_at=start, elapsed_seconds=1, api_calls=1, targets=[])
    names = [*outputs(outcome, Path("r.xml")), "results"]
    values = {name: output["value"] for name, output in ACTION["outputs"].items()}
    assert values == {name: f"${{{{ steps.{STEP['id']}.outputs.{name} }}}}" for name in names}


def pins(lock: str) -> dict[str, str]:
    """Return the versions in a lock by package."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+) \\$", (ROOT / ".github" / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_package_by_hash_and_names_no_host(lock: str) -> None:
    """Each package has a version and hashes, and comes from whatever index the runner is set up for."""
    text = (ROOT / ".github" / lock).read_text()
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert re.fullmatch(r"(?:[a-z0-9._-]+==\S+(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n)+", body)
    assert "://" not in text


def test_locks_hold_what_the_package_needs() -> None:
    """The dependencies, the build backend and the extra are in the locks, which agree with each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    small, large = (pins(lock) for lock in LOCKS)
    assert {re.split("[<>=]", need)[0].replace("_", "-") for need in needs} <= set(small)
    extra = {re.split("[<>=]", need)[0] for need in project["project"]["optional-dependencies"]["aksk"]}
    assert extra <= set(large)
    assert small.items() <= large.items()


def test_lock_for_aksk_installs_on_musl_too() -> None:
    """The vendor's core from 3.1.136 on brings pymongo, which has no wheel for musl."""
    assert "pymongo" not in pins("requirements-aksk.txt")
