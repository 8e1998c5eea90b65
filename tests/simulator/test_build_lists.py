"""The lists of a job's builds: windows, pages, rows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from gate.simulator.builds import CHINA
from gate.simulator.scenarios import Scenario, Start
from tests.faults.faulty_simulator import FaultySimulator

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]

V1, V3 = "/v1/record/{job}/list", "/v3/jobs/{job}/build-info-records"
WALL_CLOCK = "%Y-%m-%d %H:%M:%S"


def window(end: datetime, days: float = 30, **more: Any) -> dict[str, Any]:
    """Return the parameters of a window that ends a minute after `end`, in China's local time."""
    last = end.astimezone(CHINA) + timedelta(minutes=1)
    return {"start_time": f"{last - timedelta(days=days):{WALL_CLOCK}}", "end_time": f"{last:{WALL_CLOCK}}", **more}


def numbers(answer: requests.Response) -> list[int]:
    """Return the build numbers of a page."""
    return [row["number"] for row in answer.json()["result"]["job_build_states"]]


@pytest.mark.parametrize(("path", "trigger"), [(V1, "Manual"), (V3, "手工触发")])
def test_lists_are_newest_first_with_totals_as_strings(
    simulator: FaultySimulator, ask: Ask, path: str, trigger: str
) -> None:
    """Both versions send the same page; v3 has the trigger in the user's language."""
    answer = ask(simulator, path, params=window(simulator.clock.now()))
    result = answer.json()["result"]
    assert numbers(answer) == [57, 56, 55, 54, 53, 52, 51]
    assert (result["page_index"], result["total_page"], result["total_record"]) == ("0", "1", "7")
    assert {row["trigger_type"] for row in result["job_build_states"]} == {trigger}


def test_pages_are_counted_from_zero(simulator: FaultySimulator, ask: Ask) -> None:
    """With three rows a page, page 2 is the third and last, and page 3 is empty."""
    pages = [
        ask(simulator, V1, params=window(simulator.clock.now(), page_index=index, page_size=3)) for index in range(4)
    ]
    assert [numbers(page) for page in pages] == [[57, 56, 55], [54, 53, 52], [51], []]
    assert {page.json()["result"]["total_page"] for page in pages} == {"3"}


def test_a_page_has_ten_rows_by_default(serve: Serve, ask: Ask) -> None:
    """Of twelve builds the first page shows ten."""
    simulator = serve(Scenario(name="busy", starts=tuple(Start(at=-minute * 60.0) for minute in range(12))))
    assert numbers(ask(simulator, V1, "busy", params=window(simulator.clock.now()))) == list(range(12, 2, -1))


def test_windows_are_read_as_wall_clock_in_china(simulator: FaultySimulator, ask: Ask) -> None:
    """The last hour in UTC digits ends eight hours too early, and misses the build that runs."""
    now = simulator.clock.now()
    utc = {"start_time": f"{now - timedelta(hours=1):{WALL_CLOCK}}", "end_time": f"{now:{WALL_CLOCK}}"}
    assert 57 not in numbers(ask(simulator, V1, params=utc))
    assert numbers(ask(simulator, V1, params=window(now, days=1 / 24))) == [57]


def test_a_window_beyond_31_days_is_refused(simulator: FaultySimulator, ask: Ask) -> None:
    """31 days are taken, a second more is not."""
    params = window(simulator.clock.now(), days=31)
    assert ask(simulator, V1, params=params).status_code == 200
    answer = ask(simulator, V1, params=window(simulator.clock.now(), days=31 + 1 / 86400))
    assert (answer.status_code, answer.json()["error_code"]) == (400, "CB.00031105")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start_time", None),
        ("end_time", "2026-01-01T00:00:00Z"),
        ("page_index", "-1"),
        ("page_size", "0"),
        ("page_size", "101"),
        ("page_size", "ten"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(simulator: FaultySimulator, ask: Ask, name: str, value: str | None) -> None:
    """Missing, malformed and out-of-range parameters are 400."""
    answer = ask(simulator, V1, params=window(simulator.clock.now()) | {name: value})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "CB.00060200")
    assert name in answer.json()["error_msg"]
