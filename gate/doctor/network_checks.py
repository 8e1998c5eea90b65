"""The steps up to the gateway's door; none of them shows the credential to anybody."""

import os
import socket

import certifi

from gate.codearts import responses
from gate.codearts.reply import Reply
from gate.doctor.diagnosis import CheckFailed, CheckSkipped, Diagnosis
from gate.errors import InvalidAnswer, Refused, RouteMissing, Unauthorised, Untrusted

HOST_HINT = "Check --region or --endpoint: it must be the API host of CodeArts Build, not the console's."


def settings(exam: Diagnosis) -> str:
    """Name what was understood; whatever is wrong in it has ended the program before."""
    return f"{exam.connection.endpoint} with the {exam.connection.credential.description}"


def name_resolution(exam: Diagnosis) -> str:
    """Resolve the name of the host that a connection would be made to."""
    place = exam.proxy or exam.url
    who = "the proxy " if exam.proxy else ""
    try:
        found = socket.getaddrinfo(place.hostname, place.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no host name"
        mend = "Check HTTPS_PROXY." if exam.proxy else "Check --region or --endpoint, and this machine's DNS."
        raise CheckFailed(f"{who}{place.hostname} has no address: {reason}", mend) from None
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    return f"{who}{place.hostname} is {', '.join(addresses[:3])}"


def connection(exam: Diagnosis) -> str:
    """Reach the host, directly or through a proxy."""
    if isinstance(exam.anonymous_reply, Reply | Untrusted):
        return f"{exam.url.netloc} can be reached{_way(exam)}"
    if exam.proxy:
        mend = f"Check HTTPS_PROXY, and that this proxy lets you connect to {exam.url.netloc}; NO_PROXY goes round it."
    else:
        mend = "Check --region or --endpoint, the firewall, and whether HTTPS_PROXY must be set."
    raise CheckFailed(f"{exam.anonymous_reply}{_way(exam)}", mend)


def tls(exam: Diagnosis) -> str:
    """Hold the server's certificate against the trusted ones."""
    if exam.url.scheme != "https":
        raise CheckSkipped("plain http, which is allowed on this machine only")
    trusted = exam.connection.ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    source = f"the CAs in {trusted or certifi.where()}"
    if isinstance(exam.anonymous_reply, Untrusted):
        raise CheckFailed(f"{exam.anonymous_reply}; {source} were asked", exam.anonymous_reply.hint)
    return f"the certificate of {exam.url.hostname} is trusted by {source}"


def gateway(exam: Diagnosis) -> str:
    """Tell the API gateway, which refuses a request without a credential, from other hosts."""
    reply = exam.anonymous_reply
    assert isinstance(reply, Reply)
    kind = reply.headers.get("Content-Type", "")
    if "html" in kind:
        raise CheckFailed(
            f"{exam.url.netloc} answers with a web page (HTTP {reply.status}): a console, a sign-in page or a proxy",
            HOST_HINT,
        )
    try:
        responses.payload(reply, f"{exam.url.netloc}, asked without a credential", exam.session.hide)
    except Unauthorised as error:
        if error.code.startswith(("APIGW.", "APIG.")):
            return f"an API gateway answers (HTTP 401 {error.code} to a request without a credential)"
        raise CheckFailed(f"{error}, which is not how the API gateway refuses", HOST_HINT) from None
    except RouteMissing as error:
        raise CheckFailed(f"{error}; {exam.url.netloc} does not publish CodeArts Build", HOST_HINT) from None
    except (InvalidAnswer, Refused) as error:
        raise CheckFailed(str(error), HOST_HINT) from None
    return f"{exam.url.netloc} answers, even without a credential"


def clock(exam: Diagnosis) -> str:
    """Compare this machine's clock with the `Date` of the answer."""
    if exam.clock.ahead is None:
        raise CheckSkipped("the answer has no Date")
    if exam.clock.is_off:
        raise CheckFailed(
            f"this machine's clock is {exam.clock.difference()} the service's",
            "Set this machine's clock (NTP): a signature holds for 15 minutes, and --max-age goes by the clock.",
            ends=False,
        )
    return f"this machine's clock is {exam.clock.difference()} the service's"


def _way(exam: Diagnosis) -> str:
    """Name the proxy, without the password that may stand in its URL."""
    if exam.proxy is None:
        return ""
    port = f":{exam.proxy.port}" if exam.proxy.port else ""
    return f", through the proxy {exam.proxy.hostname}{port} (HTTPS_PROXY)"
