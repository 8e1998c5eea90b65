"""From the values of options and variables to validated settings."""

import os
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gate.cli import options
from gate.cli.credentials import choose
from gate.core.identity import CLOCK_SKEW
from gate.durations import spell
from gate.errors import UsageProblem
from gate.model import Order, Target
from gate.platforms.detect import detect
from gate.platforms.shared_files import is_shared
from gate.settings import (
    DEFAULT_MAX_RATE,
    Connection,
    Reports,
    Rules,
    Settings,
    check_endpoint,
    check_targets,
    check_unique,
)
from gate.text import clean, counted
from gate.value_types import NamedTuple
from gate.vocabulary import VOCABULARY

FILES = ("token_file", "ca_bundle", "junit", "summary", "outputs")
"""The options that name a file."""


class ResolvedConnection(NamedTuple):
    """How to reach the service, and lines for people about the credential that was chosen."""

    connection: Connection
    notes: Sequence[str]


class ResolvedSettings(NamedTuple):
    """The settings of one run, and lines for people about what is other than they may think."""

    settings: Settings
    notes: Sequence[str]


def resolve(
    targets: Sequence[Target], values: Mapping[str, Any], places: Mapping[str, str], order: Order | None = None
) -> ResolvedSettings:
    """Make the settings of one run; `places` tells which option or variable each of `values` came from.

    Raises `UsageProblem` that names this place.
    """
    labelled = with_labels(targets)
    check_files(labelled, values, places)
    check_combinations(targets, values, places)
    missing = [] if targets else ["no target: name at least one JOB_ID, or set GATE_TARGETS"]
    connection, notes = resolve_connection(values, places, missing)
    rules, of_the_job = within_the_job(Rules(**_fields_of(Rules, values)), values["platform"])
    if rules.commit:
        rules = replace(rules, commit_advice=detect(values["platform"], os.environ).commit_advice(rules.commit))
    rules = replace(rules, connection_options=connection_options(values, places))
    check_targets(labelled, source_of_targets(places))
    settings = Settings(
        targets=labelled,
        order=order,
        connection=replace(
            connection, also_secret=secret_values(order, targets), not_secret=open_values(order, rules, targets)
        ),
        region=values["region"] or "",
        rules=rules,
        reports=Reports(**_fields_of(Reports, values), named_by={name: places[name] for name in options.given()}),
    )
    notes = [*notes, *of_the_job, *slow_rate(settings, places["max_rate"]), *in_the_future(rules.since, places)]
    return ResolvedSettings(settings, notes)


CONNECTION_OPTIONS = ("region", "endpoint", "iam_endpoint", "auth", "token_file", "ca_bundle")
"""The options without which another call would not reach the service as this one does."""


def connection_options(values: Mapping[str, Any], places: Mapping[str, str]) -> str:
    """Return those of `CONNECTION_OPTIONS` that stand in the call, each after a space; variables hold for another, too.

    A value that some shell would take apart is left out.
    """
    given = [name for name in CONNECTION_OPTIONS if name in options.given() and places[name].startswith("--")]
    shown = [(places[name], str(values[name])) for name in given]
    return "".join(f" {option} {value}" for option, value in shown if re.fullmatch(r"[\w./:-]+", value))


def source_of_targets(places: Mapping[str, str]) -> str:
    """Return how a message about the targets begins: with the variable or the input that they came from, if one."""
    place = places.get("targets", "")
    return "" if not place or place.endswith("...") else f"{place}: "


SELECTION_REQUESTS = 4
"""Requests that find a job's newest build, where that one runs; `tests/core/test_select.py` counts them."""

SLOW = 10.0
"""Seconds for a first look at all targets from which on people wonder what the gate waits for."""


