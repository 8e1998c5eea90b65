"""Servers of a hostile world: one that only remembers what it is sent, a relay, and a proxy."""

import base64
import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Heard:
    """What a server was sent."""

    port: int
    data: list[bytes] = field(default_factory=list)

    def all(self) -> bytes:
        """Return everything, in the order in which it came."""
        return b"".join(self.data)


@contextmanager
def listening(address: str, serve: Callable[[socket.socket, Heard], None], port: int = 0) -> Iterator[Heard]:
    """Serve each connection to this address in a thread of its own; `port` 0 takes a free one."""
    listener = socket.create_server((address, port))
    heard = Heard(listener.getsockname()[1])
    connections: list[socket.socket] = []

    def work(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection, heard)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threading.Thread(target=work, args=(connection,), daemon=True).start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def dead_address(address: str) -> Iterator[tuple[str, int]]:
    """Give an address and a port to which every connection hangs, as one to a blackhole does.

    The backlog of a listener is full, so that the system ignores who else wants to connect.
    """
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server((address, 0), backlog=0))
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname()


def remember(connection: socket.socket, heard: Heard) -> None:
    """Take whatever comes and answer nothing."""
    while data := connection.recv(65536):
        heard.data.append(data)


def relay(port: int) -> Callable[[socket.socket, Heard], None]:
    """Return what carries everything to a port of this machine."""

    def serve(connection: socket.socket, heard: Heard) -> None:
        with socket.create_connection(("127.0.0.1", port)) as behind:
            pass_on(connection, behind, heard)

    return serve


def proxy(names: dict[str, int], user: str = "") -> Callable[[socket.socket, Heard], None]:
    """Return an HTTP proxy that only tunnels, to ports of this machine by names.

    `user`, as `name:password`, may use it.

    It remembers what is said to itself, and what passes through it as it passes.
    """
    wanted = b"Basic " + base64.b64encode(user.encode())

    def serve(connection: socket.socket, heard: Heard) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (data := connection.recv(65536)):
                return
            head += data
        heard.data.append(head)
        method, target, _ = head.split(b" ", 2)
        name = target.decode().partition(":")[0]
        if user and b"proxy-authorization: " + wanted.lower() not in head.lower():
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif method != b"CONNECT" or name not in names:
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        else:
            with socket.create_connection(("127.0.0.1", names[name])) as behind:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                pass_on(connection, behind, heard)

    return serve


def pass_on(one: socket.socket, other: socket.socket, heard: Heard) -> None:
    """Carry bytes both ways until one side has finished."""
    while True:
        for source in select.select([one, other], [], [])[0]:
            if not (data := source.recv(65536)):
                return
            heard.data.append(data)
            (other if source is one else one).sendall(data)
