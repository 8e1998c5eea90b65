"""Reading JSON as model types: the vendor's own examples, and any other JSON."""

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
from gate.limits import MAX_CHILDREN, MAX_FAILED_STEPS
from gate.model import (
    BuildPage,
    ChildBuild,
    FailedStep,
    LogPiece,
    Order,
    ProjectRow,
    RunningStatus,
    State,
    UnitTests,
    Verdict,
)
from tests.codearts.conftest import JOB, vendor
from tests.tables import each_row


def changed(operation: str, **fields: Any) -> Any:
    """Return the vendor's example with other fields in its result."""
    document = copy.deepcopy(vendor(operation))
    document["result"].update(fields)
    return document


TOTALS = {"total": 1, "failures": 0, "errors": 0}


def totals_of(result: Any) -> UnitTests | None:
    """Read the unit tests of build 57."""
    return wire_format.unit_tests_of({"result": result, "status": "success"}, JOB, 57)


@each_row("job_id", [7, ["x"], {"x": 1}, True])
def test_job_id_that_is_not_text_is_an_invalid_answer(job_id: object) -> None:
    """It is unknown whose record it is."""
    with pytest.raises(InvalidAnswer):
        wire_format.record_of(changed("ShowJobBuildRecordDetail", codeci_job_id=job_id))


@each_row("name", ["start_time", "finish_time"])
@each_row("value", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 1, 2**52, "1970-01-01T00:00:00"])
def test_invalid_time_is_unknown(name: str, value: object) -> None:
    """It would overflow in computations, or would be shown as millions of hours."""
    record = wire_format.record_of(changed("ShowJobBuildRecordDetail", **{name: value}))
    assert (record.started_at if name == "start_time" else record.finished_at) is None


@each_row("value", ["2022-10-11T16:28:47+0800", "2022-10-11 16:28:47", 1665476927000, "1665476927000"])
def test_time_is_read_in_each_form(value: object) -> None:
    """Milliseconds may come as text, as other numbers do."""
    started = wire_format.record_of(changed("ShowJobBuildRecordDetail", start_time=value)).started_at
    assert started == datetime(2022, 10, 11, 8, 28, 47, tzinfo=UTC)


@each_row("value", [2**52, -1, float("inf"), 10**400])
def test_invalid_duration_is_unknown(value: object) -> None:
    """The end of a build is computed from it."""
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
    assert judging.judge(judging.interpret(record)) is Verdict.PASSED


@each_row("number", [57, "57", 57.0])
def test_build_number_may_be_a_text_of_digits(number: object) -> None:
    """The service sends some numbers as text."""
    assert wire_format.record_of(changed("ShowJobBuildRecordDetail", build_no=number)).build_number == 57


