"""Parts of GitHub-flavoured Markdown, in which remote text is shown as it is."""

import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote

from gate.text import link, one_line

# ASCII punctuation with a function inside a line (`_` only at the edge of a word), and the dot of `www.`.
_ACTIVE = re.compile(r"[!-'*+:-@\[-^`{-~]|(?<![^\W_])_|_(?![^\W_])|(?<=[wW])\.")


def escape(text: str | None, *, limit: int = 300) -> str:
    """Return `text` as a part of a line, or of a table, that Markdown shows as it is; `—` for none.

    Not for the start of a line, where `-` and `1.` would begin a list.

    Active characters become character references, which have no function in Markdown. GitHub looks for `@name` and
    `#1` later, in the finished page; a zero-width space after `@` and `#` prevents that.
    """
    line = one_line(text or "", limit=limit)
    return _ACTIVE.sub(_reference, line) or "—"


def linked(text: str, url: str | None) -> str:
    """Return escaped `text` as a link to `url`; without the link if `url` is none that can be shown."""
    address = link(url)
    if address is None:
        return text
    # Percent-encoded: all that could end the address or the cell of a table. `&` would start a character reference.
    target = quote(address, safe=":/?#[]@!$&'+,;=%~").replace("&", "&amp;")
    return f"[{text}](<{target}>)"


def _reference(match: re.Match[str]) -> str:
    """Return the character reference for a matched character."""
    return f"&#{ord(match[0])};" + ("&#8203;" if match[0] in "@#" else "")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def fence(text: str, *, language: str = "text") -> str:
    """Return `text` as a code block whose fence is longer than every run of backticks in it."""
    runs = re.findall("`{3,}", text)
    marks = "`" * (max(map(len, runs), default=2) + 1)
    return f"{marks}{language}\n{text}\n{marks}"


def marked_log(lines: Sequence[str], is_marked: Callable[[str], bool]) -> str:
    """Return lines of a log as a code block in which some are coloured: those that a diff has removed."""
    return fence("\n".join(("- " if is_marked(line) else "  ") + line for line in lines), language="diff")


def folded(title: str, text: str) -> str:
    """Return Markdown that can be unfolded; empty if there is none."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>" if text else ""
