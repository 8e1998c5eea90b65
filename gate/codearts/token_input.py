"""A token as it is given: in a variable, in a file, or through a pipe such as `--token-file <(vault read ...)`."""

from pathlib import Path

from gate import files
from gate.errors import UsageProblem
from gate.limits import MAX_TOKEN_BYTES, TOKEN_SECONDS


def read_token(file: Path) -> str:
    """Read a token file; raises `UsageProblem` when it cannot be read in time or holds no single token."""
    source = f"--token-file {file}"
    try:
        text = _read(file).decode()
    except TimeoutError:
        raise UsageProblem(
            f"{source} gave no whole token within {TOKEN_SECONDS:g} s",
            hint="Where a command writes it and takes longer, let it write to an ordinary file first.",
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageProblem(f"{source} cannot be read: {reason}") from None
    return checked(text, source)


def checked(text: str, source: str) -> str:
    """Return the one token in `text`; otherwise raise `UsageProblem`, which names the source and never the text."""
    token = text.strip()
    if not is_header_text(token) or len(token) > MAX_TOKEN_BYTES:
        raise UsageProblem(f"{source} must hold one token and nothing else")
    return token


def is_header_text(text: str) -> bool:
    """Whether a credential can travel in a header: one word of printable ASCII."""
    return text.isascii() and text.isprintable() and bool(text) and " " not in text


def _read(file: Path) -> bytes:
    if not file.is_file():
        return files.read_pipe(file, 2 * MAX_TOKEN_BYTES, TOKEN_SECONDS)
    with file.open("rb") as stream:
        return stream.read(2 * MAX_TOKEN_BYTES)
