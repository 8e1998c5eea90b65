"""Reports are complete, ordinary files; errors are one sentence; pipes have a time limit."""

import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from gate import files
from gate.errors import ReportFailed
from gate.files import write
from tests.tables import each_row

SECONDS = 0.3
LARGE = b"0123456789" * 20_000
"""More than a pipe holds."""


def listing(folder: Path) -> list[str]:
    """Return the names in `folder`."""
    return sorted(path.name for path in folder.iterdir())


def test_missing_folders_are_made(tmp_path: Path) -> None:
    """The file is in the requested folder, and no other file."""
    write(tmp_path / "a" / "b" / "r.xml", b"report")
    assert (tmp_path / "a" / "b" / "r.xml").read_bytes() == b"report"
    assert listing(tmp_path / "a" / "b") == ["r.xml"]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_mode_is_that_of_an_ordinary_file(tmp_path: Path, mask: int, mode: int) -> None:
    """A collector that runs as another user can read the report, unless the umask forbids it."""
    before = os.umask(mask)
    try:
        write(tmp_path / "r.xml", b"report")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "r.xml").stat().st_mode) == mode


def test_relative_path_and_old_file_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer report of an earlier run leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    write(Path("r.xml"), b"a long report")
    write(Path("r.xml"), b"short")
    assert (tmp_path / "r.xml").read_bytes() == b"short"


@pytest.mark.parametrize("exists", [True, False])
def test_symbolic_link_stays_and_its_target_is_written(tmp_path: Path, exists: bool) -> None:
    """The report lands where the link points to, whether that exists already or not."""
    (tmp_path / "real").mkdir()
    if exists:
        (tmp_path / "real" / "r.xml").write_bytes(b"old")
    (tmp_path / "link.xml").symlink_to("real/r.xml")
    write(tmp_path / "link.xml", b"report")
    assert (tmp_path / "link.xml").is_symlink()
    assert (tmp_path / "real" / "r.xml").read_bytes() == b"report"


def test_path_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    """The folder stays as it was."""
    with pytest.raises(ReportFailed) as failure:
        write(tmp_path, b"report")
    assert str(failure.value) == f"The report {tmp_path} could not be written: it is a folder."
    assert listing(tmp_path) == []
    assert failure.value.hint


@pytest.mark.parametrize("below", ["r.xml", "deeper/r.xml"])
def test_file_in_place_of_a_folder_is_refused(tmp_path: Path, below: str) -> None:
    """The sentence says that a part of the path is a file."""
    (tmp_path / "file").touch()
    with pytest.raises(
        ReportFailed, match=r"r\.xml could not be written: a part of its path is a file, not a folder\.$"
    ):
        write(tmp_path / "file" / below, b"report")


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("/proc/no/r.xml", "no such file or directory|permission denied"),
        ("/sys/r.xml", "permission denied|operation not permitted|read-only file system"),
        ("/", "it is a folder|device or resource busy|permission denied"),
        ("n" * 300, "file name too long"),
        ("null\0byte", "embedded null byte|stat: embedded null character in path"),
    ],
)
def test_path_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, cause: str
) -> None:
    """The sentence names the path and the system's own cause."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportFailed, match=f"could not be written: ({cause})\\.$"):
        write(Path(path), b"report")
    assert listing(tmp_path) == []


def test_link_to_itself_is_refused(tmp_path: Path) -> None:
    """A loop of links is an error and does not block."""
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ReportFailed, match="too many levels of symbolic links"):
        write(tmp_path / "loop", b"report")


def failing(number: int) -> Callable[..., None]:
    """Return a function that fails with this error of the system."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_failed_write_leaves_the_old_report_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last step fails, the old file is complete and the temporary one is gone."""
    write(tmp_path / "r.xml", b"old")
    monkeypatch.setattr(Path, "replace", failing(errno.EIO))
    with pytest.raises(ReportFailed, match=r"input/output error\.$"):
        write(tmp_path / "r.xml", b"new")
    assert (tmp_path / "r.xml").read_bytes() == b"old"
    assert listing(tmp_path) == ["r.xml"]


NO_SPACE = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]


@each_row("number", [errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS, *NO_SPACE])
@each_row("step", ["open", "replace"])
def test_file_that_cannot_be_replaced_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    """A single file that is mounted into a container, or one in a folder that may not be written to."""
    file = tmp_path / "r.xml"
    file.write_bytes(b"a longer old report")
    identity = file.stat().st_ino
    with monkeypatch.context() as patch:
        patch.setattr(Path, step, failing(number))
        write(file, b"new")
    assert (file.read_bytes(), file.stat().st_ino) == (b"new", identity)
    assert listing(tmp_path) == ["r.xml"]


