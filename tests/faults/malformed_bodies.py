"""Answers with HTTP 200 whose body is not what it should be."""

import functools
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gate.simulator.exchange import HttpAnswer
from tests.faults.named_faults import NamedFault, Nature, Reach
from tests.faults.response_faults import AlterAnswer, ReplaceAnswer, ResponseFault
from tests.faults.transport_faults import Endless, TransportFault

MEBIBYTE = 1024 * 1024


def _fault(
    name: str, description: str, make: Callable[[], ResponseFault | TransportFault], **fields: Any
) -> NamedFault:
    return NamedFault(name=name, description=description, make=make, **fields)


def _changed(change: Callable[[bytes], bytes], **fields: Any) -> Callable[[], AlterAnswer]:
    """Change the body of the service's own answer, and other fields of it."""

    def alter(answer: HttpAnswer) -> HttpAnswer:
        assert isinstance(answer.body, bytes)
        return replace(answer, body=change(answer.body), **fields)

    return lambda: AlterAnswer(alter)


def _body(body: bytes, **fields: Any) -> Callable[[], ReplaceAnswer]:
    """Send this body."""
    return lambda: ReplaceAnswer(HttpAnswer(body=body, **fields))


def _large() -> ReplaceAnswer:
    """Send 100 MiB of JSON that has not ended yet."""
    return ReplaceAnswer(HttpAnswer(body=[b'{"a":"', *[b"x" * MEBIBYTE] * 100]))


@functools.cache
def _bomb() -> bytes:
    """Return some 200 KiB of gzip that unpack to 200 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = packer.compress(b" " * MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    other = packer.compress(b" " * MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + other * 199


def _packed() -> ReplaceAnswer:
    return ReplaceAnswer(HttpAnswer(body=_bomb(), headers={"Content-Encoding": "gzip"}))


def _quoted(body: bytes) -> bytes:
    """Return a JSON string that holds the answer."""
    return json.dumps(body.decode()).encode()


def _twice(body: bytes) -> bytes:
    """Return a record that has failed, with `status` a second time as `SUCCESS`."""
    document = json.loads(body if body.startswith(b"{") else b"{}")
    result = json.dumps({**document.get("result", {}), "status": "FAILURE"})[:-1] + ', "status": "SUCCESS"}'
    return b'{"error": null, "status": "success", "result": ' + result.encode() + b"}"


def _half_characters(body: bytes) -> bytes:
    """Put half a character in front of every text but the word for a successful call."""
    return body.replace(b'": "', b'": "\\ud800').replace(b'"\\ud800success"', b'"success"')


def _many_stages(_body: bytes) -> bytes:
    """Return 20,000 stages in place of anything."""
    stages = ",".join(f'"s{number}":{{}}' for number in range(20_000))
    return f'{{"status":"success","error":null,"result":{{"build_stages":{{{stages}}}}}}}'.encode()


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


MALFORMED_BODIES = (
    _fault("empty body", "No byte, and a length of 0.", _body(b"")),
    _fault("HTML", "A page of a proxy or of a sign-in.", _body(b"<html>Sign in</html>", content_type="text/html")),
    _fault("truncated JSON", "Half of the answer, sent as a whole one.", _changed(_half)),
    _fault("a JSON list", "The answer in a list.", _changed(lambda body: b"[" + body + b"]")),
    _fault("JSON in a JSON text", "The answer as a JSON string.", _changed(_quoted), nature=Nature.HARMLESS),
    _fault("JSON in a JSON text twice", "The same, twice.", _changed(lambda body: _quoted(_quoted(body)))),
    _fault(
        "wrong content type",
        "JSON that is said to be a picture.",
        _changed(bytes, content_type="image/png"),
        nature=Nature.HARMLESS,
    ),
    _fault(
        "wrong charset",
        "UTF-8 that is said to be something else.",
        _changed(bytes, content_type="application/json; charset=no-such"),
        nature=Nature.HARMLESS,
    ),
    _fault(
        "not UTF-8",
        "Latin-1.",
        _changed(lambda body: body.replace(b'"error"', b'"\xe9\xff"')),
        spoils_sign_in=False,
    ),
    _fault("UTF-16", "With its mark.", _changed(lambda body: body.decode().encode("utf-16")), nature=Nature.HARMLESS),
    _fault(
        "byte order mark",
        "UTF-8 with a mark in front.",
        _changed(lambda body: b"\xef\xbb\xbf" + body),
        nature=Nature.HARMLESS,
    ),
    _fault("NUL bytes", "Zeros in front.", _changed(lambda body: bytes(64) + body)),
    _fault("deep nesting", "100,000 lists in one another.", _body(b"[" * 100_000 + b"]" * 100_000)),
    _fault(
        "deep nesting of objects",
        "100,000 objects in one another.",
        _body(b'{"result":' * 100_000 + b"1" + b"}" * 100_000),
    ),
    _fault("100 MB", "A body that is too large.", _large, hangs=True, exclusive=True, heavy=True),
    _fault("gzip bomb", "200 KB that unpack to 200 MB.", _packed, hangs=True, exclusive=True, heavy=True),
    _fault(
        "gzip in name only",
        "Plain text that is said to be packed.",
        _changed(bytes, headers={"Content-Encoding": "gzip"}),
    ),
    _fault("duplicate keys", "The word stands twice: FAILURE, then SUCCESS.", _changed(_twice)),
    _fault("NaN", "A value that JSON does not have.", _body(b'{"status": "success", "error": null, "result": NaN}')),
    _fault("huge integer", "A number of 5000 digits.", _body(b'{"result": {"build_no": ' + b"9" * 5000 + b"}}")),
    _fault(
        "huge float",
        "1e999.",
        _body(b'{"result": {"build_no": 1e999, "number": 1e999, "status": "SUCCESS"}}'),
        spoils_stages=False,
    ),
    _fault(
        "lone surrogates",
        "Half characters in every text, ids included.",
        _changed(_half_characters),
        reach=Reach.OF_BUILD,
        spoils_order=True,
    ),
    _fault(
        "20,000 stages",
        "As many stages as a large answer holds.",
        _changed(_many_stages),
        spoils_stages=False,
        spoils_sign_in=False,
        exclusive=True,
        heavy=True,
    ),
    _fault(
        "endless body",
        "Chunks without an end.",
        lambda: Endless(piece=b" " * 65536),
        hangs=True,
        exclusive=True,
    ),
    _fault(
        "endless slow body", "Chunks without an end, slowly.", lambda: Endless(interval=0.1), hangs=True, exclusive=True
    ),
    _fault(
        "Content-Length too long",
        "The body is shorter than said.",
        _changed(bytes, headers={"Content-Length": "100000"}),
        hangs=True,
        exclusive=True,
    ),
    _fault(
        "Content-Length too short", "The body is longer than said.", _changed(bytes, headers={"Content-Length": "10"})
    ),
    _fault(
        "Content-Length negative", "A length below 0.", _changed(bytes, headers={"Content-Length": "-5"}), hangs=True
    ),
    _fault(
        "Date in the year 9999",
        "A clock at the end of time.",
        _changed(bytes, headers={"Date": "Fri, 31 Dec 9999 23:59:59 GMT"}),
        nature=Nature.HARMLESS,
        moves_clock=True,
    ),
    _fault(
        "Date beyond all years",
        "A clock out of order.",
        _changed(bytes, headers={"Date": "Fri, 31 Dec 99999999999 23:59:59 GMT"}),
        nature=Nature.HARMLESS,
        moves_clock=True,
    ),
)
