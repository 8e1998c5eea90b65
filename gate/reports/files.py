"""Report files: whole or not at all."""

import os
import stat
import uuid
from contextlib import suppress
from pathlib import Path

from gate import pipes
from gate.errors import ReportFailed


def write(path: Path, content: bytes) -> None:
    """Write `content` to `path`, which at every moment is either the old file or the new one, whole.

    Parent folders are made, the mode is that of an ordinary new file, and a symbolic link stays and points to the new
    content. A device, pipe or FIFO (`/dev/stdout`, `/dev/null`) is written to, not replaced, and waited for shortly.
    Raises `ReportFailed` with the path and the cause.
    """
    try:
        if _is_own_output(path):
            raise ReportFailed(f"The report {path} could not be written: the program's own output goes to that file.")
        if _is_stream(path):
            pipes.send(path, content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except (OSError, ValueError) as error:
        raise ReportFailed(f"The report {path} could not be written: {_cause(error)}.") from error


def _is_own_output(path: Path) -> bool:
    """Tell whether `path` is the regular file that stdout or stderr goes to: replaced, it would lose what it holds."""
    with suppress(OSError):
        status = path.stat()
        return stat.S_ISREG(status.st_mode) and any(os.path.samestat(status, os.fstat(number)) for number in (1, 2))
    return False


def _is_stream(path: Path) -> bool:
    """Tell whether `path` exists and is neither a regular file nor a folder."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _replace(path: Path, content: bytes) -> None:
    """Write a temporary file beside `path`, then rename it over `path`; it is gone in every case."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".gate-{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _cause(error: OSError | ValueError) -> str:
    """Give the cause in words that say what to look at."""
    match error:
        case FileExistsError() | NotADirectoryError():
            return "a part of its path is a file, not a folder"
        case IsADirectoryError():
            return "it is a folder"
        case TimeoutError():
            return str(error)
        case OSError(strerror=str(words)):
            return words[:1].lower() + words[1:]
        case _:
            return str(error)
