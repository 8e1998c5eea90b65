"""How the gate ends: the last looks, builds that are stopped, orders that are under way, several builds of one run."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from gate.core.wait import LOOKING, STOPPING, WIND_UP
from gate.errors import (
    Forbidden,
    NotFound,
    Refused,
    RouteMissing,
    ServiceError,
    ServiceFailing,
    StartLost,
    Throttled,
    TooSlow,
    Unreachable,
    Untrusted,
)
from gate.model import Order, Record, Stage, Started, Target, TargetOutcome, Verdict
from gate.settings import Rules
from tests.core.fakes import EPOCH, HANG, Late, World, build, pinned, record
from tests.tables import each_row

ORDER = Order()


def jobs(count: int, number: int | None = 57) -> Sequence[Target]:
    """Return targets on so many jobs."""
    return [Target(job_id=f"{index:032}", build_number=number, label=str(index)) for index in range(count)]


def ordered(*targets: Target, rules: Rules | None = None, **scripts: Any) -> World:
    """Return a world in which the gate starts the builds 58 of jobs that had build 57."""
    usual: dict[str, Any] = {
        "order": ORDER,
        "builds": [[build()]],
        "start": [58],
        "stop": [True],
        "record": [lambda job, number: record("RUNNING", number, job)],
    }
    return World(*(targets or [pinned(None)]), rules=rules or Rules(timeout=60), **(usual | scripts))


def asked(world: World, *names: str) -> list[tuple[str, float]]:
    """Return what was asked, of these methods, with the seconds since the start."""
    return [(name, at - 1000) for name, at in world.service.asked if name in names]


@each_row("count", [7, 8, 20])
def test_service_that_is_silent_before_the_deadline_hides_no_result(count: int) -> None:
    """All requests of the last five seconds hang; at the deadline the service answers again."""

    def answer(job: str, number: int) -> Any:
        if world.elapsed < 55:
            return record("RUNNING", number, job)
        return record("SUCCESS", number, job) if world.elapsed >= 60 else HANG

    world = World(*jobs(count), record=[answer], rules=Rules(timeout=60, max_rate=6000))
    assert {outcome.verdict for outcome in world.run()} == {Verdict.PASSED}
    assert world.elapsed <= 60 + LOOKING


def passes(world: World) -> list[float]:
    """Run, and return the instants at which targets passed, as seconds since the start."""
    times: list[float] = []
    decided = world.observer.decided

    def note(outcome: TargetOutcome) -> None:
        decided(outcome)
        times.extend([world.elapsed] * (outcome.verdict is Verdict.PASSED))

    world.observer.decided = note  # type: ignore[method-assign]
    world.run()
    return times


@each_row("trouble", [Late(10, TooSlow("no answer")), Late(1, TooSlow("no answer")), Late(8, record("RUNNING"))])
def test_targets_that_hang_hold_up_nobody_else(trouble: Late) -> None:
    """The records of 100 of 200 targets come late or never; the others pass as soon as they have ended."""

    def answer(job: str, number: int) -> Any:
        if int(job) % 2:
            return trouble
        return record("SUCCESS" if world.elapsed > 30 else "RUNNING", number, job)

    world = World(*jobs(200), record=[answer], rules=Rules(timeout=50, max_rate=6000, error_budget=10_000))
    times = passes(world)
    assert (len(times), max(times) < 45) == (100, True)
    assert [outcome.verdict for outcome in world.observer.decisions].count(Verdict.TIMED_OUT) == 100


@each_row("number", [57, None])
@each_row("error", [ServiceFailing("HTTP 500"), Unreachable("no answer")])
def test_targets_that_keep_failing_hold_up_nobody_else(number: int | None, error: Exception) -> None:
    """They are asked no more often than the others, whose builds are polled every 40 s at this rate."""

    def answer(job: str, number: int) -> Any:
        if int(job) % 2:
            raise error
        return record("SUCCESS" if world.elapsed > 300 else "RUNNING", number, job)

    rules = Rules(timeout=1000, error_budget=10_000)
    times = passes(world := World(*jobs(40, number), record=[answer], builds=[[build()]], rules=rules))
    assert (len(times), max(times) < 350) == (20, True)


def test_request_rate_holds_at_the_deadline() -> None:
    """With 200 targets, too; what is left of the last minute is used for those that are looked at."""
    world = World(*jobs(200), record=[lambda job, number: record("RUNNING", number, job)], rules=Rules(timeout=150))
    world.run()
    times = world.workers.submitted
    assert max(sum(first <= other < first + 60 for other in times) for first in times) <= 60
    assert sum(at >= 1150 for at in times) >= 5


def test_builds_that_end_in_the_last_seconds_are_seen_before_the_deadline() -> None:
    """Requests are kept for the last look, but no more than it needs."""

    def answer(job: str, number: int) -> Record:
        return record("SUCCESS" if world.elapsed > 52 else "RUNNING", number, job)

    world = World(*jobs(2), record=[answer], rules=Rules(timeout=60, poll_interval=2))
    assert passes(world) == [54, 54]


def test_late_answer_changes_nothing() -> None:
    """The record that says SUCCESS was asked for before the deadline and comes after it: it is not looked at again."""
    world = World(record=[Late(70, record("SUCCESS"))], rules=Rules(timeout=60))
    (outcome,) = world.run()
    assert (outcome.verdict, outcome.polls, outcome.state) == (Verdict.TIMED_OUT, 0, None)


def test_last_look_is_judged_though_an_answer_is_under_way() -> None:
    """The poll before the deadline hangs, the look at the deadline answers."""
    world = World(record=[record("RUNNING")] * 6 + [HANG, record("SUCCESS")], rules=Rules(timeout=62))
    assert world.verdict() is Verdict.PASSED


def test_second_signal_does_not_end_the_stop() -> None:
    """It is tried until it is done."""
    world = ordered(stop=[ServiceFailing("503")] * 4 + [True])
    world.interrupt(20)
    world.interrupt(20.1)
    world.interrupt(20.2, 15)
    (outcome,) = world.run()
    assert (outcome.verdict, world.signal) == (Verdict.INTERRUPTED, 2)
    assert len(asked(world, "stop")) == 5
    assert "stop requested for build 58" in outcome.reason


def test_stop_that_hangs_is_tried_again_within_its_seconds() -> None:
    """Over another connection, as the first one may be dead."""
    world = ordered(stop=[HANG, True])
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.TIMED_OUT
    assert "stop requested for build 58" in outcome.reason
    assert len(asked(world, "stop")) == 2
    assert world.elapsed <= 60 + STOPPING


@each_row(("error", "stops"), [(Refused, 2), (NotFound, 2), (RouteMissing, 2), (Untrusted, 2), (Forbidden, 1)])
def test_stop_that_is_refused_once_is_tried_once_more(error: type[ServiceError], stops: int) -> None:
    """A permanent error has to come twice; one about the credential is counted elsewhere."""
    (outcome,) = ordered(stop=[error("no"), True]).run()
    assert ("stop requested for build 58" in outcome.reason) is (stops == 2), outcome.reason
    world = ordered(stop=[error("no")])
    (outcome,) = world.run()
    assert (outcome.verdict, len(asked(world, "stop"))) == (Verdict.TIMED_OUT, stops)
    assert "build 58 could not be stopped and may go on: no" in outcome.reason


@each_row(("word", "verdict", "stops"), [("SUCCESS", Verdict.PASSED, 0), ("RUNNING", Verdict.TIMED_OUT, 1)])
def test_process_that_stood_still_beyond_its_last_seconds_has_them_anew(
    word: str, verdict: Verdict, stops: int
) -> None:
    """A paused container: what has ended meanwhile is judged, and what this run has started is stopped."""

    def answer(job: str, number: int) -> Record:
        return record("RUNNING" if world.elapsed < 60 else word, number, job)

    def sleep(until: float) -> Any:
        if until >= 1055 > world.workers.clock:
            world.workers.clock = 1300.0
            return None
        return genuine(until)

    world = ordered(record=[answer])
    genuine = world.workers.next
    world.workers.next = sleep  # type: ignore[method-assign]
    (outcome,) = world.run()
    assert (outcome.verdict, len(asked(world, "stop"))) == (verdict, stops)
    assert 300 <= world.elapsed <= 300 + WIND_UP


def test_build_that_a_lost_stop_has_ended_is_no_result() -> None:
    """The answer to the first request got lost, and the second one is told that the build has ended."""
    words = ["RUNNING"]

    def stop(*_: object) -> bool:
        if words[-1] == "RUNNING":
            words.append("ABORTED")
            raise Unreachable("reset")
        return False

    world = ordered(stop=[stop], record=[lambda job, number: record(words[-1], number, job)])
    (outcome,) = world.run()
    assert (outcome.verdict, "stop requested for build 58" in outcome.reason) == (Verdict.TIMED_OUT, True)


def test_stop_without_an_answer_is_not_known_and_looked_at_once() -> None:
    """After the deadline a look tells; the build that has ended as aborted then is this gate's doing, and no result."""

    def stop(*_: object) -> Late:
        words.append("ABORTED")
        return HANG

    words = ["RUNNING"]
    world = ordered(stop=[stop], record=[lambda job, number: record(words[-1], number, job)])
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.TIMED_OUT
    assert "may go on" not in outcome.reason


