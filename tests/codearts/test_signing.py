"""Signatures with AK/SK, compared with known answers and checked by the vendor's own verification."""

import heapq
import itertools
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests

from gate.codearts.client import Client
from gate.codearts.connect import connect
from gate.codearts.fallback_routes import Routes
from gate.codearts.session import Session
from gate.codearts.signing import DATE_FORMAT, KeyPairAuth
from gate.core.ports import CallResult, Context, Event
from gate.core.wait import Wait
from gate.errors import Unauthorised, UsageProblem
from gate.model import Target, Verdict
from gate.platforms.terminal import Terminal
from gate.settings import Connection, KeyPair, Rules
from gate.simulator.builds import BuildPlan, StagePlan
from gate.simulator.scenarios import Scenario, Start
from gate.simulator.simulated_iam import AccessKey
from tests.faults.fault_plan import RECORD_ROUTES
from tests.faults.faulty_simulator import FaultySimulator
from tests.tables import each_row

Simulate = Callable[..., FaultySimulator]

HOST = "https://cloudbuild-ext.cn-north-4.myhuaweicloud.com"
JOB = "901878212b1a49be9c1a1054c272762a"
EXAMPLE = KeyPair(access_key="AKIDEXAMPLE0000000000", secret_key="SKEXAMPLE0000000000000000000000000000000")
TIMES = "end_time=2026-01-02%2000%3A00%3A00&page_index=0&page_size=10&start_time=2026-01-01%2000%3A00%3A00"


