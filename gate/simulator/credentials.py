"""How the gateway tells who asks: an IAM token or a signature with AK/SK."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gate.simulator.answers import Refusal, gateway_error
from gate.simulator.calls import Call
from gate.simulator.iam import Iam

MOST_SKEW = timedelta(minutes=15)
_AUTHORIZATION = re.compile(r"SDK-HMAC-SHA256 Access=(?P<ak>[^,]+), SignedHeaders=(?P<headers>[^,]+), Signature=\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """An AK/SK; with a security token it is a temporary one."""

    ak: str = "AKIDSIMULATOR0000000"
    sk: str = "SKSIMULATOR0000000000000000000000000000"
    security_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """How a request was authorised: by `token`, with `aksk`, or without being asked for a credential."""

    family: str | None
    token_issued: datetime | None = None


class Credentials:
    """Checks each request; `now` is the clock that signatures are held against."""

    def __init__(self, iam: Iam, keys: KeyPair, now: Callable[[], datetime]) -> None:
        self._iam = iam
        self._keys = keys
        self._now = now

    def checked(self, call: Call) -> Credential:
        """Return the request's credential; raise `Refusal` with 401 if it is missing or not good."""
        token = call.headers.get("X-Auth-Token")
        if token is not None:
            return Credential(family="token", token_issued=self._iam.checked(token).issued)
        found = _AUTHORIZATION.fullmatch(call.headers.get("Authorization", ""))
        if found is None:
            raise _refused("x-auth-token not found")
        self._check_signature(call, found["ak"], found["headers"].split(";"))
        return Credential(family="aksk")

    def _check_signature(self, call: Call, ak: str, signed: list[str]) -> None:
        """Raise `Refusal` unless signing the same request again gives the same signature."""
        if ak != self._keys.ak:
            raise _refused(f"ak {ak} not exist")
        if call.headers.get("X-Security-Token") != self._keys.security_token:
            raise _refused("verify aksk signature fail")
        required = {"host", "x-sdk-date", *(["x-security-token"] if self._keys.security_token else [])}
        if not required <= set(signed):
            raise _refused("verify aksk signature fail")
        if abs(self._now() - _signed_at(call)) > MOST_SKEW:
            raise _refused("verify aksk signature fail: signature expired")
        if not hmac.compare_digest(self._signature(call, signed), call.headers["Authorization"]):
            raise _refused("verify aksk signature fail")

    def _signature(self, call: Call, signed: list[str]) -> str:
        """Return the `Authorization` that the vendor's own signer gives to this request."""
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


def _refused(reason: str) -> Refusal:
    """Return the gateway's refusal of a credential."""
    return Refusal(gateway_error(401, "0301", f"Incorrect IAM authentication information: {reason}"))
