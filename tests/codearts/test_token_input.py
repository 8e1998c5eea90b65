"""Tokens from files and pipes: one token within the time limit, or an error that names the file."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.codearts import token_input
from gate.codearts.token_input import read_token
from gate.errors import UsageProblem
from gate.limits import MAX_TOKEN_BYTES
from tests.tables import each_row

Piped = Callable[..., Path]


@pytest.fixture
def piped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Piped:
    """Return a function that creates a FIFO and writes pieces to it; its writer then closes it, or not."""
    done = threading.Event()

    def make(*pieces: bytes, stays: bool = False) -> Path:
        if stays or not pieces:
            monkeypatch.setattr(token_input, "TOKEN_SECONDS", 0.2)
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)

        def write() -> None:
            with fifo.open("wb", buffering=0) as stream:
                for piece in pieces:
                    stream.write(piece)
                    time.sleep(0.05)  # so that the pieces come one by one
                if stays:
                    done.wait(5)

        if pieces:
            threading.Thread(target=write, daemon=True).start()
        return fifo

    return make


def test_token_comes_through_a_pipe(piped: Piped) -> None:
    """In pieces, as `--token-file <(command)` brings it."""
    assert read_token(piped(b"a-tok", b"en\n"), "--token-file F") == "a-token"


def test_pipe_that_nobody_writes_to_is_given_up(piped: Piped) -> None:
    """Opening it does not wait for a writer."""
    with pytest.raises(UsageProblem, match=r"--token-file F: the token was not complete within 0\.2 s"):
        read_token(piped(), "--token-file F")


def test_pipe_that_does_not_end_is_given_up(piped: Piped) -> None:
    """An incomplete token is not used."""
    with pytest.raises(UsageProblem, match="not complete"):
        read_token(piped(b"half-a-tok", stays=True), "--token-file F")


@pytest.mark.parametrize("make", [lambda _: Path("/dev/zero"), lambda folder: folder / "large"])
def test_source_without_end_fills_no_memory(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    """A device or a wrong file: no more than a token is read."""
    (tmp_path / "large").write_bytes(b"x" * (MAX_TOKEN_BYTES + 1))
    with pytest.raises(UsageProblem, match="must contain one token and nothing else"):
        read_token(make(tmp_path), "--token-file F")


@pytest.mark.parametrize(
    "data",
    [b"a-token", b"\xef\xbb\xbfa-token\r\n", " \ufeff a-token ".encode(), "\ufeffa-token\n".encode("utf-16-le")],
    ids=["plain", "UTF-8 with a mark", "white space around", "UTF-16"],
)
def test_harmless_decoration_is_dropped(tmp_path: Path, data: bytes) -> None:
    """Editors on Windows write a byte order mark, and PowerShell UTF-16."""
    (tmp_path / "token").write_bytes(data)
    assert read_token(tmp_path / "token", "--token-file token") == "a-token"


@each_row(
    ("text", "advice"),
    [
        ("", "it is empty"),
        ('"a-token"', "has quotes in it"),
        ("'a-token'", "has quotes in it"),
        ('{"token": {"expires_at": "2026"}}', "X-Subject-Token"),
        ("<html>", "holds a web page"),
        ("Bearer a-token", "the word Bearer"),
        ("X-Auth-Token: a-token", "name of the header"),
        ("export GATE_TOKEN=a-token", "name of the variable"),
        ("$GATE_TOKEN", "name of a variable"),
        ("${{ secrets.TOKEN }}", "name of a variable"),
        ("%TOKEN%", "name of a variable"),
        ("one two", "several lines"),
        ("one\ntwo", "several lines"),
    ],
)
def test_mistake_is_answered_with_its_remedy_and_not_quoted(text: str, advice: str) -> None:
    """One sentence says what is there in place of a token, or around it."""
    with pytest.raises(UsageProblem, match="GATE_TOKEN must contain one token") as caught:
        token_input.checked(text, "GATE_TOKEN")
    assert advice in f"{caught.value} {caught.value.hint}"
    assert "a-token" not in f"{caught.value} {caught.value.hint}"


@each_row("token", ["MIIDkgYJKoZIhvcNAQcCoIIDgzCCA38CAQExDTALBglg-+/==", "bearertoken", "tokenA="])
def test_token_that_looks_a_little_like_a_mistake_is_taken(token: str) -> None:
    """IAM's tokens are base64; a similar start is not a mistake."""
    assert token_input.checked(token, "GATE_TOKEN") == token