def test_nothing_is_looked_at_or_started_after_a_signal() -> None:
    """Only the stop is asked for."""
    world = ordered()
    world.interrupt(20)
    world.run()
    assert {name for name, at in world.service.asked if at > 1020.0} <= {"stop"}
    assert asked(world, "stop") == [("stop", 20)]


def test_signal_while_an_order_is_under_way_stops_its_build() -> None:
    """The number of the build is still to come."""
    world = ordered(start=[Late(2, Started(58, EPOCH))])
    world.interrupt(1)
    (outcome,) = world.run()
    assert (outcome.verdict, outcome.build_number) == (Verdict.INTERRUPTED, 58)
    assert asked(world, "stop") == [("stop", 2)]


def test_order_without_an_answer_is_said_to_be_unknown() -> None:
    """Until the end of all seconds."""
    world = ordered(start=[HANG])
    world.interrupt(1)
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.INTERRUPTED
    assert "may have been started" in outcome.reason
    assert world.elapsed <= 1 + WIND_UP


def test_signal_before_the_order_starts_nothing() -> None:
    """The job's newest build is still being looked for."""
    world = ordered(builds=[Late(3, [build()])])
    world.interrupt(1)
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.INTERRUPTED
    assert asked(world, "start", "stop") == []


def test_lost_answer_to_an_order_starts_no_second_build() -> None:
    """It may have been accepted."""
    world = ordered(start=[StartLost("the answer got lost")])
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert len(asked(world, "start")) == 1


