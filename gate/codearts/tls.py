"""Certificates of servers: which CAs they are checked against, and what to say of one that was refused."""

import os
import ssl
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gate.errors import Untrusted
from gate.settings import Connection
from gate.text import one_line
from gate.value_types import dataclass

# The numbers are OpenSSL's (X509_V_ERR_... in x509_vfy.h); Python has no names for them.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_CA = (2, 18, 19, 20, 21)
_WRONG_NAME = (62, 64)
_STRICT = range(80, 95)
"""What OpenSSL finds wrong only where it is told to be strict (RFC 5280), as Python does from 3.13 on."""

_IGNORE_TIMES = 0x200000
"""OpenSSL's flag X509_V_FLAG_NO_CHECK_TIME, for which Python has no name."""

_MISSING = {
    85: "it has no authority key identifier",
    86: "the certificate of its CA has no subject key identifier",
    92: "the certificate of its CA has no keyUsage",
}

SHOWN_NAMES = 5


def ca_certificates(connection: Connection) -> str | None:
    """Return the file or folder with the CA certificates; `None` for those that requests brings along (certifi).

    `--ca-bundle` comes first, then the variables of requests, then those of OpenSSL, which are ignored like there when
    what they name does not exist.
    """
    if connection.ca_bundle:
        return str(connection.ca_bundle)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(name, "").strip():
            return path
    file = os.environ.get("SSL_CERT_FILE", "").strip()
    if file and Path(file).is_file():
        return file
    folders = os.environ.get("SSL_CERT_DIR", "").split(os.pathsep)
    return next((folder for folder in map(str.strip, folders) if folder and Path(folder).is_dir()), None)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server's certificate says of itself, for people; nothing of it is trusted."""

    names: tuple[str, ...]
    """The hosts that it is for."""
    issuer: str
    begins: datetime
    ends: datetime


class UnverifiedCertificate(ssl.SSLCertVerificationError):
    """Raised when a server's certificate was refused; `certificate` is what it says, as far as that could be read."""

    def __init__(self, refused: ssl.SSLCertVerificationError, certificate: Certificate | None) -> None:
        """Take over what was found wrong."""
        super().__init__(*refused.args)
        self.verify_code = refused.verify_code
        self.verify_message = refused.verify_message
        self.certificate = certificate


def read_certificate(connect: Callable[[ssl.SSLContext], Any]) -> Certificate | None:
    """Return what the certificate of a server says; `None` if it cannot be read.

    `connect` establishes a connection by a TLS context. It is called twice: first without any check, and then with the
    certificate itself as the trusted one, as Python decodes no other. No request is sent on these connections.
    """
    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname = False
    anything.verify_mode = ssl.CERT_NONE
    only_this = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    only_this.check_hostname = False
    only_this.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _IGNORE_TIMES)
    try:
        with connect(anything) as first:
            only_this.load_verify_locations(cadata=first.getpeercert(binary_form=True) or b"")
        with connect(only_this) as second:
            return _certificate_of(second.getpeercert() or {})
    except (OSError, ValueError, KeyError):  # errors of TLS are `OSError`s
        return None


def _certificate_of(decoded: Mapping[str, Any]) -> Certificate:
    """Return a certificate as Python decodes it. Raises `KeyError` or `ValueError` for one without its dates."""
    issuer = {name: value for part in decoded.get("issuer", ()) for name, value in part}
    begins, ends = (ssl.cert_time_to_seconds(decoded[name]) for name in ("notBefore", "notAfter"))
    return Certificate(
        names=tuple(value for kind, value in decoded.get("subjectAltName", ()) if kind in ("DNS", "IP Address")),
        issuer=issuer.get("commonName") or issuer.get("organizationName") or "",
        begins=datetime.fromtimestamp(begins, UTC),
        ends=datetime.fromtimestamp(ends, UTC),
    )


def refusal(error: ssl.SSLCertVerificationError, owner: str, bundle: str | None, now: datetime) -> Untrusted:
    """Return the error for a certificate that was refused, with advice for just this case.

    `owner` names whose certificate it is, `bundle` the file or folder of CAs if one was set; `now` is the time by this
    machine's clock.
    """
    certificate = error.certificate if isinstance(error, UnverifiedCertificate) else None
    whose = f"the TLS certificate of {owner}"
    match error.verify_code:
        case code if code in (_NOT_YET_VALID, _EXPIRED):
            return Untrusted(_about_times(whose, code, certificate, now), hint=CLOCK_HINT)
        case code if code in _WRONG_NAME:
            return Untrusted(f"{whose} {_names(certificate)}", hint=NAME_HINT)
        case code if code in _STRICT:
            version = ".".join(map(str, sys.version_info[:2]))
            found = _MISSING.get(code, error.verify_message)
            return Untrusted(f"{whose} is refused by the strict checks of Python {version}: {found}", hint=STRICT_HINT)
        case code if code in _UNKNOWN_CA:
            issuer = one_line(certificate.issuer) if certificate else ""
            found = f"it was issued by {issuer}, which" if issuer else "its CA"
            found += f" is not among the CAs in {bundle or 'the bundle of certifi'}"
            hint = f"Add the certificate of this CA to {bundle}, or give --ca-bundle a file that has it."
            reason = f"{found} ({error.verify_message})"
            return Untrusted(f"{whose} is not trusted: {reason}", hint=hint if bundle else "")
        case _:
            return Untrusted(f"{whose} is not trusted: {error.verify_message}", hint=OTHER_HINT)


def _names(certificate: Certificate | None) -> str:
    """Say for which hosts a certificate is."""
    if certificate is None:
        return "is for another host"
    if not certificate.names:
        return "is for no host: it has no subjectAltName"
    more = ", ..." if len(certificate.names) > SHOWN_NAMES else ""
    return f"is for another host: {one_line(', '.join(certificate.names[:SHOWN_NAMES]))}{more}"


def _about_times(whose: str, code: int, certificate: Certificate | None, now: datetime) -> str:
    """Say which time of a certificate does not agree with the clock of this machine."""
    clock = f"this machine's clock says {now:%Y-%m-%d %H:%M:%S} UTC"
    if certificate is None or certificate.begins <= now <= certificate.ends:
        found = "has expired" if code == _EXPIRED else "is not yet valid"
        return f"{whose}, or that of a CA behind it, {found}: {clock}"
    if code == _EXPIRED:
        return f"{whose} expired at {certificate.ends:%Y-%m-%d %H:%M:%S} UTC: {clock}"
    return f"{whose} is not valid before {certificate.begins:%Y-%m-%d %H:%M:%S} UTC: {clock}"


CLOCK_HINT = (
    "If this machine's clock is wrong, correct it (NTP). Otherwise, the certificate has to be renewed by who runs that "
    "host."
)

NAME_HINT = (
    "Check --endpoint (--iam-endpoint, --region): a host must be given by a name that its certificate has. If the name "
    "is right, a proxy or the DNS leads to another server."
)

STRICT_HINT = (
    "Let the CA issue the certificate anew, in accordance with RFC 5280. Until then, with verification still on: use "
    "Python 3.12, which accepts it, or give --ca-bundle a file with the server's own certificate in place of the CA's."
)

OTHER_HINT = "Ask who runs that host for a certificate that TLS clients accept."
