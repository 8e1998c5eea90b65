"""The credential goes to the one configured host: not to redirects, proxies, other hosts, or in the clear."""

import json
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from gate.simulator.exchange import HttpAnswer, json_answer
from tests.end_to_end.listeners import Heard, dead_address, listening, proxy, remember
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator, Tls
from tests.faults.response_faults import AlterAnswer, ReplaceAnswer
from tests.faults.transport_faults import Raw
from tests.helpers import RunGate, RunGates, Simulate, environment

NAME = "codearts.test"
"""A host that only the proxy knows."""
PASSWORD = "proxy-p4ssw0rd"
HASTY = ("--timeout", "10s", "--error-budget", "500ms", "--request-timeout", "5s", "--verbose")


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return a private certificate authority."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    """Return the file with the authority's certificate."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


def tls(authority: trustme.CA, **options: Any) -> Tls:
    """Return encryption with a certificate of the authority, for loopback and for the proxied name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", NAME, **options).configure_cert(context)
    return Tls(context=context)


@pytest.fixture
def secure(simulate: Simulate, authority: trustme.CA) -> FaultySimulator:
    """Start a simulator that speaks https."""
    return simulate(["passing"], speed=300, tls=tls(authority))


@pytest.fixture
def other_host() -> Iterator[Heard]:
    """Start a server on another loopback address, which remembers what it hears."""
    with listening("127.0.0.2", remember) as heard:
        yield heard


def by_name(simulator: FaultySimulator) -> Mapping[str, str]:
    """Lead the gate to the simulator by the name that only the proxy knows."""
    return {**environment(simulator), "GATE_ENDPOINT": f"https://{NAME}"}


def port_of(simulator: FaultySimulator) -> int:
    """Return the simulator's port."""
    return int(simulator.endpoint.rpartition(":")[2])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(simulate: Simulate, run_gate: RunGate, other_host: Heard, status: int) -> None:
    """Not a byte reaches the other host; the message says where it would have gone."""
    where = f"http://127.0.0.2:{other_host.port}/elsewhere"
    answer = HttpAnswer(status=status, headers={"Location": where})
    simulator = simulate(["passing"], faults=[Fault(act=ReplaceAnswer(answer), times=None)])
    done = run_gate("wait", simulator.jobs["passing"], *HASTY, env=environment(simulator))
    assert (done.returncode, other_host.all()) == (5, b""), done.stderr
    assert f"it redirects to {where}, which the gate does not follow" in done.stderr
    assert simulator.token not in done.stderr + done.stdout


