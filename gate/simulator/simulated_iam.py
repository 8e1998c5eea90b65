"""IAM: tokens for a user's password (KeystoneCreateUserTokenByPassword)."""

import secrets
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gate.simulator.calls import Call
from gate.simulator.http_answers import HttpAnswer, RequestRefused, gateway_error, json_answer
from gate.simulator.ids import hex_of
from gate.simulator.simulated_clock import SimulatedClock

DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IamAccount:
    """The one IAM user that may sign in."""

    user: str = "gate-user"
    password: str = "gate-password"  # noqa: S105 - of no use anywhere else
    domain: str = "gate-domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """What IAM keeps of a token that it issued; without a project the token is scoped to the whole domain."""

    issued: datetime
    expires: datetime
    project: str | None


class SimulatedIam:
    """Issues tokens and knows which are valid; several are valid at once, as at the real service."""

    def __init__(self, clock: SimulatedClock, *, account: IamAccount | None = None, lifetime: float = DAY) -> None:
        self.account = account or IamAccount()
        self.lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, StoredToken] = {}

    def issue(self, *, project: str | None = "cn-north-4") -> str:
        """Return a new token, as long as real ones are."""
        return self._issue(project)[0]

    def expire_all(self, *, but: str = "") -> None:
        """Make every token issued until now expire, except `but`."""
        with self._lock:
            now = self._clock.now()
            self._tokens = {
                text: token if text == but else replace(token, expires=now) for text, token in self._tokens.items()
            }

    def checked(self, text: str) -> StoredToken:
        """Return the token with this text.

        Raises `RequestRefused` if it is unknown, has expired or is scoped to the whole domain.
        """
        token = self._tokens.get(text)
        if token is None:
            raise RequestRefused(
                gateway_error(401, "0301", "Incorrect IAM authentication information: decrypt token fail")
            )
        if token.expires <= self._clock.now() or token.project is None:
            raise RequestRefused(token_outdated())
        return token

    def sign_in(self, call: Call) -> HttpAnswer:
        """Return 201 with the token in `X-Subject-Token`, or an error in IAM's own shape."""
        try:
            auth = call.document()["auth"]
            user = auth["identity"]["password"]["user"]
            who = IamAccount(user=user["name"], password=user["password"], domain=user["domain"]["name"])
            scope = auth.get("scope", {}).get("project", {})
            project = scope.get("name") or scope.get("id")
        except (AttributeError, KeyError, TypeError):
            return _error(400, "Bad Request", "The request body is invalid.")
        if who != self.account:
            return _error(401, "Unauthorized", "The username or password is wrong.")
        text, token = self._issue(project)
        return replace(json_answer({"token": _described(token, who)}, status=201), headers={"X-Subject-Token": text})

    def _issue(self, project: str | None) -> tuple[str, StoredToken]:
        """Return a new token with what IAM keeps of it."""
        text, now = f"MIID{secrets.token_urlsafe(750)}", self._clock.now()
        token = StoredToken(issued=now, expires=now + timedelta(seconds=self.lifetime), project=project)
        with self._lock:
            self._tokens[text] = token
        return text, token


def token_outdated() -> HttpAnswer:
    """Return the gateway's answer to a token that has expired, or that was issued for another scope."""
    return gateway_error(401, "0307", "The token must be updated")


def _described(token: StoredToken, account: IamAccount) -> dict[str, Any]:
    """Return the token's description in the body, with times as IAM writes them."""
    domain = {"id": hex_of("domain", account.domain), "name": account.domain}
    return {
        "expires_at": f"{token.expires:%Y-%m-%dT%H:%M:%S.%fZ}",
        "issued_at": f"{token.issued:%Y-%m-%dT%H:%M:%S.%fZ}",
        "methods": ["password"],
        "project": {"domain": domain, "id": hex_of("project", token.project), "name": token.project},
        "roles": [{"id": "0", "name": "te_admin"}],
        "user": {"domain": domain, "id": hex_of("user", account.user), "name": account.user, "password_expires_at": ""},
    }


def _error(code: int, title: str, message: str) -> HttpAnswer:
    """Return an error in IAM's own shape."""
    return json_answer({"error": {"code": code, "message": message, "title": title}}, status=code)
