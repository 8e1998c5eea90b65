"""Whatever the service answers, the wait ends in exactly one verdict, and passes only on the pinned build's SUCCESS."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gate import errors
from gate.core.wait import WIND_UP
from gate.model import Record, Target, UnitTests, Verdict
from gate.settings import Rules
from tests.core.fakes import EPOCH, HANG, JOB, OTHER, Late, World, build, ended, pinned, record

words = (
    st.none()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "SUCCESS",
            "SUCCESS",
            "success",
            "FAILURE",
            "ABORTED",
            "RUNNING",
            "Running",
            "Finished",
            "QUEUED",
            "UNKNOWN",
            "",
        ]
    )
)
run_words = st.sampled_from([None, None, "", "Running", "InQueue", "Finished", "FINISHED", "SUCCESS"])
ends = st.sampled_from([None, EPOCH])


@st.composite
def failures(draw: st.DrawFn) -> Exception:
    """Return an error of any class, with a wish to be left alone for a while."""
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.ServiceError)
    ]
    error: Exception = draw(st.sampled_from([*classes, ValueError, KeyError, RecursionError]))("trouble")
    if isinstance(error, errors.TransientError):
        error.retry_after = draw(st.none() | st.floats(0, 1e9))
    return error


def slow(item: Any) -> st.SearchStrategy[Late]:
    """Let an answer take its time."""
    return st.builds(Late, st.floats(0, 50), st.just(item))


records = st.builds(record, words, run_word=run_words, finished_at=ends, record_id=st.sampled_from([None, "r"]))
answers = st.one_of(records, failures(), records.flatmap(slow), failures().flatmap(slow), st.just(HANG))


class Last:
    """Keeps the last record that the gate was given."""

    def __init__(self, items: list[Any]) -> None:
        self.given: list[Record] = []
        self.items = [self._noting(item) for item in items]

    def _noting(self, item: Any) -> Any:
        """Note the record when it is asked for; one that comes late is noted all the same."""

        def give(*_: object) -> Any:
            content = item.item if isinstance(item, Late) else item
            if isinstance(content, Record):
                self.given.append(content)
            return item

        return give

    def passes(self) -> bool:
        """Tell whether the last record is one that a build may pass on."""
        return bool(self.given) and self.given[-1].word == "SUCCESS" and self.given[-1].run_word in (None, "Finished")


@given(st.lists(answers, min_size=1, max_size=12), st.none() | st.floats(0, 90))
def test_any_answers_about_a_pinned_build_end_in_one_verdict(script: list[Any], interrupted: float | None) -> None:
    """One verdict, in time, told once; passed only if the last record said exactly SUCCESS."""
    last = Last(script)
    world = World(record=last.items, rules=Rules(timeout=120, error_budget=30))
    if interrupted is not None:
        world.interrupt(interrupted)
    (outcome,) = world.run()
    assert world.elapsed <= 120 + WIND_UP
    assert [decision.verdict for decision in world.observer.decisions] == [outcome.verdict]
    assert outcome.reason
    if outcome.verdict is Verdict.PASSED:
        assert last.passes()
        assert outcome.build_number == 57


def rows_of(item: Any) -> Any:
    """Return the rows of a list of builds that comes at once or late; none of an error."""
    rows = item.item if isinstance(item, Late) else item
    return rows if isinstance(rows, list) else ()


lists = st.lists(st.integers(54, 58).map(build), max_size=4)
ages = st.sampled_from([0.0, 100.0, 899.0, 901.0, 1e4])


@st.composite
def any_record(draw: st.DrawFn) -> Any:
    """Return the record of whichever build is asked for."""
    word, run_word, age = draw(words), draw(run_words), draw(st.none() | ages)
    return lambda _job, number: (
        record(word, number, run_word=run_word) if age is None else ended(age, word, number, run_word=run_word)  # type: ignore[arg-type]
    )


@given(
    st.lists(st.one_of(lists, failures(), lists.flatmap(slow), st.just(HANG)), min_size=1, max_size=5),
    st.lists(any_record() | failures() | st.just(HANG), min_size=1, max_size=6),
    st.lists(st.none() | st.booleans() | failures(), min_size=1, max_size=4),
)
def test_any_answers_about_the_newest_build_end_in_one_verdict(
    listed: list[Any], recorded: list[Any], running: list[Any]
) -> None:
    """Passed only if a build was pinned and the last record asked for was its, with SUCCESS, and not stale."""
    seen: list[Record] = []

    def noting(item: Any) -> Any:
        def give(job: str, number: int) -> Any:
            answer = item(job, number) if callable(item) else item
            if isinstance(answer, Record):
                seen.append(answer)
            return answer

        return give

    world = World(
        pinned(None),
        builds=listed,
        record=[noting(item) for item in recorded],
        is_running=running,
        rules=Rules(timeout=120, error_budget=30, appear_timeout=60),
    )
    (outcome,) = world.run()
    assert world.elapsed <= 120 + WIND_UP
    assert len(world.observer.decisions) == 1
    if outcome.verdict is Verdict.PASSED:
        assert (seen[-1].build_number, seen[-1].word) == (outcome.build_number, "SUCCESS")
        listed_numbers = {row.number for row in itertools.chain.from_iterable(map(rows_of, listed))}
        assert outcome.build_number in listed_numbers


sides: st.SearchStrategy[Any] = st.one_of(
    failures(), st.just(HANG), st.just([]), failures().flatmap(slow), st.just(Late(3, []))
)


counts = st.integers(0, 2)
parts = st.builds(
    UnitTests,
    st.integers(0, 3),
    counts,
    counts,
    successes=st.none() | counts,
    is_success=st.sampled_from([None, True, False]),
    parts=st.just(()),
    name=st.just(""),
)
totals = st.builds(lambda whole, of_stages: whole._replace(parts=tuple(of_stages)), parts, st.lists(parts, max_size=2))


def is_green(tests: UnitTests) -> bool:
    """Tell whether unit tests may pass a build: all totals are there, nothing failed, and something succeeded."""
    everything = (tests, *tests.parts)
    return (
        bool(tests.total and tests.parts)
        and not any(part.failures or part.errors or part.is_success is False for part in everything)
        and any(part.successes for part in everything)
    )


@given(
    st.sampled_from(["SUCCESS", "FAILURE", "ABORTED"]),
    sides,
    sides,
    st.none() | totals,
    st.booleans(),
)
def test_side_channels_change_no_verdict(
    word: str, stages: Any, log: Any, tests: UnitTests | None, required: bool
) -> None:
    """Whatever stages and log do; unit tests only when they are required."""
    world = World(
        record=[record(word, record_id="r")],
        stages=[stages],
        log_tail=[log],
        unit_tests=[tests],
        rules=Rules(require_tests=required),
    )
    green = tests is not None and is_green(tests)
    expected = {
        "SUCCESS": {Verdict.PASSED} if green or not required else {Verdict.FAILED, Verdict.UNDETERMINED},
        "FAILURE": {Verdict.FAILED},
        "ABORTED": {Verdict.ABORTED},
    }
    assert world.verdict() in expected[word]
    assert world.elapsed <= 32  # three readings of unit tests that are not complete, the explanation, the side channels


@given(
    st.lists(answers, min_size=1, max_size=5),
    st.lists(answers, min_size=1, max_size=5),
    st.booleans(),
    st.none() | st.floats(0, 90),
)
def test_any_answers_about_two_targets_end_in_two_verdicts(
    one: list[Any], two: list[Any], fail_fast: bool, interrupted: float | None
) -> None:
    """Each target is told once; a target that did not pass under fail-fast leaves no other one open."""
    targets = [Target(job_id=JOB, build_number=57, label="one"), Target(job_id=OTHER, build_number=57, label="two")]
    world = World(
        *targets, record={JOB: one, OTHER: two}, rules=Rules(timeout=120, error_budget=30, fail_fast=fail_fast)
    )
    if interrupted is not None:
        world.interrupt(interrupted)
    outcomes = world.run()
    assert sorted(decision.label for decision in world.observer.decisions) == ["one", "two"]
    verdicts = [outcome.verdict for outcome in outcomes]
    assert (Verdict.SKIPPED in verdicts) <= fail_fast
    assert verdicts != [Verdict.SKIPPED, Verdict.SKIPPED]
    assert world.elapsed <= 120 + WIND_UP
