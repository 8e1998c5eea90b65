"""What options and variables become: settings of one run."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from gate.cli import options
from gate.cli.commands import main
from gate.cli.resolve import ResolvedSettings, resolve, resolve_order
from gate.errors import UsageProblem
from gate.model import Order
from gate.settings import Reports, Rules
from tests.tables import each_row

JOB = "0123456789abcdef0123456789abcdef"
OTHER_JOB = "f" * 32
PROJECT = "p" * 32


@pytest.fixture(autouse=True)
def connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what every run needs."""
    monkeypatch.setenv("GATE_TOKEN", "s3cr3t")
    monkeypatch.setenv("GATE_REGION", "cn-north-4")


def resolved(command: str, *arguments: str) -> ResolvedSettings:
    """Return the settings of a command line."""
    with main.commands[command].make_context(command, list(arguments)) as context:
        values = dict(context.params)
        if command == "wait":
            return resolve(values.pop("targets"), values, options.places())
        targets = values.pop("targets")
        return resolve(targets, values, options.places(), resolve_order(targets, values, options.places()))


def test_every_option_of_wait_reaches_the_settings() -> None:
    """Each value differs from its default, so that one that is dropped shows."""
    found = resolved(
        "wait", f"app={JOB}", "--commit", "abcdef0", "--max-age", "1m", "--appear-timeout", "2s", "--timeout", "3s",
        "--poll-interval", "4s", "--error-budget", "5s", "--require-tests", "--fail-fast", "--max-rate", "6",
        "--log-tail", "7", "--if-none", "pass", "--follow", "--junit", "j.xml", "--summary", "s.md",
        "--outputs", "o.env", "--platform", "none", "--build-url", "https://x.example/{job_id}", "--json", "--quiet",
        "--verbose", "--request-timeout", "8s", "--branch", "main", "--since", "1800000000", "--queue-timeout", "9s",
        "--log-dir", "logs", "--codearts-project", PROJECT,
    ).settings  # fmt: skip
    assert found.rules == Rules(
        commit="abcdef0", max_age=60, appear_timeout=2, timeout=3, poll_interval=4, error_budget=5, require_tests=True,
        fail_fast=True, max_rate=6, log_tail=7, if_none="pass", follow=True, branch="main",
        since=datetime.fromtimestamp(1_800_000_000, UTC), queue_timeout=9, codearts_project=PROJECT,
    )  # fmt: skip
    assert found.reports == Reports(
        junit=Path("j.xml"), summary=Path("s.md"), outputs=Path("o.env"), platform="none", json=True, quiet=True,
        verbose=True, build_url="https://x.example/{job_id}", log_dir=Path("logs"),
    )  # fmt: skip
    assert (found.region, found.connection.request_timeout) == ("cn-north-4", 8)
    assert found.connection.endpoint == "https://cloudbuild-ext.cn-north-4.myhuaweicloud.com"
    assert resolved("wait", JOB, "--verdict", "status").settings.rules.verdict_from == "status"