@pytest.mark.parametrize("error", [Throttled("429"), Unreachable("no route")], ids=["throttled", "not sent"])
def test_order_that_was_not_admitted_is_sent_again(error: Any) -> None:
    """The service refused to take it, or nothing of it has left this machine."""
    error.sent = False
    world = ordered(start=[error, error, 58], record=[lambda job, number: record("SUCCESS", number, job)])
    assert world.verdict() is Verdict.PASSED
    assert len(asked(world, "start")) == 3


@each_row("kind", [Refused, RouteMissing, Untrusted])
def test_permanent_error_in_place_of_the_first_record_of_an_order_may_pass(kind: type[ServiceError]) -> None:
    """The order was answered, so that the job is a right one; the build is neither given up nor stopped."""
    world = ordered(start=[58], record=[kind("no"), record("RUNNING", 58), record("SUCCESS", 58)])
    (outcome,) = world.run()
    assert (outcome.verdict, world.service.times("stop")) == (Verdict.PASSED, [])


def test_order_that_is_throttled_for_ever_is_undetermined() -> None:
    """Within the error budget."""
    world = ordered(start=[Throttled("429")], rules=Rules(timeout=600, error_budget=30))
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert "--error-budget" in outcome.reason


def test_build_that_was_there_before_the_order_is_not_adopted() -> None:
    """Its number is no higher than the newest one before."""
    world = ordered(start=[57])
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert "had build 57 before" in outcome.reason
    assert asked(world, "stop") == []


def test_all_are_ordered_before_any_is_judged() -> None:
    """The first one fails at once; the others are ordered all the same, and each is judged."""
    world = ordered(*jobs(5, None), record=[lambda job, number: record("FAILURE", number, job)])
    assert [outcome.verdict for outcome in world.run()] == [Verdict.FAILED] * 5
    assert len(asked(world, "start")) == 5


