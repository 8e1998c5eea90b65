"""Read and write files, pipes and devices, each within a time limit."""

import errno
import os
import select
import stat
import time
import uuid
from contextlib import suppress
from pathlib import Path

from gate.errors import ReportFailed, explain_limit

WRITE_SECONDS = 0.5
"""Seconds for the reader of a pipe to take a report, because reports are written in the seconds after the deadline."""

_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # Windows has neither this flag nor such pipes
_BINARY = getattr(os, "O_BINARY", 0)  # without this flag, Windows would write CRLF for each newline

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that is full, of a quota, and of a limit on the size of files."""

_CANNOT_REPLACE = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EXDEV, errno.EROFS, *_NO_SPACE)
"""Errors of replacing a file that may still be written to: it is a mount point, its folder is read-only, or there is no
space for a second one."""

_CAUSES = {
    errno.EEXIST: "a part of its path is a file, not a folder",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EISDIR: "it is a folder",
    errno.ENXIO: "nobody reads it",
    errno.EPIPE: "its reader has gone",
}
"""Causes for which the system's words do not say what they mean here: of a path, a FIFO, or a stream that is closed."""

_HINTS = {
    errno.ENOSPC: "Free some space on that disk.",
    errno.EDQUOT: "Free some space: the quota of this user is used up.",
    errno.EFBIG: "Raise the limit on the size of files: ulimit -f.",
    errno.EROFS: "Use a path on a file system that is not read-only.",
    errno.ENAMETOOLONG: "Use a shorter name.",
    errno.ENOTDIR: "Use a path whose parts but the last are folders.",
    errno.EEXIST: "Use a path whose parts but the last are folders.",
    errno.ELOOP: "Remove the symbolic link that leads to itself.",
    errno.ENXIO: "Let a program read it, or use another path.",
    errno.EPIPE: "Let a program read it to its end, or use another path.",
}
"""What to do about a file that cannot be written, where that is not to use a path that this user can write to."""


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
    """Append `content` to `path`, which is created if it does not exist; in a file it starts on a line of its own.

    Without content, this only shows whether the file can be appended to.
    Raises `OSError`, and `TimeoutError` when the reader of a pipe does not read everything within `seconds`.
    """
    until = time.monotonic() + seconds
    if content and _lacks_newline(path):
        content = b"\n" + content
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NONBLOCK | _BINARY | getattr(os, "O_NOCTTY", 0)
    descriptor = os.open(path, flags, 0o666)
    status = os.fstat(descriptor)
    try:
        while content:
            try:
                content = content[os.write(descriptor, content) :]
            except BlockingIOError:
                if not select.select([], [descriptor], [], max(until - time.monotonic(), 0.0))[1]:
                    raise TimeoutError("its reader did not read everything in time") from None
    except OSError:
        if stat.S_ISREG(status.st_mode):
            os.ftruncate(descriptor, status.st_size)  # half of a value is another value
        raise
    finally:
        os.close(descriptor)


def _lacks_newline(path: Path) -> bool:
    """Return whether `path` is a file whose last line has no newline; false for one that may not be read."""
    with suppress(OSError):
        if path.is_file() and path.stat().st_size > 0:
            with path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                return file.read(1) != b"\n"
    return False


def write(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically: readers see either the complete old file or the complete new one.

    A file that cannot be replaced, such as a mount point or one in a read-only folder, is written in place instead.

    Parent folders are created, the mode is that of an ordinary new file, and a symbolic link stays and points to the
    new content. A device, pipe or FIFO (`/dev/stdout`, `/dev/null`) is written to within a time limit, not replaced.
    Raises `ReportFailed`, which names the path and the cause.
    """
    try:
        if is_own_output(path):
            raise own_output("The report", path)
        if is_stream(path):
            append(path, content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except (OSError, ValueError) as error:
        raise failure("The report", path, error) from error


def make_folder(path: Path) -> None:
    """Make a folder for files of this run, if there is none; raises `ReportFailed` if no file can be made in it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = _temporary(path)
        probe.touch(exist_ok=False)
        probe.unlink()
    except (OSError, ValueError) as error:
        raise failure("The folder", path, error) from error


def failure(what: str, path: Path, error: OSError | ValueError) -> ReportFailed:
    """Return the error about a file that could not be written: its cause, and what to do about that."""
    number = error.errno if isinstance(error, OSError) else None
    _, remedy = explain_limit(error) or ("", _HINTS.get(number or 0, ""))
    return ReportFailed(f"{what} {path} could not be written: {_cause(error)}.", hint=remedy)


def own_output(what: str, path: Path) -> ReportFailed:
    """Return the error about a file that has to stay, because the output of this program goes to it."""
    reason = "stdout or stderr of this program is redirected to that file"
    return ReportFailed(f"{what} {path} could not be written: {reason}.", hint="Use another path.")


def is_own_output(path: Path) -> bool:
    """Return whether `path` is the regular file of stdout or stderr, whose content a new file would replace."""
    with suppress(OSError):
        status = path.stat()
        return stat.S_ISREG(status.st_mode) and any(os.path.samestat(status, os.fstat(number)) for number in (1, 2))
    return False


def is_stream(path: Path) -> bool:
    """Return whether `path` exists and is neither a regular file nor a folder."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _temporary(folder: Path) -> Path:
    """Return the path of a temporary file in a folder."""
    return folder / f".gate-{uuid.uuid4().hex}.tmp"


def _replace(path: Path, content: bytes) -> None:
    """Write a temporary file in the same folder, then rename it to `path`; it never stays behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path.parent)
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)  # first, as it takes space
        if error.errno not in _CANNOT_REPLACE or not path.is_file():
            raise
        _write_in_place(path, content)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write_in_place(path: Path, content: bytes) -> None:
    """Overwrite the file `path`. When that fails, it is as before, or empty: half of a report, old or new, is none."""
    former = b""
    with suppress(OSError):  # a file may be writable and not readable
        former = path.read_bytes()
    descriptor = os.open(path, os.O_WRONLY | _BINARY)  # not cut first: on a full disk, its space would be lost
    try:
        _overwrite(descriptor, content)
    except OSError:
        os.ftruncate(descriptor, 0)
        with suppress(OSError):
            _overwrite(descriptor, former)
        raise
    finally:
        os.close(descriptor)


def _overwrite(descriptor: int, content: bytes) -> None:
    """Let an open file have this content and no other."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.ftruncate(descriptor, len(content))


def _cause(error: OSError | ValueError) -> str:
    """Return the cause of a failed write, in words for the user."""
    if not isinstance(error, OSError) or isinstance(error, TimeoutError) or not error.strerror:
        return str(error)
    return _CAUSES.get(error.errno or 0) or error.strerror[:1].lower() + error.strerror[1:]
