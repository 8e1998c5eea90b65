"""From what went wrong to our errors: the errors of `requests`, and the service's own error codes.

Sources: ErrorCode.html of the API reference for the `CB.` codes; the signing guide's table for the gateway's; the
vendor's Terraform provider and a published trial on a real tenant for `DEVCB.00031006` and its neighbours.
"""

import http.client
import re
import ssl
from collections.abc import Sequence

import requests
import urllib3

from gate.codearts.transport import NEVER_SENT
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
    """Return the error class for an answer: the code decides where it is known, else the HTTP status."""
    if match := re.fullmatch(r"API(?:GW|G)\.(\d{4})", code):
        known = _GATEWAY.get(match[1])
    else:
        known = _SERVICE.get(code.rpartition(".")[2])
    if known is RouteMissing and status != 404:  # else an order would be sent by the next route too
        known = None
    return known or _by_status(status)


def _by_status(status: int) -> type[ServiceError]:
    """Return the error class for an HTTP status whose code says nothing."""
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


def explain(error: Exception, host: str, seconds: float) -> ServiceError:
    """Return our error for one of requests', whose text is dropped: it may quote headers and whole URLs."""
    causes = _causes(error)
    cause = causes[-1]
    way = "the proxy on the way to " if isinstance(error, requests.exceptions.ProxyError) else ""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Untrusted(f"the TLS certificate of {way}{host} is not trusted: {_in_words(cause)}")
    if not isinstance(error, (requests.RequestException, *_BAD_ADDRESS)) or _is_about_bundle(cause):
        return Untrusted("the CA certificates could not be read")
    if isinstance(error, _BAD_ADDRESS):
        return PermanentError(
            f"the proxy on the way to {host} cannot be used ({type(error).__name__})", hint=PROXY_HINT
        )
    tunnel = re.search(r"Tunnel connection failed: (\d{3})", str(cause))
    if tunnel and tunnel[1] == "407":
        return Unauthorised(f"the proxy on the way to {host} asks for a user and a password", hint=PROXY_HINT)
    problem: TransientError
    if isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
        problem = TooSlow(f"no complete answer from {host} within {seconds:g} s (--request-timeout)")
    elif way or tunnel:
        why = f"it answers HTTP {tunnel[1]}" if tunnel else _in_words(cause)
        problem = Unreachable(f"the proxy does not lead to {host}: {why}")
    else:
        problem = Unreachable(f"no answer from {host}: {_in_words(cause)}")
    problem.sent = not any(isinstance(link, _NEVER_SENT) or NEVER_SENT in _notes(link) for link in causes)
    return problem


_NEVER_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
)

_BAD_ADDRESS = (
    requests.exceptions.InvalidURL,  # and InvalidProxyURL; the endpoint itself has been checked
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
    UnicodeError,  # a password that is not in Latin-1
)

PROXY_HINT = "Write HTTPS_PROXY as http://USER:PASSWORD@HOST:PORT, or name the host in NO_PROXY."


def _is_about_bundle(cause: BaseException) -> bool:
    """Tell whether a file of certificates could not be read as one."""
    return isinstance(cause, ssl.SSLError) and cause.library in ("X509", "PEM", "ASN1")


def _in_words(cause: BaseException) -> str:
    """Say what happened, in words of this machine and never of the server."""
    if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
        return "what answers on this port does not speak TLS"
    if isinstance(cause, http.client.HTTPException) and not isinstance(cause, OSError):
        return f"what it sent is not the HTTP that the gate reads ({type(cause).__name__})"
    return str(getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or type(cause).__name__)


def _notes(error: BaseException) -> Sequence[str]:
    notes: Sequence[str] = getattr(error, "__notes__", ())
    return notes


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and what caused it, the innermost cause last; urllib3 hands some on as arguments only."""
    causes = [error]
    while len(causes) < 10:
        link = causes[-1]
        handed_on = next((argument for argument in link.args if isinstance(argument, BaseException)), None)
        deeper = link.__cause__ or handed_on or link.__context__
        if deeper is None:
            break
        causes.append(deeper)
    return causes
