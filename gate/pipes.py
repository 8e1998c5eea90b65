"""Files that may be pipes with nobody at the other end: nothing here waits for longer than it is told."""

import os
import select
import time
from pathlib import Path

PATIENCE = 0.5
"""Seconds for the reader of a report: reports are written in the seconds after the deadline."""

_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # Windows has none, and no such pipes


def take(path: Path, most: int, seconds: float) -> bytes:
    """Read `path` to its end, or at least `most` bytes of it; raises `OSError`, `TimeoutError` when the end is late."""
    until, data = time.monotonic() + seconds, b""
    descriptor = os.open(path, os.O_RDONLY | _NONBLOCK)
    try:
        while len(data) < most:
            if not select.select([descriptor], [], [], max(until - time.monotonic(), 0.0))[0]:
                raise TimeoutError("its writer does not finish")
            if not (piece := os.read(descriptor, most)):
                break
            data += piece
    finally:
        os.close(descriptor)
    return data


def send(path: Path, content: bytes, seconds: float = PATIENCE) -> None:
    """Append `content` to `path`, which is made if need be.

    Raises `OSError`, `TimeoutError` when the reader of a pipe does not take it all in time.
    """
    until = time.monotonic() + seconds
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NONBLOCK | getattr(os, "O_NOCTTY", 0), 0o666)
    try:
        while content:
            try:
                content = content[os.write(descriptor, content) :]
            except BlockingIOError:
                if not select.select([], [descriptor], [], max(until - time.monotonic(), 0.0))[1]:
                    raise TimeoutError("its reader does not keep up") from None
    finally:
        os.close(descriptor)
