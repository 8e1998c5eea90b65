"""Which credential is used: the first family that is set, or the one that was asked for."""

import re
from collections.abc import Mapping
from pathlib import Path

from gate import mistakes
from gate.errors import UsageProblem
from gate.mistakes import Kind
from gate.settings import Credential, IamUser, KeyPair, Token
from gate.text import trimmed
from gate.value_types import NamedTuple

FAMILIES = {
    "token": ("GATE_TOKEN",),
    "aksk": ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"),
    "password": ("GATE_IAM_USER", "GATE_IAM_PASSWORD", "GATE_IAM_DOMAIN"),
}
"""The variables that each family needs, in the order in which `auto` takes them."""

OPTIONAL = ("GATE_IAM_PROJECT", "HUAWEICLOUD_SDK_SECURITY_TOKEN", "HUAWEICLOUD_SDK_PROJECT_ID")
"""The variables that a family may have besides."""

INPUTS = "GATE_INPUTS"
"""The variable in which action.yml names the variables that it has set from its inputs."""

INPUT_OF = {
    "GATE_TOKEN": "token",
    "HUAWEICLOUD_SDK_AK": "ak",
    "HUAWEICLOUD_SDK_SK": "sk",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN": "security-token",
    "HUAWEICLOUD_SDK_PROJECT_ID": "project-id",
    "GATE_IAM_USER": "iam-user",
    "GATE_IAM_PASSWORD": "iam-password",
    "GATE_IAM_DOMAIN": "iam-domain",
    "GATE_IAM_PROJECT": "iam-project",
}
"""The action's input for each variable of a credential."""

_ALL = (
    "GATE_TOKEN (or give --token-file), or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or GATE_IAM_USER, "
    "GATE_IAM_PASSWORD and GATE_IAM_DOMAIN"
)


class Choice(NamedTuple):
    """A credential, and the families besides it that are only half set, as a note for people."""

    credential: Credential
    note: str


def choose(
    auth: str,
    token_file: Path | None,
    region: str | None,
    environment: Mapping[str, str],
    places: Mapping[str, str] | None = None,
) -> Choice:
    """Choose by `--auth`; raises `UsageProblem` that names the variables, or the action's inputs, that are missing.

    `region` is the project of an IAM user's token unless `GATE_IAM_PROJECT` names another. `places` tells which option
    or variable `auth` and `token_file` came from.
    """
    named = {"auth": "--auth", "token_file": "--token-file"} | dict(places or {})
    try:
        return _choose(auth, token_file, region, environment, named)
    except UsageProblem as problem:
        raise UsageProblem(_with_inputs(str(problem), environment)) from None


def _choose(
    auth: str, token_file: Path | None, region: str | None, environment: Mapping[str, str], named: Mapping[str, str]
) -> Choice:
    missing = {family: _missing(family, token_file, environment) for family in FAMILIES}
    note = ""
    if auth == "auto":
        auth, note = _first(missing)
    elif missing[auth]:
        raise UsageProblem(f"{named['auth']} {auth} needs {_spell(missing[auth])}, which {_are(missing[auth])} not set")
    match auth:
        case "token":
            return Choice(_token(token_file, environment, named["token_file"]), note)
        case "aksk":
            return Choice(_key_pair(environment), note)
        case _:
            return Choice(_iam_user(region, environment), note)


def _with_inputs(text: str, environment: Mapping[str, str]) -> str:
    """Return a message as it is, or in the action with inputs for the variables that are not set as such."""
    inputs = environment.get(INPUTS)
    if inputs is None:
        return text
    for variable, name in INPUT_OF.items():
        if variable in inputs.split() or not _value(environment, variable):
            text = re.sub(rf"\b{variable}\b", f"input {name}", text)
    return text.replace("--token-file", "input token-file").replace("--region", "input region")


def _missing(family: str, token_file: Path | None, environment: Mapping[str, str]) -> list[str]:
    """Return the variables that a family lacks; a blank variable is one that is not set."""
    if family == "token" and token_file:
        return []
    return [name for name in FAMILIES[family] if not _value(environment, name)]


def _value(environment: Mapping[str, str], name: str) -> str:
    """Return a variable's value without white space around, empty when it is not set."""
    return trimmed(environment.get(name, ""))


def _part(environment: Mapping[str, str], name: str, kind: Kind = Kind.KEY) -> str:
    """Return a part of a credential that is no token; raises `UsageProblem` about a mistake, and never quotes it."""
    value = _value(environment, name)
    if value:
        _check(name, value, kind)
    return value


def _check(name: str, value: str, kind: Kind) -> None:
    """Raise `UsageProblem` about a mistake in a part of a credential, which is never quoted."""
    fault, remedy = mistakes.of(value, kind)
    if fault:
        raise UsageProblem(f"{name} {fault}; {remedy}")


def _first(missing: Mapping[str, list[str]]) -> tuple[str, str]:
    """Return the first family that is set, and a note about half-set ones behind it, which change nothing."""
    complete = [family for family, names in missing.items() if not names]
    half = {family: names for family, names in missing.items() if names and len(names) < len(FAMILIES[family])}
    for family in missing:
        if family in complete:
            notes = [
                f"; {_half(other, names)} and {_are(_present(other, names))} not used" for other, names in half.items()
            ]
            return family, "".join(notes)
        if family in half:
            others = f", or ask for the other credential with --auth {complete[0]}" if complete else ""
            besides = "".join(f"; {_half(other, names)} too" for other, names in half.items() if other != family)
            raise UsageProblem(f"{_half(family, half[family])}: set {_spell(half[family])}{others}{besides}")
    raise UsageProblem(f"no credential: set {_ALL}")


def _half(family: str, names: list[str]) -> str:
    """Say that a family is only half set."""
    present = _present(family, names)
    return f"{_spell(present)} {_are(present)} set without {_spell(names)}"


def _present(family: str, missing: list[str]) -> list[str]:
    return [name for name in FAMILIES[family] if name not in missing]


def _token(file: Path | None, environment: Mapping[str, str], place: str) -> Token:
    if file is None:
        return Token(value=environment["GATE_TOKEN"])
    if _value(environment, "GATE_TOKEN"):
        raise UsageProblem(f"GATE_TOKEN and {place} are both given; keep one")
    return Token(file=file, source=f"{place} {file}")


def _key_pair(environment: Mapping[str, str]) -> KeyPair:
    names = ("AK", "SK", "SECURITY_TOKEN", "PROJECT_ID")
    ak, sk, security_token, project_id = (_part(environment, f"HUAWEICLOUD_SDK_{name}") for name in names)
    return KeyPair(access_key=ak, secret_key=sk, security_token=security_token, project_id=project_id)


def _iam_user(region: str | None, environment: Mapping[str, str]) -> IamUser:
    project = _part(environment, "GATE_IAM_PROJECT") or region
    if not project:
        raise UsageProblem("the token of an IAM user is for one project: set GATE_IAM_PROJECT, or give --region")
    _check("GATE_IAM_PASSWORD", environment["GATE_IAM_PASSWORD"].strip(), Kind.PASSWORD)
    return IamUser(
        name=_part(environment, "GATE_IAM_USER", Kind.VALUE),
        password=environment["GATE_IAM_PASSWORD"],
        domain=_part(environment, "GATE_IAM_DOMAIN", Kind.VALUE),
        project=project,
    )


def _spell(names: list[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
