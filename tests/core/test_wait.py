"""The loop over all targets: deadlines, errors, interruption, several targets."""

from itertools import pairwise
from typing import Any

import pytest

from gate.core.explain import EXPLAINING, SIDE_SECONDS
from gate.core.wait import LOOKING, WIND_UP
from gate.errors import (
    Forbidden,
    GateError,
    InvalidAnswer,
    NotFound,
    Refused,
    RouteMissing,
    ServiceFailing,
    Throttled,
    TooSlow,
    TransientError,
    Unauthorised,
    Unreachable,
    Untrusted,
)
from gate.limits import MAX_CALLS
from gate.model import Target, UnitTests, Verdict
from gate.settings import Rules
from tests.core.fakes import EPOCH, HANG, JOB, OTHER, Late, World, build, ended, pinned, record
from tests.tables import each_row

TRANSIENT = [Unreachable, TooSlow, Throttled, ServiceFailing, InvalidAnswer]
TWO = (Target(job_id=JOB, build_number=57, label="one"), Target(job_id=OTHER, build_number=57, label="two"))


def throttled(retry_after: float) -> TransientError:
    """Return a transient error with the service's wish."""
    error = Throttled("slow down")
    error.retry_after = retry_after
    return error


def of(job: str, word: str) -> Any:
    """Return the record of a job's build 57."""
    return record(word, job=job)


@each_row(
    ("word", "verdict"),
    [
        ("SUCCESS", Verdict.PASSED),
        ("FAILURE", Verdict.FAILED),
        ("SCHEDULE_FAILURE", Verdict.FAILED),
        ("ABORTED", Verdict.ABORTED),
        ("UNKNOWN", Verdict.UNDETERMINED),
    ],
)
def test_ended_build_gives_its_verdict(word: str, verdict: Verdict) -> None:
    """The record's word decides, and is shown."""
    world = World(record=[record("RUNNING"), record(word)])
    (outcome,) = world.run()
    assert (outcome.verdict, outcome.state) == (verdict, word)
    assert outcome.reason
    assert [decision.verdict for decision in world.observer.decisions] == [verdict]


def test_polls_of_a_running_build_are_steady() -> None:
    """Every 10 s, from the first one on."""
    world = World(record=[record("RUNNING")] * 7 + [record("SUCCESS")])
    world.run()
    times = world.service.times("record")
    assert [after - before for before, after in pairwise(times)] == [10] * 7


def test_no_result_in_time_is_timed_out_at_the_deadline() -> None:
    """Not earlier, and hardly later."""
    world = World(record=[record("RUNNING", record_id="r")], rules=Rules(timeout=100))
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.TIMED_OUT
    assert "RUNNING" in outcome.reason
    assert world.elapsed == pytest.approx(100)


@each_row("hung", ["record", "builds", "is_running"])
def test_call_that_hangs_does_not_hold_the_deadline(hung: str) -> None:
    """A call that never comes back is left alone."""
    scripts = {"record": [ended(5)], "builds": [[build()]], "is_running": [True]} | {hung: [HANG]}
    world = World(pinned(None), rules=Rules(timeout=60), **scripts)
    assert world.verdict() is Verdict.TIMED_OUT
    assert world.elapsed == pytest.approx(60)


def test_answer_after_the_deadline_does_not_count() -> None:
    """SUCCESS, but too late."""
    world = World(record=[Late(61, record("SUCCESS"))], rules=Rules(timeout=60))
    assert world.verdict() is Verdict.TIMED_OUT


def test_all_workers_hung_still_end_in_time() -> None:
    """More targets than connections, and nobody answers: what is slow makes room for others, within limits."""
    targets = [Target(job_id=f"{i:032}", build_number=1, label=str(i)) for i in range(20)]
    world = World(*targets, record=[HANG], rules=Rules(timeout=30))
    assert {outcome.verdict for outcome in world.run()} == {Verdict.TIMED_OUT}
    assert world.elapsed == pytest.approx(30 + LOOKING)
    assert 20 < len(world.service.times("record")) <= MAX_CALLS


@each_row("kind", TRANSIENT)
def test_transient_error_is_a_poll_without_an_answer(kind: type[TransientError]) -> None:
    """The next answer counts, and people are told."""
    world = World(record=[record("RUNNING"), kind("trouble"), kind("trouble"), record("SUCCESS")])
    assert world.verdict() is Verdict.PASSED
    assert any("trouble; asking again" in text for text in world.observer.said)
    assert any("answers again" in text for text in world.observer.said)


