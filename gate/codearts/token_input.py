"""Read a token from a variable, from a file, or from a pipe such as `--token-file <(vault read ...)`."""

import codecs
from pathlib import Path

from gate import files, mistakes
from gate.errors import UsageProblem
from gate.limits import MAX_TOKEN_BYTES, TOKEN_SECONDS
from gate.mistakes import Kind
from gate.text import trimmed


def read_token(file: Path, source: str) -> str:
    """Read a token file, which messages call `source`.

    Raises `UsageProblem` when it cannot be read in time or does not hold exactly one token.
    """
    try:
        text = _decode(_read(file))
    except TimeoutError:
        raise UsageProblem(
            f"{source}: the token was not complete within {TOKEN_SECONDS:g} s",
            hint="If a slow command provides it, let that command write to an ordinary file first.",
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageProblem(f"{source} cannot be read: {reason}") from None
    return checked(text, source)


def checked(text: str, source: str) -> str:
    """Return the token in `text`. Raises `UsageProblem`, which names the source and never quotes the text."""
    token = trimmed(text)
    fault, remedy = mistakes.of(token, Kind.TOKEN)
    if fault or not is_header_text(token) or len(token) > MAX_TOKEN_BYTES:
        what = f": it {fault}" if fault else ""
        raise UsageProblem(f"{source} must contain one token and nothing else{what}", hint=mistakes.sentence(remedy))
    return token


def is_header_text(text: str) -> bool:
    """Return whether a credential can be sent in a header: printable ASCII without spaces."""
    return text.isascii() and text.isprintable() and bool(text) and " " not in text


def _decode(data: bytes) -> str:
    """Return the text of a token file; PowerShell writes UTF-16 with a byte order mark."""
    is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_utf_16 else "utf-8")


def _read(file: Path) -> bytes:
    if not file.is_file():
        return files.read_pipe(file, 2 * MAX_TOKEN_BYTES, TOKEN_SECONDS)
    with file.open("rb") as stream:
        return stream.read(2 * MAX_TOKEN_BYTES)
