"""What people write by mistake, and what to write instead: one table for targets, values, files and credentials."""

import os
import re
from collections.abc import Callable, Collection, Sequence
from enum import Flag, auto
from functools import cache
from itertools import pairwise
from urllib.parse import urlsplit

from gate.limits import MAX_BUILD_NUMBER
from gate.value_types import NamedTuple

JOB_ID = r"[0-9a-z]{32}"

JOB_NAME = r"[^\s=:/]+"

TARGET_FORM = "[LABEL=]JOB[:BUILD_NUMBER]"

LONGEST = 200
"""Characters of a text that is quoted: a longer one may be a token."""

_ANY_CASE = r"[0-9A-Za-z]{32}"


class Kind(Flag):
    """What a text is meant to be."""

    TARGET = auto()
    NAMED = auto()
    """A target where jobs may be given by name."""
    VALUE = auto()
    """The value of an option or a variable that is quoted in messages."""
    FILE = auto()
    TOKEN = auto()
    KEY = auto()
    """A part of a credential that is no token: an access key, a user's name."""
    PASSWORD = auto()


class Mistake(NamedTuple):
    """A mistake: where it occurs, how it is recognised, and what is said of it."""

    kinds: Kind
    pattern: str
    """A regular expression that is searched for."""
    fault: str | Callable[["re.Match[str]"], str]
    """What is wrong, as what follows the name of the value; a function returns an empty text where nothing is."""
    remedy: str | Callable[["re.Match[str]"], str] = ""
    """What to do."""
    signs: str = ""
    """Characters, one of which every text has that the pattern fits; where none are named, any text may be one.

    They are looked for first: most values have none of them, and compiling the patterns takes 2 % of a start.
    """

    def find(self, text: str) -> "re.Match[str] | None":
        """Return where the mistake is in a text; `None` if it is not."""
        may_fit = not self.signs or any(sign in text for sign in self.signs)
        return re.search(self.pattern, text) if may_fit else None


def of(text: str, kinds: Kind) -> tuple[str, str]:
    """Return what is wrong with a text, and what to do; empty texts where nothing in the table fits."""
    if kinds & _SENT and not is_unicode(text):
        return "is not UTF-8", "write it in UTF-8"
    for mistake in _rows(kinds):
        found = mistake.find(text)
        if found and (fault := _said(mistake.fault, found)):
            return fault, _said(mistake.remedy, found)
    return "", ""


def is_unicode(text: str) -> bool:
    """Tell whether a text from the command line or the environment was UTF-8; Python has surrogates for other bytes."""
    return text.isascii() or not re.search("[\ud800-\udfff]", text)


@cache
def _rows(kinds: Kind) -> Sequence[Mistake]:
    """Return the rows of the table for these kinds."""
    return [mistake for mistake in TABLE if mistake.kinds & kinds]


def explain(text: str, kinds: Kind) -> str:
    """Say in one sentence what is wrong with a text, and what to write instead; empty if nothing is. It is quoted."""
    if len(text) > LONGEST and "://" not in text and Kind.TARGET in kinds:
        return f"a text of {len(text)} characters is no target"
    fault, remedy = of(text.strip(), kinds)
    if not fault:
        return ""
    shown = repr(text) if len(text) <= LONGEST or "://" in text else f"a text of {len(text)} characters"
    return f"{shown} {fault}" + (f"; {remedy}" if remedy else "")


def explain_target(text: str) -> str:
    """Say in one sentence what is wrong with a malformed target, and what to write instead."""
    if found := explain(text, Kind.TARGET):
        return found
    if text != text.strip():
        return f"{text!r} has white space around it; leave that out"
    return f"{text!r} has a label that is not 1 to 64 of the characters A-Z a-z 0-9 . _ -"


def explain_targets(texts: Sequence[str]) -> str:
    """Say that a build number stands apart from its job; empty if none does."""
    for job, number in pairwise(texts):
        found = re.fullmatch(rf"((?:[A-Za-z0-9._-]+=)?{_ANY_CASE}):?", job)
        if found and re.fullmatch(r"[:#]?[1-9][0-9]{0,9}", number):
            meant = f"{found[1]}:{number.lstrip(':#')}"
            return f"{job} {number} is no target; write {meant}, with a colon and without a space"
    return ""


