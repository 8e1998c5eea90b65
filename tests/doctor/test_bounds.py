"""The doctor's own patience."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gate.doctor.run import STEPS, examine
from gate.settings import Connection, Token


@pytest.fixture
def hanging_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make name resolution hang until the end of the test."""
    end = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        end.wait(60)
        raise OSError("over")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield
    end.set()


def test_name_resolution_that_hangs_is_named_in_time(hanging_names: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The step is given up after three request timeouts, and what would follow is skipped."""
    connection = Connection(endpoint="https://gate.invalid", credential=Token(value="secret"), request_timeout=0.1)
    started = time.monotonic()
    assert examine(connection, None, None, as_json=False, verbose=False) == 5
    assert time.monotonic() - started < 5
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "failed", *["skipped"] * (len(STEPS) - 2)]
    assert "name resolution: no end within 0.3 s" in lines[1]
