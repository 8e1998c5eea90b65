"""Mask secrets in text from the service, in every form in which the service may echo them."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

from gate.text import clean

MASK = "***"

_SIGNATURE = re.compile(r"(Signature=)[0-9a-f]{64}")
"""The signature of a request in its `Authorization` header; it is valid for 15 minutes."""


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """Return `text` with the secrets masked: in plain form, escaped in JSON, or percent-encoded.

    A secret that is interrupted by a control sequence would become complete when the text is cleaned later, so such a
    text is cleaned here.
    """
    forms = _forms(secrets)
    if not text.isprintable():
        cleaned = clean(text)
        if any(form in cleaned for form in forms):
            text = cleaned
    for form in forms:
        text = text.replace(form, MASK)
    return _SIGNATURE.sub(rf"\1{MASK}", text)


def longest_form(secrets: tuple[str, ...]) -> int:
    """Return the length of the longest text that `mask` replaces."""
    return max(map(len, _forms(secrets)), default=0)


@lru_cache(maxsize=8)  # a list has thousands of texts
def _forms(secrets: tuple[str, ...]) -> Sequence[str]:
    """Return all forms of the secrets, longest first: plain, percent-encoded, escaped in JSON once or twice."""
    forms: set[str] = set()
    for secret in filter(None, secrets):
        escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        twice = {json.dumps(form)[1:-1] for form in escaped}
        forms |= {secret, quote(secret), quote(secret, safe=""), *escaped, *twice}
    return sorted(forms, key=len, reverse=True)
