"""Mask secrets in text from the service, in every form in which the service or a build may echo them."""

import itertools
import json
import re
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from urllib.parse import quote, quote_plus

from gate.text import INVISIBLE, STAMP

MASK = "***"

SHORTEST_BASE64 = 8
"""Characters of the shortest base64 form that is masked: shorter ones stand in any text."""

_SIGNATURE = re.compile(r"(Signature=)[0-9a-f]{64}")
"""The signature of a request in its `Authorization` header; it is valid for 15 minutes."""

_INTERRUPTION = rf"{INVISIBLE}(?:(?<=\n){STAMP})?"
"""What may interrupt a secret: the service puts the time before each line, also of a token that a build has folded."""

_START = 12
"""Characters of a form that are looked for first."""

_SIGHT = 1024
"""Characters besides the longest secret that are searched for the start of one: what may interrupt it."""


class Masker:
    """Masks the secrets of a credential, which may be renewed. It has no state of its own."""

    def __init__(self, secrets: Callable[[], tuple[str, ...]]) -> None:
        """`secrets` returns the strings that must never be shown."""
        self._secrets = secrets

    def hide(self, text: str) -> str:
        """Return `text` with the secrets masked."""
        return mask(text, self._secrets())

    def longest(self) -> int:
        """Return the length of the longest text that is masked."""
        return max(map(len, _forms(self._secrets())), default=0)

    def unfinished(self, text: str, least: int = 1) -> int:
        """Return where a secret may start that goes on behind the end of `text`, else the length of `text`.

        `least`: how many of its characters have to be there.
        """
        return start_of_unfinished(text, self._secrets(), least)


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """Return `text` with the secrets masked: plain, in base64, escaped in JSON, HTML or XML, or percent-encoded.

    A secret is also found if invisible characters interrupt it: line ends, escape sequences, control characters. They
    may be removed later, for example where a carriage return moves a terminal's cursor. So are line ends with the time
    that the service puts before the next line.
    """
    if "Signature=" in text:
        text = _SIGNATURE.sub(rf"\1{MASK}", text)
    joined = re.sub(rf"\n{STAMP}", "", text) if "\n[" in text else text
    visible = joined.replace("\n", "").replace("\r", "")
    if not visible.replace("\t", "").isprintable():
        visible = re.sub(_INTERRUPTION, "", text)
    if not any(start in visible for start in _starts(secrets)):
        return text  # true of nearly all texts, and quickly found out
    forms = _forms(secrets)
    for form in forms:
        text = text.replace(form, MASK)
    return text if text.isprintable() else _mask_interrupted(text, forms)


def start_of_unfinished(text: str, secrets: tuple[str, ...], least: int = 1) -> int:
    """Return where a secret may start that goes on behind the end of `text`; see `Masker.unfinished`."""
    forms = _forms(secrets)
    if not forms:
        return len(text)
    start = max(len(text) - 2 * len(forms[0]) - _SIGHT, 0)
    visible, place = _visible(text[start:])
    first = len(visible)
    for form in forms:
        begin = form[: max(least, 1)]
        position = visible.find(begin, max(len(visible) - len(form) + 1, 0))
        while 0 <= position < first:
            if form.startswith(visible[position : position + 16]) and form.startswith(visible[position:]):
                first = position
            position = visible.find(begin, position + 1)
    return start + place(first) if first < len(visible) else len(text)


def _mask_interrupted(text: str, forms: Sequence[str]) -> str:
    """Mask the secrets that invisible characters interrupt."""
    visible, place = _visible(text)
    spans = sorted(span for form in forms for span in _spans(visible, form))
    masked, done = [], 0
    for start, end in spans:
        if place(end - 1) < done:  # within the one before it
            continue
        masked += [text[done : max(place(start), done)], MASK]
        done = place(end - 1) + 1
    return "".join(masked) + text[done:] if spans else text


def _spans(text: str, form: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each occurrence of `form`."""
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + len(form))


def _visible(text: str) -> tuple[str, Callable[[int], int]]:
    """Return `text` without invisible characters, and the function that returns the place in `text` of an index."""
    parts: list[str] = []
    lengths, places = [0], [0]
    done = 0
    for found in re.finditer(_INTERRUPTION, text):
        parts.append(text[done : found.start()])
        done = found.end()
        if parts[-1]:
            lengths.append(lengths[-1] + len(parts[-1]))
            places.append(done)
        else:
            places[-1] = done
    parts.append(text[done:])

    def place(index: int) -> int:
        part = bisect_right(lengths, index) - 1
        return places[part] + index - lengths[part]

    return "".join(parts), place


@lru_cache(maxsize=8)  # a list has thousands of texts
def _forms(secrets: tuple[str, ...]) -> Sequence[str]:
    """Return all forms of the secrets, longest first: what `mask` finds. Escapes of JSON may stand in other ones."""
    forms: set[str] = set()
    for secret in filter(None, secrets):
        escaped = set(_json_forms(secret))
        twice = {json.dumps(form)[1:-1] for form in escaped}
        encoded = set(_percent_forms(secret))
        lower = {re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in encoded}
        forms |= {secret, *escaped, *twice, *encoded, *lower, *_markup_forms(secret), *_base64_forms(secret)}
    return sorted(forms, key=lambda form: (-len(form), form))


def _json_forms(secret: str) -> Iterator[str]:
    """Yield the secret as JSON has it; some libraries escape more than they have to: PHP's, Go's, Gson."""
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text
        yield text.replace("/", r"\/")
        for characters in ("<>&", "<>&='"):
            yield text.translate({ord(one): rf"\u{ord(one):04x}" for one in characters})


def _percent_forms(secret: str) -> Iterator[str]:
    """Yield the secret as it stands in URLs and forms: by Python's functions, JavaScript's and Java's."""
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (quote(secret, safe="!*'()"), quote_plus(secret, safe="*").replace("~", "%7E"))


def _markup_forms(secret: str) -> Iterator[str]:
    """Yield the secret as HTML and XML have it: quotes may be escaped, and some templates escape more."""
    yield (text := secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    for quotation, apostrophe in itertools.product(("&quot;", "&#34;"), ("'", "&#39;", "&#x27;", "&apos;")):
        yield (form := text.replace('"', quotation).replace("'", apostrophe))
        yield form.replace("/", "&#x2F;").replace("=", "&#x3D;").replace("`", "&#x60;")


@lru_cache(maxsize=8)
def _starts(secrets: tuple[str, ...]) -> Sequence[str]:
    """Return the different starts of what is visible of all forms: most forms of a secret start alike."""
    # To compile the pattern takes longer than all else here; most forms are visible as they are.
    visible = (form if form.isprintable() else re.sub(INVISIBLE, "", form) for form in _forms(secrets))
    return sorted({form[:_START] for form in visible})


def _base64_forms(secret: str) -> Iterator[str]:
    """Yield the secret in base64, with both alphabets, as it stands alone and within a longer text.

    Within a longer text there are three forms, by the number of bytes before it; characters that also depend on the
    bytes around the secret are left out.
    """
    data = secret.encode(errors="surrogatepass")
    for before in range(3):
        encoded = b64encode(bytes(before) + data).decode()
        inner = encoded[(0, 2, 3)[before] : (before + len(data)) * 8 // 6]
        for form in (inner, encoded) if before == 0 else (inner,):
            if len(form) >= SHORTEST_BASE64:
                yield form
                yield form.replace("+", "-").replace("/", "_")
