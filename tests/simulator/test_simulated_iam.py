"""IAM's stand-in and the life of its tokens."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from gate.simulator.simulated_iam import IamAccount
from tests.faults.faulty_simulator import FaultySimulator

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]

STATUS = "/v3/jobs/{job}/status"
USER = {"name": "gate-user", "password": "gate-password", "domain": {"name": "gate-domain"}}
LOGIN: dict[str, Any] = {
    "auth": {
        "identity": {"methods": ["password"], "password": {"user": USER}},
        "scope": {"project": {"name": "cn-north-4"}},
    }
}


def sign_in(session: requests.Session, simulator: FaultySimulator, body: object = LOGIN) -> requests.Response:
    """Ask for a token."""
    return session.post(f"{simulator.endpoint}/v3/auth/tokens?nocatalog=true", json=body)


def test_the_right_password_gives_a_token_that_is_good(
    simulator: FaultySimulator, session: requests.Session, ask: Ask
) -> None:
    """201; the token stands in the header and lets its bearer in."""
    answer = sign_in(session, simulator)
    assert answer.status_code == 201
    token = answer.headers["X-Subject-Token"]
    assert ask(simulator, STATUS, headers={"X-Auth-Token": token}).status_code == 200
    assert token not in answer.text


def test_the_body_tells_when_the_token_ends(simulator: FaultySimulator, session: requests.Session) -> None:
    """24 hours after the service's time, in IAM's own form."""
    token = sign_in(session, simulator).json()["token"]
    end = datetime.strptime(token["expires_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert end == simulator.clock.now() + timedelta(days=1)
    assert (token["project"]["name"], token["user"]["name"]) == ("cn-north-4", "gate-user")


def test_the_wrong_password_is_refused_in_iams_own_shape(simulator: FaultySimulator, session: requests.Session) -> None:
    """401 with IAM's error object; the attempt counts as one."""
    body = copy.deepcopy(LOGIN)
    body["auth"]["identity"]["password"]["user"]["password"] = "wrong"
    answer = sign_in(session, simulator, body)
    error = {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}
    assert (answer.status_code, answer.json()) == (401, {"error": error})
    assert simulator.journal.sign_ins == 1


@pytest.mark.parametrize("body", [{}, {"auth": []}, {"auth": {"identity": {"password": {"user": "gate-user"}}}}])
def test_a_request_without_a_password_is_bad(
    simulator: FaultySimulator, session: requests.Session, body: object
) -> None:
    """A body of another shape is 400."""
    answer = sign_in(session, simulator, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)


def test_several_tokens_are_good_at_once(simulator: FaultySimulator, session: requests.Session, ask: Ask) -> None:
    """A new sign-in leaves the older tokens good."""
    tokens = [simulator.token, *(sign_in(session, simulator).headers["X-Subject-Token"] for _ in range(2))]
    assert len(set(tokens)) == 3
    assert {ask(simulator, STATUS, headers={"X-Auth-Token": token}).status_code for token in tokens} == {200}


def test_a_token_ends_with_its_lifetime(serve: Serve, ask: Ask) -> None:
    """After its lifetime in service time it must be updated."""
    simulator = serve(token_lifetime=60)
    simulator.clock.advance(59)
    assert ask(simulator, STATUS).status_code == 200
    simulator.clock.advance(1)
    answer = ask(simulator, STATUS)
    assert (answer.status_code, answer.json()["error_code"]) == (401, "APIGW.0307")


def test_expiring_all_tokens_leaves_later_ones_good(simulator: FaultySimulator, ask: Ask) -> None:
    """The hook ends what was issued until now, and only that."""
    simulator.iam.expire_all()
    later = simulator.iam.issue()
    assert ask(simulator, STATUS).json()["error_code"] == "APIGW.0307"
    assert ask(simulator, STATUS, headers={"X-Auth-Token": later}).status_code == 200


def test_a_token_that_was_never_issued_is_refused(simulator: FaultySimulator, ask: Ask) -> None:
    """Text that is no token cannot be decrypted."""
    answer = ask(simulator, STATUS, headers={"X-Auth-Token": "MIIDmadeup"})
    assert (answer.status_code, answer.json()["error_code"]) == (401, "APIGW.0301")


def test_a_token_of_the_whole_domain_is_refused(
    simulator: FaultySimulator, session: requests.Session, ask: Ask
) -> None:
    """CodeArts Build takes project-scoped tokens only."""
    body = {"auth": {**LOGIN["auth"], "scope": {"domain": {"name": "gate-domain"}}}}
    token = sign_in(session, simulator, body).headers["X-Subject-Token"]
    assert ask(simulator, STATUS, headers={"X-Auth-Token": token}).json()["error_code"] == "APIGW.0307"


def test_another_account_can_be_set(serve: Serve, session: requests.Session) -> None:
    """The one user's names and password are an option."""
    simulator = serve(account=IamAccount(user="someone", password="secret", domain="else"))
    assert sign_in(session, simulator).status_code == 401
