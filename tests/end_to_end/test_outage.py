"""A service that is gone in the middle of a wait: nobody listens, until somebody does again, or for good."""

from pathlib import Path

import pytest

from tests.end_to_end.listeners import listening, relay
from tests.helpers import Simulate, StartGate, environment, error_types, wait_for


@pytest.mark.parametrize(("returns", "status", "errors"), [(True, 0, []), (False, 5, ["Undetermined"])])
def test_refused_connections_are_given_the_error_budget(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path, returns: bool, status: int, errors: list[str]
) -> None:
    """Each is a poll without an answer; a service that comes back gives its verdict, one that does not gives none."""
    simulator = simulate(["passing"], speed=0)
    to_simulator, err = relay(int(simulator.endpoint.rpartition(":")[2])), tmp_path / "err"
    with err.open("w") as stderr:
        with listening("127.0.0.1", to_simulator) as heard:
            env = {**environment(simulator), "GATE_ENDPOINT": f"http://127.0.0.1:{heard.port}"}
            options = ("--error-budget", "1m" if returns else "1s", "--appear-timeout", "0")
            process = start_gate("wait", *options, simulator.jobs["passing"], env=env, stderr=stderr)
            wait_for(lambda: "build 57" in err.read_text())  # it is pinned: the clock may be moved from now on
        wait_for(lambda: "Connection refused; asking again" in err.read_text())
        if returns:
            simulator.clock.advance(5 * 3600)
            with listening("127.0.0.1", to_simulator, heard.port):
                process.communicate(timeout=60)
        process.communicate(timeout=60)
    said = err.read_text()
    assert (process.returncode, error_types(tmp_path / "gate-report.xml")) == (status, errors), said
    assert ("the service answers again" in said) == returns
    assert "--endpoint" in said.splitlines()[-1] or returns
