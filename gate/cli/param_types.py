"""The types of values on the command line or in a variable; each refuses the mistakes that people make with it."""

import math
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from gate import durations, mistakes
from gate.limits import MAX_BUILD_NUMBER
from gate.mistakes import JOB_ID, JOB_NAME, TARGET_FORM, Kind
from gate.model import Target, is_label

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_ADDRESS = r"https?://\S+?"
_TARGET = re.compile(
    rf"(?:(?P<label>[A-Za-z0-9._-]+)=)?(?:(?P<id>{JOB_ID})|(?P<address>{_ADDRESS})|(?P<name>{JOB_NAME}))"
    r"(?::(?P<number>[1-9][0-9]{0,9}))?"
)


def job_of_address(address: str) -> str:
    """Return the job id in the address of a page of the console; empty if there is none in its path.

    It is what follows `history/`, else the last part that looks like one and is not the id of a project.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    path = f"{parts.path}/{parts.fragment}".partition("?")[0].split("/")  # the console has its pages in the fragment
    ids = [(former, part) for former, part in pairwise(path) if re.fullmatch(JOB_ID, part) and former != "project"]
    of_history = [part for former, part in ids if former == "history"]
    return (of_history or [part for _, part in ids] or [""])[-1]


class Duration(click.ParamType[Any]):
    """Seconds, or numbers with units."""

    name = "duration"

    def __init__(self, *, zero: bool = False) -> None:
        """`zero`: whether a duration of zero makes sense."""
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
            self.fail(f"{value!r} is zero; write a duration above zero as {durations.FORMS}", param, ctx)
        return seconds


class Number(click.ParamType[Any]):
    """A number within bounds, both included."""

    name = "number"

    def __init__(self, least: float, most: float, *, whole: bool = True) -> None:
        """`whole`: whether it has no fraction."""
        self.least, self.most, self._whole = least, most, whole

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """Return the number."""
        try:
            number = int(value) if self._whole else float(value)
        except ValueError:
            number = math.nan
        if not self.least <= number <= self.most:  # also for "nan"
            kind = "a whole number" if self._whole else "a number"
            self.fail(f"{value!r} is not {kind} from {self.least} to {self.most}", param, ctx)
        return number


class Flag(click.types.BoolParamType):
    """Yes or no, as a variable spells it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the boolean."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is neither true nor false; write true, false, 1, 0, yes, no, on or off", param, ctx)


class Text(click.ParamType[Any]):
    """A text that is not blank, such as an address."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is."""
        if not value.strip():
            self.fail("it is blank; give a value, or leave the option out", param, ctx)
        return str(value)


class GitName(Text):
    """The name of a branch or a tag, which git allows no white space and no control character in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as it is."""
        text = super().convert(value, param, ctx)
        if re.search(r"[\s\x00-\x1f\x7f-\x9f\ufeff]", text):  # others that are not printable may stand in an emoji
            self.fail(f"{text!r} has white space or a control character in it; leave that out", param, ctx)
        return text


class Commit(click.ParamType[Any]):
    """The hash of a commit, full or shortened."""

    name = "commit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the hash as it is."""
        if not re.fullmatch(r"[0-9A-Fa-f]{7,40}", value):
            self.fail(f"{value!r} is not the hash of a commit, 7 to 40 hex digits", param, ctx)
        return str(value)


class Region(click.ParamType[Any]):
    """The name of a known region."""

    name = "region"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as it is."""
        from gate.codearts.regions import REGIONS

        if value not in REGIONS:
            import difflib

            similar = difflib.get_close_matches(value.strip().lower(), REGIONS, n=1)
            question = f"; did you mean {similar[0]}?" if similar else "."
            known = f"Known are {', '.join(sorted(REGIONS))}. For any other, give --endpoint and --iam-endpoint"
            self.fail(f"{value!r} is not a known region{question} {known}", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":  # noqa: ARG002 - click's signature
        """Return the regions that begin with the text."""
        from click.shell_completion import CompletionItem

        from gate.codearts.regions import REGIONS

        return [CompletionItem(region) for region in sorted(REGIONS) if region.startswith(incomplete)]


class FilePath(click.ParamType[Any]):
    """The file that a report is written to, or that contains a token: no folder, and not blank."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; the file need not exist."""
        text = os.fspath(value)
        if not text.strip():
            self.fail("it is blank; give the name of a file, or leave the option out", param, ctx)
        if mistake := mistakes.explain(text, Kind.FILE):
            self.fail(mistake, param, ctx)
        if "\0" in text:
            self.fail(f"{text!r} contains a character that no file name can have", param, ctx)
        if text.endswith(("/", os.sep)) or os.path.isdir(text):  # noqa: PTH112 - Path.is_dir raises for a long name
            self.fail(f"{text} is a folder; give the name of a file in it", param, ctx)
        return Path(text)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":  # noqa: ARG002 - click's signature
        """Let the shell complete the names of files."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


class ScenarioName(click.ParamType[Any]):
    """The name of a scenario of the simulator, which is looked up where it is loaded."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """Return the name as it is."""
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":  # noqa: ARG002 - click's signature
        """Return the scenarios that begin with the text, each with its description."""
        from click.shell_completion import CompletionItem

        from gate.simulator.scenarios import SCENARIOS

        return [
            CompletionItem(name, help=scenario.description)
            for name, scenario in SCENARIOS.items()
            if name.startswith(incomplete)
        ]


class FolderPath(click.ParamType[Any]):
    """A folder that files are written to; it need not exist."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        text = os.fspath(value)
        if not text.strip():
            self.fail("it is blank; give the name of a folder, or leave the option out", param, ctx)
        if "\0" in text:
            self.fail(f"{text!r} contains a character that no folder's name can have", param, ctx)
        if os.path.isfile(text):  # noqa: PTH113 - Path.is_file raises for a long name
            self.fail(f"{text} is a file; give the name of a folder", param, ctx)
        return Path(text)


