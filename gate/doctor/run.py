"""Run the steps in their order, each within a time limit, and print the findings."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import click

from gate.codearts.connect import Say
from gate.core.ports import CallResult, LogLine
from gate.doctor import network_checks, service_checks
from gate.doctor.diagnosis import CheckFailed, CheckSkipped, Diagnosis
from gate.errors import ServiceError
from gate.model import Target
from gate.platforms.detect import detect_here
from gate.reports.result import one_json_line
from gate.runtime.workers import WorkerPool
from gate.settings import Connection
from gate.text import one_line

Check = Callable[[Diagnosis], str]

STEPS: tuple[tuple[str, Check], ...] = (
    ("settings", network_checks.settings),
    ("name resolution", network_checks.name_resolution),
    ("connection", network_checks.connection),
    ("TLS", network_checks.tls),
    ("gateway", network_checks.gateway),
    ("clock", network_checks.clock),
    ("credential", service_checks.credential),
    ("project", service_checks.project),
    ("job", service_checks.job),
    ("newest build", service_checks.newest_build),
    ("unknown build", service_checks.unknown_build),
    ("job name", service_checks.job_name),
    ("record routes", service_checks.record_routes),
    ("lists", service_checks.lists),
    ("request time", service_checks.request_time),
    ("target", service_checks.target),
)

REQUESTS = 3
"""Request timeouts that a step may last: one request, a sign-in, and the request once more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a step: `ok`, `failed` or `skipped`, the facts, and what to fix."""

    step: str
    state: str
    facts: str
    fix: str = ""

    def line(self) -> str:
        """Return the finding as people read it."""
        return f"{self.state:<8} {self.step}: {self.facts}" + (f". {self.fix}" if self.fix else "")


def examine(connection: Connection, target: Target | None, project: str | None, *, as_json: bool, verbose: bool) -> int:
    """Run all steps, print a line for each as it ends, and return the exit code: 0, or 5 if any failed.

    `project`: the CodeArts project of a target that is given by name.
    """
    pool, platform = WorkerPool(), detect_here()
    note: Say = (lambda text: pool.post(LogLine(text))) if verbose else (lambda _: None)
    diagnosis = Diagnosis(connection, target, project, note)
    findings = []
    for finding in _findings(diagnosis, pool, lambda text: click.echo(platform.without_commands(text), err=True)):
        findings.append(finding)
        if not as_json:
            click.echo(platform.without_commands(finding.line()))
    pool.close()
    exit_code = 5 if any(finding.state == "failed" for finding in findings) else 0
    if as_json:
        click.echo(one_json_line({"exit_code": exit_code, "steps": [asdict(finding) for finding in findings]}))
    return exit_code


def _findings(diagnosis: Diagnosis, pool: WorkerPool, tell: Say) -> Iterator[Finding]:
    """Run one step after the other; those after one that failed are skipped. `tell` prints details."""
    broken = ""
    for step, check in STEPS:
        if broken:
            yield Finding(step, "skipped", f"because {broken} failed")
            continue
        try:
            finding = Finding(step, "ok", _run_step(check, diagnosis, pool, tell))
        except CheckSkipped as reason:
            finding = Finding(step, "skipped", str(reason))
        except CheckFailed as trouble:
            finding = Finding(step, "failed", str(trouble), trouble.fix)
            broken = step if trouble.ends else ""
        yield replace(finding, facts=one_line(finding.facts, limit=500))


def _run_step(check: Check, diagnosis: Diagnosis, pool: WorkerPool, tell: Say) -> str:
    """Run a step in another thread, so that a call that hangs ends with its time limit; raises `CheckFailed`."""
    seconds = REQUESTS * diagnosis.connection.request_timeout
    until = pool.now() + seconds
    pool.submit(0, lambda: check(diagnosis))
    while pool.now() < until:
        match pool.next(until):
            case LogLine(text):
                tell(f"         {one_line(text, limit=500)}")
            case CallResult(error=None, value=facts):
                return str(facts)
            case CallResult(error=ServiceError() as error):
                raise CheckFailed(str(error), error.hint_for("doctor"))
            case CallResult(error=error):
                raise error or AssertionError
    raise CheckFailed(f"no end within {seconds:g} s", "Check the DNS, the proxy and the firewall: one of them hangs.")