def test_target_that_cannot_be_ordered_leaves_the_others_alone() -> None:
    """It is undetermined; the others are started and judged."""

    def start(job: str) -> Any:
        if job.endswith("1"):
            raise Refused("disabled")
        return 58

    world = ordered(*jobs(3, None), start=[start], record=[lambda job, number: record("SUCCESS", number, job)])
    verdicts = [outcome.verdict for outcome in world.run()]
    assert verdicts == [Verdict.PASSED, Verdict.UNDETERMINED, Verdict.PASSED]


def test_fail_fast_stops_the_builds_of_this_run() -> None:
    """All that it started and that still run, and no other."""

    def answer(job: str, number: int) -> Record:
        return record("FAILURE" if job.endswith("0") else "RUNNING", number, job)

    world = ordered(*jobs(3, None), record=[answer], rules=Rules(timeout=60, fail_fast=True))
    first, *others = world.run()
    assert first.verdict is Verdict.FAILED
    assert [other.verdict for other in others] == [Verdict.SKIPPED] * 2
    assert all("stop requested" in other.reason for other in others)
    assert len(asked(world, "stop")) == 2


RETRIES = [
    (Refused("over quota"), None, Verdict.FAILED, "over quota"),
    (Throttled("busy"), None, Verdict.FAILED, "(--timeout)"),
    (Late(9, Throttled("busy")), 5, Verdict.INTERRUPTED, "interrupted"),
]


@each_row(("error", "signal_at", "verdict", "told"), RETRIES)
def test_retry_that_is_not_accepted_leaves_the_first_build_as_the_one_that_is_judged(
    error: Exception, signal_at: float | None, verdict: Verdict, told: str
) -> None:
    """It said no, with its number and its word; why there is no second one is told beside it."""
    world = ordered(
        start=[58, error],
        record=[lambda job, number: record("SCHEDULE_FAILURE", number, job, record_id="r")],
        stages=[[Stage("Maven", "SCHEDULE_FAILURE")]],
        log_tail=[["no executor"]],
        rules=Rules(timeout=60, retries=1, poll_interval=1),
    )
    if signal_at is not None:
        world.interrupt(signal_at)
    (outcome,) = world.run()
    assert outcome.verdict is verdict
    assert told in outcome.reason
    if verdict is Verdict.FAILED:
        assert (outcome.build_number, outcome.state, outcome.attempts) == (58, "SCHEDULE_FAILURE", ())
        assert [stage.name for stage in outcome.stages] == ["Maven"]
    if told == "over quota":  # else the seconds for the log are over
        assert list(outcome.log_tail) == ["no executor"]


@pytest.mark.parametrize(("seconds", "signal_at"), [(60, 1), (1, None)])
def test_retry_that_is_accepted_while_the_gate_ends_is_stopped(seconds: float, signal_at: float | None) -> None:
    """As a first order is."""
    world = ordered(
        start=[58, Late(2, Started(59, EPOCH))],
        record=[lambda job, number: record("SCHEDULE_FAILURE" if number == 58 else "RUNNING", number, job)],
        rules=Rules(timeout=seconds, retries=1),
    )
    if signal_at is not None:
        world.interrupt(signal_at)
    (outcome,) = world.run()
    assert outcome.build_number == 59
    assert "stop requested for build 59" in outcome.reason
    assert len(asked(world, "stop")) == 1


def test_retry_under_reuse_adopts_and_stops_no_build_of_others() -> None:
    """Somebody has started build 59 of the same commit by then."""
    foreign = build(59, commit="c" * 40, run_word="Running")

    def answer(job: str, number: int) -> Record:
        return record("SCHEDULE_FAILURE" if number == 58 else "RUNNING", number, job, commit="c" * 40)

    world = ordered(
        builds=[[build(commit="b" * 40)], [build(commit="b" * 40)], [foreign]],
        start=[58, 60],
        record=[answer],
        order=Order(commit="c" * 40),
        rules=Rules(timeout=60, retries=1, reuse=True),
    )
    (outcome,) = world.run()
    assert (outcome.verdict, outcome.build_number) == (Verdict.TIMED_OUT, 60)
    assert len(asked(world, "start")) == 2


@pytest.mark.parametrize("rules", [Rules(timeout=60, queue_timeout=20), Rules(timeout=60, fail_fast=True)])
def test_build_that_turns_out_to_have_ended_when_it_is_to_be_stopped_is_judged(rules: Rules) -> None:
    """Whatever it was to be stopped for."""

    def answer(job: str, number: int) -> Record:
        if asked(world, "stop"):
            return record("SUCCESS", number, job)
        return record("FAILURE" if job.endswith("0") and rules.fail_fast else "QUEUED", number, job)

    world = ordered(*jobs(2, None), record=[answer], stop=[False], rules=rules)
    assert [outcome.verdict for outcome in world.run()] == [
        Verdict.FAILED if rules.fail_fast else Verdict.PASSED,
        Verdict.PASSED,
    ]


