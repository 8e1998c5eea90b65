"""Faults in what is answered: acts that change or replace an answer."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gate.simulator.answers import Answer

MISSING = object()
"""In an `Edit`: the field is taken out."""


class Shape(ABC):
    """An act that decides what is answered; `genuine` does what was asked and gives the service's answer."""

    @abstractmethod
    def shape(self, genuine: Callable[[], Answer]) -> Answer:
        """Return the answer that is sent; what was asked has no effect unless `genuine` is called."""


@dataclass(frozen=True, slots=True)
class Reply(Shape):
    """Answers with this in place of the service; what was asked is not done."""

    answer: Answer

    def shape(self, genuine: Callable[[], Answer]) -> Answer:  # noqa: ARG002
        """See the base class."""
        return self.answer


@dataclass(frozen=True, slots=True)
class Alter(Shape):
    """Makes another answer out of the service's own."""

    change: Callable[[Answer], Answer]

    def shape(self, genuine: Callable[[], Answer]) -> Answer:
        """See the base class."""
        return self.change(genuine())


@dataclass(frozen=True, slots=True)
class Edit(Shape):
    """Changes fields of a JSON answer: `{"result.status": MISSING, "result.job_build_states.0.number": 3}`."""

    fields: Mapping[str, object]

    def shape(self, genuine: Callable[[], Answer]) -> Answer:
        """See the base class; an error answer stays as it is, a path that is not there raises `LookupError`."""
        answer = genuine()
        if answer.status >= 400:
            return answer
        assert isinstance(answer.body, bytes)
        document = json.loads(answer.body)
        for path, value in self.fields.items():
            _edit(document, path.split("."), value)
        return replace(answer, body=json.dumps(document).encode())


def _edit(document: Any, path: list[str], value: object) -> None:
    """Set or take out the field at `path`; a part of digits counts into an array."""
    *way, last = [int(part) if part.isdigit() else part for part in path]
    for part in way:
        document = document[part]
    if value is MISSING:
        del document[last]
    else:
        document[last] = value