@each_row("kind", TRANSIENT)
def test_transient_errors_past_the_budget_are_undetermined(kind: type[TransientError]) -> None:
    """The budget is time, and the last error is named with what to do about it."""
    world = World(record=[kind("trouble")], rules=Rules(error_budget=60))
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert "trouble" in outcome.reason
    assert "--error-budget" in outcome.reason
    assert outcome.hint == kind.hint
    assert 60 <= world.elapsed <= (240 if kind is Throttled else 75)  # a throttled gate waits for its turn besides


def test_budget_counts_how_long_failed_calls_took() -> None:
    """Calls that take 9 s to fail use up a minute in five tries, and not in nine as by the pauses alone."""
    world = World(record=[Late(9, ServiceFailing("500"))], rules=Rules(error_budget=60))
    assert world.verdict() is Verdict.UNDETERMINED
    assert world.elapsed == pytest.approx(63)


def test_time_in_which_the_machine_slept_uses_up_no_budget() -> None:
    """Of a call that took an hour, no more counts than three request timeouts, which is what one call may last."""
    world = World(record=[Late(3600, ServiceFailing("500")), record()], rules=Rules(error_budget=60, timeout=7200))
    assert world.verdict() is Verdict.PASSED


def test_budget_begins_anew_after_an_answer() -> None:
    """CheckFailed that heals is not added up."""
    script = ([ServiceFailing("500")] * 6 + [record("RUNNING")]) * 10 + [record("SUCCESS")]
    world = World(record=script, rules=Rules(error_budget=60))
    assert world.verdict() is Verdict.PASSED
    assert world.elapsed > 300


def test_no_budget_gives_up_at_once() -> None:
    """`--error-budget 0` forgives nothing."""
    world = World(record=[Unreachable("gone")], rules=Rules(error_budget=0))
    assert world.verdict() is Verdict.UNDETERMINED
    assert len(world.service.times("record")) == 1


def test_budget_larger_than_the_timeout_ends_as_timed_out() -> None:
    """The reason still names the trouble."""
    world = World(record=[Unreachable("no route to host")], rules=Rules(error_budget=600, timeout=60))
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.TIMED_OUT
    assert "no route to host" in outcome.reason


@each_row(("kind", "calls"), [(Unauthorised, 1), (Forbidden, 1), (Untrusted, 2), (Refused, 2)])
def test_permanent_error_ends_the_wait_at_once(kind: type[Exception], calls: int) -> None:
    """Asking again cannot help, and may lock the account; what is not about the credential has to come twice."""
    world = World(record=[record("RUNNING"), kind("no")])
    (outcome,) = world.run()
    assert (outcome.verdict, outcome.reason) == (Verdict.UNDETERMINED, "no")
    assert len(world.service.times("record")) == 1 + calls


@each_row("kind", [NotFound, RouteMissing, Untrusted, Refused])
@each_row("name", ["record", "is_running", "unit_tests"])
def test_permanent_error_in_place_of_one_answer_may_pass(kind: type[Exception], name: str) -> None:
    """The service has answered about the target before: what it says in between is wrong."""
    rules = Rules(verdict_from="status") if name == "is_running" else Rules(require_tests=name == "unit_tests")
    part = UnitTests(total=2, failures=0, errors=0, successes=2)
    tests = part._replace(parts=(part,))
    script: dict[str, list[Any]] = {
        "record": [record("RUNNING"), kind("no"), record("RUNNING"), kind("no"), record("SUCCESS")],
        "is_running": [None, kind("no"), None, kind("no"), True],
        "unit_tests": [tests, kind("no"), tests],
    }
    world = World(rules=rules, **{"record": [record()], name: script[name]})
    assert world.verdict() is Verdict.PASSED


@each_row("kind", [NotFound, RouteMissing, Untrusted, Refused])
@each_row(("others", "verdict"), [(1, Verdict.PASSED), (0, Verdict.UNDETERMINED)])
def test_permanent_error_in_place_of_the_first_answer_may_pass_if_the_service_has_answered_about_another_target(
    kind: type[Exception], others: int, verdict: Verdict
) -> None:
    """Else it ends the wait at once: the address or the job is wrong."""
    targets = [pinned(None, OTHER, "other"), pinned(None)][1 - others :]
    world = World(
        *targets,
        builds={OTHER: [[build()]], JOB: [Late(1, kind("no")), [build()]]},
        record=[lambda job, number: record("SUCCESS", number, job, finished_at=EPOCH, commit="c" * 40)],
    )
    outcome = world.run()[-1]
    assert outcome.verdict is verdict, outcome.reason


