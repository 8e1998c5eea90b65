"""Answers in the shapes of the service and of its gateway."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """One HTTP answer. A body that is not `bytes` is sent as a chunked one, a chunk for each piece."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class RequestRefused(Exception):
    """Raised when a request gets an error answer."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(document: object, *, status: int = 200) -> HttpAnswer:
    """Return a JSON answer without an envelope, as most v3 operations send."""
    return HttpAnswer(status=status, body=json.dumps(document, ensure_ascii=False).encode())


def enveloped_answer(result: object) -> HttpAnswer:
    """Return a result in the v1 envelope, whose `status` is about the call and not about the build."""
    return json_answer({"error": None, "result": result, "status": "success"})


def gateway_error(status: int, number: str, message: str, **headers: str) -> HttpAnswer:
    """Return an error of the API gateway, such as `gateway_error(404, "0101", ...)`."""
    document = {"error_code": f"APIGW.{number}", "error_msg": message, "request_id": uuid.uuid4().hex}
    return HttpAnswer(status=status, body=json.dumps(document).encode(), headers=headers)


def service_error(status: int, code: str, message: str) -> HttpAnswer:
    """Return an error of CodeArts Build itself (api-codeci/ErrorCode)."""
    return json_answer({"error_code": code, "error_msg": message}, status=status)


def throttled(limit: int = 60) -> HttpAnswer:
    """Return the gateway's answer to a user who has sent more than `limit` requests within a minute."""
    return gateway_error(
        429,
        "0308",
        f"The throttling threshold has been reached: policy user over ratelimit,limit:{limit},time:1 minute",
    )


def not_published() -> HttpAnswer:
    """Return the gateway's answer to a path without an API: it says nothing about a job or a build."""
    return gateway_error(404, "0101", "The API does not exist or has not been published in the environment")


def bad_parameter(name: str) -> RequestRefused:
    """Return the service's refusal of a parameter that is missing or malformed."""
    return RequestRefused(service_error(400, "CB.00060200", f"Invalid parameter: {name}"))
