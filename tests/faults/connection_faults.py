"""Connections that break, hang, or carry something other than HTTP."""

from collections.abc import Callable

from tests.faults.named_faults import NamedFault
from tests.faults.transport_faults import Drip, Drop, Flood, Point, Raw, Silence, TransportFault

_OK = b"HTTP/1.1 200 OK\r\n"


def _fault(name: str, description: str, make: Callable[[], TransportFault], **fields: bool) -> NamedFault:
    return NamedFault(name=name, description=description, make=make, **fields)  # type: ignore[arg-type]


CONNECTION_FAULTS = (
    _fault("closed before the headers", "Closes without a byte.", Drop, spoils_text=True),
    _fault("closed in the headers", "Closes in the middle of the headers.", lambda: Drop(point=Point.HEADERS)),
    _fault(
        "closed in the headers, nothing done",
        "The same, before anything was done.",
        lambda: Drop(point=Point.HEADERS, processed=False),
    ),
    _fault("closed in the body", "Closes in the middle of the body.", lambda: Drop(point=Point.BODY)),
    _fault("reset before the headers", "Resets without a byte.", lambda: Drop(reset=True), spoils_text=True),
    _fault("reset in the headers", "Resets in the middle.", lambda: Drop(point=Point.HEADERS, reset=True)),
    _fault("reset in the body", "Resets in the middle.", lambda: Drop(point=Point.BODY, reset=True)),
    _fault("silence", "Takes the request and never answers.", Silence, spoils_text=True, hangs=True, exclusive=True),
    _fault(
        "drip in the headers",
        "A byte every 100 ms.",
        lambda: Drip(interval=0.1, headers=True),
        spoils_text=True,
        hangs=True,
        exclusive=True,
    ),
    _fault("drip in the body", "A byte every 100 ms.", lambda: Drip(interval=0.1), hangs=True, exclusive=True),
    _fault("no HTTP", "Another protocol.", lambda: Raw(data=b"SSH-2.0-OpenSSH_9.7\r\n"), spoils_text=True),
    _fault("no status", "A status line without a number.", lambda: Raw(data=b"HTTP/1.1 OK\r\n\r\n")),
    _fault(
        "header line of 1 MB", "A line without an end.", lambda: Raw(data=_OK + b"X: " + b"x" * 2**20 + b"\r\n\r\n")
    ),
    _fault("1000 headers", "Too many.", lambda: Raw(data=_OK + b"X: x\r\n" * 1000 + b"\r\n")),
    _fault(
        "malformed headers",
        "Commands for a terminal and a CI system.",
        lambda: Raw(data=_OK + b"::error::x\x1b[31m\r\nContent-Length: 2\r\n\r\n{}"),
    ),
    _fault(
        "two lengths",
        "Nobody can say where the body ends.",
        lambda: Raw(data=_OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
    ),
    _fault(
        "endless headers",
        "Header lines without an end.",
        lambda: Flood(start=_OK, piece=b"X: x\r\n" * 5),
        hangs=True,
        exclusive=True,
    ),
    _fault(
        "endless header line",
        "One line without an end.",
        lambda: Flood(start=_OK + b"X: ", piece=b"x" * 65536),
        hangs=True,
        exclusive=True,
    ),
    _fault(
        "endless interim answers",
        "100 Continue without an end.",
        lambda: Flood(piece=b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
        hangs=True,
        exclusive=True,
    ),
    _fault(
        "endless chunk size",
        "A chunk whose size has no end.",
        lambda: Flood(start=_OK + b"Transfer-Encoding: chunked\r\n\r\n1", piece=b"0" * 65536),
        hangs=True,
        exclusive=True,
    ),
    _fault(
        "endless trailers",
        "Lines behind the body, without an end.",
        lambda: Flood(start=_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", piece=b"X: x\r\n" * 1000),
        hangs=True,
        exclusive=True,
    ),
    _fault(
        "chunk size of garbage",
        "A size that is not a number.",
        lambda: Raw(data=_OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
    ),
)
