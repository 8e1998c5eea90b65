"""Refusals of a credential: before it was ever accepted, after that, and twice in a row."""

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock
from requests import PreparedRequest, Request

from gate.codearts.auth import NoAuth
from gate.codearts.client import Client
from gate.codearts.connect import connect
from gate.codearts.fallback_routes import Routes
from gate.codearts.session import Session
from gate.codearts.signing import LEFT_TO_DECIDE, MAX_AT_ONCE, MAX_REFUSALS, KeyPairAuth
from gate.errors import (
    NEW_CREDENTIAL,
    CredentialRefused,
    Forbidden,
    InvalidAnswer,
    NotFound,
    Refused,
    ServiceError,
    TransientError,
    Unauthorised,
    Unreachable,
)
from gate.model import Order
from gate.settings import Connection, Credential, IamUser, KeyPair, Token
from tests.codearts.conftest import ENDPOINT, JOB
from tests.tables import each_row

STATUS = f"{ENDPOINT}/v3/jobs/{JOB}/status"
OTHER = f"{ENDPOINT}/v3/jobs/{'f' * 32}/status"
GOOD: dict[str, Any] = {"json": {"result": True}}
TOKEN = Token(value="a-token")
KEYS = KeyPair(access_key="AKIDEXAMPLE", secret_key="SKEXAMPLE")


def coded(status: int, code: str) -> dict[str, Any]:
    """Return a refusal with an error code."""
    return {"status_code": status, "json": {"error_code": code, "error_msg": "no"}}


def page(status: int, **headers: str) -> dict[str, Any]:
    """Return what a proxy or a sign-in page answers."""
    return {"status_code": status, "text": "<html>no</html>", "headers": {"Content-Type": "text/html", **headers}}


EXPIRED = coded(401, "APIGW.0307")


def client_with(credential: Credential, iam: str = "") -> Client:
    """Return a client that has asked nothing yet."""
    connection = Connection(endpoint=ENDPOINT, credential=credential, iam_endpoint=iam)
    return Client(Routes(connect(connection, lambda _: None, lambda _: None)))


def errors_of(client: Client, count: int, job_id: str = JOB) -> list[type[ServiceError] | None]:
    """Ask several times, and return what each of them ended with."""
    kinds: list[type[ServiceError] | None] = []
    for _ in range(count):
        try:
            client.is_running(job_id)
        except ServiceError as error:
            kinds.append(type(error))
        else:
            kinds.append(None)
    return kinds


PAGES = [
    page(401),
    page(403),
    page(402),
    page(407),
    page(418),
    page(404),
    page(302, Location="https://sso.example/login"),
    {"status_code": 403, "json": {"message": "blocked by the firewall", "code": 1020}},
    {"status_code": 401, "text": ""},
]


@pytest.mark.parametrize("answer", PAGES, ids=lambda answer: str(answer["status_code"]))
@pytest.mark.parametrize("credential", [TOKEN, KEYS], ids=["token", "keys"])
def test_page_of_a_proxy_does_not_end_a_wait_that_has_worked(
    service: requests_mock.Mocker, credential: Credential, answer: dict[str, Any]
) -> None:
    """However often it comes; the hint says that something else answers in place of the service."""
    service.get(STATUS, [GOOD, *[answer] * 4, GOOD])
    client = client_with(credential)
    assert errors_of(client, 6) == [None, *[InvalidAnswer] * 4, None]


@pytest.mark.parametrize("answer", PAGES, ids=lambda answer: str(answer["status_code"]))
def test_page_before_the_first_good_answer_ends_the_wait(service: requests_mock.Mocker, answer: dict[str, Any]) -> None:
    """A wrong host or a proxy that needs a user is found out at once."""
    service.get(STATUS, **answer)
    [kind] = errors_of(client_with(TOKEN), 1)
    assert kind in (Unauthorised, Forbidden, Refused)


def test_sign_in_page_with_status_200_accepts_no_credential(service: requests_mock.Mocker) -> None:
    """What follows it is still the first refusal of a credential that was never accepted."""
    service.get(STATUS, [page(200), EXPIRED])
    assert errors_of(client_with(TOKEN), 2) == [InvalidAnswer, Unauthorised]


