"""The simulator against the written description of the service, by schemathesis: the stand-in is honest."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from gate.simulator.operations import ROUTES, PublishedRoute
from gate.simulator.scenarios import SCENARIOS
from tests.faults.faulty_simulator import FaultySimulator

DOCUMENT: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))

CONFORMANCE = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")


@pytest.fixture(scope="module")
def schema() -> Any:
    """Read the description; here and not when tests are collected, as that takes each worker two seconds."""
    import schemathesis

    return schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def checks() -> list[Any]:
    """Return what an answer is held against."""
    from schemathesis.checks import CHECKS, load_all_checks

    load_all_checks()
    return [CHECKS.get_one(name) for name in CONFORMANCE]


@pytest.fixture(scope="module")
def served() -> Iterator[FaultySimulator]:
    """Serve every scenario, in the middle of its builds."""
    with FaultySimulator(SCENARIOS, speed=0) as simulator:
        simulator.clock.advance(20)
        yield simulator


@pytest.mark.ci  # schemathesis takes seconds; test_sdk.py has the vendor's client read every answer
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_every_answer_is_as_described(
    schema: Any, checks: list[Any], served: FaultySimulator, route: PublishedRoute
) -> None:
    """Whatever is asked within the description is answered within it."""

    @settings(max_examples=8, suppress_health_check=list(HealthCheck))
    @given(case=schema[route.template][route.method].as_strategy())
    def ask(case: Any) -> None:
        headers = {"X-Auth-Token": served.token}
        case.call_and_validate(base_url=served.endpoint, headers=headers, checks=checks, timeout=5)

    ask()


def test_description_has_exactly_the_routes() -> None:
    """No route without a description, no description without a route."""
    described = {
        (operation["operationId"], method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }
    assert described == {(route.operation, route.method, route.template) for route in ROUTES}
