"""Mishaps: errors as the service, its gateway and what stands between report them, in every documented shape.

Codes and texts as of ErrorCode.html and the signing guide's table; the shapes as observed (section 9 of the notes).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

from gate.simulator.answers import Answer, bare, gateway_error, service_error
from gate.simulator.mishap import Mishap
from gate.simulator.shapes import Reply

_GATEWAY = (
    (404, "0101", "The API does not exist or has not been published in the environment"),
    (400, "0106", "invalid header parameter: Content-Type"),
    (502, "0201", "Backend unavailable"),
    (504, "0201", "Backend timeout"),
    (500, "0203", "Backend timeout"),
    (401, "0301", "Incorrect IAM authentication information: decrypt token fail"),
    (403, "0302", "The user is not allowed to access the API"),
    (401, "0303", "Incorrect app authentication information"),
    (403, "0304", "The app is not authorized to access the API"),
    (401, "0307", "The token must be updated"),
    (429, "0308", "The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute"),
    (403, "0310", "The project is unavailable"),
    (403, "0401", "The IP address is not authorized to access the API"),
    (500, "0601", "Internal server error"),
    (502, "0610", "Backend unavailable"),
    (503, "0613", "The gateway is overloaded"),
    (403, "0801", "The service is unavailable in the region"),
)

_SERVICE = (
    (500, "CB.00060100", "Network busy, try later."),
    (500, "CB.00060101", "Internal error."),
    (400, "CB.00060200", "Invalid parameter."),
    (400, "CB.00060201", "Invalid task id."),
    (400, "CB.00060211", "Too many requests."),
    (500, "CB.00060211", "Too many requests."),
    (404, "CB.00060214", "URL not found."),
    (422, "DEVCB.00031006", "The record does not exist."),
    (403, "CB.00031059", "The task has not been built or its history was deleted."),
    (422, "DEVCB.00030000", "Failed."),
    (500, "CB.00030004", "Calling the executor failed."),
    (400, "DEV.CB.032011", "The task id parameter is illegal."),
)

_HTML = b"<html><head><title>%d</title></head><body><h1>::error::%d</h1></body></html>"


def _refusals() -> Iterator[Mishap]:
    for status, number, text in _GATEWAY:
        answer = gateway_error(status, number, text)
        yield Mishap(f"HTTP {status} APIGW.{number}", f"The gateway: {text}", partial(Reply, answer))
    for status, code, text in _SERVICE:
        answer = service_error(status, code, text)
        yield Mishap(f"HTTP {status} {code}", f"The service: {text}", partial(Reply, answer))
    for status in (407, 408, 418, 500, 502, 503):
        page = Answer(status=status, body=_HTML % (status, status), content_type="text/html")
        yield Mishap(f"HTTP {status} HTML", "A page of something between.", partial(Reply, page))
    for name, document in _IN_SUCCESS.items():
        answer = bare(document)
        yield Mishap(f"200 {name}", "An error within HTTP 200.", partial(Reply, answer))
    for name, location in _REDIRECTS.items():
        answer = Answer(status=302, headers={"Location": location})
        yield Mishap(f"redirect {name}", "Sends the client elsewhere.", partial(Reply, answer))
    for name, value in _RETRY_AFTER.items():
        for status in (429, 503):
            answer = gateway_error(status, "0308" if status == 429 else "0613", "busy", **{"Retry-After": value})
            yield Mishap(f"{status} Retry-After {name}", f"Retry-After: {value}", partial(Reply, answer))


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

REFUSALS = tuple(_refusals())