@each_row("error", [NotFound("422"), RouteMissing("404"), Refused("404", status=404)])
def test_record_that_vanishes_may_come_back(error: GateError) -> None:
    """Not found after it was there, build or path, is trouble of the service or of what stands before it."""
    world = World(record=[record("RUNNING"), error, record("SUCCESS")])
    assert world.verdict() is Verdict.PASSED


def test_record_that_vanishes_for_good_is_undetermined() -> None:
    """Within the error budget."""
    world = World(record=[record("RUNNING"), NotFound("422")], rules=Rules(error_budget=30))
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert "vanished" in outcome.reason


def test_retry_after_is_honoured() -> None:
    """The next request comes no earlier than the service asked for."""
    world = World(record=[throttled(45), record("SUCCESS")])
    assert world.verdict() is Verdict.PASSED
    assert world.service.times("record") == [1000, 1045]


def test_retry_after_never_goes_past_the_deadline() -> None:
    """A wish for an hour does not hold the process."""
    world = World(record=[throttled(3600)], rules=Rules(timeout=50))
    assert world.verdict() is Verdict.TIMED_OUT
    assert world.elapsed == pytest.approx(50)


def test_throttling_slows_every_target_down() -> None:
    """The request rate belongs to the process."""
    many = [Target(job_id=f"{i:032}", build_number=57, label=str(i)) for i in range(20)]
    calm = World(*many, record=[lambda job, number: record("RUNNING", number, job)], rules=Rules(timeout=300))
    eased = World(
        *many,
        record=[throttled(1)] * 3 + [lambda job, number: record("RUNNING", number, job)],
        rules=Rules(timeout=300),
    )
    calm.run()
    eased.run()
    assert len(eased.service.asked) < len(calm.service.asked)


def test_requests_never_exceed_the_rate() -> None:
    """Fifty targets at thirty requests a minute."""
    many = [Target(job_id=f"{i:032}", build_number=57, label=str(i)) for i in range(50)]
    world = World(*many, record=[record("RUNNING")], rules=Rules(timeout=600, max_rate=30, poll_interval=1))
    world.run()
    times = [time for time in world.workers.submitted if time < 1600]  # the last poll comes with the deadline
    assert all(sum(first <= other < first + 59.999 for other in times) <= 30 for first in times)
    assert len(times) > 200


def test_every_target_gets_its_turn() -> None:
    """A rate that is too low for all starves none."""
    many = [Target(job_id=f"{i:032}", build_number=57, label=str(i)) for i in range(30)]
    world = World(*many, record=[record("RUNNING")], rules=Rules(timeout=900, max_rate=30, poll_interval=1))
    polls = [outcome.polls for outcome in world.run()]
    assert min(polls) > 5
    assert max(polls) - min(polls) <= 5


@pytest.mark.parametrize("number", [2, 15])
def test_signal_ends_the_wait_at_once(number: int) -> None:
    """Interrupted, with what was known, and no more questions."""
    world = World(record=[record("RUNNING", record_id="r")], rules=Rules(timeout=600))
    world.interrupt(33, number)
    (outcome,) = world.run()
    assert (outcome.verdict, world.signal) == (Verdict.INTERRUPTED, number)
    assert "RUNNING" in outcome.reason
    assert world.elapsed == 33
    assert world.service.times("stages") == []


def test_signal_during_hung_calls_ends_the_wait_at_once() -> None:
    """Nobody waits for the hung."""
    world = World(record=[HANG])
    world.interrupt(5)
    assert world.verdict() is Verdict.INTERRUPTED
    assert world.elapsed == 5


def test_signal_keeps_the_verdicts_that_were_there() -> None:
    """A target that failed before stays failed; the others are interrupted."""
    world = World(*TWO, record={JOB: [of(JOB, "FAILURE")], OTHER: [of(OTHER, "RUNNING")]})
    world.interrupt(5)
    assert [outcome.verdict for outcome in world.run()] == [Verdict.FAILED, Verdict.INTERRUPTED]


