"""A connection to whichever address of a host answers first: the addresses share the time of one request.

Plain `socket.create_connection` gives each address the whole time, one after the other, so that a dead first one (a
broken IPv6 route, one dead record) leaves nothing for the others. Here the next address is tried soon, while those
before it may still answer (RFC 8305, "Happy Eyeballs").
"""

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any

from gate.value_types import NamedTuple

STAGGER = 0.25
"""Seconds after which the next address is tried (RFC 8305, section 8); less where the time is short."""

_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What this machine says of addresses to which it has no way, such as every IPv6 address without IPv6."""

SocketOptions = Iterable[tuple[int, int, int | bytes]]


class Address(NamedTuple):
    """An address of a host, as `socket.socket` and `connect` take it."""

    family: int
    kind: int
    protocol: int
    place: Any


def connect(host: str, port: int, seconds: float, options: SocketOptions = ()) -> socket.socket:
    """Return a connection to the host, with what is left of `seconds` as its timeout.

    Raises `socket.gaierror` when the name has no address, `TimeoutError` when no address has answered in time, and
    `OSError` when all have failed. The look-up of the name cannot be interrupted; its time counts.
    """
    until = time.monotonic() + seconds
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    if not found:  # of a resolver that has no error for it
        raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
    addresses = _mixed([Address(int(row[0]), int(row[1]), row[2], row[4]) for row in found])
    connection = _first(addresses, until, tuple(options))
    connection.settimeout(max(until - time.monotonic(), 0.001))
    return connection


def _mixed(addresses: Sequence[Address]) -> list[Address]:
    """Return the addresses in the order of the look-up, but with the families taking turns."""
    first = [address for address in addresses if address.family == addresses[0].family]
    others = [address for address in addresses if address.family != addresses[0].family]
    return [address for address in chain(*zip_longest(first, others)) if address is not None]


def _first(addresses: Sequence[Address], until: float, options: SocketOptions) -> socket.socket:
    """Return a connection to the address that answers first."""
    left, errors = deque(addresses), []
    start_at = time.monotonic()
    stagger = min(STAGGER, (until - start_at) / (len(addresses) + 1))
    with selectors.DefaultSelector() as waiting:
        try:
            while left or waiting.get_map():
                now = time.monotonic()
                if now >= until:
                    raise TimeoutError(errno.ETIMEDOUT, "no address has answered in time")
                if left and now >= start_at:
                    try:
                        waiting.register(_start(left.popleft(), options), selectors.EVENT_WRITE)
                        start_at = now + stagger
                    except OSError as error:  # at once, so that the next one is due
                        errors.append(error)
                    continue
                for key, _ in waiting.select((min(until, start_at) if left else until) - now):
                    answered: Any = key.fileobj
                    waiting.unregister(answered)
                    if not (number := answered.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                        return answered  # type: ignore[no-any-return]  # what `_start` has returned
                    answered.close()
                    errors.append(OSError(number, os.strerror(number)))
                    start_at = now
        finally:
            for key in list(waiting.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]
    raise next((error for error in errors if error.errno not in _NO_WAY), errors[0])


def _start(address: Address, options: SocketOptions) -> socket.socket:
    """Begin to connect to an address."""
    connection = socket.socket(address.family, address.kind, address.protocol)
    try:
        for option in options:
            connection.setsockopt(*option)
        connection.setblocking(False)
        with suppress(BlockingIOError):  # it is under way
            connection.connect(address.place)
    except OSError:
        connection.close()
        raise
    return connection
