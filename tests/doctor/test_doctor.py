"""`doctor` as a process: it names the cause, whatever is wrong."""

import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from gate.cli.param_types import TargetType
from gate.simulator.exchange import HttpAnswer, gateway_error, json_answer, not_published, service_error
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import SIGN_IN
from tests.faults.list_faults import LISTS, empty_list
from tests.faults.response_faults import ReplaceAnswer
from tests.faults.transport_faults import Silence

Run = Callable[..., subprocess.CompletedProcess[str]]
Simulate = Callable[..., FaultySimulator]
Serve = Callable[[type[BaseHTTPRequestHandler], ssl.SSLContext | None], int]

STEPS = [
    "settings", "name resolution", "connection", "TLS", "gateway", "clock", "credential", "project", "job",
    "newest build", "unknown build", "job name", "record routes", "lists", "request time", "target",
]  # fmt: skip
PAGE = HttpAnswer(content_type="text/html; charset=utf-8", body=b"<html><title>Sign in</title></html>")
TOKEN = "MIID-the-token-of-this-test"


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return the state of each step, by its name; the lines must be all of them, in their order."""
    rows = [line.partition(" ") for line in done.stdout.splitlines()]
    found = {rest.strip().partition(":")[0]: state for state, _, rest in rows}
    assert list(found) == STEPS
    return found


def failure(done: subprocess.CompletedProcess[str]) -> str:
    """Return the line of the first step that failed."""
    return next(line for line in done.stdout.splitlines() if line.startswith("failed"))


def with_token(simulator: FaultySimulator, **more: str) -> dict[str, str]:
    """Return the variables that lead the doctor to the simulator."""
    return {"GATE_ENDPOINT": simulator.endpoint, "GATE_TOKEN": simulator.token, **more}


@pytest.mark.parametrize("options", [(), ("--json",), ("--verbose",)])
def test_services_texts_give_no_command_to_a_ci_system(
    simulate: Simulate, run_gate: Run, options: tuple[str, ...]
) -> None:
    """What the service says of the job and of its build is shown as text."""
    command = "##[stop-commands]x ##vso[task.complete]y ::error::z"
    refusal = ReplaceAnswer(service_error(500, "CB.00060101", command))
    simulator = simulate(["passing"], faults=[Fault(operations=("ShowJobBuildRecordDetail",), act=refusal, times=None)])
    env = with_token(simulator, GITHUB_ACTIONS="true")
    done = run_gate("doctor", simulator.jobs["passing"], *options, env=env)
    assert "stop-commands" in done.stdout
    assert not re.search(r"##\w*\[|^::", done.stdout + done.stderr, re.MULTILINE)


def test_set_up_without_a_fault_is_well(simulate: Simulate, run_gate: Run) -> None:
    """Every step is ok, but for TLS, as there is none on loopback; nothing is changed at the service."""
    simulator = simulate(["passing"])
    project = ("--codearts-project", simulator.project)
    done = run_gate("doctor", *project, simulator.jobs["passing"], env=with_token(simulator))
    found = findings(done)
    assert done.returncode == 0, done.stdout
    assert {step for step, state in found.items() if state != "ok"} == {"TLS"}
    assert "build 57: QUEUED" in done.stdout or "build 57: RUNNING" in done.stdout
    assert "APIGW.0301" in done.stdout
    assert {entry.method for entry in simulator.journal.entries} == {"GET"}


def test_without_a_job_the_rest_is_checked(simulate: Simulate, run_gate: Run) -> None:
    """The steps about the job are skipped, and nothing failed."""
    simulator = simulate(["passing"], unpublished=["ShowJobBuildRecordDetail"])
    done = run_gate("doctor", env=with_token(simulator))
    found = findings(done)
    assert done.returncode == 0, done.stdout
    assert [step for step, state in found.items() if state == "skipped"] == [
        "TLS",
        "project",
        "job",
        "newest build",
        "unknown build",
        "job name",
        "target",
    ]
    assert "not published: /v1/record/{job_id}/{build_number}/record-info" in done.stdout


def facts(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return the facts of each step, by its name, from the JSON document."""
    return {step["step"]: step["facts"] for step in json.loads(done.stdout)["steps"]}