def test_signal_after_the_deadline_does_not_undo_the_verdict() -> None:
    """Time had run out already."""
    world = World(record=[record("RUNNING", record_id="r")], stages=[HANG], rules=Rules(timeout=60))
    world.interrupt(61)
    assert world.verdict() is Verdict.TIMED_OUT


def test_several_targets_each_get_their_verdict() -> None:
    """In the order in which they were given."""
    world = World(*TWO, record={JOB: [of(JOB, "RUNNING")] * 5 + [of(JOB, "SUCCESS")], OTHER: [of(OTHER, "ABORTED")]})
    assert [outcome.verdict for outcome in world.run()] == [Verdict.PASSED, Verdict.ABORTED]
    assert [decision.label for decision in world.observer.decisions] == ["two", "one"]


def test_without_fail_fast_the_others_are_waited_for() -> None:
    """A failure ends only its own target."""
    world = World(*TWO, record={JOB: [of(JOB, "FAILURE")], OTHER: [of(OTHER, "RUNNING")] * 9 + [of(OTHER, "SUCCESS")]})
    assert [outcome.verdict for outcome in world.run()] == [Verdict.FAILED, Verdict.PASSED]


@each_row(
    ("word", "verdict"), [("FAILURE", Verdict.FAILED), ("ABORTED", Verdict.ABORTED), ("UNKNOWN", Verdict.UNDETERMINED)]
)
def test_fail_fast_skips_the_others(word: str, verdict: Verdict) -> None:
    """The first that did not pass ends the wait."""
    scripts = {JOB: [of(JOB, "RUNNING")] * 3 + [of(JOB, word)], OTHER: [of(OTHER, "RUNNING")]}
    world = World(*TWO, record=scripts, rules=Rules(fail_fast=True))
    one, two = world.run()
    assert (one.verdict, two.verdict) == (verdict, Verdict.SKIPPED)
    assert "--fail-fast" in two.reason
    assert world.elapsed < 60


def test_fail_fast_goes_on_after_a_pass() -> None:
    """A pass ends nothing."""
    scripts = {JOB: [of(JOB, "SUCCESS")], OTHER: [of(OTHER, "RUNNING")] * 3 + [of(OTHER, "SUCCESS")]}
    world = World(*TWO, record=scripts, rules=Rules(fail_fast=True))
    assert [outcome.verdict for outcome in world.run()] == [Verdict.PASSED, Verdict.PASSED]


@pytest.mark.parametrize("record_id", [None, "r"])
def test_fail_fast_at_the_deadline_tells_each_target_once(record_id: str | None) -> None:
    """All ran out of time together: none is skipped, none is told twice."""
    world = World(
        *TWO,
        record=[lambda job, number: record("RUNNING", number, job, record_id=record_id)],
        rules=Rules(fail_fast=True, timeout=60),
    )
    assert [outcome.verdict for outcome in world.run()] == [Verdict.TIMED_OUT, Verdict.TIMED_OUT]
    assert len(world.observer.decisions) == 2


@each_row("channel", ["stages", "log_tail"])
@each_row(
    "trouble", [HANG, Late(100, []), Unreachable("gone"), Forbidden("no"), NotFound("422"), ServiceFailing("500")]
)
def test_side_channel_never_changes_a_verdict(channel: str, trouble: Any) -> None:
    """Stages and log are given a few seconds, and one more try for what may pass; their failure is one line."""
    world = World(record=[record("FAILURE", record_id="r")], **{channel: [trouble]})
    assert world.verdict() is Verdict.FAILED
    hangs = isinstance(trouble, Late)
    assert world.elapsed <= EXPLAINING + (20 if channel == "log_tail" else SIDE_SECONDS)
    before = 1 if hangs and channel == "stages" else 0  # it had no answer when the line of the verdict was due
    assert len(world.service.times(channel)) == before + (2 if isinstance(trouble, TransientError) else 1)
    assert sum("does not change the verdict" in text for text in world.observer.said) == 1


def test_log_waits_for_its_turn_while_other_builds_run() -> None:
    """Polls may take the whole rate for as long as any build runs; the seconds for a log begin when they leave some."""
    failed = record("FAILURE", record_id="r")
    others = [record("RUNNING", job=OTHER, record_id="s")] * 20 + [record("SUCCESS", job=OTHER, record_id="s")]
    world = World(*TWO, record={JOB: [failed], OTHER: others}, log_tail=[["the end"]], rules=Rules(max_rate=6))
    assert [list(one.log_tail) for one in world.run()] == [["the end"], []]
    assert world.service.times("log_tail")[0] > 200


