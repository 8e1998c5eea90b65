"""The tokens of an IAM user: fetched, renewed and replaced, without a network."""

import threading
import time
from collections.abc import Callable

import pytest
import requests
from requests import PreparedRequest

from gate.codearts.iam import IamAuth, IssuedToken
from gate.errors import (
    Forbidden,
    GateError,
    InvalidAnswer,
    Refused,
    ServiceError,
    ServiceFailing,
    Unauthorised,
    Untrusted,
)
from gate.settings import IamUser
from tests.tables import each_row

USER = IamUser(name="somebody", password="pass word", domain="account", project="cn-north-4")
DAY = 86400.0


class FakeIam:
    """Stands in for IAM and for the clock."""

    def __init__(self, seconds: float = DAY) -> None:
        self.seconds = seconds
        self.instant = 1000.0
        self.tries = 0
        self.problem: GateError | None = None
        self.hold: Callable[[], object] = lambda: None
        self.looks = 0
        self.auth = IamAuth(USER, self.sign_in, self.now)

    def now(self) -> float:
        """Return the time, and count the calls."""
        self.looks += 1
        return self.instant

    def sign_in(self) -> IssuedToken:
        """Issue `token-1`, `token-2` ..., or fail."""
        self.tries += 1
        self.hold()
        if self.problem:
            raise self.problem
        return IssuedToken(f"token-{self.tries}", self.seconds)

    def request(self) -> PreparedRequest:
        """Return a request with the credential on it."""
        return requests.Request("GET", "http://127.0.0.1/", auth=self.auth).prepare()

    def token(self) -> str:
        """Return the token that a request would carry now."""
        return self.request().headers["X-Auth-Token"]


def in_threads(count: int, call: Callable[[], object]) -> list[object]:
    """Call something in several threads at the same time; return their results, errors included."""
    results: list[object] = []
    together = threading.Barrier(count)

    def work() -> None:
        together.wait(5)
        try:
            results.append(call())
        except GateError as error:
            results.append(error)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return results


def test_token_is_fetched_with_the_first_request_and_kept() -> None:
    """There is no sign-in before the first request, and one for all requests."""
    iam = FakeIam()
    assert iam.tries == 0
    assert [iam.token() for _ in range(3)] == ["token-1"] * 3
    assert iam.auth.sent() == 1


@each_row(("seconds", "good_for"), [(DAY, DAY - 300), (1200, 900), (60, 30)])
def test_token_is_renewed_before_it_ends(seconds: float, good_for: float) -> None:
    """Five minutes before it expires, or after half of a short lifetime."""
    iam = FakeIam(seconds)
    iam.token()
    iam.instant += good_for - 1
    assert iam.token() == "token-1"
    iam.instant += 1
    assert iam.token() == "token-2"


def test_early_renewal_that_fails_leaves_the_old_token_in_use_until_its_end() -> None:
    """A failure of IAM in the last five minutes has no effect; the next attempt follows when the token has expired."""
    iam = FakeIam()
    iam.token()
    iam.instant += DAY - 200
    iam.problem = ServiceFailing("no")
    assert [iam.token() for _ in range(5)] == ["token-1"] * 5
    assert iam.tries == 2
    iam.instant += 200
    with pytest.raises(ServiceFailing):
        iam.token()
    iam.problem = None
    assert iam.token() == "token-4"


@each_row(
    ("problem", "kind", "tries"),
    [
        (Refused("404", status=404), InvalidAnswer, 4),
        (Untrusted("expired"), InvalidAnswer, 4),
        (Unauthorised("401"), Unauthorised, 2),
        (Forbidden("403"), Forbidden, 2),
    ],
)
def test_permanent_error_of_a_renewal_is_final_only_if_iam_refuses_the_user(
    problem: ServiceError, kind: type[ServiceError], tries: int
) -> None:
    """A path that is missing for a moment, or a certificate, is no reason never to sign in again."""
    iam = FakeIam()
    iam.token()
    iam.instant += DAY
    iam.problem = problem
    for _ in range(3):
        with pytest.raises(kind, match=str(problem)):
            iam.token()
    assert iam.tries == tries


