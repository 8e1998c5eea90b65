"""Read and write files, pipes and devices, each within a time limit."""

import os
import select
import stat
import time
import uuid
from contextlib import suppress
from pathlib import Path

from gate.errors import ReportFailed

WRITE_SECONDS = 0.5
"""Seconds for the reader of a pipe to take a report, because reports are written in the seconds after the deadline."""

_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # Windows has neither this flag nor such pipes


def read_pipe(path: Path, max_bytes: int, seconds: float) -> bytes:
    """Return the content of the pipe `path` up to its end, or until `max_bytes` bytes or more were read.

    Raises `OSError`, and `TimeoutError` when neither is reached within `seconds`.
    """
    until, data = time.monotonic() + seconds, b""
    descriptor = os.open(path, os.O_RDONLY | _NONBLOCK)
    try:
        while len(data) < max_bytes:
            if not select.select([descriptor], [], [], max(until - time.monotonic(), 0.0))[0]:
                raise TimeoutError("its writer did not finish in time")
            if not (piece := os.read(descriptor, max_bytes)):
                break
            data += piece
    finally:
        os.close(descriptor)
    return data


def append(path: Path, content: bytes, seconds: float = WRITE_SECONDS) -> None:
    """Append `content` to `path`, which is created if it does not exist.

    Raises `OSError`, and `TimeoutError` when the reader of a pipe does not read everything within `seconds`.
    """
    until = time.monotonic() + seconds
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NONBLOCK | getattr(os, "O_NOCTTY", 0), 0o666)
    try:
        while content:
            try:
                content = content[os.write(descriptor, content) :]
            except BlockingIOError:
                if not select.select([], [descriptor], [], max(until - time.monotonic(), 0.0))[1]:
                    raise TimeoutError("its reader did not read everything in time") from None
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically: readers see either the complete old file or the complete new one.

    Parent folders are created, the mode is that of an ordinary new file, and a symbolic link stays and points to the
    new content. A device, pipe or FIFO (`/dev/stdout`, `/dev/null`) is written to within a time limit, not replaced.
    Raises `ReportFailed`, which names the path and the cause.
    """
    try:
        if _is_own_output(path):
            raise ReportFailed(
                f"The report {path} could not be written: stdout or stderr of this program is redirected to that file."
            )
        if _is_stream(path):
            append(path, content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except (OSError, ValueError) as error:
        raise ReportFailed(f"The report {path} could not be written: {_cause(error)}.") from error


def _is_own_output(path: Path) -> bool:
    """Return whether `path` is the regular file of stdout or stderr, whose content a new file would replace."""
    with suppress(OSError):
        status = path.stat()
        return stat.S_ISREG(status.st_mode) and any(os.path.samestat(status, os.fstat(number)) for number in (1, 2))
    return False


def _is_stream(path: Path) -> bool:
    """Return whether `path` exists and is neither a regular file nor a folder."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _replace(path: Path, content: bytes) -> None:
    """Write a temporary file in the same folder, then rename it to `path`; it never stays behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".gate-{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _cause(error: OSError | ValueError) -> str:
    """Return the cause of a failed write, in words for the user."""
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
