"""The log of a build that runs, and the analysis of its failure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests

from gate.simulator import sample_plans
from gate.simulator.scenarios import Scenario, Start
from tests.faults.faulty_simulator import FaultySimulator

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]

V1, V3 = "/v1/log/{job}/57/real-time-log", "/v3/jobs/{job}/57/real-time-log"


def part(
    simulator: FaultySimulator, ask: Ask, version: str, start: int, name: str = "failing"
) -> tuple[str, int, bool]:
    """Return a part of the log, the offset of the next one, and whether there is more now."""
    if version == "v1":
        result = ask(simulator, V1, name, params={"start_offset": start, "size": 1000}).json()["result"]
        return result["log"], int(result["end_offset"]), result["has_more"]
    result = ask(simulator, V3, name, params={"offset": start, "length": 500}).json()["result"]
    return result["content"], result["offset"], result["has_more_data"]


@pytest.mark.parametrize("version", ["v1", "v3"])
def test_log_grows_while_the_build_runs(simulator: FaultySimulator, ask: Ask, version: str) -> None:
    """Its parts, from offset to offset, add up to what is downloaded in the end."""
    read, offset, parts = "", 0, 0
    for _ in range(12):
        simulator.clock.advance(4)
        text, offset, has_more = part(simulator, ask, version, offset)
        read, parts = read + text, parts + bool(text)
        while has_more:
            text, offset, has_more = part(simulator, ask, version, offset)
            read += text
    assert read == ask(simulator, "/v1/log/{record}/download-log", "failing").text
    assert parts > 5


def test_log_of_a_stage_is_a_part_of_the_whole(simulator: FaultySimulator, ask: Ask) -> None:
    """By the name that the list of stages has for it."""
    simulator.clock.advance(60)
    stages = ask(simulator, "/v1/record/{record}/full-stages", "failing").json()["result"]["build_stages"]
    [failed] = [name for name, stage in stages.items() if stage["status"] == "FAILURE"]
    text = ask(simulator, "/v4/{record}/task-log", "failing", params={"task_name": failed}).text
    assert "COMPILATION ERROR" in text
    assert text in ask(simulator, "/v1/log/{record}/download-log", "failing").text
    assert ask(simulator, "/v4/{record}/task-log", "failing", params={"task_name": "stage99"}).status_code == 422


def test_line_appears_in_the_middle_of_its_stage(simulator: FaultySimulator, ask: Ask) -> None:
    """Not at once, and not at its end only."""
    simulator.clock.advance(4 + 15 + 8)
    text, _, _ = part(simulator, ask, "v1", 0)
    assert ("COMPILATION ERROR" in text, "1 error" in text) == (True, False)


def test_build_in_the_queue_has_an_empty_log(simulator: FaultySimulator, ask: Ask) -> None:
    """Nothing has been written, and nothing is wrong."""
    assert part(simulator, ask, "v1", 0) == ("", 0, False)


@pytest.mark.parametrize("path", [V1, V3, "/v1/log/{job}/57/analysis"])
def test_build_that_never_ran_has_no_log(simulator: FaultySimulator, ask: Ask, path: str) -> None:
    """The executor's failure is a permanent 500."""
    simulator.clock.advance(60)
    params = {"start_offset": 0, "size": 1000, "offset": 0}
    answer = ask(simulator, path, "schedule-failure", params=params)
    assert (answer.status_code, answer.json()["error_code"]) == (500, "CB.00030004")


@pytest.mark.parametrize("path", [V1, V3])
def test_parameter_that_is_required_is_named(simulator: FaultySimulator, ask: Ask, path: str) -> None:
    """`size` for the newer operation, `offset` for the older one."""
    answer = ask(simulator, path)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "CB.00060200")


def test_progress_is_one_line_until_it_ends(serve: Serve, ask: Ask) -> None:
    """Carriage returns separate its states; only the last one ends with a newline."""
    simulator = serve("chatty")
    simulator.clock.advance(200)
    lines = ask(simulator, "/v1/log/{record}/download-log", "chatty").content.decode().split("\n")
    [progress] = [line for line in lines if "Downloading" in line]
    assert (progress.count("\r"), progress.endswith("Downloaded 214 dependencies, 61 MB")) == (50, True)
    assert len(lines) > 400


def test_log_of_any_bytes_is_read_in_parts_too(serve: Serve, ask: Ask) -> None:
    """Also one without an end, of which only the part that is asked for is made."""

    def log() -> Any:
        while True:
            yield "构建\n".encode()

    plan = replace(sample_plans.PASSING, log=log)
    simulator = serve(Scenario(name="long", starts=(Start(plan=plan),), first_number=57))
    simulator.clock.advance(10)
    assert part(simulator, ask, "v3", 3000, "long") == ("构建\n" * 166 + "构建", 3500, True)


@pytest.mark.parametrize(("seconds", "steps"), [(20, []), (60, ["Maven"])])
def test_analysis_names_the_stage_that_failed(
    simulator: FaultySimulator, ask: Ask, seconds: float, steps: list[str]
) -> None:
    """With its error, once it has failed."""
    simulator.clock.advance(seconds)
    nodes = ask(simulator, "/v1/log/{job}/57/analysis", "failing").json()["result"]["error_nodes"]
    assert [node["step"] for node in nodes] == steps
    assert all("cannot find symbol" in node["error_info"]["error_message"] for node in nodes)
