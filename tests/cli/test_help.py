"""What `--help` shows."""

import re
import shlex

import pytest
from click.testing import CliRunner

from gate.cli.commands import main
from gate.core.verdict import exit_code
from gate.model import Verdict


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


@pytest.mark.parametrize("command", sorted(main.commands))
def test_help_shows_every_option_once(command: str) -> None:
    """Also those that have no heading."""
    text = CliRunner().invoke(main, [command, "--help"]).output
    for parameter in main.commands[command].params:
        for name in parameter.opts if parameter.param_type_name == "option" else ():
            assert len(re.findall(rf"^  (?:-\w, )?{name}\b(?!-)", text, re.MULTILINE)) <= 1 or len(name) == 2
            assert re.search(rf"^  (?:-\w, )?{name}\b", text, re.MULTILINE) or len(name) == 2
