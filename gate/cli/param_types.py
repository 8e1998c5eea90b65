"""The types of what stands on the command line or in a variable."""

import re
from collections.abc import Sequence
from typing import Any

import click

from gate import durations
from gate.model import Target

JOB_ID = r"[0-9A-Za-z]{32}"
_TARGET = re.compile(rf"(?:(?P<label>[A-Za-z0-9._-]{{1,64}})=)?(?P<job>{JOB_ID})(?::(?P<number>[1-9][0-9]{{0,9}}))?")


class Duration(click.ParamType[Any]):
    """Seconds, or numbers with units."""

    name = "duration"

    def __init__(self, *, zero: bool = False) -> None:
        """`zero`: whether no time at all makes sense."""
        self._zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        if isinstance(value, float):
            return value
        try:
            seconds = durations.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds == 0 and not self._zero:
            self.fail(f"{value!r} is no time at all; write a duration as {durations.FORMS}", param, ctx)
        return seconds


class Pattern(click.ParamType[Any]):
    """A text of a given form."""

    def __init__(self, name: str, pattern: str, form: str) -> None:
        """`form` describes what `pattern` demands."""
        self.name = name
        self._pattern = re.compile(pattern)
        self._form = form

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is."""
        if not self._pattern.fullmatch(value):
            self.fail(f"{value!r} is not {self._form}", param, ctx)
        return str(value)


class TargetType(click.ParamType[Any]):
    """`[LABEL=]JOB_ID[:BUILD_NUMBER]`."""

    name = "target"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        """Return the target."""
        match = _TARGET.fullmatch(value)
        if match is None or (number := int(match["number"] or 1)) >= 2**31:
            self.fail(
                f"{value!r} is not [LABEL=]JOB_ID[:BUILD_NUMBER], where JOB_ID is 32 digits or letters, LABEL is "
                "1 to 64 of A-Za-z0-9._- and BUILD_NUMBER is a positive number",
                param,
                ctx,
            )
        return Target(
            job_id=match["job"],
            build_number=number if match["number"] else None,
            label=match["label"] or match["job"],
        )


class ParameterType(click.ParamType[Any]):
    """`NAME=VALUE`, within the limits of ExecuteJob."""

    name = "parameter"
    envvar_list_splitter = "\n"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Return the lines of the variable that hold anything."""
        return [line.strip() for line in rv.splitlines() if line.strip()]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the name and the value."""
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z0-9_]{1,128}", name):
            self.fail("a parameter is NAME=VALUE, where NAME is 1 to 128 letters, digits or underscores", param, ctx)
        if name in FORBIDDEN_PARAMETERS:
            self.fail(f"CodeArts Build takes no parameter named {name}", param, ctx)
        if len(text) > 8192:
            self.fail(f"the value of {name} has {len(text)} characters, over the limit of 8192", param, ctx)
        return name, text


FORBIDDEN_PARAMETERS = ("LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "BASH_ENV", "GIT_SSH_COMMAND", "path")
"""Names that ExecuteJob refuses (its page of 2026-02-05)."""
