"""What people write by mistake is answered with what to write instead."""

import itertools
import os
import re
from pathlib import Path

import click
import pytest

from gate import mistakes
from gate.cli.commands import execute
from gate.cli.param_types import TargetType
from gate.cli.resolve import with_labels
from gate.mistakes import Kind
from gate.model import Target
from tests.tables import each_row

JOB = "0123456789abcdef0123456789abcdef"
PROJECT = "f" * 32
UUID = "01234567-89ab-cdef-0123-456789abcdef"

MISTAKES = [
    (f"https://devcloud.example.com/cloudbuild?job={JOB}", f"give only the job id: {JOB}"),
    (f"https://devcloud.example.com/cloudbuild/project/{PROJECT}/home", "give only the job id, 32 digits"),
    (f"https://devcloud.example.com/cloudbuild?project={PROJECT}&job={JOB}", f"give only the job id: {JOB}"),
    ("https://devcloud.example.com/cloudbuild", "give only the job id"),
    ("https://[broken", "give only the job id"),
    (f"..={JOB}", "label"),
    (f"{JOB},{JOB}", "separate targets with spaces"),
    (f"app={JOB};lib={JOB}", "separate targets with spaces"),
    (f"{JOB}\uff0c{JOB}", "separate targets with spaces"),
    (f"{JOB}#57", f"write {JOB}:57"),
    (f"app={JOB}:#57", f"write {JOB}:57"),
    (f"{JOB}/57", f"write {JOB}:57"),
    (f"app={JOB}:0", f"for the job's newest build, write app={JOB}"),
    (f"{JOB}:00", f"for the job's newest build, write {JOB}"),
    (f"{JOB.upper()}:57", f"has capital letters in the job id; write {JOB}:57"),
    (f"app={JOB.upper()}", f"write app={JOB}"),
    (f"{JOB.upper()}#57", f"write {JOB}:57"),
    ("#57", "is a build number without its job; write JOB_ID:57"),
    ("57", "is a build number without its job; write JOB_ID:57"),
    (f'"{JOB}"', "has quotes in it that became a part of the value; leave them out"),
    (f"'app={JOB}", "has quotes in it that became a part of the value; leave them out"),
    (f"\u201c{JOB}\u201d", "has quotes in it that became a part of the value; leave them out"),
    ("***", "is what logs show in place of a secret; give the value itself"),
    ("app=[MASKED]", "is what logs show in place of a secret; give the value itself"),
    ("$JOB:57", "has the name of a variable in it instead of its value; check that the variable is set"),
    ("${{ vars.JOB }}", "is the name of a variable instead of its value"),
    ("%JOB%", "is the name of a variable instead of its value"),
    (f"{JOB}:latest", f"for the job's newest build, write {JOB}"),
    (f"{JOB}:", f"for the job's newest build, write {JOB}"),
    (f"{JOB}:20221011.29", "the number of a build within its day"),
    (f"{JOB}:007", "without leading zeros"),
    (f"{JOB}:2147483648", "above 2147483647"),
    (f"{JOB}:5:6", "has more than one colon"),
    (UUID, f"write {JOB}"),
    (f"app={UUID}:57", f"write app={JOB}:57"),
    ("targets.txt", "$(cat targets.txt)"),
    ("@ids", "$(cat ids)"),
    (f"{JOB}=app", f"write app={JOB}"),
    (JOB[1:], "31 characters"),
    (f"app={JOB}0", "33 characters"),
    ("app=web-server", "to give the job's name instead, add --codearts-project"),
    ("app=", "has no job behind its label; check that the variable is set"),
    ("app=:57", "has no job behind its label; check that the variable is set"),
    ("my job", "has no job id"),
    ("", "has no job id"),
    (f" {JOB}", "white space"),
    (f"a/b={JOB}", "label"),
    (f"{'x' * 65}={JOB}", "label"),
]


@each_row(("value", "remedy"), MISTAKES)
def test_mistake_is_answered_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, remedy: str
) -> None:
    """And with the form of a target, as the mistake may be another one."""
    monkeypatch.chdir(tmp_path)
    Path("ids").write_text(JOB)
    with pytest.raises(click.BadParameter) as caught:
        TargetType().convert(value, None, None)
    assert remedy in caught.value.message
    assert "A target is [LABEL=]JOB[:BUILD_NUMBER]" in caught.value.message


def test_text_that_may_be_a_token_is_not_repeated() -> None:
    """A token in the wrong place would stand in the log."""
    with pytest.raises(click.BadParameter, match="a text of 3000 characters is no target") as caught:
        TargetType().convert("MII" * 1000, None, None)
    assert "MIIMII" not in caught.value.message


def test_name_that_no_file_can_have_is_no_file() -> None:
    """Looking for the file raises nothing."""
    for value in ("x" * 190 + os.sep + "y", "a\0b"):
        with pytest.raises(click.BadParameter, match="has no job id"):
            TargetType().convert(value, None, None)


