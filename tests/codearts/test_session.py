"""The session: what it sends, where it sends it, and that it shows no secret."""

import errno
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from urllib3.exceptions import LocationParseError

from gate.codearts.auth import TokenAuth
from gate.codearts.connect import connect
from gate.codearts.session import Session
from gate.errors import Forbidden, GateError, PermanentError, TooSlow, Unreachable, UsageProblem
from gate.limits import MAX_BYTES
from gate.settings import Connection, IamUser, Token
from tests.codearts.conftest import ENDPOINT, TOKEN
from tests.tables import each_row


def with_file(file: Path) -> Session:
    """Return a session with a token file."""
    connection = Connection(endpoint=ENDPOINT, credential=Token(file=file, source=f"--token-file {file}"))
    return connect(connection, lambda _: None, lambda _: None)


def test_request_carries_the_token_and_little_else(service: requests_mock.Mocker, session: Session) -> None:
    """The token, the user agent, and no request for compression."""
    service.get(f"{ENDPOINT}/x", json={})
    session.get("/x")
    headers = dict(service.request_history[0].headers)
    assert headers.pop("User-Agent").startswith("codearts-gate/")
    assert headers == {
        "Accept": "*/*", "Accept-Encoding": "identity", "Cache-Control": "no-cache", "X-Auth-Token": TOKEN,
    }  # fmt: skip


