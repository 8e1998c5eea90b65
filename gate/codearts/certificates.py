"""Which CA certificates the certificates of servers are checked against."""

import os
from pathlib import Path

from gate.settings import Connection


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
