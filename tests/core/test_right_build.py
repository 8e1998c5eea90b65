"""The right build, always: lists that lag, drift, shuffle and lose rows, late records and errors at any request.

A model of one or many jobs answers in virtual time. It knows which build is the right one; no run may judge another,
and none may pass without it. `python -m tests.core.test_right_build` prints how many generated cases ended how.
"""

# ruff: noqa: D102 - the methods of the model are those of gate.core.ports.BuildService

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import pytest

from gate.core.ports import Context
from gate.core.wait import Wait
from gate.errors import InvalidAnswer, NotFound, RouteMissing, ServiceFailing, Throttled, Unreachable
from gate.model import ListedBuild, Record, Stage, Target, TargetOutcome, Verdict
from gate.settings import Rules
from tests.core.fakes import EPOCH, FakeService, FakeWorkers, Recording

MODES = ("newest", "commit", "number")
COMMIT, OTHER_COMMIT = "2f37dd494927d2c6259417c58e5faeb72bfe7150", "ffe2ee8" + "0" * 33
START = 1000.0
"""The instant at which the gate starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBuild:
    """A build; instants in seconds after the gate's start."""

    number: int
    created: float
    checked_out: float
    """The instant from which on the commit is known."""
    ends: float
    word: str
    commit: str
    parent: str | None = None


@dataclass(slots=True, kw_only=True)
class ModelJob:
    """A job with its builds, and how the service tells about them."""

    builds: list[ModelBuild]
    right: ModelBuild
    lag: float
    """Seconds by which lists are late."""
    late_record: float
    """Seconds after its creation from which on a build's record can be read."""
    has_status: bool
    loses_rows: float
    loses_commits: float
    drifts: float
    fails: float
    """How probable each of these is, for a row, a list, or a request."""


def model_job(mode: str, chance: Random) -> ModelJob:
    """Return a random job. Its right build is running, queued or just over when the gate starts, or appears soon."""
    appears = mode != "number" and chance.random() < 0.3
    created = chance.uniform(1, 60) if appears else -chance.uniform(0, 60)
    has_status = chance.random() < 0.8
    queue = chance.uniform(0, 15)
    right = ModelBuild(
        number=chance.randint(40, 60),
        created=created,
        checked_out=created + queue + chance.uniform(0, 10),
        ends=created + queue + chance.uniform(70, 200),
        word=chance.choice(["SUCCESS", "FAILURE", "ABORTED"]),
        commit=COMMIT,
    )
    builds = [right]
    for back in range(1, chance.randint(1, 6)):
        ended = created - 5 - 60 * back - (5000 if appears else 0)
        older = ModelBuild(
            number=right.number - back,
            created=ended - 40,
            checked_out=ended - 30,
            ends=ended,
            word=chance.choice(["SUCCESS", "SUCCESS", "FAILURE"]),
            commit=OTHER_COMMIT if appears or chance.random() < 0.4 else COMMIT,
        )
        builds.append(older)
    for ahead in range(1, chance.randint(1, 4)):
        at = created + chance.uniform(0, 20)
        is_child = mode == "newest"  # there, only a child of a multi-job build may be newer than the right one
        newer = ModelBuild(
            number=right.number + ahead,
            created=at,
            checked_out=at if is_child else at + 8,
            ends=at + (5 if is_child else 60),
            word="SUCCESS",
            commit=COMMIT if is_child else OTHER_COMMIT,
            parent="p" if is_child else None,
        )
        builds.append(newer)
    return ModelJob(
        builds=builds,
        right=right,
        lag=chance.choice([0.0, 3.0, 10.0, 30.0, 300.0]),
        # Without /status, a build whose record cannot be read yet, and which no list shows, cannot be known.
        late_record=chance.choice([0.0, 1.0, 5.0]) if has_status else 0.0,
        has_status=has_status,
        loses_rows=chance.choice([0.0, 0.0, 0.3]),
        loses_commits=chance.choice([0.0, 0.0, 0.5]),
        drifts=chance.choice([0.0, 0.0, 0.3]),
        fails=chance.choice([0.0, 0.1, 0.3]),
    )


