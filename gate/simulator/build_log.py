"""The log of a build."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from gate.simulator.records import CHINA
from gate.simulator.simulated_build import BuildView


def log_of(view: BuildView) -> bytes | Iterable[bytes]:
    """Return what has been logged so far: one line an event, stamped in China's local time."""
    if view.build.plan.log is not None:
        return view.build.plan.log()
    return "".join(f"{line}\n" for line in _lines(view)).encode()


def _lines(view: BuildView) -> Iterator[str]:
    """Return the lines of each stage between a line for its start and one for its end."""
    for stage in view.stages:
        if stage.started is None or stage.started == stage.finished:
            return
        yield _stamped(stage.started, f"[INFO] [{stage.name}] : stage started")
        for line in stage.log:
            yield _stamped(stage.finished or stage.started, line)
        if stage.finished is not None:
            level = "INFO" if stage.word == "SUCCESS" else "ERROR"
            yield _stamped(stage.finished, f"[{level}] [{stage.name}] : stage ended: {stage.word}")


def _stamped(at: datetime, text: str) -> str:
    """Return a line with its time in front: `[2023/12/21 15:44:18.743 GMT+08:00] ...`."""
    local = at.astimezone(CHINA)
    return f"[{local:%Y/%m/%d %H:%M:%S}.{local.microsecond // 1000:03} GMT+08:00] {text}"
