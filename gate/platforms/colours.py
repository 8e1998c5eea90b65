"""Colours in the log (ECMA-48, SGR), and when they are wanted."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Self, assert_never

from gate.model import Verdict
from gate.value_types import dataclass


class Colour(IntEnum):
    """A foreground colour, by its SGR number."""

    RED = 31
    GREEN = 32
    YELLOW = 33
    GREY = 90


@dataclass(frozen=True, slots=True)
class Colours:
    """Colours a text, or leaves it as it is where colours are not wanted."""

    enabled: bool

    @classmethod
    def wanted(cls, environment: Mapping[str, str], *, default: bool) -> Self:
        """Return what the variables say: `NO_COLOR` first, then `FORCE_COLOR`, then `default`.

        A variable that is empty says nothing (https://no-color.org, https://force-color.org); `FORCE_COLOR=0` and
        `FORCE_COLOR=false` mean none, as in Node.js.
        """
        if environment.get("NO_COLOR"):
            return cls(enabled=False)
        if force := environment.get("FORCE_COLOR"):
            return cls(enabled=force.lower() not in ("0", "false"))
        return cls(enabled=default)

    def of_verdict(self, text: str, verdict: Verdict) -> str:
        """Return `text` bold and in the colour of `verdict`."""
        return self.styled(text, verdict_colour(verdict), is_bold=True)

    def styled(self, text: str, colour: Colour | None, *, is_bold: bool = False) -> str:
        """Return `text` in a colour, bold or not."""
        codes = ";".join([*([str(colour.value)] if colour else []), *(["1"] if is_bold else [])])
        return f"\x1b[{codes}m{text}\x1b[0m" if self.enabled and codes and text else text


def verdict_colour(verdict: Verdict) -> Colour:
    """Return the colour of a verdict."""
    match verdict:
        case Verdict.PASSED | Verdict.STARTED:
            return Colour.GREEN
        case Verdict.FAILED | Verdict.ABORTED:
            return Colour.RED
        case Verdict.TIMED_OUT | Verdict.UNDETERMINED | Verdict.INTERRUPTED | Verdict.SKIPPED:
            return Colour.YELLOW
        case _:
            assert_never(verdict)