def test_target_to_copy_has_the_name_of_the_job_as_its_label(simulate: Simulate, run_gate: Run) -> None:
    """With the project, the paths of this host, and what a request costs in time."""
    simulator = simulate(["passing"], unpublished=["ShowJobListByProjectId"])
    job = simulator.jobs["passing"]
    done = run_gate("doctor", "--json", job, env=with_token(simulator))
    found = facts(done)
    project = simulator.backend.jobs[job].project_id
    assert done.returncode == 0, done.stdout
    assert found["target"] == f"passing={job}"
    assert found["job name"] == f"passing in the CodeArts project {project}"
    published, missing = found["lists"].split("; ")
    assert published.count("/list") == 2
    assert missing == "not published: /v3/{project_id}/jobs"
    assert re.fullmatch(r"a request about a build takes \d+ ms \(median of 5, at most \d+ ms\)", found["request time"])
    asked = {entry.path for entry in simulator.journal.entries}
    assert f"/v3/{project}/jobs" in asked


def test_project_that_cannot_be_read_is_told_without_a_job(simulate: Simulate, run_gate: Run) -> None:
    """Whoever gives a project wants to give jobs by name; a job that is given by its id needs none."""
    simulator = simulate(["passing"])
    project = ("--codearts-project", "0" * 32)
    done = run_gate("doctor", *project, simulator.jobs["passing"], env=with_token(simulator))
    assert (done.returncode, findings(done)["project"], findings(done)["job"]) == (5, "failed", "ok"), done.stdout
    assert "The project does not exist. Check --codearts-project" in done.stdout


@pytest.mark.parametrize(
    ("text", "job", "build"),
    [
        ("app=passing:56", "can be read", "build 57: [A-Z]+; build 56: SUCCESS"),
        ("passing:99", "can be read", "there is no build 99; build 57: [A-Z]+"),
        ("pasing", "the nearest one is passing", "because job failed"),
    ],
)
def test_target_is_written_as_for_wait(simulate: Simulate, run_gate: Run, text: str, job: str, build: str) -> None:
    """By name, with a label, and with a number, whose build is looked at, too."""
    simulator = simulate(["passing"])
    done = run_gate("doctor", "--json", "--codearts-project", simulator.project, text, env=with_token(simulator))
    found = facts(done)
    assert done.returncode == (0 if "SUCCESS" in build else 5), done.stdout
    assert job in found["job"]
    assert re.fullmatch(build, found["newest build"])
    if "SUCCESS" in build:
        assert found["target"] == f"app={simulator.jobs['passing']}"


def test_build_that_is_given_is_looked_at_where_the_list_shows_none(simulate: Simulate, run_gate: Run) -> None:
    """The list ends some weeks ago, and was seen to become empty."""
    simulator = simulate(["passing"], faults=[Fault(operations=LISTS, act=empty_list(), times=None)])
    done = run_gate("doctor", "--json", f"{simulator.jobs['passing']}:56", env=with_token(simulator))
    assert facts(done)["newest build"] == "the list shows no build of the last weeks; build 56: SUCCESS"
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "label"),
    [("构建", ""), (None, ""), ("  my app (构建) 2  ", "my-app-2="), ("x" * 70, "x" * 64 + "="), ("a=b:c", "a-b-c=")],
)
def test_name_of_a_job_becomes_a_label_as_far_as_a_label_may_have_its_characters(
    simulate: Simulate, run_gate: Run, name: str | None, label: str
) -> None:
    """What is printed is a target that the gate takes."""
    config = json_answer({"result": {"job_name": name, "project_id": "f" * 32}, "status": "success"})
    simulator = simulate(
        ["passing"], faults=[Fault(operations=("ShowJobConfig",), act=ReplaceAnswer(config), times=None)]
    )
    job = simulator.jobs["passing"]
    found = facts(run_gate("doctor", "--json", job, env=with_token(simulator)))
    assert found["target"] == f"{label}{job}"
    assert TargetType().convert(found["target"], None, None).job_id == job


