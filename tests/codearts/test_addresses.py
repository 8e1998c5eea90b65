"""A host with several addresses, some of them dead: on real sockets of loopback."""

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from gate.codearts import addresses
from gate.codearts.addresses import STAGGER, Address
from gate.codearts.connect import connect
from gate.errors import InvalidAnswer, TooSlow, Unreachable
from gate.settings import Connection, IamUser, Token
from tests.end_to_end.listeners import dead_address

ALIVE = "127.0.0.1"
OTHER = "127.0.0.2"
NAME = "build.example"
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"result": true}'

SLACK = 0.7
"""Seconds that a busy machine may need in addition."""

Place = tuple[str, int]


class Host:
    """The addresses of a host: one that answers, one that refuses, and some where a connection hangs for ever."""

    def __init__(self, stack: ExitStack) -> None:
        self._listener = stack.enter_context(socket.create_server((ALIVE, 0)))
        self.heard: list[bytes] = []
        self.alive: Place = self._listener.getsockname()
        with socket.create_server((OTHER, 0)) as closed:
            self.refusing: Place = closed.getsockname()
        self.dead = [stack.enter_context(dead_address(OTHER)) for _ in range(3)]
        threading.Thread(target=self._serve, daemon=True).start()
        stack.callback(lambda: self._listener.shutdown(socket.SHUT_RDWR))

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.heard.append(connection.recv(65536))
                connection.sendall(ANSWER)


@pytest.fixture
def host() -> Iterator[Host]:
    """Start a host."""
    with ExitStack() as stack:
        yield Host(stack)


Named = Callable[[Sequence[Place]], None]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Named:
    """Return a function that gives every name these addresses, in this order."""

    def name(places: Sequence[Place]) -> None:
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)

    return name


def place_of(seconds: float = 10.0) -> tuple[Place, float]:
    """Connect by the name; return the address that answered, and how long it took."""
    started = time.monotonic()
    with addresses.connect(NAME, 443, seconds) as connection:
        assert connection.gettimeout()
        return connection.getpeername(), time.monotonic() - started


def open_files() -> set[str]:
    """Return the files and sockets that this process has open."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the folder itself is closed by now
            found.add(str(link.readlink()))
    return found


@pytest.mark.parametrize("dead", [1, 2])
def test_dead_addresses_cost_a_moment_each(host: Host, named: Named, dead: int) -> None:
    """The living one behind them is reached."""
    named([*host.dead[:dead], host.alive])
    place, took = place_of()
    assert (place, took < dead * STAGGER + SLACK) == (host.alive, True)


def test_living_address_is_used_at_once(host: Host, named: Named) -> None:
    """The first one, and one behind an address that refuses: there is nothing to wait for."""
    for places in ([host.alive, *host.dead], [host.refusing, host.alive]):
        named(places)
        place, took = place_of()
        assert (place, took < STAGGER) == (host.alive, True)


def test_addresses_share_a_short_time(host: Host, named: Named) -> None:
    """Each of them gets its turn before the time is over: a request to stop a build has little."""
    named([*host.dead * 2, host.alive])
    assert place_of(0.5)[0] == host.alive


def test_time_is_over_when_all_addresses_are_dead(host: Host, named: Named) -> None:
    """Together they take the time of one request, and no socket is left open."""
    named(host.dead)
    before, started = open_files(), time.monotonic()
    with pytest.raises(TimeoutError):
        place_of(0.3)
    assert 0.3 <= time.monotonic() - started < 0.3 + SLACK
    assert open_files() <= before  # what another test has left may be closed meanwhile


def test_error_is_that_of_an_address_to_which_there_is_a_way(
    host: Host, named: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without IPv6, the error of an IPv6 address would hide why the other one failed."""
    begin, left = addresses._start, iter([OSError(errno.ENETUNREACH, "no way")])

    def start(address: Address, options: addresses.SocketOptions) -> socket.socket:
        for error in left:
            raise error
        return begin(address, options)

    monkeypatch.setattr(addresses, "_start", start)
    named([host.refusing, host.refusing])
    with pytest.raises(ConnectionRefusedError):
        place_of()


def test_families_take_turns() -> None:
    """A host may have many addresses of one family, to which there is no way from here."""
    of = {socket.AF_INET6: ["a", "b", "c"], socket.AF_INET: ["d"]}
    found = [Address(family, 1, 6, place) for family, places in of.items() for place in places]
    assert [address.place for address in addresses._mixed(found)] == ["a", "d", "b", "c"]


def connection(seconds: float = 5.0, **settings: object) -> Connection:
    """Return the settings of a connection by a name that is loopback's."""
    usual = {"endpoint": "http://localhost", "credential": Token(value="t"), "request_timeout": seconds}
    return Connection(**usual | settings)  # type: ignore[arg-type]


def test_service_behind_a_dead_address_is_reached(host: Host, named: Named) -> None:
    """A request through the session."""
    named([host.dead[0], host.alive])
    assert connect(connection(), lambda _: None, lambda _: None).get("/x").status == 200
    assert b"GET /x" in host.heard[0]


def test_name_without_an_address_may_have_one_later(named: Named) -> None:
    """A resolver may say that in place of an error."""
    named([])
    with pytest.raises(Unreachable, match="the name has no address") as caught:
        connect(connection(), lambda _: None, lambda _: None).get("/x")
    assert not caught.value.sent


def test_nothing_was_sent_where_all_addresses_are_dead(host: Host, named: Named) -> None:
    """An order may be tried again."""
    named(host.dead)
    with pytest.raises(TooSlow) as caught:
        connect(connection(0.3), lambda _: None, lambda _: None).get("/x")
    assert not caught.value.sent


def test_iam_behind_a_dead_address_is_reached(host: Host, named: Named) -> None:
    """Signing in takes the same way."""
    named([host.dead[0], host.alive])
    user = IamUser(name="me", password="s3cret", domain="account", project="cn-north-4")
    settings = connection(credential=user, iam_endpoint="http://localhost")
    with pytest.raises(InvalidAnswer, match="signing in"):  # the answer has no token
        connect(settings, lambda _: None, lambda _: None).get("/x")
    assert b"POST /v3/auth/tokens" in host.heard[0]


def test_proxy_behind_a_dead_address_is_reached(host: Host, named: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy may have several addresses, too."""
    named([host.dead[0], host.alive])
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    with pytest.raises(Unreachable):  # behind the tunnel is no TLS
        connect(connection(endpoint="https://build.example"), lambda _: None, lambda _: None).get("/x")
    assert host.heard[0].startswith(b"CONNECT build.example:443")
