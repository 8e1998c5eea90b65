"""README and reference say what the program does, in English and in Chinese: commands, tables and links are checked."""

import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import click
import pytest

from gate.cli.commands import main
from gate.core.verdict import exit_code
from gate.model import Outcome, Verdict
from gate.reports.fields import meanings
from gate.reports.result import document
from tests.conftest import ROOT
from tests.pictures import START, outcomes
from tests.tables import each_row

ENGLISH = (ROOT / "README.md", ROOT / ".github" / "REFERENCE.md")
CHINESE = (ROOT / ".github" / "README.zh-CN.md", ROOT / ".github" / "REFERENCE.zh-CN.md")
README, REFERENCE = (file.read_text() for file in ENGLISH)
COMMANDS = ("wait", "run")
WIDTH = 100
"""Columns of prose."""

FOREIGN = {"--dist", "--group"}
"""Options of other programs in the README."""


def part(name: str, text: str) -> str:
    """Return what stands between the markers of a part of a page."""
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert match is not None
    return match[1]


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


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


def options_table() -> str:
    """Return the table of all options of `wait` and `run`, in the order of their help."""
    seen: dict[str, str] = {}
    for command in COMMANDS:
        for option in main.commands[command].params:
            if isinstance(option, click.Option) and option.name not in ("help", "version"):
                only = {"run": " (`run` only)"}.get(command, "")
                text = row(option)
                seen.setdefault(option.opts[0], text if command == "wait" else text[:-3] + only + " |\n")
    return "| option | variable | default | meaning |\n|---|---|---|---|\n" + "".join(seen.values())


def json_table() -> str:
    """Return the table of all fields of the JSON document."""
    rows = [f"| `{path}` | {meaning} |\n" for path, meaning in meanings().items()]
    return "| field | meaning |\n|---|---|\n" + "".join(rows)


def test_table_of_options_is_that_of_the_program() -> None:
    """Every option of `wait` and `run` stands in the reference with its variable, default and meaning."""
    assert part("options", REFERENCE) == options_table(), "put this between the markers:\n" + options_table()


def test_table_of_json_fields_is_that_of_the_program() -> None:
    """Every field of the JSON document stands in the reference with its meaning."""
    assert part("json", REFERENCE) == json_table(), "put this between the markers:\n" + json_table()


def json_example() -> str:
    """Return the JSON document of a run with a build that failed and one that passed, as it is printed with indents."""
    failed, passed = outcomes()[:2]
    targets = [dataclasses.replace(failed, stages=failed.stages[-1:], polls=7), dataclasses.replace(passed, stages=())]
    outcome = Outcome(
        verdict=Verdict.FAILED, exit_code=1, started_at=START, elapsed_seconds=74.25, api_calls=31, targets=targets
    )
    return f"```json\n{json.dumps(document(outcome), indent=2)}\n```\n"


def test_example_of_the_json_document_is_made_by_the_program() -> None:
    """With stages of the first build only, to keep it short."""
    assert part("example", REFERENCE) == json_example(), "put this between the markers:\n" + json_example()


def test_table_of_verdicts_has_every_verdict_with_its_exit_code() -> None:
    """A new verdict, or another code, has to be told."""
    told = dict(re.findall(r"^\| (\d+)[\d, ]* \| `([\w-]+)` \|", part("verdicts", README), re.MULTILINE))
    codes = {str(exit_code(verdict)) for verdict in Verdict} | {"2"}
    assert set(told) == codes
    assert {verdict.token for verdict in Verdict} == set(re.findall(r"\| `([\w-]+)` \|", part("verdicts", README)))
    for code, verdict in re.findall(r"^\| (\d+)[\d, ]* \| `([\w-]+)` \|", part("verdicts", README), re.MULTILINE):
        if code != "2":
            assert exit_code(next(one for one in Verdict if one.token == verdict)) == int(code)


@each_row("name", ["install", "demo", "tests"])
def test_marked_command_is_a_single_line(name: str) -> None:
    """A command that CI runs is one line in a block of its own."""
    assert re.search(rf"<!-- {name} -->\n```sh\n[^\n]+\n```\n", README)


@each_row("command", sorted(main.commands))
def test_every_command_is_mentioned(command: str) -> None:
    """No command of the program is missing from the README."""
    assert re.search(rf"codearts-gate {command}\b|`{command}`", README)


