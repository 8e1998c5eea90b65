"""Which credential is taken: the first family that is set, or the one that was asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gate.errors import UsageProblem
from gate.settings import Credential, IamUser, KeyPair, Token

_FAMILIES = {
    "token": ("GATE_TOKEN",),
    "aksk": ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"),
    "password": ("GATE_IAM_USER", "GATE_IAM_PASSWORD", "GATE_IAM_DOMAIN"),
}
"""The variables that each family needs, in the order in which `auto` takes them."""

_ALL = (
    "GATE_TOKEN (or give --token-file), or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or GATE_IAM_USER, "
    "GATE_IAM_PASSWORD and GATE_IAM_DOMAIN"
)


class Choice(NamedTuple):
    """A credential, and what people are told about the choice: where it comes from, never a value."""

    credential: Credential
    told: str


def choose(auth: str, token_file: Path | None, region: str | None, environment: Mapping[str, str]) -> Choice:
    """Choose by `--auth`; raises `UsageProblem` that names the variables that are missing.

    `region` is the project of an IAM user's token unless `GATE_IAM_PROJECT` names another.
    """
    missing = {family: _missing(family, token_file, environment) for family in _FAMILIES}
    note = ""
    if auth == "auto":
        auth, note = _first(missing)
    elif missing[auth]:
        raise UsageProblem(f"--auth {auth} needs {_spell(missing[auth])}, which {_are(missing[auth])} not set")
    if auth == "token":
        return _token(token_file, environment, note)
    if auth == "aksk":
        return _key_pair(environment, note)
    return _iam_user(region, environment, note)


def _missing(family: str, token_file: Path | None, environment: Mapping[str, str]) -> list[str]:
    """Return the variables that a family lacks; an empty variable, or a blank one, is one that is not set."""
    if family == "token" and token_file:
        return []
    return [name for name in _FAMILIES[family] if not environment.get(name, "").strip()]


def _first(missing: Mapping[str, list[str]]) -> tuple[str, str]:
    """Return the first family that is set, and a note about half-set ones behind it, which change nothing."""
    whole = [family for family, names in missing.items() if not names]
    half = {family: names for family, names in missing.items() if names and len(names) < len(_FAMILIES[family])}
    for family in missing:
        if family in whole:
            notes = [f"; {_half(other, names)} and is not used" for other, names in half.items()]
            return family, "".join(notes)
        if family in half:
            others = f", or ask for the other credential with --auth {whole[0]}" if whole else ""
            besides = "".join(f"; {_half(other, names)} too" for other, names in half.items() if other != family)
            raise UsageProblem(f"{_half(family, half[family])}: set {_spell(half[family])}{others}{besides}")
    raise UsageProblem(f"no credential: set {_ALL}")


def _half(family: str, names: list[str]) -> str:
    """Say that a family is only half set."""
    present = [name for name in _FAMILIES[family] if name not in names]
    return f"{_spell(present)} {_are(present)} set without {_spell(names)}"


def _token(token_file: Path | None, environment: Mapping[str, str], note: str) -> Choice:
    token = environment.get("GATE_TOKEN", "")
    if token and token_file:
        raise UsageProblem("GATE_TOKEN and --token-file are both given; keep one")
    source = f"--token-file {token_file}" if token_file else "GATE_TOKEN"
    return Choice(Token(value=token, file=token_file), f"--auth auto takes the token from {source}{note}")


def _key_pair(environment: Mapping[str, str], note: str) -> Choice:
    names = ("AK", "SK", "SECURITY_TOKEN", "PROJECT_ID")
    ak, sk, security_token, project_id = (environment.get(f"HUAWEICLOUD_SDK_{name}", "").strip() for name in names)
    pair = KeyPair(access_key=ak, secret_key=sk, security_token=security_token, project_id=project_id)
    return Choice(pair, f"--auth auto takes AK/SK from HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK{note}")


def _iam_user(region: str | None, environment: Mapping[str, str], note: str) -> Choice:
    project = environment.get("GATE_IAM_PROJECT") or region
    if not project:
        raise UsageProblem("the token of an IAM user is for one project: set GATE_IAM_PROJECT, or give --region")
    name, password, domain = (environment[name] for name in _FAMILIES["password"])
    user = IamUser(name=name, password=password, domain=domain, project=project)
    return Choice(user, f"--auth auto takes the IAM user from GATE_IAM_USER and GATE_IAM_PASSWORD{note}")


def _spell(names: list[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