def test_second_target_on_a_job_without_a_label_gets_a_number() -> None:
    """Its name in reports stays the same from run to run, whatever the build's number is."""
    own = Target(job_id=JOB, build_number=3, label="app")
    targets = [*(Target(job_id=JOB, build_number=number, label=JOB) for number in (1, 2)), own]
    targets.append(Target(job_id=JOB, build_number=4, label=JOB))
    assert [target.label for target in with_labels(targets)] == [JOB, f"{JOB}-2", "app", f"{JOB}-3"]


CALLS = [
    (("wait", JOB, "57"), {}, f"{JOB} 57 is no target; write {JOB}:57, with a colon and without a space"),
    (("wait", f"app={JOB}:", "#57"), {}, f"write app={JOB}:57, with a colon"),
    (("wait",), {"GATE_TARGETS": f"app={JOB} 57"}, "'GATE_TARGETS'"),
    (("wait",), {"GATE_TARGETS": f"{JOB} {JOB}"}, "GATE_TARGETS: the same build is given twice"),
    (("run",), {"GATE_TARGETS": f"{JOB}:5"}, "GATE_TARGETS: run starts a new build"),
    (("wait", "web:0"), {"GATE_CODEARTS_PROJECT": PROJECT}, "for the job's newest build, write web"),
    (("wait", "web:007"), {"GATE_CODEARTS_PROJECT": PROJECT}, "without leading zeros"),
    (("wait", "web="), {"GATE_CODEARTS_PROJECT": PROJECT}, "has no job behind its label"),
    (("wait", JOB), {"GATE_MAX_RATE": "nan"}, "'GATE_MAX_RATE': 'nan' is not a number from 1 to 60000"),
    (("run", JOB, "--retries", "ten"), {}, "'--retries': 'ten' is not a whole number from 0 to 3"),
    (("run", JOB, "57"), {}, f"{JOB} 57 is no target; write {JOB}:57"),
    (("wait", "57"), {}, "'57' is a build number without its job; write JOB_ID:57"),
    (("wait", JOB, "-timeout", "5"), {}, "-timeout is no option; write --timeout, with two dashes"),
    (("wait", JOB, "-max-rate=5"), {}, "-max-rate is no option; write --max-rate, with two dashes"),
    (("doctor", "-region", "x"), {}, "-region is no option; write --region, with two dashes"),
    (("wait", JOB, "--junit", "-"), {}, "'-' is no name of a file here; write /dev/stdout for a report"),
    (("wait", JOB), {"GATE_OUTPUTS": "-"}, "'GATE_OUTPUTS': '-' is no name of a file here"),
    (("wait", JOB, "--region", "'cn-north-4'"), {}, "has quotes in it that became a part of the value; leave them out"),
    (("wait", JOB, "--timeout", '"10m"'), {}, "has quotes in it that became a part of the value; leave them out"),
    (("wait", JOB), {"GATE_ENDPOINT": "'https://x.example'"}, "'GATE_ENDPOINT': "),
    (("run", JOB, "--branch", "$CI_COMMIT_BRANCH"), {}, "is the name of a variable instead of its value"),
    (("run", JOB, "--branch", "***"), {}, "is what logs show in place of a secret"),
    (("wait", JOB, "--branch", "main\r\n"), {}, r"'--branch': 'main\r\n' has white space or a control character in it"),
    (("wait", JOB), {"GATE_SINCE": "0001-01-01T00:00:00Z"}, "'GATE_SINCE': '0001-01-01T00:00:00Z' is before 1970"),
    (("run", JOB, "--tag", "v1 "), {}, "'--tag': 'v1 ' has white space or a control character in it; leave that out"),
    (("wait", JOB), {"GATE_FOLLOW": "maybe"}, "'maybe' is neither true nor false; write true, false, 1, 0, yes"),
    (("wait", f"a\udcff={JOB}"), {}, "is not UTF-8; write it in UTF-8"),
    (("wait", "web\udcff"), {"GATE_CODEARTS_PROJECT": PROJECT}, r"'web\udcff' is not UTF-8"),
    (("jobs", "web\udcff"), {"GATE_CODEARTS_PROJECT": PROJECT}, r"'web\udcff' is not UTF-8"),
    (("run", JOB, "--branch", "main\udcff"), {}, r"'--branch': 'main\udcff' is not UTF-8"),
    (("run", JOB), {"GATE_PARAM": "A=s3cr3t\udcff"}, "'GATE_PARAM': the value of A is not UTF-8"),
    (("wait", JOB, "--junit", "r\udcff.xml"), {}, "later steps cannot be told a name that is not UTF-8"),
    (("run", JOB), {"GATE_NO_WAIT": "ja"}, "'GATE_NO_WAIT': 'ja' is neither true nor false"),
]


