"""The entrance to the service: it finds the route of a request, checks the credential and sends the answer."""

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from email.message import Message
from urllib.parse import parse_qsl, unquote, urlsplit

from gate.simulator.build_backend import BuildBackend
from gate.simulator.calls import Call, RequestIdentity
from gate.simulator.client_socket import ClientSocket
from gate.simulator.http_answers import HttpAnswer, RequestRefused, service_error, throttled
from gate.simulator.published_routes import RECORD_OPERATIONS, PublishedRoute, route_of
from gate.simulator.request_identity import IdentityChecker
from gate.simulator.scenarios import Glitch
from gate.simulator.simulated_iam import token_outdated

Answer = Callable[[], HttpAnswer | None]
"""Does what was asked, the first time that it is called, and returns the service's answer; `None`: the connection is
closed without one."""

Send = Callable[[Call, Answer, ClientSocket], bool]
"""Takes a call, its answer and the connection, and returns whether it has sent something itself."""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Takes each request to the operation that it names."""

    backend: BuildBackend
    identities: IdentityChecker
    unpublished: Collection[str] = ()
    """Operations whose routes this deployment does not publish."""
    send: Send

    def serve(self, method: str, target: str, headers: Message, body: bytes, client: ClientSocket) -> None:
        """Answer one request."""
        url = urlsplit(target)
        route, params = route_of(method, url.path, unpublished=self.unpublished)
        call = self.backend.located(
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
        identity = self._identity(route, call)
        if isinstance(identity, RequestIdentity):
            call = replace(call, identity=identity)
            answer: Answer = functools.cache(functools.partial(self._answer, route, call))
        else:
            answer = functools.partial(_refusal, identity)
        if not self.send(call, answer, client):
            client.send_answer(answer())

    def _identity(self, route: PublishedRoute, call: Call) -> RequestIdentity | HttpAnswer:
        """Return who asks, or the answer that refuses the request."""
        if route.open:
            return RequestIdentity(family=None)
        try:
            identity = self.identities.checked(call)
        except RequestRefused as refusal:
            return refusal.answer
        job, issued = self.backend.jobs.get(call.job_id or ""), identity.token_issued
        if job and issued and job.refuses_token_of(issued, self.backend.clock.now()):
            return token_outdated()
        return identity

    def _answer(self, route: PublishedRoute, call: Call) -> HttpAnswer | None:
        """Do what was asked and return the answer."""
        try:
            glitch = self.backend.next_glitch(call) if call.operation in RECORD_OPERATIONS else None
            return GLITCHES[glitch] if glitch else route.handler(self.backend, call)
        except RequestRefused as refusal:
            return refusal.answer


GLITCHES = {
    Glitch.BUSY: service_error(500, "CB.00060100", "Network busy, try later."),
    Glitch.THROTTLED: throttled(),
    Glitch.DROPPED: None,
}


def _refusal(answer: HttpAnswer) -> HttpAnswer:
    return answer


def send_nothing(_call: Call, _answer: Answer, _client: ClientSocket) -> bool:
    """Leave every answer to the gateway."""
    return False
