"""One target: unknown words, unit tests, the boolean of `/status`, and what people are told."""

from datetime import datetime
from typing import Any

import pytest

from gate.errors import Forbidden, GateError, NotFound, ServiceFailing
from gate.model import ChildBuild, FailedStep, Order, RunningStatus, Stage, UnitTests, Verdict
from gate.settings import Rules
from tests.core.fakes import EPOCH, HANG, World, build, pinned, record
from tests.tables import each_row

REQUIRED = Rules(require_tests=True)
BY_STATUS = Rules(verdict_from="status")


def totals(failures: int = 0, errors: int = 0, total: int = 42) -> UnitTests:
    """Return totals of unit tests, all of one stage."""
    part = UnitTests(
        total, failures, errors, successes=total - failures - errors, is_success=not failures and not errors
    )
    return part._replace(parts=(part._replace(name="stage3"),))


def test_unknown_word_on_a_running_build_is_shown_and_waited_with() -> None:
    """The service may have words that nobody documents."""
    world = World(record=[record("EVAPORATING")] * 9 + [record("SUCCESS")])
    assert world.verdict() is Verdict.PASSED
    assert sum("EVAPORATING, a state that is not documented" in text for text in world.observer.said) == 1


def test_unknown_word_on_an_ended_build_is_undetermined_after_a_second_look() -> None:
    """The service may still be writing, so it is looked at three times, and not for the whole timeout."""
    world = World(record=[record("EVAPORATED", finished_at=EPOCH)])
    (outcome,) = world.run()
    assert (outcome.verdict, outcome.state) == (Verdict.UNDETERMINED, "EVAPORATED")
    assert "EVAPORATED" in outcome.reason
    assert len(world.service.times("record")) == 3
    assert world.elapsed < 10


def test_word_that_was_still_being_written_counts() -> None:
    """An ended build without a word gets it a moment later."""
    world = World(record=[record(None, finished_at=EPOCH), record("SUCCESS", finished_at=EPOCH)])
    assert world.verdict() is Verdict.PASSED


def test_unknown_word_that_comes_and_goes_does_not_end_the_wait() -> None:
    """It has to persist: a glitch now and then is none."""
    odd, running = record("ODD", finished_at=EPOCH), record("RUNNING")
    world = World(record=[odd, running, odd, odd, running, odd, running, record("SUCCESS")])
    assert world.verdict() is Verdict.PASSED


def test_build_that_is_not_found_is_said_to_be_missing() -> None:
    """When the time is up first, nobody is told to stop a build that may not exist."""
    world = World(record=[NotFound("HTTP 422, no such build")], rules=Rules(timeout=5))
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.TIMED_OUT
    assert "build 57 has not been seen yet" in outcome.reason
    assert "stop" not in outcome.hint
    assert sum("build 57 is not there yet" in said for said in world.observer.said) == 1


def test_numbered_build_of_another_branch_lets_people_check_what_they_asked_for() -> None:
    """No other build is meant: they have given its number."""
    (outcome,) = World(record=[record("SUCCESS", branch="master")], rules=Rules(branch="release")).run()
    assert (outcome.verdict, "not of release" in outcome.reason) == (Verdict.UNDETERMINED, True)
    assert outcome.hint == "Check the number, and which commit, branch or time is asked for."


def test_word_that_changes_its_mind_counts_as_it_is_last() -> None:
    """Only an ended build ends the wait."""
    words = ["QUEUED", "RUNNING", "QUEUED", "EVAPORATED", "RUNNING", "FAILURE"]
    world = World(record=[record(word) for word in words])
    assert world.verdict() is Verdict.FAILED


def test_build_is_named_once_and_each_change_is_told_once() -> None:
    """A line when something changes, none when nothing does."""
    first = record("RUNNING", commit="2f37dd494927d2c6", started_at=EPOCH)
    world = World(record=[record("QUEUED")] * 3 + [first] * 5 + [record("SUCCESS")])
    world.run()
    assert world.observer.said == ["build 57", "build 57 is QUEUED", "build 57 is RUNNING"]


def test_introduction_names_commit_and_start() -> None:
    """Once found, the build is pinned and named."""
    world = World(record=[record("RUNNING", commit="2f37dd494927d2c6", started_at=EPOCH), record("SUCCESS")])
    world.run()
    assert world.observer.said[0] == "build 57, commit 2f37dd4, started 0.0 s ago"


@each_row("word", ["FAILURE", "error", "aborted"])
def test_reason_holds_the_services_own_message_and_the_stage(word: str) -> None:
    """People see why, and where, in whichever words the route for stages has."""
    stages = [Stage(name="Checkout", state="SUCCESS"), Stage(name="Maven", state=word), Stage(name="Upload")]
    failed = record("FAILURE", record_id="r", message="exit status 1", duration_seconds=61.0)
    (outcome,) = World(record=[failed], stages=[stages], log_tail=[["one", "two"]]).run()
    assert outcome.reason == "build 57 ended with FAILURE after 1 m 1 s: exit status 1, in stage Maven"
    assert (list(outcome.stages), list(outcome.log_tail)) == (stages, ["one", "two"])