def test_merge_commit_of_a_pull_request_comes_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core reads no variables."""
    for name, value in (("GITHUB_ACTIONS", "true"), ("GITHUB_REF", "refs/pull/12/merge"), ("GITHUB_SHA", "a" * 40)):
        monkeypatch.setenv(name, value)
    assert "pull_request.head.sha" in resolved("wait", JOB, "--commit", "a" * 7).settings.rules.commit_advice
    assert resolved("wait", JOB, "--commit", "b" * 7).settings.rules.commit_advice == ""


def test_every_option_of_run_reaches_the_settings_and_the_order() -> None:
    """What is built, and what becomes of it."""
    found = resolved("run", JOB, "--keep-running", "--retries", "2", "--branch", "main", "--param", "A=1").settings
    assert (found.rules.keep_running, found.rules.retries, found.rules.no_wait) == (True, 2, False)
    assert found.order == Order(parameters=(("A", "1"),), branch="main")
    assert resolved("run", JOB, "--no-wait").settings.rules.no_wait
    emoji = "\U0001f468\u200d\U0001f4bb/\u5206\u652f"
    assert resolved("run", JOB, "--tag", emoji).settings.order == Order(tag=emoji)
    assert resolved("run", JOB, "--reuse", "--commit", "abcdef0").settings.rules.reuse


def test_values_that_answers_are_compared_with_are_not_masked() -> None:
    """A parameter that is called a secret may have a part of the branch as its value, or a word for a state."""
    found = resolved(
        "run", JOB, "--branch", "release/1.0", "--param", "API_KEY=release", "--param", "TOKEN=Running",
    ).settings.connection  # fmt: skip
    assert list(found.also_secret) == ["release"]
    assert set(found.not_secret) == {JOB, "release/1.0", "refs/heads/release/1.0"}
    assert set(resolved("wait", JOB, "--commit", "2f37dd4").settings.connection.not_secret) == {JOB, "2f37dd4"}
    by_name = resolved("run", "web-app", "--codearts-project", JOB, "--param", "API_KEY=web-").settings.connection
    assert (list(by_name.also_secret), set(by_name.not_secret)) == (["web-"], {"web-app"})


def test_run_takes_several_jobs_with_one_order_for_all() -> None:
    """What is built is the same everywhere; labels tell the jobs apart."""
    found = resolved("run", f"api={JOB}", OTHER_JOB, "--tag", "v1", "--fail-fast").settings
    assert [(target.label, target.job_id) for target in found.targets] == [("api", JOB), (OTHER_JOB, OTHER_JOB)]
    assert (found.order, found.rules.fail_fast) == (Order(tag="v1"), True)


@each_row(
    ("arguments", "words"),
    [
        (("run", f"a={JOB}", f"b={JOB}"), "run starts one build of a job, but a job is given twice"),
        (("run", JOB, f"{OTHER_JOB}:7"), "without the build number 7, or use wait for that build"),
        (("run", JOB, "--reuse"), "--reuse takes a build of the same commit: give --commit"),
        (("run", JOB, "--reuse", "--branch", "main"), "give --commit"),
        (("run", JOB, "--reuse", "--commit", "abcdef0", "--param", "A=1"), "--reuse and --param do not go together"),
        (("run", JOB, "--no-wait", "--fail-fast"), "--no-wait and --fail-fast do not go together"),
        (("run", JOB, "--no-wait", "--queue-timeout", "5m"), "--no-wait and --queue-timeout do not go together"),
        (("run", JOB, "--no-wait", "--log-dir", "logs"), "--no-wait and --log-dir do not go together"),
        (("wait", f"{JOB}:7", OTHER_JOB, "--stop"), f"{OTHER_JOB} has none"),
        (("wait", JOB, "--verdict", "status", "--branch", "main"), "leave --branch out"),
        (("wait", JOB, "--verdict", "status", "--since", "1"), "leave --since out"),
        (("wait", JOB, "--verdict", "status", "--max-age", "0"), "leave --max-age out"),
        (("wait", JOB, "--verdict", "status", "--if-none", "pass"), "leave --if-none out"),
        (("wait", JOB, "--verdict", "status", "--queue-timeout", "5m"), "leave --queue-timeout out"),
        (("wait", JOB, "--verdict", "status", "--log-dir", "logs"), "leave --log-dir out"),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments: tuple[str, ...], words: str) -> None:
    """One that would have no effect, or could stop somebody else's build, is a mistake."""
    with pytest.raises(UsageProblem, match=re.escape(words)):
        resolved(*arguments)


def test_working_directory_that_was_removed_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative path means nothing there; an absolute one does."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageProblem, match="working directory has been removed"):
        resolved("wait", JOB)
    assert resolved("wait", JOB, "--junit", str(tmp_path / "r.xml")).settings.targets


def test_stop_takes_builds_by_number() -> None:
    """They are those of an earlier `run --no-wait`."""
    assert resolved("wait", f"{JOB}:7", f"{OTHER_JOB}:8", "--stop").settings.rules.stop


