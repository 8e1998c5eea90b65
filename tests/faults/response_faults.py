"""Faults in what is answered: acts that change or replace an answer."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gate.simulator.exchange import Call, HttpAnswer
from gate.simulator.simulator import Answer

MISSING = object()
"""In an `EditAnswer`: the field is taken out."""


class ResponseFault(ABC):
    """An act that decides what is answered."""

    @abstractmethod
    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """Return the answer to send; what was asked has no effect unless `genuine` is called."""


@dataclass(frozen=True, slots=True)
class ReplaceAnswer(ResponseFault):
    """Answers with this in place of the service; what was asked is not done."""

    answer: HttpAnswer

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer:
        """See the base class."""
        return self.answer


@dataclass(frozen=True, slots=True)
class AlterAnswer(ResponseFault):
    """Makes another answer out of the service's own."""

    change: Callable[[HttpAnswer], HttpAnswer]

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """See the base class."""
        answer = genuine()
        return answer and self.change(answer)


@dataclass(frozen=True, slots=True)
class SlowAnswer(ResponseFault):
    """Does what was asked at once and answers when `pause` has returned."""

    pause: Callable[[], None]

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """See the base class."""
        answer = genuine()
        self.pause()
        return answer


@dataclass(frozen=True, slots=True)
class EditAnswer(ResponseFault):
    """Changes fields of a JSON answer: `{"result.status": MISSING, "result.job_build_states.0.number": 3}`."""

    fields: Mapping[str, object]

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """See the base class; an error answer stays as it is, a path that is not there raises `LookupError`."""
        answer = genuine()
        if answer is None or answer.status >= 400:
            return answer
        assert isinstance(answer.body, bytes)
        document = json.loads(answer.body)
        for path, value in self.fields.items():
            _edit(document, path.split("."), value)
        return replace(answer, body=json.dumps(document).encode())


def _edit(document: Any, path: list[str], value: object) -> None:
    """Set or remove the field at `path`; a part of digits counts into an array."""
    *way, last = [int(part) if part.isdigit() else part for part in path]
    for part in way:
        document = document[part]
    if value is MISSING:
        del document[last]
    else:
        document[last] = value