def test_requests_beside_the_first_one_of_a_call_count_for_the_rate() -> None:
    """Such as those for a path that this host publishes, or with a newer token."""
    answer = [lambda job, number: record("RUNNING", number, job)]
    world = World(*jobs(50), record=answer, rules=Rules(timeout=300), further_requests=2)
    world.run()
    in_first_minute = sum(at < 1060 for at in world.workers.submitted)
    assert 35 <= in_first_minute <= 60 - 2 * 10


@each_row("minutes", [-9, 0, 9])
def test_time_in_the_queue_of_an_ordered_build_does_not_depend_on_the_clock_of_records(minutes: float) -> None:
    """It is queued since its order, whatever its record says."""
    queued_at = EPOCH + timedelta(minutes=minutes)
    world = ordered(
        record=[lambda job, number: record("QUEUED", number, job, queued_at=queued_at)],
        rules=Rules(timeout=600, queue_timeout=45),
    )
    (outcome,) = world.run()
    assert (outcome.verdict, round(world.elapsed)) == (Verdict.TIMED_OUT, 45)
    assert "--queue-timeout" in outcome.reason


@pytest.mark.parametrize("timeout", [60, 600])
def test_build_that_was_never_there_is_not_said_to_go_on(timeout: float) -> None:
    """Under `wait --stop`, at the timeout and when it has not appeared in time."""
    world = World(
        pinned(58), builds=[[build()]], stop=[NotFound("no such build")], rules=Rules(timeout=timeout, stop=True)
    )
    (outcome,) = world.run()
    assert "stopped" not in outcome.reason
    assert "go on" not in f"{outcome.reason} {outcome.hint} {world.wait.final_words}"


@pytest.mark.parametrize(("given", "stops"), [(True, 1), (False, 0)])
def test_only_wait_with_stop_stops_a_build_that_it_did_not_start(given: bool, stops: int) -> None:
    """At the timeout."""
    world = World(record=[record("RUNNING")], stop=[True], rules=Rules(timeout=60, stop=given))
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.TIMED_OUT
    assert len(asked(world, "stop")) == stops


def test_disputed_build_is_never_stopped() -> None:
    """Its record is of another commit than the one that was asked for."""
    world = World(
        record=[record("RUNNING", commit="b" * 40)], stop=[True], rules=Rules(timeout=60, stop=True, commit="a" * 40)
    )
    assert world.verdict() is Verdict.UNDETERMINED
    assert asked(world, "stop") == []


def test_build_that_is_queued_for_too_long_is_timed_out_and_stopped() -> None:
    """At the limit, and not before; a queue is not a slow build."""
    world = ordered(
        record=[lambda job, number: record("QUEUED", number, job, queued_at=EPOCH)],
        rules=Rules(timeout=600, queue_timeout=45),
    )
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.TIMED_OUT
    assert "--queue-timeout" in outcome.reason
    assert "stop requested" in outcome.reason
    assert world.elapsed == pytest.approx(45, abs=1)


def test_build_that_leaves_the_queue_in_time_is_judged() -> None:
    """However long it runs then."""

    def answer(job: str, number: int) -> Record:
        word = "QUEUED" if world.elapsed < 40 else "RUNNING" if world.elapsed < 300 else "SUCCESS"
        return record(word, number, job, queued_at=EPOCH)

    world = World(record=[answer], rules=Rules(timeout=600, queue_timeout=45))
    assert world.verdict() is Verdict.PASSED


def test_record_of_an_own_build_may_be_late() -> None:
    """By as long as `--appear-timeout` says."""

    def answer(job: str, number: int) -> Record:
        if world.elapsed < 200:
            raise NotFound("no such build")
        return record("SUCCESS", number, job)

    world = ordered(record=[answer], rules=Rules(timeout=600))
    assert world.verdict() is Verdict.PASSED