@each_row(("word", "reads"), [("QUEUED", 0), ("RUNNING", 1)])
def test_queued_build_has_no_log_yet(word: str, reads: int) -> None:
    """Its errors would say nothing."""
    world = World(record=[record(word, record_id="r")], rules=Rules(timeout=30))
    assert world.verdict() is Verdict.TIMED_OUT
    assert len(world.service.times("log_tail")) == reads


def test_passed_build_fetches_no_log() -> None:
    """The log is for builds that did not pass."""
    world = World(record=[record("SUCCESS", record_id="r")])
    assert world.verdict() is Verdict.PASSED
    assert world.service.times("log_tail") == []


def test_no_log_is_fetched_when_none_is_wanted() -> None:
    """`--log-tail 0`."""
    world = World(record=[record("FAILURE", record_id="r")], rules=Rules(log_tail=0))
    world.run()
    assert world.service.times("log_tail") == []


@pytest.mark.parametrize("channel", ["stages", "log_tail"])
def test_side_channels_end_soon_after_the_deadline(channel: str) -> None:
    """What hangs after the deadline is given two seconds altogether, also when it was hanging before."""
    for word in ("RUNNING", "FAILURE"):
        script = [record("RUNNING", record_id="r")] * 11 + [record(word, record_id="r")]
        world = World(record=script, rules=Rules(timeout=90), **{channel: [HANG]})
        world.run()
        assert world.elapsed <= 90 + WIND_UP


def test_verdict_before_the_deadline_outlives_it() -> None:
    """The build had passed; only its stages were still being read."""
    world = World(
        record=[record("RUNNING")] * 4 + [record("SUCCESS", record_id="r")], stages=[HANG], rules=Rules(timeout=46)
    )
    assert world.verdict() is Verdict.PASSED
    assert world.elapsed <= 46 + WIND_UP


def test_loop_does_not_spin_on_what_was_left_behind() -> None:
    """A side channel that hangs across the deadline is not waited for again and again while another one is."""
    running = record("RUNNING", job=OTHER, record_id="r")
    failed = [of(JOB, "RUNNING")] * 4 + [record("FAILURE", record_id="r")]
    world = World(*TWO, record={JOB: failed, OTHER: [running]}, stages=[HANG], log_tail=[HANG], rules=Rules(timeout=48))
    assert [outcome.verdict for outcome in world.run()] == [Verdict.FAILED, Verdict.TIMED_OUT]
    assert world.workers.turns < 100


@each_row("method", ["record", "builds", "stages", "is_running"])
def test_bug_in_the_gate_is_undetermined_and_keeps_its_text_to_itself(method: str) -> None:
    """No bug is a pass, and no text of an unknown error is shown: it may quote anything."""
    scripts = {"record": [ended(5, record_id="r")], "builds": [[build()]]} | {method: [RuntimeError("s3cr3t")]}
    world = World(pinned(None), **scripts)
    (outcome,) = world.run()
    assert outcome.verdict is (Verdict.PASSED if method == "stages" else Verdict.UNDETERMINED)
    assert "s3cr3t" not in outcome.reason
    if method != "stages":
        assert "a bug in the gate" in outcome.reason


def test_bug_in_one_target_leaves_the_others_alone() -> None:
    """They get their own verdict."""
    world = World(*TWO, record={JOB: [ZeroDivisionError()], OTHER: [of(OTHER, "RUNNING"), of(OTHER, "SUCCESS")]})
    assert [outcome.verdict for outcome in world.run()] == [Verdict.UNDETERMINED, Verdict.PASSED]


def test_bug_in_the_loop_is_undetermined() -> None:
    """An observer that breaks does not let a build pass."""

    def broken() -> float:
        raise KeyError("s3cr3t")

    world = World(record=[record("SUCCESS")])
    world.observer.due = broken  # type: ignore[method-assign]
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert "s3cr3t" not in outcome.reason


def test_silence_is_broken_by_ticks() -> None:
    """The observer is told how things stand when it wants to be."""
    world = World(record=[record("RUNNING")], rules=Rules(timeout=200))
    world.observer.next_tick = 1060.0
    world.run()
    assert world.observer.ticks == [1060, 1120, 1180]
