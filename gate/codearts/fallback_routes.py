"""Fallback routes: operations with several paths, of which the first one that the host publishes is used."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from gate.codearts import responses
from gate.codearts.json_fields import Json
from gate.codearts.session import Session
from gate.errors import RouteMissing

T = TypeVar("T")

Route = Callable[[str], T]
"""Sends a request to one path; the argument describes the request in messages."""


class Routes:
    """Creates routes on one session and remembers which of them the host publishes."""

    def __init__(self, session: Session) -> None:
        """Start without knowing which routes the host publishes."""
        self.session = session
        self._published: dict[str, int] = {}

    def get(
        self,
        path: str,
        read: Callable[[Json], T],
        params: Mapping[str, object] | None = None,
        *,
        decides: bool = True,
    ) -> Route[T]:
        """Return a route that sends a GET request and reads JSON; `decides`: whether a verdict depends on it."""
        return lambda what: read(
            responses.payload(self.session.get(path, params, decides=decides), what, self.session.hide)
        )

    def post(
        self,
        path: str,
        read: Callable[[Json], T],
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, object] | None = None,
        *,
        may_send: Callable[[], bool] | None = None,
        seconds: float | None = None,
    ) -> Route[T]:
        """Return a route that sends a POST request and reads JSON; an empty answer counts as an empty object.

        For `may_send` and `seconds` see `Session.post`.
        """
        return lambda what: read(
            responses.payload(
                self.session.post(path, body, params, may_send=may_send, seconds=seconds),
                what,
                self.session.hide,
                blank={},
            )
        )

    def text(self, path: str, params: Mapping[str, object], sink: Callable[[bytes], None], until: float) -> Route[str]:
        """Return a route that hands a text of any length to `sink`, as far as it comes until the instant `until`.

        Its answer is why the rest is missing; empty for a complete text.
        """

        def read(what: str) -> str:
            reply = self.session.stream(path, params, sink, until)
            responses.check_text(reply, what, self.session.hide)
            return reply.cut

        return read

    def first(self, operation: str, routes: Sequence[Route[T]], what: str = "") -> T:
        """Use the first route that this host publishes; it is tried first from then on.

        Raises `RouteMissing` when the host publishes none of them, which says nothing about any build.
        """
        known = self._published.get(operation, 0)
        for index in sorted(range(len(routes)), key=lambda index: (index != known, index)):
            try:
                answer = routes[index](what or operation)
            except RouteMissing as error:
                missing = error
            else:
                self._published[operation] = index
                return answer
        raise RouteMissing(
            f"{what or operation}: {self.session.host} publishes none of the paths that the gate knows",
            status=missing.status,
            code=missing.code,
        )
