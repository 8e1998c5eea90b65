"""Faults: where they strike, how often, and what the client meets."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from gate.simulator import sample_plans
from gate.simulator.builds import CHINA
from gate.simulator.exchange import Call, gateway_error
from gate.simulator.scenarios import Scenario, Start
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.response_faults import MISSING, EditAnswer, ReplaceAnswer
from tests.faults.transport_faults import Drip, Drop, Endless, Point, Raw, Silence, TransportFault

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]

RECORD = "/v1/record/{job}/57/record-info"
STATUS = "/v3/jobs/{job}/status"
BUSY = ReplaceAnswer(gateway_error(503, "0602", "busy", **{"Retry-After": "7"}))


def statuses(ask: Ask, simulator: FaultySimulator, path: str, count: int, name: str = "passing") -> list[int]:
    """Ask so many times and give the HTTP statuses."""
    return [ask(simulator, path, name).status_code for _ in range(count)]


def test_a_fault_spares_the_first_and_hits_the_next(simulator: FaultySimulator, ask: Ask) -> None:
    """`skip` and `times` count the requests that match."""
    simulator.faults.add(Fault(act=BUSY, operations=("ShowJobStatus",), skip=1, times=2))
    assert ask(simulator, RECORD).status_code == 200
    assert statuses(ask, simulator, STATUS, 5) == [200, 503, 503, 200, 200]


def test_a_fault_without_an_end_stays_until_it_is_taken_out(simulator: FaultySimulator, ask: Ask) -> None:
    """`times=None` hits every request; `clear` ends it."""
    simulator.faults.add(Fault(act=BUSY, times=None))
    assert statuses(ask, simulator, STATUS, 3) == [503, 503, 503]
    simulator.faults.clear()
    assert statuses(ask, simulator, STATUS, 1) == [200]


def test_a_fault_strikes_only_what_it_names(simulator: FaultySimulator, ask: Ask) -> None:
    """Job, build and any further condition must all hold."""
    job = simulator.jobs["failing"]
    fault = Fault(act=BUSY, operations=RECORD_ROUTES, job_id=job, build_number=57, times=None)
    simulator.faults.add(replace(fault, when=lambda call: call.version == "v1"))
    assert ask(simulator, RECORD, "passing").status_code == 200
    assert ask(simulator, "/v1/record/{job}/56/record-info", "failing").status_code == 200
    assert ask(simulator, "/v4/jobs/{job}/57/record-info", "failing").status_code == 200
    assert ask(simulator, RECORD, "failing").status_code == 503


def test_a_fault_is_decided_on_at_the_instant_of_the_answer(simulator: FaultySimulator, ask: Ask) -> None:
    """A build that ends between the two would be told by an answer that the fault was to spoil."""
    mover = threading.Thread(target=simulator.advance, args=(600,))

    def has_ended(call: Call) -> bool:
        ended = simulator.backend.build(call).ended
        mover.start()
        mover.join(0.1)  # the clock stands until there is an answer
        return ended

    simulator.faults.add(Fault(act=BUSY, operations=RECORD_ROUTES, when=has_ended))
    assert ask(simulator, RECORD, "passing").json()["result"]["finish_time"] is None
    mover.join(10)
    simulator.faults.clear()
    assert ask(simulator, RECORD, "passing").json()["result"]["finish_time"]


def test_a_fault_finds_the_job_of_a_record_or_a_body(simulator: FaultySimulator, ask: Ask) -> None:
    """Requests that name a record's id, or a job in the body, belong to their job too."""
    simulator.faults.add(Fault(act=BUSY, job_id=simulator.jobs["failing"], times=None))
    assert ask(simulator, "/v1/record/{record}/full-stages", "failing").status_code == 503
    assert (
        ask(simulator, "/v1/job/execute", method="POST", json={"job_id": simulator.jobs["failing"]}).status_code == 503
    )
    assert ask(simulator, "/v1/record/{record}/full-stages", "passing").status_code == 200