def test_netrc_replaces_nothing(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """A `.netrc` that has a password for the host is not looked at."""
    simulator = simulate(["passing"], speed=300)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password s3cret\n")
    (tmp_path / ".netrc").chmod(0o600)
    asked: list[str | None] = []

    def note(call: Any) -> bool:
        asked.append(call.headers.get("Authorization"))
        return False

    simulator.faults.add(Fault(act=ReplaceAnswer(json_answer({})), when=note, times=None))
    done = run_gate("wait", simulator.jobs["passing"], env={**environment(simulator), "HOME": str(tmp_path)})
    assert (done.returncode, set(asked)) == (0, {None})
    assert all(entry.family == "token" for entry in simulator.journal.entries)


@pytest.mark.parametrize("variable", ["GATE_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "--ca-bundle"])
def test_private_ca_is_trusted_where_it_is_named(
    secure: FaultySimulator, run_gate: RunGate, bundle: Path, variable: str
) -> None:
    """By option or by variable."""
    given = (variable, bundle) if variable.startswith("--") else ()
    env = {**environment(secure), **({} if given else {variable: str(bundle)})}
    done = run_gate("wait", secure.jobs["passing"], *given, env=env)
    assert done.returncode == 0, done.stderr


def expired(authority: trustme.CA) -> Tls:
    """Return a certificate that is no longer good."""
    return tls(authority, not_after=datetime.now(UTC) - timedelta(days=1))


def self_signed(authority: trustme.CA) -> Tls:
    """Return a certificate of nobody whom the client knows."""
    return tls(trustme.CA())


def of_another_host(authority: trustme.CA) -> Tls:
    """Return a good certificate for another name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.test").configure_cert(context)
    return Tls(context=context)


@pytest.mark.parametrize(
    ("certificate", "words", "advice"),
    [
        (expired, "expired at ", "this machine's clock is wrong"),
        (self_signed, "which is not among the CAs in ", "--ca-bundle"),
        (of_another_host, "is for another host: elsewhere.test", "--endpoint"),
    ],
)
@pytest.mark.parametrize("command", ["wait", "doctor"])
def test_certificate_that_is_not_good_ends_at_once(
    simulate: Simulate,
    run_gate: RunGate,
    authority: trustme.CA,
    bundle: Path,
    command: str,
    certificate: Any,
    words: str,
    advice: str,
) -> None:
    """No request is sent, nothing is tried again, and the message says what is wrong and what to do, and no more."""
    simulator = simulate(["passing"], tls=certificate(authority))
    done = run_gate(command, simulator.jobs["passing"], "--ca-bundle", bundle, env=environment(simulator))
    assert (done.returncode, simulator.journal.entries) == (5, ())
    said = done.stdout if command == "doctor" else done.stderr
    assert "the TLS certificate of 127.0.0.1" in said
    assert words in said
    assert advice in (said if command == "doctor" else said.splitlines()[-1])
    assert ("--ca-bundle" in said) == (certificate is self_signed)


TWO_ADDRESSES = """
import socket

look_up = socket.getaddrinfo

def with_a_dead_one_first(host, port, *args, **kwargs):
    dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", {dead!r})
    return [dead, *look_up(host, port, *args, **kwargs)]

socket.getaddrinfo = with_a_dead_one_first
"""


@pytest.mark.parametrize("family", ["token", "password"])
@pytest.mark.parametrize("command", ["wait", "doctor"])
def test_dead_first_address_costs_a_moment(simulate: Simulate, run_gate: RunGate, command: str, family: str) -> None:
    """The service and IAM are reached by their next address, with a request timeout that has no room for a wait."""
    simulator = simulate(["passing"], speed=300)
    with dead_address("127.0.0.2") as dead:
        before = TWO_ADDRESSES.format(dead=dead)
        env = environment(simulator, family, GATE_REQUEST_TIMEOUT="3s")
        done = run_gate(command, simulator.jobs["passing"], env=env, before=before)
    assert (done.returncode, "no complete answer" in done.stderr) == (0, False), done.stdout + done.stderr


@pytest.mark.parametrize("content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nno\n", None])
@pytest.mark.parametrize("command", ["wait", "doctor"])
def test_ca_bundle_that_holds_none_is_named(
    secure: FaultySimulator, run_here: RunGate, tmp_path: Path, command: str, content: str | None
) -> None:
    """A file without certificates, or what is no file at all, is a wrong call: nothing is asked."""
    bundle = tmp_path / "empty.pem"
    os.mkfifo(bundle) if content is None else bundle.write_text(content)
    done = run_here(command, secure.jobs["passing"], "--ca-bundle", bundle, env=environment(secure))
    assert (done.returncode, secure.journal.entries) == (2, ()), done.stderr
    assert f"--ca-bundle {bundle} cannot be used: it " in done.stderr.splitlines()[-1]


def test_ca_bundle_of_curl_that_is_missing_is_no_bug(secure: FaultySimulator, run_gate: RunGate) -> None:
    """The library heeds CURL_CA_BUNDLE by itself, and fails in its own way."""
    done = run_gate("wait", secure.jobs["passing"], env={**environment(secure), "CURL_CA_BUNDLE": "/nowhere.pem"})
    assert (done.returncode, "a bug in the gate" in done.stderr) == (5, False), done.stderr


def test_handshake_that_hangs_is_given_up(
    simulate: Simulate, run_gate: RunGate, authority: trustme.CA, bundle: Path
) -> None:
    """Also in the middle of a wait, when a new connection is needed."""
    good = tls(authority)
    simulator = simulate(["slow"], tls=Tls(context=good.context, silent_from=1))
    simulator.faults.add(Fault(act=Raw(data=b""), operations=RECORD_ROUTES, skip=1))
    options = ("--ca-bundle", bundle, "--error-budget", "500ms", "--request-timeout", "400ms", "--timeout", "20s")
    done = run_gate("wait", simulator.jobs["slow"], *options, env=environment(simulator))
    assert (done.returncode, "no complete answer from 127.0.0.1" in done.stderr) == (5, True), done.stderr


def test_garbage_after_the_order_starts_no_second_build(
    simulate: Simulate, run_gate: RunGate, authority: trustme.CA, bundle: Path
) -> None:
    """An error of TLS that comes behind the request does not mean that it was not sent."""
    simulator = simulate(["passing"], speed=300, tls=tls(authority))
    begun = []

    def break_tls(call: Any) -> bool:
        begun.append(call)
        simulator.backend.execute(call)
        for layers in simulator._server._open.values():  # the bytes go out behind the back of TLS
            os.write(layers[-1].fileno(), b"this is no TLS record at all")
        return False

    simulator.faults.add(
        Fault(act=ReplaceAnswer(json_answer({})), operations=("ExecuteJob", "RunJob"), when=break_tls, times=None)
    )
    done = run_gate("run", simulator.jobs["passing"], "--ca-bundle", bundle, *HASTY, env=environment(simulator))
    assert (done.returncode, len(begun)) == (5, 1), done.stderr
    assert "it is unknown whether a build was started" in done.stderr


@pytest.mark.parametrize("user", ["", f"gate:{PASSWORD}"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_proxy_carries_the_request_and_reads_nothing_of_it(
    secure: FaultySimulator, run_gate: RunGate, bundle: Path, variable: str, user: str
) -> None:
    """A real proxy, with and without a password: it hears the host's name and ciphertext, and no secret."""
    with listening("127.0.0.1", proxy({NAME: port_of(secure)}, user)) as heard:
        address = f"http://{user}{'@' if user else ''}127.0.0.1:{heard.port}"
        env = {**by_name(secure), variable: address}
        done = run_gate("wait", secure.jobs["passing"], "--ca-bundle", bundle, "--verbose", env=env)
        assert done.returncode == 0, done.stderr
        assert heard.data[0].startswith(f"CONNECT {NAME}:443".encode())
        assert secure.token.encode() not in heard.all()
        assert b"X-Auth-Token" not in heard.all()
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "does"),
    [
        ("", "requires a user and a password"),
        (f"gate:{PASSWORD}-wrong@", "does not accept the user and the password in its address"),
    ],
)
def test_proxy_that_wants_a_password_says_so(
    secure: FaultySimulator, run_gate: RunGate, bundle: Path, tmp_path: Path, given: str, does: str
) -> None:
    """407 ends at once, with what to write where, and without the password that was given."""
    with listening("127.0.0.1", proxy({NAME: port_of(secure)}, f"gate:{PASSWORD}")) as heard:
        env = {**by_name(secure), "HTTPS_PROXY": f"http://{given}127.0.0.1:{heard.port}"}
        done = run_gate("wait", secure.jobs["passing"], "--ca-bundle", bundle, *HASTY, env=env)
        assert (done.returncode, len(heard.data)) == (5, 1), done.stderr
    assert f"the proxy 127.0.0.1:{heard.port} to {NAME} {does}" in done.stderr
    assert "HTTPS_PROXY" in done.stderr.splitlines()[-1]
    assert PASSWORD not in done.stdout + done.stderr + (tmp_path / "gate-report.xml").read_text()


def test_proxy_that_knows_no_way_is_told_from_the_service(
    secure: FaultySimulator, run_gate: RunGate, bundle: Path
) -> None:
    """It may heal, so it is asked again; then the message names the proxy's answer."""
    with listening("127.0.0.1", proxy({})) as heard:
        env = {**by_name(secure), "HTTPS_PROXY": f"http://127.0.0.1:{heard.port}"}
        done = run_gate("wait", secure.jobs["passing"], "--ca-bundle", bundle, *HASTY, env=env)
        assert (done.returncode, len(heard.data) > 1) == (5, True), done.stderr
    assert f"no connection to {NAME} through the proxy 127.0.0.1:{heard.port}: it answered HTTP 502" in done.stderr
    assert f"Check HTTPS_PROXY, and that this proxy lets you connect to {NAME}" in done.stderr.splitlines()[-1]


UNUSABLE = (
    "socks5://127.0.0.1:1", "http://", "nonsense://x:y@z", "http://127.0.0.1:99999", "http://[::1", "http://a..b:80",
    "http://me:pa/S3CRET@127.0.0.1:1", "http://me:%e6%9e%84S3CRET@127.0.0.1:1", "http://127.0.0.1:80x",
)  # fmt: skip


@pytest.mark.parametrize(
    ("command", "address"),
    [("doctor", one) for one in (*UNUSABLE, "http://me:17/S3CRET@127.0.0.1:1")]
    + [("wait", one) for one in UNUSABLE[::3]]
    + [("run", one) for one in UNUSABLE[1::3]],
)
def test_proxy_that_cannot_be_used_is_named(
    secure: FaultySimulator, run_gate: RunGate, command: str, address: str
) -> None:
    """A wrong address of the proxy is no bug of the gate, no reason to wait, and no order that got lost."""
    env = {**by_name(secure), "HTTPS_PROXY": address, "GATE_ERROR_BUDGET": "20s"}
    started = time.monotonic()
    done = run_gate(command, secure.jobs["passing"], env=env)
    assert (done.returncode, "a bug in the gate" in done.stderr) == (5, False), done.stderr
    assert "HTTPS_PROXY" in (done.stdout + done.stderr)
    assert "not known" not in done.stderr
    assert not re.search("S3CRET|me:17", done.stdout + done.stderr)
    assert time.monotonic() - started < 10


@dataclass
class BreakingProxy:
    """A proxy that answers one request with what is no tunnel: the first after the look at the job's newest build.

    That look is the last thing before the order.
    """

    simulator: FaultySimulator
    answer: bytes
    has_broken: bool = False

    def __call__(self, connection: socket.socket, heard: Heard) -> None:
        """Serve a connection."""
        if self.has_broken or not self.simulator.journal.of(*RECORD_ROUTES):
            return proxy({NAME: port_of(self.simulator)})(connection, heard)
        self.has_broken = True
        connection.recv(65536)
        return connection.sendall(self.answer)


BROKEN = {
    "nothing": b"",
    "ssh": b"SSH-2.0-x\r\n",
    "end": b"HTTP/1.1 200 OK\r\n\r\n",
    "no TLS": b"HTTP/1.1 200 OK\r\n\r\nno TLS",
}


def test_proxy_that_breaks_before_the_order_is_tried_again(
    simulate: Simulate, authority: trustme.CA, run_gates: RunGates, bundle: Path
) -> None:
    """Nothing was sent to the service, so that nobody needs to fear that a build was started.

    Each request takes a connection of its own here.
    """
    closing = Fault(act=AlterAnswer(lambda answer: replace(answer, headers={"Connection": "close"})), times=None)
    proxies: dict[str, BreakingProxy] = {}
    calls: dict[str, Any] = {}
    with ExitStack() as stack:
        for name, answer in BROKEN.items():
            simulator = simulate(["passing"], speed=300, tls=tls(authority), faults=[closing])
            proxies[name] = BreakingProxy(simulator, answer)
            heard = stack.enter_context(listening("127.0.0.1", proxies[name]))
            calls[name] = {
                "arguments": ["run", simulator.jobs["passing"], "--ca-bundle", bundle],
                "env": {**by_name(simulator), "HTTPS_PROXY": f"http://127.0.0.1:{heard.port}"},
            }
        ended = run_gates(calls)
    for name, done in ended.items():
        assert (done.returncode, "asking again" in done.stderr) == (0, True), (name, done.stderr)
        assert proxies[name].has_broken, name


def test_certificate_behind_a_proxy_is_told_with_its_reason(secure: FaultySimulator, run_gate: RunGate) -> None:
    """A proxy that looks into TLS has a certificate of its own: people must read why it is not trusted."""
    with listening("127.0.0.1", proxy({NAME: port_of(secure)})) as heard:
        env = {**by_name(secure), "HTTPS_PROXY": f"http://127.0.0.1:{heard.port}"}
        done = run_gate("wait", secure.jobs["passing"], *HASTY, env=env)
    assert (done.returncode, "(unable to get local issuer certificate)" in done.stderr) == (5, True)


def test_https_to_a_plain_port_says_so(simulate: Simulate, run_gate: RunGate) -> None:
    """In words, and not in those of a library."""
    simulator = simulate(["passing"])
    env = {**environment(simulator), "GATE_ENDPOINT": simulator.endpoint.replace("http:", "https:")}
    done = run_gate("wait", simulator.jobs["passing"], *HASTY, env=env)
    assert (done.returncode, "the server on this port does not use TLS" in done.stderr) == (5, True), done.stderr


@pytest.mark.parametrize("host", ["loopback", "name"])
def test_no_proxy_and_loopback_go_around_the_proxy(
    secure: FaultySimulator, run_gate: RunGate, bundle: Path, other_host: Heard, host: str
) -> None:
    """A host in NO_PROXY, and this machine without being named: the proxy hears nothing."""
    env = {**environment(secure), "HTTPS_PROXY": f"http://127.0.0.2:{other_host.port}"}
    if host == "name":
        env |= {"NO_PROXY": NAME, "GATE_ENDPOINT": f"https://{NAME}"}
    done = run_gate("wait", secure.jobs["passing"], "--ca-bundle", bundle, *HASTY, env=env)
    assert (done.returncode, other_host.all()) == (0 if host == "loopback" else 5, b""), done.stderr


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://codearts.test", "http://127.0.0.1.codearts.test", "http://127.999.1.1", "http://127.0.0.1@codearts.test",
        "http://codearts.test#@127.0.0.1", "http://128.0.0.1", "ftp://127.0.0.1", "http://\uff11\uff12\uff17.0.0.1", "http://0.0.0.0",
    ],
)  # fmt: skip
def test_endpoint_in_the_clear_is_refused_before_the_first_byte(
    run_here: RunGate, other_host: Heard, endpoint: str
) -> None:
    """Plain http is for this machine only, however the address is written; the proxy is not even asked."""
    env = {"GATE_TOKEN": "t", "GATE_ENDPOINT": endpoint, "HTTP_PROXY": f"http://127.0.0.2:{other_host.port}"}
    done = run_here("wait", "a" * 32, env=env)
    assert (done.returncode, other_host.all()) == (2, b""), done.stderr