def test_netrc_and_cookies_change_nothing(
    service: requests_mock.Mocker, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.netrc` for the host is not used, and no cookie is sent back."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else")
    monkeypatch.setenv("NETRC", str(netrc))
    service.get(f"{ENDPOINT}/x", json={}, headers={"Set-Cookie": "tracking=1; Path=/"})
    session.get("/x")
    session.get("/x")
    headers = service.request_history[1].headers
    assert "Authorization" not in headers
    assert "Cookie" not in headers


@each_row(
    ("reason", "words"),
    [
        ("UNEXPECTED_EOF_WHILE_READING", "the connection was closed in the middle of TLS"),
        ("WRONG_VERSION_NUMBER", "the server on this port does not use TLS"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "TLS failed: sslv3 alert handshake failure"),
    ],
)
def test_error_of_tls_is_said_in_words(
    service: requests_mock.Mocker, session: Session, reason: str, words: str
) -> None:
    """What OpenSSL says has the name of a constant and a line of C."""
    error = ssl.SSLError(1, f"[SSL: {reason}] as OpenSSL says it (_ssl.c:1006)")
    error.library, error.reason = "SSL", reason
    service.get(f"{ENDPOINT}/x", exc=requests.exceptions.SSLError(error))
    with pytest.raises(Unreachable, match=f": {words}$"):
        session.get("/x")


@each_row("status", [301, 302, 303, 307, 308])
@each_row("location", ["https://elsewhere.example/", "/x", "http://[bad", "", "::::", "\u00e9//", "http:"])
def test_redirect_is_not_followed_whatever_it_names(
    service: requests_mock.Mocker, session: Session, status: int, location: str
) -> None:
    """The credential goes to the configured host only, and an invalid address raises no error."""
    service.get(f"{ENDPOINT}/x", status_code=status, headers={"Location": location})
    before = len(service.request_history)
    assert session.get("/x").status == status
    assert len(service.request_history) == before + 1


def test_body_of_a_redirect_is_read_within_the_limit(service: requests_mock.Mocker, session: Session) -> None:
    """Requests itself would read all of it."""
    service.get(f"{ENDPOINT}/x", status_code=302, headers={"Location": "/y"}, content=b" " * (MAX_BYTES * 2))
    assert session.get("/x").cut


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectionError(f"Max retries exceeded with url: /x (X-Auth-Token: {TOKEN})"), Unreachable),
        (requests.ConnectTimeout(TOKEN), TooSlow),
        (requests.ReadTimeout(TOKEN), TooSlow),
        (requests.exceptions.ProxyError(f"http://user:{TOKEN}@proxy"), Unreachable),
        (requests.exceptions.ChunkedEncodingError(TOKEN), Unreachable),
        (requests.exceptions.InvalidURL(TOKEN), PermanentError),
        (LocationParseError(TOKEN), PermanentError),
        (UnicodeEncodeError("latin-1", TOKEN, 0, 1, "x"), PermanentError),
        (requests.exceptions.ContentDecodingError(TOKEN), Unreachable),
        (requests.exceptions.SSLError(TOKEN), Unreachable),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_error_of_requests_becomes_ours_without_its_text(
    service: requests_mock.Mocker, session: Session, debug_lines: list[str], error: Exception, kind: type[GateError]
) -> None:
    """Its text may quote headers and whole URLs."""
    service.get(f"{ENDPOINT}/x", exc=error)
    with pytest.raises(kind) as caught:
        session.get("/x")
    assert "build.example" in str(caught.value)
    assert TOKEN not in str(caught.value) + repr(caught.value) + " ".join(debug_lines)
    assert caught.value.__cause__ is None


@each_row("wrap", [lambda error: error, requests.ConnectionError])
def test_too_many_open_files_is_no_fault_of_the_host(
    service: requests_mock.Mocker, session: Session, wrap: Callable[[object], Exception]
) -> None:
    """Where the certificates are opened, or a connection is; it may pass."""
    service.get(f"{ENDPOINT}/x", exc=wrap(OSError(errno.EMFILE, "Too many open files")))
    with pytest.raises(Unreachable, match=r"no answer from build\.example: Too many open files") as caught:
        session.get("/x")
    assert "ulimit -n" in caught.value.hint


def test_debug_line_has_status_and_time_and_no_secret(
    service: requests_mock.Mocker, session: Session, debug_lines: list[str]
) -> None:
    """One line about each request."""
    service.get(f"{ENDPOINT}/x", json={})
    session.get("/x", {"a": "b c"})
    (line,) = debug_lines
    assert line.startswith("GET /x?a=b%20c: 200 in ")
    assert TOKEN not in line


def test_no_text_form_contains_the_token(session: Session) -> None:
    """Neither settings nor credentials show it."""
    credential = Token(value=TOKEN)
    connection = Connection(endpoint=ENDPOINT, credential=credential)
    for thing in (credential, connection, session, TokenAuth(credential)):
        assert TOKEN not in f"{thing!r} {thing!s}"
    assert session.hide(f"a {TOKEN} b") == "a *** b"


def test_refused_token_file_is_read_again(service: requests_mock.Mocker, tmp_path: Path) -> None:
    """Once, and both tokens stay secret."""
    file = tmp_path / "token"
    file.write_text("old-token\n")
    session = with_file(file)
    file.write_text("new-token\n")
    service.get(f"{ENDPOINT}/x", [{"status_code": 401, "json": {}}, {"json": {}}])
    assert session.get("/x").status == 200
    assert [request.headers["X-Auth-Token"] for request in service.request_history] == ["old-token", "new-token"]
    assert session.hide("old-token new-token") == "*** ***"


def test_refusal_to_renew_quotes_no_token(service: requests_mock.Mocker) -> None:
    """The answer of IAM may quote a token."""
    user = IamUser(name="me", password="s3cret", domain="account", project="cn-north-4")
    connection = Connection(endpoint=ENDPOINT, iam_endpoint="https://iam.example", credential=user)
    session = connect(connection, lambda _: None, lambda _: None)
    refusal = {"status_code": 403, "json": {"error": {"code": 403, "message": "the session of first-token ended"}}}
    issued = {"status_code": 201, "headers": {"X-Subject-Token": "first-token"}, "json": {}}
    service.post("https://iam.example/v3/auth/tokens", [issued, refusal])
    service.get(f"{ENDPOINT}/x", status_code=401, json={})
    with pytest.raises(Forbidden, match=r"the session of \*\*\* ended"):
        session.get("/x")


@pytest.mark.parametrize("content", ["old-token", "", "two tokens", None])
def test_refused_token_without_a_newer_one_stays_refused(
    service: requests_mock.Mocker, tmp_path: Path, content: str | None
) -> None:
    """With the same token, an empty file, an invalid file or no file, the request is not repeated."""
    file = tmp_path / "token"
    file.write_text("old-token")
    session = with_file(file)
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    service.get(f"{ENDPOINT}/x", status_code=401, json={})
    assert session.get("/x").status == 401
    assert len(service.request_history) == 1


def test_token_refused_twice_is_refused(service: requests_mock.Mocker, tmp_path: Path) -> None:
    """The newer token is tried once."""
    file = tmp_path / "token"
    file.write_text("old-token")
    session = with_file(file)
    file.write_text("new-token")
    service.get(f"{ENDPOINT}/x", status_code=401, json={})
    assert session.get("/x").status == 401
    assert len(service.request_history) == 2


def test_token_of_the_environment_is_not_tried_again(service: requests_mock.Mocker, session: Session) -> None:
    """There is no newer one."""
    service.get(f"{ENDPOINT}/x", status_code=401, json={})
    session.get("/x")
    assert len(service.request_history) == 1


@pytest.mark.parametrize("text", ["", " ", "a b", "a\nb", "t\u00f6ken", "a\x00b", "a\x7f"])
def test_invalid_token_is_rejected_without_being_shown(tmp_path: Path, text: str) -> None:
    """A header cannot be split, and the message names the file only."""
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageProblem, match="--token-file") as caught:
        with_file(file)
    assert not text.strip() or text.strip() not in str(caught.value).replace(str(file), "")


def test_services_clock_is_taken_from_its_date(service: requests_mock.Mocker, session: Session) -> None:
    """A machine whose clock is wrong by hours still knows how old a build is."""
    then = datetime.now(UTC) - timedelta(hours=5)
    service.get(f"{ENDPOINT}/x", json={}, headers={"Date": f"{then:%a, %d %b %Y %H:%M:%S} GMT"})
    session.get("/x")
    assert abs(session.now() - then) < timedelta(seconds=5)


BAD_DATES = [
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "0",
    "Mon, 01 Jan 2024 00:00:00 +" + "9" * 30,
]


@pytest.mark.parametrize("date", BAD_DATES)
def test_absurd_date_leaves_a_usable_clock(service: requests_mock.Mocker, session: Session, date: str) -> None:
    """The client adds weeks to the time, which must not overflow."""
    service.get(f"{ENDPOINT}/x", json={}, headers={"Date": date})
    assert session.get("/x").status == 200
    assert abs(session.now() - datetime.now(UTC)) < timedelta(days=366 * 100)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(date=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_any_date_is_used_or_ignored(service: requests_mock.Mocker, session: Session, date: str) -> None:
    """No header raises an error."""
    service.get(f"{ENDPOINT}/x", json={}, headers={"Date": date})
    session.get("/x")
    session.now()


def test_body_is_cut_at_its_limit(service: requests_mock.Mocker, session: Session) -> None:
    """The reply states why it is incomplete."""
    service.get(f"{ENDPOINT}/x", content=b" " * (MAX_BYTES + 100_000))
    reply = session.get("/x")
    assert "longer than 2 MiB" in reply.cut
    assert len(reply.body) < MAX_BYTES + 200_000


def test_every_request_is_counted(service: requests_mock.Mocker, session: Session) -> None:
    """For the report."""
    service.get(f"{ENDPOINT}/x", json={})
    for _ in range(3):
        session.get("/x")
    assert session.calls == 3


@pytest.mark.parametrize(("seconds", "allowed"), [(None, 5), (1, 1), (60, 5)])
def test_time_of_a_request_is_never_above_the_request_timeout(
    service: requests_mock.Mocker, session: Session, seconds: float | None, allowed: float
) -> None:
    """A request may be given less time than --request-timeout, not more."""
    service.get(f"{ENDPOINT}/x", json={})
    session.get("/x", seconds=seconds)
    timeout: Any = service.request_history[0].timeout  # of urllib3; the stubs say a number
    assert timeout.total == allowed


def test_proxy_that_refuses_its_own_user_renews_no_token(service: requests_mock.Mocker, tmp_path: Path) -> None:
    """HTTP 407 says nothing about the token, so the request is not sent again with a newer one."""
    file = tmp_path / "token"
    file.write_text("old-token")
    session = with_file(file)
    file.write_text("new-token")
    service.get(f"{ENDPOINT}/x", status_code=407)
    session.get("/x")
    assert [request.headers["X-Auth-Token"] for request in service.request_history] == ["old-token"]
