"""JSON to model, on the vendor's own examples and on anything else."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.codearts import wire_format
from gate.core import verdict as judging
from gate.errors import InvalidAnswer
from gate.model import State, UnitTests, Verdict
from tests.codearts.conftest import JOB, vendor


def changed(operation: str, **fields: Any) -> Any:
    """Return the vendor's example with other fields in its result."""
    document = copy.deepcopy(vendor(operation))
    document["result"].update(fields)
    return document


TOTALS = {"total": 1, "failures": 0, "errors": 0}


def totals_of(result: Any) -> UnitTests | None:
    """Read the unit tests of build 57."""
    return wire_format.unit_tests_of({"result": result, "status": "success"}, JOB, 57)


@pytest.mark.parametrize("job_id", [7, ["x"], {"x": 1}, True])
def test_job_id_that_is_no_text_is_no_answer(job_id: object) -> None:
    """Nobody can say whose record it is."""
    with pytest.raises(InvalidAnswer):
        wire_format.record_of(changed("ShowJobBuildRecordDetail", codeci_job_id=job_id))


@pytest.mark.parametrize("name", ["start_time", "finish_time"])
@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 1, 2**52, "1970-01-01T00:00:00"])
def test_time_that_is_nonsense_is_none(name: str, value: object) -> None:
    """It could not be reckoned with, or would be shown as millions of hours."""
    record = wire_format.record_of(changed("ShowJobBuildRecordDetail", **{name: value}))
    assert (record.started_at if name == "start_time" else record.finished_at) is None


@pytest.mark.parametrize("value", [2**52, -1, float("inf"), 10**400])
def test_duration_that_is_nonsense_is_none(value: object) -> None:
    """The end of a build is reckoned by it."""
    assert wire_format.record_of(changed("ShowJobBuildRecordDetail", duration=value)).duration_seconds is None


def test_vendors_record_is_read() -> None:
    """ShowJobBuildRecordDetail: the record's id is not the id of its row, and the envelope's status is no word."""
    record = wire_format.record_of(vendor("ShowJobBuildRecordDetail"))
    assert (record.job_id, record.build_number, record.word, record.run_word) == (JOB, 532, "SUCCESS", None)
    assert (record.record_id, record.branch, record.commit) == (
        "9d6169b9-022d-458c-9dc8-48cc94cc4083",
        "buildflow_env",
        None,
    )
    assert record.started_at == datetime(2022, 10, 11, 8, 28, 47, tzinfo=UTC)
    assert record.finished_at == datetime(2022, 10, 11, 8, 30, 27, tzinfo=UTC)
    assert record.duration_seconds == pytest.approx(100.068)
    assert judging.judge(judging.read(record)) is Verdict.PASSED


@pytest.mark.parametrize("number", [57, "57", 57.0])
def test_build_number_may_be_a_text_of_digits(number: object) -> None:
    """The service sends numbers as text in places."""
    assert wire_format.record_of(changed("ShowJobBuildRecordDetail", build_no=number)).build_number == 57


@pytest.mark.parametrize(
    "number",
    [None, "", "57 ", "5e1", "-57", 0, -1, 57.5, True, [57], "\u0665\u0667", "0", "20221011.29", 2**60, "9" * 40],
)
@pytest.mark.parametrize(
    ("read", "operation", "name"),
    [
        (wire_format.record_of, "ShowJobBuildRecordDetail", "build_no"),
        (wire_format.started_number_of, "RunJob", "actual_build_number"),
    ],
)
def test_anything_else_is_no_build_number(
    read: Callable[[Any], object], operation: str, name: str, number: object
) -> None:
    """A guess here would judge somebody else's build."""
    document = copy.deepcopy(vendor(operation))
    document.get("result", document)[name] = number
    with pytest.raises(InvalidAnswer, match=name):
        read(document)


@pytest.mark.parametrize("status", [None, "", 5, True, ["SUCCESS"], {"status": "SUCCESS"}])
def test_word_that_is_no_text_is_no_word(status: object) -> None:
    """The envelope says success all the while."""
    record = wire_format.record_of(changed("ShowJobBuildRecordDetail", status=status))
    assert record.word is None
    assert judging.judge(judging.read(record)) is Verdict.UNDETERMINED


def test_missing_word_is_not_taken_from_the_envelope() -> None:
    """Four of five clients would pass here."""
    document = changed("ShowJobBuildRecordDetail")
    del document["result"]["status"]
    assert wire_format.record_of(document).word is None