def explain_option(arguments: Sequence[str], options: Collection[str]) -> str:
    """Say that an option was written with one dash; empty if none was."""
    for argument in arguments:
        name = argument.partition("=")[0]
        if re.fullmatch(r"-[a-z][a-z-]+", name) and f"-{name}" in options:
            return f"{name} is no option; write -{name}, with two dashes"
    return ""


def sentence(remedy: str) -> str:
    """Return a remedy as a sentence of its own."""
    return f"{remedy[:1].upper()}{remedy[1:]}." if remedy else ""


def _said(text: str | Callable[["re.Match[str]"], str], found: "re.Match[str]") -> str:
    return text if isinstance(text, str) else text(found)


def _page_address(found: "re.Match[str]") -> str:
    try:
        parts = urlsplit(found.string)
        ids = re.findall(
            rf"(?<![0-9A-Za-z])(?<!project/)(?<!project=){JOB_ID}(?![0-9A-Za-z])",
            f"{parts.path} {parts.query} {parts.fragment}",
        )
    except ValueError:
        ids = []
    return f"give only the job id{': ' + ids[-1] if ids else ', 32 digits or lower-case letters'}"


def _is_file(found: "re.Match[str]") -> str:
    name = found["name"]
    is_one = os.path.exists(name) or name.endswith((".txt", ".env", ".json", ".yml"))  # noqa: PTH110 - never raises
    return "is the name of a file" if is_one else ""


def _without_dashes(found: "re.Match[str]") -> str:
    return f"write {found.string.replace(found[0], found[0].replace('-', '').lower())}"


def _in_lower_case(found: "re.Match[str]") -> str:
    return f"write {found.string.replace(found[0], found[0].lower())}"


def _job_id(found: "re.Match[str]") -> str:
    job = found.string.rpartition("=")[2].partition(":")[0]
    if re.fullmatch(JOB_ID, job):
        return ""
    if re.fullmatch(r"#?[1-9][0-9]{0,9}", job):
        return "is a build number without its job"
    if job.isascii() and job.isalnum():
        return f"has a job id of {len(job)} characters"
    return "has no job id, which is 32 digits or letters: the last part of the build job's address in the console"


def _what_a_job_id_is(found: "re.Match[str]") -> str:
    if re.fullmatch(r"#?[1-9][0-9]{0,9}", found.string):
        return f"write JOB_ID:{found.string.lstrip('#')}, with a colon and without a space"
    job = found.string.rpartition("=")[2].partition(":")[0]
    by_name = "to give the job's name instead, add --codearts-project" if re.fullmatch(JOB_NAME, job) else ""
    what = "a job id has 32 digits or lower-case letters" if job.isascii() and job.isalnum() else ""
    return "; ".join(filter(None, (what, by_name)))


def _too_large(found: "re.Match[str]") -> str:
    return f"has a build number above {MAX_BUILD_NUMBER}" if int(found["number"]) > MAX_BUILD_NUMBER else ""


def _not_ascii(found: "re.Match[str]") -> str:
    return f"has a character that is not ASCII, number {found.start() + 1} of {len(found.string)}"


_SHOWN = Kind.TARGET | Kind.VALUE | Kind.FILE
_SENT = Kind.TARGET | Kind.NAMED | Kind.VALUE | Kind.PASSWORD
"""Texts that are sent to the service, or compared with what it sends."""
_NUMBERED = Kind.TARGET | Kind.NAMED
_CREDENTIALS = Kind.TOKEN | Kind.KEY
_ONLY_THE_VALUE = "use only the token itself, which IAM returns in the header X-Subject-Token"
_LEAVE_OUT = "leave them out"
_CURLY_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d"
_ANY_QUOTES = f"\"'`{_CURLY_QUOTES}"
_QUOTES = "has quotes in it that became a part of the value"
_VARIABLE = "is the name of a variable instead of its value"
_CHECK = "check that the variable is set, and how the value is inserted"

