"""The folder for the whole logs of builds (`--log-dir`)."""

import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from gate.model import Target, TargetOutcome, Verdict, is_label

MORE_TO_COME = "\n[codearts-gate: the log goes on, but has not been read further]\n"
"""Stands at the end of a file that is not finished, so that the file is true whatever ends the gate."""

_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in range(1, 10))}
"""Names that Windows takes for devices, with any ending."""

_BINARY = getattr(os, "O_BINARY", 0)


class LogFolder:
    """The folder, and the names of the files in it."""

    def __init__(self, folder: Path, targets: Sequence[Target]) -> None:
        """Nothing is looked at or written yet."""
        self._folder = folder
        self._files: dict[str, LogFile] = {}
        self._names: dict[str, str] = {}
        self.take_targets(targets)

    def take_targets(self, targets: Sequence[Target]) -> None:
        """Name the files after the labels of the targets; nothing has been written by then."""
        self._names = {target.label: name for target, name in zip(targets, _names(targets), strict=True)}

    def paths(self) -> Sequence[Path]:
        """Return the paths of all logs."""
        return [self._folder / name for name in self._names.values()]

    def new_file(self, target: Target) -> "LogFile":
        """Return a new file for the log of the target's build."""
        self._files[target.label] = LogFile(self._folder / self._names[target.label])
        return self._files[target.label]

    def note_unread(self, outcomes: Sequence[TargetOutcome]) -> str:
        """Write to the file of each build whose log was not begun to be read why that is so; return a line that tells.

        The gate ended before the build did, or before its log's turn came. The line is empty where there is no such
        build.
        """
        unread = []
        for target in outcomes:
            file = self._files.get(target.label)
            has_build = target.build_number is not None and target.verdict is not Verdict.STARTED
            if has_build and (file is None or not file.was_begun()):
                file = self._files[target.label] = LogFile(self._folder / self._names[target.label])
                file.finish(f"of build {target.build_number} was not read: {target.verdict}, {target.reason}")
                unread.append(file.path)
        if len(unread) < 2:
            return "".join(f"{path} has no log: the gate ended before it was read" for path in unread)
        return f"{len(unread)} files in {self._folder} have no log: the gate ended before they were read"

    def errors(self) -> Sequence[str]:
        """Say for each log that could not be written why not."""
        failed = [file for file in self._files.values() if file.error]
        return [f"The log {file.path} could not be written: {file.error}." for file in failed]


def _names(targets: Sequence[Target]) -> Iterable[str]:
    """Return the name of each target's file: its label, made unique where only upper and lower case differ."""
    taken: set[str] = set()
    for target in targets:
        label = target.label if is_label(target.label) else "job"
        label = f"_{label}" if label.partition(".")[0].lower() in _RESERVED else label
        name, number = label, 1
        while name.lower() in taken:
            number += 1
            name = f"{label}-{number}"
        taken.add(name.lower())
        yield f"{name}.log"


class LogFile:
    """The file of one log, written by one worker while another thread may end that at any moment.

    It says at its end that the log goes on until it is finished: that sentence is replaced with each part.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is written yet. The path stays free until then."""
        self.path = str(path)
        self.error = ""
        self._was_begun = False
        self._descriptor: int | None = None
        self._size = 0
        self._turn = threading.Lock()
        """Is taken once, without waiting, by whoever ends the file: the worker that finishes it, or who gives it up."""

    def was_begun(self) -> bool:
        """Tell whether anything was written to it, or is being written."""
        return self._was_begun

    def has_failed(self) -> bool:
        """Tell whether it could not be written: `error` says why."""
        return bool(self.error)

    def has_begun(self) -> bool:
        """Tell whether there is a file by now."""
        return self._descriptor is not None

    def write(self, text: str) -> None:
        """Add text; nothing happens after an error, or once the file was given up."""
        data = text.encode(errors="replace")
        self._put(data, MORE_TO_COME.encode())

    def finish(self, missing: str) -> None:
        """End the file; `missing` says why the log is not complete in it, if it is not."""
        if self._turn.acquire(blocking=False):
            note = f"\n[codearts-gate: the log {missing}]\n" if missing else ""
            self._put(b"", note.encode(errors="replace"), is_last=True)
            if self._descriptor is not None:
                os.close(self._descriptor)

    def abandon(self) -> bool:
        """Refuse whatever is still written; return whether the file was not finished."""
        return self._turn.acquire(blocking=False)

    def _put(self, data: bytes, end: bytes, *, is_last: bool = False) -> None:
        """Write `data` behind what was written before, and `end` behind that."""
        if self.error or (self._turn.locked() and not is_last):
            return
        self._was_begun = True
        try:
            if self._descriptor is None:
                self._descriptor = _create(self.path)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            _write_all(self._descriptor, data + end)
            self._size += len(data)
            if is_last:
                os.ftruncate(self._descriptor, self._size + len(end))
        except OSError as error:
            words = error.strerror or str(error)
            self.error = words[:1].lower() + words[1:]


def _create(path: str) -> int:
    """Create a file in place of one at `path`, which a call that nobody waits for may still be writing to."""
    Path(path).unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
