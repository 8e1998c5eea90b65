"""What `--help` shows."""

import re
import shlex

import pytest
from click.testing import CliRunner

from gate.cli.commands import main
from gate.core.verdict import exit_code
from gate.model import Verdict
from tests.tables import each_row


@pytest.mark.parametrize("command", ["wait", "run"])
def test_help_has_groups_an_example_and_the_exit_codes(command: str) -> None:
    """Forty options in one list are hard to read."""
    text = CliRunner().invoke(main, [command, "--help"]).output
    middle = "Which build is judged" if command == "wait" else "What is built"
    assert re.findall(r"^([A-Z].*):$", text, re.MULTILINE) == [
        "Service and credential", middle, "How to wait, and what passes", "Reports and output", "Other"
    ]  # fmt: skip
    (example,) = re.findall(r"^ +codearts-gate (.*)$", text, re.MULTILINE)
    name, *arguments = shlex.split(example)
    assert (name, bool(main.commands[name].make_context(name, arguments).params)) == (command, True)
    codes = text.partition("Exit codes:")[2]
    assert {str(exit_code(verdict)) for verdict in Verdict} | {"2"} <= set(re.findall(r"\b\d+\b", codes))
    assert all(len(line) <= 100 for line in text.splitlines())


@each_row("command", sorted(main.commands))
def test_help_shows_every_option_once(command: str) -> None:
    """Also those that have no heading; a wrapped line may begin with an option that is mentioned."""
    text = CliRunner().invoke(main, [command, "--help"]).output
    shown = re.findall(r"^  (?:-\w, )?(--[\w-]+)(?: |$)", text, re.MULTILINE)
    names = [one.opts[0] for one in main.commands[command].params if one.param_type_name == "option"]
    assert sorted(set(shown)) == sorted({*names, "--help"})
    assert len(shown) == len(set(shown))
