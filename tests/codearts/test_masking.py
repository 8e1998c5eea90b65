"""Secrets are masked in every form in which a service may echo them."""

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from gate.codearts.masking import mask, start_of_unfinished
from gate.text import INVISIBLE, clean, one_line
from tests.tables import each_row

SECRET = 'MIID+to/ken="of\\ all wörds'


@each_row("splitter", ["\x00", "\x07", "\x7f", "\x1b[0m", "\x1b]0;x\x07", "\u202a", "\u200f"])
def test_secret_that_cleaning_would_put_together_is_masked(splitter: str) -> None:
    """A colour sequence within a token is removed when the text is cleaned, and the token would then be readable."""
    text = f"token {SECRET[:9]}{splitter}{SECRET[9:]} refused"
    assert one_line(mask(text, (SECRET,))) == "token *** refused"


@each_row(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps({"password": SECRET}))[18:-4],
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower().replace("miid", "MIID"),
        quote_plus(SECRET),
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
        json.dumps(SECRET)[1:-1].replace("/", r"\/"),
        json.dumps(SECRET, ensure_ascii=False)[1:-1].replace("=", r"\u003d"),  # Gson
        json.dumps({"body": json.dumps(SECRET).replace("=", r"\u003d")})[12:-4],
        html.escape(SECRET).replace("&quot;", "&#34;"),  # Go
        html.escape(SECRET).replace("/", "&#x2F;").replace("=", "&#x3D;"),  # Mustache
    ],
)
def test_secret_is_masked_in_every_form(form: str) -> None:
    """A service that quotes the request quotes it as it was sent."""
    assert mask(f"cannot read <{form}>", (SECRET,)) == "cannot read <***>"


@each_row("form", ["p!*'()~%20%26", "p%21*%27%28%29%7E+%26", r"p!*'()~ \u0026", "p!*&#39;()~ &amp;"])
def test_password_is_masked_as_other_languages_write_it(form: str) -> None:
    """JavaScript and Java in addresses, Go in JSON, and templates."""
    password = "p!*'()~ &"
    assert mask(f"<{form}>", (password,)) == "<***>"


@each_row("before", [b"", b"a", b"ab", b"user:"])
@each_row("after", [b"", b"\n", b"xyz"])
@each_row("encode", [b64encode, urlsafe_b64encode])
def test_secret_in_base64_is_masked(before: bytes, after: bytes, encode: Callable[[bytes], bytes]) -> None:
    """Alone or within a longer text, in lines of any length; at most the byte at each end of it is left."""
    secret = "MIIDtoken~that?nobody>may-see"
    encoded = encode(before + secret.encode() + after).decode()
    lines = [encoded[start : start + 9] for start in range(0, len(encoded), 9)]
    stamp = "[2024/09/24 11:18:49.123 GMT+08:00] "
    for text in (encoded, "\n".join(lines), f"\n{stamp}".join(lines)):
        left = mask(f"<{text}>", (secret,)).replace(f"\n{stamp}", "").replace("\n", "")
        assert "***" in left
        assert len(left) <= len("<***>") + len(encode(before)) + len(encode(after)) + 4


@given(st.text(alphabet="abc\n\r", max_size=30), st.integers(1, 12))
def test_start_of_a_secret_at_the_end_of_a_text_is_found(text: str, count: int) -> None:
    """The earliest place from which on everything visible is the start of a secret."""
    secret = "abcabcabcabd"
    found = start_of_unfinished(text + secret[:count], (secret,))
    assert found <= len(text) or count == len(secret)
    assert start_of_unfinished("xyz " + secret[:count], (secret,), least=count + 1) == 4 + count
    assert secret.startswith("".join(re.findall("[abc]", re.sub(INVISIBLE, "", (text + secret[:count])[found:]))))


@each_row("secret", ["pass\tword", "pass\nword", "pass\x07word", "\n\t\x1b"])
def test_secret_that_is_not_all_visible_is_masked(secret: str) -> None:
    """A password is taken as it is."""
    assert mask(f"refused: {secret}", (secret,)) == "refused: ***"


def test_secret_in_two_lines_of_a_coloured_log_is_masked() -> None:
    """The service puts the time before each line."""
    text = "\x1b[31mMIIDto\n[2024/09/24 11:18:49.123 GMT+08:00] ken\x1b[0m"
    assert mask(text, ("MIIDtoken",)) == "\x1b[31m***\x1b[0m"


def test_secret_inside_of_another_leaves_no_rest() -> None:
    """The longest secret is masked first."""
    assert mask("zzABCDyy", ("ABCD", "zzABCDyy")) == "***"


def test_signature_of_a_request_is_masked() -> None:
    """It is valid for 15 minutes."""
    text = f"bad: SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature={'0f' * 32}"
    assert mask(text, ("AK",)) == "bad: SDK-HMAC-SHA256 Access=***, SignedHeaders=host;x-sdk-date, Signature=***"


@each_row("text", ["SUCCESS\x00", "a\x1b[31mb", "", "SUCCESS "])
def test_text_without_a_secret_stays_as_it_is(text: str) -> None:
    """A word that is nearly SUCCESS must not become it."""
    assert mask(text, (SECRET, "")) == text


@given(st.text(), st.text(alphabet="abc\x00\x1b[0m\n", min_size=4), st.text())
def test_no_secret_survives_in_any_text(before: str, text: str, after: str) -> None:
    """Neither as it is nor when it is cleaned."""
    secret = "abca"
    shown = mask(before + text + after, (secret,))
    assert secret not in shown
    assert secret not in clean(shown)