def test_report_of_the_start_stays_where_that_of_the_end_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full: half of a report would be none, and the former one of this run is no pass."""
    file = tmp_path / "r.xml"
    file.write_bytes(b"the start")
    real = os.write

    def write_at_most_9(descriptor: int, data: bytes) -> int:
        if os.lseek(descriptor, 0, os.SEEK_CUR) >= 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:9])

    monkeypatch.setattr(Path, "replace", failing(errno.ENOSPC))
    monkeypatch.setattr(os, "write", write_at_most_9)
    with pytest.raises(ReportFailed, match=r"no space left on device\.$") as caught:
        write(file, b"the end, which is longer")
    assert file.read_bytes() == b"the start"
    assert caught.value.hint == "Free some space on that disk."


def test_limit_of_the_machine_is_not_told_as_a_path_that_cannot_be_written() -> None:
    """No other path would help."""
    error = files.failure("The report", Path("r.xml"), OSError(errno.EMFILE, "Too many open files"))
    assert str(error) == "The report r.xml could not be written: too many open files."
    assert error.hint == "Raise the limit on open files: ulimit -n."


def test_value_that_does_not_fit_is_not_appended_by_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`exit-code=1` could be the start of `exit-code=143`."""
    (tmp_path / "output").write_bytes(b"a=1\n")
    real, left = os.write, [5]

    def write_some(descriptor: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, data[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(os, "write", write_some)
    with pytest.raises(OSError, match="No space left"):
        files.append(tmp_path / "output", b"exit-code=143\n", 5.0)
    assert (tmp_path / "output").read_bytes() == b"a=1\n"


def test_file_that_may_be_neither_replaced_nor_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cause is that of the file itself."""
    (tmp_path / "r.xml").write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", failing(errno.EBUSY))
    monkeypatch.setattr(os, "open", failing(errno.EACCES))
    with pytest.raises(ReportFailed, match=r"r\.xml could not be written: permission denied\.$"):
        write(tmp_path / "r.xml", b"new")


def test_write_in_place_that_fails_leaves_no_half_of_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: neither the old report nor the start of the new one may be taken for a result."""
    (tmp_path / "r.xml").write_bytes(b"old")
    real, left = os.write, [3]

    def write_some(descriptor: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, data[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(Path, "replace", failing(errno.EBUSY))
    monkeypatch.setattr(os, "write", write_some)
    with pytest.raises(ReportFailed, match="no space left"):
        write(tmp_path / "r.xml", b"new report")
    assert (tmp_path / "r.xml").read_bytes() == b""


def test_device_is_written_to_and_not_replaced() -> None:
    """`/dev/null` is how people turn a report off."""
    write(Path("/dev/null"), b"report")
    assert Path("/dev/null").is_char_device()


def test_fifo_with_a_reader_gets_the_report(tmp_path: Path) -> None:
    """A pipe gets the bytes and stays a pipe."""
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(tmp_path / "fifo", b"report")
        assert os.read(reader, 100) == b"report"
        with pytest.raises(ReportFailed, match="its reader did not read everything in time"):
            write(tmp_path / "fifo", b"x" * 1_000_000)
    finally:
        os.close(reader)


def test_fifo_without_a_reader_is_refused_at_once(tmp_path: Path) -> None:
    """The gate never waits for somebody to read its report."""
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ReportFailed, match="nobody reads it"):
        write(tmp_path / "fifo", b"report")


def test_file_that_stdout_goes_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--summary /dev/stdout > file` would take the verdict lines out of the file."""
    with (tmp_path / "out.txt").open("wb") as out:
        monkeypatch.setattr(os, "fstat", lambda number, real=os.fstat: real(out.fileno() if number == 1 else number))
        with pytest.raises(ReportFailed, match="stdout or stderr of this program is redirected to that file"):
            write(tmp_path / "out.txt", b"report")


def test_many_writers_of_one_path_never_mix(tmp_path: Path) -> None:
    """The file is one complete report of one writer at any time."""
    path = tmp_path / "r.xml"
    reports = [bytes([letter]) * 200_000 for letter in b"abcd"]
    write(path, reports[0])
    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(write, path, report) for report in reports * 10]
        seen = [path.read_bytes() for _ in range(50)]
    assert all(job.result() is None for job in written)
    assert set(seen) <= set(reports)
    assert listing(tmp_path) == ["r.xml"]


def test_surrogates_in_a_path_do_no_harm(tmp_path: Path) -> None:
    """A path that is not UTF-8 is written under its own bytes."""
    write(tmp_path / os.fsdecode(b"r\xff.xml"), b"report")
    assert listing(tmp_path) == ["r\udcff.xml"]


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Return a FIFO that no process has opened."""
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


@contextmanager
def beside(call: Callable[[], object]) -> Iterator[None]:
    """Call a function in another thread during the block."""
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
    """The reader has opened the pipe and reads nothing."""
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
    """It is created if it does not exist."""
    for text in (b"one\n", b"two\n"):
        files.append(tmp_path / "file", text, SECONDS)
    assert (tmp_path / "file").read_bytes() == b"one\ntwo\n"


def test_last_line_without_its_newline_stays_a_line_of_its_own(tmp_path: Path) -> None:
    """Another step may have left the file of outputs like that, with `printf` for one."""
    (tmp_path / "file").write_bytes(b"a=1")
    for text in (b"b=2\n", b"c=3\n"):
        files.append(tmp_path / "file", text, SECONDS)
    assert (tmp_path / "file").read_bytes() == b"a=1\nb=2\nc=3\n"


def test_writer_that_does_not_finish_is_given_up(fifo: Path) -> None:
    """Incomplete content is not returned."""
    writer = os.open(fifo, os.O_RDWR)
    os.write(writer, b"half")
    with pytest.raises(TimeoutError):
        files.read_pipe(fifo, 1000, SECONDS)
    os.close(writer)
