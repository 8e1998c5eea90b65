"""Mishaps: connections that break, hang, or send what is no HTTP."""

from gate.simulator.deliveries import Drip, Drop, Flood, Point, Raw, Silence
from gate.simulator.mishap import Mishap

_OK = b"HTTP/1.1 200 OK\r\n"

BREAKS = (
    Mishap("closed before the headers", "Closes without a byte.", Drop),
    Mishap("closed in the headers", "Closes in the middle of the headers.", lambda: Drop(point=Point.HEADERS)),
    Mishap(
        "closed in the headers, nothing done",
        "The same, before anything was done.",
        lambda: Drop(point=Point.HEADERS, processed=False),
    ),
    Mishap("closed in the body", "Closes in the middle of the body.", lambda: Drop(point=Point.BODY)),
    Mishap("reset before the headers", "Resets without a byte.", lambda: Drop(reset=True)),
    Mishap("reset in the headers", "Resets in the middle.", lambda: Drop(point=Point.HEADERS, reset=True)),
    Mishap("reset in the body", "Resets in the middle.", lambda: Drop(point=Point.BODY, reset=True)),
    Mishap("silence", "Takes the request and never answers.", Silence),
    Mishap("drip in the headers", "A byte every 100 ms.", lambda: Drip(interval=0.1, headers=True)),
    Mishap("drip in the body", "A byte every 100 ms.", lambda: Drip(interval=0.1)),
    Mishap("no HTTP", "Another protocol.", lambda: Raw(data=b"SSH-2.0-OpenSSH_9.7\r\n")),
    Mishap("no status", "A status line without a number.", lambda: Raw(data=b"HTTP/1.1 OK\r\n\r\n")),
    Mishap("header line of 1 MB", "A line without end.", lambda: Raw(data=_OK + b"X: " + b"x" * 2**20 + b"\r\n\r\n")),
    Mishap("1000 headers", "Too many.", lambda: Raw(data=_OK + b"X: x\r\n" * 1000 + b"\r\n")),
    Mishap("malformed headers", "Commands for a terminal and a CI system.", lambda: Raw(
        data=_OK + b"::error::x\x1b[31m\r\nContent-Length: 2\r\n\r\n{}"
    )),
    Mishap("two lengths", "Nobody can say where the body ends.", lambda: Raw(
        data=_OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "
    )),
    Mishap("endless headers", "Header lines for ever.", lambda: Flood(start=_OK, piece=b"X: x\r\n" * 5)),
    Mishap("endless header line", "One line for ever.", lambda: Flood(start=_OK + b"X: ", piece=b"x" * 65536)),
    Mishap("endless interim answers", "100 Continue for ever.", lambda: Flood(
        piece=b"HTTP/1.1 100 Continue\r\n\r\n" * 50
    )),
    Mishap("endless chunk size", "A chunk whose size never ends.", lambda: Flood(
        start=_OK + b"Transfer-Encoding: chunked\r\n\r\n1", piece=b"0" * 65536
    )),
    Mishap("endless trailers", "Lines behind the body, for ever.", lambda: Flood(
        start=_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", piece=b"X: x\r\n" * 1000
    )),
    Mishap("chunk size of garbage", "No number.", lambda: Raw(
        data=_OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"
    )),
)  # fmt: skip
