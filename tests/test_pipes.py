"""Pipes whose other end does not do its part are waited for, but not for long."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gate import files

SECONDS = 0.3
LARGE = b"0123456789" * 20_000
"""More than a pipe holds."""


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Return a FIFO without anybody at its ends."""
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


@contextmanager
def beside(call: Callable[[], object]) -> Iterator[None]:
    """Do something in another thread meanwhile."""
    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        thread.join(timeout=10)


def test_reader_that_is_slow_gets_everything(fifo: Path) -> None:
    """A pipe holds less than a report."""
    taken: list[bytes] = []
    opened = threading.Event()

    def read() -> None:
        descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        opened.set()
        os.set_blocking(descriptor, True)
        while sum(map(len, taken)) < len(LARGE):
            time.sleep(0.002)
            taken.append(os.read(descriptor, 8192))
        os.close(descriptor)

    with beside(read):
        assert opened.wait(5)
        files.append(fifo, LARGE, 5.0)
    assert b"".join(taken) == LARGE


def test_reader_that_stalls_is_given_up(fifo: Path) -> None:
    """It has the pipe open and reads nothing."""
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="its reader did not read everything in time"):
        files.append(fifo, LARGE, SECONDS)
    assert SECONDS <= time.monotonic() - started < SECONDS + 5
    os.close(reader)


def test_pipe_without_a_reader_is_an_error_at_once(fifo: Path) -> None:
    """Opening it would wait for one."""
    with pytest.raises(OSError, match="No such device"):
        files.append(fifo, b"x", 60.0)


def test_ordinary_file_is_appended_to(tmp_path: Path) -> None:
    """And made if it is not there."""
    for text in (b"one\n", b"two\n"):
        files.append(tmp_path / "file", text, SECONDS)
    assert (tmp_path / "file").read_bytes() == b"one\ntwo\n"


def test_writer_that_does_not_finish_is_given_up(fifo: Path) -> None:
    """Half of something is nothing."""
    writer = os.open(fifo, os.O_RDWR)
    os.write(writer, b"half")
    with pytest.raises(TimeoutError):
        files.read_pipe(fifo, 1000, SECONDS)
    os.close(writer)
