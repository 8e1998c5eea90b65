"""stdout and stderr: what is written, when, and in which encoding."""

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping

import pytest

from gate.runtime.streams import BACKLOG, CONSOLE_BYTES, LEAST_SECONDS, BackgroundWriter, whole_characters
from tests.conftest import ROOT
from tests.tables import each_row

Leave = Callable[[int], None]

SHOW = r"""
import sys, time
from gate.runtime import streams
streams.install()
print("\u6784\u5efa\u5931\u8d25 \udc80")
print("\u6784\u5efa\u5931\u8d25", file=sys.stderr)
streams.drain(time.monotonic() + 10)
"""


def test_stream_without_a_thread_writes_all_the_same(leave: Leave) -> None:
    """Better to be held up than to say nothing."""
    leave(0)
    reader, writer = os.pipe()
    stream = BackgroundWriter(writer)
    stream.write(b"passed\n")
    stream.drain(time.monotonic() + 5)
    assert os.read(reader, 100) == b"passed\n"
    os.close(reader)
    os.close(writer)


def test_pipe_that_does_not_block_is_written_whole() -> None:
    """A parent may have made the pipe non-blocking: what does not fit at once comes later."""
    if sys.platform == "win32":
        pytest.skip("Windows has no such pipes")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    stream = BackgroundWriter(writer)
    data = os.urandom(500_000)
    stream.write(data)
    got = b""
    while len(got) < len(data):
        got += os.read(reader, 65536)
    stream.drain(time.monotonic() + 10)
    assert got == data
    os.close(reader)
    os.close(writer)


def test_backlog_has_a_bound() -> None:
    """What nobody reads is dropped in the end, so that memory stays flat."""
    reader, writer = os.pipe()
    stream = BackgroundWriter(writer)
    for _ in range(200):
        assert stream.write(b"x" * 100_000) == 100_000
    kept: list[bytes] = []
    taking = threading.Thread(target=lambda: kept.extend(iter(lambda: os.read(reader, 65536), b"")))
    taking.start()
    stream.drain(time.monotonic() + 10)
    os.close(writer)
    taking.join(timeout=10)
    assert BACKLOG <= sum(map(len, kept)) < BACKLOG + 400_000
    os.close(reader)


@each_row(
    ("env", "encoding"),
    [
        ({}, "utf-8"),
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "utf-8"),
        ({"PYTHONIOENCODING": "gbk"}, "gbk"),
        ({"PYTHONIOENCODING": "ascii"}, "ascii"),
    ],
)
def test_both_streams_of_a_pipe_have_one_encoding(env: Mapping[str, str], encoding: str) -> None:
    """UTF-8, whatever the locale, unless the user says otherwise; what an encoding lacks is escaped."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        check=True,
    )
    text = "构建失败".encode(encoding, "backslashreplace")
    assert done.stdout == text + b" \\udc80\n"
    assert done.stderr == text + b"\n"


class Console(io.RawIOBase):
    """A Windows console: it takes some bytes of each write, and would show half a character as two others."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        super().__init__()
        self.shown = ""
        self.before: Callable[[], object] = lambda: None
        """Is called before each write."""

    def write(self, data: object, /) -> int:
        """Show text."""
        self.before()
        taken = bytes(data)[:CONSOLE_BYTES]  # type: ignore[call-overload]
        self.shown += taken.decode()
        return len(taken)


def test_console_gets_whole_characters() -> None:
    """A long text is written in parts, and no part ends within a character."""
    reader, writer = os.pipe()
    stream = BackgroundWriter(writer)
    console = stream._console = Console()
    text = "x" + "构建🚀" * 5000
    stream.write(text.encode())
    stream.drain(time.monotonic() + 10)
    assert console.shown == text
    os.close(reader)
    os.close(writer)


def test_what_was_said_last_is_written_although_the_time_is_over() -> None:
    """A process that was stopped over its deadline says its verdict when it goes on; a reader that stalls is left."""
    reader, writer = os.pipe()
    stream = BackgroundWriter(writer)
    console = stream._console = Console()
    can_go_on = threading.Event()
    console.before = lambda: can_go_on.wait(10)
    threading.Timer(0.05, can_go_on.set).start()
    stream.write(b"timed-out")
    stream.drain(time.monotonic() - 60)
    assert (console.shown, stream.is_behind()) == ("timed-out", False)
    can_go_on.clear()
    stream.write(b"more")
    started = time.monotonic()
    for _ in range(5):
        stream.drain(started - 60)
    assert time.monotonic() - started < 2 * LEAST_SECONDS
    can_go_on.set()
    stream.drain(time.monotonic() + 10)
    os.close(reader)
    os.close(writer)


@each_row(("text", "limit", "end"), [("abc", 8, 3), ("abc", 2, 2), ("a构", 3, 1), ("a构", 4, 4), ("构b", 3, 3)])
def test_characters_are_not_split(text: str, limit: int, end: int) -> None:
    """The end lies between two characters."""
    assert whole_characters(memoryview(text.encode()), limit) == end


def test_bytes_that_are_no_utf_8_are_written_all_the_same() -> None:
    """There must always be something that is written next."""
    assert whole_characters(memoryview(b"\x80" * 20), 8) == 8
