"""Return the payload of an HTTP answer, or raise the error that it reports.

Four kinds of status are checked here: the HTTP status, the error body of the gateway, the envelope of the call
(`"status": "success"`, which says nothing about a build), and an error inside an HTTP 200. The words of the payload are
interpreted in `gate.core.verdict`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from gate.codearts.error_mapping import advice_on_refusal, classify, is_known_origin
from gate.codearts.json_fields import Json, is_number
from gate.errors import (
    CredentialRefused,
    Forbidden,
    InvalidAnswer,
    Refused,
    ServiceError,
    TransientError,
    Unauthorised,
)
from gate.limits import MAX_BYTES
from gate.text import one_line
from gate.value_types import dataclass

Hide = Callable[[str], str]

MAX_ERROR_BYTES = 64 * 1024
"""Larger answers with HTTP 200 are not searched for an error of the gateway."""

_CODES = ("error_code", "err_code", "errCode", "errorCode", "code")


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers and body of an HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    cut: str = ""
    """Why the body is incomplete; empty for a complete one."""
    credential_worked: bool = False
    """Whether the credential was accepted before, so that a refusal may pass by itself."""
    token_worked: bool = False
    """Whether the very token of the request was accepted before: the credential may have had others."""


def payload(reply: Reply, what: str, hide: Hide, blank: Json | None = None) -> Json:
    """Return the JSON object of a successful answer.

    `what` names what was asked for, for messages; `hide` masks secrets. `blank` is the value of an empty body, where an
    empty body is valid. Raises a `ServiceError` for every other answer.
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
            raise InvalidAnswer(f"{what}: the answer is not a JSON object ({_kind(reply, hide)}): {error}") from None
        document = {}
    reported = error_of(document)
    if reported or not good:
        fail(reply, what, *(reported or explanation(document)), hide)
    return document


def check_text(reply: Reply, what: str, hide: Hide) -> None:
    """Raise the error that the answer is in place of a text. A JSON answer is one, whatever its HTTP status."""
    kind = reply.headers.get("Content-Type", "")
    if reply.status != 200 or "json" in kind:
        payload(reply, what, hide)
        raise InvalidAnswer(f"{what}: the answer is JSON, not text", status=reply.status)


def decode(body: bytes) -> Json:
    """Parse a JSON object, also one inside a JSON string. Raises `ValueError` for anything else."""
    if len(body) > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES // 2**20} MiB")
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
    """Return a document with the secrets in its texts masked, because these may appear in reports.

    Numbers that come as text stay as they are: a secret of digits may be a part of one. So do the names of fields.
    """
    match value:
        case str():
            return value if is_number(value) else hide(value)
        case list():
            return [hide_within(item, hide) for item in value]
        case dict():
            return {name: hide_within(item, hide) for name, item in value.items()}
        case _:
            return value


def error_of(document: Json) -> tuple[str, str] | None:
    """Return the code and the text of the error that an answer reports, in any of the service's formats.

    An answer reports an error when it has an error code or an error text, a non-empty `error`, a `success` that is not
    true, or an envelope `status` other than `success`.
    """
    code, message = explanation(document)
    has_error_field = any(document.get(name) not in (None, "") for name in (*_CODES, "error_msg", "errorMsg"))
    status = document.get("status")
    if (
        has_error_field
        or document.get("error")
        or document.get("success", True) is not True
        or status not in (None, "success")
    ):
        return code, message or f"status: {status}"
    return None


def explanation(document: Json) -> tuple[str, str]:
    """Return the error code and the error text of an answer, each empty if missing."""
    error = document.get("error")
    places = (error if isinstance(error, dict) else {"message": error}, document)
    return _first(places, *_CODES), _first(places, "error_msg", "reason", "message", "errorMsg")


def reported_error(reply: Reply) -> tuple[type[ServiceError], str] | None:
    """Return the class and the code of the error that an answer reports; `None` for a successful answer."""
    good = 200 <= reply.status < 300
    if good and len(reply.body) > MAX_ERROR_BYTES:
        return None
    try:
        document = decode(reply.body)
    except (ValueError, RecursionError):
        document = {}
    reported = error_of(document)
    if good and reported is None:
        return None
    code = (reported or explanation(document))[0]
    return classify(reply.status, code), code


def fail(reply: Reply, what: str, code: str, message: str, hide: Hide) -> NoReturn:
    """Raise the error that an answer reports.

    A refusal after the credential has worked is a transient error: of the service if it has one of its codes, else of a
    proxy or of a web page in its place.
    """
    refused = kind = classify(reply.status, code)
    if reply.credential_worked and kind in (Unauthorised, Forbidden, Refused):
        if not is_known_origin(code):
            kind = InvalidAnswer
        elif kind is not Refused:
            kind = CredentialRefused
    parts = [part for part in (code, message) if part]
    target = reply.headers.get("Location")
    if target and 300 <= reply.status < 400:
        parts.append(f"it redirects to {target.partition('?')[0]}, which the gate does not follow")
    text = one_line(hide(" ".join(parts))).rstrip(". ") or f"no explanation ({_kind(reply, hide)})"
    hint = ""
    if kind is not InvalidAnswer and refused in (Unauthorised, Forbidden):
        hint = advice_on_refusal(code, message, has_worked=reply.token_worked)
    elif kind is InvalidAnswer and is_known_origin(code):  # with HTTP 200: it is the service that has answered
        hint = TransientError.hint
    error = kind(f"{what}: HTTP {reply.status}, {text}", status=reply.status, code=code, hint=hint)
    if isinstance(error, CredentialRefused):
        error.kind = Forbidden if refused is Forbidden else Unauthorised
    if isinstance(error, TransientError):
        error.retry_after = retry_after(reply.headers.get("Retry-After", ""), datetime.now(UTC))
    raise error


def _kind(reply: Reply, hide: Hide) -> str:
    """Return the content type of an unreadable answer, or that it has no body."""
    return one_line(hide(reply.headers.get("Content-Type", "no content type")), limit=40) if reply.body else "no body"


def retry_after(value: str, now: datetime) -> float | None:
    """Return a `Retry-After` header (seconds or an HTTP date) as seconds from `now`; `None` when it is neither."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        instant = parsedate_to_datetime(value)
        return max((instant.replace(tzinfo=instant.tzinfo or UTC) - now).total_seconds(), 0.0)
    except (ValueError, OverflowError):
        return None


def _first(places: tuple[Json, ...], *names: str) -> str:
    """Return the first non-empty text or integer among the named fields."""
    for place in places:
        for name in names:
            value = place.get(name)
            if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
                return str(value)
    return ""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not allowed in JSON")


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    """Reject an object with a duplicate name: it would be unclear which value counts."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("one object has the same name twice")
    return document
