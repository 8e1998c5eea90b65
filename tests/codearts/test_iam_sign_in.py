"""Signing in at IAM: the request, and what each answer means."""

import json
from dataclasses import replace
from typing import Any

import pytest
import requests_mock

from gate.codearts.iam import SignInAuth, lifetime, sign_in
from gate.codearts.session import Session
from gate.errors import Forbidden, InvalidAnswer, Refused, ServiceError, ServiceFailing, Throttled, Unauthorised
from gate.settings import Connection, IamUser
from tests.tables import each_row

HOST = "https://iam.cn-north-4.myhuaweicloud.com"
TOKENS = f"{HOST}/v3/auth/tokens"
PASSWORD = "s3cret-of-mine"
TIMES = {"token": {"issued_at": "2026-01-01T00:00:00.000000Z", "expires_at": "2026-01-02T00:00:00.000000Z"}}


def user(project: str = "cn-north-4") -> IamUser:
    """Return an IAM user."""
    return IamUser(name="me", password=PASSWORD, domain="account", project=project)


def ask(project: str = "cn-north-4", password: str = PASSWORD) -> Any:
    """Sign in."""
    who = replace(user(project), password=password)
    connection = Connection(endpoint=HOST, iam_endpoint=HOST, credential=who)
    return sign_in(Session(connection, SignInAuth(lambda: (password,)), lambda _: None), who)


def test_request_is_the_documented_one() -> None:
    """POST with exactly application/json and no suffix, without a catalog, and the project's name as scope."""
    with requests_mock.Mocker() as mock:
        mock.post(TOKENS, status_code=201, headers={"X-Subject-Token": "MIID"}, json=TIMES)
        issued = ask()
    sent = mock.last_request
    assert (issued.token, issued.seconds, mock.call_count) == ("MIID", 86400, 1)
    assert (sent.url, sent.headers["Content-Type"]) == (f"{TOKENS}?nocatalog=true", "application/json")
    assert sent.json()["auth"]["scope"] == {"project": {"name": "cn-north-4"}}
    assert sent.json()["auth"]["identity"] == {
        "methods": ["password"],
        "password": {"user": {"name": "me", "password": "s3cret-of-mine", "domain": {"name": "account"}}},
    }


def test_project_of_32_hex_digits_is_meant_by_its_id() -> None:
    """A sub-project can be named by its id."""
    with requests_mock.Mocker() as mock:
        mock.post(TOKENS, status_code=201, headers={"X-Subject-Token": "MIID"}, json=TIMES)
        ask("0123456789abcdef0123456789abcdef")
    assert mock.last_request.json()["auth"]["scope"] == {"project": {"id": "0123456789abcdef0123456789abcdef"}}


@each_row(
    ("status", "body", "kind", "words"),
    [
        (401, {"error": {"code": 401, "message": "no s3cret-of-mine", "title": "x"}}, Unauthorised, "HUAWEI ID"),
        (404, {"error_code": "APIGW.0101", "error_msg": "no such API"}, Refused, "--iam-endpoint"),
        (404, {"error": {"code": 404, "message": "Could not find project", "title": "x"}}, Refused, "GATE_IAM_PROJECT"),
        (400, {"error": {"code": 400, "message": "bad", "title": "x"}}, Refused, "GATE_IAM_PROJECT"),
        (429, {"error": {"code": 429, "message": "slow down", "title": "x"}}, Throttled, ""),
        (200, {"error": {"code": 401, "message": "wrong", "title": "x"}}, Unauthorised, "HUAWEI ID"),
        (500, {"error": {"code": 401, "message": "wrong", "title": "x"}}, Unauthorised, "HUAWEI ID"),
        (200, {"error_code": "IAM.0011", "error_msg": "wrong"}, Unauthorised, "HUAWEI ID"),
        (503, {"error_code": "IAM.0001", "error_msg": "down"}, ServiceFailing, ""),
        (503, {"error": {"code": 503, "message": "down", "title": "x"}}, ServiceFailing, ""),
        (200, {"token": {}}, InvalidAnswer, "--iam-endpoint"),
        (200, "<html>sign in here</html>", InvalidAnswer, "--iam-endpoint"),
        (302, "", Refused, "--iam-endpoint"),
    ],
)
def test_answer_without_a_token_is_an_error_of_its_kind(
    status: int, body: object, kind: type[ServiceError], words: str
) -> None:
    """Each names IAM's host and says what to do; what IAM refuses is permanent; no password is quoted."""
    text = body if isinstance(body, str) else json.dumps(body)
    with requests_mock.Mocker() as mock:
        mock.post(TOKENS, status_code=status, text=text, headers={"Location": f"{HOST}/elsewhere"})
        with pytest.raises(ServiceError) as caught:
            ask()
    assert type(caught.value) is kind
    assert "iam.cn-north-4" in str(caught.value)
    assert words in caught.value.hint
    assert "s3cret-of-mine" not in f"{caught.value}{caught.value.hint}"
    assert mock.call_count == 1


