"""The program signs in, through real HTTP to the simulator: how often, with what, and what it shows of it."""

import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gate.limits import MAX_CONNECTIONS
from gate.simulator.exchange import HttpAnswer
from gate.simulator.scenarios import SCENARIOS
from gate.simulator.simulated_iam import token_outdated
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import SIGN_IN
from tests.faults.response_faults import ReplaceAnswer
from tests.faults.transport_faults import Silence
from tests.helpers import RunGate, Simulate, StartGate, environment, wait_for

PASSWORD = "gate-password"
KEY_VARIABLES = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN")


def looks(simulator: FaultySimulator) -> int:
    """Count the records that were read."""
    return len([entry for entry in simulator.journal.of(*RECORD_ROUTES) if entry.status == 200])


def assert_hidden(folder: Path, simulator: FaultySimulator, *texts: str) -> None:
    """Assert that neither the outputs nor any file that was written has a secret in it."""
    everything = "".join(texts) + "".join(file.read_text() for file in folder.rglob("*") if file.is_file())
    tokens = list(simulator.iam._tokens)
    keys = simulator.keys
    for secret in (PASSWORD, keys.ak, keys.sk, keys.security_token, "Signature=", *tokens):
        assert not secret or secret not in everything


@pytest.mark.parametrize("family", ["token", "aksk", "password"])
def test_every_family_passes_and_is_named_but_never_shown(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, family: str
) -> None:
    """A passing build, with every detail told: the family and its variables, and no secret."""
    simulator = simulate(["passing"], speed=300)
    done = run_gate("wait", "--verbose", simulator.jobs["passing"], env=environment(simulator, family))
    assert done.returncode == 0, done.stderr
    assert "--auth auto uses" in done.stderr
    assert next(iter(environment(simulator, family).keys() & {"GATE_TOKEN", *KEY_VARIABLES[:1], "GATE_IAM_USER"})) in (
        done.stderr
    )
    families = {entry.family for entry in simulator.journal.entries if entry.operation != SIGN_IN}
    assert families == {"aksk" if family == "aksk" else "token"}
    assert simulator.journal.sign_ins == (family == "password")
    assert_hidden(tmp_path, simulator, done.stdout, done.stderr)


@pytest.mark.parametrize("options", [("--quiet",), ("--auth", "password")])
def test_choice_is_not_told_when_there_was_none_or_nobody_listens(
    simulate: Simulate, run_gate: RunGate, options: tuple[str, ...]
) -> None:
    """`--auth X` needs no explanation, and `--quiet` wants none."""
    simulator = simulate(["passing"], speed=300)
    env = environment(simulator, "password")
    done = run_gate("wait", *options, simulator.jobs["passing"], env=env)
    assert (done.returncode, "takes" in done.stderr) == (0, False)


@pytest.mark.parametrize("times", [1, 2])
def test_token_that_expires_in_the_wait_is_replaced_by_one_sign_in(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path, times: int
) -> None:
    """Whenever the token has expired, the gate signs in once more, and the build passes."""
    simulator = simulate(["passing"], speed=0)
    gate = start_gate("wait", "--verbose", simulator.jobs["passing"], env=environment(simulator, "password"))
    wait_for(lambda: looks(simulator) >= 2)
    for number in range(1, times + 1):
        simulator.iam.expire_all()
        wait_for(partial(lambda number: simulator.journal.sign_ins > number, number))
        wait_for(partial(lambda seen: looks(simulator) > seen, looks(simulator)))
    simulator.clock.advance(120)
    out, err = gate.communicate(timeout=15)
    assert (gate.returncode, simulator.journal.sign_ins) == (0, 1 + times), err
    assert_hidden(tmp_path, simulator, out, err)


@pytest.mark.parametrize("targets", [1, 8])
def test_second_refused_call_ends_at_once(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path, targets: int
) -> None:
    """A call that is repeated with a new token counts once; however many targets there are."""
    jobs = [replace(SCENARIOS["passing"], name=f"job-{number}") for number in range(targets)]
    simulator = simulate(jobs, speed=0)
    gate = start_gate("wait", "--verbose", *simulator.jobs.values(), env=environment(simulator, "password"))
    wait_for(lambda: looks(simulator) >= 3 * targets)
    refused = Fault(act=ReplaceAnswer(token_outdated()), when=lambda call: call.operation != SIGN_IN, times=None)
    simulator.faults.add(refused)
    out, err = gate.communicate(timeout=15)
    assert (gate.returncode, simulator.journal.sign_ins) == (5, 2), err
    refused_jobs = [entry.job_id for entry in simulator.journal.entries if entry.status == 401]
    assert refused_jobs
    assert all(refused_jobs.count(job) <= 3 for job in simulator.jobs.values())
    assert "APIGW.0307" in err
    assert "project scope" in err
    assert_hidden(tmp_path, simulator, out, err)


