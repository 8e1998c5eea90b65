"""What `--help` shows."""

import re
import shlex

import pytest
from click.testing import CliRunner

from gate.cli import job_list
from gate.cli.commands import execute, main
from gate.cli.credentials import FAMILIES, OPTIONAL
from gate.core.verdict import exit_code
from gate.errors import GateError, GaveUp, ServiceFailing
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


@each_row("command", sorted(main.commands))
def test_help_tells_the_exit_codes(command: str) -> None:
    """Scripts depend on them."""
    text = CliRunner().invoke(main, [command, "--help"]).output
    codes = re.findall(r"\b\d\b", " ".join(text.partition("Exit codes: ")[2].split()))
    assert codes == (["0", "2", "5"] if command in ("doctor", "jobs", "simulate") else [])  # others: see above
    assert "Exit codes:" in text


@each_row("command", ["wait", "run", "jobs", "doctor"])
def test_help_names_the_variables_of_credentials(command: str) -> None:
    """No option has a credential, so nothing else in the help tells where it comes from."""
    text = CliRunner().invoke(main, [command, "--help"]).output
    names = [*(name for family in FAMILIES.values() for name in family), *OPTIONAL]
    assert [name for name in names if name not in text] == []


def errors(kind: type[GateError]) -> set[type[GateError]]:
    """Return a class of errors with all below it."""
    return {kind}.union(*map(errors, kind.__subclasses__()))


@each_row("command", sorted(main.commands))
def test_advice_names_no_option_that_the_command_lacks(command: str) -> None:
    """`jobs` and `doctor` meet the errors of the service too, and have no error budget to increase."""
    options = {option for one in main.commands[command].params for option in one.opts}
    for kind in errors(GateError) if command not in ("demo", "simulate") else ():
        advice = kind("it failed").hint_for(command)
        assert set(re.findall(r"--[a-z-]+", advice)) <= options, kind
        assert bool(advice) == bool(kind.hint)
        assert f"codearts-gate {command}`" not in advice


def test_jobs_that_gave_up_names_no_option_of_wait(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its time for failures is its own."""

    def give_up(*_: object, **__: object) -> int:
        raise GaveUp("no usable answer for 10 s: HTTP 500", hint=ServiceFailing.hint)

    monkeypatch.setattr(job_list, "show", give_up)
    monkeypatch.setenv("GATE_TOKEN", "T")
    assert execute(["jobs", "--region", "cn-north-4", "--codearts-project", "0" * 32], 0.0) == 5
    said = capsys.readouterr().err
    assert "The service may have a temporary problem" in said
    assert "--error-budget" not in said
    assert job_list.RULES.error_budget_source == ""
