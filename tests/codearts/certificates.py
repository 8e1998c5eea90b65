"""Certificates of every kind that a client may refuse, made for a test."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Authority:
    """A certificate authority whose certificate may lack what strict checks require."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def write_to(self, folder: Path) -> Path:
        """Write the authority's certificate to a file, and return its path."""
        path = folder / "ca.pem"
        path.write_bytes(self.certificate.public_bytes(PEM))
        return path


def name_of(common_name: str) -> x509.Name:
    """Return a subject's name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@cache
def key_of(_owner: str) -> ec.EllipticCurvePrivateKey:
    """Return a key, the same for the same owner."""
    return ec.generate_private_key(ec.SECP256R1())


def authority(
    common_name: str = "Example Root CA", *, key_usage: bool = True, key_identifier: bool = True
) -> Authority:
    """Make an authority, with or without the extensions `keyUsage` and `subjectKeyIdentifier`."""
    key, now = key_of(common_name), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name_of(common_name))
        .issuer_name(name_of(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1000))
        .not_valid_after(now + timedelta(days=1000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if key_usage:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    if key_identifier:
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    return Authority(key, builder.sign(key, hashes.SHA256()))


def server_with(
    issuer: Authority,
    folder: Path,
    *names: str,
    begins: timedelta = timedelta(days=-10),
    ends: timedelta = timedelta(days=10),
    key_identifier: bool = True,
) -> ssl.SSLContext:
    """Return the TLS settings of a server whose certificate is for these names; the times count from now.

    `server.pem` in `folder` has the certificate. `key_identifier`: whether it names the key of its authority.
    """
    key, now = key_of("server"), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name_of("server"))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([alternative(name) for name in names]), critical=False)
    )
    if key_identifier:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    certificate = builder.sign(issuer.key, hashes.SHA256())
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(certificate.public_bytes(PEM))
    (folder / "server-with-key.pem").write_bytes(private + certificate.public_bytes(PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server-with-key.pem")
    return context


def alternative(name: str) -> x509.GeneralName:
    """Return a name of a certificate: a host's name or an address."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
