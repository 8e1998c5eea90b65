"""The steps that send no credential."""

import socket

import certifi

from gate.codearts import responses
from gate.codearts.error_mapping import PROXY_WAY_HINT
from gate.codearts.responses import Reply
from gate.doctor.diagnosis import CheckFailed, CheckSkipped, Diagnosis
from gate.errors import InvalidAnswer, Refused, RouteMissing, Unauthorised, Untrusted

HOST_HINT = "Check --region or --endpoint: it must be the API host of CodeArts Build, not the console's."


def settings(diagnosis: Diagnosis) -> str:
    """Repeat the settings; wrong ones have ended the program before."""
    return f"{diagnosis.connection.endpoint} with the {diagnosis.connection.credential.description}"


def name_resolution(diagnosis: Diagnosis) -> str:
    """Resolve the name of the host that a connection would be made to."""
    place = diagnosis.proxy or diagnosis.url
    who = "the proxy " if diagnosis.proxy else ""
    try:
        found = socket.getaddrinfo(place.hostname, place.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a host name"
        fix = "Check HTTPS_PROXY." if diagnosis.proxy else "Check --region or --endpoint, and this machine's DNS."
        raise CheckFailed(f"{who}{place.hostname} has no address: {reason}", fix) from None
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    return f"{who}{place.hostname} is {', '.join(addresses[:3])}"


def connection(diagnosis: Diagnosis) -> str:
    """Reach the host, directly or through a proxy."""
    if isinstance(diagnosis.anonymous_reply, Reply | Untrusted):
        return f"{diagnosis.url.netloc} can be reached{_way(diagnosis)}"
    problem = diagnosis.anonymous_reply
    if isinstance(problem, Unauthorised) or problem.hint != type(problem).hint:  # by the proxy, or not sent at all
        fix = problem.hint
    elif diagnosis.proxy:
        fix = PROXY_WAY_HINT.format(host=diagnosis.url.netloc)
    else:
        fix = "Check --region or --endpoint, the firewall, and whether HTTPS_PROXY must be set."
    way = "" if "the proxy" in str(problem) else _way(diagnosis)
    raise CheckFailed(f"{problem}{way}", fix)


def tls(diagnosis: Diagnosis) -> str:
    """Check the server's certificate."""
    if diagnosis.url.scheme != "https":
        raise CheckSkipped("plain http, which is allowed on this machine only")
    source = f"the CAs in {diagnosis.session.ca_certificates or certifi.where()}"
    if isinstance(diagnosis.anonymous_reply, Untrusted):
        raise CheckFailed(str(diagnosis.anonymous_reply), diagnosis.anonymous_reply.hint)
    return f"the certificate of {diagnosis.url.hostname} is trusted by {source}"


def gateway(diagnosis: Diagnosis) -> str:
    """Check that the host is an API gateway, which refuses a request without a credential."""
    reply = diagnosis.anonymous_reply
    assert isinstance(reply, Reply)
    kind = reply.headers.get("Content-Type", "")
    if "html" in kind:
        raise CheckFailed(
            f"{diagnosis.url.netloc} answers with a web page (HTTP {reply.status}), as a console or a proxy does",
            HOST_HINT,
        )
    try:
        responses.payload(reply, f"{diagnosis.url.netloc}, asked without a credential", diagnosis.session.hide)
    except Unauthorised as error:
        if error.code.startswith(("APIGW.", "APIG.")):
            return f"an API gateway answers (HTTP 401 {error.code} to a request without a credential)"
        raise CheckFailed(f"{error}, which is not how the API gateway refuses", HOST_HINT) from None
    except RouteMissing as error:
        raise CheckFailed(f"{error}; {diagnosis.url.netloc} does not publish CodeArts Build", HOST_HINT) from None
    except (InvalidAnswer, Refused) as error:
        raise CheckFailed(str(error), HOST_HINT) from None
    return f"{diagnosis.url.netloc} answers, even without a credential"


def clock(diagnosis: Diagnosis) -> str:
    """Compare this machine's clock with the `Date` of the answer."""
    if diagnosis.clock.ahead is None:
        raise CheckSkipped("the answer has no Date")
    if diagnosis.clock.is_off:
        raise CheckFailed(
            f"this machine's clock is {diagnosis.clock.difference()} the service's",
            "Set this machine's clock (NTP): a signature is valid for 15 minutes, and --max-age depends on the clock.",
            ends=False,
        )
    return f"this machine's clock is {diagnosis.clock.difference()} the service's"


def _way(diagnosis: Diagnosis) -> str:
    """Name the proxy, without the password that may stand in its URL."""
    if diagnosis.proxy is None:
        return ""
    port = f":{diagnosis.proxy.port}" if diagnosis.proxy.port else ""
    return f", through the proxy {diagnosis.proxy.hostname}{port} (HTTPS_PROXY)"
