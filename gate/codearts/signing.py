"""AK/SK: every request is signed anew by the vendor's own signer (SDK-HMAC-SHA256)."""

import threading
import time
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

MAX_REFUSALS = 4
"""Refusals in a row after which a key that worked before is not sent again; more than five lock it for all its users,
and another one may be at work."""

LEFT_TO_DECIDE = 2
"""How many of these refusals are left to requests on which a verdict depends."""

MAX_AT_ONCE = 2
"""Requests that may be under way together, as all of them may be refused."""

REFUSAL_SECONDS = 1.0
"""Seconds after which a request that is under way is no longer expected to be refused: one that hangs holds up none."""

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
    is refused once at most, and any other key `MAX_REFUSALS` times in a row, the last times one by one.
    """

    def __init__(self, pair: KeyPair, now: Callable[[], datetime]) -> None:
        """`now` returns the time of day by the service's clock: a signature is valid for 15 minutes.

        Raises `UsageProblem` when the signer is not installed, or when a value cannot be sent in a header.
        """
        try:
            from huaweicloudsdkcore.sdk_request import SdkRequest
            from huaweicloudsdkcore.signer.signer import Signer
        except ImportError:
            from gate.codearts.installation import how_to_add_signer

            raise UsageProblem(
                "signing with AK/SK needs the package huaweicloudsdkcore, which is not installed",
                hint=how_to_add_signer(),
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
        self._under_way: dict[object, float] = {}
        """Requests under way, and the instants at which they were begun."""
        self._refusals = 0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request, and set its URL to the query exactly as it was signed."""
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

    @contextmanager
    def sending(self, *, decides: bool) -> Iterator[None]:
        """Wait until so few requests are under way that all of them may be refused.

        Raises `Unauthorised` when the key was refused too often in a row; requests that do not decide leave some
        refusals to those that do.
        """
        key = object()
        with self._changed:
            while self._at_once() <= self._young():
                self._changed.wait(REFUSAL_SECONDS / 10)
            if self._refusals >= self._allowed(decides=decides):
                raise Unauthorised("the AK/SK was refused before and is not sent again, so that it is not locked")
            self._under_way[key] = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                del self._under_way[key]
                self._changed.notify_all()

    def _allowed(self, *, decides: bool) -> int:
        """Return how many refusals in a row there may be before such a request is not sent any more."""
        if not self.has_worked:
            return 1
        return MAX_REFUSALS if decides else MAX_REFUSALS - LEFT_TO_DECIDE

    def _at_once(self) -> int:
        """Return how many requests may be under way together: one while the key is in doubt."""
        return MAX_AT_ONCE if self.has_worked and not self._refusals else 1

    def _young(self) -> int:
        """Return how many requests are under way that may still be refused."""
        now = time.monotonic()
        return sum(now - begun < REFUSAL_SECONDS for begun in self._under_way.values())

    def accepted(self, request: PreparedRequest) -> None:
        """Record that the key is valid."""
        with self._changed:
            super().accepted(request)
            self._refusals = 0
            self._changed.notify_all()

    def refused(self) -> None:
        """Record that the key was refused; all refusals count, also those of requests that were under way together."""
        with self._changed:
            self._refusals += 1

    def renew(self, refused: PreparedRequest) -> bool:
        """Return whether the signature was refused for its time: the answer has told the service's clock."""
        signed_at = datetime.strptime(refused.headers[DATE_HEADER], DATE_FORMAT).replace(tzinfo=UTC)
        return abs(self._now() - signed_at) > MAX_SKEW

    def secrets(self) -> tuple[str, ...]:
        """Return the keys and the security token; the service quotes access keys when it refuses them."""
        return (self._pair.access_key, self._pair.secret_key, self._pair.security_token)
