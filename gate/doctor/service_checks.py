"""The steps behind the gateway's door."""

from gate.codearts import responses
from gate.codearts.client import RECORD_ROUTES
from gate.core.selection import newest
from gate.core.verdict import interpret
from gate.doctor.diagnosis import CheckFailed, CheckSkipped, Diagnosis
from gate.errors import Forbidden, NotFound, Refused, RouteMissing


def credential(exam: Diagnosis) -> str:
    """Send the credential; every answer but a refusal of it will do."""
    for ask in (_ask_status, _ask_builds):
        try:
            ask(exam)
        except RouteMissing:
            continue
        except (Forbidden, NotFound, Refused) as error:
            exam.refusal = error
        return f"the {exam.connection.credential.description} was accepted"
    raise CheckFailed("no path that needs a credential is published here", "Check --endpoint.")


def job(exam: Diagnosis) -> str:
    """Tell what `/v3/jobs/{job_id}/status` says of the job."""
    if exam.job_id is None:
        raise CheckSkipped("give a JOB_ID to check that it can be read")
    if exam.refusal is not None:
        raise CheckFailed(str(exam.refusal), exam.refusal.hint)
    if not exam.has_status:
        return f"{exam.job_id} can be read; its /status is not published here"
    says = {True: "true: it is running", False: "false: it is not running", None: "nothing"}[exam.is_running]
    return f"{exam.job_id} can be read; /status says {says}"


def newest_build(exam: Diagnosis) -> str:
    """Find the newest build of the job, and its word."""
    if exam.job_id is None:
        raise CheckSkipped("give a JOB_ID to see its newest build")
    build = newest(exam.client.builds(exam.job_id))
    if build is None:
        return "the job has no build in the last weeks"
    exam.build_number = build.number
    return f"build {build.number}: {interpret(exam.client.record(exam.job_id, build.number)).word or 'no word'}"


def record_routes(exam: Diagnosis) -> str:
    """List the paths by which a build's record can be read here."""
    published = [route for route, _ in RECORD_ROUTES if _is_published(exam, route)]
    if not published:
        raise CheckFailed(
            "this host publishes none of the paths to the record of a build",
            "Check --endpoint; where no record routes are published, only --verdict status is left.",
        )
    missing = [route for route, _ in RECORD_ROUTES if route not in published]
    return f"published: {', '.join(published)}" + (f"; not published: {', '.join(missing)}" if missing else "")


def _ask_status(exam: Diagnosis) -> None:
    exam.has_status = False
    exam.is_running = exam.client.is_running(exam.asked_job)
    exam.has_status = True


def _ask_builds(exam: Diagnosis) -> None:
    exam.client.builds(exam.asked_job)


def _is_published(exam: Diagnosis, route: str) -> bool:
    """Ask by one path; only the gateway's word that there is none counts."""
    path = route.format(job_id=exam.asked_job, build_number=exam.build_number or 1)
    try:
        responses.payload(exam.session.get(path), route, exam.session.hide)
    except RouteMissing:
        return False
    except (NotFound, Forbidden, Refused):
        return True
    return True