@each_row(
    ("status", "body", "kind"),
    [
        (403, "<html>blocked</html>", InvalidAnswer),
        (404, "<html>no such page</html>", InvalidAnswer),
        (407, "", InvalidAnswer),
        (302, "", InvalidAnswer),
        (401, '{"error": {"code": 401, "message": "wrong", "title": "x"}}', Unauthorised),
        (403, '{"error": {"code": 403, "message": "no", "title": "x"}}', Forbidden),
        (403, '{"error_code": "IAM.0002", "error_msg": "no"}', Forbidden),
        (401, '{"error_code": "APIGW.0301", "error_msg": "no"}', Unauthorised),
    ],
)
def test_page_in_place_of_a_later_sign_in_may_pass(status: int, body: str, kind: type[ServiceError]) -> None:
    """A password that has worked is refused by IAM's own code only, and not sent again then."""
    connection = Connection(endpoint=HOST, iam_endpoint=HOST, credential=user())
    session = Session(connection, SignInAuth(lambda: (PASSWORD,)), lambda _: None)
    answers = [
        {"status_code": 201, "headers": {"X-Subject-Token": "MIID"}, "json": TIMES},
        {"status_code": status, "text": body},
    ]
    with requests_mock.Mocker() as mock:
        mock.post(TOKENS, answers)
        sign_in(session, user())
        with pytest.raises(ServiceError) as caught:
            sign_in(session, user())
    assert type(caught.value) is kind


@each_row(("password", "is_told"), [("pw\r\n", True), (" pw", True), ("p w", False)])
def test_white_space_around_a_refused_password_is_told(password: str, is_told: bool) -> None:
    """It counts as part of the password, and few see the line break at the end of a CI system's secret."""
    with requests_mock.Mocker() as mock:
        mock.post(TOKENS, status_code=401, json={"error": {"code": 401, "message": "wrong", "title": "x"}})
        with pytest.raises(Unauthorised) as caught:
            ask(password=password)
    assert ("GATE_IAM_PASSWORD begins or ends with white space" in caught.value.hint) is is_told


@each_row("token", ["", "two words", "a\x01b"])
def test_header_without_a_valid_token_is_an_invalid_answer(token: str) -> None:
    """Only a text that can be sent in a header is accepted as a token."""
    with requests_mock.Mocker() as mock:
        mock.post(TOKENS, status_code=201, json=TIMES, headers={"X-Subject-Token": token})
        with pytest.raises(InvalidAnswer, match="X-Subject-Token"):
            ask()


@each_row(
    "document",
    [{}, {"token": None}, {"token": {"issued_at": "now"}}, {"token": {"issued_at": 1, "expires_at": 2}},
     {"token": {"issued_at": "2026-01-02T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z"}}],
)  # fmt: skip
def test_times_that_cannot_be_read_leave_the_end_to_the_service(document: dict[str, Any]) -> None:
    """The token is then used until it is refused."""
    assert lifetime(document) == float("inf")