class ModelService(FakeService):
    """CodeArts Build with these jobs."""

    def __init__(self, workers: FakeWorkers, jobs: dict[str, ModelJob], chance: Random) -> None:
        super().__init__(workers, {})
        self._jobs = jobs
        self._chance = chance

    def _job(self, name: str, job_id: str) -> tuple[ModelJob, float]:
        """Count a call, and return the job and the seconds since the gate's start; raises when the call fails."""
        self.asked.append((name, self._workers.clock))
        job = self._jobs[job_id]
        if self._chance.random() < job.fails:
            raise self._chance.choice([ServiceFailing, Throttled, Unreachable, InvalidAnswer])("trouble")
        return job, self._workers.clock - START

    def is_running(self, job_id: str) -> bool | None:
        job, now = self._job("is_running", job_id)
        if not job.has_status:
            raise RouteMissing("404")
        return any(build.created <= now < build.ends for build in job.builds)

    def builds(self, job_id: str, commit: str | None = None) -> Sequence[ListedBuild]:
        job, now = self._job("builds", job_id)
        seen = now - job.lag
        if self._chance.random() < job.drifts:
            seen -= self._chance.choice([60.0, 400.0, 1e6])
        shown = [one for one in job.builds if one.created <= seen and self._chance.random() >= job.loses_rows]
        rows = [self._row(one, seen, job) for one in shown]
        self._chance.shuffle(rows)
        return rows

    def _row(self, build: ModelBuild, seen: float, job: ModelJob) -> ListedBuild:
        """Return a row of the list as it was at an instant."""
        has_commit = seen >= build.checked_out and self._chance.random() >= job.loses_commits
        ended = seen >= build.ends
        return ListedBuild(
            number=build.number,
            commit=build.commit if has_commit else None,
            started_at=instant(build.created),
            duration_seconds=build.ends - build.created if ended else None,
            word=build.word if ended else "RUNNING",
            run_word="Finished" if ended else "Running",
        )

    def record(self, job_id: str, build_number: int) -> Record:
        job, now = self._job("record", job_id)
        for build in job.builds:
            if build.number == build_number and now >= build.created + job.late_record:
                ended = now >= build.ends
                return Record(
                    job_id=job_id,
                    build_number=build_number,
                    word=build.word if ended else "RUNNING",
                    commit=build.commit if now >= build.checked_out else None,
                    parent_record_id=build.parent,
                    created_at=instant(build.created),
                    started_at=instant(build.created),
                    finished_at=instant(build.ends) if ended else None,
                )
        raise NotFound(f"no build {build_number}")

    def stages(self, record_id: str) -> Sequence[Stage]:
        return []


def instant(seconds: float) -> datetime:
    """Return the time of day so many seconds after the gate's start."""
    return EPOCH + timedelta(seconds=seconds)


def play(mode: str, seed: int, count: int = 1) -> tuple[list[TargetOutcome], list[ModelJob], ModelService]:
    """Wait for a number of random jobs; return the outcomes, the jobs, and the service with its calls."""
    chance = Random(seed)
    jobs = {f"{index:032}": model_job(mode, chance) for index in range(count)}
    workers = FakeWorkers()
    service = ModelService(workers, jobs, chance)
    observer = Recording()
    rules = Rules(commit=chance.choice([COMMIT, COMMIT[:8]]) if mode == "commit" else None, timeout=3600 * 3)
    context = Context(
        rules=rules,
        service=service,
        now=workers.now,
        chance=chance.random,
        say=lambda target, text: observer.say(target, text, workers.now()),
    )
    targets = [
        Target(job_id=job_id, label=f"job-{job_id}", build_number=job.right.number if mode == "number" else None)
        for job_id, job in jobs.items()
    ]
    outcomes = Wait(targets, context, workers, observer).run(START + rules.timeout)
    return outcomes, list(jobs.values()), service


def result_of(outcome: TargetOutcome, job: ModelJob) -> str:
    """Say how a case ended: `wrong` when another build was judged, or when it passed without the right one's pass."""
    passed_wrongly = outcome.verdict is Verdict.PASSED and job.right.word != "SUCCESS"
    if passed_wrongly or outcome.build_number not in (None, job.right.number):
        return "wrong"
    if outcome.build_number is None and outcome.verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.ABORTED):
        return "wrong"
    return outcome.verdict.value


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("block", range(4))
def test_single_target_is_judged_by_the_right_build_or_not_at_all(mode: str, block: int) -> None:
    """Whatever the lists do: the right build decides, or nothing is decided."""
    for seed in range(block * 60, block * 60 + 60):
        (outcome,), (job,), _ = play(mode, seed)
        assert result_of(outcome, job) != "wrong", (mode, seed, outcome, job)


@pytest.mark.parametrize("mode", ["newest", "commit"])
def test_hundred_targets_at_the_default_rate_are_judged_by_their_right_builds(mode: str) -> None:
    """What decides is not left out under load."""
    outcomes, jobs, _ = play(mode, 1, count=100)
    wrong = [(outcome, job) for outcome, job in zip(outcomes, jobs, strict=True) if result_of(outcome, job) == "wrong"]
    assert wrong == []


def test_right_builds_that_pass_do_pass() -> None:
    """The gate does not buy its safety with builds that it never judges."""
    ended: Counter[str] = Counter()
    for seed in range(150):
        (outcome,), (job,), _ = play("newest", seed)
        ended[f"{job.right.word} {result_of(outcome, job)}"] += 1
    assert ended["SUCCESS passed"] > 0.9 * sum(count for name, count in ended.items() if name.startswith("SUCCESS"))


def main(cases: int) -> None:
    """Print how the cases ended, and what they cost in calls."""
    for mode in MODES:
        for count, runs in ((1, cases), (100, max(cases // 100, 1))):
            ended: Counter[str] = Counter()
            for seed in range(runs):
                outcomes, jobs, _ = play(mode, seed, count)
                ended.update(result_of(outcome, job) for outcome, job in zip(outcomes, jobs, strict=True))
            print(f"{mode}, {count} target(s) a run, {sum(ended.values())} cases: {dict(ended)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