def prepared(pair: KeyPair, request: requests.Request) -> requests.PreparedRequest:
    """Sign a request at the beginning of 2026."""
    request.auth = KeyPairAuth(pair, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    return request.prepare()


def pair_of(simulator: FaultySimulator, **changes: str) -> KeyPair:
    """Return the key pair that the simulator accepts."""
    keys = simulator.keys
    values = {"access_key": keys.ak, "secret_key": keys.sk, "security_token": keys.security_token or ""}
    return KeyPair(**(values | changes))


def connected(simulator: FaultySimulator, pair: KeyPair, warn: Callable[[str], None] = lambda _: None) -> Session:
    """Return a session with the simulator that signs with `pair`."""
    return connect(Connection(endpoint=simulator.endpoint, credential=pair), lambda _: None, warn)


@each_row(
    ("changes", "request_", "headers", "signature"),
    [
        (
            {"project_id": "0123456789abcdef0123456789abcdef"},
            requests.Request("GET", f"{HOST}/v1/record/{JOB}/55/record-info"),
            "host;x-project-id;x-sdk-date",
            "ef7abe4c1b752728b17fa0230fd63cc74eb6f037276a60d9b6801b8a35046f3a",
        ),
        (
            {},
            requests.Request(
                "POST",
                f"{HOST}/v1/job/execute",
                headers={"Content-Type": "application/json"},
                data=b'{"job_id":"901878212b1a49be9c1a1054c272762a"}',
            ),
            "content-type;host;x-sdk-date",
            "ee1ebedefc66c28625c86caf4c9de5babe5b5619581d1bc11e02d1198fcf4e0d",
        ),
        (
            {"security_token": "STSTOKENEXAMPLE"},
            requests.Request("GET", f"{HOST}/v1/record/{JOB}/list?{TIMES}"),
            "host;x-sdk-date;x-security-token",
            "6a06b004e27c07ec76dcaf768afcf8a7ebe8e88000fac2c07174678116b255de",
        ),
    ],
)
def test_known_requests_get_the_known_signatures(
    changes: dict[str, str], request_: requests.Request, headers: str, signature: str
) -> None:
    """The three requests that were signed with the vendor's SDK are signed alike."""
    pair = KeyPair(access_key=EXAMPLE.access_key, secret_key=EXAMPLE.secret_key, **changes)
    signed = prepared(pair, request_)
    assert signed.headers["Authorization"] == (
        f"SDK-HMAC-SHA256 Access=AKIDEXAMPLE0000000000, SignedHeaders={headers}, Signature={signature}"
    )
    assert signed.headers["X-Sdk-Date"] == "20260101T000000Z"


def test_query_is_sent_exactly_as_it_was_signed() -> None:
    """Sorted, and with %20 for a space."""
    signed = prepared(EXAMPLE, requests.Request("GET", f"{HOST}/v1/record/{JOB}/list?b=x+y&a=2%3A0~"))
    assert signed.url == f"{HOST}/v1/record/{JOB}/list?a=2%3A0~&b=x%20y"


@pytest.mark.parametrize("value", ["a b", "a+b", "a%20b", "~-_.", "ä/ö?&=#", "", "[1]*'()"])
def test_any_query_passes_the_verification(simulate: Simulate, value: str) -> None:
    """What arrives at the service is what was signed, whatever characters it contains."""
    simulator = simulate(["passing"], speed=0, signatures_in_service_time=True)
    session = connected(simulator, pair_of(simulator))
    reply = session.get(f"/v1/record/{simulator.jobs['passing']}/list", {"z": "1", "odd": value, "page_index": 0})
    assert reply.status != 401
    assert simulator.journal.entries[-1].query["odd"] == value


def test_bodies_temporary_keys_and_projects_pass_the_verification(simulate: Simulate) -> None:
    """A POST that starts a build, signed with everything that can be signed."""
    keys = AccessKey(security_token="STS-OF-THE-TEST")
    simulator = simulate(["passing"], speed=0, keys=keys, signatures_in_service_time=True)
    session = connected(simulator, pair_of(simulator, project_id="0" * 32))
    reply = session.post("/v1/job/execute", {"job_id": simulator.jobs["passing"]})
    assert (reply.status, simulator.journal.entries[-1].family) == (200, "aksk")


class MovedClock:
    """Carries out calls at once, and moves the service's clock forward where the gate would wait."""

    def __init__(self, simulator: FaultySimulator) -> None:
        self._simulator = simulator
        self._instant = 0.0
        self._answers: list[tuple[int, CallResult]] = []

    def now(self) -> float:
        """Return the instant."""
        return self._instant

    def has_room(self) -> bool:
        """Tell that another call may start."""
        return True

    def submit(self, key: int, call: Callable[[], object]) -> None:
        """Carry out the call."""
        try:
            answer = CallResult(key, value=call())
        except Exception as error:
            answer = CallResult(key, error=error)
        heapq.heappush(self._answers, (key, answer))

    def next(self, until: float) -> Event | None:
        """Return an answer, or let the time pass."""
        if self._answers:
            return heapq.heappop(self._answers)[1]
        assert math.isfinite(until)
        self._simulator.clock.advance(max(until - self._instant, 0.0))
        self._instant = max(self._instant, until)
        return None


def test_hundred_polls_of_an_hour_are_each_signed_afresh(simulate: Simulate) -> None:
    """The wait for a build of an hour passes; every signature was verified, and none was older than a minute."""
    course = BuildPlan(stages=(StagePlan(name="only", seconds=3700),))
    simulator = simulate(
        [Scenario(name="hour", starts=(Start(plan=course),))], speed=0, signatures_in_service_time=True
    )
    session = connected(simulator, pair_of(simulator))
    routes, clock = Routes(session), MovedClock(simulator)
    context = Context(
        rules=Rules(poll_interval=30, timeout=7200),
        service=Client(routes),
        now=clock.now,
        chance=itertools.cycle((0.1, 0.9, 0.5)).__next__,
        say=lambda *_: None,
    )
    target = Target(job_id=simulator.jobs["hour"], label="hour")
    wait = Wait([target], context, clock, Terminal(0.0, targets=1, quiet=True))
    (outcome,) = wait.run(7200)
    assert outcome.verdict is Verdict.PASSED
    polls = simulator.journal.of(*RECORD_ROUTES)
    assert len(polls) >= 100
    assert polls[-1].at - polls[0].at >= timedelta(hours=1)
    assert {(entry.family, entry.authorised) for entry in simulator.journal.entries} == {("aksk", True)}
    assert [entry.status for entry in simulator.journal.entries].count(422) == 1  # the look behind the newest build
    stamps = [datetime.strptime(entry.signed_at or "", DATE_FORMAT).replace(tzinfo=UTC) for entry in polls]
    assert max(abs(entry.at - stamp) for entry, stamp in zip(polls, stamps, strict=True)) < timedelta(minutes=1)
    assert len(set(stamps)) >= 100


@pytest.mark.parametrize("hours", [-1, 1])
def test_signature_that_was_refused_for_its_time_is_made_anew_by_the_services_clock(
    simulate: Simulate, hours: int
) -> None:
    """A wrong clock of this machine leads to one refusal and one warning."""
    simulator = simulate(["passing"], speed=0, signatures_in_service_time=True)
    simulator.clock.advance(hours * 3600)
    told: list[str] = []
    session = connected(simulator, pair_of(simulator), told.append)
    for _ in range(3):
        assert session.get(f"/v3/jobs/{simulator.jobs['passing']}/status").status == 200
    assert [entry.status for entry in simulator.journal.entries] == [401, 200, 200, 200]
    assert len(told) == 1


def test_refused_key_is_not_sent_again(simulate: Simulate) -> None:
    """More than five refusals in a row lock a key for all its users."""
    simulator = simulate(["passing"])
    session = connected(simulator, pair_of(simulator, secret_key="wrong"))
    assert session.get(f"/v3/jobs/{simulator.jobs['passing']}/status").status == 401
    for _ in range(3):
        with pytest.raises(Unauthorised, match="not sent again"):
            session.get(f"/v3/jobs/{simulator.jobs['passing']}/status")
    assert len(simulator.journal.entries) == 1


@each_row(
    ("field", "variable"),
    [
        ("access_key", "HUAWEICLOUD_SDK_AK"),
        ("secret_key", "HUAWEICLOUD_SDK_SK"),
        ("security_token", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    ],
)
def test_key_that_cannot_be_one_is_named_by_its_variable_only(field: str, variable: str) -> None:
    """A text of two lines is rejected without being quoted."""
    values = {"access_key": "ak", "secret_key": "sk", "security_token": "sts"} | {field: "two\nlines"}
    with pytest.raises(UsageProblem, match=variable) as caught:
        KeyPairAuth(KeyPair(**values), lambda: datetime.now(UTC))
    assert "lines" not in str(caught.value)
