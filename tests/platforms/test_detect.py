"""Which CI system the gate finds itself in."""

from collections.abc import Mapping

import click

from gate.cli import options
from gate.platforms.detect import PLATFORMS, detect
from tests.tables import each_row

PLACES = {
    "github": {"GITHUB_ACTIONS": "true"},
    "gitlab": {"GITLAB_CI": "true"},
    "jenkins": {"JENKINS_URL": "https://jenkins.example/"},
    "none": {"CI": "true", "GITLAB_CI": "false"},
}


@each_row(("name", "environment"), PLACES.items())
def test_auto_finds_the_place_by_its_variables(name: str, environment: Mapping[str, str]) -> None:
    """Each system is known by the variable that it alone sets."""
    assert detect("auto", environment).name == name


def test_jenkins_without_an_address_is_found_by_its_build_tag() -> None:
    """JENKINS_URL is only set once somebody has configured it."""
    assert detect("auto", {"BUILD_TAG": "jenkins-app-7"}).name == "jenkins"


@each_row("choice", PLACES)
@each_row("environment", PLACES.values())
def test_choice_beats_every_environment(choice: str, environment: Mapping[str, str]) -> None:
    """What the user says holds, also where the place looks like another."""
    assert detect(choice, environment).name == choice


def test_option_offers_every_platform() -> None:
    """The choices of --platform are the platforms, and auto."""

    @click.command
    @options.reporting
    def command() -> None:
        """Do nothing."""

    platform = next(option for option in command.params if option.name == "platform")
    assert isinstance(platform.type, click.Choice)
    assert sorted(platform.type.choices) == sorted(["auto", *PLATFORMS])


MERGE, HEAD = "2f37dd494927d2c6259417c58e5faeb72bfe7150", "a" * 40
PULL = {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/pull/12/merge", "GITHUB_SHA": MERGE}
MERGED = {"GITLAB_CI": "true", "CI_COMMIT_SHA": MERGE, "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result"}
CHANGE = {"JENKINS_URL": "https://jenkins.example/", "GIT_COMMIT": MERGE, "CHANGE_ID": "12"}
PLUGIN = {"JENKINS_URL": "https://jenkins.example/", "GIT_COMMIT": MERGE, "ghprbActualCommit": HEAD}


@each_row(
    ("environment", "variable"),
    [
        (PULL, "${{ github.event.pull_request.head.sha }}"),
        (MERGED, "$CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
        (MERGED | {"CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"}, "$CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
        (CHANGE, "HEAD^1"),
        (PLUGIN, "$ghprbActualCommit"),
    ],
)
@each_row("commit", [MERGE, MERGE[:7].upper()])
def test_merge_commit_of_a_pull_request_is_told_from_that_of_its_branch(
    environment: Mapping[str, str], variable: str, commit: str
) -> None:
    """Nobody pushed it, so nothing has built it."""
    assert variable in detect("auto", environment).commit_advice(commit)
    assert detect("auto", environment).commit_advice(HEAD) == ""


@each_row(
    "environment",
    [
        {},
        PULL | {"GITHUB_REF": "refs/heads/main"},
        PULL | {"GITHUB_REF": "refs/pull/12/head"},
        MERGED | {"CI_MERGE_REQUEST_EVENT_TYPE": "detached"},
        {"JENKINS_URL": "https://jenkins.example/", "GIT_COMMIT": MERGE},
        PLUGIN | {"ghprbActualCommit": MERGE},
    ],
)
def test_commit_of_a_branch_needs_no_advice(environment: Mapping[str, str]) -> None:
    """It was pushed as it is."""
    assert detect("auto", environment).commit_advice(MERGE) == ""