@each_row(
    ("stages", "message", "reason"),
    [
        ([], None, "build 57 ended with FAILURE in step Maven: no pom.xml (E7)"),
        ([Stage(name="Build", state="FAILURE")], None, "build 57 ended with FAILURE, in stage Build: no pom.xml (E7)"),
        ([], "exit status 1", "build 57 ended with FAILURE: exit status 1"),
    ],
)
def test_reason_names_the_step_that_failed(stages: list[Stage], message: str | None, reason: str) -> None:
    """By the service's analysis, where the record has no message; by its stage if that is known."""
    failed = record("FAILURE", record_id="r", message=message)
    world = World(record=[failed], stages=[stages], failed_steps=[[FailedStep("Maven", "E7", "no pom.xml")]])
    assert world.run()[0].reason == reason


@each_row("message", ["cannot compile\x1b]", "x" * 4096, "\x9d", None])
def test_services_texts_swallow_none_of_the_gates_own_words(message: str | None) -> None:
    """An escape sequence that never ends, or a text that never does, ends where it was put in."""
    stages = [Stage(name="Mav\x1b[31men", state="FAILURE")]
    world = World(record=[record("FAILURE", record_id="r", message=message, commit="ab\x1b]8;;c")], stages=[stages])
    (outcome,) = world.run()
    assert outcome.reason.startswith("build 57 ended with FAILURE")
    assert outcome.reason.endswith(", in stage Maven")
    assert len(outcome.reason) < 400
    assert r"commit 'ab\x1b]8;;'" in world.observer.said[0]


def test_word_that_only_looks_like_success_is_told_from_it() -> None:
    """In the reason, and in the state that programs read."""
    (outcome,) = World(record=[record("SUCCESS\x00", finished_at=EPOCH)]).run()
    assert (outcome.verdict, outcome.state) == (Verdict.UNDETERMINED, r"'SUCCESS\x00'")
    assert outcome.reason == r"build 57 has ended, but its state 'SUCCESS\x00' does not say how"


def test_required_tests_that_passed_pass() -> None:
    """Totals without a failure and without an error."""
    world = World(record=[record()], unit_tests=[totals()], rules=REQUIRED)
    (outcome,) = world.run()
    assert (outcome.verdict, outcome.tests) == (Verdict.PASSED, totals())


@each_row("bad", [totals(failures=1), totals(errors=1), totals(2, 1)])
def test_required_tests_that_failed_fail_the_build(bad: UnitTests) -> None:
    """A build can end with SUCCESS over red tests."""
    (outcome,) = World(record=[record()], unit_tests=[bad], rules=REQUIRED).run()
    assert (outcome.verdict, outcome.state, outcome.tests) == (Verdict.FAILED, "SUCCESS", bad)
    assert "--require-tests" in outcome.reason


@pytest.mark.parametrize("nothing", [None, totals(total=0)])
def test_required_tests_without_data_are_undetermined(nothing: UnitTests | None) -> None:
    """No data is neither a pass nor a failure; no data at all is looked for three times."""
    world = World(record=[record()], unit_tests=[nothing], rules=REQUIRED)
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert "no unit tests" in outcome.reason
    assert len(world.service.times("unit_tests")) == 3


def test_required_tests_that_are_not_found_at_first_count() -> None:
    """The service may still be writing."""
    world = World(record=[record()], unit_tests=[NotFound("422"), totals()], rules=REQUIRED)
    assert world.verdict() is Verdict.PASSED


def test_required_tests_that_come_late_count() -> None:
    """The service may still be writing them."""
    world = World(record=[record()], unit_tests=[None, ServiceFailing("500"), totals()], rules=REQUIRED)
    assert world.verdict() is Verdict.PASSED


@pytest.mark.parametrize("error", [Forbidden("no"), ServiceFailing("500")])
def test_required_tests_that_cannot_be_read_are_undetermined(error: GateError) -> None:
    """With `--require-tests`, they are no side channel."""
    world = World(record=[record()], unit_tests=[error], rules=Rules(require_tests=True, error_budget=30))
    assert world.verdict() is Verdict.UNDETERMINED


def test_failed_build_needs_no_tests() -> None:
    """They could not save it."""
    world = World(record=[record("FAILURE")], unit_tests=[totals()], rules=REQUIRED)
    assert world.verdict() is Verdict.FAILED
    assert world.service.times("unit_tests") == []


def test_tests_are_not_asked_for_unless_required() -> None:
    """A side channel less."""
    world = World(record=[record()], unit_tests=[totals(failures=1)])
    assert world.verdict() is Verdict.PASSED
    assert world.service.times("unit_tests") == []


