"""Mishaps: answers with HTTP 200 whose body is not what it should be."""

import functools
import json
import zlib
from collections.abc import Callable
from dataclasses import replace

from gate.simulator.answers import Answer
from gate.simulator.deliveries import Endless
from gate.simulator.mishap import Mishap
from gate.simulator.shapes import Alter, Reply

MEBIBYTE = 1024 * 1024


def _changed(change: Callable[[bytes], bytes], **fields: object) -> Callable[[], Alter]:
    """Change the body of the service's own answer, and other fields of it."""

    def alter(answer: Answer) -> Answer:
        assert isinstance(answer.body, bytes)
        return replace(answer, body=change(answer.body), **fields)  # type: ignore[arg-type]

    return lambda: Alter(alter)


def _body(body: bytes, **fields: object) -> Callable[[], Reply]:
    """Send this body."""
    return lambda: Reply(Answer(body=body, **fields))  # type: ignore[arg-type]


def _large() -> Reply:
    """Send 100 MiB of JSON that has not ended yet."""
    return Reply(Answer(body=[b'{"a":"', *[b"x" * MEBIBYTE] * 100]))


@functools.cache
def _bomb() -> bytes:
    """Return some 200 KiB of gzip that unpack to 200 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = packer.compress(b" " * MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    other = packer.compress(b" " * MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + other * 199


def _quoted(body: bytes) -> bytes:
    """Return a JSON string that holds the answer."""
    return json.dumps(body.decode()).encode()


def _twice(body: bytes) -> bytes:
    """Return a record that has failed, and a second time `status` with `SUCCESS`."""
    document = json.loads(body if body.startswith(b"{") else b"{}")
    result = json.dumps({**document.get("result", {}), "status": "FAILURE"})[:-1] + ', "status": "SUCCESS"}'
    return b'{"error": null, "status": "success", "result": ' + result.encode() + b"}"


def _many_stages(body: bytes) -> bytes:  # noqa: ARG001 - a change of a body
    """Return 20,000 stages in place of anything."""
    stages = ",".join(f'"s{number}":{{}}' for number in range(20_000))
    return f'{{"status":"success","error":null,"result":{{"build_stages":{{{stages}}}}}}}'.encode()


GARBAGE = (
    Mishap("empty body", "Nothing, and says so.", _body(b"")),
    Mishap("HTML", "A page of a proxy or of a sign-in.", _body(b"<html>Sign in</html>", content_type="text/html")),
    Mishap("truncated JSON", "Half of the answer, as if it were whole.", _changed(lambda body: body[: len(body) // 2])),
    Mishap("a JSON list", "The answer in a list.", _changed(lambda body: b"[" + body + b"]")),
    Mishap("JSON in a JSON text", "The answer as a JSON string, once.", _changed(_quoted)),
    Mishap("JSON in a JSON text twice", "The same, twice.", _changed(lambda body: _quoted(_quoted(body)))),
    Mishap("wrong content type", "JSON that is said to be a picture.", _changed(bytes, content_type="image/png")),
    Mishap(
        "wrong charset", "UTF-8 that is said to be something else.",
        _changed(bytes, content_type="application/json; charset=no-such"),
    ),
    Mishap("not UTF-8", "Latin-1.", _changed(lambda body: body.replace(b'"error"', b'"\xe9\xff"'))),
    Mishap("UTF-16", "With its mark.", _changed(lambda body: body.decode().encode("utf-16"))),
    Mishap("byte order mark", "UTF-8 with a mark in front.", _changed(lambda body: b"\xef\xbb\xbf" + body)),
    Mishap("NUL bytes", "Zeros in front.", _changed(lambda body: bytes(64) + body)),
    Mishap("deep nesting", "100,000 lists in one another.", _body(b"[" * 100_000 + b"]" * 100_000)),
    Mishap(
        "deep nesting of objects", "100,000 objects in one another.",
        _body(b'{"result":' * 100_000 + b"1" + b"}" * 100_000),
    ),
    Mishap("100 MB", "A body that is too large.", _large),
    Mishap("gzip bomb", "200 KB that unpack to 200 MB.", lambda: Reply(
        Answer(body=_bomb(), headers={"Content-Encoding": "gzip"})
    )),
    Mishap("gzip in name only", "Plain text that is said to be packed.", _changed(
        bytes, headers={"Content-Encoding": "gzip"}
    )),
    Mishap("duplicate keys", "The word stands twice: FAILURE, then SUCCESS.", _changed(_twice)),
    Mishap("NaN", "What is no JSON.", _body(b'{"status": "success", "error": null, "result": NaN}')),
    Mishap("huge integer", "A number of 5000 digits.", _body(b'{"result": {"build_no": ' + b"9" * 5000 + b"}}")),
    Mishap("huge float", "1e999.", _body(b'{"result": {"build_no": 1e999, "number": 1e999, "status": "SUCCESS"}}')),
    Mishap("lone surrogates", "Half characters in every text.", _changed(
        lambda body: body.replace(b'": "', b'": "\\ud800').replace(b'"\\ud800success"', b'"success"')
    )),
    Mishap("20,000 stages", "As many stages as a large answer holds.", _changed(_many_stages)),
    Mishap("endless body", "Chunks without an end.", lambda: Endless(piece=b" " * 65536)),
    Mishap("endless slow body", "Chunks without an end, slowly.", lambda: Endless(interval=0.1)),
    Mishap("Content-Length too long", "The body is shorter than said.", _changed(
        bytes, headers={"Content-Length": "100000"}
    )),
    Mishap("Content-Length too short", "The body is longer than said.", _changed(
        bytes, headers={"Content-Length": "10"}
    )),
    Mishap("Content-Length negative", "A length that is none.", _changed(bytes, headers={"Content-Length": "-5"})),
    Mishap("Date in the year 9999", "A clock at the end of time.", _changed(
        bytes, headers={"Date": "Fri, 31 Dec 9999 23:59:59 GMT"}
    )),
    Mishap("Date beyond all years", "A clock out of order.", _changed(
        bytes, headers={"Date": "Fri, 31 Dec 99999999999 23:59:59 GMT"}
    )),
)  # fmt: skip
