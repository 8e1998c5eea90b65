"""The tokens of an IAM user: signing in with a password, renewal before they expire, and when they are refused.

The operation is KeystoneCreateUserTokenByPassword (api-iam/iam_30_0001, 2025-12-27). A new token does not invalidate
the old one.
"""

import copy
import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import field
from datetime import datetime
from typing import Any

from requests import PreparedRequest

from gate.codearts.auth import TOKEN_HEADER, Auth, NoAuth
from gate.codearts.json_fields import Json
from gate.codearts.responses import payload
from gate.codearts.session import Session
from gate.codearts.token_input import is_header_text
from gate.errors import (
    CredentialRefused,
    Forbidden,
    InvalidAnswer,
    NotFound,
    PermanentError,
    Refused,
    RouteMissing,
    ServiceError,
    TransientError,
    Unauthorised,
)
from gate.settings import IamUser
from gate.value_types import dataclass

RENEW_BEFORE_EXPIRY = 300.0
"""Seconds before a token expires at which it is renewed; half of its lifetime if that is shorter."""

CREDENTIAL_HINT = (
    "Check GATE_IAM_USER, GATE_IAM_PASSWORD and GATE_IAM_DOMAIN (the account name). HUAWEI ID accounts, federated "
    "users and users with MFA cannot sign in this way: use an IAM user without MFA, or AK/SK. The sign-in was not "
    "repeated, so that the account is not locked."
)

WHITE_SPACE = (
    "GATE_IAM_PASSWORD begins or ends with white space, such as a line break, which is taken as a part of it. "
)
"""What to say besides where a password with white space around it was refused."""

ADDRESS_HINT = "Check --iam-endpoint and GATE_IAM_PROJECT: the name of an IAM project (such as cn-north-4) or its id."


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token and its lifetime in seconds (infinite if IAM does not state it)."""

    token: str = field(repr=False)
    seconds: float


class SignInAuth(NoAuth):
    """Sends no credential in a header, but knows what must be masked: the password in the body, and the tokens so far.

    The password has worked once IAM has accepted a sign-in.
    """

    def __init__(self, secrets: Callable[[], tuple[str, ...]]) -> None:
        """`secrets` is called each time, as the tokens change."""
        self._secrets = secrets

    def secrets(self) -> tuple[str, ...]:
        """Return the password and the tokens."""
        return self._secrets()

    def accepted(self, request: PreparedRequest) -> None:
        """Record that IAM accepted the password."""
        Auth.accepted(self, request)


class IamAuth(Auth):
    """A token that is fetched when it is first needed, by one thread while the others wait for it.

    A refused token is replaced once: if the new one is refused before the service ever accepted it, no further token is
    fetched. A sign-in that IAM refuses is never repeated.
    """

    def __init__(
        self, user: IamUser, sign_in: Callable[[], IssuedToken], now: Callable[[], float] = time.monotonic
    ) -> None:
        """`sign_in` fetches a token; `now` returns seconds of a monotonic clock."""
        self._password = user.password
        self._sign_in = sign_in
        self._now = now
        self._lock = threading.Lock()
        self._tokens: tuple[str, ...] = ()
        self._renew_at = self._expires_at = -math.inf
        self._refused = False  # the newest token
        self._unproven = False  # the newest token replaced a refused one and was not accepted yet
        self._tries = 0
        self._problem: ServiceError | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the token header. Raises a `ServiceError` when a token is needed and none can be fetched.

        While one thread renews a token that is still valid, the others use it: IAM may hang.
        """
        tries = self._tries
        if self._now() >= self._renew_at and self._lock.acquire(blocking=self._now() >= self._expires_at):
            try:
                if self._now() >= self._renew_at:
                    self._renew_early(tries)
            finally:
                self._lock.release()
        request.headers[TOKEN_HEADER] = self._tokens[-1]
        return request

    def renew(self, refused: PreparedRequest) -> bool:
        """Fetch a new token unless another thread already did. Return whether there is one that may be tried."""
        tries = self._tries
        with self._lock:
            if refused.headers.get(TOKEN_HEADER) == self._tokens[-1]:
                if self._unproven:
                    return False
                self._renew_at = self._expires_at = -math.inf
                self._refused = True
                self._fetch(tries)
            return True

    def accepted(self, request: PreparedRequest) -> None:
        """Record that the token is valid, so that it may be replaced when it is refused later."""
        super().accepted(request)
        if self._unproven and request.headers.get(TOKEN_HEADER) == self._tokens[-1]:
            self._unproven = False

    def sent(self) -> int:
        """Return how many times it has signed in, with success or without."""
        return self._tries

    def secrets(self) -> tuple[str, ...]:
        """Return the password and every token so far."""
        return (self._password, *self._tokens)

    def _renew_early(self, tries: int) -> None:
        """Fetch a token; a failure is ignored while the old token is still valid."""
        try:
            self._fetch(tries)
        except ServiceError:
            if self._now() >= self._expires_at:
                raise
            self._renew_at = self._expires_at

    def _fetch(self, tries: int) -> None:
        """Fetch a token, or raise the error of another thread's attempt that came after attempt number `tries`."""
        if self._problem and (self._tries != tries or isinstance(self._problem, PermanentError)):
            raise copy.copy(self._problem)
        try:
            issued = self._sign_in()
        except ServiceError as error:
            self._problem = self._may_pass(error)
            raise self._problem from None
        finally:
            self._tries += 1
        self._problem = None
        self._unproven, self._refused = self._refused, False
        self._tokens = (*self._tokens, issued.token)
        self._expires_at = self._now() + issued.seconds
        self._renew_at = self._expires_at - min(RENEW_BEFORE_EXPIRY, issued.seconds / 2)

    def _may_pass(self, error: ServiceError) -> ServiceError:
        """Return the error of a sign-in, as a transient one if it has worked before and IAM does not refuse the user.

        Such is a path that is missing for a moment, or a certificate that is not trusted.
        """
        if not self._tokens or isinstance(error, (TransientError, Unauthorised, Forbidden)):
            return error
        return error.as_transient()


