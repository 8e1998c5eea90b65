"""What the answers to an order and to a stop mean: done, refused, or not known."""

from typing import Any

import pytest
import requests_mock

from gate.codearts.client import Client
from gate.errors import InvalidAnswer, ServiceError, ServiceFailing, StartLost, Throttled, TransientError
from gate.model import Order
from tests.codearts.conftest import ENDPOINT, JOB

EXECUTE = f"{ENDPOINT}/v1/job/execute"
STOP = f"{ENDPOINT}/v3/jobs/{JOB}/57/stop"


def coded(status: int, code: str, **headers: str) -> dict[str, Any]:
    """Return an answer with an error code."""
    return {"status_code": status, "json": {"error_code": code, "error_msg": "no"}, "headers": headers}


PAGE: dict[str, Any] = {"text": "<html>slow down</html>", "headers": {"Content-Type": "text/html"}}

THROTTLED = {
    "the gateway": coded(429, "APIGW.0308"),
    "the older gateway": coded(429, "APIG.0308"),
    "the service": coded(400, "CB.00060211"),
    "the service, as 500": coded(500, "CB.00060211"),
    "the service, as 200": coded(200, "CB.00060211"),
    "no code": {"status_code": 429, "json": {}},
    "a proxy": {"status_code": 429, **PAGE},
}


@pytest.mark.parametrize("answer", THROTTLED.values(), ids=THROTTLED)
def test_throttled_order_was_not_admitted(
    service: requests_mock.Mocker, client: Client, answer: dict[str, Any]
) -> None:
    """It was sent once, by one route, and may be sent again: no build was started."""
    order = service.post(EXECUTE, **answer)
    with pytest.raises(Throttled) as caught:
        client.start(JOB, Order(), lambda: True)
    assert (caught.value.sent, order.call_count, service.call_count) == (False, 1, 1)


def test_throttled_order_says_how_long_to_wait(service: requests_mock.Mocker, client: Client) -> None:
    """The core honours it."""
    service.post(EXECUTE, **coded(429, "APIGW.0308", **{"Retry-After": "17"}))
    with pytest.raises(Throttled) as caught:
        client.start(JOB, Order(), lambda: True)
    assert caught.value.retry_after == 17


UNKNOWN = {
    "a fault of the service": coded(500, "CB.00060101"),
    "a fault of the gateway": coded(502, "APIGW.0201"),
    "busy": {"status_code": 503, "headers": {"Retry-After": "1"}},
    "429 with the code of another error": coded(429, "CB.00060101"),
    "an empty answer": {"status_code": 200, "text": ""},
    "a page with 200": {"status_code": 200, **PAGE},
}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
def test_order_without_a_definite_answer_is_never_sent_again(
    service: requests_mock.Mocker, client: Client, answer: dict[str, Any]
) -> None:
    """A build may have been started."""
    order = service.post(EXECUTE, **answer)
    with pytest.raises(StartLost):
        client.start(JOB, Order(), lambda: True)
    assert order.call_count == 1


class Broken:
    """A body that breaks off before its first byte, although the answer's head is complete."""

    def __init__(self) -> None:
        self.closed = False

    def read(self, *_: object, **__: object) -> bytes:
        """Fail like a connection that is reset."""
        raise ConnectionResetError

    def close(self) -> None:
        """Do nothing."""


STOPS: dict[str, tuple[dict[str, Any], type[ServiceError] | None, bool]] = {
    "empty": ({"text": ""}, None, True),
    "blank": ({"text": " \r\n"}, None, True),
    "an empty object": ({"json": {}}, None, True),
    "an envelope": ({"json": {"status": "success", "result": None}}, None, True),
    "empty, and broken off": ({"body": Broken()}, InvalidAnswer, True),
    "empty, with an error's status": ({"status_code": 500, "text": ""}, ServiceFailing, True),
    "no JSON": ({"text": "ok"}, InvalidAnswer, True),
    "a page": (PAGE, InvalidAnswer, True),
    "throttled": (coded(429, "APIGW.0308"), Throttled, False),
}


@pytest.mark.parametrize(("answer", "kind", "sent"), STOPS.values(), ids=STOPS)
def test_stop_is_done_only_by_a_complete_answer(
    service: requests_mock.Mocker, client: Client, answer: dict[str, Any], kind: type[TransientError] | None, sent: bool
) -> None:
    """An empty answer is one; an empty answer that broke off says nothing, and the build may have been stopped."""
    service.post(STOP, **answer)
    if kind is None:
        assert client.stop(JOB, 57, 5.0)
        return
    with pytest.raises(kind) as caught:
        client.stop(JOB, 57, 5.0)
    assert (type(caught.value), caught.value.sent) == (kind, sent)
