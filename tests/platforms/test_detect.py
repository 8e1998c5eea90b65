"""Which CI system the gate finds itself in."""

from collections.abc import Mapping

import click
import pytest

from gate.cli import options
from gate.platforms.detect import PLATFORMS, detect

PLACES = {
    "github": {"GITHUB_ACTIONS": "true"},
    "gitlab": {"GITLAB_CI": "true"},
    "jenkins": {"JENKINS_URL": "https://jenkins.example/"},
    "none": {"CI": "true", "GITLAB_CI": "false"},
}


@pytest.mark.parametrize(("name", "environment"), PLACES.items())
def test_auto_finds_the_place_by_its_variables(name: str, environment: Mapping[str, str]) -> None:
    """Each system is known by the variable that it alone sets."""
    assert detect("auto", environment).name == name


def test_jenkins_without_an_address_is_found_by_its_build_tag() -> None:
    """JENKINS_URL is only set once somebody has configured it."""
    assert detect("auto", {"BUILD_TAG": "jenkins-app-7"}).name == "jenkins"


@pytest.mark.parametrize("choice", PLACES)
@pytest.mark.parametrize("environment", PLACES.values(), ids=PLACES)
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
