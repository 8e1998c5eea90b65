"""Reports at the end of a run: what could not be written turns a pass into none."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import pytest

from gate.model import Outcome, Target, TargetOutcome, Verdict
from gate.platforms.platform import PLAIN
from gate.platforms.terminal import Terminal
from gate.publish import Publisher
from gate.runtime import streams
from gate.settings import Connection, Reports, Settings, Token
from tests.end_to_end.test_streams import fill
from tests.helpers import error_types

TARGET = Target(job_id="1" * 32, label="app")


@contextmanager
def lost_stdout(how: str) -> Iterator[TextIO]:
    """Return a stdout from which nothing gets anywhere."""
    reader, writer = os.pipe()
    if how == "left":
        os.close(reader)
    elif how == "full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), writer)
    elif how == "stalled":
        fill(writer)
    yield streams._text_stream(writer, sys.stdout, is_closed=how == "closed")
    os.close(writer)


@pytest.mark.parametrize("how", ["closed", "left", "full", "stalled"])
@pytest.mark.parametrize(("json", "status"), [(True, 5), (False, 0)])
def test_document_that_nobody_got_is_no_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str, json: bool, status: int
) -> None:
    """It was asked for, as a report is; the lines on stdout are for whoever wants them."""
    reports = Reports(json=json, junit=tmp_path / "report.xml")
    connection = Connection(endpoint="https://ci.example", credential=Token(value="x"))
    settings = Settings(targets=[TARGET], connection=connection, reports=reports)
    publisher = Publisher(settings, PLAIN, Terminal(0.0, targets=1, quiet=False))
    passed = TargetOutcome(
        label="app", job_id=TARGET.job_id, verdict=Verdict.PASSED, reason="build 57 ended with SUCCESS", build_number=57
    )
    outcome = Outcome(
        verdict=Verdict.PASSED, exit_code=0, started_at=datetime(2026, 1, 1, tzinfo=UTC), elapsed_seconds=1.0,
        api_calls=1, targets=[passed],
    )  # fmt: skip
    with lost_stdout(how) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert publisher.publish(outcome, 0.0) == status
        monkeypatch.undo()
    assert error_types(reports.junit) == ["Undetermined"] * bool(status)
