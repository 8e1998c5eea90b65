"""The HTTP session: a time limit for each whole request, a size limit, no redirects, no retries."""

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.utils import select_proxy
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, LocationValueError
from urllib3.util import parse_url

from gate import __version__
from gate.codearts import responses
from gate.codearts.auth import TOKEN_HEADER, Auth
from gate.codearts.error_mapping import from_requests, is_behind_gateway, is_known_origin
from gate.codearts.masking import Masker
from gate.codearts.responses import Reply
from gate.codearts.service_clock import ServiceClock
from gate.codearts.tls import ca_certificates
from gate.codearts.transport import BoundedAdapter, lift_limits, sending
from gate.errors import TransientError, Unauthorised
from gate.limits import LOG_START_SECONDS, MAX_BYTES, MAX_CONNECTIONS
from gate.settings import Connection, is_loopback
from gate.value_types import NamedTuple
from gate.vocabulary import VOCABULARY

_CHUNK = 64 * 1024

_HEADERS = {
    "User-Agent": f"codearts-gate/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # so that a small answer cannot unpack to a huge one
    "Cache-Control": "no-cache",  # so that no proxy answers with what it has kept of a former run
}

_SHORTEST = 0.05
"""Seconds for a request at least, as a timeout has to be above zero."""

_WORDS = {word.lower() for word, _, _ in VOCABULARY}
"""The service's words for states and, among them, that for a call that has succeeded."""

_NO_PROXY = {"http": "", "https": ""}


class _Call(NamedTuple):
    """What is sent, and how long the whole exchange may take."""

    method: str
    path: str
    query: str
    seconds: float
    data: bytes | None = None
    may_send: Callable[[], bool] | None = None
    decides: bool = True
    sink: Callable[[bytes], None] | None = None
    """Takes the body of a successful answer that is not JSON."""
    read_until: float = 0.0
    """The instant until which that body is read, on the monotonic clock."""


