"""AK/SK: every request is signed anew by the vendor's own signer (SDK-HMAC-SHA256)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest

from gate.codearts.auth import Auth
from gate.codearts.service_clock import MAX_SKEW
from gate.codearts.token_input import is_header_text
from gate.errors import Unauthorised, UsageProblem
from gate.settings import KeyPair

MAX_REFUSALS = 2
"""Refusals in a row after which a key that worked before is not sent again; more than five lock it."""

DATE_HEADER, DATE_FORMAT = "X-Sdk-Date", "%Y%m%dT%H%M%SZ"

_VARIABLES = {
    "access_key": "HUAWEICLOUD_SDK_AK",
    "secret_key": "HUAWEICLOUD_SDK_SK",
    "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "project_id": "HUAWEICLOUD_SDK_PROJECT_ID",
}


class KeyPairAuth(Auth):
    """Signs method, path, query, body and the relevant headers of a request together with the time.

    More than five refusals in a row lock the key for five minutes, for all its users. So a key that was never accepted
    is refused once at most, and any other key twice in a row: no more requests are under way than may still be refused.
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
        self._changed = threading.Condition()
        self._under_way = self._refusals = 0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request, and set its URL to the query exactly as it was signed."""
        if self._allowed_refusals() <= 0:
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

    def _allowed_refusals(self) -> int:
        """Return how many refusals in a row there may still be."""
        return (MAX_REFUSALS if self.has_worked else 1) - self._refusals

    @contextmanager
    def sending_lock(self) -> Iterator[None]:
        """Wait until so few requests are under way that all of them may be refused."""
        with self._changed:
            self._changed.wait_for(lambda: self._allowed_refusals() <= 0 or self._under_way < self._allowed_refusals())
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def accepted(self, request: PreparedRequest) -> None:
        """Record that the key is valid."""
        with self._changed:
            super().accepted(request)
            self._refusals = 0
            self._changed.notify_all()

    def refused(self, request: PreparedRequest, sent_at: float) -> bool:  # noqa: ARG002 - all requests have one key
        """Record that the key was refused; all refusals count, also those of requests that were under way together."""
        with self._changed:
            self._refusals += 1
            return self._allowed_refusals() <= 0

    def renew(self, refused: PreparedRequest) -> bool:
        """Return whether the signature was refused for its time: the answer has told the service's clock."""
        signed_at = datetime.strptime(refused.headers[DATE_HEADER], DATE_FORMAT).replace(tzinfo=UTC)
        return abs(self._now() - signed_at) > MAX_SKEW

    def secrets(self) -> tuple[str, ...]:
        """Return the keys and the security token; the service quotes access keys when it refuses them."""
        return (self._pair.access_key, self._pair.secret_key, self._pair.security_token)
