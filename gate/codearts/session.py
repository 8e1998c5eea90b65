"""The HTTP session: a time limit for each whole request, a size limit, no redirects, no retries."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, LocationValueError

from gate import __version__
from gate.codearts.auth import Auth
from gate.codearts.error_mapping import from_requests
from gate.codearts.masking import longest_form, mask
from gate.codearts.service_clock import ServiceClock
from gate.codearts.transport import BoundedAdapter, asking_before_sending
from gate.errors import ServiceError, TransientError
from gate.limits import MAX_BYTES, MAX_CONNECTIONS
from gate.settings import Connection, is_loopback

_CHUNK = 64 * 1024

_HEADERS = {
    "User-Agent": f"codearts-gate/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # so that a small answer cannot unpack to a huge one
}

_NO_PROXY = {"http": "", "https": ""}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. `cut` states why the body is incomplete; it is empty for a complete one."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    cut: str = ""


class _Http(requests.Session):
    """Ignores redirects: requests would read their bodies without a limit, even when it does not follow them."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


class Session:
    """Sends requests to one endpoint with one credential. Thread-safe."""

    def __init__(
        self, connection: Connection, auth: Auth, debug: Callable[[str], None], clock: ServiceClock | None = None
    ) -> None:
        """`debug` is called with one line for each request, without secrets; `clock` is updated by each answer."""
        self.calls = 0
        self.host = urlsplit(connection.endpoint).netloc
        self.endpoint = connection.endpoint.rstrip("/")
        self.curl_token = auth.curl_token
        self._timeout = connection.request_timeout
        self._verify = str(connection.ca_bundle) if connection.ca_bundle else None
        self._proxies = _NO_PROXY if is_loopback(urlsplit(connection.endpoint).hostname or "") else None
        self._auth = auth
        self._debug = debug
        self._clock = clock or ServiceClock()
        self._http = _Http()
        self._http.headers.clear()
        self._http.headers.update(_HEADERS)
        self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = BoundedAdapter(pool_maxsize=MAX_CONNECTIONS)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)

    def now(self) -> datetime:
        """Return the time of day by the service's clock."""
        return self._clock.now()

    def hide(self, text: str) -> str:
        """Return `text` with every secret of the credential masked: the service echoes access keys, for example."""
        return mask(text, self._auth.secrets())

    def longest_secret(self) -> int:
        """Return the length of the longest text that `hide` masks."""
        return longest_form(self._auth.secrets())

    def get(self, path: str, params: Mapping[str, object] | None = None, *, seconds: float | None = None) -> Reply:
        """Send a GET request; `seconds` limits it further than the request timeout.

        Raises a `ServiceError` when there is no answer. An answer that reports an error is returned like any other.
        """
        return self._exchange("GET", self._url(path, params), min(self._timeout, seconds or self._timeout))

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, object] | None = None,
        may_send: Callable[[], bool] | None = None,
    ) -> Reply:
        """Send a POST request with a JSON body or none; otherwise like `get`.

        `may_send` is called when the credential has been obtained and the connection established, immediately before
        the first byte of the request is written. If it returns false, nothing is sent and `OrderNotSent` is raised.
        """
        # The Content-Type must be exactly `application/json`: one gateway refuses any suffix (APIGW.0106).
        data = None if body is None else json.dumps(body).encode()
        return self._exchange("POST", self._url(path, params), self._timeout, data, may_send)

    def _url(self, path: str, params: Mapping[str, object] | None) -> str:
        """Return the full URL, with spaces as `%20`: a signature covers the query as it is sent."""
        query = urlencode({name: str(value) for name, value in (params or {}).items()}, quote_via=quote)
        return f"{self.endpoint}{path}" + (f"?{query}" if query else "")

    def _exchange(
        self,
        method: str,
        url: str,
        limit: float,
        data: bytes | None = None,
        may_send: Callable[[], bool] | None = None,
    ) -> Reply:
        """Send a request and read its answer; after a 401 it is sent once more if there is a newer credential."""
        with self._auth.sending_lock():
            response = self._send(method, url, limit, data, may_send)
            renewed = response.status_code == 401 and self._renew(response)
        if renewed:
            response.close()
            response = self._send(method, url, limit, data, may_send)
        if response.status_code < 300:
            self._auth.accepted(response.request)
        with response:
            return self._read(response)

    def _renew(self, response: requests.Response) -> bool:
        """Return whether there is a newer credential than the refused one."""
        try:
            return self._auth.renew(response.request)
        except ServiceError as error:
            response.close()
            if isinstance(error, TransientError):
                error.sent = False  # a refused request has no effect
            raise

    def _send(
        self, method: str, url: str, limit: float, data: bytes | None, may_send: Callable[[], bool] | None
    ) -> requests.Response:
        """Send one request and return its answer with the headers read and the body unread."""
        self.calls += 1
        started = time.monotonic()
        request_line = f"{method} {url.removeprefix(self.endpoint)}"
        try:
            headers = {"Content-Type": "application/json"} if data is not None else None
            request = requests.Request(method, url, data=data, headers=headers, auth=self._auth)
            prepared = self._http.prepare_request(request)  # obtains the credential, and may sign in for that
            environment = self._http.merge_environment_settings(
                prepared.url, self._proxies or {}, stream=True, verify=self._verify, cert=None
            )
            timeout: Any = Timeout(total=limit)  # supported, but missing in the stubs
            with asking_before_sending(may_send):
                response = self._http.send(prepared, timeout=timeout, allow_redirects=False, **environment)
        except TransientError as error:  # no credential could be obtained
            error.sent = False
            raise
        except (
            OSError,
            LocationValueError,
            UnicodeError,
        ) as error:  # errors of requests, of a CA bundle, of the URL of a proxy
            problem = from_requests(error, self.host, limit)
            self._debug(f"{request_line}: {problem}")
            raise problem from None
        self._debug(f"{request_line}: {response.status_code} in {(time.monotonic() - started) * 1000:.0f} ms")
        self._clock.update(response.headers.get("Date", ""))
        return response

    def _read(self, response: requests.Response) -> Reply:
        """Read the body up to its size limit."""
        body, cut = bytearray(), ""
        try:
            for chunk in response.raw.stream(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > MAX_BYTES:
                    cut = f"is longer than {MAX_BYTES // 2**20} MiB"
                    break
        except (HTTPError, OSError, ValueError) as error:
            cut = f"broke off after {len(body)} bytes ({type(error).__name__})"
        return Reply(response.status_code, response.headers, bytes(body), cut)
