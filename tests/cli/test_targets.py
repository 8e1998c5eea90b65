"""What a target may be: a job id, the address of a page of the console, or a name where a project is given."""

import click
import pytest

from gate.cli.commands import main
from gate.cli.param_types import TargetType, job_of_address
from gate.model import Target
from tests.tables import each_row

JOB = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
PROJECT = "p" * 32
CONSOLE = "https://devcloud.cn-north-4.huaweicloud.com/codeci"


def targets(*texts: str, project: str = PROJECT) -> list[Target]:
    """Return the targets of a command line with a project."""
    options = ["--codearts-project", project] if project else []
    return list(main.commands["wait"].make_context("wait", [*texts, *options]).params["targets"])


@each_row(
    ("address", "job"),
    [
        (f"{CONSOLE}/project/{PROJECT}/codeci/history/{JOB}", JOB),
        (f"{CONSOLE}/project/{PROJECT}/history/{JOB}/{OTHER}", JOB),
        (f"{CONSOLE}/project/{PROJECT}/detail/{JOB}?tab={OTHER}#x", JOB),
        (f"{CONSOLE}/#/project/{PROJECT}/detail/{JOB}?tab={OTHER}", JOB),
        (f"{CONSOLE}/{OTHER}/detail/{JOB}/", JOB),
        (f"{CONSOLE}/project/{PROJECT}/home", ""),
        (f"{CONSOLE}?job={JOB}", ""),
        (f"https://{JOB}.example.com/", ""),
        ("https://[broken", ""),
    ],
)
def test_job_is_taken_from_the_path_of_an_address(address: str, job: str) -> None:
    """What follows `history/`, else the last part that is no project."""
    assert job_of_address(address) == job


def test_address_stands_for_its_job_with_and_without_label_and_number() -> None:
    """Also without a project; a label is made of the id."""
    address = f"{CONSOLE}/project/{PROJECT}/codeci/history/{JOB}"
    found = targets(address, f"api={address}", f"{address}:57", project="")
    assert found == [
        Target(job_id=JOB, label=JOB),
        Target(job_id=JOB, label="api"),
        Target(job_id=JOB, build_number=57, label=JOB),
    ]


def test_name_is_a_target_where_a_project_is_given() -> None:
    """Its label is the name. An id stays an id."""
    assert targets("api", "web=front.end:57", "\u7f16\u8bd1", "a,b", JOB) == [
        Target(job_id="", name="api", label="api"),
        Target(job_id="", name="front.end", build_number=57, label="web"),
        Target(job_id="", name="\u7f16\u8bd1", label="\u7f16\u8bd1"),
        Target(job_id="", name="a,b", label="a,b"),
        Target(job_id=JOB, label=JOB),
    ]


def test_project_may_come_from_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """And so may the names."""
    monkeypatch.setenv("GATE_CODEARTS_PROJECT", f"{PROJECT}\n")
    monkeypatch.setenv("GATE_TARGETS", "api web:7")
    assert [target.name for target in targets(project="")] == ["api", "web"]


@each_row(
    ("text", "words"),
    [
        ("***", "is what logs show in place of a secret"),
        ("$JOB", "is the name of a variable"),
        ("'api'", "has quotes in it"),
        ("api:latest", "newest build, write api"),
        ("api:0", "newest build, write api"),
        ("a/b", "a job's name has no white space"),
        ("..=api", "a label is"),
        ("a=b=c", "a job's name has no"),
        (f"{JOB}:#57", f"write {JOB}:57"),
        (f"{CONSOLE}/home", "is the address of a page"),
    ],
)
def test_name_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    """Before anything is asked."""
    with pytest.raises(click.BadParameter, match=words.replace("$", "[$]")):
        targets(text)


def test_name_without_a_project_is_no_target() -> None:
    """There it is a mistake, which is answered with its remedy."""
    with pytest.raises(click.BadParameter, match="has a job id of 3 characters"):
        TargetType().convert("api", None, None)
