"""From what went wrong to our errors: the errors of `requests`, and the service's own error codes.

Sources: ErrorCode.html of the API reference for the `CB.` codes; the signing guide's table for the gateway's; the
vendor's Terraform provider and a published trial on a real tenant for `DEVCB.00031006` and its neighbours.
"""

import http.client
import re

import requests
import urllib3

from gate.codearts.transport import HandshakeFailed
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
    "032302": Refused,  # stopping what has ended
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


def classify(status: int, code: str) -> type[ServiceError]:
    """Give the error class for an answer: the code decides where it is known, else the HTTP status."""
    if match := re.fullmatch(r"API(?:GW|G)\.(\d{4})", code):
        known = _GATEWAY.get(match[1])
    else:
        known = _SERVICE.get(code.rpartition(".")[2])
    return known or _by_status(status)


def _by_status(status: int) -> type[ServiceError]:
    """Give the error class for an HTTP status whose code says nothing."""
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


def explain(error: OSError, host: str, seconds: float) -> ServiceError:
    """Give our error for one of requests', whose text is dropped: it may quote headers and whole URLs."""
    causes = _causes(error)
    cause = causes[-1]
    why = _in_words(cause)
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(cause).upper():
        return Untrusted(f"the TLS certificate of {host} is not trusted: {why}")
    if not isinstance(error, requests.RequestException):
        return Untrusted("the CA certificates could not be read")
    if isinstance(error, _BAD_ADDRESS):
        return PermanentError(f"{host} cannot be asked ({type(error).__name__})", hint=_PROXY_HINT)
    problem: TransientError
    if isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
        problem = TooSlow(f"no complete answer from {host} within {seconds:g} s (--request-timeout)")
    elif isinstance(error, requests.exceptions.ProxyError):
        if (answer := re.search(r"Tunnel connection failed: (\d{3})", str(cause))) is not None:
            why = f"it answers HTTP {answer[1]}"
            if answer[1] == "407":
                return Unauthorised(f"the proxy on the way to {host} asks for a user and a password", hint=_PROXY_HINT)
        problem = Unreachable(f"the proxy does not lead to {host}: {why}")
    else:
        problem = Unreachable(f"no answer from {host}: {why}")
    problem.sent = not any(isinstance(link, _NEVER_SENT) for link in causes)
    return problem


_NEVER_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
    HandshakeFailed,
)

_BAD_ADDRESS = (
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)

_PROXY_HINT = "Write HTTPS_PROXY as http://USER:PASSWORD@HOST:PORT, or name the host in NO_PROXY."


def _in_words(cause: BaseException) -> str:
    """Say what happened, in words of this machine and never of the server."""
    if isinstance(cause, http.client.HTTPException):
        return f"what it sent is not the HTTP that the gate reads ({type(cause).__name__})"
    return str(getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or type(cause).__name__)


def _causes(error: BaseException) -> list[BaseException]:
    """Give an error and what caused it, the innermost cause last."""
    causes = [error]
    while (deeper := causes[-1].__cause__ or causes[-1].__context__) is not None and len(causes) < 10:
        causes.append(deeper)
    return causes
