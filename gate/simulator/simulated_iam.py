"""IAM: tokens for a user's password, and who asks: by a token or a signature with AK/SK, checked as a gateway does."""

import hmac
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gate.simulator.builds import SimulatedClock, hex_of
from gate.simulator.exchange import Call, HttpAnswer, RequestIdentity, RequestRefused, gateway_error, json_answer

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


MAX_SKEW = timedelta(minutes=15)
"""How far the time of a signature may be off; the real gateway allows as much."""

_AUTHORIZATION = re.compile(r"SDK-HMAC-SHA256 Access=(?P<ak>[^,]+), SignedHeaders=(?P<headers>[^,]+), Signature=\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """The AK/SK that may sign requests; with a security token it is a temporary one."""

    ak: str = "AKIDSIMULATOR0000000"
    sk: str = "SKSIMULATOR0000000000000000000000000000"
    security_token: str | None = None


class IdentityChecker:
    """Checks the credential of each request. `now` is the clock that the time of a signature is compared with."""

    def __init__(self, iam: SimulatedIam, keys: AccessKey, now: Callable[[], datetime]) -> None:
        self._iam = iam
        self._keys = keys
        self._now = now

    def checked(self, call: Call) -> RequestIdentity:
        """Return who sent the request; raise `RequestRefused` with 401 if the credential is missing or wrong."""
        token = call.headers.get("X-Auth-Token")
        if token is not None:
            return RequestIdentity(family="token", token_issued=self._iam.checked(token).issued)
        found = _AUTHORIZATION.fullmatch(call.headers.get("Authorization", ""))
        if found is None:
            raise _refused("x-auth-token not found")
        self._check_signature(call, found["ak"], found["headers"].split(";"))
        return RequestIdentity(family="aksk")

    def _check_signature(self, call: Call, ak: str, signed: list[str]) -> None:
        """Raise `RequestRefused` unless signing the same request again gives the same signature."""
        if ak != self._keys.ak:
            raise _refused(f"ak {ak} not exist")
        if call.headers.get("X-Security-Token") != self._keys.security_token:
            raise _refused("verify aksk signature fail")
        required = {"host", "x-sdk-date", *(["x-security-token"] if self._keys.security_token else [])}
        if not required <= set(signed):
            raise _refused("verify aksk signature fail")
        if abs(self._now() - _signed_at(call)) > MAX_SKEW:
            raise _refused("verify aksk signature fail: signature expired")
        if not hmac.compare_digest(self._signature(call, signed), call.headers["Authorization"]):
            raise _refused("verify aksk signature fail")

    def _signature(self, call: Call, signed: list[str]) -> str:
        """Return the `Authorization` that the vendor's own signer computes for this request."""
        from huaweicloudsdkcore.sdk_request import SdkRequest
        from huaweicloudsdkcore.signer.signer import Signer

        request = SdkRequest(
            method=call.method,
            schema="http",
            host=call.headers["Host"],
            resource_path=call.path,
            query_params=list(call.query),
            header_params={name.title(): call.headers.get(name, "") for name in signed},
            body=call.body,
        )
        return str(Signer(self._keys).sign(request).header_params["Authorization"])


def _signed_at(call: Call) -> datetime:
    """Return the time of the signature, from `X-Sdk-Date`."""
    try:
        return datetime.strptime(call.headers.get("X-Sdk-Date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _refused("verify aksk signature fail") from None


def _refused(reason: str) -> RequestRefused:
    """Return the gateway's refusal of a credential."""
    return RequestRefused(gateway_error(401, "0301", f"Incorrect IAM authentication information: {reason}"))
