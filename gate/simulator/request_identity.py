"""Who asks: an IAM token or a signature with AK/SK, checked as the gateway does."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gate.simulator.calls import Call, RequestIdentity
from gate.simulator.http_answers import RequestRefused, gateway_error
from gate.simulator.simulated_iam import SimulatedIam

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