@each_row(
    ("text", "instant"),
    [
        ("2026-01-31T16:47:55Z", datetime(2026, 1, 31, 16, 47, 55, tzinfo=UTC)),
        ("2026-01-31T16:47:55.250+08:00", datetime(2026, 1, 31, 8, 47, 55, 250_000, tzinfo=UTC)),
        ("2026-01-31 16:47+0000", datetime(2026, 1, 31, 16, 47, tzinfo=UTC)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1769878075.000001", datetime(2026, 1, 31, 16, 47, 55, 1, tzinfo=UTC)),
        ("1769878074.9999991", datetime(2026, 1, 31, 16, 47, 55, tzinfo=UTC)),  # not earlier than what was asked for
    ],
)
def test_time_since_which_builds_count_is_exact(text: str, instant: datetime) -> None:
    """A build that was created a moment before is not this pipeline's."""
    assert resolved("wait", JOB, "--since", text).settings.rules.since == instant


@each_row(
    "text",
    ["yesterday", "2026-01-31", "2026-01-31T16:47:55", "-5", "1e9", "9" * 20, "nan", "0001-01-01T00:00+01:00"],
)
def test_time_without_a_zone_or_a_meaning_is_refused(text: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(click.BadParameter, match="or seconds since 1970"):
        resolved("wait", JOB, f"--since={text}")


def test_variable_with_targets_may_have_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `#` within a word is none."""
    monkeypatch.setenv("GATE_TARGETS", f"# ours\na={JOB} # the first\n#b={OTHER_JOB}\n\tb={OTHER_JOB}:7")
    assert [target.label for target in resolved("wait").settings.targets] == ["a", "b"]
    monkeypatch.setenv("GATE_TARGETS", f"a={JOB}#7")
    with pytest.raises(click.BadParameter, match=f"write {JOB}:7"):
        resolved("wait")


@pytest.mark.parametrize("option", ["-q", "-v"])
def test_short_options_are_those_that_people_type(option: str) -> None:
    """Quiet and verbose."""
    reports = resolved("wait", JOB, option).settings.reports
    assert (reports.quiet, reports.verbose) == (option == "-q", option == "-v")


def test_version_has_a_short_option(capsys: pytest.CaptureFixture[str]) -> None:
    """`-V`, as `-v` is for more details."""
    assert main.main(["-V"], prog_name="codearts-gate", standalone_mode=False) == 0
    assert re.fullmatch(r"codearts-gate \d+\.\S+\n", capsys.readouterr().out)


def test_age_has_no_limit_with_a_commit_unless_it_is_given() -> None:
    """The default is for builds that are chosen by nothing else."""
    assert resolved("wait", JOB).settings.rules.age_limit == 900
    for criterion in (("--commit", "abcdef0"), ("--branch", "main"), ("--since", "1")):
        assert resolved("wait", JOB, *criterion).settings.rules.age_limit is None
    assert resolved("wait", JOB, "--commit", "abcdef0", "--max-age", "1h").settings.rules.age_limit == 3600


def test_commit_may_go_with_a_build_number() -> None:
    """It is then compared with that of the build."""
    found = resolved("wait", f"{JOB}:57", "--commit", "abcdef0").settings
    assert (found.targets[0].build_number, found.rules.commit) == (57, "abcdef0")


@each_row("name", ["GATE_FOLLOW", "GATE_REQUIRE_TESTS", "GATE_RETRIES"])
def test_variable_for_the_whole_pipeline_does_not_keep_a_build_from_being_started(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One step starts the build with `--no-wait`, a later one waits for it under the same variables."""
    monkeypatch.setenv(name, "1")
    assert resolved("run", JOB, "--no-wait").settings.rules.no_wait
    emoji = "\U0001f468\u200d\U0001f4bb/\u5206\u652f"
    assert resolved("run", JOB, "--tag", emoji).settings.order == Order(tag=emoji)


def test_note_says_which_credential_auto_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who chose it needs no note."""
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "ak")
    half_set = "HUAWEICLOUD_SDK_AK is set without HUAWEICLOUD_SDK_SK and is not used"
    assert resolved("wait", JOB).notes == [f"--auth auto uses the token from GATE_TOKEN; {half_set}"]
    assert resolved("wait", JOB, "--auth", "token").notes == []


def test_credential_that_is_as_expected_is_told_only_to_those_who_want_details() -> None:
    """Nobody asked, and every pipeline's log would begin with it."""
    assert resolved("wait", JOB).notes == []
    assert resolved("wait", JOB, "--verbose").notes == ["--auth auto uses the token from GATE_TOKEN"]


def job(monkeypatch: pytest.MonkeyPatch, started: str | float, seconds: str, **more: str) -> None:
    """Set the variables of a GitLab job that started so many seconds ago, or as the text says."""
    if not isinstance(started, str):
        started = (datetime.now(UTC) - timedelta(seconds=started)).strftime("%Y-%m-%dT%H:%M:%SZ")
    variables = {"GITLAB_CI": "true", "CI_JOB_STARTED_AT": started, "CI_JOB_TIMEOUT": seconds, **more}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@each_row(
    ("command", "started", "seconds", "arguments", "timeout"),
    [
        ("wait", 0, "3600", (), 3570),  # GitLab's default, the same as the gate's
        ("run", 600, "3600", (), 2970),
        ("wait", 0, "3600", ("--timeout", "5m"), 300),
        ("wait", 0, "3600", ("--timeout", "3h"), 3570),
        ("wait", 0, "86400", (), 3600),
        ("wait", 0, "90", (), 60),
        ("wait", 0, "61", (), 31),
        ("wait", 3560, "3600", (), 20),  # less than a minute left: half of it
        ("wait", 0, "3600", ("--platform", "none"), 3570),  # which is about the log
    ],
)
def test_gate_ends_before_the_job_of_gitlab_does(
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    started: float,
    seconds: str,
    arguments: tuple[str, ...],
    timeout: int,
) -> None:
    """Else the job is killed: no report, and a build that was started goes on. What changed is said."""
    job(monkeypatch, started, seconds)
    found = resolved(command, JOB, *arguments)
    assert found.settings.rules.timeout == pytest.approx(timeout, abs=2)
    is_shorter = found.settings.rules.timeout_source == "the end of the job"
    assert is_shorter == (timeout not in (300, 3600))
    assert [("(CI_JOB_TIMEOUT), so the gate waits" in note) for note in found.notes] == [True] * is_shorter


@each_row(
    ("started", "seconds", "words"),
    [
        ("yesterday", "3600", "CI_JOB_STARTED_AT is no time with a zone: yesterday"),
        ("2026-01-31T16:47:55", "3600", "CI_JOB_STARTED_AT is no time with a zone"),
        ("9999-12-31T23:59:59Z", "3600", "CI_JOB_STARTED_AT is no time with a zone"),
        (0.0, "1h", "CI_JOB_TIMEOUT is no number of seconds: 1h"),
        (0.0, "0", "CI_JOB_TIMEOUT is no number of seconds: 0"),
        (0.0, "-5", "CI_JOB_TIMEOUT is no number of seconds: -5"),
        (0.0, "nan", "CI_JOB_TIMEOUT is no number of seconds: nan"),
        (0.0, "\x1b[31m9", "CI_JOB_TIMEOUT is no number of seconds: 9"),
        (7200.0, "3600", "the job has ended; is this machine's clock right?"),
        ("", "3600", ""),
        (0.0, " ", ""),
    ],
)
def test_odd_times_of_the_job_are_ignored_with_a_line(
    monkeypatch: pytest.MonkeyPatch, started: str | float, seconds: str, words: str
) -> None:
    """An older GitLab sets neither; a runner's clock may be wrong."""
    job(monkeypatch, started, seconds)
    found = resolved("wait", JOB)
    assert found.settings.rules.timeout == 3600
    assert [words in note for note in found.notes] == ([True] if words else [])


@each_row("time", ["%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S.000Z"])
def test_time_of_the_job_may_be_written_in_other_ways(monkeypatch: pytest.MonkeyPatch, time: str) -> None:
    """Versions of GitLab differ."""
    job(monkeypatch, datetime.now(UTC).strftime(time), "600")
    assert resolved("wait", JOB).settings.rules.timeout == pytest.approx(570, abs=2)


def test_time_of_the_job_is_gitlabs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere, the variables are somebody else's; by --platform, GitLab is where they say."""
    job(monkeypatch, 0, "600", GITLAB_CI="")
    assert resolved("wait", JOB).settings.rules.timeout == 3600
    assert resolved("wait", JOB, "--platform", "gitlab").settings.rules.timeout == pytest.approx(570, abs=2)


def test_endpoints_that_are_given_replace_those_of_the_region() -> None:
    """The credential goes to the host that was named, also where a region is set."""
    arguments = ("--endpoint", "https://build.example", "--iam-endpoint", "https://iam.example")
    connection = resolved("wait", JOB, *arguments).settings.connection
    assert (connection.endpoint, connection.iam_endpoint) == ("https://build.example", "https://iam.example")


@each_row(("minutes", "is_told"), [(60, True), (11, True), (9, False), (-60, False)])
def test_time_to_come_that_builds_are_to_be_from_is_told(minutes: int, is_told: bool) -> None:
    """No build fits it; ten minutes are allowed between two clocks."""
    since = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    assert [note.split(" is ")[0] for note in resolved("wait", JOB, "--since", since).notes] == (
        ["warning: --since"] if is_told else []
    )


@each_row(
    ("rate", "targets", "note"),
    [
        ("10", 5, "--max-rate 10 is why the first look at 5 targets takes about 1 m 54 s"),
        ("5", 1, "--max-rate 5 is why the first look at 1 target takes about 36 s"),
        ("60", 40, ""),  # the default
        ("50", 2, ""),
    ],
)
def test_rate_that_makes_the_gate_slow_is_named(rate: str, targets: int, note: str) -> None:
    """Else nobody knows what it waits for. Four requests find an unnumbered target's build that runs."""
    names = [f"t{number}={number:032}" for number in range(targets)]
    assert resolved("wait", *names, "--max-rate", rate).notes == ([note] if note else [])
    numbered = [f"{name}:57" for name in names]
    assert len(resolved("wait", *numbered, "--max-rate", rate).notes) == (targets == 5)
