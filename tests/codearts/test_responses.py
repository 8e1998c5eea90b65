"""The payload of an HTTP answer, or its error in every format that the service uses."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.codearts import responses
from gate.codearts.error_mapping import classify
from gate.codearts.responses import Reply
from gate.errors import (
    Forbidden,
    InvalidAnswer,
    NotFound,
    PermanentError,
    Refused,
    RouteMissing,
    ServiceError,
    ServiceFailing,
    Throttled,
    TransientError,
    Unauthorised,
)
from tests.tables import each_row

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
VENDOR = sorted((Path(__file__).parent / "vendor").glob("*.json"))


def reply(body: Any, status: int = 200, **headers: str) -> Reply:
    """Return an answer; a body of another type than bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def error_of(answer: Reply) -> ServiceError:
    """Return the error that an answer reports."""
    with pytest.raises(ServiceError) as caught:
        responses.payload(answer, "build 57", lambda text: text.replace("hush", "***"))
    return caught.value


@each_row("path", VENDOR)
def test_vendors_example_is_no_error(path: Path) -> None:
    """Each published example of a good answer is one, also when it comes as a JSON string."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for body in (document, json.dumps(document)):
        assert responses.payload(reply(body), "x", str) == document


CODE = "CB.00060100"
SHAPES = [
    {"error_code": CODE, "error_msg": "why"},
    {"error_code": CODE, "error_msg": "why", "result": {"status": "SUCCESS"}},
    {"errorCode": CODE, "errorMsg": "why"},
    {"code": CODE, "message": "why"},
    {"status": "error", "error": {"code": CODE, "reason": "why"}, "result": None},
    {"status": "error", "error": {"code": CODE, "message": "why"}},
    {"status": "success", "error": {"code": CODE, "message": "why"}, "result": {"status": "SUCCESS"}},
    {"success": False, "message": "why", "err_code": CODE, "result": {"status": "SUCCESS"}},
    {"success": False, "message": "why", "errCode": CODE},
]


@each_row("status", [200, 400, 500])
@each_row("shape", SHAPES)
@each_row("as_text", [False, True])
def test_error_is_found_in_every_shape(shape: dict[str, Any], status: int, as_text: bool) -> None:
    """With any HTTP status, 200 included, and also when the body is a JSON string."""
    error = error_of(reply(json.dumps(shape) if as_text else shape, status))
    assert (type(error), error.code, error.status) == (ServiceFailing, CODE, status)
    assert "why" in str(error)


@each_row(
    "document",
    [
        {"status": "fail", "result": {"status": "SUCCESS"}},
        {"status": "failed", "error": "why", "result": None},
        {"status": "SUCCESS", "result": {"status": "SUCCESS"}},
        {"status": "Success"},
        {"status": True},
        {"status": ["success"]},
        {"status": "success", "error": "why"},
        {"status": "success", "error": True},
        {"status": "success", "error": ["why"]},
        {"status": "success", "error_msg": "why", "result": {"status": "SUCCESS"}},
        {"status": "success", "errorMsg": "why"},
        {"status": "success", "error_code": ["x"]},
        {"status": "success", "errCode": {"x": 1}},
        {"success": False},
        {"success": None},
        {"success": "true"},
        {"success": 1},
    ],
)
def test_envelope_that_is_not_exactly_good_is_an_error(document: dict[str, Any]) -> None:
    """A failed call without an error code is an invalid answer, which is transient."""
    assert type(error_of(reply(document))) is InvalidAnswer


def test_envelope_of_a_failed_call_without_a_text_is_told_by_its_status() -> None:
    """There is always something to say."""
    assert "status: fail" in str(error_of(reply({"status": "fail"})))


@each_row("error", [None, {}, "", [], False])
def test_empty_error_beside_success_is_none(error: object) -> None:
    """The vendor's example of ListBriefRecord has an empty object there."""
    assert responses.payload(reply({"status": "success", "error": error, "result": 1}), "x", str)["result"] == 1


@each_row(
    ("body", "kind", "words"),
    [
        (b'{"message": "Not Found"}', "application/json", "HTTP 404, Not Found"),
        (b"<html>nope</html>", "text/html", "HTTP 404, no explanation (text/html)"),
        (b"", "", "HTTP 404, no explanation (no body)"),
    ],
)
def test_error_without_a_code_is_described_by_the_answer(body: bytes, kind: str, words: str) -> None:
    """Another web server than the service answers like this."""
    assert words in str(error_of(reply(body, 404, Content_Type=kind)))


