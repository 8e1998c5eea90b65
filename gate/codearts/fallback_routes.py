"""Fallback routes: operations with several paths, of which the first one that the host publishes is used."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from gate.codearts import responses
from gate.codearts.json_fields import Json
from gate.codearts.session import Session
from gate.errors import NotFound, RouteMissing

T = TypeVar("T")

Route = Callable[[str], T]
"""Sends a request to one path; the argument describes the request in messages."""


class Routes:
    """Creates routes on one session and remembers which of them the host publishes."""

    def __init__(self, session: Session) -> None:
        """Start without knowing which routes the host publishes."""
        self.session = session
        self._published: dict[str, int] = {}
        self._doubted: set[str] = set()
        """The operations for which a route that tells less has answered once, in place of the full ones."""

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

    def first(
        self,
        operation: str,
        routes: Sequence[Route[T]],
        what: str = "",
        full: int | None = None,
        decides: Callable[[T], bool] = lambda _: False,
    ) -> T:
        """Use the first route that this host publishes; it is tried first from then on.

        `full`: how many of the routes tell everything. The others are not used once one of these has answered, and are
        tried first once they had to be used twice: a path may be missing for a moment. An answer of theirs that
        `decides` is returned only if the full ones are still missing. Raises `RouteMissing` when none of them is
        published, which says nothing about any build.
        """
        known = self._published.get(operation)
        usable = routes if full is None or known is None or known >= full else routes[:full]
        kept: list[T] = []
        for index in sorted(range(len(usable)), key=lambda index: (index != known, index)):
            if kept and full is not None and index >= full:
                continue
            try:
                answer = routes[index](what or operation)
            except RouteMissing as error:
                missing = error
            except NotFound:
                self._note_published(operation, index, full)
                raise
            else:
                self._note_published(operation, index, full)
                if full is not None and known == index >= full and decides(answer):
                    kept.append(answer)
                    continue
                return answer
        if kept:
            return kept[0]
        raise RouteMissing(
            f"{what or operation}: {self.session.host} publishes none of the paths that the gate knows",
            status=missing.status,
            code=missing.code,
        )

    def _note_published(self, operation: str, index: int, full: int | None) -> None:
        """Take note that a route has answered, also that there is no such build."""
        if full is None or index < full or operation in self._doubted:
            self._published[operation] = index
        else:
            self._doubted.add(operation)