@pytest.mark.parametrize(("arguments", "env", "remedy"), CALLS)
def test_wrong_call_is_answered_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: tuple[str, ...],
    env: dict[str, str],
    remedy: str,
) -> None:
    """In the error of the whole program, which ends with 2."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"GATE_TOKEN": "s3cr3t", "GATE_REGION": "cn-north-4", **env}.items():
        monkeypatch.setenv(name, value)
    assert execute(arguments, 0.0) == 2
    assert remedy in " ".join(capfd.readouterr().err.split())


SECRETS = [
    ({"GATE_TOKEN": "***"}, "GATE_TOKEN must contain one token and nothing else: it is what logs show in place of a"),
    ({"GATE_TOKEN": "[masked]"}, "Give the value itself."),
    ({"GATE_TOKEN": "$VALUE"}, "it is the name of a variable instead of its value. Check that the variable is set"),
    ({"GATE_TOKEN": "VALUE\u00e9VALUE"}, "it has a character that is not ASCII, number 6 of 11. Copy it again"),
    ({"GATE_TOKEN": "'VALUE'"}, "it has quotes in it that became a part of the value. Leave them out."),
    ({"HUAWEICLOUD_SDK_AK": "'VALUE'", "HUAWEICLOUD_SDK_SK": "k"}, "HUAWEICLOUD_SDK_AK has quotes in it"),
    ({"HUAWEICLOUD_SDK_AK": "k", "HUAWEICLOUD_SDK_SK": "****"}, "HUAWEICLOUD_SDK_SK is what logs show in place of"),
    ({"HUAWEICLOUD_SDK_AK": "$VALUE", "HUAWEICLOUD_SDK_SK": "k"}, "HUAWEICLOUD_SDK_AK is the name of a variable"),
    (
        {"GATE_IAM_USER": "u", "GATE_IAM_PASSWORD": "***", "GATE_IAM_DOMAIN": "d"},
        "GATE_IAM_PASSWORD is what logs show in place of a secret; give the value itself",
    ),
    (
        {"GATE_IAM_USER": "u", "GATE_IAM_PASSWORD": "VALUE\udcff", "GATE_IAM_DOMAIN": "d"},
        "GATE_IAM_PASSWORD is not UTF-8; write it in UTF-8",
    ),
    ({"GATE_IAM_USER": '"VALUE"', "GATE_IAM_PASSWORD": "p", "GATE_IAM_DOMAIN": "d"}, "GATE_IAM_USER has quotes in it"),
    ({"GATE_IAM_USER": "u", "GATE_IAM_PASSWORD": "p", "GATE_IAM_DOMAIN": "$VALUE"}, "GATE_IAM_DOMAIN is the name of a"),
]


@pytest.mark.parametrize(("env", "remedy"), SECRETS)
def test_mistake_in_a_credential_is_told_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    env: dict[str, str],
    remedy: str,
) -> None:
    """The variable is named, and before anything is asked."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"GATE_REGION": "cn-north-4", **env}.items():
        monkeypatch.setenv(name, value)
    assert execute(["wait", JOB], 0.0) == 2
    written = capfd.readouterr().err
    assert (remedy in written, "VALUE" in written) == (True, False), written


@each_row("text", ["main", "feature/it's", "a*b", "release-1.x", "cost$", "50%", "~/r.xml", "https://x/{a}"])
def test_usual_value_is_no_mistake(text: str) -> None:
    """What only looks a little like one is taken."""
    assert mistakes.explain(text, Kind.VALUE) == ""
    assert mistakes.explain(text, Kind.FILE) == ""


def test_variable_of_run_that_wait_does_not_read_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Else a build of another tag would be judged, and nobody would know."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATE_TAG", "v1")
    assert execute(["wait", JOB], 0.0) == 2
    assert "warning: GATE_TAG chooses what `run` builds and has no effect on `wait`" in capfd.readouterr().err
    assert execute(["run", JOB], 0.0) == 2
    assert "GATE_TAG" not in capfd.readouterr().err


PIECES = (
    "", "a", "$", "${", "%", "{", "}", "(", ")", "***", "[masked]", "[", "<", ":", "=", "-", " ", '"', "'", "`",
    "\u2018", "\u201d", "token", "authorization",
)  # fmt: skip
"""Of what the texts consist that the rows with signs are about."""


def test_every_text_that_a_row_fits_has_one_of_its_signs() -> None:
    """A row is passed over where a text has none of them."""
    rows = [row for row in mistakes.TABLE if row.signs]
    found = set()
    for text in map("".join, itertools.product(PIECES, repeat=3)):
        fitting = {row for row in rows if re.search(row.pattern, text)}
        assert all(row.find(text) for row in fitting), text
        found |= fitting
    assert found == set(rows)
