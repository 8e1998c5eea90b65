"""The files of logs: whole, or true about what is missing, whatever ends their writing."""

import os
import threading
from pathlib import Path

import pytest

from gate.model import Target, TargetOutcome, Verdict
from gate.runtime.log_folder import MORE_TO_COME, LogFolder
from tests.helpers import wait_for


def folder_of(path: Path, *labels: str) -> LogFolder:
    """Return the folder for the logs of some targets."""
    return LogFolder(path, [Target(job_id=f"{number}", label=label) for number, label in enumerate(labels or ["app"])])


def target(label: str = "app") -> Target:
    """Return a target by its label."""
    return Target(job_id="0", label=label)


def test_log_is_in_the_file_while_it_comes(tmp_path: Path) -> None:
    """With a note at its end until it is finished, as the gate may be killed at any moment."""
    file = folder_of(tmp_path).new_file(target())
    file.write("one\n")
    assert (tmp_path / "app.log").read_text() == f"one\n{MORE_TO_COME}"
    file.write("编译\n")
    assert (tmp_path / "app.log").read_text("utf-8") == f"one\n编译\n{MORE_TO_COME}"
    file.finish("")
    assert (tmp_path / "app.log").read_text("utf-8") == "one\n编译\n"
    assert not file.abandon()


@pytest.mark.parametrize("text", ["one\n", ""])
def test_what_is_missing_stands_at_the_end(tmp_path: Path, text: str) -> None:
    """Also of a log of which nothing could be read."""
    file = folder_of(tmp_path).new_file(target())
    if text:
        file.write(text)
    file.finish("broke off, after 0.1 MB")
    assert (tmp_path / "app.log").read_text() == f"{text}\n[codearts-gate: the log broke off, after 0.1 MB]\n"


def test_nothing_is_written_once_a_file_was_given_up(tmp_path: Path) -> None:
    """An answer that comes too late changes nothing: the file says that the log goes on."""
    file = folder_of(tmp_path).new_file(target())
    file.write("one\n")
    assert file.abandon()
    file.write("two\n")
    file.finish("")
    assert (tmp_path / "app.log").read_text() == f"one\n{MORE_TO_COME}"


def test_builds_whose_logs_were_not_read_are_told_in_one_line(tmp_path: Path) -> None:
    """A file that was begun stays; where there is no build, and where none is waited for, there is no file."""

    def outcome(label: str, number: int | None, verdict: Verdict = Verdict.INTERRUPTED) -> TargetOutcome:
        return TargetOutcome(label=label, job_id="0", verdict=verdict, reason="by a signal", build_number=number)

    folder = folder_of(tmp_path, "read", "one", "other", "none", "started")
    folder.new_file(target("read")).write("one\n")
    folder.new_file(target("one"))
    numbered = [outcome("read", 1), outcome("one", 2), outcome("other", 3), outcome("none", None)]
    told = folder.note_unread([*numbered, outcome("started", 4, Verdict.STARTED)])
    assert told == f"2 files in {tmp_path} have no log: the gate ended before they were read"
    assert {path.name for path in tmp_path.iterdir()} == {"read.log", "one.log", "other.log"}
    assert (tmp_path / "read.log").read_text() == f"one\n{MORE_TO_COME}"
    text = "the log of build 2 was not read: interrupted, by a signal"
    assert (tmp_path / "one.log").read_text() == f"\n[codearts-gate: {text}]\n"


def test_new_file_is_not_touched_by_one_that_was_given_up(tmp_path: Path) -> None:
    """The old one still writes, as its disk hung; it is another file by then."""
    folder = folder_of(tmp_path)
    old = folder.new_file(target())
    old.write("old\n")
    new = folder.new_file(target())
    new.write("new\n")
    old.write("old\n")
    new.finish("")
    assert (tmp_path / "app.log").read_text() == "new\n"


def test_giving_a_file_up_never_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for a write that hangs."""
    hanging, go_on = threading.Event(), threading.Event()
    file = folder_of(tmp_path).new_file(target())
    write = os.write

    def slow(descriptor: int, data: bytes) -> int:
        hanging.set()
        assert go_on.wait(20)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", slow)

    def work() -> None:
        file.write("one\n")
        file.finish("")

    worker = threading.Thread(target=work)
    worker.start()
    wait_for(hanging.is_set)
    assert file.abandon()
    go_on.set()
    worker.join(20)
    assert (tmp_path / "app.log").read_text() == f"one\n{MORE_TO_COME}"


def test_file_that_cannot_be_written_is_told_at_the_end(tmp_path: Path) -> None:
    """And raises nothing in the worker that writes it."""
    folder = folder_of(tmp_path)
    (tmp_path / "app.log").mkdir()
    file = folder.new_file(target())
    file.write("one\n")
    file.write("two\n")
    file.finish("")
    assert file.has_failed()
    [error] = folder.errors()
    assert error.startswith(f"The log {tmp_path / 'app.log'} could not be written: ")


def test_full_disk_is_an_error_of_the_file() -> None:
    """`/dev/full` refuses every byte."""
    folder = LogFolder(Path("/dev"), [target("full")])
    file = folder.new_file(target("full"))
    file._descriptor = os.open("/dev/full", os.O_WRONLY)
    file.write("one\n")
    file.finish("")
    assert folder.errors() == ["The log /dev/full.log could not be written: no space left on device."]


def test_path_that_is_a_link_is_replaced(tmp_path: Path) -> None:
    """What it points to is not written to."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "app.log").symlink_to("precious")
    file = folder_of(tmp_path).new_file(target())
    file.write("one\n")
    file.finish("")
    assert (tmp_path / "precious").read_text() == "precious"


def test_names_are_different_wherever_they_are_written() -> None:
    """Where case does not count, and where some names are devices."""
    folder = folder_of(Path("logs"), "app", "App", "APP", "nul", "CON.x", "-rf", "...", "app-2")
    names = [path.name for path in folder.paths()]
    assert names == [
        "app.log", "App-2.log", "APP-3.log", "_nul.log", "_CON.x.log", "-rf.log", "....log", "app-2-2.log",
    ]  # fmt: skip
