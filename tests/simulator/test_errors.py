"""What the service and its gateway refuse."""

from collections.abc import Callable

import pytest
import requests

from gate.simulator.operations import ROUTES
from tests.faults.faulty_simulator import FaultySimulator
from tests.tables import each_row

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]

CLOSED = [route for route in ROUTES if not route.open]
NOBODY = "0" * 32
NOWHERE = "00000000-0000-0000-0000-000000000000"


def filled(template: str, job: str, build: object = 57, record: str = NOWHERE) -> str:
    """Fill a route's template."""
    return template.format(job_id=job, project_id=job, build_no=build, record_id=record)


def test_an_unknown_path_is_not_published(simulator: FaultySimulator, session: requests.Session) -> None:
    """404 with the gateway's code, also without a credential."""
    answer = session.get(f"{simulator.endpoint}/v9/jobs")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "APIGW.0101")
    assert set(answer.json()) == {"error_code", "error_msg", "request_id"}


def test_the_wrong_method_is_not_published(simulator: FaultySimulator, ask: Ask) -> None:
    """A path exists for its own method only."""
    assert ask(simulator, "/v1/record/{job}/57/record-info", method="DELETE").json()["error_code"] == "APIGW.0101"


def test_an_unpublished_route_is_a_missing_one(serve: Serve, ask: Ask) -> None:
    """A deployment without v1 record-info still has the one of v4."""
    simulator = serve(unpublished=("ShowJobBuildRecordDetail",))
    assert ask(simulator, "/v1/record/{job}/57/record-info").json()["error_code"] == "APIGW.0101"
    assert ask(simulator, "/v4/jobs/{job}/57/record-info").status_code == 200


@each_row("route", CLOSED)
def test_every_operation_wants_a_credential(
    simulator: FaultySimulator, session: requests.Session, route: object
) -> None:
    """Without one the gateway answers 401 and the journal says so."""
    assert isinstance(route, type(ROUTES[0]))
    before = len(simulator.journal.entries)
    url = simulator.endpoint + filled(route.template, simulator.jobs["passing"])
    answer = session.request(route.method, url)
    assert (answer.status_code, answer.json()["error_code"]) == (401, "APIGW.0301")
    assert answer.json()["error_msg"] == "Incorrect IAM authentication information: x-auth-token not found"
    entries = simulator.journal.entries[before:]
    assert [(entry.operation, entry.authorised) for entry in entries] == [(route.operation, False)]


@each_row("route", CLOSED)
def test_every_operation_knows_what_does_not_exist(simulator: FaultySimulator, ask: Ask, route: object) -> None:
    """An unknown job or record is 422, with the code of the route's version."""
    assert isinstance(route, type(ROUTES[0]))
    body = {"job_id": NOBODY, "build_no": 57} if "{" not in route.template else None
    answer = ask(simulator, filled(route.template, NOBODY), method=route.method, json=body)
    wanted = "DEVCB.00031006" if route.template.startswith("/v1/") else "CB.00031006"
    assert (answer.status_code, answer.json()["error_code"]) == (422, wanted)


@pytest.mark.parametrize("job", ["short", "A" * 32, "0" * 33, "%20" * 32])
def test_a_malformed_job_id_is_illegal(simulator: FaultySimulator, ask: Ask, job: str) -> None:
    """Anything but 32 lower-case letters or digits is 400."""
    answer = ask(simulator, f"/v3/jobs/{job}/status")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "DEV.CB.032011")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"job_id": 7}'])
def test_an_order_without_a_job_is_illegal(simulator: FaultySimulator, ask: Ask, body: bytes) -> None:
    """A body that names no job, or is no JSON, is 400."""
    answer = ask(simulator, "/v1/job/execute", method="POST", data=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "DEV.CB.032011")


@pytest.mark.parametrize("number", ["0", "-1", "x", "5.7", "99999999999"])
def test_a_malformed_number_is_a_bad_parameter(simulator: FaultySimulator, ask: Ask, number: str) -> None:
    """A build number is a positive whole number."""
    answer = ask(simulator, f"/v1/record/{{job}}/{number}/record-info")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "CB.00060200")


@pytest.mark.parametrize("number", [1, 50, 58])
def test_a_number_that_no_build_has_is_not_found(simulator: FaultySimulator, ask: Ask, number: int) -> None:
    """Neither the builds before history began nor those to come exist."""
    answer = ask(simulator, f"/v1/record/{{job}}/{number}/record-info")
    assert (answer.status_code, answer.json()["error_code"]) == (422, "DEVCB.00031006")


@pytest.mark.parametrize("path", ["/v1/log/{record}/download-log", "/v4/{record}/download-log"])
def test_a_build_that_never_ran_has_no_log(simulator: FaultySimulator, ask: Ask, path: str) -> None:
    """The executor's failure is a permanent 500."""
    simulator.clock.advance(60)
    answer = ask(simulator, path, "schedule-failure")
    assert (answer.status_code, answer.json()["error_code"]) == (500, "CB.00030004")