def sign_in(session: Session, user: IamUser) -> IssuedToken:
    """Request a token for one project from IAM, once. Raises a `ServiceError` when there is no token."""
    what = f"signing in at {session.host}"
    try:
        reply = session.post("/v3/auth/tokens", body_of(user), {"nocatalog": "true"})
        document = payload(reply, what, session.hide)
    except ServiceError as error:
        found = _explained(error)
        if found.hint == CREDENTIAL_HINT and user.password != user.password.strip():
            found.hint = WHITE_SPACE + CREDENTIAL_HINT
        raise found from None
    token = reply.headers.get("X-Subject-Token", "")
    if not is_header_text(token):
        raise InvalidAnswer(
            f"{what}: the answer has no valid token in its header X-Subject-Token",
            status=reply.status,
            hint=ADDRESS_HINT,
        )
    return IssuedToken(token, lifetime(document))


def _explained(error: ServiceError) -> ServiceError:
    """Return the error of a sign-in with its hint. A refusal by IAM is permanent, whatever its HTTP status.

    What a proxy or a web page says instead is an `InvalidAnswer` once a sign-in has worked.
    """
    if isinstance(error, CredentialRefused):  # by IAM's own code: it is not sent again, so that nothing is locked
        error = error.permanent()
    facts: Any = {"status": error.status, "code": error.code}
    busy = (error.status or 0) >= 500 or error.status == 429
    if isinstance(error, Forbidden) or error.code == "403":
        return Forbidden(str(error), **facts, hint=CREDENTIAL_HINT)
    if isinstance(error, Unauthorised) or error.code == "401" or (error.code.startswith("IAM.") and not busy):
        return Unauthorised(str(error), **facts, hint=CREDENTIAL_HINT)
    if isinstance(error, InvalidAnswer):
        return InvalidAnswer(str(error), **facts, hint=ADDRESS_HINT)
    if isinstance(error, (RouteMissing, NotFound, Refused)):
        # One class for all three: a path that is missing at IAM says nothing about the paths of CodeArts Build.
        return Refused(str(error), **facts, hint=ADDRESS_HINT)
    return error


def body_of(user: IamUser) -> dict[str, Any]:
    """Return the body of a sign-in; a project of 32 hex digits is given by its id, any other by its name."""
    account_user = {"name": user.name, "password": user.password, "domain": {"name": user.domain}}
    key = "id" if re.fullmatch(r"[0-9a-f]{32}", user.project) else "name"
    identity = {"methods": ["password"], "password": {"user": account_user}}
    return {"auth": {"identity": identity, "scope": {"project": {key: user.project}}}}


def lifetime(document: Json) -> float:
    """Return the seconds from `issued_at` to `expires_at` (both by IAM's clock), infinite if they cannot be read."""
    try:
        issued, expires = (datetime.fromisoformat(document["token"][name]) for name in ("issued_at", "expires_at"))
        seconds = (expires - issued).total_seconds()
    except (KeyError, TypeError, ValueError):
        return math.inf
    return seconds if seconds > 0 else math.inf
