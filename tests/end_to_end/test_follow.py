"""Logs that are shown while they grow (`--follow`), through the program."""

import re
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from gate.simulator.builds import StagePlan
from gate.simulator.exchange import Call, HttpAnswer, enveloped_answer, gateway_error
from gate.simulator.scenarios import Scenario, Start
from gate.simulator.simulator import Answer
from tests.bench.follow import LIVE_LOG, LOGS, NO_EXECUTOR, ScriptedLog, moments_side_by_side
from tests.end_to_end.deadline_campaign import plan
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import Entry
from tests.faults.response_faults import ReplaceAnswer, ResponseFault
from tests.helpers import RunGate, Simulate, StartGate, environment, wait_for


def running_for(seconds: float, name: str = "job", word: str = "SUCCESS", queue: float = 0.0) -> Scenario:
    """Return a job whose build ends so many seconds after it has left the queue."""
    return Scenario(name=name, starts=(Start(plan=replace(plan(seconds, word), queue=queue)),))


def follow(simulator: FaultySimulator, run_gate: RunGate, *options: str) -> subprocess.CompletedProcess[str]:
    """Follow the log of the only job's build to its end."""
    env = environment(simulator, NO_COLOR="1")
    return run_gate("wait", simulator.jobs["job"], "--follow", *options, env=env)


def pieces(simulator: FaultySimulator, job: str = "job") -> int:
    """Count the pieces of the job's log that were asked for."""
    return len([entry for entry in simulator.journal.of(*LIVE_LOG) if entry.job_id == simulator.jobs[job]])


def polls(entries: Iterable[Entry]) -> int:
    """Count the looks at records."""
    return len([entry for entry in entries if entry.operation in RECORD_ROUTES])