def test_name_that_cannot_be_read_is_no_failure(simulate: Simulate, run_gate: Run) -> None:
    """Older deployments publish no ShowJobConfig; the gate needs no name."""
    simulator = simulate(["passing"], unpublished=["ShowJobConfig"])
    job = simulator.jobs["passing"]
    done = run_gate("doctor", job, env=with_token(simulator))
    assert (done.returncode, findings(done)["job name"]) == (0, "skipped"), done.stdout
    assert done.stdout.endswith(f" target: {job}\n")
    project_of_the_newest_build = simulator.backend.jobs[job].project_id
    assert f"/v1/job/{project_of_the_newest_build}/list" in {entry.path for entry in simulator.journal.entries}


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (None, "ok", "the service says that there is no build 58"),
        (HttpAnswer(status=404, body=b"{}"), "ok", "HTTP 404, no explanation"),
        (json_answer({"result": None, "status": "success"}), "ok", "the answer has no object at result"),
    ],
)
def test_odd_answer_for_a_build_that_does_not_exist_is_said(
    simulate: Simulate, run_gate: Run, answer: HttpAnswer | None, state: str, words: str
) -> None:
    """Every selection depends on it; the gate copes where it is always the same."""
    simulator = simulate(["passing"])
    if answer is not None:
        odd = Fault(operations=RECORD_ROUTES, build_number=58, act=ReplaceAnswer(answer), times=None)
        simulator.faults.add(odd)
    done = run_gate("doctor", simulator.jobs["passing"], env=with_token(simulator))
    assert (done.returncode, findings(done)["unknown build"]) == (0, state), done.stdout
    assert words in done.stdout
    assert ("after half a minute, with a warning" in done.stdout) is (answer is not None)


def test_json_has_every_step_with_its_facts(simulate: Simulate, run_gate: Run) -> None:
    """One document on stdout, also when something failed."""
    simulator = simulate(["passing"])
    done = run_gate("doctor", "--json", "a" * 32, env=with_token(simulator))
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit_code"]) == (5, 5)
    assert [step["step"] for step in document["steps"]] == STEPS
    assert {step["state"] for step in document["steps"]} == {"ok", "failed", "skipped"}
    job = document["steps"][STEPS.index("job")]
    assert "The job does not exist" in job["facts"]
    assert "job id" in job["fix"]


@pytest.mark.parametrize(
    ("act", "step", "words"),
    [
        (ReplaceAnswer(PAGE), "gateway", "web page (HTTP 200)"),
        (ReplaceAnswer(not_published()), "gateway", "does not publish CodeArts Build"),
        (ReplaceAnswer(HttpAnswer(body=b"<html>", content_type="")), "gateway", "not a JSON object"),
        (
            ReplaceAnswer(HttpAnswer(status=302, body=b"", headers={"Location": "https://sso.invalid/?a=b"})),
            "gateway",
            "redirects",
        ),
        (
            ReplaceAnswer(json_answer({"message": "who are you"}, status=401)),
            "gateway",
            "not how the API gateway refuses",
        ),
        (ReplaceAnswer(gateway_error(502, "0201", "Backend unavailable.")), "gateway", "APIGW.0201"),
        (Silence(), "connection", "no complete answer"),
    ],
)
def test_wrong_host_is_told_from_the_gateway(
    simulate: Simulate, run_gate: Run, act: Any, step: str, words: str
) -> None:
    """A console, another service, or nothing behind the address: the step says which, and the rest is skipped."""
    simulator = simulate(["passing"], faults=[Fault(act=act, times=None)])
    timeout = "200ms" if isinstance(act, Silence) else "10s"
    done = run_gate("doctor", "--request-timeout", timeout, simulator.jobs["passing"], env=with_token(simulator))
    found = findings(done)
    assert (done.returncode, found[step]) == (5, "failed"), done.stdout
    assert set(list(found.values())[STEPS.index(step) + 1 :]) == {"skipped"}
    assert words in failure(done)
    assert "--endpoint" in failure(done) or "502" in failure(done)
    assert all(entry.family is None for entry in simulator.journal.entries)