def test_service_that_echoes_the_token_finds_it_blotted_out(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path
) -> None:
    """In words, branches, messages, headers and names, escaped or not: the token is in no output and in no report."""
    simulator = simulate(["failing"], speed=300)
    token = simulator.token
    escaped = "".join(f"\\u{ord(character):04x}" for character in token)
    fields = {"build_no": 57, "status": "FAILURE", "branch": token, "err_msg": "ESCAPED", "commit": f"x{token}x"}
    record = json.dumps({"status": "success", "result": {**fields, "codeci_job_id": simulator.jobs["failing"]}})
    record = record.replace("ESCAPED", escaped)
    stages = json.dumps({"status": "success", "result": {"build_stages": {token: {"status": token}}}})
    simulator.faults.add(
        Fault(act=ReplaceAnswer(HttpAnswer(body=record.encode())), operations=RECORD_ROUTES, skip=2, times=None),
        Fault(act=ReplaceAnswer(HttpAnswer(body=b"no JSON", content_type=token)), operations=RECORD_ROUTES, times=1),
        Fault(
            act=ReplaceAnswer(json_answer({"error_code": token, "error_msg": token}, status=500)),
            operations=RECORD_ROUTES,
            skip=1,
        ),
        Fault(act=ReplaceAnswer(HttpAnswer(body=stages.encode())), operations=("ShowBuildRecordFullStages",)),
        Fault(
            act=ReplaceAnswer(HttpAnswer(body=token.encode(), content_type="text/plain")),
            operations=("DownloadBuildFullLog",),
        ),
    )
    files = ("--summary", "summary.md", "--outputs", "outputs.env", "--json", "--verbose")
    done = run_gate("wait", f"{simulator.jobs['failing']}:57", *files, env=environment(simulator))
    assert done.returncode == 1, done.stderr
    written = "".join(path.read_text() for path in tmp_path.iterdir() if path.is_file())
    everything = done.stdout + done.stderr + written
    assert "***" in everything
    assert token not in everything
    assert token[:40] not in everything