class Instant(click.ParamType[Any]):
    """An instant: ISO 8601 with a zone, or seconds since 1970."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the instant in UTC, exact to the microsecond."""
        if isinstance(value, datetime):
            return value
        try:
            if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", value, re.ASCII):
                return _seconds_since_1970(value)
            instant = datetime.fromisoformat(value)
            utc = instant.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write {_INSTANTS}", param, ctx)
        if instant.tzinfo is None:
            self.fail(f"{value!r} has no zone; write {_INSTANTS}", param, ctx)
        if utc < _EPOCH:  # a variable of some program that was never set
            self.fail(f"{value!r} is before 1970; write {_INSTANTS}", param, ctx)
        return utc


def _seconds_since_1970(text: str) -> datetime:
    """Return the instant, or the next microsecond where it has parts of one. Raises `OverflowError` after 9999."""
    microseconds = Decimal(text).scaleb(6).to_integral_value(ROUND_CEILING)
    return _EPOCH + timedelta(microseconds=int(microseconds))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_INSTANTS = "one such as 2026-01-31T16:47:55Z or 2026-01-31T16:47:55+08:00, or seconds since 1970"


class ProjectId(click.ParamType[Any]):
    """The id of a CodeArts project."""

    name = "project_id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id as it is."""
        if not re.fullmatch(JOB_ID, value):
            where = "behind project/ in the address of the project's pages in the console"
            self.fail(f"{value!r} is no id of a CodeArts project: 32 digits or lower-case letters, {where}", param, ctx)
        return str(value)


class TargetType(click.ParamType[Any]):
    """`[LABEL=]JOB[:BUILD_NUMBER]`; JOB is a job id, an address with one, or with `--codearts-project` a name."""

    name = "target"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Return the targets in the variable; what follows a `#` at the start or after white space is a comment."""
        return re.sub(r"(?<!\S)#.*", "", rv).split()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        """Return the target."""
        match = _TARGET.fullmatch(value)
        if match and match["label"] and not is_label(match["label"]):
            match = None
        project = ctx.params.get("codearts_project") if ctx else None  # an option that is read before the targets
        may_have_name = isinstance(project, str)
        job = match and (match["id"] or (match["address"] and job_of_address(match["address"])))
        number = int(match["number"] or 1) if match else 0
        if match and match["name"] and may_have_name and number <= MAX_BUILD_NUMBER:
            name = match["name"]
            if mistake := mistakes.explain(name, Kind.VALUE):
                self.fail(mistake, param, ctx)
            label = match["label"] or name
        elif match and job and number <= MAX_BUILD_NUMBER:
            name, label = "", match["label"] or job
        else:
            self.fail(f"{_explain(value, may_have_name=may_have_name)}. A target is {TARGET_FORM}", param, ctx)
        return Target(job_id=job or "", name=name, build_number=number if match["number"] else None, label=label)


def _explain(text: str, *, may_have_name: bool) -> str:
    """Say what is wrong with a text that is no target."""
    if not may_have_name or "://" in text or re.search(JOB_ID, text):
        return mistakes.explain_target(text)
    return mistakes.explain(text, Kind.VALUE | Kind.NAMED) or (
        f"{text!r} is neither a job nor a build: a job's name has no white space, `=`, `:` or `/`, a build number is "
        "positive and has no leading zeros, and a label is 1 to 64 of the characters A-Z a-z 0-9 . _ -"
    )


class ParameterType(click.ParamType[Any]):
    """`NAME=VALUE`, within the limits of ExecuteJob."""

    name = "parameter"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Return the lines of the variable that are not blank; only LF and CRLF end a line.

        The white space before a name is an indentation; that behind a value is part of it.
        """
        lines = [line.removesuffix("\r").lstrip(" \t") for line in rv.split("\n")]
        return [line for line in lines if line.strip()]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the name and the value."""
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z0-9_]{1,128}", name):
            self.fail("a parameter is NAME=VALUE, where NAME is 1 to 128 letters, digits or underscores", param, ctx)
        if name in FORBIDDEN_PARAMETERS:
            self.fail(f"CodeArts Build accepts no parameter named {name}", param, ctx)
        if not mistakes.is_unicode(text):
            self.fail(f"the value of {name} is not UTF-8; write it in UTF-8", param, ctx)
        if len(text) > 8192:
            self.fail(f"the value of {name} has {len(text)} characters; the limit is 8192", param, ctx)
        return name, text


FORBIDDEN_PARAMETERS = ("LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "BASH_ENV", "GIT_SSH_COMMAND", "path")
"""Names that ExecuteJob refuses (its page of 2026-02-05)."""


class LinkTemplate(click.ParamType[Any]):
    """The template of a link to a build."""

    name = "template"
    fields = ("job_id", "build_number", "project_id", "region")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the template as it is, once a link was made of it."""
        for field in re.findall(r"\{([^{}]*)\}", value):
            if field not in self.fields:
                known = ", ".join(f"{{{name}}}" for name in self.fields)
                self.fail(f"{{{field}}} is not known; a link may have {known}", param, ctx)
        link = value
        for field in self.fields:
            link = link.replace(f"{{{field}}}", "1")
        try:
            parts = urlsplit(link)
            is_link = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            is_link = False
        if not is_link or not link.isprintable() or set(link) & set(' "<>\\^`{}|'):
            self.fail(
                f"{value!r} is not a link; write one such as https://example.com/build/{{job_id}}/{{build_number}}",
                param,
                ctx,
            )
        if "@" in parts.netloc:
            self.fail("a link is shown to everybody and must not contain a user or a password", param, ctx)
        return str(value)
