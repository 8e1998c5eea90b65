"""The fields of the JSON document: the name, the meaning and the value of each.

The document is made from these tables, and its description in the reference from `meanings`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from gate.model import Attempt, ChildBuild, Outcome, Stage, TargetOutcome, UnitTests
from gate.reports.formatting import instant, seconds
from gate.text import link, one_line

T = TypeVar("T")


class Field(NamedTuple, Generic[T]):
    """A field of an object in the document; `value` returns its plain value for JSON."""

    name: str
    meaning: str
    value: Callable[[T], object]


def plain(source: T, fields: Sequence[Field[T]]) -> dict[str, object]:
    """Return `source` as an object of plain values."""
    return {field.name: field.value(source) for field in fields}


def plain_list(sources: Iterable[T], fields: Sequence[Field[T]]) -> list[dict[str, object]]:
    """Return `sources` as a list of objects."""
    return [plain(source, fields) for source in sources]


def text(value: str | None) -> str | None:
    """Return `value` cleaned, on one line; `None` if nothing is left of it."""
    return one_line(value or "", limit=1000) or None


STAGE = (
    Field[Stage]("name", "Name of the stage", lambda stage: text(stage.name)),
    Field[Stage]("state", "The service's word; null if the stage never ran", lambda stage: text(stage.state)),
    Field[Stage]("duration_seconds", "How long the stage ran", lambda stage: seconds(stage.duration_seconds)),
)

UNIT_TESTS = (
    Field[UnitTests]("total", "Number of unit tests", lambda tests: tests.total),
    Field[UnitTests]("failures", "Number of those that failed", lambda tests: tests.failures),
    Field[UnitTests]("errors", "Number of those that could not run", lambda tests: tests.errors),
)

ATTEMPT = (
    Field[Attempt]("build_number", "Number of the build", lambda former: former.build_number),
    Field[Attempt]("state", "The service's word for how it ended", lambda former: text(former.state)),
    Field[Attempt]("reason", "Why it was ordered again", lambda former: text(former.reason)),
    Field[Attempt]("url", "Link to the build", lambda former: link(former.build_url)),
)

CHILD = (
    Field[ChildBuild]("name", "Name of the job", lambda child: text(child.name)),
    Field[ChildBuild]("state", "The service's word; null if it never ran", lambda child: text(child.state)),
    Field[ChildBuild]("build_number", "Number of the build", lambda child: child.build_number),
    Field[ChildBuild]("started_at", "When it started", lambda child: instant(child.started_at)),
    Field[ChildBuild]("duration_seconds", "How long it ran", lambda child: seconds(child.duration_seconds)),
)

TARGET = (
    Field[TargetOutcome]("label", "Label of the target, or its job id", lambda target: text(target.label)),
    Field[TargetOutcome]("job_id", "Id of the build task", lambda target: text(target.job_id)),
    Field[TargetOutcome]("build_number", "Number of the build that was judged", lambda target: target.build_number),
    Field[TargetOutcome]("ordered", "Whether this run started the build", lambda target: target.is_own),
    Field[TargetOutcome]("verdict", "Verdict on this target", lambda target: target.verdict.token),
    Field[TargetOutcome]("state", "The service's word for the build", lambda target: text(target.state)),
    Field[TargetOutcome]("reason", "Why this is the verdict, in a sentence", lambda target: text(target.reason)),
    Field[TargetOutcome]("branch", "Branch that was built", lambda target: text(target.branch)),
    Field[TargetOutcome]("commit", "Commit that was built", lambda target: text(target.commit)),
    Field[TargetOutcome]("started_at", "When the build started", lambda target: instant(target.started_at)),
    Field[TargetOutcome]("finished_at", "When the build ended", lambda target: instant(target.finished_at)),
    Field[TargetOutcome]("duration_seconds", "How long the build ran", lambda target: seconds(target.duration_seconds)),
    Field[TargetOutcome]("record_id", "Id of the build's record", lambda target: text(target.record_id)),
    Field[TargetOutcome]("polls", "How often the gate looked at this target", lambda target: target.polls),
    Field[TargetOutcome]("url", "Link to the build, from `--build-url`", lambda target: link(target.build_url)),
    Field[TargetOutcome]("stages", "Stages of the build", lambda target: plain_list(target.stages, STAGE)),
    Field[TargetOutcome](
        "tests", "Unit tests of the build", lambda target: target.tests and plain(target.tests, UNIT_TESTS)
    ),
    Field[TargetOutcome](
        "attempts", "Builds that `--retries` replaced by this one", lambda target: plain_list(target.attempts, ATTEMPT)
    ),
    Field[TargetOutcome]("children", "Builds of a multi-job build", lambda target: plain_list(target.children, CHILD)),
)

DOCUMENT = (
    Field[Outcome]("verdict", "Verdict on all targets together", lambda outcome: outcome.verdict.token),
    Field[Outcome]("exit_code", "Exit code of the gate", lambda outcome: outcome.exit_code),
    Field[Outcome]("started_at", "When the gate started", lambda outcome: instant(outcome.started_at)),
    Field[Outcome]("elapsed_seconds", "How long the gate ran", lambda outcome: seconds(outcome.elapsed_seconds)),
    Field[Outcome]("api_calls", "Number of requests to the service", lambda outcome: outcome.api_calls),
    Field[Outcome]("targets", "The targets, in their order", lambda outcome: plain_list(outcome.targets, TARGET)),
)


OBJECTS: dict[str, Sequence[Field[Any]]] = {
    "": DOCUMENT,
    "targets[].": TARGET,
    "targets[].stages[].": STAGE,
    "targets[].tests.": UNIT_TESTS,
    "targets[].attempts[].": ATTEMPT,
    "targets[].children[].": CHILD,
}
"""The objects of the document by the path to their fields."""


def meanings() -> dict[str, str]:
    """Return the meaning of each field of the document by its path, such as `targets[].stages[].name`."""
    return {path + field.name: field.meaning for path, fields in OBJECTS.items() for field in fields} | {
        "omitted": "Only in the output `results`, if the document is too long for it: how many `stages`, `children`, "
        "`attempts` and `targets` are left out"
    }