def slow_rate(settings: Settings, place: str) -> Sequence[str]:
    """Say that a low rate is why the first look at all targets takes long; `place`: the option that sets the rate."""
    rate = settings.rules.max_rate
    requests = sum(1 if target.build_number else SELECTION_REQUESTS for target in settings.targets)
    seconds = (requests - 1) * 60 / rate
    if rate >= DEFAULT_MAX_RATE or seconds < SLOW:
        return []
    number = counted(len(settings.targets), "target")
    return [f"{place} {rate:g} is why the first look at {number} takes about {spell(seconds)}"]


def in_the_future(since: datetime | None, places: Mapping[str, str]) -> Sequence[str]:
    """Say that no build fits a time of `--since` that is to come, beyond what two clocks may differ by."""
    if since is None or since <= datetime.now(UTC) + CLOCK_SKEW:
        return []
    return [f"warning: {places['since']} is in the future by the clock of this machine, so no build fits it yet"]


_SECRET_NAME = r"(?i)token|pass(?:word|wd|phrase)|pwd|secret|key|credential"  # noqa: S105 - it is a pattern

_LEAST_SECRET = 4
"""Characters of the shortest value that is masked: shorter ones stand in any text."""

_NO_SECRETS = {"true", "false", "none", "null", "success", *(word.lower() for word, _, _ in VOCABULARY)}
"""Words that stand in any text, or tell how a call or a build ended."""


def secret_values(order: Order | None, targets: Sequence[Target]) -> Sequence[str]:
    """Return the values of those parameters of an order whose names say that they are secret."""
    if order is None:
        return ()
    known = open_values(order, None, targets)
    return [
        value
        for name, value in order.parameters
        if re.search(_SECRET_NAME, name)
        and len(value.strip()) >= _LEAST_SECRET
        and value.lower() not in _NO_SECRETS
        and value not in known
    ]


def open_values(order: Order | None, rules: Rules | None, targets: Sequence[Target]) -> Sequence[str]:
    """Return what answers are compared with: jobs, branches, tag and commits, in each form that the service has."""
    known = [target.name or target.job_id for target in targets]
    for source in (order, rules):
        if source is not None and source.commit:
            known.append(source.commit)
        if source is not None and source.branch:
            branch = source.branch.removeprefix("refs/heads/")
            known += [branch, f"refs/heads/{branch}"]
    if order is not None and order.tag:
        tag = order.tag.removeprefix("refs/tags/")
        known += [tag, f"refs/tags/{tag}"]
    return known


JOB_MARGIN = 30.0
"""Seconds before the end of the CI system's job at which the gate ends: reports are written, artifacts uploaded."""


def within_the_job(rules: Rules, platform: str) -> tuple[Rules, Sequence[str]]:
    """Return the rules with a timeout that ends before the CI system ends the job, and lines for people about that.

    With less than a minute left, the gate takes half of it. A time that this machine's clock contradicts is ignored.
    """
    try:
        end = detect(platform if platform == "gitlab" else "auto", os.environ).job_end()
    except ValueError as error:
        return rules, [f"warning: {error}; when the job ends is not known"]
    if end is None:
        return rules, []
    left = (end - datetime.now(UTC)).total_seconds()
    if left <= 0:
        return rules, ["warning: by its variables, the job has ended; is this machine's clock right? They are ignored"]
    limit = left - JOB_MARGIN if left >= 2 * JOB_MARGIN else left / 2
    if limit >= rules.timeout:
        return rules, []
    source = "the end of the job"
    note = f"the job ends in {spell(left)} (CI_JOB_TIMEOUT), so the gate waits {spell(limit)} at most"
    return replace(rules, timeout=limit, timeout_source=source), [note]


