"""Map errors of `requests` and error codes of the service to the gate's own error classes.

Sources: ErrorCode.html of the API reference (`CB.` codes); the signing guide's table (`APIGW.` codes); the vendor's
Terraform provider and a published trial on a real tenant (`DEVCB.00031006` and similar codes).
"""

import http.client
import re
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3

from gate.codearts import tls
from gate.codearts.transport import NOT_SENT_NOTE
from gate.errors import (
    Forbidden,
    InvalidAnswer,
    NotFound,
    PermanentError,
    Refused,
    RouteMissing,
    ServiceError,
    ServiceFailing,
    Throttled,
    TooSlow,
    TransientError,
    Unauthorised,
    Unreachable,
    Untrusted,
    explain_limit,
)

_SERVICE = {
    "00060100": ServiceFailing,  # network busy
    "00060101": ServiceFailing,  # internal error
    "00060211": Throttled,  # too many requests, as HTTP 400 or 500
    "00060214": RouteMissing,  # URL not found
    "00060200": Refused,
    "00060201": Refused,
    "032011": Refused,  # malformed job id
    "032000": Refused,
    "032302": Refused,  # the build to stop has already ended
    "00031006": NotFound,  # no such job, build or record, as HTTP 422
    "00031059": NotFound,  # not built yet or history deleted, as HTTP 403
    "00030000": ServiceFailing,  # unspecified, as HTTP 422
}

_GATEWAY = {
    "0101": RouteMissing,
    "0203": ServiceFailing,
    "0301": Unauthorised,
    "0302": Forbidden,
    "0303": Unauthorised,
    "0304": Forbidden,
    "0305": Unauthorised,
    "0306": Forbidden,
    "0307": Unauthorised,
    "0308": Throttled,
    "0310": Forbidden,
    "0401": Forbidden,
    "0402": Forbidden,
    "0404": Forbidden,
    "0601": ServiceFailing,
    "0606": ServiceFailing,
    "0610": ServiceFailing,
    "0613": ServiceFailing,
    "0801": Forbidden,
    "0802": Forbidden,
}


_EXPIRED = r"0307|token expires"

_REFUSALS = (
    (
        _EXPIRED,
        (
            "The token has expired, belongs to another region, or is scoped to the account instead of a project. "
            "Get a new token with project scope in this region, or set GATE_IAM_USER so that the gate signs in itself."
        ),
    ),
    (
        r"decrypt token fail",
        "The value is not a token of this region. Use the complete X-Subject-Token header of this region's IAM.",
    ),
    (r"signature expired", "Set the clock of this machine: a signature is valid for 15 minutes."),
    (
        r"verify aksk signature fail",
        (
            "HUAWEICLOUD_SDK_SK does not belong to HUAWEICLOUD_SDK_AK, or a temporary key is used without "
            "HUAWEICLOUD_SDK_SECURITY_TOKEN, or a proxy changes the requests."
        ),
    ),
    (r"\bak\b.* not exist", "HUAWEICLOUD_SDK_AK does not exist (or no longer exists) in this cloud."),
    (r"reach the limit", "The access key is locked after too many refusals. Wait five minutes, then correct the key."),
    (r"get token error", "HUAWEICLOUD_SDK_PROJECT_ID is not the id of this region's IAM project."),
    (
        r"\.0310\b",
        "The IAM project cannot be used, for example because the account is in arrears: look in the console.",
    ),
    (
        r"\.040[124]\b",
        "The gateway refuses the address of this machine; ask who controls access to the account.",
    ),
    (r"\.080[12]\b", "Check --region or --endpoint: CodeArts Build, or this user, is not available there."),
)
"""What the gateway says of a credential or a user that it refuses (patterns of code and text), and what to do about it.
"""


def classify(status: int, code: str) -> type[ServiceError]:
    """Return the error class for an answer: by its code if that is known, else by its HTTP status."""
    if match := re.fullmatch(r"API(?:GW|G)\.(\d{4})", code):
        known = _GATEWAY.get(match[1])
    else:
        known = _SERVICE.get(code.rpartition(".")[2])
    if known is RouteMissing and status != 404:  # otherwise an order might be sent a second time, by the next route
        known = None
    return known or _by_status(status)


def is_known_origin(code: str) -> bool:
    """Return whether an error code is one of the service, its gateway or IAM: a proxy or a web page has none."""
    return re.match(r"(?:APIGW|APIG|CB|DEVCB|DEV|IAM)\.[\w.]*\d", code) is not None


def is_behind_gateway(code: str) -> bool:
    """Return whether an error code is one of CodeArts Build itself: its gateway has accepted the credential."""
    return re.match(r"(?:DEV\.?)?CB\.[\w.]*\d", code) is not None


def _by_status(status: int) -> type[ServiceError]:
    """Return the error class for an HTTP status without a known code."""
    if status in (401, 407):
        return Unauthorised
    if status == 403:
        return Forbidden
    if status == 429:
        return Throttled
    if status >= 500 or status in (408, 425):
        return ServiceFailing
    if status >= 300:
        return Refused
    return InvalidAnswer


def advice_on_refusal(code: str, message: str, *, has_worked: bool) -> str:
    """Return advice for the code and the text of a 401 or 403, empty when neither is in the signing guide's table.

    `has_worked`: whether the token, if it is one, was accepted before.
    """
    text = f"{code} {message}"
    if has_worked and re.search(_EXPIRED, text, re.IGNORECASE):
        return "The token has expired. Get a new one, or set GATE_IAM_USER so that the gate signs in itself."
    return next((advice for pattern, advice in _REFUSALS if re.search(pattern, text, re.IGNORECASE)), "")


