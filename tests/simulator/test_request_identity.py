"""Requests signed with AK/SK."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from gate.simulator.simulated_iam import AccessKey
from tests.faults.faulty_simulator import FaultySimulator

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]

STATUS = "/v3/jobs/{job}/status"


def signed(
    simulator: FaultySimulator,
    *,
    keys: AccessKey | None = None,
    at: datetime | None = None,
    security_token: str | None = None,
) -> dict[str, str]:
    """Return the headers of a signed ShowJobStatus of the job `passing`."""
    request = SdkRequest(
        method="GET",
        schema="http",
        host=urlsplit(simulator.endpoint).netloc,
        resource_path=STATUS.format(job=simulator.jobs["passing"]),
        query_params=[],
        header_params={
            "X-Sdk-Date": f"{at or datetime.now(UTC):%Y%m%dT%H%M%SZ}",
            **({"X-Security-Token": security_token} if security_token else {}),
        },
        body=b"",
    )
    return dict(Signer(keys or simulator.keys).sign(request).header_params)


def test_a_signed_request_is_let_in_and_noted_with_its_time(simulator: FaultySimulator, ask: Ask) -> None:
    """The journal has the family and the signature's time, and nothing of the key."""
    headers = signed(simulator)
    assert ask(simulator, STATUS, headers=headers).status_code == 200
    entry = simulator.journal.entries[-1]
    assert (entry.family, entry.authorised, entry.signed_at) == ("aksk", True, headers["X-Sdk-Date"])
    assert simulator.keys.ak not in repr(entry)


def test_a_query_with_blanks_is_part_of_the_signature(simulator: FaultySimulator, session: requests.Session) -> None:
    """The list's times are signed as they are sent; with another query the signature is not good."""
    path = f"/v1/record/{simulator.jobs['passing']}/list"
    request = SdkRequest(
        method="GET",
        schema="http",
        host=urlsplit(simulator.endpoint).netloc,
        resource_path=path,
        query_params=[("start_time", "2026-01-01 00:00:00"), ("end_time", "2026-01-02 00:00:00")],
        header_params={},
        body=b"",
    )
    request = Signer(simulator.keys).sign(request)
    good = session.get(simulator.endpoint + request.uri, headers=request.header_params)
    other = session.get(simulator.endpoint + request.uri.replace("02", "03"), headers=request.header_params)
    assert (good.status_code, other.status_code) == (200, 401)


@pytest.mark.parametrize(
    ("keys", "text"),
    [(AccessKey(sk="wrong"), "verify aksk signature fail"), (AccessKey(ak="AKIDOTHER"), "ak AKIDOTHER not exist")],
)
def test_another_key_is_refused(simulator: FaultySimulator, ask: Ask, keys: AccessKey, text: str) -> None:
    """A wrong secret and an unknown AK are told apart, as the gateway does."""
    answer = ask(simulator, STATUS, headers=signed(simulator, keys=keys))
    assert (answer.status_code, answer.json()["error_code"]) == (401, "APIGW.0301")
    assert answer.json()["error_msg"] == f"Incorrect IAM authentication information: {text}"


@pytest.mark.parametrize(("minutes", "status"), [(-16, 401), (-14, 200), (14, 200), (16, 401)])
def test_a_signature_lives_fifteen_minutes(simulator: FaultySimulator, ask: Ask, minutes: int, status: int) -> None:
    """Beyond that, before or after, it has expired."""
    headers = signed(simulator, at=datetime.now(UTC) + timedelta(minutes=minutes))
    assert ask(simulator, STATUS, headers=headers).status_code == status


def test_signatures_can_be_held_against_the_services_clock(serve: Serve, ask: Ask) -> None:
    """With the option, a signature of the real time is old once the service is an hour ahead."""
    simulator = serve(signatures_in_service_time=True)
    simulator.clock.advance(3600)
    answer = ask(simulator, STATUS, headers=signed(simulator))
    assert "signature expired" in answer.json()["error_msg"]
    assert ask(simulator, STATUS, headers=signed(simulator, at=simulator.clock.now())).status_code == 200


def test_temporary_keys_want_their_security_token(serve: Serve, ask: Ask) -> None:
    """It must be sent, signed and the right one."""
    simulator = serve(keys=AccessKey(security_token="STS"))
    good = signed(simulator, security_token="STS")
    unsigned = {**signed(simulator), "X-Security-Token": "STS"}
    other = signed(simulator, security_token="OTHER")
    statuses = [
        ask(simulator, STATUS, headers=headers).status_code for headers in (good, unsigned, other, signed(simulator))
    ]
    assert statuses == [200, 401, 401, 401]


@pytest.mark.parametrize(
    "change",
    [
        {"X-Sdk-Date": "today"},
        {"X-Sdk-Date": None},
        {"Authorization": "Bearer x"},
        {"Authorization": "SDK-HMAC-SHA256"},
    ],
)
def test_a_broken_signature_is_refused(simulator: FaultySimulator, ask: Ask, change: dict[str, str | None]) -> None:
    """A time that is none, and a header of another form, are 401."""
    assert ask(simulator, STATUS, headers=signed(simulator) | change).status_code == 401


def test_a_signature_must_cover_host_and_time(simulator: FaultySimulator, ask: Ask) -> None:
    """Fewer signed headers than that are not enough."""
    headers = signed(simulator)
    headers["Authorization"] = headers["Authorization"].replace("host;x-sdk-date", "x-sdk-date")
    assert ask(simulator, STATUS, headers=headers).status_code == 401
