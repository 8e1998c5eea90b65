"""Remote text made safe: nothing in it can steer a terminal, break an XML file or turn a line around."""

import re
from collections.abc import Sequence

CUT = "[earlier lines left out]\n"

# ECMA-48: a control sequence; a control string (OSC, DCS, SOS, PM, APC), which ends with its line when nobody ends it,
# so that an unfinished one hides no more than that; any other escape. The first two also in their one-byte C1 forms.
# All four stay uncompiled here: `re` compiles and keeps them at their first use, which is after the first request.
_ESCAPES = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n\r]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_LINE_ENDS = r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]"
_SURROGATES = r"[\ud800-\udfff]"
# What is no Char of XML 1.0 (section 2.2), the terminal's DEL and C1, and all that turns the direction of a text.
_UNSAFE = (
    r"[^\t\n -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    r"|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def clean(text: str) -> str:
    r"""Return `text` without escape sequences, control characters and bidi controls; it can always be encoded as UTF-8.

    Every kind of line end becomes `\n`, tabs stay, and a lone surrogate becomes U+FFFD.
    """
    if text.isascii() and text.isprintable():  # most are, and there are many
        return text
    text = re.sub(_LINE_ENDS, "\n", re.sub(_ESCAPES, "", text))
    return re.sub(_UNSAFE, "", re.sub(_SURROGATES, "\ufffd", text))


def one_line(text: str, *, limit: int = 300) -> str:
    """Return `text` cleaned, with single spaces for white space, and with an ellipsis when over `limit` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def word(text: str) -> str:
    r"""Return a word of the service as it can be shown: escaped, if it is more than it looks like, such as `SUCCESS\0`.

    Cleaned, it would read as another word, and that one may mean something.
    """
    return one_line(text if text.isprintable() and one_line(text, limit=len(text)) == text else ascii(text), limit=60)


def tail(lines: Sequence[str], limit: int) -> str:
    """Return the cleaned lines as one text that ends without a newline, cut at the front to `limit` bytes of UTF-8.

    A cut text starts with `CUT`, and where it can, with a whole line. Too small a limit gives an empty text.
    No more lines are looked at than are given, as a log can be long.
    """
    if limit <= 0:
        return ""
    kept: list[str] = []
    size = -1
    for line in reversed(lines):
        text = clean(line).strip("\n")
        if kept or text:
            kept.append(text)
            size += len(text.encode()) + 1
        if size > limit:
            break
    data = "\n".join(reversed(kept)).encode()
    if len(data) <= limit:
        return data.decode()
    room = limit - len(CUT)
    if room <= 0:
        return ""
    end = data[-room:].decode(errors="ignore")
    return CUT + (end.partition("\n")[2] or end)