@pytest.mark.parametrize("credential", [TOKEN, KEYS], ids=["token", "keys"])
def test_refusal_after_an_accepted_request_is_for_the_core_to_count(
    service: requests_mock.Mocker, credential: Credential
) -> None:
    """Each is told alike, whatever came before: a page of a proxy between them says nothing about the credential."""
    service.get(STATUS, [GOOD, EXPIRED, EXPIRED, GOOD, EXPIRED, page(403), EXPIRED])
    assert errors_of(client_with(credential), 7) == [
        None, *[CredentialRefused] * 2, None, CredentialRefused, InvalidAnswer, CredentialRefused,
    ]  # fmt: skip


@pytest.mark.parametrize("refusal", [EXPIRED, page(401)], ids=["service", "page"])
@pytest.mark.parametrize("credential", [TOKEN, KEYS], ids=["token", "keys"])
def test_refusal_of_a_credential_that_was_never_accepted_is_permanent(
    service: requests_mock.Mocker, credential: Credential, refusal: dict[str, Any]
) -> None:
    """With or without a code. A key is not sent a second time then."""
    service.get(STATUS, **refusal)
    assert errors_of(client_with(credential), 3) == [Unauthorised] * 3
    assert service.call_count == (1 if credential is KEYS else 3)


def test_proxy_that_refuses_its_own_user_for_a_moment_ends_no_wait(service: requests_mock.Mocker) -> None:
    """No connection came about, so that nothing was sent; before anything has worked, it says what to set."""
    refusal: dict[str, Any] = {
        "exc": requests.exceptions.ProxyError(OSError("Tunnel connection failed: 407 Authentication Required"))
    }
    service.get(STATUS, [refusal, GOOD, refusal])
    service.post(f"{ENDPOINT}/v1/job/execute", **refusal)
    client = client_with(TOKEN)
    assert errors_of(client, 3) == [Unauthorised, None, Unreachable]
    with pytest.raises(Unreachable) as caught:
        client.start(JOB, Order(), lambda: True)
    assert (caught.value.sent, "the proxy" in str(caught.value)) == (False, True)


def test_error_of_the_service_itself_shows_that_the_credential_was_accepted(service: requests_mock.Mocker) -> None:
    """Its gateway lets nobody through whom it does not know."""
    service.get(STATUS, [coded(422, "DEVCB.00031006"), EXPIRED])
    assert errors_of(client_with(TOKEN), 2) == [NotFound, CredentialRefused]


def test_advice_on_a_second_refusal_does_not_say_that_nothing_was_repeated(service: requests_mock.Mocker) -> None:
    """Whereas the first refusal of a credential that never worked ends the run."""
    service.get(STATUS, [GOOD, coded(401, "APIGW.0399")])
    client = client_with(TOKEN)
    client.is_running(JOB)
    with pytest.raises(CredentialRefused) as caught:
        client.is_running(JOB)
    assert caught.value.permanent().hint == NEW_CREDENTIAL
    assert "not repeated" in Unauthorised.hint


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (EXPIRED, Unauthorised, "expired"),
        (coded(403, "APIGW.0302"), Forbidden, "permission to view"),
        (coded(403, "APIGW.0310"), Forbidden, "in arrears"),
        (coded(403, "APIG.0401"), Forbidden, "address of this machine"),
        (coded(403, "APIGW.0801"), Forbidden, "Check --region"),
    ],
    ids=["credential", "permission", "arrears", "address", "region"],
)
def test_refusal_becomes_a_permanent_error_of_its_kind(
    service: requests_mock.Mocker, answer: dict[str, Any], kind: type[ServiceError], words: str
) -> None:
    """With the same facts, and advice that fits."""
    service.get(STATUS, [GOOD, answer])
    client = client_with(TOKEN)
    client.is_running(JOB)
    with pytest.raises(CredentialRefused) as caught:
        client.is_running(JOB)
    permanent = caught.value.permanent()
    facts = (type(permanent), str(permanent), permanent.status, permanent.code)
    assert facts == (kind, str(caught.value), answer["status_code"], answer["json"]["error_code"])
    assert words in permanent.hint


def test_malformed_request_is_final_at_once(service: requests_mock.Mocker) -> None:
    """It is not about the credential, and would be refused again."""
    service.get(STATUS, [GOOD, coded(400, "DEV.CB.032011")])
    assert errors_of(client_with(TOKEN), 2) == [None, Refused]


@pytest.mark.parametrize("answer", [page(403), coded(403, "APIGW.0302"), EXPIRED, page(302)])
def test_refused_order_is_final_at_once(service: requests_mock.Mocker, answer: dict[str, Any]) -> None:
    """It is tried once, also by a credential that has worked, and by one route."""
    service.get(STATUS, **GOOD)
    order = service.post(f"{ENDPOINT}/v1/job/execute", **answer)
    client = client_with(TOKEN)
    client.is_running(JOB)
    with pytest.raises((Unauthorised, Forbidden, Refused)):
        client.start(JOB, Order(), lambda: True)
    assert (order.call_count, service.call_count) == (1, 2)


