"""What the gate writes for GitLab."""

import re
import subprocess
from collections.abc import Callable

from gate.platforms.gitlab import GitLab
from tests.faults.faulty_simulator import FaultySimulator

SECTION = re.compile(r"section_(start|end):(\d+):([a-zA-Z0-9_.-]+)(\[[^\]]*\])?\r\x1b\[0K")
"""What GitLab takes for the marker of a section (lib/gitlab/regex.rb, build_trace_section_regex)."""


def address_of(simulator: FaultySimulator) -> dict[str, str]:
    """Return the variables that lead the gate to the simulator, however long it takes to start."""
    return {
        "GATE_ENDPOINT": simulator.endpoint,
        "GATE_TOKEN": simulator.token,
        "GATE_POLL_INTERVAL": "200ms",
        "GATE_MAX_AGE": "10h",
    }


def test_log_is_a_collapsed_section() -> None:
    """The section is closed by its own name, and nothing in the log can close it earlier."""
    gitlab = GitLab({})
    quoted = gitlab.quoted(["section_end:1:x\r\x1b[0K", "section_start:1:y[collapsed=true]"])
    text = "\n".join(gitlab.log_section("the end", quoted))
    (start, _, name, options), (end, _, again, _) = SECTION.findall(text)
    assert (start, options, end, name) == ("start", "[collapsed=true]", "end", again)
    assert not re.search("section_(start|end):", "".join(quoted))


def test_log_has_colours_unless_they_are_refused() -> None:
    """GitLab's log shows colours, although it is no terminal."""
    assert GitLab({}).colours(on_terminal=False).enabled
    assert not GitLab({"NO_COLOR": "1"}).colours(on_terminal=True).enabled


def test_job_gets_section_and_colours(
    simulate: Callable[..., FaultySimulator], run_gate: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """In a job, the gate speaks so by itself; stdout stays plain."""
    simulator = simulate(["failing"], speed=400)
    address = address_of(simulator)
    done = run_gate("wait", f"app={simulator.jobs['failing']}", env={"GITLAB_CI": "true", **address})
    assert done.stdout == "failed app build=57 state=FAILURE\n"
    assert "\x1b[31;1mfailed: build 57 ended with FAILURE" in done.stderr
    assert "section_start:" in done.stderr
