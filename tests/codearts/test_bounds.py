"""What a large answer leaves behind is small."""

import pytest

from gate.codearts import responses, wire_format
from gate.limits import MAX_BYTES, MAX_STAGE, MAX_STAGES, MAX_TEXT
from tests.tables import each_row


def test_stages_beyond_the_limit_are_left_out() -> None:
    """Each would become a case of the report."""
    stages = {f"s{number}": {"sequence": number} for number in range(MAX_STAGES * 10)}
    kept = wire_format.stages_of({"result": {"build_stages": stages}})
    assert [stage.name for stage in kept] == [f"s{number}" for number in range(MAX_STAGES)]


def test_name_of_a_stage_is_cleaned_and_cut_once() -> None:
    """It is written again and again, for each stage of each target."""
    [stage] = wire_format.stages_of(
        {"result": {"build_stages": {"s": {"display_name": "\x1b[31m" + "n" * 9999, "status": "x" * 999}}}}
    )
    assert stage.name == "n" * (MAX_STAGE - 1) + "…"
    assert len(stage.state or "") == MAX_STAGE


def test_texts_beyond_the_limit_are_cut() -> None:
    """Each may come to stand in a report; a cut word is no `SUCCESS`."""
    long = "SUCCESS" + "x" * MAX_TEXT
    record = wire_format.record_of({"result": {"build_no": 1, "status": long, "branch": long}})
    assert (record.word, record.branch) == (long[:MAX_TEXT], long[:MAX_TEXT])


@each_row("given", ["../../v3/auth", "a/b", "a?b", "\ud800", "", "x" * 65, 7, None])
def test_record_id_that_is_none_is_not_used(given: object) -> None:
    """It becomes a part of a path."""
    assert wire_format.record_of({"result": {"build_no": 1, "build_record_id": given}}).record_id is None


def test_json_beyond_the_limit_is_not_parsed() -> None:
    """Parsed, it takes 30 times as much memory."""
    with pytest.raises(ValueError, match="longer than 2 MiB"):
        responses.decode(b'{"a": "' + b"x" * MAX_BYTES + b'"}')