NO_OBJECTS = [b"", b" ", b"null", b"true", b"57", b"[]", b'[{"result": 1}]', b'"SUCCESS"', b'"\\"{}\\""', b"<html>"]
BROKEN = [
    b"{",
    b"{}{}",
    b'{"result": {"status": "SUC',
    b'{"result": NaN}',
    b'{"a": 1, "a": 2}',
    b"\xff\xfe",
    b"\xef\xbb\xbf",
]
DEEP = [b"[" * 100_000, b'{"a":' * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b'"' + b"[" * 100_000 + b'"']


@each_row("body", [*NO_OBJECTS, *BROKEN, *DEEP])
def test_body_that_is_not_a_json_object_is_an_invalid_answer(body: bytes) -> None:
    """Also when it is nested too deeply, has duplicate names, is not in UTF-8, or is incomplete."""
    error = error_of(reply(body, Content_Type="text/html"))
    assert type(error) is InvalidAnswer
    assert len(str(error)) < 400


def test_incomplete_body_is_an_invalid_answer() -> None:
    """Even if the part that arrived is valid JSON."""
    with pytest.raises(InvalidAnswer, match="broke off"):
        responses.payload(Reply(200, {}, b'{"result": true}', "broke off after 16 bytes"), "x", str)


@each_row(
    ("status", "kind"),
    [
        (300, Refused),
        (302, Refused),
        (400, Refused),
        (401, Unauthorised),
        (403, Forbidden),
        (404, Refused),
        (407, Unauthorised),
        (408, ServiceFailing),
        (413, Refused),
        (425, ServiceFailing),
        (429, Throttled),
        (500, ServiceFailing),
        (502, ServiceFailing),
        (503, ServiceFailing),
        (504, ServiceFailing),
        (599, ServiceFailing),
    ],
)
@each_row("body", [b"", b"<html>busy</html>", b'{"result": {"status": "SUCCESS"}}'])
def test_http_status_decides_where_no_code_does(status: int, kind: type[ServiceError], body: bytes) -> None:
    """Whatever the body is, also one that would be a pass with 200."""
    error = error_of(reply(body, status))
    assert (type(error), error.status) == (kind, status)


GATEWAY = {
    ("0101", 404): RouteMissing,
    ("0201", 400): Refused,
    ("0201", 413): Refused,
    ("0201", 502): ServiceFailing,
    ("0201", 504): ServiceFailing,
    ("0203", 504): ServiceFailing,
    ("0301", 401): Unauthorised,
    ("0302", 403): Forbidden,
    ("0303", 401): Unauthorised,
    ("0304", 403): Forbidden,
    ("0305", 401): Unauthorised,
    ("0306", 403): Forbidden,
    ("0307", 401): Unauthorised,
    ("0308", 429): Throttled,
    ("0310", 403): Forbidden,
    ("0401", 403): Forbidden,
    ("0601", 500): ServiceFailing,
    ("0610", 502): ServiceFailing,
    ("0613", 503): ServiceFailing,
    ("0801", 403): Forbidden,
    ("0101", 504): ServiceFailing,  # an order may have gone through, and must not be sent by the next route
    ("0101", 200): InvalidAnswer,
    ("9999", 418): Refused,
}


@each_row("prefix", ["APIGW", "APIG"])
@each_row(("case", "kind"), GATEWAY.items())
def test_gateways_code_is_understood(prefix: str, case: tuple[str, int], kind: type[ServiceError]) -> None:
    """Both prefixes have the same numbers."""
    assert classify(case[1], f"{prefix}.{case[0]}") is kind


SERVICE = {
    ("CB.00060100", 500): ServiceFailing,
    ("CB.00060101", 500): ServiceFailing,
    ("CB.00060200", 400): Refused,
    ("CB.00060201", 400): Refused,
    ("CB.00060211", 400): Throttled,
    ("CB.00060211", 500): Throttled,
    ("CB.00060214", 404): RouteMissing,
    ("X.00060214", 200): InvalidAnswer,
    ("DEVCB.00031006", 422): NotFound,
    ("CB.00031006", 422): NotFound,
    ("CB.00031059", 403): NotFound,
    ("CB.00030004", 500): ServiceFailing,
    ("DEVCB.00030000", 422): ServiceFailing,
    ("DEV.CB.032011", 400): Refused,
    ("DEV.CB.032000", 200): Refused,
    ("CB.99999999", 200): InvalidAnswer,
    ("CB.99999999", 500): ServiceFailing,
    ("nonsense", 400): Refused,
    ("", 200): InvalidAnswer,
}