TABLE = (
    Mistake(_CREDENTIALS, r"^$", "is empty"),
    Mistake(
        _SHOWN | _CREDENTIALS | Kind.PASSWORD,
        r"(?i)^(?:[\w.-]+=)?(?:\*{3,}|\[masked\])$",
        "is what logs show in place of a secret",
        "give the value itself",
        "*]",
    ),
    Mistake(
        _SHOWN | _CREDENTIALS,
        rf"^(?P<quote>[\"'`])[^\"'`]*(?P=quote)$|^[{_CURLY_QUOTES}]",
        _QUOTES,
        _LEAVE_OUT,
        _ANY_QUOTES,
    ),
    Mistake(
        Kind.TARGET | Kind.TOKEN,
        rf"^[\"'{_CURLY_QUOTES}]|[\"'{_CURLY_QUOTES}]$",
        _QUOTES,
        _LEAVE_OUT,
        _ANY_QUOTES,
    ),
    Mistake(_SHOWN | _CREDENTIALS, r"^(?:\$\w+|\$\{.*\}|\$\(.*\)|%\w+%)$", _VARIABLE, _CHECK, "$%"),
    Mistake(Kind.TARGET, r"\$\w|\$\{|%\w+%", "has the name of a variable in it instead of its value", _CHECK, "$%"),
    Mistake(Kind.TOKEN, r"^[$%]", _VARIABLE, _CHECK, "$%"),
    # Tokens.
    Mistake(Kind.TOKEN, r"^[{\[]", "holds JSON", _ONLY_THE_VALUE, "{["),
    Mistake(Kind.TOKEN, r"^<", "holds a web page", _ONLY_THE_VALUE, "<"),
    Mistake(Kind.TOKEN, r"(?i)^bearer\b", "begins with the word Bearer", "leave it out"),
    Mistake(
        Kind.TOKEN,
        r"(?i)^(?:x-auth-token|x-subject-token|authorization)\s*:",
        "begins with the name of the header",
        "leave it out",
        ":",
    ),
    Mistake(
        Kind.TOKEN,
        r"(?i)^(?:export\s+)?(?:gate_)?token\s*=",
        "begins with the name of the variable",
        "leave it out",
        "=",
    ),
    Mistake(Kind.TOKEN, r"^\S+\s", "holds spaces or several lines", "use only the token, which is one word"),
    Mistake(_CREDENTIALS, r"[^\x00-\x7f]", _not_ascii, "copy it again from where it was issued"),
    # Files.
    Mistake(
        Kind.FILE, r"^-$", "is no name of a file here", "write /dev/stdout for a report, /dev/stdin for a token", "-"
    ),
    # Targets.
    Mistake(Kind.TARGET, r"://", "is the address of a page", _page_address),
    Mistake(Kind.TARGET, "[,;\uff0c\uff1b\u3001]", "has a comma or a semicolon", "separate targets with spaces"),
    Mistake(Kind.TARGET, r"^@?(?P<name>.+)$", _is_file, lambda found: f"pass what it contains: $(cat {found['name']})"),
    Mistake(
        Kind.TARGET,
        r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
        "has dashes in the job id",
        _without_dashes,
    ),
    Mistake(
        Kind.TARGET,
        rf"(?P<job>{_ANY_CASE})[:#/ ]*[#/ ](?P<number>[1-9][0-9]*)$",
        "has no colon alone before the build number",
        lambda found: f"write {found['job'].lower()}:{found['number']}",
    ),
    Mistake(
        Kind.TARGET,
        rf"^(?P<job>{_ANY_CASE})=(?P<label>(?!{_ANY_CASE}).*)$",
        "has the label behind the job id",
        lambda found: f"write {found['label']}={found['job'].lower()}",
    ),
    Mistake(
        Kind.TARGET,
        rf"(?:(?<==)|^)(?!{JOB_ID}(?::|$)){_ANY_CASE}(?=:|$)",
        "has capital letters in the job id",
        _in_lower_case,
    ),
    Mistake(_NUMBERED, r"^[^=]*=(?::.*)?$", "has no job behind its label", _CHECK, signs="="),
    Mistake(Kind.TARGET, "", _job_id, _what_a_job_id_is),
    Mistake(
        _NUMBERED,
        r"^(?P<target>[^:]*):(?:|0+|latest|newest|last)$",
        "has no build number",
        lambda found: f"for the job's newest build, write {found['target']}",
    ),
    Mistake(
        _NUMBERED,
        r":20[0-9]{6}\.[0-9]+$",
        "has the number of a build within its day",
        "give the build number, such as 57",
    ),
    Mistake(_NUMBERED, r":.*:", "has more than one colon", f"write {TARGET_FORM} for each build"),
    Mistake(
        _NUMBERED,
        r":(?![1-9][0-9]*$)(?P<number>[^:]*)$",
        lambda found: f"has the build number {found['number']}",
        "give a positive number without leading zeros",
    ),
    Mistake(_NUMBERED, r":(?P<number>[1-9][0-9]*)$", _too_large),
)
"""The first row that fits is the one that is said."""
