"""Identifiers in the service's forms, the same in every run."""

import hashlib
import uuid


def uuid_of(*parts: object) -> str:
    """Return the 36-character UUID of these parts, as records and stages have."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def hex_of(*parts: object) -> str:
    """Return the 32 digits of these parts, as jobs, projects and users have."""
    return uuid_of(*parts).replace("-", "")


def commit_of(*parts: object) -> str:
    """Return the 40 digits of these parts, as commits have."""
    return hashlib.sha1("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()
