"""The simulator against the written description of the service, by schemathesis: the stand-in is honest."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

import gate.simulator
from gate.simulator.routes import ROUTES
from gate.simulator.scenarios import SCENARIOS
from gate.simulator.simulator import Simulator

DOCUMENT: dict[str, Any] = json.loads(Path(*gate.simulator.__path__, "openapi.json").read_text(encoding="utf-8"))

load_all_checks()
CONFORMANCE = [
    CHECKS.get_one(name)
    for name in ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
]

schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    """Serve every scenario, in the middle of its builds."""
    with Simulator(SCENARIOS, speed=0) as simulator:
        simulator.clock.advance(20)
        yield simulator


@schema.parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: Any, served: Simulator) -> None:
    """Whatever is asked within the description is answered within it."""
    case.call_and_validate(
        base_url=served.endpoint, headers={"X-Auth-Token": served.token}, checks=CONFORMANCE, timeout=5
    )


def test_description_has_exactly_the_routes() -> None:
    """No route without a description, no description without a route."""
    described = {
        (operation["operationId"], method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }
    assert described == {(route.operation, route.method, route.template) for route in ROUTES}