def test_followed_log_shows_no_secret_and_gives_no_command(simulate: Simulate, start_gate: StartGate) -> None:
    """The token is torn apart by pieces and a carriage return, lines begin like commands, the last one has no end."""
    platforms = ("github", "gitlab", "jenkins", "none")
    simulator = simulate([running_for(4, name) for name in platforms], speed=0)
    token = simulator.token
    half = len(token) // 2
    encoded = b64encode(f"user:{token}".encode()).decode()
    text = (
        f"first\nthe token is {token} here\n::error::x\n##[error]x\n\x1b[2Jcleared\n"
        f"again {token[:half]}\r{token[half:]} there\nencoded {encoded}\nthe last line"
    )
    simulator.faults.add(Fault(operations=LIVE_LOG, act=ScriptedLog(text, half + 3), times=None))
    env = environment(simulator, NO_COLOR="1")
    gates = {
        platform: start_gate("wait", simulator.jobs[platform], "--follow", "--platform", platform, env=env)
        for platform in platforms
    }
    for platform in platforms:
        wait_for(partial(lambda name: pieces(simulator, name) > len(text) // (half + 3), platform))
    simulator.clock.advance(10)
    for platform, gate in gates.items():
        _, err = gate.communicate(timeout=30)
        assert gate.returncode == 0, (platform, err)
        assert err.count("first") == 1
        assert "the token is *** here" in err
        assert "again *** there" in err
        assert err.count("the last line") == 1
        for secret in (token, encoded[8:-8]):
            parts = (secret[start : start + 20] for start in range(0, len(secret) - 20, 20))
            assert not [part for part in parts if part in err]
        assert "\x1b" not in err.replace("\x1b[0K", "")
        assert not [line for line in err.splitlines() if line.startswith(("::error", "##[error]x"))]


def test_flood_is_cut_at_a_megabyte_and_changes_no_verdict(simulate: Simulate, start_gate: StartGate) -> None:
    """A log of 100 MB: one line says that no more is shown, and no more is asked for while the build goes on."""
    simulator = simulate([running_for(4)], speed=0)
    flood = ScriptedLog(("x" * 99 + "\n") * 10**6, 100_000)
    simulator.faults.add(Fault(operations=LIVE_LOG, act=flood, times=None))
    gate = start_gate("wait", simulator.jobs["job"], "--follow", env=environment(simulator, NO_COLOR="1"))
    wait_for(lambda: pieces(simulator) >= 5)
    seen = polls(simulator.journal.entries)
    wait_for(lambda: polls(simulator.journal.entries) > seen + 4)
    simulator.clock.advance(10)
    _, err = gate.communicate(timeout=30)
    assert gate.returncode == 0, err[-1000:]
    assert 500_000 < len(err) < 1_100_000
    assert len([line for line in err.splitlines() if "no more" in line]) == 1
    assert len(simulator.journal.of(*LIVE_LOG)) < 20


def test_log_that_grows_faster_than_builds_are_polled_is_shown_whole(simulate: Simulate, start_gate: StartGate) -> None:
    """13 500 lines in answers of 1 000: several are read between two polls."""
    simulator = simulate([running_for(4)], speed=0)
    text = "".join(f"line {number:05}\n" for number in range(13_500))
    simulator.faults.add(Fault(operations=LIVE_LOG, act=ScriptedLog(text, len("line 00000\n") * 1000), times=None))
    env = environment(simulator, GATE_POLL_INTERVAL="500ms")
    gate = start_gate("wait", simulator.jobs["job"], "--follow", "--platform", "none", env=env)
    wait_for(lambda: pieces(simulator) >= 14)
    entries = simulator.journal.entries
    first = entries.index(simulator.journal.of(*LIVE_LOG)[0])
    assert polls(entries[first:]) < 7
    simulator.clock.advance(10)
    _, err = gate.communicate(timeout=30)
    assert gate.returncode == 0, err[-1000:]
    assert [int(number) for number in re.findall(r"line (\d{5})", err)] == list(range(13_500))


@pytest.mark.ci  # takes seconds; core/test_following.py has it in virtual time
@pytest.mark.parametrize("verdict", ["SUCCESS", "FAILURE"])
def test_lines_that_come_too_slowly_are_counted_where_they_are_missing(
    simulate: Simulate, run_gate: RunGate, verdict: str
) -> None:
    """Each answer takes a second; the end of a failed build's log is shown."""
    log = tuple(f"line {number:05}" for number in range(2000))
    stage = StagePlan(name="Maven", seconds=3, word=verdict, log=log)
    simulator = simulate([Scenario(name="job", starts=(Start(plan=replace(plan(3, verdict), stages=(stage,))),))])

    def length(call: Call) -> bool:
        time.sleep(1.0)
        return True

    genuine = Short(20 * 60)
    simulator.faults.add(Fault(operations=LIVE_LOG, act=genuine, when=length, times=None))
    done = follow(simulator, run_gate, "--platform", "none", "--timeout", "20s")
    assert done.returncode == (verdict == "FAILURE"), done.stderr
    shown = [int(number) for number in re.findall(r"line (\d{5})", done.stderr)]
    assert len(shown) == len(set(shown)), "a line is shown twice"
    if verdict == "SUCCESS":
        assert "[the rest of the log did not come in time]" in done.stderr
    else:
        [left_out] = re.findall(r"\[(\d+) lines of the log left out here\]", done.stderr)
        assert abs(int(left_out) + len(shown) - 2000) <= 2


@dataclass(frozen=True, slots=True)
class Short(ResponseFault):
    """Sends the service's own log in shorter pieces."""

    length: int

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """See the base class."""
        import json

        answer = genuine()
        if answer is None or answer.status != 200:
            return answer
        assert isinstance(answer.body, bytes)
        result = json.loads(answer.body)["result"]
        text = result["log"][: self.length]
        end = int(result["start_offset"]) + len(text)
        return enveloped_answer(
            {**result, "log": text, "end_offset": str(end), "has_more": result["has_more"] or text != result["log"]}
        )


@pytest.mark.ci  # takes seconds; core/test_following.py has it in virtual time
def test_errors_while_the_build_is_queued_do_not_end_the_following(simulate: Simulate, run_gate: RunGate) -> None:
    """It has no log yet, and is not asked for one."""
    simulator = simulate([running_for(4, queue=3)])
    started = time.monotonic()
    early = Fault(operations=LIVE_LOG, act=NO_EXECUTOR, times=None, when=lambda _: time.monotonic() - started < 2.8)
    simulator.faults.add(early)
    done = follow(simulator, run_gate)
    assert done.returncode == 0, done.stderr
    assert "stage started" in done.stderr
    assert "no longer followed" not in done.stderr


def test_next_attempt_is_followed_from_its_start(simulate: Simulate, run_gate: RunGate) -> None:
    """The first one never ran."""
    simulator = simulate(["schedule-failure-once"], speed=30)
    job = simulator.jobs["schedule-failure-once"]
    done = run_gate("run", job, "--retries", "1", "--follow", env=environment(simulator))
    assert done.returncode == 0, done.stderr
    assert "stage started" in done.stderr
    assert "no longer followed" not in done.stderr


def test_log_route_that_refuses_the_credential_ends_nothing(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path
) -> None:
    """Only the log is not shown; that is one line."""
    simulator = simulate([running_for(2)], speed=0)
    refused = ReplaceAnswer(gateway_error(401, "0301", "Incorrect IAM authentication information"))
    simulator.faults.add(Fault(operations=LIVE_LOG, act=refused, times=None))
    err = tmp_path / "err"
    with err.open("w") as stderr:
        gate = start_gate("wait", simulator.jobs["job"], "--follow", env=environment(simulator), stderr=stderr)
    wait_for(lambda: "no longer followed" in err.read_text())
    seen = polls(simulator.journal.entries)
    wait_for(lambda: polls(simulator.journal.entries) > seen + 2)
    simulator.clock.advance(10)
    assert gate.wait(30) == 0, err.read_text()
    assert sum("no longer followed" in line for line in err.read_text().splitlines()) == 1


def test_lines_that_were_shown_are_not_shown_again_at_the_end(simulate: Simulate, run_gate: RunGate) -> None:
    """Of a build that failed."""
    simulator = simulate(["failing"], speed=20)
    done = run_gate("wait", simulator.jobs["failing"], "--follow", env=environment(simulator, NO_COLOR="1"))
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("COMPILATION ERROR") == 1
    assert done.stderr.count("stage ended: FAILURE") == 1


@pytest.mark.ci  # takes seconds; core/test_following.py has it in virtual time
@pytest.mark.parametrize("name", [name for name in LOGS if name != "is quiet"])
def test_log_delays_no_verdict(start_gate: StartGate, name: str) -> None:
    """Two gates wait for the same ten builds, one of them with `--follow`: their verdicts come at the same moment.

    More targets than side channels have connections, each with a log that does whatever it likes. In virtual time, the
    moments are the same to a third of a second (`tests/core/test_following.py`); here, the machine is allowed more.
    """
    without, with_it = moments_side_by_side(start_gate, LOGS[name], 10, 4.0)
    assert (len(without), len(with_it)) == (10, 10)
    assert max(with_it.values()) - max(without.values()) < 1.0
