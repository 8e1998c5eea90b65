"""What stands before the service: routes, credentials, faults and the journal."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from urllib.parse import parse_qsl, unquote, urlsplit

from gate.simulator.answers import Answer, Refusal
from gate.simulator.calls import Call
from gate.simulator.credentials import Credential, Credentials
from gate.simulator.deliveries import Delivery, Whole
from gate.simulator.faults import FaultPlan
from gate.simulator.iam import token_outdated
from gate.simulator.journal import Entry, Journal
from gate.simulator.routes import Route, route_of
from gate.simulator.service import Service
from gate.simulator.shapes import Shape
from gate.simulator.wire import Wire


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Takes each request through the routes, the credentials, the service and the faults, and sends the answer."""

    service: Service
    credentials: Credentials
    faults: FaultPlan
    unpublished: Collection[str] = ()
    """Operations whose routes this deployment does not publish."""
    journal: Journal = field(default_factory=Journal)

    def serve(self, method: str, target: str, headers: Message, body: bytes, wire: Wire) -> bool:
        """Answer one request; true if the connection can serve another."""
        url = urlsplit(target)
        route, params = route_of(method, url.path, unpublished=self.unpublished)
        call = self.service.located(
            Call(
                operation=route.operation,
                method=method,
                path=url.path,
                params={name: unquote(value) for name, value in params.items()},
                query=tuple(parse_qsl(url.query, keep_blank_values=True)),
                headers=headers,
                body=body,
            )
        )
        admitted = self._admitted(route, call)
        answer, delivery = self._with_faults(call, partial(self._genuine, route, call, admitted))
        self._write(call, admitted, answer, delivery)
        return delivery.deliver(wire, answer or Answer())

    def _admitted(self, route: Route, call: Call) -> Credential | Answer:
        """Return the credential that lets the request in, or the answer that keeps it out."""
        if route.open:
            return Credential(family=None)
        try:
            credential = self.credentials.checked(call)
        except Refusal as refusal:
            return refusal.answer
        job, issued = self.service.jobs.get(call.job_id or ""), credential.token_issued
        if job and issued and job.refuses_token_of(issued, self.service.clock.now()):
            return token_outdated()
        return credential

    def _genuine(self, route: Route, call: Call, admitted: Credential | Answer) -> Answer:
        """Do what was asked and give the service's own answer."""
        if isinstance(admitted, Answer):
            return admitted
        try:
            return route.handler(self.service, call)
        except Refusal as refusal:
            return refusal.answer

    def _with_faults(self, call: Call, genuine: Callable[[], Answer]) -> tuple[Answer | None, Delivery]:
        """Return the answer, as the faults of the job and then those of the simulator shape it, and how it travels."""
        job = self.service.jobs.get(call.job_id or "")
        delivery: Delivery = Whole()
        for act in [*(job.faults.acts(call) if job else ()), *self.faults.acts(call)]:
            if isinstance(act, Shape):
                genuine = partial(act.shape, genuine)
            else:
                delivery = act
        return (genuine() if delivery.processed else None), delivery

    def _write(self, call: Call, admitted: Credential | Answer, answer: Answer | None, delivery: Delivery) -> None:
        """Note the request in the journal."""
        entry = Entry(
            at=self.service.clock.now(),
            method=call.method,
            path=call.path,
            query=dict(call.query),
            operation=call.operation,
            job_id=call.job_id,
            build_number=call.build_number,
            family=None if isinstance(admitted, Answer) else admitted.family,
            authorised=not isinstance(admitted, Answer),
            signed_at=call.headers.get("X-Sdk-Date"),
            status=None if answer is None else answer.status,
            delivery=type(delivery).__name__,
        )
        self.journal.write(entry)