def test_nobody_waits_for_an_early_renewal_but_the_one_who_tries() -> None:
    """IAM hangs, and the token is still good for five minutes: requests go on, that to stop a build included."""
    iam, gone_on = FakeIam(), threading.Event()
    iam.token()
    iam.instant += DAY - 200
    iam.hold = lambda: gone_on.wait(10)
    renewing = threading.Thread(target=iam.token)
    renewing.start()
    deadline = time.monotonic() + 10
    while iam.tries < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    started = time.monotonic()
    assert [iam.token() for _ in range(3)] == ["token-1"] * 3
    assert time.monotonic() - started < 5
    gone_on.set()
    renewing.join(10)
    assert iam.token() == "token-2"


def test_refused_token_is_replaced_once() -> None:
    """When the new token is refused as well before the service ever accepted it, no third one is fetched."""
    iam = FakeIam()
    first = iam.request()
    assert iam.auth.renew(first)
    second = iam.request()
    assert second.headers["X-Auth-Token"] == "token-2"
    assert not iam.auth.renew(second)
    assert iam.tries == 2


def test_token_that_was_accepted_may_be_replaced_when_it_is_refused_later() -> None:
    """Each refusal of an accepted token leads to one sign-in."""
    iam = FakeIam()
    iam.auth.renew(iam.request())
    second = iam.request()
    iam.auth.accepted(second)
    assert iam.auth.renew(second)
    assert iam.token() == "token-3"


def test_many_refusals_at_once_are_worth_one_sign_in() -> None:
    """Threads whose requests were refused with one token share the next one."""
    iam = FakeIam()
    refused = iam.request()
    assert in_threads(8, lambda: iam.auth.renew(refused)) == [True] * 8
    assert (iam.tries, iam.token()) == (2, "token-2")


def test_late_refusal_of_an_old_token_costs_no_sign_in() -> None:
    """A refusal that arrives when there is a newer token leads to the use of that token."""
    iam = FakeIam()
    old = iam.request()
    iam.auth.renew(old)
    assert iam.auth.renew(old)
    assert iam.tries == 2


def test_wrong_password_is_tried_once_however_many_ask() -> None:
    """A refused sign-in is final, so that the account is not locked."""
    iam = FakeIam()
    iam.problem = Unauthorised("wrong", status=401, hint="use another")
    results = [*in_threads(8, iam.token), *in_threads(2, iam.token)]
    assert [(type(result), str(result), getattr(result, "hint", "")) for result in results] == [
        (Unauthorised, "wrong", "use another")
    ] * 10
    assert iam.tries == 1


def test_threads_that_waited_for_a_failed_sign_in_do_not_try_again_themselves() -> None:
    """All threads that wait for a sign-in get its error; a later request may sign in again."""
    iam = FakeIam()
    iam.problem = ServiceFailing("no")
    gone_on = threading.Event()
    iam.hold = lambda: gone_on.wait(10)
    results: list[object] = []
    threads = threading.Thread(target=lambda: results.extend(in_threads(5, iam.token)))
    threads.start()
    deadline = time.monotonic() + 10
    while iam.looks < 11:  # each of them looks at the clock twice, and the one that signs in once more
        assert time.monotonic() < deadline
        time.sleep(0.01)
    gone_on.set()
    threads.join(10)
    assert [type(result) for result in results] == [ServiceFailing] * 5
    assert iam.tries == 1
    iam.problem = None
    assert iam.token() == "token-2"


def test_sign_in_that_failed_after_a_refusal_still_counts_as_its_renewal() -> None:
    """The token of a later sign-in replaces the refused one: when it is refused too, it is not replaced."""
    iam = FakeIam()
    refused = iam.request()
    iam.problem = ServiceFailing("no")
    with pytest.raises(ServiceFailing):
        iam.auth.renew(refused)
    iam.problem = None
    late = iam.request()
    assert late.headers["X-Auth-Token"] == "token-3"
    assert not iam.auth.renew(late)


def test_secrets_are_the_password_and_every_token() -> None:
    """All of them can be masked; none is part of a repr."""
    iam = FakeIam()
    iam.auth.renew(iam.request())
    assert iam.auth.secrets() == ("pass word", "token-1", "token-2")
    assert "pass word" not in repr(USER)
    assert "token-1" not in repr(IssuedToken("token-1", 1))