def test_newer_token_of_the_file_is_used_at_once(service: requests_mock.Mocker, tmp_path: Path) -> None:
    """A refusal of the old token is no refusal of the new one."""
    file = tmp_path / "token"
    file.write_text("one")
    service.get(STATUS, [GOOD, EXPIRED, GOOD, EXPIRED, EXPIRED])
    client = client_with(Token(file=file))
    assert errors_of(client, 1) == [None]
    file.write_text("two")
    assert errors_of(client, 1) == [None]
    file.write_text("three")
    assert errors_of(client, 1) == [CredentialRefused]
    assert [request.headers["X-Auth-Token"] for request in service.request_history] == [
        "one", "one", "two", "two", "three",
    ]  # fmt: skip


def test_page_in_place_of_an_answer_costs_one_sign_in_at_most(service: requests_mock.Mocker) -> None:
    """A proxy that answers 401 for a while does not make the gate sign in with each request."""
    issued = {"status_code": 201, "headers": {"X-Subject-Token": "token"}, "json": {}}
    iam = service.post("https://iam.example/v3/auth/tokens", **issued)  # type: ignore[arg-type]
    service.get(STATUS, [GOOD, *[page(401)] * 5, GOOD])
    user = IamUser(name="me", password="s3cret", domain="account", project="cn-north-4")
    client = client_with(user, "https://iam.example")
    assert errors_of(client, 5) == [None, *[InvalidAnswer] * 4]
    assert errors_of(client, 1) == [None]
    assert iam.call_count == 2


def in_threads(count: int, call: Callable[[], object]) -> None:
    """Call something in several threads at the same time."""
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)


@each_row(
    ("has_worked", "decides", "refusals"),
    [(False, True, 1), (True, False, MAX_REFUSALS - LEFT_TO_DECIDE), (True, True, MAX_REFUSALS)],
)
def test_key_is_not_refused_more_often_however_many_requests_come_at_once(
    has_worked: bool, decides: bool, refusals: int
) -> None:
    """More than five refusals in a row would lock it for everybody; side channels leave some to what decides."""
    auth = KeyPairAuth(KEYS, lambda: datetime.now(UTC))
    if has_worked:
        auth.accepted(PreparedRequest())
    sent: list[PreparedRequest] = []

    def ask() -> None:
        with contextlib.suppress(Unauthorised), auth.sending(decides=decides):
            sent.append(Request("GET", STATUS, auth=auth).prepare())
            time.sleep(0.02)  # the time of an answer, in which other threads try to send
            auth.refused()

    in_threads(8, ask)
    assert len(sent) == refusals


def test_requests_that_hang_hold_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been under way for a second, here a fifth of one, will not be refused any more."""
    monkeypatch.setattr("gate.codearts.signing.REFUSAL_SECONDS", 0.2)
    auth, released = KeyPairAuth(KEYS, lambda: datetime.now(UTC)), threading.Event()
    auth.accepted(PreparedRequest())

    def hang() -> None:
        with auth.sending(decides=False):
            released.wait(20)

    threads = [threading.Thread(target=hang) for _ in range(MAX_AT_ONCE)]
    for thread in threads:
        thread.start()
    while len(auth._under_way) < MAX_AT_ONCE:
        time.sleep(0.01)
    started = time.monotonic()
    with auth.sending(decides=True):
        waited = time.monotonic() - started
    released.set()
    for thread in threads:
        thread.join(20)
    assert waited < 2


def test_hint_of_a_first_refusal_names_the_cause(service: requests_mock.Mocker) -> None:
    """The error budget may end with it, and the user then reads it."""
    service.get(STATUS, [GOOD, EXPIRED])
    client = client_with(TOKEN)
    client.is_running(JOB)
    with pytest.raises(CredentialRefused) as caught:
        client.is_running(JOB)
    assert isinstance(caught.value, TransientError)
    assert "expired" in caught.value.hint


def test_session_without_a_credential_learns_nothing(service: requests_mock.Mocker) -> None:
    """The doctor asks without one on purpose."""
    connection = Connection(endpoint=ENDPOINT, credential=TOKEN)
    service.get(STATUS, [GOOD, page(401)])
    client = Client(Routes(Session(connection, NoAuth(), lambda _: None)))
    assert errors_of(client, 2) == [None, Unauthorised]
