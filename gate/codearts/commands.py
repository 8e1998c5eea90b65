"""The operations that change something: starting a build and stopping it."""

from gate.codearts import wire
from gate.codearts.routes import Routes
from gate.errors import ServiceError, StartLost, TransientError
from gate.model import Order

ALREADY_ENDED = "DEV.CB.032302"
"""The code of a refusal to stop a build that has ended ("the task status has been refreshed")."""


class Commands:
    """Starts and stops builds."""

    def __init__(self, routes: Routes) -> None:
        """Nothing is sent yet."""
        self._routes = routes

    def start(self, order: Order) -> int:
        """Start a build (ExecuteJob, else the older RunJob where that is not published) and give its number.

        It is sent once. Raises `StartLost` when it was sent and nobody can say whether a build was started, and a
        `TransientError` only when it was never sent.
        """
        body = wire.order_to(order)
        routes = [
            self._routes.post("/v1/job/execute", wire.started_number_of, body),
            self._routes.post("/v3/jobs/build", wire.started_number_of, body),
        ]
        try:
            return self._routes.first("starting a build", routes)
        except TransientError as error:
            if not error.sent:
                raise
            raise StartLost(
                f"whether a build was started is not known: {error}", status=error.status, code=error.code
            ) from error

    def stop(self, job_id: str, build_number: int) -> str:
        """Stop exactly this build, and say in a few words what became of it.

        StopBuildJob, whose path carries the number, else StopTheJob, where the vendor's SDK puts the number in the
        query and its Terraform provider in the body.
        """
        number = {"build_no": build_number}
        routes = [
            self._routes.post(f"/v3/jobs/{job_id}/{build_number}/stop", lambda _: None),
            self._routes.post(f"/v1/job/{job_id}/stop", lambda _: None, body=number, params=number),
        ]
        try:
            self._routes.first("stopping a build", routes, f"stopping build {build_number}")
        except ServiceError as error:
            if error.code == ALREADY_ENDED:
                return "it had ended before it could be stopped"
            raise
        return "it was told to stop, as this gate had started it"

    def stop_command(self, job_id: str, build_number: int) -> str:
        """Give the shell command that stops a build that this gate must not stop; empty where a shell has no token."""
        session = self._routes.session
        url = f"{session.endpoint}/v3/jobs/{job_id}/{build_number}/stop"
        return f'curl -X POST -H "X-Auth-Token: {session.in_shell}" {url}' if session.in_shell else ""
