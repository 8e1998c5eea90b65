"""`action.yml` says what the program does: inputs, variables and outputs are derived from it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import yaml

from gate.cli.commands import main
from gate.cli.credentials import INPUT_OF
from gate.model import Outcome, Verdict
from gate.reports.result import outputs
from tests.conftest import ROOT
from tests.tables import each_row

ACTION: dict[str, Any] = yaml.load((ROOT / "action.yml").read_text(), yaml.CSafeLoader)  # ten times as fast
STEP = ACTION["runs"]["steps"][-1]


def options() -> dict[str, click.Option]:
    """Return the options of `wait` and `run` by their names."""
    found = {}
    for command in ("wait", "run"):
        for option in main.commands[command].params:
            if isinstance(option, click.Option) and option.name not in ("help", "version"):
                found[option.opts[0].removeprefix("--")] = option
    return found


def test_inputs_are_the_options() -> None:
    """Every option of `wait` and `run` is an input of the same name; beside them stand only these."""
    assert set(ACTION["inputs"]) == {*options(), *INPUT_OF.values(), "command", "targets"}


@each_row("name", ACTION["inputs"])
def test_input_is_described_and_has_no_default(name: str) -> None:
    """Each description is a sentence; defaults stand in the program only, so that a variable of the job counts."""
    assert ACTION["inputs"][name]["description"].endswith(".")
    assert set(ACTION["inputs"][name]) == {"description"}


def test_input_travels_under_its_own_name() -> None:
    """The script tells the program which variables came from inputs."""
    inputs = {f"GATE_INPUT_{name.upper().replace('-', '_')}": name for name in ACTION["inputs"] if name != "command"}
    expected = {"COMMAND": "command"} | inputs
    assert STEP["env"] == {variable: f"${{{{ inputs.{name} }}}}" for variable, name in expected.items()}


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
