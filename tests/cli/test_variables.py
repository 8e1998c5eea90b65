"""One rule for all variables, and warnings about misspelt ones."""

from pathlib import Path
from typing import Any

import click
import pytest

from gate.cli import param_types, variables
from gate.cli.commands import execute, known_variables, main
from gate.cli.credentials import choose
from gate.cli.options import GateArgument, GateOption, place
from gate.cli.options import variables as variables_of
from gate.settings import IamUser
from tests.tables import each_row

JOB = "0123456789abcdef0123456789abcdef"

GOOD: dict[type, str] = {
    param_types.Duration: "7s",
    param_types.Text: "https://x.example",
    param_types.Commit: "abcdef0",
    param_types.GitName: "main",
    param_types.Region: "cn-north-4",
    param_types.FilePath: "some-file",
    param_types.FolderPath: "some-folder",
    param_types.Instant: "1800000000",
    param_types.ProjectId: "p" * 32,
    param_types.LinkTemplate: "https://x.example/{job_id}",
    param_types.TargetType: f"app={JOB}",
    param_types.Number: "2",
    param_types.Flag: "true",
    click.Path: "/",
}
"""A value that each type of parameter accepts."""

PARAMETERS = [
    (command, parameter, name)
    for command in ("wait", "run")
    for parameter in main.commands[command].params
    for name in variables_of(parameter)
    if name != "GATE_PARAM"
]


def value_of(command: str, name: str) -> Any:
    """Return the value of one parameter of a command without arguments."""
    return main.commands[command].make_context(command, []).params[name]


def good_value(parameter: click.Parameter) -> str:
    """Return a value that a parameter accepts and that is not its default."""
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[-1])
    return GOOD[type(parameter.type)]


@each_row(("command", "parameter", "name"), PARAMETERS)
def test_white_space_around_a_value_is_dropped_and_a_blank_variable_is_not_set(
    monkeypatch: pytest.MonkeyPatch, command: str, parameter: click.Parameter, name: str
) -> None:
    """Secrets of CI systems and blocks of YAML end with a newline; an input left empty arrives as a blank.

    A byte order mark, with which PowerShell begins a file, counts as white space.
    """
    assert parameter.name is not None
    unset = value_of(command, parameter.name)
    monkeypatch.setenv(name, good_value(parameter))
    plain = value_of(command, parameter.name)
    monkeypatch.setenv(name, f"\ufeff \t\n{good_value(parameter)}\r\n ")
    assert plain != unset
    assert value_of(command, parameter.name) == plain
    for blank in ("", " ", "\n", " \r\n\t", "\ufeff\n"):
        monkeypatch.setenv(name, blank)
        assert value_of(command, parameter.name) == unset


def test_every_parameter_with_a_variable_is_read_by_the_one_rule() -> None:
    """An option that click reads by itself would have a rule of its own."""
    for command in main.commands.values():
        for parameter in command.params:
            assert isinstance(parameter, GateOption | GateArgument) or not parameter.envvar


def test_blank_first_variable_leaves_the_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """`GATE_CA_BUNDLE=""` does not hide REQUESTS_CA_BUNDLE."""
    monkeypatch.setenv("GATE_CA_BUNDLE", " ")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/")
    assert value_of("wait", "ca_bundle") == Path("/")


def test_parameters_stand_one_on_a_line_and_their_values_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only LF and CRLF end a line; an indentation is none of the name's, white space behind a value is part of it."""
    monkeypatch.setenv("GATE_PARAM", "a= x \r\n\n  b=1\u20282\x0c3\x85\r4\n\t c=\n   \n")
    assert value_of("run", "parameters") == (("a", " x "), ("b", "1\u20282\x0c3\x85\r4"), ("c", ""))
    monkeypatch.setenv("GATE_PARAM", "last=x ")
    assert value_of("run", "parameters") == (("last", "x "),)


def test_white_space_around_names_of_an_iam_user_is_dropped_but_not_around_the_password() -> None:
    """A password may begin or end with a space. A byte order mark counts as white space."""
    environment = {
        "GATE_IAM_USER": "\ufeff user\n",
        "GATE_IAM_PASSWORD": " password\n",
        "GATE_IAM_DOMAIN": "\u8d26\u53f7\r\n",
        "GATE_IAM_PROJECT": " project\n",
    }
    user = choose("auto", None, None, environment).credential
    assert user == IamUser(name="user", password=" password\n", domain="\u8d26\u53f7", project="project")


@each_row(("command", "parameter", "name"), PARAMETERS)
def test_error_names_the_option_or_the_variable_whichever_the_value_came_from(
    monkeypatch: pytest.MonkeyPatch, command: str, parameter: click.Parameter, name: str
) -> None:
    """Who set a variable in a pipeline's settings looks for its name."""
    context = click.Context(main.commands[command])
    monkeypatch.setenv(name, f"{good_value(parameter)}\n")
    parameter.handle_parse_result(context, {}, [])
    assert place(parameter, context) == name
    given = [good_value(parameter)] if parameter.nargs == -1 else good_value(parameter)
    parameter.handle_parse_result(context, {str(parameter.name): given}, [])
    assert place(parameter, context) in (parameter.opts[0], parameter.human_readable_name)


@each_row(
    ("misspelt", "meant"),
    [
        ("GATE_TIMOUT", "GATE_TIMEOUT"),
        ("GATE_TARGET", "GATE_TARGETS"),
        ("GATE_PASSWORD", "GATE_IAM_PASSWORD"),
        ("GATE_TOKENFILE", "GATE_TOKEN_FILE"),
        ("GATE_POLLINTERVAL", "GATE_POLL_INTERVAL"),
        ("gate_region", "GATE_REGION"),
        ("gate_timeout", "GATE_TIMEOUT"),  # not GATE_APPEAR_TIMEOUT
    ],
)
def test_misspelt_variable_is_warned_about(misspelt: str, meant: str) -> None:
    """It has no effect, and nothing else would say so."""
    (warning,) = variables.warnings([misspelt], known_variables())
    assert misspelt in warning
    assert f"did you mean {meant}?" in warning


@each_row("name", ["GATE_PACKAGE", "GATE_CI", "GATE_HOME", "GATE_NAME", "GATE_URL_OF_SPINNAKER", "GATE_"])
def test_variable_of_another_program_is_left_alone(name: str) -> None:
    """Others use the prefix too."""
    assert variables.warnings([name], known_variables()) == []


def test_warning_comes_before_what_is_missing_and_outputs_of_a_former_step_are_none(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The misspelt variable is why it is missing; GATE_VERDICT and others are set by a former step's dotenv file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATE_TARGET", JOB)
    for name in (
        "GATE_VERDICT",
        "GATE_BUILD_NUMBER",
        "GATE_ORDERED",
        "GATE_BUILD_LINK",
        "GATE_REPORT",
        "GATE_ELAPSED_SECONDS",
    ):
        monkeypatch.setenv(name, "57")
    assert execute(["wait"], 0.0) == 2
    first, second = capfd.readouterr().err.splitlines()
    assert first == "warning: the variable GATE_TARGET is not known and has no effect; did you mean GATE_TARGETS?"
    assert second.startswith("Error: no target")


def test_variables_of_credentials_are_known_too() -> None:
    """They belong to no option."""
    assert {"GATE_TOKEN", "GATE_IAM_PROJECT", "HUAWEICLOUD_SDK_SK", "GATE_NO_WAIT", "GATE_MAX_AGE"} <= known_variables()