SHORT = {"number": 57, "job_running_status": "Finished", "state": "SUCCESS", "start_time": 1703554641000}


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, Verdict.PASSED),
        ({"job_running_status": "Running"}, None),
        ({"job_running_status": None}, None),
        ({"state": "FAILURE"}, Verdict.FAILED),
        ({"state": None}, Verdict.UNDETERMINED),
        ({"state": "success"}, Verdict.UNDETERMINED),
    ],
)
def test_short_record_passes_only_with_both_words(fields: dict[str, Any], verdict: Verdict | None) -> None:
    """ShowBuildInfoRecord: `state` counts together with `Finished` only."""
    reading = judging.read(wire_format.short_record_of({"result": SHORT | fields, "status": "success"}))
    assert judging.judge(reading) is verdict


def test_end_of_the_short_record_is_start_plus_build_time() -> None:
    """It has no time of its own for the end."""
    record = wire_format.short_record_of({"result": SHORT | {"build_time": 60000}})
    assert record.finished_at == datetime(2023, 12, 26, 1, 37, 21, tzinfo=UTC) + timedelta(seconds=60)
    assert wire_format.short_record_of({"result": SHORT}).finished_at is None


def test_vendors_list_is_read() -> None:
    """ListBuildInfoRecordByJobId, whose totals are texts that nobody needs."""
    (build,) = wire_format.builds_of(vendor("ListBuildInfoRecordByJobId"))
    assert (build.number, build.word, build.run_word) == (44, "SUCCESS", "Finished")
    assert build.commit == "ffe2ee8b44a0b2683df86b44f8ec27d71baeae86"
    assert build.duration_seconds == 3525
    assert build.is_of("FFE2EE8")
    assert not build.is_of("ee8b44a")


@pytest.mark.parametrize("rows", [None, []])
def test_list_without_builds_is_empty(rows: object) -> None:
    """The list has been seen to go empty."""
    assert wire_format.builds_of(changed("ListBuildInfoRecordByJobId", job_build_states=rows)) == []


@pytest.mark.parametrize("rows", [{"number": 1}, "44", [44], [None], [{}]])
def test_list_of_anything_else_is_no_answer(rows: object) -> None:
    """Half a list would hide the build that counts."""
    with pytest.raises(InvalidAnswer, match="job_build_states"):
        wire_format.builds_of(changed("ListBuildInfoRecordByJobId", job_build_states=rows))


def test_vendors_stages_are_read_in_order() -> None:
    """ShowBuildRecordFullStages is a map; `sequence` orders it."""
    stages = wire_format.stages_of(vendor("ShowBuildRecordFullStages"))
    assert [stage.name for stage in stages] == ["initial", "Cache Check", "Code CheckOut", "Maven", "final"]
    assert {stage.state for stage in stages} == {"ABORTED"}
    assert stages[0].duration_seconds == 10


def test_vendors_unit_tests_are_read() -> None:
    """ShowReportSummary."""
    job_id = "c798139500d2456d82d95d108f182b5a"
    assert wire_format.unit_tests_of(vendor("ShowReportSummary"), job_id, 1) == UnitTests(total=1, failures=0, errors=0)


@pytest.mark.parametrize(
    "fields", [{"build_no": 1}, {"build_no": "56"}, {"build_no": 57.5}, {"job_id": "f" * 32}, {"job_id": 7}]
)
def test_unit_tests_of_another_build_are_no_answer(fields: dict[str, Any]) -> None:
    """The service's default is build 1."""
    with pytest.raises(InvalidAnswer):
        totals_of({"summary": TOTALS | fields})


@pytest.mark.parametrize("fields", [{}, {"build_no": "57", "job_id": JOB}, {"build_no": None, "job_id": None}])
def test_unit_tests_that_name_this_build_or_none_are_taken(fields: dict[str, Any]) -> None:
    """Numbers may come as text."""
    assert totals_of({"summary": TOTALS | fields}) == UnitTests(1, 0, 0)


def test_unit_tests_without_success_and_without_a_failure_are_no_answer() -> None:
    """Something is wrong with them, and nobody says what."""
    with pytest.raises(InvalidAnswer):
        totals_of({"summary": TOTALS | {"is_success": False}})


@pytest.mark.parametrize("result", [None, {}, {"summary": None}, [], "none"])
def test_no_unit_tests_are_none_and_not_zero(result: object) -> None:
    """No data is not "no failure"."""
    assert totals_of(result) is None