def test_a_reply_stands_in_for_the_service(simulator: FaultySimulator, ask: Ask) -> None:
    """Status, headers and body are the fault's, and what was asked is not done."""
    simulator.faults.add(Fault(act=BUSY, operations=("ExecuteJob",)))
    answer = ask(simulator, "/v1/job/execute", method="POST", json={"job_id": simulator.jobs["passing"]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert ask(simulator, "/v1/record/{job}/58/record-info").status_code == 422


@pytest.mark.parametrize("value", [None, "Finished", "success", 7])
def test_an_edit_sets_a_field(simulator: FaultySimulator, ask: Ask, value: object) -> None:
    """The rest of the answer stays as it is."""
    simulator.faults.add(Fault(act=EditAnswer({"result.status": value}), operations=RECORD_ROUTES))
    edited, whole = ask(simulator, RECORD).json(), ask(simulator, RECORD).json()
    assert edited["result"].pop("status") == value
    whole["result"].pop("status")
    assert edited == whole


def list_of_builds(simulator: FaultySimulator, ask: Ask) -> Any:
    """Return the list of the job's builds."""
    today = simulator.clock.now().astimezone(CHINA)
    window = {"start_time": f"{today - timedelta(days=7):%Y-%m-%d} 00:00:00", "end_time": f"{today:%Y-%m-%d} 23:59:59"}
    return ask(simulator, "/v1/record/{job}/list", params=window).json()


def test_an_edit_takes_fields_out_also_within_arrays(simulator: FaultySimulator, ask: Ask) -> None:
    """A path's digits count into an array."""
    rows = "result.job_build_states"
    whole = list_of_builds(simulator, ask)["result"]["job_build_states"]
    simulator.faults.add(Fault(act=EditAnswer({f"{rows}.1.state": MISSING, f"{rows}.0": None, "status": "x"})))
    answer = list_of_builds(simulator, ask)
    assert (answer["result"]["job_build_states"][0], answer["status"]) == (None, "x")
    assert set(whole[1]) - set(answer["result"]["job_build_states"][1]) == {"state"}


def test_an_edit_leaves_errors_alone(simulator: FaultySimulator, ask: Ask) -> None:
    """Only what the service answers well is edited."""
    simulator.faults.add(Fault(act=EditAnswer({"result.status": "DONE"}), times=None))
    assert ask(simulator, "/v1/record/{job}/99/record-info").json()["error_code"] == "DEVCB.00031006"


@pytest.mark.parametrize(
    "act",
    [Drop(), Drop(reset=True), Drop(point=Point.BODY), Drop(point=Point.BODY, reset=True)],
    ids=repr,
)
def test_a_drop_breaks_one_answer_and_the_next_is_whole(
    simulator: FaultySimulator, ask: Ask, act: TransportFault
) -> None:
    """The client meets a broken connection once."""
    simulator.faults.add(Fault(act=act))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ask(simulator, RECORD)
    assert ask(simulator, RECORD).status_code == 200


@pytest.mark.parametrize(("processed", "status"), [(True, 200), (False, 422)])
def test_a_lost_answer_may_have_taken_effect_or_not(
    simulator: FaultySimulator, ask: Ask, processed: bool, status: int
) -> None:
    """With `processed` the build was started although its number never arrived."""
    simulator.faults.add(Fault(act=Drop(processed=processed)))
    with pytest.raises(requests.ConnectionError):
        ask(simulator, "/v1/job/execute", method="POST", json={"job_id": simulator.jobs["passing"]})
    assert ask(simulator, "/v1/record/{job}/58/record-info").status_code == status
    assert simulator.journal.entries[0].status == (200 if processed else None)
    assert simulator.journal.entries[0].transport_fault == "Drop"


def received(simulator: FaultySimulator) -> bytes:
    """Send a request by hand and give all bytes that come back until the connection ends."""
    host, port = simulator.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(1024), b""))