def test_job_that_does_not_exist_is_named(simulate: Simulate, run_gate: Run) -> None:
    """The credential is good; the job id is what to check."""
    done = run_gate("doctor", "b" * 32, env=with_token(simulate(["passing"])))
    found = findings(done)
    assert (done.returncode, found["credential"], found["job"]) == (5, "ok", "failed")
    assert "Check the job id" in failure(done)


def test_job_that_may_not_be_read_is_told_from_a_bad_credential(simulate: Simulate, run_gate: Run) -> None:
    """403: who asks is known, and lacks a permission."""
    refusal = Fault(
        act=ReplaceAnswer(service_error(403, "CB.00099999", "no permission")),
        when=lambda call: "X-Auth-Token" in call.headers,
        times=None,
    )
    simulator = simulate(["passing"], faults=[refusal])
    done = run_gate("doctor", simulator.jobs["passing"], env=with_token(simulator))
    found = findings(done)
    assert (done.returncode, found["credential"], found["job"]) == (5, "ok", "failed")
    assert "permission" in failure(done)


def test_list_that_may_not_be_read_is_published_nevertheless(simulate: Simulate, run_gate: Run) -> None:
    """The user lacks a permission there, which says nothing about the host, nor about the credential."""
    act = ReplaceAnswer(gateway_error(403, "0302", "no permission"))
    simulator = simulate(["passing"], faults=[Fault(operations=("ListProjectJobs",), act=act, times=None)])
    done = run_gate("doctor", simulator.jobs["passing"], env=with_token(simulator))
    assert (done.returncode, findings(done)["lists"]) == (0, "ok"), done.stdout


def test_expired_token_is_named(simulate: Simulate, run_gate: Run) -> None:
    """The gateway is right, the credential is not."""
    simulator = simulate(["passing"])
    simulator.iam.expire_all()
    done = run_gate("doctor", "--verbose", simulator.jobs["passing"], env=with_token(simulator))
    found = findings(done)
    assert (done.returncode, found["gateway"], found["credential"]) == (5, "ok", "failed")
    assert "expired" in failure(done)
    assert simulator.token not in done.stdout + done.stderr


@pytest.mark.parametrize("minutes", [-30, 30])
def test_clock_that_is_off_is_named_and_the_rest_still_checked(simulate: Simulate, run_gate: Run, minutes: int) -> None:
    """A clock that is off fails the diagnosis, though the later steps may be well."""
    simulator = simulate(["passing"], signatures_in_service_time=True)
    simulator.clock.advance(minutes * 60)
    env = {
        "GATE_ENDPOINT": simulator.endpoint,
        "HUAWEICLOUD_SDK_AK": simulator.keys.ak,
        "HUAWEICLOUD_SDK_SK": simulator.keys.sk,
    }
    done = run_gate("doctor", "--verbose", env=env)
    found = findings(done)
    assert (done.returncode, found["clock"], found["credential"]) == (5, "failed", "ok"), done.stdout
    assert f"{'behind' if minutes > 0 else 'ahead of'} the service's" in failure(done)
    assert simulator.keys.ak not in done.stdout + done.stderr
    assert simulator.keys.sk not in done.stdout + done.stderr


def test_password_that_is_wrong_is_named_after_one_sign_in(simulate: Simulate, run_gate: Run) -> None:
    """The sentence says who cannot sign in this way."""
    simulator = simulate(["passing"])
    env = {
        "GATE_ENDPOINT": simulator.endpoint,
        "GATE_IAM_ENDPOINT": simulator.endpoint,
        "GATE_IAM_USER": "gate-user",
        "GATE_IAM_PASSWORD": "not-the-password",
        "GATE_IAM_DOMAIN": "gate-domain",
        "GATE_IAM_PROJECT": "cn-north-4",
    }
    done = run_gate("doctor", "--verbose", env=env)
    assert (done.returncode, findings(done)["credential"], simulator.journal.sign_ins) == (5, "failed", 1)
    assert "MFA" in failure(done)
    assert "not-the-password" not in done.stdout + done.stderr


