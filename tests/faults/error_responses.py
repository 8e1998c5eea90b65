"""Errors as the service, its gateway and proxies between report them, in every documented shape.

Codes and texts are those of ErrorCode.html and of the signing guide's table.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

from gate.simulator.exchange import HttpAnswer, gateway_error, json_answer, service_error
from tests.faults.named_faults import NamedFault, Nature
from tests.faults.response_faults import ReplaceAnswer

PERMANENT = {"nature": Nature.PERMANENT}
REFUSED_ONCE = {"nature": Nature.PERMANENT, "may_pass": True}
DELAYING = {"nature": Nature.DELAYING, "asks_to_wait": True}
NO_ROUTE = {"means_no_route": True}
REFUSED = {"nature": Nature.PERMANENT, "refuses_credential": True}
MAYBE_LATE = {"nature": Nature.PERMANENT, "may_mean_late": True}

_GATEWAY: tuple[tuple[int, str, str, dict[str, Any]], ...] = (
    (404, "0101", "The API does not exist or has not been published in the environment", NO_ROUTE),
    (400, "0106", "invalid header parameter: Content-Type", PERMANENT),
    (502, "0201", "Backend unavailable", {}),
    (504, "0201", "Backend timeout", {}),
    (500, "0203", "Backend timeout", {}),
    (401, "0301", "Incorrect IAM authentication information: decrypt token fail", REFUSED),
    (403, "0302", "The user is not allowed to access the API", REFUSED_ONCE),
    (401, "0303", "Incorrect app authentication information", REFUSED),
    (403, "0304", "The app is not authorized to access the API", REFUSED_ONCE),
    (401, "0307", "The token must be updated", REFUSED),
    (429, "0308", "policy user over ratelimit,limit:60,time:1 minute", DELAYING),
    (403, "0310", "The project is unavailable", REFUSED_ONCE),
    (403, "0401", "The IP address is not authorized to access the API", REFUSED_ONCE),
    (500, "0601", "Internal server error", {}),
    (502, "0610", "Backend unavailable", {}),
    (503, "0613", "The gateway is overloaded", {}),
    (403, "0801", "The service is unavailable in the region", REFUSED_ONCE),
)

_SERVICE: tuple[tuple[int, str, str, dict[str, Any]], ...] = (
    (500, "CB.00060100", "Network busy, try later.", {}),
    (500, "CB.00060101", "Internal error.", {}),
    (400, "CB.00060200", "Invalid parameter.", PERMANENT),
    (400, "CB.00060201", "Invalid task id.", PERMANENT),
    (400, "CB.00060211", "Too many requests.", DELAYING),
    (500, "CB.00060211", "Too many requests.", DELAYING),
    (404, "CB.00060214", "URL not found.", NO_ROUTE),
    (422, "DEVCB.00031006", "The record does not exist.", MAYBE_LATE),
    (403, "CB.00031059", "The task has not been built or its history was deleted.", MAYBE_LATE),
    (422, "DEVCB.00030000", "Failed.", {}),
    (500, "CB.00030004", "Calling the executor failed.", {}),
    (400, "DEV.CB.032011", "The task id parameter is illegal.", PERMANENT),
)

_HTML = b"<html><head><title>%d</title></head><body><h1>::error::%d</h1></body></html>"


def _fault(name: str, description: str, answer: HttpAnswer, **fields: Any) -> NamedFault:
    return NamedFault(
        name=name, description=description, make=partial(ReplaceAnswer, answer), spoils_text=True, **fields
    )


def _error_responses() -> Iterator[NamedFault]:
    for status, number, text, fields in _GATEWAY:
        answer = gateway_error(status, number, text)
        yield _fault(
            f"HTTP {status} APIGW.{number}",
            f"The gateway: {text}",
            answer,
            is_official=True,
            exclusive=status == 401,
            **fields,
        )
    for status, code, text, fields in _SERVICE:
        answer = service_error(status, code, text)
        yield _fault(f"HTTP {status} {code}", f"The service: {text}", answer, is_official=True, **fields)
    for status, fields in _PAGES.items():
        page = HttpAnswer(status=status, body=_HTML % (status, status), content_type="text/html")
        yield _fault(
            f"HTTP {status} HTML", "A page of a proxy or a gateway.", page, exclusive=status in (401, 407), **fields
        )
    for name, document in _IN_SUCCESS.items():
        yield _fault(f"200 {name}", "An error within HTTP 200.", json_answer(document))
    for name, location in _REDIRECTS.items():
        answer = HttpAnswer(status=302, headers={"Location": location})
        yield _fault(f"redirect {name}", "Sends the client elsewhere.", answer, **REFUSED_ONCE)
    for name, value in _RETRY_AFTER.items():
        for status in (429, 503):
            nature = Nature.DELAYING if status == 429 or name == "absurd" else Nature.TRANSIENT
            absurd = name == "absurd"
            answer = gateway_error(status, "0308" if status == 429 else "0613", "busy", **{"Retry-After": value})
            yield _fault(
                f"{status} Retry-After {name}",
                f"Retry-After: {value}",
                answer,
                asks_to_wait=True,
                hangs=absurd,
                exclusive=absurd,
                nature=nature,
            )


_PAGES: dict[int, dict[str, Any]] = {
    401: REFUSED | REFUSED_ONCE,
    403: REFUSED_ONCE,
    407: REFUSED | REFUSED_ONCE,
    408: {},
    418: REFUSED_ONCE,
    500: {},
    502: {},
    503: {},
}

_ENVELOPE = {"error": {"code": "DEVCB.00030000", "reason": "Failed."}, "result": None, "status": "error"}

_IN_SUCCESS = {
    "error_code": {"error_code": "CB.00060101", "error_msg": "Internal error."},
    "camel case": {"errCode": "CB.00060101", "message": "Internal error.", "success": False, "result": {}},
    "envelope": _ENVELOPE,
    "envelope as text": json.dumps(_ENVELOPE),
    "fail without a reason": {"status": "fail", "error": None, "result": {"status": "SUCCESS"}},
    "error as text": {"status": "success", "error": "no permission", "result": {"status": "SUCCESS"}},
}

_REDIRECTS = {
    "to itself": "?",
    "to the same host": "/elsewhere",
    "to another host": "http://127.0.0.2:9/elsewhere?token=x",
    "from https to http": "http://127.0.0.1:9/",
    "to a file": "file:///etc/passwd",
    "with control characters": "http://127.0.0.2/\x1b[31m::error::x",
}

_RETRY_AFTER = {
    "seconds": "1",
    "date": format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True),
    "past": "Sat, 01 Jan 2000 00:00:00 GMT",
    "absurd": "99999999999999999999",
    "distant": "Fri, 31 Dec 99999 23:59:59 GMT",
    "garbage": "soon, -5",
}

ERROR_RESPONSES = tuple(_error_responses())
