"""Which credential is taken, by what is set."""

from pathlib import Path

import pytest

from gate.cli.credentials import choose
from gate.errors import UsageProblem
from gate.settings import IamUser, KeyPair, Token

TOKEN = {"GATE_TOKEN": "VALUE-token"}
KEYS = {"HUAWEICLOUD_SDK_AK": "VALUE-ak", "HUAWEICLOUD_SDK_SK": "VALUE-sk"}
USER = {"GATE_IAM_USER": "VALUE-user", "GATE_IAM_PASSWORD": "VALUE-password", "GATE_IAM_DOMAIN": "VALUE-domain"}
FILE = Path("token.txt")


@pytest.mark.parametrize(
    ("environment", "kind", "source"),
    [
        (TOKEN, Token, "GATE_TOKEN"),
        (KEYS, KeyPair, "HUAWEICLOUD_SDK_AK"),
        (USER, IamUser, "GATE_IAM_USER"),
        (USER | KEYS | TOKEN, Token, "GATE_TOKEN"),
        (USER | KEYS, KeyPair, "HUAWEICLOUD_SDK_AK"),
        (USER | {"GATE_TOKEN": "", "HUAWEICLOUD_SDK_AK": "", "HUAWEICLOUD_SDK_SK": ""}, IamUser, "GATE_IAM_USER"),
    ],
)
def test_auto_takes_the_first_family_that_is_set(environment: dict[str, str], kind: type, source: str) -> None:
    """Token, then AK/SK, then password; it is told from where, never a value. An empty variable is not set."""
    choice = choose("auto", None, "cn-north-4", environment)
    assert type(choice.credential) is kind
    assert source in choice.credential.description
    shown = choice.credential.description + choice.note + repr(choice.credential)
    assert "VALUE" not in shown.replace("VALUE-user", "").replace("VALUE-domain", "")


@pytest.mark.parametrize(("auth", "kind"), [("token", Token), ("aksk", KeyPair), ("password", IamUser)])
def test_explicit_family_is_taken_whatever_else_is_set(auth: str, kind: type) -> None:
    """`--auth` decides."""
    assert type(choose(auth, None, "cn-north-4", USER | KEYS | TOKEN).credential) is kind


@pytest.mark.parametrize(
    ("auth", "environment", "names"),
    [
        ("token", KEYS, ["GATE_TOKEN"]),
        ("aksk", TOKEN, ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"]),
        ("aksk", TOKEN | {"HUAWEICLOUD_SDK_SK": "VALUE"}, ["HUAWEICLOUD_SDK_AK"]),
        ("password", {"GATE_IAM_USER": "VALUE", **KEYS}, ["GATE_IAM_PASSWORD", "GATE_IAM_DOMAIN"]),
        ("auto", {"HUAWEICLOUD_SDK_AK": "VALUE"}, ["HUAWEICLOUD_SDK_SK"]),
        ("auto", {"GATE_IAM_PASSWORD": "VALUE"}, ["GATE_IAM_USER", "GATE_IAM_DOMAIN"]),
        ("auto", {"HUAWEICLOUD_SDK_AK": "VALUE", "HUAWEICLOUD_SDK_SK": " \n"}, ["HUAWEICLOUD_SDK_SK"]),
        ("auto", USER | {"GATE_IAM_DOMAIN": " "}, ["GATE_IAM_DOMAIN"]),
        ("auto", {"HUAWEICLOUD_SDK_AK": "VALUE", **USER}, ["HUAWEICLOUD_SDK_SK", "--auth password"]),
        ("auto", {"HUAWEICLOUD_SDK_SK": "V", "GATE_IAM_USER": "V"}, ["HUAWEICLOUD_SDK_AK", "GATE_IAM_PASSWORD"]),
        ("auto", {}, ["GATE_TOKEN", "--token-file", *KEYS, *USER]),
        ("auto", {"HUAWEICLOUD_SDK_PROJECT_ID": "VALUE", "GATE_IAM_PROJECT": "VALUE"}, ["GATE_TOKEN"]),
    ],
)
def test_missing_part_is_named(auth: str, environment: dict[str, str], names: list[str]) -> None:
    """Half a credential, or none, is a usage problem that names the variables, never a value."""
    with pytest.raises(UsageProblem) as caught:
        choose(auth, None, "cn-north-4", environment)
    assert [name for name in names if name not in str(caught.value)] == []
    assert "VALUE" not in str(caught.value)


def test_half_set_family_behind_the_one_that_is_taken_is_told() -> None:
    """It changes nothing, but a secret that went missing is worth a word."""
    note = choose("auto", None, None, TOKEN | {"HUAWEICLOUD_SDK_SK": "VALUE-sk"}).note
    assert "HUAWEICLOUD_SDK_SK is set without HUAWEICLOUD_SDK_AK and is not used" in note
    note = choose("auto", None, None, TOKEN | {"GATE_IAM_USER": "ci", "GATE_IAM_DOMAIN": "us"}).note
    assert note == "; GATE_IAM_USER and GATE_IAM_DOMAIN are set without GATE_IAM_PASSWORD and are not used"


def test_token_file_is_a_token() -> None:
    """A file stands for the variable, and both together are one too many."""
    assert choose("auto", FILE, None, KEYS).credential == Token(file=FILE, source="--token-file token.txt")
    with pytest.raises(UsageProblem, match="keep one"):
        choose("auto", FILE, None, TOKEN)


def test_project_of_an_iam_user_is_the_region_unless_named() -> None:
    """A token is for one project: without any, there is nothing to ask for."""
    of_region = choose("auto", None, "cn-north-4", USER).credential
    named = choose("auto", None, "cn-north-4", USER | {"GATE_IAM_PROJECT": "cn-north-4_sub"}).credential
    assert isinstance(of_region, IamUser)
    assert isinstance(named, IamUser)
    assert (of_region.project, named.project) == ("cn-north-4", "cn-north-4_sub")
    with pytest.raises(UsageProblem, match="GATE_IAM_PROJECT"):
        choose("auto", None, None, USER)