def test_iam_that_hangs_is_named_in_time(simulate: Simulate, run_gate: Run) -> None:
    """The sign-in is bounded, and it is IAM that is named."""
    simulator = simulate(["passing"], faults=[Fault(operations=[SIGN_IN], act=Silence(), times=None)])
    env = {
        "GATE_ENDPOINT": simulator.endpoint,
        "GATE_IAM_ENDPOINT": simulator.endpoint,
        "GATE_IAM_USER": "gate-user",
        "GATE_IAM_PASSWORD": "gate-password",
        "GATE_IAM_DOMAIN": "gate-domain",
        "GATE_IAM_PROJECT": "cn-north-4",
    }
    done = run_gate("doctor", "--request-timeout", "500ms", env=env, seconds=10)
    assert (done.returncode, findings(done)["credential"]) == (5, "failed"), done.stdout


class Refusing(BaseHTTPRequestHandler):
    """A proxy that lets nobody through."""

    def do_CONNECT(self) -> None:
        """Refuse."""
        self.send_error(403)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Gateway(BaseHTTPRequestHandler):
    """The API gateway's refusal of a request without a credential."""

    def do_GET(self) -> None:
        """Refuse."""
        answer = gateway_error(401, "0301", "Incorrect IAM authentication information: x-auth-token not found")
        assert isinstance(answer.body, bytes)
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Quiet(HTTPServer):
    """A server that keeps the errors of refused handshakes to itself."""

    def handle_error(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that serves a handler on loopback, with TLS if given a context, and gives the port."""
    servers: list[tuple[HTTPServer, threading.Thread]] = []

    def start(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None) -> int:
        server = Quiet(("127.0.0.1", 0), handler)
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        servers.append((server, thread))
        return int(server.server_address[1])

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.parametrize("listening", [True, False])
def test_proxy_that_refuses_is_named_without_its_password(run_gate: Run, serve: Serve, listening: bool) -> None:
    """A proxy that answers 403, or that is not there: it is the proxy that is named, and what to check."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = serve(Refusing, None) if listening else int(free.getsockname()[1])
        env = {"GATE_REGION": "cn-north-4", "GATE_TOKEN": TOKEN, "HTTPS_PROXY": f"http://me:pAss-w0rd@127.0.0.1:{port}"}
        done = run_gate("doctor", "--verbose", env=env)
    assert (done.returncode, findings(done)["connection"]) == (5, "failed"), done.stdout
    assert f"the proxy 127.0.0.1:{port}" in failure(done)
    assert ("HTTP 403" if listening else "Connection refused") in failure(done)
    assert "HTTPS_PROXY" in failure(done)
    assert "pAss-w0rd" not in done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize("known", [False, True])
def test_private_ca_must_be_known(run_gate: Run, serve: Serve, tmp_path: Path, known: bool) -> None:
    """A certificate of an unknown CA fails the step TLS, which names the known ones and --ca-bundle."""
    ca, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    (ca if known else other).cert_pem.write_to_path(str(bundle))
    port = serve(Gateway, context)
    env = {"GATE_ENDPOINT": f"https://127.0.0.1:{port}", "GATE_TOKEN": TOKEN, "GATE_CA_BUNDLE": str(bundle)}
    done = run_gate("doctor", env=env)
    found = findings(done)
    assert str(bundle) in done.stdout
    if known:
        assert (found["TLS"], found["gateway"], found["credential"]) == ("ok", "ok", "failed"), done.stdout
    else:
        assert (done.returncode, found["connection"], found["TLS"], found["gateway"]) == (5, "ok", "failed", "skipped")
        assert "--ca-bundle" in failure(done)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no endpoint"),
        (["--region", "nowhere"], "cn-north-4"),
        (["--endpoint", "http://example.com"], "https"),
        (["--region", "cn-north-4"], "no credential"),
        (["--region", "cn-north-4", "short"], "32 digits or lower-case letters"),
    ],
)
def test_wrong_call_is_a_usage_error(run_here: Run, arguments: list[str], words: str) -> None:
    """Settings that are wrong end the program with 2, as everywhere."""
    env = {} if words == "no credential" else {"GATE_TOKEN": TOKEN}
    done = run_here("doctor", *arguments, env=env)
    assert (done.returncode, words in done.stderr, done.stdout) == (2, True, "")