def test_stop_waits_for_no_turn() -> None:
    """The gate's own request rate must not leave a build behind."""
    world = World(record=[record("RUNNING")], stop=[True], rules=Rules(max_rate=1, stop=True))
    world.interrupt(5)
    world.run()
    assert asked(world, "stop") == [("stop", 5)]


def test_stops_wait_for_no_thread() -> None:
    """Although more calls hang than there may be."""
    world = World(*jobs(60), record=[HANG], stop=[Late(1, True)], rules=Rules(timeout=100, stop=True))
    world.interrupt(40)
    world.run()
    assert asked(world, "stop") == [("stop", 40)] * 60


def test_ten_builds_that_end_just_before_the_deadline_are_all_judged() -> None:
    """Requests are kept for them: the first looks have used up a burst, and lists want to be read."""

    def answer(job: str, number: int) -> Record:
        return record("SUCCESS" if world.elapsed >= 7.9 else "RUNNING", number, job, project_id="p")

    world = World(*jobs(10), record=[answer], rules=Rules(timeout=8))
    assert {outcome.verdict for outcome in world.run()} == {Verdict.PASSED}


def test_started_build_is_stopped_while_the_order_of_another_target_is_under_way() -> None:
    """Whose answer may take longer than there is time for a stop."""
    one, other = jobs(2, None)
    world = ordered(one, other, start={one.job_id: [58], other.job_id: [Late(2.5, Started(58, EPOCH))]}, stop=[True])
    world.interrupt(1)
    assert [outcome.verdict for outcome in world.run()] == [Verdict.INTERRUPTED] * 2
    first, second = world.service.times("stop")
    assert (first < 1001.5, second >= 1002.5) == (True, True)


@pytest.mark.parametrize("end", ["timeout", "signal"])
def test_verdict_that_is_being_explained_stands(end: str) -> None:
    """The stages hang when the time is over, or a signal comes."""
    script = [record("RUNNING", record_id="r")] * 6 + [record("FAILURE", record_id="r")]
    world = World(record=script, stages=[HANG], rules=Rules(timeout=61 if end == "timeout" else 600))
    if end == "signal":
        world.interrupt(61)
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.FAILED
    assert "bug" not in outcome.reason
    assert [decision.verdict for decision in world.observer.decisions] == [Verdict.FAILED]


def test_signal_after_the_verdict_ends_what_is_read_for_the_report() -> None:
    """Whoever sends it usually sends a stronger one soon, and the reports are still to be written."""
    world = World(record=[record("FAILURE", record_id="r")], log_tail=[HANG], rules=Rules(timeout=600))
    world.interrupt(3)
    (outcome,) = world.run()
    assert (outcome.verdict, world.signal, world.elapsed) == (Verdict.FAILED, None, 3)


def test_deadline_and_signal_while_a_build_is_looked_at_are_no_bug() -> None:
    """The gate gives up on a build that had ended when it was to be stopped, and its record hangs."""

    def answer(job: str, number: int) -> Any:
        return record("RUNNING", number, job) if world.elapsed < 5 else ServiceFailing("500") if asked_stop() else HANG

    def asked_stop() -> bool:
        return not asked(world, "stop")

    world = ordered(stop=[False], record=[answer], rules=Rules(timeout=30, error_budget=5))
    world.interrupt(31)
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert "bug" not in outcome.reason


def test_order_whose_refusal_comes_after_the_signal_is_not_sent_again() -> None:
    """It was under way when the signal came, and the service did not admit it."""
    throttled = Throttled("429")
    world = ordered(start=[Late(2, throttled), 58])
    world.interrupt(1)
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.INTERRUPTED
    assert "no build was started" in outcome.reason
    assert len(asked(world, "start")) == 1


def test_stop_that_hangs_to_the_end_is_said_to_be_not_known() -> None:
    """It ends before the loop does, so that there is time to say so."""
    (outcome,) = ordered(stop=[HANG]).run()
    assert outcome.verdict is Verdict.TIMED_OUT
    assert "whether build 58 was stopped is not known" in outcome.reason


def test_refusal_of_the_last_look_is_not_asked_for_again() -> None:
    """A permanent error does not pass within a second."""

    def answer(*_: object) -> Any:
        return record("RUNNING") if world.elapsed < 60 else Forbidden("403")

    world = World(record=[answer], rules=Rules(timeout=60))
    assert world.verdict() is Verdict.TIMED_OUT
    assert len([at for _, at in asked(world, "record") if at >= 60]) == 1