@each_row(("case", "kind"), SERVICE.items())
def test_services_code_decides_before_the_http_status(case: tuple[str, int], kind: type[ServiceError]) -> None:
    """Throttling comes as HTTP 400, "not built yet" as 403."""
    assert classify(case[1], case[0]) is kind


@each_row(("code", "is_told"), [("DEV.CB.0310403", False), ("", True)])
def test_service_is_not_taken_for_a_proxy_where_an_error_has_its_code(code: str, is_told: bool) -> None:
    """With HTTP 200, and a code that nobody documents."""
    error = error_of(reply({"error_code": code, "error_msg": "no", "status": "error"}))
    assert ("no proxy answers instead" in error.hint) is is_told


@given(st.integers(100, 999), st.text(max_size=20))
def test_any_status_and_code_have_a_class(status: int, code: str) -> None:
    """Every error is transient or permanent."""
    assert issubclass(classify(status, code), TransientError | PermanentError)


@each_row(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:59:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 20:00:30 +0800", 30.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("1e9", None),
        ("nan", None),
        ("\u0667", None),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    """Seconds, or an HTTP date; a date in the past is 0, and anything else is ignored."""
    assert responses.retry_after(value, NOW) == seconds


DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Thu", "", "x"]),
    st.integers(-1, 10**6),
    st.sampled_from(["Jan", "Dec", "13", ""]),
    st.integers(-1, 10**12),
    *[st.integers(-1, 10**12)] * 3,
    st.sampled_from(["GMT", "+0800", "+" + "9" * 30, "-9999", ""]),
)


@given(st.text(max_size=40) | DATES)
def test_any_retry_after_is_seconds_or_nothing(value: str) -> None:
    """No header raises an error."""
    seconds = responses.retry_after(value, NOW)
    assert seconds is None or seconds >= 0


def test_retry_after_is_kept_with_the_error() -> None:
    """A throttled answer says how long."""
    error = error_of(reply({"error_code": "APIGW.0308"}, 429, Retry_After="17"))
    assert isinstance(error, Throttled)
    assert error.retry_after == 17.0


def test_redirect_is_named_and_not_followed() -> None:
    """Without the query, which may hold anything."""
    error = error_of(reply(b"", 302, Location="https://console.example/login?ticket=1"))
    assert "redirects to https://console.example/login," in str(error)
    assert "ticket" not in str(error)


def test_secret_in_an_error_is_masked() -> None:
    """The gateway echoes access keys."""
    error = error_of(reply({"error_code": "APIGW.0301", "error_msg": "ak hush not exist"}, 401))
    assert "hush" not in str(error)
    assert "ak *** not exist" in str(error)


def test_text_of_an_error_is_one_safe_line() -> None:
    """It cannot control a terminal or fill a screen."""
    error = error_of(reply({"error_code": "X", "error_msg": "\x1b[31mred\n::error::x" + "y" * 5000}, 500))
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 500


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("success"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "error", "success", "code", "error_code", "message", "reason", "result", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(documents, st.integers(200, 599))
def test_any_document_is_a_payload_or_an_error(document: Any, status: int) -> None:
    """Only successful calls have a payload."""
    try:
        payload = responses.payload(reply(document, status), "x", str)
    except ServiceError as error:
        assert str(error)  # noqa: PT017 - a message is never empty
    else:
        assert status < 300
        assert payload.get("status") in (None, "success")
        assert not payload.get("error")
        assert payload.get("success", True) is True


@given(st.binary(max_size=200), st.integers(200, 599))
def test_any_bytes_are_a_payload_or_an_error(body: bytes, status: int) -> None:
    """Whatever a proxy sends."""
    try:
        responses.payload(reply(body, status), "x", str)
    except ServiceError as error:
        assert len(str(error)) < 500  # noqa: PT017


def test_cut_error_body_still_tells_by_its_status() -> None:
    """A 401 whose body never ends is a refusal, not something to try again."""
    cut = Reply(401, {}, b'{"error_code": "APIG', "broke off")
    with pytest.raises(Unauthorised):
        responses.payload(cut, "build 57", lambda text: text)
