"""IAM's stand-in: tokens for a user's password."""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gate.simulator.answers import Answer, Refusal, bare, gateway_error
from gate.simulator.calls import Call
from gate.simulator.clock import ServiceClock
from gate.simulator.ids import hex_of

DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The one IAM user that may sign in."""

    user: str = "gate-user"
    password: str = "gate-password"  # noqa: S105 - not a secret: the stand-in's own
    domain: str = "gate-domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What IAM remembers of a token that it issued."""

    issued: datetime
    expires: datetime
    project: str | None
    """The project of its scope; `None` for a token of the whole domain."""


class Iam:
    """Issues tokens and knows which are good; several are good at once, as at the real service."""

    def __init__(self, clock: ServiceClock, *, account: Account | None = None, lifetime: float = DAY) -> None:
        self.account = account or Account()
        self.lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}

    def issue(self, *, project: str | None = "cn-north-4") -> str:
        """Give a new token, as long as real ones; without a project it is one that CodeArts Build refuses."""
        text, now = f"MIID{secrets.token_urlsafe(750)}", self._clock.now()
        expires = now + timedelta(seconds=self.lifetime)
        with self._lock:
            self._tokens[text] = Token(issued=now, expires=expires, project=project)
        return text

    def expire_all(self) -> None:
        """End the life of every token issued until now."""
        with self._lock:
            now = self._clock.now()
            self._tokens = {
                text: Token(issued=token.issued, expires=now, project=token.project)
                for text, token in self._tokens.items()
            }

    def checked(self, text: str) -> Token:
        """Give the good token of this text; raises `Refusal` for any other."""
        token = self._tokens.get(text)
        if token is None:
            raise Refusal(gateway_error(401, "0301", "Incorrect IAM authentication information: decrypt token fail"))
        if token.expires <= self._clock.now() or token.project is None:
            raise Refusal(token_outdated())
        return token

    def sign_in(self, call: Call) -> Answer:
        """KeystoneCreateUserTokenByPassword: 201 with the token in `X-Subject-Token`, or 401 in IAM's own shape."""
        try:
            asked = call.document()["auth"]
            user = asked["identity"]["password"]["user"]
            who = Account(user=user["name"], password=user["password"], domain=user["domain"]["name"])
        except (KeyError, TypeError):
            return _refusal(400, "Bad Request", "The request body is invalid.")
        if who != self.account:
            return _refusal(401, "Unauthorized", "The username or password is wrong.")
        text = self.issue(project=_project(asked))
        answer = bare({"token": _description(self._tokens[text], who)}, status=201)
        return Answer(status=201, body=answer.body, headers={"X-Subject-Token": text})


def token_outdated() -> Answer:
    """Give the gateway's answer to a token that has expired, or that was issued for another scope."""
    return gateway_error(401, "0307", "The token must be updated")


def _project(asked: Any) -> str | None:
    """Give the project that the token shall be for: its name or its id; `None` for any other scope."""
    project = asked.get("scope", {}).get("project")
    return None if project is None else project.get("name") or project.get("id")


def _description(token: Token, account: Account) -> dict[str, Any]:
    """Give the token's description in the body, with times as IAM writes them."""
    return {
        "expires_at": f"{token.expires:%Y-%m-%dT%H:%M:%S.%fZ}",
        "issued_at": f"{token.issued:%Y-%m-%dT%H:%M:%S.%fZ}",
        "methods": ["password"],
        "project": {"domain": {"name": account.domain}, "id": hex_of("project", token.project), "name": token.project},
        "roles": [{"id": "0", "name": "te_admin"}],
        "user": {
            "domain": {"name": account.domain},
            "id": hex_of("user", account.user),
            "name": account.user,
            "password_expires_at": "",
        },
    }


def _refusal(code: int, title: str, message: str) -> Answer:
    """Give an error in IAM's own shape."""
    return bare({"error": {"code": code, "message": message, "title": title}}, status=code)
