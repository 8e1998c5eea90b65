"""A client whose session is mocked, and the vendor's published examples."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests_mock

from gate.codearts.client import Client
from gate.codearts.connect import connect
from gate.codearts.fallback_routes import Routes
from gate.codearts.session import Session
from gate.settings import Connection, Token

ENDPOINT = "https://build.example"
TOKEN = "MIIDtoken-that-nobody-may-see"
JOB = "68491d9bc97b4774adb93e29b46d2dc6"


def vendor(operation: str) -> Any:
    """Return the vendor's published example of an operation's answer."""
    return json.loads((Path(__file__).parent / "vendor" / f"{operation}.json").read_text(encoding="utf-8"))


@pytest.fixture
def service() -> Iterator[requests_mock.Mocker]:
    """Answer requests as registered; any other request fails like a refused connection."""
    with requests_mock.Mocker() as mocker:
        yield mocker


@pytest.fixture
def debug_lines() -> list[str]:
    """Collect the lines that the session writes with --verbose."""
    return []


@pytest.fixture
def session(debug_lines: list[str]) -> Session:
    """Return a session with a token."""
    connection = Connection(endpoint=ENDPOINT, credential=Token(value=TOKEN), request_timeout=5)
    return connect(connection, debug_lines.append, debug_lines.append)


@pytest.fixture
def client(session: Session) -> Client:
    """Return a client on that session."""
    return Client(Routes(session))


@pytest.fixture
def asked(service: requests_mock.Mocker) -> Callable[[], list[str]]:
    """Return a function that lists the paths requested so far."""
    return lambda: [request.path for request in service.request_history]
