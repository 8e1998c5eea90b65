"""Remote text made safe to show: it cannot control a terminal, break an XML file or reverse the direction of a line.

Also the sizes of what is shown: the end of one log, and the shares of several.
"""

import re
from collections.abc import Sequence

CUT = "[earlier lines left out]\n"
"""What a shortened log starts with."""

LONGEST_LINK = 1000
"""Characters of a link; a template and the identifiers in it stay far below that."""

# ECMA-48: a control sequence; a control string (OSC, DCS, SOS, PM, APC), which ends at the latest with its line, so
# that an unfinished one hides no more than that; any other escape sequence. The first two also in their C1 forms of one
# byte. The four patterns are not compiled here: `re` does that at their first use, which is after the first request.
_ESCAPES = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n\r]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_LINE_ENDS = r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]"
_SURROGATES = r"[\ud800-\udfff]"
# Characters that XML 1.0 does not allow (its section 2.2), DEL and the C1 controls, and the bidirectional controls.
_UNSAFE = (
    r"[^\t\n -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    r"|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
INVISIBLE = (
    r"[^\t -~\xa0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    r"(?:(?<=\x1b)(?:\[[0-?]*[ -/]*[@-~]?|[]PX^_][^\x07\x1b\x9c\n\r]*(?:\x07|\x1b\\|\x9c)?|[ -/]*[0-~]?)"
    r"|(?<=\x9b)[0-?]*[ -/]*[@-~]?|(?<=[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n\r]*(?:\x07|\x1b\\|\x9c)?)?"
)
"""A pattern of what is not visible: what `clean` removes, and line ends. It starts with one set of characters, as only
such a pattern is searched for quickly."""


def trimmed(text: str) -> str:
    """Return a text without white space around it; a byte order mark, as PowerShell writes it, counts as such."""
    return text.strip().strip("\ufeff").strip()


def clean(text: str) -> str:
    r"""Return `text` without escape sequences, control characters and bidi controls; it can always be encoded as UTF-8.

    Every kind of line end becomes `\n`, tabs stay, and a lone surrogate becomes U+FFFD.
    """
    if text.isascii() and text.isprintable():  # true of most texts; saves four searches
        return text
    text = re.sub(_LINE_ENDS, "\n", re.sub(_ESCAPES, "", text))
    return re.sub(_UNSAFE, "", re.sub(_SURROGATES, "\ufffd", text))


def one_line(text: str, *, limit: int = 300) -> str:
    """Return `text` cleaned, on one line with single spaces; over `limit` characters, it ends with an ellipsis."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 failure` or `2 failures`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def word(text: str) -> str:
    r"""Return a word of the service for people to read; one with invisible characters, such as `SUCCESS\0`, is escaped.

    Cleaned instead, it would look like another word, which may have a meaning.
    """
    return one_line(text if text.isprintable() and one_line(text, limit=len(text)) == text else ascii(text), limit=60)


def link(url: str | None) -> str | None:
    """Return `url` if it can be shown as a link: http or https, no invisible character, not too long; else `None`."""
    if not url or len(url) > LONGEST_LINK or not url.isprintable():
        return None
    return url if re.fullmatch(r"(?i:https?)://[^\s/]\S*", url) else None


def tail(lines: Sequence[str], limit: int) -> str:
    """Return the cleaned lines as one text without a newline at its end, cut at the front to `limit` bytes of UTF-8.

    Blank lines at the end are left out. A shortened text starts with `CUT` and, where possible, with a whole line; a
    limit too small for that gives an empty text. Only as many lines are read as fit, since a log can be long.
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
    rest = limit - len(CUT)
    if rest <= 0:
        return ""
    end = data[-rest:].decode(errors="ignore")
    return CUT + (end.partition("\n")[2] or end)


def tails(logs: Sequence[Sequence[str]], limit: int, *, each: int) -> list[str]:
    """Return the end of every log, at most `limit` bytes of UTF-8 for all of them and `each` for one.

    The limit is shared out by the sizes that the logs have before they are cleaned, so that no more than what is shown
    has to be cleaned. What a short log does not need goes to the longer ones.
    """
    shares = share_out([_size_up_to(each, lines) for lines in logs], limit)
    return [tail(lines, share) for lines, share in zip(logs, shares, strict=True)]


def _size_up_to(limit: int, lines: Sequence[str]) -> int:
    """Return the bytes of lines with their ends, or `limit` if they are more: a long log is not read whole for that."""
    size = 0
    for line in lines:
        size += len(line.encode(errors="surrogatepass")) + 1
        if size >= limit:
            return limit
    return size


def share_out(sizes: Sequence[int], limit: int) -> list[int]:
    """Return how much of `limit` each of `sizes` gets: all of it if it is small, else the same as every large one.

    The shares add up to at most `limit`, and none is above its size.
    """
    shares = [0] * len(sizes)
    left = max(limit, 0)
    for done, index in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        shares[index] = min(sizes[index], left // (len(sizes) - done))
        left -= shares[index]
    return shares


# What compilers, build tools and test runners call a line that tells why; "0 errors" and "error: 0" are no such line.
_TELLING = r"(?i)\b(?:errors|failures?|failed|fatal|cannot|undefined|panic|traceback)\b|(?:error|exception)\b"
_HARMLESS = r"(?i)\b(?:no|0|without) (?:\w+ )?(?:errors?|failures?|failed)\b|\b(?:errors?|failures?|failed): ?0\b"
STAMP = r"\[\d{4}[-/]\d\d[-/]\d\d [^]\n]{8,30}\] "
"""A pattern of what the service puts before each line of a log, such as `[2024/09/24 11:18:49.123 GMT+08:00] `."""


def without_stamp(line: str) -> str:
    """Return a line of a log without the time that the service puts before it."""
    return re.sub(f"^{STAMP}", "", line)


def is_telling(line: str) -> bool:
    """Tell whether a line of a build's log looks like one that says why the build failed."""
    return bool(re.search(_TELLING, re.sub(_HARMLESS, "", line)))


def telling_lines(lines: Sequence[str], count: int) -> list[str]:
    """Return at most `count` lines of a failed build's log that say why: the first that look so, else the last ones."""
    texts = [line for line in (without_stamp(one_line(text)) for text in lines) if line]
    return [line for line in texts if is_telling(line)][:count] or texts[-count:]