def test_every_command_line_is_one_that_the_program_takes() -> None:
    """What the README shows can be typed."""
    lines = [line for block in blocks(README, "sh") for line in block.splitlines() if line.startswith("codearts-gate")]
    assert len(lines) > 4
    for line in lines:
        name, *arguments = shlex.split(line)[1:]
        assert main.commands[name].make_context(name, arguments).params


def test_demo_shows_what_the_readme_shows(tmp_path: Path) -> None:
    """The first thing that a newcomer sees is true, but for the times."""
    if sys.platform == "win32":
        pytest.skip("Windows has no pty")
    from tests.platforms.screen import Screen

    screen = Screen(160, 24)
    process = subprocess.Popen(
        [sys.executable, "-m", "gate", "demo"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=screen.theirs,
        stderr=screen.theirs,
    )
    screen.watch()
    assert process.wait(30) == 0
    assert without_times("\n".join(screen.shown())) == without_times(blocks(README, "text")[0])


def without_times(text: str) -> list[str]:
    """Return the lines without their times."""
    return re.sub(r"after [\d.]+ s\b", "", text).splitlines()


@pytest.mark.parametrize("file", ENGLISH, ids=lambda file: file.name)
def test_english_prose_is_not_wider_than_a_screen(file: Path) -> None:
    """Tables and shown output aside."""
    assert [line for line in prose(file) if len(line) > WIDTH] == []


@pytest.mark.parametrize("file", CHINESE, ids=lambda file: file.name)
def test_chinese_paragraph_is_one_line(file: Path) -> None:
    """A line break shows as a blank inside a word, and so does a blank after full-width punctuation."""
    starts = re.compile(r"#|- |\d\. |<!--|$")
    pairs = pairwise(prose(file))
    assert [after for before, after in pairs if before.strip() and not starts.match(after)] == []
    blanks = re.compile(r"[\u3000-\u303f\uff00-\uffef\u201c\u201d] (?!\|)")
    assert [line for line in file.read_text().splitlines() if blanks.search(line)] == []


def prose(file: Path) -> list[str]:
    """Return the lines that are neither code nor part of a table."""
    text = re.sub(r"^```.*?^```$", "", file.read_text(), flags=re.DOTALL | re.MULTILINE)
    return [line for line in text.splitlines() if not line.startswith("|")]


@pytest.mark.parametrize("pair", list(zip(ENGLISH, CHINESE, strict=True)), ids=lambda pair: pair[0].name)
def test_chinese_page_has_the_same_code_as_the_english_one(pair: tuple[Path, Path]) -> None:
    """The two say the same: headings, every code block, and in every table the same things in code."""
    english, chinese = (page.read_text() for page in pair)
    for pattern in (r"^```.*?^```$", r"^#+ "):
        assert re.findall(pattern, chinese, re.DOTALL | re.MULTILINE) == re.findall(
            pattern, english, re.DOTALL | re.MULTILINE
        )
    assert code_in_tables(chinese) == code_in_tables(english)


def code_in_tables(text: str) -> list[list[str]]:
    """Return what stands in code in each row of each table."""
    return [re.findall(r"`([^`]+)`", line) for line in text.splitlines() if line.startswith("|")]


@each_row("file", [*ENGLISH, *CHINESE])
def test_every_link_leads_somewhere(file: Path) -> None:
    """A file that moves takes its mention along, and so does a heading."""
    links = [link for link in re.findall(r"\]\(([^)]+)\)", file.read_text()) if "://" not in link]
    assert links
    for path, _, heading in (link.partition("#") for link in links):
        page = file.parent / path
        assert page.exists(), path
        assert not heading or heading in headings(page), heading


def headings(page: Path) -> list[str]:
    """Return the anchors of the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]


def test_readme_leads_to_the_reference() -> None:
    """What was moved there is found."""
    assert "(.github/REFERENCE.md)" in README


def test_every_option_in_the_readme_exists() -> None:
    """A name that changes takes its mention along."""
    names = {name for command in main.commands.values() for parameter in command.params for name in parameter.opts}
    assert set(re.findall(r"--[a-z][a-z-]+", README)) <= names | FOREIGN
