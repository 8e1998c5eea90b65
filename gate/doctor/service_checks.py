"""The steps that need the credential."""

import re
import statistics
import time
from collections.abc import Sequence
from typing import Any

from gate.codearts import responses
from gate.codearts.client import BUILD_LIST_ROUTES, PROJECT_LIST_ROUTES, RECORD_ROUTES
from gate.core.asks import Ask, Result
from gate.core.names import PROJECT_HINT, find_jobs
from gate.core.ports import Context
from gate.core.retry import Retrier
from gate.core.verdict import interpret
from gate.doctor.diagnosis import NO_JOB, CheckFailed, CheckSkipped, Diagnosis
from gate.errors import CredentialRefused, Forbidden, NotFound, Refused, RouteMissing, ServiceError
from gate.settings import Rules

TIMED_REQUESTS = 5


def credential(diagnosis: Diagnosis) -> str:
    """Send the credential; every answer but a refusal of it shows that it is good."""
    _ask_first(diagnosis)
    return f"the {diagnosis.connection.credential.description} was accepted"


def project(diagnosis: Diagnosis) -> str:
    """Read the list of the jobs of the CodeArts project, where one is given: for jobs that are given by name."""
    if not diagnosis.project:
        raise CheckSkipped("give --codearts-project to check that jobs may be given by name")
    try:
        diagnosis.client.jobs_page(diagnosis.project, 0, "")
    except RouteMissing as error:
        raise CheckFailed(str(error), "Give job ids, not names.", ends=False) from None
    except (Forbidden, NotFound, Refused) as error:
        raise CheckFailed(str(error), PROJECT_HINT.format("").strip(), ends=False) from None
    return f"the jobs of {diagnosis.project} can be listed"


def job(diagnosis: Diagnosis) -> str:
    """Return what `/v3/jobs/{job_id}/status` says of the job; one that was given by name is looked up first."""
    if diagnosis.target is None:
        raise CheckSkipped("give a TARGET to check that it can be read")
    if diagnosis.job_id is None:
        diagnosis.job_id = _find_job(diagnosis, diagnosis.target.name)
        _ask_first(diagnosis)
    if diagnosis.refusal is not None:
        raise CheckFailed(str(diagnosis.refusal), diagnosis.refusal.hint)
    if not diagnosis.has_status:
        return f"{diagnosis.job_id} can be read; its /status is not published here"
    says = {True: "true: it is running", False: "false: it is not running", None: "nothing"}[diagnosis.is_running]
    return f"{diagnosis.job_id} can be read; /status says {says}"


def newest_build(diagnosis: Diagnosis) -> str:
    """Return the newest build of the job, and the service's word for its state; and that of the target's build."""
    if diagnosis.target is None or diagnosis.job_id is None:
        raise CheckSkipped("give a TARGET to see its newest build")
    rows = diagnosis.client.build_page(diagnosis.job_id, 0).rows
    newest = max((row.number for row in rows), default=None)
    facts = "the list shows no build of the last weeks"
    if newest is not None:
        diagnosis.build_number = newest
        facts = _state_of_build(diagnosis, newest)
    number = diagnosis.target.build_number
    if number is None or number == newest:
        return facts
    try:
        return f"{facts}; {_state_of_build(diagnosis, number)}"
    except NotFound:
        fix = "Check the number of the build."
        raise CheckFailed(f"there is no build {number}; {facts}", fix, ends=False) from None


def _state_of_build(diagnosis: Diagnosis, number: int) -> str:
    """Return a build's number and the service's word for its state; learn the project from its record."""
    assert diagnosis.job_id is not None
    record = diagnosis.client.record(diagnosis.job_id, number)
    diagnosis.project_id = record.project_id
    return f"build {number}: {interpret(record).word or 'no word'}"


def unknown_build(diagnosis: Diagnosis) -> str:
    """Return how the service answers for a build that does not exist: no page of its describes that.

    `gate.core.choice` needs that answer to know which build is the newest.
    """
    if diagnosis.job_id is None or diagnosis.build_number is None:
        raise CheckSkipped("a job with a build is needed to see how the service answers for one that does not exist")
    number, answers = diagnosis.build_number + 1, []
    for _ in range(2):
        try:
            diagnosis.client.record(diagnosis.job_id, number)
        except NotFound:
            return f"the service says that there is no build {number}"
        except ServiceError as error:
            answers.append(str(error))
        else:
            return f"build {number} has appeared meanwhile"
    if answers[0] != answers[1]:
        raise CheckFailed(f"the service does not say whether there is a build {number}: {answers[1]}", "Try it again.")
    return (
        f"the service answers with an error for a build that does not exist ({answers[0]}). As it is always the same, "
        "the gate takes the newest build of the list for the newest of the job after half a minute, with a warning. "
        "That there is no build is never proven here"
    )


def job_name(diagnosis: Diagnosis) -> str:
    """Return the name of the job and its CodeArts project; they are useful, and nothing depends on them."""
    if diagnosis.job_id is None:
        raise CheckSkipped("give a TARGET to see its name and its project")
    try:
        config = diagnosis.client.job_config(diagnosis.job_id)
    except ServiceError as error:
        raise CheckSkipped(f"{error}; the label can be chosen freely") from None
    diagnosis.job_name = config.name
    diagnosis.project_id = diagnosis.project_id or config.project_id
    return f"{config.name or 'no name'} in the CodeArts project {diagnosis.project_id or '(not said)'}"


