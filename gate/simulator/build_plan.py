"""What a build is going to do, in seconds of service time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from gate.model import UnitTests


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """One stage: how long it takes, how it ends and what it writes to the log."""

    name: str
    seconds: float
    word: str = "SUCCESS"
    log: tuple[str, ...] = ()
    """Lines, spread over the time of the stage. One that ends with a carriage return is written without a newline, as
    programs do that show their progress."""
    error: str = ""
    """What the analysis of a failed build says about the stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildPlan:
    """A child of a multi-job build, created together with it."""

    name: str
    plan: "BuildPlan"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """Everything about a build from its creation to its end.

    Stages run one after another; the first that does not succeed is the last that runs. A build without stages
    never gets an executor: it ends when its time in the queue is over.
    """

    queue: float = 4.0
    """Seconds from creation until an executor takes the build."""
    stages: tuple[StagePlan, ...] = ()
    word: str = "SUCCESS"
    """The word of the ended build."""
    queued_word: str = "QUEUED"
    """The word while queued: the vendor publishes none."""
    running_word: str = "RUNNING"
    """The word while running: the vendor publishes none."""
    branch: str = "master"
    commit: str | None = None
    """The commit that is built; each build has one of its own if this is not given."""
    message: str | None = None
    """The record's `err_msg` once the build has ended."""
    tests: UnitTests | None = None
    """Totals of the unit tests, published when the build has ended."""
    log: Callable[[], Iterable[bytes]] | None = None
    """What is sent in place of the log, for logs that are large or have no end."""

    children: tuple[ChildPlan, ...] = ()
    """The jobs of a multi-job build, each a build of its own; they run one after another if their queues say so."""

    @property
    def run(self) -> tuple[StagePlan, ...]:
        """The stages that run: all up to the first that does not succeed."""
        stop = next((i for i, stage in enumerate(self.stages, 1) if stage.word != "SUCCESS"), len(self.stages))
        return self.stages[:stop]

    @property
    def seconds(self) -> float:
        """How long the stages that run take altogether."""
        return sum(stage.seconds for stage in self.run)

    def paced(self, factor: float) -> "BuildPlan":
        """Return the same plan with each stage taking `factor` times as long."""
        return replace(self, stages=tuple(replace(stage, seconds=stage.seconds * factor) for stage in self.stages))
