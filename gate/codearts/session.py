"""The one HTTP session: whole-request timeouts, a size limit, no redirects, no retries."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import quote, urlencode, urlsplit

import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from gate import __version__
from gate.codearts.auth import Auth
from gate.codearts.failures import explain
from gate.codearts.transport import BoundedAdapter
from gate.settings import Connection, is_loopback

MAX_BYTES = 8 * 1024 * 1024
"""The size of an answer at most, in bytes."""

MAX_CONNECTIONS = 8
"""Requests under way at once at most."""

_CHUNK = 64 * 1024

_HEADERS = {
    "User-Agent": f"codearts-gate/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # so that a small answer cannot unpack to a huge one
}

_NO_PROXY = {"http": "", "https": ""}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer: its status, its headers, and its body; `cut` says why the body is not complete."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    cut: str = ""


class Session:
    """Sends requests to one endpoint with one credential; may be used from several threads."""

    def __init__(self, connection: Connection, auth: Auth, remark: Callable[[str], None]) -> None:
        """`remark` takes one line about each request, without secrets."""
        self.calls = 0
        self.host = urlsplit(connection.endpoint).netloc
        self._endpoint = connection.endpoint.rstrip("/")
        self._timeout = connection.request_timeout
        self._verify = str(connection.ca_bundle) if connection.ca_bundle else None
        self._proxies = _NO_PROXY if is_loopback(urlsplit(connection.endpoint).hostname or "") else None
        self._auth = auth
        self._remark = remark
        self._ahead = timedelta()
        self._http = requests.Session()
        self._http.headers.clear()
        self._http.headers.update(_HEADERS)
        self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = BoundedAdapter(pool_maxsize=MAX_CONNECTIONS)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)

    def now(self) -> datetime:
        """Give the time of day by the service's clock, from the `Date` of its last answer; else by this machine's."""
        return datetime.now(UTC) + self._ahead

    def hide(self, text: str) -> str:
        """Give `text` with every secret of the credential blotted out: the service echoes access keys, for one."""
        for secret in self._auth.secrets():
            text = text.replace(secret, "***") if secret else text
        return text

    def get(self, path: str, params: Mapping[str, object] | None = None, *, seconds: float | None = None) -> Reply:
        """Send a GET request; `seconds` bounds it more tightly than the request timeout does.

        A newer credential, if there is one, is tried once when the service answers 401. Raises a `ServiceError` when
        there is no answer; an answer that reports an error is a `Reply` like any other.
        """
        query = urlencode({name: str(value) for name, value in (params or {}).items()}, quote_via=quote)
        url = f"{self._endpoint}{path}" + (f"?{query}" if query else "")
        limit = min(self._timeout, seconds or self._timeout)
        response = self._send("GET", url, limit)
        if response.status_code == 401 and self._auth.renew(response.request):
            response.close()
            response = self._send("GET", url, limit)
        with response:
            return self._read(response)

    def _send(self, method: str, url: str, limit: float) -> requests.Response:
        """Send one request and take the headers of its answer."""
        self.calls += 1
        started = time.monotonic()
        told = f"{method} {url.removeprefix(self._endpoint)}"
        try:
            response = self._http.request(
                method,
                url,
                auth=self._auth,
                timeout=Timeout(total=limit),  # type: ignore[arg-type]  # accepted, though the stubs do not say so
                allow_redirects=False,
                stream=True,
                verify=self._verify,
                proxies=self._proxies,
            )
        except requests.RequestException as error:
            problem = explain(error, self.host, limit)
            self._remark(f"{told}: {problem}")
            raise problem from None
        self._remark(f"{told}: {response.status_code} in {(time.monotonic() - started) * 1000:.0f} ms")
        self._set_clock(response.headers.get("Date", ""))
        return response

    def _read(self, response: requests.Response) -> Reply:
        """Read the body as far as its limits allow."""
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

    def _set_clock(self, date: str) -> None:
        try:
            then = parsedate_to_datetime(date)
        except ValueError:
            return
        if then.tzinfo is not None:
            self._ahead = then - datetime.now(UTC)