@pytest.mark.parametrize(
    "fields", [{"failures": None}, {"errors": "x"}, {"total": -1}, {"failures": 0.5}, {"errors": True}, {"total": 1.5}]
)
def test_unreadable_totals_are_no_answer(fields: dict[str, Any]) -> None:
    """Half a test is no pass."""
    with pytest.raises(InvalidAnswer):
        totals_of({"summary": TOTALS | fields})


@pytest.mark.parametrize(("result", "value"), [(True, True), (False, False), (None, None)])
def test_running_state_is_a_boolean_or_nothing(result: object, value: object) -> None:
    """ShowJobStatus."""
    assert wire_format.is_running_of({"result": result}) is value
    assert wire_format.is_running_of({}) is None
    assert wire_format.is_running_of(vendor("ShowJobStatus")) is True


@pytest.mark.parametrize("result", ["true", 1, 0, "success", {}, []])
def test_running_state_that_is_anything_else_is_no_answer(result: object) -> None:
    """No truth is made of texts and numbers."""
    with pytest.raises(InvalidAnswer):
        wire_format.is_running_of({"result": result})


@pytest.mark.parametrize("wrap", [lambda document: document, lambda document: {"result": document}])
def test_started_number_is_the_actual_one(wrap: Callable[[Any], Any]) -> None:
    """At the top level, or in the envelope as v1 sends it; never the daily number."""
    assert wire_format.started_number_of(wrap(vendor("RunJob"))) == 20
    with pytest.raises(InvalidAnswer):
        wire_format.started_number_of(wrap({"daily_build_number": "20200612.20"}))


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2022-10-11T08:28:47.000+00:00", datetime(2022, 10, 11, 8, 28, 47, tzinfo=UTC)),
        ("2024-08-12T02:31:01+0800", datetime(2024, 8, 11, 18, 31, 1, tzinfo=UTC)),
        ("2024-08-31 10:58:02", datetime(2024, 8, 31, 2, 58, 2, tzinfo=UTC)),
        (1703554641000, datetime(2023, 12, 26, 1, 37, 21, tzinfo=UTC)),
        (0, None),
        ("", None),
        ("soon", None),
        ("9999-12-31T23:59:59-23:00", None),
        (1e300, None),
        (True, None),
    ],
)
def test_times_are_read_in_every_form(value: object, instant: datetime | None) -> None:
    """With a zone, without one (China's), in milliseconds; an unreadable one is unknown."""
    assert wire_format.record_of(changed("ShowJobBuildRecordDetail", finish_time=value)).finished_at == instant


READERS = [
    wire_format.record_of,
    wire_format.short_record_of,
    wire_format.builds_of,
    wire_format.stages_of,
    totals_of,
    wire_format.is_running_of,
    wire_format.started_number_of,
]
NAMES = ["result", "status", "state", "number", "build_no", "buildNo", "job_running_status", "finish_time", "duration"]
MORE = ["start_time", "build_time", "job_build_states", "build_stages", "sequence", "summary", "total", "failures"]
LAST = ["errors", "commit", "codeci_job_id", "display_name", "actual_build_number", "x"]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["SUCCESS", "57", "Finished", "2022-10-11T08:28:47.000+00:00", 1e308, -(10**400), 10**400])
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES + MORE + LAST), inner, max_size=6)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@given(document=st.dictionaries(st.sampled_from(NAMES + MORE + LAST), values, max_size=5))
def test_any_object_is_read_or_refused_as_an_answer(read: Callable[[Any], Any], document: dict[str, Any]) -> None:
    """Nothing but `InvalidAnswer` comes out of the reading of any JSON object."""
    try:
        read(document)
    except InvalidAnswer as error:
        assert len(str(error)) < 200  # noqa: PT017 - what it says is small, whatever was sent


@given(
    st.recursive(
        leaves, lambda inner: st.dictionaries(st.sampled_from(NAMES + MORE + LAST), inner, max_size=6), max_leaves=12
    )
)
def test_any_record_that_passes_said_success_of_a_build(result: Any) -> None:
    """No other path leads from JSON to a pass."""
    document = {"status": "success", "result": result}
    for read, name in ((wire_format.record_of, "status"), (wire_format.short_record_of, "state")):
        try:
            record = read(document)
        except InvalidAnswer:
            continue
        if judging.read(record).state is State.SUCCEEDED:
            assert result[name] == "SUCCESS"