@pytest.mark.parametrize("family", ["token", "aksk"])
def test_credential_that_is_refused_from_now_on_ends_all_targets(
    simulate: Simulate, start_gate: StartGate, family: str
) -> None:
    """After few requests, which do not lock an access key; the first refusal alone ends nothing."""
    simulator = simulate([replace(SCENARIOS["passing"], name=f"job-{number}") for number in range(20)], speed=0)
    gate = start_gate("wait", *simulator.jobs.values(), env=environment(simulator, family))
    wait_for(lambda: looks(simulator) >= 60)
    simulator.faults.add(Fault(act=ReplaceAnswer(token_outdated()), times=None))
    out, err = gate.communicate(timeout=20)
    refused = [entry for entry in simulator.journal.entries if entry.status == 401]
    assert (gate.returncode, out.count("undetermined")) == (5, 20), err
    assert 2 <= len(refused) <= (4 if family == "aksk" else 2 * MAX_CONNECTIONS)


def test_wrong_password_is_tried_once_for_all_targets(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """Eight targets, one sign-in; the sentence says who cannot sign in this way."""
    simulator = simulate(["passing"])
    job = simulator.jobs["passing"]
    names = [f"t{number}={job}:{50 + number}" for number in range(8)]
    env = environment(simulator, "password", GATE_IAM_PASSWORD="not-the-password")
    done = run_gate("wait", "--verbose", *names, env=env)
    assert (done.returncode, simulator.journal.sign_ins, len(simulator.journal.entries)) == (5, 1, 1)
    assert done.stdout.count("undetermined") == 8
    for word in ("GATE_IAM_PASSWORD", "HUAWEI ID", "federated", "MFA"):
        assert word in done.stderr
    assert "not-the-password" not in done.stdout + done.stderr + (tmp_path / "gate-report.xml").read_text()


def test_wrong_key_is_sent_once_for_all_targets(simulate: Simulate, run_gate: RunGate) -> None:
    """Eight targets, one refusal: more than five in a row would lock the key for everybody."""
    simulator = simulate([replace(SCENARIOS["passing"], name=f"job-{number}") for number in range(8)])
    env = environment(simulator, "aksk", HUAWEICLOUD_SDK_SK="of-another-key")
    done = run_gate("wait", *simulator.jobs.values(), env=env)
    assert (done.returncode, [entry.status for entry in simulator.journal.entries]) == (5, [401]), done.stderr
    assert done.stdout.count("undetermined") == 8
    assert "HUAWEICLOUD_SDK_SK" in done.stderr


def test_refused_token_is_not_sent_for_all_the_other_targets(simulate: Simulate, run_gate: RunGate) -> None:
    """At few requests a minute, the time would be up before each had met the refusal itself."""
    simulator = simulate([replace(SCENARIOS["passing"], name=f"job-{number}") for number in range(40)])
    env = {**environment(simulator, "token"), "GATE_TOKEN": "MIIDnone"}
    done = run_gate("wait", *simulator.jobs.values(), "--timeout", "10s", env=env)
    assert (done.returncode, done.stdout.count("undetermined")) == (5, 40), done.stderr
    assert len(simulator.journal.entries) <= MAX_CONNECTIONS


def test_token_that_was_good_is_refused_for_one_request_only(simulate: Simulate, run_gate: RunGate) -> None:
    """A log that may not be read is no reason to give up on the other targets."""
    names = ["failing", "passing"]
    fault = Fault(operations=["DownloadBuildFullLog"], act=ReplaceAnswer(token_outdated()), times=None)
    simulator = simulate(names, speed=60, faults=[fault])
    done = run_gate("wait", *simulator.jobs.values(), env=environment(simulator, "token"))
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["failed", "passed"], done.stderr


def test_fault_of_iam_is_given_the_error_budget(simulate: Simulate, run_gate: RunGate) -> None:
    """IAM fails twice and then signs the gate in."""
    fault = Fault(operations=[SIGN_IN], act=ReplaceAnswer(HttpAnswer(status=503, body=b"{}")), times=2)
    simulator = simulate(["passing"], speed=300, faults=[fault])
    done = run_gate("wait", simulator.jobs["passing"], env=environment(simulator, "password"))
    assert (done.returncode, simulator.journal.sign_ins) == (0, 3), done.stderr
    assert "signing in at 127.0.0.1" in done.stderr


def test_order_that_was_refused_may_be_sent_again_after_a_failed_sign_in(simulate: Simulate, run_gate: RunGate) -> None:
    """A refused order has started nothing: when IAM works again, it is sent, and one build is started."""
    refused = Fault(operations=["ExecuteJob"], act=ReplaceAnswer(token_outdated()))
    failing = Fault(operations=[SIGN_IN], act=ReplaceAnswer(HttpAnswer(status=503, body=b"{}")), skip=1)
    simulator = simulate(["passing"], speed=300, faults=[refused, failing])
    done = run_gate("run", simulator.jobs["passing"], env=environment(simulator, "password"))
    assert (done.returncode, simulator.journal.sign_ins) == (0, 3), done.stderr
    assert [entry.status for entry in simulator.journal.of("ExecuteJob")] == [401, 200]


def test_iam_that_never_answers_does_not_hold_the_deadline(simulate: Simulate, run_gate: RunGate) -> None:
    """The sign-in is bounded like any request, and the wait ends with its timeout."""
    simulator = simulate(["passing"], faults=[Fault(operations=[SIGN_IN], act=Silence(), times=None)])
    started = time.monotonic()
    done = run_gate(
        "wait", simulator.jobs["passing"], "--timeout", "2s", "--request-timeout", "500ms",
        env=environment(simulator, "password"),
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert time.monotonic() - started < 2 + 5
    assert "127.0.0.1" in done.stderr
    assert "--request-timeout" in done.stderr


@pytest.mark.parametrize("family", ["token", "aksk", "password"])
def test_netrc_cannot_replace_the_credential(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, family: str
) -> None:
    """A `.netrc` entry for the host changes nothing."""
    simulator = simulate(["passing"], speed=300)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\ndefault login other password other\n")
    netrc.chmod(0o600)
    env = environment(simulator, family, NETRC=str(netrc))
    done = run_gate("wait", simulator.jobs["passing"], env=env)
    assert done.returncode == 0, done.stderr
    assert {entry.authorised for entry in simulator.journal.entries} == {True}


def test_clock_that_is_off_is_told_in_one_sentence(simulate: Simulate, run_gate: RunGate) -> None:
    """The wait goes on, and with AK/SK too: the gate signs by the service's clock."""
    simulator = simulate(["passing"], speed=300, signatures_in_service_time=True)
    simulator.clock.advance(3600)
    done = run_gate("wait", "--max-age", "3h", simulator.jobs["passing"], env=environment(simulator, "aksk"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("this machine's clock is") == 1


def test_echoed_access_key_is_blotted_out(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """The gateway quotes an unknown access key in its refusal; the gate does not."""
    simulator = simulate(["passing"])
    env = environment(simulator, "aksk", HUAWEICLOUD_SDK_AK="AK-OF-SOMEBODY-ELSE")
    done = run_gate("wait", "--verbose", simulator.jobs["passing"], env=env)
    assert (done.returncode, len(simulator.journal.entries)) == (5, 1)
    assert "ak *** not exist" in done.stderr
    everything = done.stdout + done.stderr + (tmp_path / "gate-report.xml").read_text()
    assert "AK-OF-SOMEBODY-ELSE" not in everything


WITHOUT_SIGNER = """
import sys
for name in ("huaweicloudsdkcore", *sys.modules):
    if name.startswith("huaweicloudsdkcore"):
        sys.modules[name] = None  # importing it raises an ImportError
"""


def test_missing_extra_is_answered_with_the_command_that_installs_it(simulate: Simulate, run_gate: RunGate) -> None:
    """Without the vendor's signer, AK/SK is a usage error, and nothing is asked of the service."""
    simulator = simulate(["passing"])
    done = run_gate("wait", simulator.jobs["passing"], env=environment(simulator, "aksk"), before=WITHOUT_SIGNER)
    assert (done.returncode, simulator.journal.entries) == (2, ())
    assert f'{sys.executable} -m pip install "huaweicloudsdkcore' in done.stderr


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        ("HUAWEICLOUD_SDK_SK", ["HUAWEICLOUD_SDK_SK"]),
        ("GATE_IAM_DOMAIN", ["GATE_IAM_DOMAIN"]),
        ("GATE_IAM_ENDPOINT", ["--region", "--iam-endpoint"]),
        ("GATE_TOKEN", ["GATE_TOKEN", "HUAWEICLOUD_SDK_AK", "GATE_IAM_USER"]),
    ],
)
def test_half_a_credential_is_a_usage_error(
    simulate: Simulate, run_gate: RunGate, missing: str, names: list[str]
) -> None:
    """Exit 2, the missing variables named, no value shown, nothing asked of the service."""
    simulator = simulate(["passing"])
    family = {"HUAWEICLOUD_SDK_SK": "aksk", "GATE_TOKEN": "token"}.get(missing, "password")
    env = {name: value for name, value in environment(simulator, family).items() if name != missing}
    done = run_gate("wait", simulator.jobs["passing"], env=env)
    assert (done.returncode, simulator.journal.entries) == (2, ())
    assert [name for name in names if name not in done.stderr] == []
    assert PASSWORD not in done.stderr
    assert simulator.keys.ak not in done.stderr
