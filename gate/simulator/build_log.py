"""The log of a build."""

import codecs
from collections.abc import Iterable, Iterator
from datetime import datetime

from gate.simulator.records import CHINA
from gate.simulator.simulated_build import BuildView, LogEntry, StageView


def log_of(view: BuildView) -> bytes | Iterable[bytes]:
    """Return what has been logged so far: one line an event, stamped in China's local time."""
    if view.build.plan.log is not None:
        return view.build.plan.log()
    return text_of(view).encode()


def text_of(view: BuildView, stage: StageView | None = None) -> str:
    """Return what the stages have logged so far, or one of them."""
    written, is_new_line = [], True
    for entry in _entries(view.stages if stage is None else (stage,)):
        written.append(_stamp(entry.at) + entry.text if is_new_line else entry.text)
        is_new_line = not entry.text.endswith("\r")
        if is_new_line:
            written.append("\n")
    return "".join(written)


def _entries(stages: Iterable[StageView]) -> Iterator[LogEntry]:
    """Return the entries of each stage between one for its start and one for its end."""
    for stage in stages:
        if stage.started is None or stage.started == stage.finished:
            return
        yield LogEntry(stage.started, f"[INFO] [{stage.name}] : stage started")
        yield from stage.log
        if stage.finished is not None:
            level = "INFO" if stage.word == "SUCCESS" else "ERROR"
            yield LogEntry(stage.finished, f"[{level}] [{stage.name}] : stage ended: {stage.word}")


def _stamp(at: datetime) -> str:
    """Return what stands in front of a line: `[2023/12/21 15:44:18.743 GMT+08:00] `."""
    local = at.astimezone(CHINA)
    return f"[{local:%Y/%m/%d %H:%M:%S}.{local.microsecond // 1000:03} GMT+08:00] "


def part_of(view: BuildView, start: int, length: int) -> tuple[str, bool]:
    """Return a part of the log, by offsets in characters, and whether more has been logged."""
    large_log = view.build.plan.log
    text = text_of(view) if large_log is None else _beginning(large_log(), start + length + 1)
    return text[start : start + length], len(text) > start + length


def _beginning(pieces: Iterable[bytes], length: int) -> str:
    """Return at least the first `length` characters of a log that may have no end."""
    decoder, text = codecs.getincrementaldecoder("utf-8")("replace"), ""
    for piece in pieces:
        text += decoder.decode(piece)
        if len(text) >= length:
            break
    return text