def test_a_drop_in_the_headers_leaves_them_without_an_end(simulator: FaultySimulator) -> None:
    """The status line has come, the blank line has not: Python's own client takes that for an empty answer."""
    simulator.faults.add(Fault(act=Drop(point=Point.HEADERS)))
    data = received(simulator)
    assert data.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"\r\n\r\n" not in data


def test_raw_bytes_are_sent_as_they_are(simulator: FaultySimulator) -> None:
    """What is no HTTP at all arrives byte for byte, and the connection ends."""
    simulator.faults.add(Fault(act=Raw(data=b"SSH-2.0-OpenSSH_9.7\r\n")))
    assert received(simulator) == b"SSH-2.0-OpenSSH_9.7\r\n"


def test_silence_lasts_until_the_client_gives_up(
    simulator: FaultySimulator, ask: Ask, session: requests.Session
) -> None:
    """No byte comes; the next request is answered."""
    simulator.faults.add(Fault(act=Silence()))
    with pytest.raises(requests.ReadTimeout):
        session.get(simulator.endpoint, timeout=0.1)
    assert ask(simulator, RECORD).status_code == 200


@pytest.mark.parametrize(("headers", "interval"), [(True, 0.004), (False, 0.03)])
def test_a_drip_sends_a_byte_at_a_time(
    simulator: FaultySimulator, session: requests.Session, headers: bool, interval: float
) -> None:
    """From the first byte of the headers, or of the body: then the headers come at once."""
    simulator.faults.add(Fault(act=Drip(interval=interval, headers=headers)))
    url = f"{simulator.endpoint}/v3/jobs/{simulator.jobs['passing']}/status"
    begun = time.monotonic()
    with session.get(url, headers={"X-Auth-Token": simulator.token}, stream=True, timeout=5) as answer:
        head = time.monotonic() - begun
        assert answer.json() == {"result": False}
    assert (head > 0.4, time.monotonic() - begun > 0.4) == (headers, True)


def test_silence_does_not_mind_what_else_is_sent(simulator: FaultySimulator) -> None:
    """A client that goes on sending gets no byte for it; when it has finished, the connection ends."""
    simulator.faults.add(Fault(act=Silence()))
    host, port = simulator.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while not simulator.journal.entries:
            time.sleep(0.001)
        connection.sendall(b"hello?")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_an_endless_body_has_no_end(simulator: FaultySimulator, session: requests.Session) -> None:
    """A client can read as much as it likes."""
    simulator.faults.add(Fault(act=Endless(piece=b"x" * 65536)))
    with session.get(simulator.endpoint, stream=True, timeout=5) as answer:
        pieces = answer.iter_content(65536)
        assert sum(len(next(pieces)) for _ in range(50)) > 1_000_000


def test_a_log_in_pieces_arrives_whole(serve: Serve, ask: Ask) -> None:
    """Pieces become one chunked body, and empty ones do not end it early."""
    course = replace(sample_plans.PASSING, log=lambda: [b"one ", b"", b"two"])
    simulator = serve(Scenario(name="pieces", starts=(Start(at=-60, plan=course),), first_number=57))
    answer = ask(simulator, "/v4/{record}/download-log", "pieces")
    assert (answer.text, answer.headers["Transfer-Encoding"]) == ("one two", "chunked")


def test_a_course_can_send_any_log(serve: Serve, session: requests.Session) -> None:
    """A log without an end comes in pieces; nothing is gathered first."""

    def for_ever() -> Iterator[bytes]:
        while True:
            yield b"::error::line\n" * 1000

    scenario = Scenario(name="long", starts=(Start(plan=replace(sample_plans.PASSING, log=for_ever)),))
    simulator = serve(scenario)
    simulator.clock.advance(60)
    [build] = simulator.backend.jobs[simulator.jobs["long"]].builds
    url = f"{simulator.endpoint}/v1/log/{build.record_id}/download-log"
    with session.get(url, headers={"X-Auth-Token": simulator.token}, stream=True, timeout=5) as answer:
        pieces = answer.iter_content(14000)
        assert sum(len(next(pieces)) for _ in range(50)) > 500_000