def record_routes(diagnosis: Diagnosis) -> str:
    """Return the paths by which this host publishes the record of a build."""
    published = [route for route, _ in RECORD_ROUTES if _is_published(diagnosis, route)]
    if not published:
        raise CheckFailed(
            "this host publishes none of the paths to the record of a build",
            "Check --endpoint; where no record routes are published, only --verdict status is left.",
        )
    diagnosis.record_route = published[0]
    return _publication([route for route, _ in RECORD_ROUTES], published)


def lists(diagnosis: Diagnosis) -> str:
    """Return the paths by which this host publishes lists of builds and of jobs; they save requests."""
    routes = [*BUILD_LIST_ROUTES, *PROJECT_LIST_ROUTES]
    return _publication(routes, [route for route in routes if _is_published(diagnosis, route)])


def request_time(diagnosis: Diagnosis) -> str:
    """Return the median time of some requests about a build, as many as one request timeout has room for."""
    route = diagnosis.record_route or RECORD_ROUTES[0][0]
    times: list[float] = []
    while len(times) < TIMED_REQUESTS and sum(times) < diagnosis.connection.request_timeout:
        started = time.monotonic()
        _is_published(diagnosis, route)
        times.append(time.monotonic() - started)
    median = 1000 * statistics.median(times)
    return f"a request about a build takes {median:.0f} ms (median of {len(times)}, at most {1000 * max(times):.0f} ms)"


def target(diagnosis: Diagnosis) -> str:
    """Return the target to write into a pipeline, with its own label, or the job's name where that is possible."""
    if diagnosis.target is None or diagnosis.job_id is None:
        raise CheckSkipped("give a TARGET to see what to write into a pipeline")
    if diagnosis.target.label not in (diagnosis.job_id, diagnosis.target.name):
        return f"{diagnosis.target.label}={diagnosis.job_id}"
    label = re.sub(r"[^A-Za-z0-9._-]+", "-", diagnosis.job_name or "").strip("-.")[:64]
    return f"{label}={diagnosis.job_id}" if label else diagnosis.job_id


def _publication(routes: Sequence[str], published: Sequence[str]) -> str:
    """Say which of the routes are published."""
    missing = [route for route in routes if route not in published]
    return "; ".join(
        f"{words}: {', '.join(found)}"
        for words, found in (("published", published), ("not published", missing))
        if found
    )


def _ask_first(diagnosis: Diagnosis) -> None:
    """Ask the first question that needs a credential; keep what speaks against the job."""
    diagnosis.refusal = None
    for ask in (_ask_status, _ask_builds):
        try:
            ask(diagnosis)
        except RouteMissing:
            continue
        except (Forbidden, NotFound, Refused) as error:
            diagnosis.refusal = error
        return
    raise CheckFailed("this host publishes no path that needs a credential", "Check --endpoint.")


def _find_job(diagnosis: Diagnosis, name: str) -> str:
    """Return the id of the job of this name; raises the `ServiceError` if there is none, or several."""
    context = Context(
        rules=Rules(
            error_budget=diagnosis.connection.request_timeout,
            error_budget_source="",
            codearts_project=diagnosis.project,
        ),
        service=diagnosis.client,
        now=time.monotonic,
        chance=lambda: 0.5,
        say=lambda _target, _text: None,
    )
    steps = find_jobs([name], context, Retrier(context, lambda _text: None))
    results: Sequence[Result] | None = None
    while True:
        try:
            asks = steps.send(results)
        except StopIteration as end:
            return str(end.value[name])
        results = [_answer(ask) for ask in asks]


def _answer(ask: Ask[Any]) -> Result:
    """Carry out what a coroutine of the core asks for, in this thread."""
    time.sleep(max(ask.not_before - time.monotonic(), 0.0))
    try:
        return Result(ask.call() if ask.call else None)
    except ServiceError as error:
        return Result(error=error)


def _ask_status(diagnosis: Diagnosis) -> None:
    diagnosis.has_status = False
    diagnosis.is_running = diagnosis.client.is_running(diagnosis.asked_job)
    diagnosis.has_status = True


def _ask_builds(diagnosis: Diagnosis) -> None:
    diagnosis.client.build_page(diagnosis.asked_job, 0)


def _is_published(diagnosis: Diagnosis, route: str) -> bool:
    """Tell whether the host publishes a path; only the gateway's own error says that it does not."""
    path = route.format(
        job_id=diagnosis.asked_job,
        build_number=diagnosis.build_number or 1,
        project_id=diagnosis.project_id or NO_JOB,
    )
    try:
        responses.payload(diagnosis.session.get(path), route, diagnosis.session.hide)
    except RouteMissing:
        return False
    except (NotFound, Forbidden, Refused):
        return True
    except CredentialRefused as error:
        if error.kind is not Forbidden:
            raise
    return True