def from_requests(
    error: Exception,
    host: str,
    seconds: float,
    ca_certificates: str | None = None,
    *,
    proxy: str = "",
    has_worked: bool = False,
) -> ServiceError:
    """Return the gate's error for an error of requests. The original text is dropped: it may quote headers and URLs.

    `seconds`: the time limit of the request. `ca_certificates`: the file or folder of the trusted CAs, if one was set.
    `proxy`: the URL of the proxy that leads to the host, if one does. `has_worked`: whether requests to this host have
    been answered, so that a proxy that lets none through may again.
    """
    causes = _causes(error)
    cause = causes[-1]
    via_proxy = "the proxy to " if isinstance(error, requests.exceptions.ProxyError) else ""
    for link in causes:
        if isinstance(link, ssl.SSLCertVerificationError):
            return tls.refusal(link, f"{via_proxy}{host}", ca_certificates, datetime.now(UTC))
    limit = explain_limit(cause)
    if not (limit or isinstance(error, (requests.RequestException, *_BAD_ADDRESS))) or _is_about_bundle(cause):
        return Untrusted(f"the CA certificates in {ca_certificates or 'the bundle of certifi'} could not be read")
    if isinstance(error, _BAD_ADDRESS):
        is_socks = isinstance(error, requests.exceptions.InvalidSchema)
        why = "SOCKS is not supported" if is_socks else type(error).__name__
        return PermanentError(f"the proxy to {host} cannot be used ({why})", hint=PROXY_HINT)
    tunnel = re.search(r"Tunnel connection failed: (\d{3})", str(cause))
    if tunnel and tunnel[1] == "407" and not has_worked:
        name = f"{_named(proxy)} to {host}"
        if "@" in proxy:
            refused = f"{name} does not accept the user and the password in its address"
            return Unauthorised(refused, hint=PROXY_USER_HINT)
        return Unauthorised(f"{name} requires a user and a password", hint=PROXY_HINT)
    problem: TransientError
    if isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
        problem = TooSlow(f"no complete answer from {host} within {seconds:g} s (--request-timeout)")
    elif via_proxy or tunnel:
        why = f"it answered HTTP {tunnel[1]}" if tunnel else _in_words(cause)
        hint = PROXY_WAY_HINT.format(host=host)
        problem = Unreachable(f"no connection to {host} through {_named(proxy)}: {why}", hint=hint)
    else:
        problem = Unreachable(f"no answer from {host}: {_in_words(cause)}", hint=limit[1] if limit else "")
    problem.sent = not any(isinstance(link, _NOT_SENT) or NOT_SENT_NOTE in _notes(link) for link in causes)
    return problem


_NOT_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
)

_BAD_ADDRESS = (
    requests.exceptions.InvalidURL,  # also InvalidProxyURL; the endpoint itself was validated before
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
    UnicodeError,  # a proxy password outside Latin-1
)

PROXY_HINT = (
    "Set HTTPS_PROXY (or ALL_PROXY) to http://USER:PASSWORD@HOST:PORT, or add the host to NO_PROXY. SOCKS proxies are "
    "not supported."
)

PROXY_USER_HINT = (
    "Correct them in HTTPS_PROXY (or ALL_PROXY), with special characters percent-encoded, or add the host to NO_PROXY."
)

PROXY_WAY_HINT = (
    "Check HTTPS_PROXY, and that this proxy lets you connect to {host}; a host in NO_PROXY is reached without it."
)


def proxy_address(proxy: str) -> SplitResult:
    """Return the address of a proxy in its parts; raises `ValueError` where it cannot be read.

    With a slash in its password, what would be read as host and port are the user and the start of the password.
    """
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    if not parts.hostname or parts.port == 0 or "@" in proxy.rpartition(parts.netloc)[2]:
        raise ValueError
    return parts


def _named(proxy: str) -> str:
    """Return the proxy with its host and port, without the user and the password that may stand in its address."""
    try:
        parts = proxy_address(proxy)
    except ValueError:
        return "the proxy"
    return f"the proxy {parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _is_about_bundle(cause: BaseException) -> bool:
    """Return whether the error means that a file of certificates could not be parsed."""
    return isinstance(cause, ssl.SSLError) and cause.library in ("X509", "PEM", "ASN1")


_TLS_FAILURES = {
    "WRONG_VERSION_NUMBER": "the server on this port does not use TLS",
    "UNEXPECTED_EOF_WHILE_READING": "the connection was closed in the middle of TLS",
}
"""What the most common errors of OpenSSL mean, by their reasons."""


def _in_words(cause: BaseException) -> str:
    """Describe the cause in words of this machine; text from the server is never quoted."""
    if isinstance(cause, ssl.SSLError) and cause.reason:
        return _TLS_FAILURES.get(cause.reason) or f"TLS failed: {cause.reason.replace('_', ' ').lower()}"
    if isinstance(cause, http.client.HTTPException) and not isinstance(cause, OSError):
        return f"its answer is not valid HTTP ({type(cause).__name__})"
    return str(getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or type(cause).__name__)


def _notes(error: BaseException) -> Sequence[str]:
    notes: Sequence[str] = getattr(error, "__notes__", ())
    return notes


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and its causes, the innermost last; urllib3 passes some causes as arguments only."""
    causes = [error]
    while len(causes) < 10:
        link = causes[-1]
        passed_on = next((argument for argument in link.args if isinstance(argument, BaseException)), None)
        deeper = link.__cause__ or passed_on or link.__context__
        if deeper is None:
            break
        causes.append(deeper)
    return causes
