"""From an HTTP answer to its payload, or to the error that it reports: four kinds of "status" are dealt with here.

The HTTP status, the gateway's error body, the envelope of the call (`"status": "success"`, which never speaks of a
build), and an error inside of an HTTP 200. What is left is the payload, whose words `gate.core.verdict` reads.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import accumulate
from typing import Any, NoReturn

from gate.codearts import auth_hints
from gate.codearts.error_mapping import classify
from gate.codearts.json_fields import Json
from gate.codearts.session import Reply
from gate.errors import InvalidAnswer, TransientError, Unauthorised
from gate.limits import MAX_JSON_BYTES, MAX_LOG, MAX_TEXT
from gate.text import one_line

Hide = Callable[[str], str]

_CODES = ("error_code", "err_code", "errCode", "errorCode", "code")


def payload(reply: Reply, what: str, hide: Hide, blank: Json | None = None) -> Json:
    """Return the JSON object of a good answer.

    `what`: what was asked for, for messages; `hide` blots out secrets in them. `blank`: what an empty body means, where
    it means anything. Raises a `ServiceError` for every answer that is an error or no answer.
    """
    good = 200 <= reply.status < 300
    if good and blank is not None and not reply.body.strip() and not reply.cut:
        return blank
    if good and reply.cut:
        raise InvalidAnswer(f"{what}: the answer {reply.cut}", status=reply.status)
    try:
        document: Json = hide_within(decode(reply.body), hide)
    except (ValueError, RecursionError) as error:
        if good:
            raise InvalidAnswer(f"{what}: the answer is no JSON object ({_kind(reply, hide)}): {error}") from None
        document = {}
    reported = error_of(document)
    if reported or not good:
        fail(reply, what, *(reported or explanation(document)), hide)
    return document


def last_lines(reply: Reply, what: str, lines: int, hide: Hide) -> list[str]:
    """Return the last lines of an answer that is plain text; one that is JSON is an error, whatever its HTTP status."""
    kind = reply.headers.get("Content-Type", "")
    if reply.status != 200 or "json" in kind:
        payload(reply, what, hide)
        raise InvalidAnswer(f"{what}: the answer is JSON, not text", status=reply.status)
    text = reply.body.decode("utf-8", errors="replace")
    if not reply.cut:
        return _tail(text, lines, hide)
    whole = text.rpartition("\n")[0]  # half a line may hold half a secret, which nothing would recognise
    return [*_tail(whole, lines, hide), f"[the log {reply.cut}; this is not its end]"]


def _tail(text: str, lines: int, hide: Hide) -> list[str]:
    """Return the last lines, as far as they can come to be shown; secrets are blotted out before anything is cut."""
    last = [line[: 4 * MAX_LOG] for line in text.removesuffix("\n").rsplit("\n", lines)[-lines:]]
    hidden = hide("\n".join(_bounded(last, 4 * MAX_LOG))).split("\n")
    return _bounded([line.rstrip("\r")[:MAX_TEXT] for line in hidden], MAX_LOG)


def _bounded(lines: list[str], limit: int) -> list[str]:
    """Return the last ones of some lines, of so many characters at most."""
    sizes = accumulate(len(line) + 1 for line in reversed(lines))
    count = sum(1 for size in sizes if size <= limit + 1)
    return lines[len(lines) - count :]


def decode(body: bytes) -> Json:
    """Read a JSON object, also one that comes as a JSON string; raises `ValueError` for anything else."""
    if len(body) > MAX_JSON_BYTES:
        raise ValueError(f"longer than {MAX_JSON_BYTES // 2**20} MiB")
    try:
        document = json.loads(body, parse_constant=_refuse_constant, object_pairs_hook=_unique)
        if isinstance(document, str):
            document = json.loads(document, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("not in UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at {error.pos}" if body else "empty") from None
    if not isinstance(document, dict):
        raise ValueError(f"a {type(document).__name__}")  # noqa: TRY004 - one kind of error for all unusable bodies
    return document


def hide_within(value: Any, hide: Hide) -> Any:
    """Return a document with the secrets in its texts and names blotted out: what it says comes to stand in reports."""
    match value:
        case str():
            return hide(value)
        case list():
            return [hide_within(item, hide) for item in value]
        case dict():
            return {hide(name): hide_within(item, hide) for name, item in value.items()}
        case _:
            return value


def error_of(document: Json) -> tuple[str, str] | None:
    """Return the code and the text of the error that an answer reports, in any of the service's shapes.

    An answer reports an error when it has an error code or its text, an `error` that is not empty, a `success` that is
    not true, or an envelope `status` other than `success`.
    """
    code, message = explanation(document)
    told = any(document.get(name) not in (None, "") for name in (*_CODES, "error_msg", "errorMsg"))
    status = document.get("status")
    if told or document.get("error") or document.get("success", True) is not True or status not in (None, "success"):
        return code, message or f"status: {status}"
    return None


def explanation(document: Json) -> tuple[str, str]:
    """Return the code and the text by which an answer would explain an error; empty where it has none."""
    error = document.get("error")
    places = (error if isinstance(error, dict) else {"message": error}, document)
    return _first(places, *_CODES), _first(places, "error_msg", "reason", "message", "errorMsg")


def fail(reply: Reply, what: str, code: str, message: str, hide: Hide) -> NoReturn:
    """Raise the error that an answer reports."""
    kind = classify(reply.status, code)
    parts = [part for part in (code, message) if part]
    target = reply.headers.get("Location")
    if target and 300 <= reply.status < 400:
        parts.append(f"it redirects to {target.partition('?')[0]}, which the gate does not follow")
    text = one_line(hide(" ".join(parts))).rstrip(". ") or f"without an explanation ({_kind(reply, hide)})"
    hint = auth_hints.hint(code, message) if kind is Unauthorised else ""
    error = kind(f"{what}: HTTP {reply.status}, {text}", status=reply.status, code=code, hint=hint)
    if isinstance(error, TransientError):
        error.retry_after = retry_after(reply.headers.get("Retry-After", ""), datetime.now(UTC))
    raise error


def _kind(reply: Reply, hide: Hide) -> str:
    """Say what an answer that cannot be read is said to be."""
    return one_line(hide(reply.headers.get("Content-Type", "no type")), limit=40) if reply.body else "no body"


def retry_after(value: str, now: datetime) -> float | None:
    """Read a `Retry-After` header, seconds or an HTTP date, as seconds from `now`; `None` when it is neither."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        then = parsedate_to_datetime(value)
        return max((then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds(), 0.0)
    except (ValueError, OverflowError):
        return None


def _first(places: tuple[Json, ...], *names: str) -> str:
    """Return the first value that is a text or a number and not empty."""
    for place in places:
        for name in names:
            value = place.get(name)
            if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
                return str(value)
    return ""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    """Refuse an object that has a name twice: nobody could say which value counts."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return document