@each_row(
    "number",
    [
        None,
        "",
        "57 ",
        "5e1",
        "-57",
        0,
        -1,
        57.5,
        True,
        [57],
        "\u0665\u0667",
        "0",
        "20221011.29",
        2**31,
        2**60,
        "9" * 40,
    ],
)
@each_row(
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


@each_row("status", [None, "", 5, True, ["SUCCESS"], {"status": "SUCCESS"}])
def test_word_that_is_no_text_is_no_word(status: object) -> None:
    """The envelope says success in each case."""
    record = wire_format.record_of(changed("ShowJobBuildRecordDetail", status=status))
    assert record.word is None
    assert judging.judge(judging.interpret(record)) is Verdict.UNDETERMINED


def test_missing_word_is_not_taken_from_the_envelope() -> None:
    """A fallback to the status of the envelope would be a pass."""
    document = changed("ShowJobBuildRecordDetail")
    del document["result"]["status"]
    assert wire_format.record_of(document).word is None


SHORT = {"number": 57, "job_running_status": "Finished", "state": "SUCCESS", "start_time": 1703554641000}


@each_row(
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
    reading = judging.interpret(wire_format.short_record_of({"result": SHORT | fields, "status": "success"}))
    assert judging.judge(reading) is verdict


def test_end_of_the_short_record_is_start_plus_build_time() -> None:
    """It has no field for the end."""
    record = wire_format.short_record_of({"result": SHORT | {"build_time": 60000}})
    assert record.finished_at == datetime(2023, 12, 26, 1, 37, 21, tzinfo=UTC) + timedelta(seconds=60)
    assert wire_format.short_record_of({"result": SHORT}).finished_at is None


def page_of(**fields: object) -> BuildPage:
    """Return the vendor's page of a job's builds with other fields in its result."""
    return wire_format.build_page_of(changed("ListBuildInfoRecordByJobId", **fields))[1]


def test_vendors_list_is_read() -> None:
    """ListBuildInfoRecordByJobId, whose totals are texts."""
    count, page = wire_format.build_page_of(vendor("ListBuildInfoRecordByJobId"))
    (build,) = page.rows
    assert (count, page.total, page.problem) == (1, 44, "")
    assert (build.number, build.word, build.run_word, build.branch) == (44, "SUCCESS", "Finished", "master")
    assert build.commit == "ffe2ee8b44a0b2683df86b44f8ec27d71baeae86"
    assert build.duration_seconds == 3525


@pytest.mark.parametrize("rows", [None, []])
def test_list_without_builds_is_empty(rows: object) -> None:
    """Empty lists were observed."""
    assert page_of(job_build_states=rows, total_record="0") == BuildPage([], total=0)


@each_row("total", ["44", None, "-1", "x"])
def test_list_without_rows_that_does_not_count_none_contradicts_itself(total: object) -> None:
    """There may be builds that it does not show."""
    assert page_of(job_build_states=None, total_record=total).problem == "it has no rows"


@each_row("row", [None, 44, "44", {}, {"number": None}, {"number": "x"}, {"number": 0}, {"number": 2**31}])
def test_row_without_a_number_is_a_problem_of_the_page_not_an_error(row: object) -> None:
    """The other rows are read; the row itself may be any build."""
    page = page_of(job_build_states=[row, {"number": 43}])
    assert [build.number for build in page.rows] == [43]
    assert page.problem == "1 of its 2 rows have no build number"


@each_row("rows", [{"number": 1}, "44", 44, True])
def test_list_of_anything_else_is_an_invalid_answer(rows: object) -> None:
    """Nothing can be learned from it."""
    with pytest.raises(InvalidAnswer, match="job_build_states"):
        page_of(job_build_states=rows)


def test_vendors_running_status_is_read() -> None:
    """ShowRunningStatus, whose number is a text."""
    job = "c798139500d2456d82d95d108f182b5a"
    status = wire_format.running_status_of(vendor("ShowRunningStatus"), job)
    assert status == RunningStatus(build_number=9, run_word="Finished", is_running=False)
    assert wire_format.running_status_of(vendor("ShowRunningStatus"), JOB) == RunningStatus()


@each_row("number", ["x", 2**31, "99999999999"])
def test_running_status_of_odd_values_says_nothing(number: object) -> None:
    """Neither of a build nor of the job."""
    odd = changed("ShowRunningStatus", last_build_no=number, last_build_status=1, is_running="no", last_job_id=None)
    assert wire_format.running_status_of(odd, JOB) == RunningStatus()


def test_vendors_stages_are_read_in_order() -> None:
    """ShowBuildRecordFullStages is a map; `sequence` orders it."""
    stages = wire_format.stages_of(vendor("ShowBuildRecordFullStages"))
    assert [stage.name for stage in stages] == ["initial", "Cache Check", "Code CheckOut", "Maven", "final"]
    assert {stage.state for stage in stages} == {"ABORTED"}
    assert stages[0].duration_seconds == 10


def test_vendors_unit_tests_are_read() -> None:
    """ShowReportSummary: the totals, and those of each stage under its name."""
    job_id = "c798139500d2456d82d95d108f182b5a"
    tests = wire_format.unit_tests_of(vendor("ShowReportSummary"), job_id, 1)
    totals = UnitTests(total=1, failures=0, errors=0, successes=1, is_success=True)
    assert tests == totals._replace(parts=(totals._replace(name="stage3"),))


@each_row("fields", [{"build_no": 1}, {"build_no": "56"}, {"build_no": 57.5}, {"job_id": "f" * 32}, {"job_id": 7}])
@each_row("place", ["summary", "sub_summarys"])
def test_unit_tests_of_another_build_are_an_error(fields: dict[str, Any], place: str) -> None:
    """The service's default is build 1."""
    wrong: Any = TOTALS | fields
    with pytest.raises(InvalidAnswer, match=r"another build|job_id"):
        totals_of({"summary": TOTALS, place: wrong if place == "summary" else [wrong]})


@each_row("fields", [{}, {"build_no": "57", "job_id": JOB}, {"build_no": None, "job_id": None}])
def test_unit_tests_that_name_this_build_or_none_are_read(fields: dict[str, Any]) -> None:
    """Numbers may come as text."""
    assert totals_of({"summary": TOTALS | fields}) == UnitTests(1, 0, 0)


@each_row(("value", "is_success"), [(True, True), ("true", True), ("false", False), (None, None)])
def test_success_of_unit_tests_is_read_and_not_judged(value: object, is_success: bool | None) -> None:
    """The reader reports a contradiction as it is: no success, although nothing failed."""
    tests = totals_of({"summary": TOTALS | {"is_success": value, "success": "0"}})
    assert tests == UnitTests(1, 0, 0, successes=0, is_success=is_success)


@each_row("result", [None, {}, {"summary": None}, [], "none"])
def test_no_unit_tests_are_none_and_not_zero(result: object) -> None:
    """No data is not "no failure"."""
    assert totals_of(result) is None


@each_row(
    "fields",
    [
        {"failures": None},
        {"errors": "x"},
        {"total": -1},
        {"failures": 0.5},
        {"errors": True},
        {"total": 1.5},
        {"success": -1},
        {"success": "most"},
        {"is_success": "yes"},
        {"is_success": 1},
    ],
)
@each_row("place", ["summary", "sub_summarys"])
def test_unreadable_totals_are_an_error(fields: dict[str, Any], place: str) -> None:
    """A value that cannot be read is not taken for zero or for a success, neither in the sum nor in a part."""
    wrong: Any = TOTALS | fields
    with pytest.raises(InvalidAnswer):
        totals_of({"summary": TOTALS, place: wrong if place == "summary" else [wrong]})


@pytest.mark.parametrize("result", [{"summary": []}, {"summary": TOTALS, "sub_summarys": [7]}])
def test_unit_tests_of_another_type_are_an_error(result: object) -> None:
    """Something that is there and unreadable is not the same as no unit tests."""
    with pytest.raises(InvalidAnswer):
        totals_of(result)


def test_record_has_what_a_selection_compares() -> None:
    """The tag, the parent of a multi-job build, the CodeArts project and the daily number."""
    record = wire_format.record_of(changed("ShowJobBuildRecordDetail", tag="v1", parent_record_id="9d6169b9"))
    assert (record.tag, record.parent_record_id, record.daily_number) == ("v1", "9d6169b9", "20221011.29")
    assert record.project_id == "b4d3971c3988463b865f6f920846149e"
    with pytest.raises(InvalidAnswer, match="parent_record_id"):
        wire_format.record_of(changed("ShowJobBuildRecordDetail", parent_record_id=["9d6169b9"]))


PROJECT = "6823252f543d4915b49892a5fd9f0ec3"
ROW = {
    "id": JOB,
    "build_number": "12",
    "task_id": "#20240923.1",
    "last_build_status": "blue",
    "last_job_running_status": "Finished",
    "is_finished": True,
}


@pytest.mark.parametrize("document", [{"result": {"job_list": [ROW], "total": 20697}}, {"jobs": [ROW], "total": 1}])
def test_row_of_a_project_is_read_in_both_places(document: dict[str, Any]) -> None:
    """ListProjectJobs, as observed and as documented; its total does not count the rows."""
    assert wire_format.project_rows_of(document, PROJECT) == (
        1,
        [ProjectRow(JOB, 12, "20240923.1", word="blue", run_word="Finished", is_finished=True)],
    )


def test_unreadable_parts_of_a_projects_rows_are_left_out() -> None:
    """The list only serves as a hint: a row without a job id is skipped, an unreadable value is unknown."""
    odd = ROW | {"build_number": "many", "task_id": 7, "last_build_status": None, "is_finished": "true"}
    rows = [odd, {"id": None}, "row", None]
    assert wire_format.project_rows_of({"result": {"job_list": rows}}, PROJECT) == (
        4,
        [ProjectRow(JOB, run_word="Finished")],
    )
    with pytest.raises(InvalidAnswer):
        wire_format.project_rows_of({"result": {"job_list": {}}}, PROJECT)


@each_row(
    ("result", "piece"),
    [
        ({"log": "a\n", "start_offset": 5, "end_offset": 7, "has_more": True}, LogPiece("a\n", 7, True)),
        ({"log": "a\n", "end_offset": "7", "has_more": "true"}, LogPiece("a\n", 7, False)),
        ({"content": "a\n", "current_offset": 5, "offset": 7, "has_more_data": True}, LogPiece("a\n", 7, True)),
        ({"log": "", "end_offset": 5, "has_more": True}, LogPiece("", 5, False)),
        ({"log": None}, LogPiece("", 5, False)),
        ({"log": "a\n", "end_offset": 5, "has_more": True}, LogPiece("", 5, False)),
        ({"log": "a\n", "end_offset": 2, "has_more": True}, LogPiece("", 0, False)),
    ],
)
def test_piece_of_a_growing_log_is_read(result: dict[str, Any], piece: LogPiece) -> None:
    """Both routes; an answer without progress ends the reading, whatever its flag says."""
    assert wire_format.log_piece_of({"result": result}, 5) == piece


@each_row("result", [{"log": 7}, {"log": "a", "end_offset": -1}, {"log": "a"}])
def test_unreadable_piece_of_a_log_is_an_error(result: dict[str, Any]) -> None:
    """Without an offset the next request would return the same text."""
    with pytest.raises(InvalidAnswer):
        wire_format.log_piece_of({"result": result}, 5)


def test_failed_steps_are_read_and_cleaned() -> None:
    """The analysis of a failure, under `result` or at the top level; empty rows are left out."""
    node = {"step": "Maven", "error_info": {"error_code": "DEV.CB.0220021", "error_message": "\x1b[31mno\nfile"}}
    for document in ({"result": {"error_nodes": [node, {}]}}, {"error_nodes": [node, {"error_info": "x"}]}):
        assert wire_format.failed_steps_of(document) == [FailedStep("Maven", "DEV.CB.0220021", "no file")]
    assert wire_format.failed_steps_of({"result": None}) == []


def test_child_builds_are_read() -> None:
    """The vertices of the flow graph; a single-job build has none."""
    vertex = {
        "display_name": "job4",
        "build_no": "535",
        "status": "SUCCESS",
        "start_time": "2020-12-30T17:33:11+08:00",
        "build_duration": 38156,
    }
    started_at = datetime(2020, 12, 30, 9, 33, 11, tzinfo=UTC)
    assert wire_format.child_builds_of({"result": {"vertices": [vertex, {"build_no": 0}]}}) == [
        ChildBuild("job4", "SUCCESS", 535, started_at, 38.156),
        ChildBuild("job 2"),
    ]
    documents: list[Any] = [{"result": None}, {"result": {}}, {"result": {"vertices": None, "edges": []}}]
    assert [wire_format.child_builds_of(document) for document in documents] == [[], [], []]


def test_numbers_of_rows_are_bounded() -> None:
    """An answer has at most 2 MiB, and each row would become a case of the report."""
    rows = [{"display_name": "job", "step": "step"}] * 5000
    assert len(wire_format.child_builds_of({"result": {"vertices": rows}})) == MAX_CHILDREN
    assert len(wire_format.failed_steps_of({"error_nodes": rows})) == MAX_FAILED_STEPS


@each_row(("result", "value"), [(True, True), (False, False), (None, None)])
def test_running_state_is_a_boolean_or_nothing(result: object, value: object) -> None:
    """ShowJobStatus."""
    assert wire_format.is_running_of({"result": result}) is value
    assert wire_format.is_running_of({}) is None
    assert wire_format.is_running_of(vendor("ShowJobStatus")) is True


@each_row("result", ["true", 1, 0, "success", {}, []])
def test_running_state_that_is_anything_else_is_an_invalid_answer(result: object) -> None:
    """Texts and numbers are not converted to true or false."""
    with pytest.raises(InvalidAnswer):
        wire_format.is_running_of({"result": result})


@pytest.mark.parametrize("wrap", [lambda document: document, lambda document: {"result": document}])
def test_started_number_is_the_actual_one(wrap: Callable[[Any], Any]) -> None:
    """At the top level, or in the envelope as v1 sends it; never the daily number."""
    assert wire_format.started_number_of(wrap(vendor("RunJob"))) == 20
    with pytest.raises(InvalidAnswer):
        wire_format.started_number_of(wrap({"daily_build_number": "20200612.20"}))


@each_row(
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


def piece_of(document: Any) -> LogPiece:
    """Read a piece of a growing log from offset 5."""
    return wire_format.log_piece_of(document, 5)


def project_rows_of(document: Any) -> tuple[int, list[ProjectRow]]:
    """Read a page of a project's jobs."""
    return wire_format.project_rows_of(document, PROJECT)


def running_status_of(document: Any) -> RunningStatus:
    """Read the running status of a job."""
    return wire_format.running_status_of(document, JOB)


def test_row_of_another_project_is_left_out() -> None:
    """Its job may have the name that is looked for. What is no id of a CodeArts project says nothing."""
    projects = [PROJECT, "f" * 32, None, "8597a528-068e-4bfa-a812-3c625060c007"]
    rows = [ROW | {"id": f"{number}" * 32, "project_id": project} for number, project in enumerate(projects)]
    count, found = wire_format.project_rows_of({"result": {"job_list": rows}}, PROJECT)
    assert (count, [row.job_id[0] for row in found]) == (4, ["0", "2", "3"])


READERS = [
    wire_format.record_of,
    wire_format.short_record_of,
    wire_format.build_page_of,
    running_status_of,
    wire_format.stages_of,
    totals_of,
    wire_format.is_running_of,
    wire_format.started_number_of,
    project_rows_of,
    piece_of,
    wire_format.failed_steps_of,
    wire_format.child_builds_of,
]
NAMES = ["result", "status", "state", "number", "build_no", "buildNo", "job_running_status", "finish_time", "duration"]
MORE = ["start_time", "build_time", "job_build_states", "build_stages", "sequence", "summary", "total", "failures"]
LISTS = ["job_list", "jobs", "id", "log", "end_offset", "error_nodes", "error_info", "vertices", "sub_summarys"]
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
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES + MORE + LISTS + LAST), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(NAMES + MORE + LISTS + LAST), values, max_size=5))
def test_any_object_is_read_or_refused_as_an_answer(document: dict[str, Any]) -> None:
    """Reading any JSON object raises nothing but `InvalidAnswer`, whatever it is taken for."""
    for read in READERS:
        try:
            read(document)
        except InvalidAnswer as error:
            assert len(str(error)) < 200, read  # noqa: PT017 - what it says is small, whatever was sent


@given(
    st.recursive(
        leaves,
        lambda inner: st.dictionaries(st.sampled_from(NAMES + MORE + LISTS + LAST), inner, max_size=6),
        max_leaves=12,
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
        if judging.interpret(record).state is State.SUCCEEDED:
            assert result[name] == "SUCCESS"


@each_row(
    ("order", "body"),
    [
        (Order(), {}),
        (Order(tag="v1"), {"scm": {"build_tag": "v1", "build_type": "tag"}}),
        (Order(commit="c0ffee0"), {"scm": {"build_commit_id": "c0ffee0", "build_type": "commitId"}}),
        (Order(branch="main"), {"scm": {"branch": "main", "build_type": "branch"}}),
        (Order(branch="refs/heads/main"), {"scm": {"branch": "main", "build_type": "branch"}}),
        (Order(tag="refs/tags/v1"), {"scm": {"build_tag": "v1", "build_type": "tag"}}),
        (
            Order(parameters=(("a", "1"), ("b", ""))),
            {"parameter": [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]},
        ),
    ],
)
def test_order_says_what_to_build(order: Order, body: dict[str, object]) -> None:
    """As the vendor documents it."""
    assert wire_format.order_to(JOB, order) == {"job_id": JOB, **body}