def _fields_of(kind: type[Rules | Reports], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are fields of a class of settings."""
    return {name: values[name] for name in kind.__annotations__ if name in values}


def resolve_order(targets: Sequence[Target], values: Mapping[str, Any], places: Mapping[str, str]) -> Order:
    """Make the order of `run`, for all targets."""
    source = source_of_targets(places)
    for target in targets:
        if target.build_number is not None:
            raise UsageProblem(
                f"{source}run starts a new build: give {target.job} without the build number {target.build_number}, "
                "or use wait for that build"
            )
    jobs = [target.job for target in targets]
    check_unique(jobs, f"{source}run starts one build of a job, but a job is given twice")
    sources = [places[name] for name in ("branch", "tag", "commit") if values[name]]
    if len(sources) > 1:
        raise UsageProblem(f"{' and '.join(sources)} do not go together: a build is of one of them")
    if values["reuse"] and not values["commit"]:
        raise UsageProblem(f"{places['reuse']} takes a build of the same commit: give --commit (GATE_COMMIT)")
    if values["reuse"] and values["parameters"]:
        raise UsageProblem(
            f"{places['reuse']} and {places['parameters']} do not go together: the parameters of an earlier build are "
            "not known"
        )
    check_unique([name for name, _ in values["parameters"]], f"{places['parameters']} has two values for the name")
    return Order(
        parameters=values["parameters"],
        branch=values["branch"],
        tag=values["tag"],
        commit=values["commit"],
    )


def resolve_connection(
    values: Mapping[str, Any], places: Mapping[str, str], missing: Sequence[str] = ()
) -> ResolvedConnection:
    """Make the settings of the connection; raises `UsageProblem` about all that is missing, `missing` included."""
    known = None
    if values["region"]:
        from gate.codearts.regions import REGIONS

        known = REGIONS[values["region"]]
    problems = list(missing)
    endpoint = values["endpoint"] or (known.build if known else "")
    if not endpoint:
        problems.append("no endpoint: give --region or --endpoint (GATE_REGION, GATE_ENDPOINT)")
    try:
        credential, half_set = choose(values["auth"], values["token_file"], values["region"], os.environ, places)
    except UsageProblem as problem:
        problems.append(str(problem))
    if problems:
        raise UsageProblem("; ".join(problems))
    for name in ("endpoint", "iam_endpoint"):
        if values[name]:
            check_endpoint(values[name], places[name])
    if values["ca_bundle"] and endpoint.startswith("https:"):
        check_bundle(values["ca_bundle"], places["ca_bundle"])
    connection = Connection(
        endpoint=endpoint,
        iam_endpoint=values["iam_endpoint"] or (known.iam if known else ""),
        credential=credential,
        ca_bundle=values["ca_bundle"],
        request_timeout=values["request_timeout"],
    )
    is_worth_a_line = values["auth"] == "auto" and (half_set or values["verbose"])
    note = f"--auth auto uses the {credential.description}{half_set}"
    return ResolvedConnection(connection, [note] if is_worth_a_line else [])


def check_bundle(path: Path, place: str) -> None:
    """Raise `UsageProblem` unless `path` is a folder, or a file with CA certificates."""
    reason = ""
    try:
        if path.is_file():
            ssl.create_default_context(cafile=path)
        elif not path.is_dir():
            reason = "it is neither a file nor a folder"
    except ssl.SSLError:
        reason = "it contains no certificates in PEM format"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    if reason:
        raise UsageProblem(f"{place} {path} cannot be used: {reason}")


def check_files(targets: Sequence[Target], values: Mapping[str, Any], places: Mapping[str, str]) -> None:
    """Raise `UsageProblem` when a report or a log would destroy a file: the token, another report, the CI system's own.

    Raises it also for the name of a report that later steps cannot be told, and where relative names mean nothing.
    """
    given = [values[option] for option in (*FILES, "log_dir") if values.get(option)]
    if not all(path.is_absolute() for path in given):
        try:
            Path.cwd()
        except OSError:
            problem = "the working directory has been removed, so that no report can be written to it"
            raise UsageProblem(problem, hint="Change to a folder that is there.") from None
    if is_shared(values["junit"], os.environ):
        raise UsageProblem(f"{places['junit']} {values['junit']} is a file of the CI system's own; name another one")
    name = values["junit"].as_posix()
    if clean(name) != name or name != name.strip() or re.search(r"[\t\n\\]", name):
        raise UsageProblem(
            f"{places['junit']} {name!r}: later steps cannot be told a name that is not UTF-8, or has a control "
            "character or a backslash in it, or a blank at an end; use another name"
        )
    first: dict[str, str] = {}
    for option in FILES:
        path: Path | None = values[option]
        if path is None or (os.path.exists(path) and not os.path.isfile(path)):  # noqa: PTH110, PTH113 - these never raise
            continue  # a device or a pipe takes any number of reports
        real = os.path.realpath(path)
        if real in first:
            raise UsageProblem(f"{first[real]} and {places[option]} name the same file, {path}")
        first[real] = places[option]
    if values.get("log_dir"):
        check_logs(targets, values["log_dir"], first, places["log_dir"])


def check_logs(targets: Sequence[Target], folder: Path, files: Mapping[str, str], place: str) -> None:
    """Raise `UsageProblem` when the folder for logs, or a log in it, is one of `files`: real paths, with their options.

    `place`: the option that names the folder.
    """
    from gate.runtime.log_folder import LogFolder

    for path in [folder, *folder.parents]:
        if option := files.get(os.path.realpath(path)):
            raise UsageProblem(
                f"{option} names the file {path}, where {place} {folder} needs a folder; use another name"
            )
    for path in LogFolder(folder, targets).paths():
        if option := files.get(os.path.realpath(path)):
            raise UsageProblem(f"{option} names {path}, a file for a log in {place} {folder}; use another name")


def check_combinations(targets: Sequence[Target], values: Mapping[str, Any], places: Mapping[str, str]) -> None:
    """Raise `UsageProblem` for options that contradict each other, or of which one would have no effect."""
    numbered = [f"{target.job}:{target.build_number}" for target in targets if target.build_number is not None]
    _check_status(numbered, values, places)
    if "{region}" in (values.get("build_url") or "") and not values["region"]:
        raise UsageProblem(f"{places['build_url']} has {{region}} in it, but no --region is given")
    if values.get("if_none") == "pass" and numbered:
        raise UsageProblem(f"{places['if_none']} pass is for targets without a build number, not for {numbered[0]}")
    if values.get("stop") and len(numbered) < len(targets):
        found = next(target.job for target in targets if target.build_number is None)
        raise UsageProblem(
            f"{places['stop']} is for builds that are given by number, as JOB_ID:BUILD_NUMBER. {found} has none, and a "
            "build that the gate finds may be somebody else's"
        )
    if values.get("no_wait"):
        for name in ("follow", "require_tests", "retries", "fail_fast", "queue_timeout", "log_dir"):
            # Variables are often set for a whole pipeline, which waits for the builds in a later step.
            if values[name] and places[name].startswith("-"):
                raise UsageProblem(f"{places['no_wait']} and {places[name]} do not go together: nothing is waited for")


def _check_status(numbered: Sequence[str], values: Mapping[str, Any], places: Mapping[str, str]) -> None:
    """Raise `UsageProblem` for what `--verdict status` cannot take into account."""
    if values.get("verdict_from") != "status":
        return
    status = f"{places['verdict_from']} status"
    if numbered:
        raise UsageProblem(f"{status} is about a job, not about one build: leave the number out of {numbered[0]}")
    if values.get("if_none") == "pass":
        raise UsageProblem(f"{status} knows no builds, and so not whether there is none: leave {places['if_none']} out")
    for name in ("commit", "branch", "since", "max_age", "queue_timeout", "require_tests", "follow", "log_dir"):
        if values.get(name) is not None and values[name] is not False:
            raise UsageProblem(f"{status} is about a job, not about one build: leave {places[name]} out")


def with_labels(targets: Sequence[Target]) -> list[Target]:
    """Return the targets in their order; from the second one on a job that has no label, `JOB_ID-2` and so on."""
    counts: dict[str, int] = {}
    labelled = []
    for target in targets:
        count = counts[target.label] = counts.get(target.label, 0) + 1
        has_own_label = target.label != target.job
        labelled.append(target if has_own_label or count == 1 else replace(target, label=f"{target.label}-{count}"))
    return labelled
