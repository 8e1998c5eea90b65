"""The journal as a witness."""

from collections.abc import Callable

import requests

from tests.faults.faulty_simulator import FaultySimulator

Ask = Callable[..., requests.Response]


def test_the_journal_tells_what_was_asked(simulator: FaultySimulator, ask: Ask) -> None:
    """Each request is there with its operation, its build, its query and the answer's status."""
    simulator.clock.advance(5)
    ask(simulator, "/v1/report/{job}/summary?build_no=57")
    [entry] = simulator.journal.entries
    job = simulator.jobs["passing"]
    assert (entry.operation, entry.job_id, entry.build_number) == ("ShowReportSummary", job, 57)
    assert (entry.method, entry.path, entry.query) == ("GET", f"/v1/report/{job}/summary", {"build_no": "57"})
    assert (entry.family, entry.authorised, entry.status, entry.transport_fault) == ("token", True, 200, None)
    assert entry.at == simulator.clock.now()


def test_requests_can_be_picked_by_operation_and_job(simulator: FaultySimulator, ask: Ask) -> None:
    """Requests about a record belong to its job."""
    for name in ("passing", "failing"):
        ask(simulator, "/v1/record/{record}/full-stages", name)
        ask(simulator, "/v3/jobs/{job}/status", name)
    assert len(simulator.journal.of("ShowBuildRecordFullStages", "ShowJobStatus")) == 4
    [entry] = simulator.journal.of("ShowBuildRecordFullStages", job_id=simulator.jobs["failing"])
    assert entry.build_number == 57


def test_the_journal_holds_no_credential(simulator: FaultySimulator, ask: Ask, session: requests.Session) -> None:
    """Neither a token nor a password stands anywhere in it."""
    user = {"name": "gate-user", "password": simulator.iam.account.password, "domain": {"name": "gate-domain"}}
    session.post(f"{simulator.endpoint}/v3/auth/tokens", json={"auth": {"identity": {"password": {"user": user}}}})
    ask(simulator, "/v3/jobs/{job}/status")
    text = repr(simulator.journal.entries)
    assert simulator.journal.sign_ins == 1
    assert simulator.token not in text
    assert simulator.iam.account.password not in text
