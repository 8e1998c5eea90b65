"""What people write in place of a target is answered with what to write instead."""

import os
from pathlib import Path

import click
import pytest

from gate.cli.param_types import JobId, TargetType
from gate.cli.resolve import with_labels
from gate.model import Target

JOB = "0123456789abcdef0123456789abcdef"
PROJECT = "f" * 32
UUID = "01234567-89ab-cdef-0123-456789abcdef"

MISTAKES = [
    (f"https://devcloud.example.com/cloudbuild/project/{PROJECT}/detail/{JOB}", f"its last part: {JOB}"),
    (f"https://devcloud.example.com/cloudbuild/#/project/{PROJECT}/detail/{JOB}?tab=1", f"its last part: {JOB}"),
    ("https://devcloud.example.com/cloudbuild", "give only the job id, its last part"),
    ("https://[broken", "give only the job id, its last part"),
    (f"{JOB},{JOB}", "separate targets with spaces"),
    (f"app={JOB};lib={JOB}", "separate targets with spaces"),
    (f"{JOB}\uff0c{JOB}", "separate targets with spaces"),
    (f"{JOB}#57", f"write {JOB}:57"),
    (f"app={JOB}:#57", f"write {JOB}:57"),
    (f"{JOB}/57", f"write {JOB}:57"),
    (f"app={JOB}:0", f"for the job's newest build, write app={JOB}"),
    (f"{JOB}:latest", f"for the job's newest build, write {JOB}"),
    (f"{JOB}:", f"for the job's newest build, write {JOB}"),
    (f"{JOB}:20221011.29", "the number of a build within its day"),
    (f"{JOB}:007", "without leading zeros"),
    (f"{JOB}:2147483648", "above 2147483647"),
    (UUID, f"write {JOB}"),
    (f"app={UUID}:57", f"write app={JOB}:57"),
    ("targets.txt", "$(cat targets.txt)"),
    ("@ids", "$(cat ids)"),
    (f"{JOB}=app", f"write app={JOB}"),
    (JOB[1:], "31 characters"),
    (f"app={JOB}0", "33 characters"),
    ("my job", "has no job id"),
    ("", "has no job id"),
    (f" {JOB}", "white space"),
    (f"a/b={JOB}", "label"),
    (f"{'x' * 65}={JOB}", "label"),
]


@pytest.mark.parametrize(("value", "remedy"), MISTAKES)
def test_mistake_is_answered_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, remedy: str
) -> None:
    """And with the form of a target, as the mistake may be another one."""
    monkeypatch.chdir(tmp_path)
    Path("ids").write_text(JOB)
    with pytest.raises(click.BadParameter) as caught:
        TargetType().convert(value, None, None)
    assert remedy in caught.value.message
    assert "A target is [LABEL=]JOB_ID[:BUILD_NUMBER]" in caught.value.message


def test_text_that_may_be_a_token_is_not_repeated() -> None:
    """A token in the wrong place would stand in the log."""
    for kind in (TargetType(), JobId()):
        with pytest.raises(click.BadParameter, match="a text of 3000 characters is no target") as caught:
            kind.convert("MII" * 1000, None, None)
        assert "MIIMII" not in caught.value.message


def test_target_where_only_a_job_id_is_wanted_is_refused_with_the_id() -> None:
    """`doctor app=JOB:57`: the label and the number would have no effect."""
    with pytest.raises(click.BadParameter, match=f"give only its job id, {JOB}"):
        JobId().convert(f"app={JOB}:57", None, None)
    with pytest.raises(click.BadParameter, match="31 characters"):
        JobId().convert(JOB[1:], None, None)


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
