"""Colours, and when they are wanted."""

from collections.abc import Mapping

from gate.model import Verdict
from gate.platforms.colours import Colours
from gate.platforms.detect import PLATFORMS, detect
from gate.platforms.platform import PLAIN, Platform
from tests.tables import each_row


@each_row("verdict", list(Verdict))
def test_only_what_passes_is_green(verdict: Verdict) -> None:
    """The colour says at a glance what the word says."""
    text = Colours(enabled=True).of_verdict("text", verdict)
    assert ("\x1b[32;" in text) == (verdict in (Verdict.PASSED, Verdict.STARTED))
    assert text.endswith("text\x1b[0m")
    assert Colours(enabled=False).of_verdict("text", verdict) == "text"


@each_row(
    ("environment", "on_terminal", "in_log"),
    [
        ({}, True, False),
        ({"NO_COLOR": ""}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "3"}, True, True),
        ({"CI": "true"}, False, False),
        ({"CI": "true", "FORCE_COLOR": "1"}, True, True),
        ({"CI": "false"}, True, False),
    ],
)
def test_variables_decide_about_colours(environment: Mapping[str, str], on_terminal: bool, in_log: bool) -> None:
    """NO_COLOR comes before FORCE_COLOR, and both before what the stream is."""
    platform = Platform(environment)
    assert platform.colours(on_terminal=True).enabled == on_terminal
    assert platform.colours(on_terminal=False).enabled == in_log


@each_row("name", PLATFORMS)
@each_row("ci", [{"CI": "true"}, {"CI": "1"}, {}])
def test_lines_are_written_over_only_on_a_terminal_outside_of_ci(name: str, ci: Mapping[str, str]) -> None:
    """A CI system keeps every line, also where it provides a terminal."""
    platform = detect(name, ci)
    assert platform.can_rewrite(on_terminal=True) == (name == "none" and not ci)
    assert not platform.can_rewrite(on_terminal=False)


def test_plain_platform_adds_nothing() -> None:
    """It has no page for annotations, and no files for later steps."""
    assert (PLAIN.outputs_path, PLAIN.summary_path, list(PLAIN.error_annotation("x"))) == (None, None, [])