class _Sent(NamedTuple):
    """A request that was sent, and its answer."""

    request: requests.PreparedRequest
    response: requests.Response
    reply: Reply | None
    """The answer, if it is an error; the body of a successful one is not read yet."""


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
        """Requests so far, those included that nobody waits for any more."""
        self._counting = threading.Lock()
        self.host = urlsplit(connection.endpoint).netloc
        self.endpoint = connection.endpoint.rstrip("/")
        self._timeout = connection.request_timeout
        self.ca_certificates = ca_certificates(connection)
        self._proxies = _NO_PROXY if is_loopback(urlsplit(connection.endpoint).hostname or "") else None
        self._auth = auth
        self.masker = Masker(lambda: (*auth.secrets(), *connection.also_secret))
        self._not_secret = frozenset(connection.not_secret)
        self._debug = debug
        self._clock = clock or ServiceClock()
        self._http = _Http()
        self._accepted_token: str | None = None
        """The token that the service accepted last."""
        self._http.headers.clear()
        self._http.headers.update(_HEADERS)
        self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = BoundedAdapter(pool_maxsize=MAX_CONNECTIONS)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)

    def now(self) -> datetime:
        """Return the time of day by the service's clock."""
        return self._clock.now()

    def local_now(self) -> datetime:
        """Return the time of day by this machine's clock."""
        return self._clock.local_now()

    def sent(self) -> int:
        """Return how many requests were sent so far, those for the credential included, from any thread."""
        return self.calls + self._auth.sent()

    def hide(self, text: str) -> str:
        """Return `text` with every secret of the credential masked: the service echoes access keys, for example.

        What answers are compared with is left as it is, although a part of it may be a secret: what was asked for, and
        the words for states.
        """
        return text if text in self._not_secret or text.lower() in _WORDS else self.masker.hide(text)

    def get(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        seconds: float | None = None,
        decides: bool = True,
    ) -> Reply:
        """Send a GET request; `seconds` limits it further than the request timeout.

        `decides`: whether a verdict depends on it; see `Auth.sending`. Raises a `ServiceError` when there is no answer.
        An answer that reports an error is returned like any other.
        """
        limit = min(self._timeout, seconds or self._timeout)
        return self._exchange(_Call("GET", path, _query(params), limit, decides=decides))

    def stream(
        self, path: str, params: Mapping[str, object] | None, sink: Callable[[bytes], None], until: float
    ) -> Reply:
        """Send a GET request and hand the body of a successful answer that is not JSON to `sink` as it comes.

        The body may have any length. It has to begin soon, and is read until the instant `until` on the monotonic
        clock. `cut` of the reply, which has no body itself, says why the rest is missing. Otherwise like `get`.
        """
        limit = max(min(self._timeout, until - time.monotonic(), LOG_START_SECONDS), _SHORTEST)
        return self._exchange(_Call("GET", path, _query(params), limit, decides=False, sink=sink, read_until=until))

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, object] | None = None,
        *,
        may_send: Callable[[], bool] | None = None,
        seconds: float | None = None,
    ) -> Reply:
        """Send a POST request with a JSON body or none, over a fresh connection; otherwise like `get`.

        A connection that was kept may be dead without a sign of it, and a POST is not sent again.
        `may_send` is called when the credential has been obtained and the connection established, immediately before
        the first byte of the request is written. If it returns false, nothing is sent and `OrderNotSent` is raised.
        """
        # The Content-Type must be exactly `application/json`: one gateway refuses any suffix (APIGW.0106).
        data = None if body is None else json.dumps(body).encode()
        limit = min(self._timeout, seconds or self._timeout)
        return self._exchange(_Call("POST", path, _query(params), limit, data, may_send))

    def _exchange(self, call: _Call) -> Reply:
        """Send a request and read its answer; a refused one is sent once more if there is a newer credential."""
        with self._auth.sending(decides=call.decides):
            sent = self._send(call)
            if sent.reply is not None and _is_unauthorised(sent.reply) and self._renew(sent.request):
                sent = self._send(call)
            if sent.reply is not None:
                return self._judge(call, sent, sent.reply)
        with sent.response:
            return self._judge(call, sent, self._read_answer(call, sent.response))

    def _judge(self, call: _Call, sent: _Sent, reply: Reply) -> Reply:
        """Tell the credential what an answer says about it; note in the answer whether it has worked before.

        That is not noted in the answer to an order, which is not sent again, whatever refused it.
        """
        has_worked = self._auth.has_worked
        match responses.reported_error(reply):
            case None:
                if "html" not in reply.headers.get("Content-Type", ""):  # a sign-in page of a proxy accepts nothing
                    self._note_accepted(sent.request)
            case _, code if is_behind_gateway(code):
                self._note_accepted(sent.request)
            case kind, code if kind is Unauthorised and (is_known_origin(code) or not has_worked):
                self._auth.refused()
        has_worked = has_worked and call.may_send is None
        token = sent.request.headers.get(TOKEN_HEADER)
        token_worked = token is not None and token == self._accepted_token
        return dataclasses.replace(reply, credential_worked=has_worked, token_worked=token_worked)

    def _note_accepted(self, request: requests.PreparedRequest) -> None:
        self._auth.accepted(request)
        self._accepted_token = request.headers.get(TOKEN_HEADER)

    def _renew(self, refused: requests.PreparedRequest) -> bool:
        """Return whether there is a newer credential than the refused one."""
        try:
            return self._auth.renew(refused)
        except TransientError as error:
            error.sent = False  # a refused request has no effect
            raise

    def _send(self, call: _Call) -> _Sent:
        """Send one request and read the headers of its answer, and the body if it is an error."""
        with self._counting:
            self.calls += 1
        started = time.monotonic()
        target = call.path + (f"?{call.query}" if call.query else "")
        request_line = f"{call.method} {target}"
        headers = {"Content-Type": "application/json"} if call.data is not None else None
        request = requests.Request(
            call.method, self.endpoint + target, data=call.data, headers=headers, auth=self._auth
        )
        timeout: Any = Timeout(total=call.seconds)  # supported, but missing in the stubs
        proxy = ""
        try:
            prepared = self._http.prepare_request(request)  # obtains the credential, and may sign in for that
            environment = self._http.merge_environment_settings(
                prepared.url, self._proxies or {}, stream=True, verify=self.ca_certificates, cert=None
            )
            environment["proxies"] = {name: (value or "").strip() for name, value in environment["proxies"].items()}
            proxy = select_proxy(self.endpoint, environment["proxies"]) or ""
            if proxy and not parse_url(proxy).host:  # requests would raise a TypeError
                raise requests.exceptions.InvalidProxyURL("it has no host")
            with sending(may_send=call.may_send, fresh=call.method == "POST"):
                response = self._http.send(prepared, timeout=timeout, allow_redirects=False, **environment)
        except TransientError as error:  # no credential could be obtained
            error.sent = False
            raise
        except (OSError, LocationValueError, UnicodeError) as error:  # of requests, of a CA bundle, of a proxy's URL
            problem = from_requests(
                error,
                self.host,
                call.seconds,
                self.ca_certificates,
                proxy=proxy,
                has_worked=self._auth.has_worked,
            )
            self._debug(f"{request_line}: {problem}")
            raise problem from None
        self._debug(f"{request_line}: {response.status_code} in {(time.monotonic() - started) * 1000:.0f} ms")
        self._clock.update(response.headers.get("Date", ""))
        if response.status_code < 300:
            return _Sent(prepared, response, reply=None)
        with response:
            return _Sent(prepared, response, self._read(response))

    def _read_answer(self, call: _Call, response: requests.Response) -> Reply:
        """Read the body of a successful answer, or hand it to the sink of the call."""
        if call.sink is None or response.status_code != 200 or "json" in response.headers.get("Content-Type", ""):
            return self._read(response)
        size, cut = 0, ""
        lift_limits(response.raw, call.read_until)
        while True:
            try:
                chunk = response.raw.read1(_CHUNK, decode_content=True)  # what has come, without waiting for more
            except (HTTPError, OSError, ValueError) as error:
                is_late = time.monotonic() > call.read_until - 0.1
                why = "did not come to its end in time" if is_late else f"broke off ({type(error).__name__})"
                cut = f"{why}, after {size / 1e6:.1f} MB"
                break
            if not chunk:
                break
            size += len(chunk)
            call.sink(chunk)
        return Reply(response.status_code, response.headers, b"", cut)

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


def _query(params: Mapping[str, object] | None) -> str:
    """Return the query of a URL, with spaces as `%20`: a signature covers the query as it is sent."""
    return urlencode({name: str(value) for name, value in (params or {}).items()}, quote_via=quote)


def _is_unauthorised(reply: Reply) -> bool:
    """Return whether an answer refuses the credential; a proxy that refuses its own (407) does not."""
    error = responses.reported_error(reply)
    return error is not None and error[0] is Unauthorised and reply.status != 407
