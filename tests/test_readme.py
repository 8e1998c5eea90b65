"""The README says what the program does: its commands, its table of options and its links are checked."""

import re
from pathlib import Path

import click
import pytest

from gate.cli.commands import main
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
COMMANDS = ("wait", "run")


def part(name: str) -> str:
    """Return what stands between the markers of a part of the README."""
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert match is not None
    return match[1]


def row(option: click.Option) -> str:
    """Return an option's row in the table."""
    variables = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or [])
    name = option.opts[0] + (" NAME=VALUE" if option.multiple else "")
    match option.default:
        case _ if isinstance(option.show_default, str):
            shown = option.show_default
        case _ if option.is_flag:
            shown = "`off`"
        case float(number):
            shown = f"`{number:g}`"
        case str() | int() | Path() as default:
            shown = f"`{default}`"
        case _:
            shown = "-"
    places = " ".join(f"`{name}`" for name in variables) or "-"
    return f"| `{name}` | {places} | {shown} | {option.help} |\n"


def expected_table() -> str:
    """Return the table of all options of `wait` and `run`, in the order of their help."""
    seen: dict[str, str] = {}
    for command in COMMANDS:
        for option in main.commands[command].params:
            if isinstance(option, click.Option) and option.name not in ("help", "version"):
                only = {"run": " (`run` only)"}.get(command, "")
                text = row(option)
                seen.setdefault(option.opts[0], text if command == "wait" else text[:-3] + only + " |\n")
    return "| option | variable | default | meaning |\n|---|---|---|---|\n" + "".join(seen.values())


def test_table_of_options_is_that_of_the_program() -> None:
    """Every option of `wait` and `run` stands in the README with its variable, default and meaning."""
    assert part("options") == expected_table(), "put this between the markers:\n" + expected_table()


def test_readme_is_short() -> None:
    """The README stays under 200 lines."""
    assert len(README.splitlines()) < 200


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_marked_command_is_a_single_line(name: str) -> None:
    """A command that CI runs is one line in a block of its own."""
    assert re.search(rf"<!-- {name} -->\n```sh\n[^\n]+\n```\n", README)


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_mentioned(command: str) -> None:
    """No command of the program is missing from the README."""
    assert re.search(rf"codearts-gate {command}\b|`{command}`", README)
