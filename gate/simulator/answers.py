"""Answers in the shapes of the service and of its gateway."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer; a body that is no `bytes` is sent in chunks, piece by piece."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Raised when the request gets an error answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def bare(document: object, *, status: int = 200) -> Answer:
    """Return a JSON answer without an envelope, as most v3 operations send."""
    return Answer(status=status, body=json.dumps(document, ensure_ascii=False).encode())


def enveloped(result: object) -> Answer:
    """Return a result in the v1 envelope, whose `status` speaks of the call and not of the build."""
    return bare({"error": None, "result": result, "status": "success"})


def gateway_error(status: int, number: str, message: str, **headers: str) -> Answer:
    """Return an error of the API gateway, such as `gateway_error(404, "0101", ...)`."""
    document = {"error_code": f"APIGW.{number}", "error_msg": message, "request_id": uuid.uuid4().hex}
    return Answer(status=status, body=json.dumps(document).encode(), headers=headers)


def service_error(status: int, code: str, message: str) -> Answer:
    """Return an error of CodeArts Build itself (api-codeci/ErrorCode)."""
    return bare({"error_code": code, "error_msg": message}, status=status)


def not_published() -> Answer:
    """Return the gateway's answer to a path that it has no API for: a missing route, not a missing build."""
    return gateway_error(404, "0101", "The API does not exist or has not been published in the environment")


def bad_parameter(name: str) -> Refusal:
    """Return the service's refusal of a parameter that is missing or malformed."""
    return Refusal(service_error(400, "CB.00060200", f"Invalid parameter: {name}"))
