"""Sign in at IAM with a user's password (KeystoneCreateUserTokenByPassword, api-iam/iam_30_0001, 2025-12-27)."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gate.codearts.auth import NoAuth
from gate.codearts.json_fields import Json
from gate.codearts.responses import payload
from gate.codearts.session import Session
from gate.codearts.token_input import is_header_text
from gate.errors import (
    Forbidden,
    InvalidAnswer,
    NotFound,
    Refused,
    RouteMissing,
    ServiceError,
    Unauthorised,
)
from gate.settings import IamUser

CREDENTIAL_HINT = (
    "Check GATE_IAM_USER, GATE_IAM_PASSWORD and GATE_IAM_DOMAIN (the account name). HUAWEI ID accounts, federated "
    "users and users with MFA cannot sign in this way: use an IAM user without MFA, or AK/SK. The sign-in was not "
    "repeated, so that the account is not locked."
)

ADDRESS_HINT = "Check --iam-endpoint and GATE_IAM_PROJECT: the name of an IAM project (such as cn-north-4) or its id."


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token and its lifetime in seconds (infinite if IAM does not state it)."""

    token: str = field(repr=False)
    seconds: float


class SignInAuth(NoAuth):
    """Sends no credential, but knows what must be masked: the password in the body, and the tokens so far."""

    def __init__(self, secrets: Callable[[], tuple[str, ...]]) -> None:
        """`secrets` is called each time, as the tokens change."""
        self._secrets = secrets

    def secrets(self) -> tuple[str, ...]:
        """Return the password and the tokens."""
        return self._secrets()


def sign_in(session: Session, user: IamUser) -> IssuedToken:
    """Request a token for one project from IAM, once. Raises a `ServiceError` when there is no token."""
    what = f"signing in at {session.host}"
    try:
        reply = session.post("/v3/auth/tokens", body_of(user), {"nocatalog": "true"})
        document = payload(reply, what, session.hide)
    except ServiceError as error:
        raise _explained(error) from None
    token = reply.headers.get("X-Subject-Token", "")
    if not is_header_text(token):
        raise InvalidAnswer(
            f"{what}: the answer has no valid token in its header X-Subject-Token",
            status=reply.status,
            hint=ADDRESS_HINT,
        )
    return IssuedToken(token, lifetime(document))


def _explained(error: ServiceError) -> ServiceError:
    """Return the error of a sign-in with its hint. A refusal by IAM is permanent, whatever its HTTP status."""
    facts: Any = {"status": error.status, "code": error.code}
    busy = (error.status or 0) >= 500 or error.status == 429
    if isinstance(error, Forbidden):
        return Forbidden(str(error), **facts, hint=CREDENTIAL_HINT)
    if isinstance(error, Unauthorised) or error.code in ("401", "403") or (error.code.startswith("IAM.") and not busy):
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
