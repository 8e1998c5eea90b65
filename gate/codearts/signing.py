"""AK/SK: every request is signed anew by the vendor's own signer (SDK-HMAC-SHA256)."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest

from gate.codearts.auth import Auth
from gate.codearts.service_clock import MAX_SKEW
from gate.codearts.token_input import is_header_text
from gate.errors import Unauthorised, UsageProblem
from gate.settings import KeyPair

DATE_HEADER, DATE_FORMAT = "X-Sdk-Date", "%Y%m%dT%H%M%SZ"

_VARIABLES = {
    "access_key": "HUAWEICLOUD_SDK_AK",
    "secret_key": "HUAWEICLOUD_SDK_SK",
    "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "project_id": "HUAWEICLOUD_SDK_PROJECT_ID",
}


class KeyPairAuth(Auth):
    """Signs method, path, query, body and the relevant headers of a request together with the time.

    Requests are sent one at a time until the key was accepted, and a refused key is not sent again: more than five
    refusals in a row lock the key for five minutes, for all its users.
    """

    def __init__(self, pair: KeyPair, now: Callable[[], datetime]) -> None:
        """`now` returns the time of day by the service's clock: a signature is valid for 15 minutes.

        Raises `UsageProblem` when the signer is not installed, or when a value cannot be sent in a header.
        """
        try:
            from huaweicloudsdkcore.sdk_request import SdkRequest
            from huaweicloudsdkcore.signer.signer import Signer
        except ImportError:
            raise UsageProblem(
                "signing with AK/SK needs the package huaweicloudsdkcore, which is not installed",
                hint="Install it: pip install huaweicloudsdkcore",
            ) from None
        for name, variable in _VARIABLES.items():
            value = getattr(pair, name)
            if value and not is_header_text(value):
                raise UsageProblem(f"{variable} must be printable ASCII characters without spaces")
        self._pair = pair
        self._now = now
        self._request = SdkRequest
        self._signer = Signer(SimpleNamespace(ak=pair.access_key, sk=pair.secret_key))
        self._lock = threading.Lock()
        self._accepted = self._refused = False

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request, and set its URL to the query exactly as it was signed."""
        if self._refused:
            raise Unauthorised("the AK/SK was refused before and is not sent again")
        url = urlsplit(request.url or "")
        headers = {DATE_HEADER: self._now().astimezone(UTC).strftime(DATE_FORMAT)}
        if "Content-Type" in request.headers:
            headers["Content-Type"] = request.headers["Content-Type"]
        if self._pair.project_id:
            headers["X-Project-Id"] = self._pair.project_id
        if self._pair.security_token:
            headers["X-Security-Token"] = self._pair.security_token
        signed = self._signer.sign(
            self._request(
                method=request.method,
                host=url.netloc,
                resource_path=url.path,
                query_params=parse_qsl(url.query, keep_blank_values=True),
                header_params=headers,
                body=request.body or b"",
            )
        )
        request.headers.update(signed.header_params)
        request.url = f"{url.scheme}://{url.netloc}{signed.uri}"
        return request

    def sending_lock(self) -> AbstractContextManager[object]:
        """Return a lock for all requests until the key was accepted, then none."""
        return nullcontext() if self._accepted else self._lock

    def accepted(self, request: PreparedRequest) -> None:  # noqa: ARG002 - there is one key for all requests
        """Record that the key is valid."""
        self._accepted = True

    def renew(self, refused: PreparedRequest) -> bool:
        """Return whether the signature was refused for its time: the answer has told the service's clock."""
        signed_at = datetime.strptime(refused.headers[DATE_HEADER], DATE_FORMAT).replace(tzinfo=UTC)
        if abs(self._now() - signed_at) > MAX_SKEW:
            return True
        self._refused = True
        return False

    def secrets(self) -> tuple[str, ...]:
        """Return the keys and the security token; the service quotes access keys when it refuses them."""
        return (self._pair.access_key, self._pair.secret_key, self._pair.security_token)