@pytest.mark.parametrize(
    ("answer", "verdict", "word"), [(True, Verdict.PASSED, "true"), (False, Verdict.FAILED, "false")]
)
def test_status_mode_takes_the_boolean_for_the_result(answer: bool, verdict: Verdict, word: str) -> None:
    """The literal reading of the older page, and what was read is said."""
    world = World(pinned(None), rules=BY_STATUS, is_running=[None, None, answer])
    (outcome,) = world.run()
    assert (outcome.verdict, outcome.state) == (verdict, word)
    assert world.service.times("is_running") == [1000, 1002, 1006]
    assert any(f"/status says {word}" in text for text in world.observer.said)
    assert {name for name, _ in world.service.asked} == {"is_running"}


def test_status_mode_without_an_answer_is_timed_out() -> None:
    """Absent or null: not yet."""
    world = World(pinned(None), rules=Rules(verdict_from="status", timeout=60), is_running=[None])
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.TIMED_OUT
    assert outcome.reason == "no result within 1 m (--timeout): /status has said neither true nor false"


def test_status_mode_is_undetermined_when_the_service_refuses() -> None:
    """Errors are no result in this mode either."""
    assert World(pinned(None), rules=BY_STATUS, is_running=[Forbidden("no")]).verdict() is Verdict.UNDETERMINED


@each_row(
    ("tests", "verdict"),
    [
        (totals(), Verdict.PASSED),
        (totals(failures=1), Verdict.FAILED),
        (None, Verdict.UNDETERMINED),
        (ServiceFailing("500"), Verdict.TIMED_OUT),
        (HANG, Verdict.TIMED_OUT),
    ],
)
def test_required_tests_are_read_at_the_deadline_too(tests: Any, verdict: Verdict) -> None:
    """A build that is found ended by the last poll passes only with its unit tests."""
    rules = Rules(require_tests=True, timeout=30)
    worlds: list[World] = []
    records = [lambda *_: record("SUCCESS" if worlds[0].elapsed >= 30 else "RUNNING")]
    world = World(record=records, unit_tests=[tests], rules=rules)
    worlds.append(world)
    assert world.verdict() is verdict
    assert world.service.times("unit_tests")[0] == 1030.0


@each_row(
    ("readings", "verdict"),
    [
        ([totals(total=0), totals(), totals()], Verdict.PASSED),
        ([totals()._replace(parts=()), totals(), totals()], Verdict.PASSED),
        ([totals(), totals(failures=1), totals(failures=1)], Verdict.FAILED),
        ([totals(failures=1), totals(), totals()], Verdict.PASSED),
        ([totals(), ServiceFailing("500"), totals()], Verdict.PASSED),
        ([totals(total=number) for number in range(5, 30)], Verdict.UNDETERMINED),
    ],
)
def test_required_tests_are_believed_when_two_readings_agree(readings: list[Any], verdict: Verdict) -> None:
    """The service writes them, or those of a further stage, a moment after the end."""
    world = World(record=[record()], unit_tests=readings, rules=REQUIRED)
    (outcome,) = world.run()
    assert outcome.verdict is verdict
    times = world.service.times("unit_tests")
    assert times[-1] - times[0] >= 5
    assert len(times) <= 10


@each_row(
    ("stages", "started", "asks"),
    [([], EPOCH, 1), ([], None, 0), ([Stage(name="Maven", state="SUCCESS")], EPOCH, 0)],
)
def test_parts_are_asked_for_where_a_build_has_run_and_has_no_stages(
    stages: list[Stage], started: datetime | None, asks: int
) -> None:
    """They may be those of a multi-job build; one that never ran has none."""
    passed = record(record_id="r", started_at=started)
    world = World(record=[passed], stages=[stages], child_builds=[[ChildBuild(name="compile", state="SUCCESS")]])
    (outcome,) = world.run()
    assert [len(outcome.children), len(world.service.times("child_builds"))] == [asks, asks]


@each_row(("number", "verdict"), [(None, Verdict.UNDETERMINED), (57, Verdict.PASSED)])
def test_part_of_a_multi_job_build_is_judged_only_by_its_number(number: int | None, verdict: Verdict) -> None:
    """A short record, which does not say whose part it is, led to it; a full one says it in the end."""
    records = [record("RUNNING"), record("RUNNING"), record("SUCCESS", parent_record_id="another")]
    world = World(pinned(number), builds=[[build()]], record=records)
    assert world.verdict() is verdict


@pytest.mark.parametrize(("no_wait", "verdict"), [(False, Verdict.PASSED), (True, Verdict.STARTED)])
def test_build_that_is_used_again_is_waited_for_unless_nothing_is(no_wait: bool, verdict: Verdict) -> None:
    """It runs when it is found (`--reuse`), and no other is started."""
    commit = "c" * 40

    def answer(*_: object) -> Any:
        return record("RUNNING" if world.elapsed < 30 else "SUCCESS", commit=commit)

    world = World(
        pinned(None),
        record=[answer],
        builds=[[build(57, commit=commit)]],
        running_status=[RunningStatus(is_running=True, build_number=57)],
        order=Order(commit=commit),
        rules=Rules(reuse=True, no_wait=no_wait),
    )
    (outcome,) = world.run()
    assert (outcome.verdict, outcome.build_number, world.service.times("start")) == (verdict, 57, [])
