"""The server: connections, threads and their end."""

import http.client
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests

from gate.simulator.scenarios import SCENARIOS
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.response_faults import ResponseFault
from tests.faults.transport_faults import Drip, Endless, Silence
from tests.tables import each_row

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]


def test_only_loopback_is_bound(simulator: FaultySimulator) -> None:
    """The endpoint is on 127.0.0.1, at a port that was free."""
    host, port = simulator.endpoint.removeprefix("http://").split(":")
    assert host == "127.0.0.1"
    assert int(port) > 0


def test_a_connection_serves_many_requests(simulator: FaultySimulator) -> None:
    """HTTP/1.1 connections are kept open."""
    connection = http.client.HTTPConnection(simulator.endpoint.removeprefix("http://"), timeout=5)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", "/", headers={"X-Auth-Token": simulator.token})
        assert connection.getresponse().read()
    assert connection.sock is first
    connection.close()


def test_stop_leaves_no_thread_and_no_open_port() -> None:
    """Idle connections are ended too, and the port refuses new ones."""
    before = set(threading.enumerate())
    simulator = FaultySimulator(speed=0)
    simulator.start()
    with requests.Session() as session:
        session.trust_env = False
        session.get(simulator.endpoint, timeout=5)
        simulator.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(simulator.endpoint, timeout=5)
    assert set(threading.enumerate()) <= before


@each_row("act", [Silence(), Drip(interval=60), Endless(interval=60)])
def test_stop_ends_answers_that_would_go_on(act: ResponseFault) -> None:
    """Stopping does not wait for a fault to finish."""
    before = set(threading.enumerate())
    with FaultySimulator(speed=0, faults=[Fault(act=act)]) as simulator:
        connection = http.client.HTTPConnection(simulator.endpoint.removeprefix("http://"), timeout=5)
        connection.request("GET", "/")
        while not simulator.journal.entries:
            time.sleep(0.001)
        begun = time.monotonic()
    connection.close()
    assert time.monotonic() - begun < 2
    assert set(threading.enumerate()) <= before


def test_a_simulator_that_never_started_can_be_stopped() -> None:
    """Its port is given back."""
    simulator = FaultySimulator(speed=0)
    simulator.stop()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(simulator.endpoint.removeprefix("http://"), timeout=5).connect()


def test_two_simulators_know_nothing_of_each_other(serve: Serve, ask: Ask) -> None:
    """The token of one is no good at the other."""
    first, second = serve(), serve()
    answer = ask(second, "/v3/jobs/{job}/status", headers={"X-Auth-Token": first.token})
    assert answer.json()["error_code"] == "APIGW.0301"


def test_starts_at_once_lose_no_build(simulator: FaultySimulator) -> None:
    """Forty builds that are started at the same time get forty numbers."""
    url, job = f"{simulator.endpoint}/v3/jobs/build", simulator.jobs["passing"]

    def start(_: int) -> int:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, json={"job_id": job}, headers={"X-Auth-Token": simulator.token}, timeout=5)
        return int(answer.json()["actual_build_number"])

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(start, range(40))) == list(range(58, 98))


def test_five_hundred_jobs_are_served_quickly(serve: Serve, ask: Ask) -> None:
    """The record of every tenth is read, with a fiftieth of a second of the processor for each."""
    passing = SCENARIOS["passing"]
    simulator = serve(*(replace(passing, name=f"job-{number}") for number in range(500)))
    names = list(simulator.jobs)[::10]
    begun = time.process_time()
    assert {ask(simulator, "/v1/record/{job}/57/record-info", name).status_code for name in names} == {200}
    assert time.process_time() - begun < 0.02 * len(names)
