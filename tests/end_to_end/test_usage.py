"""Calls that are wrong: exit 2 with one sentence that names the option, and nothing asked of the service."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import pytest

from gate.cli.commands import execute, main
from gate.codearts.regions import REGIONS
from gate.mistakes import TARGET_FORM
from tests.conftest import is_foreign
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import RunGate
from tests.tables import each_row

JOB = "0123456789abcdef0123456789abcdef"
ENDPOINT = {"GATE_ENDPOINT": "http://127.0.0.1:9", "GATE_TOKEN": "s3cr3t"}


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Return a function that carries out a command line in this process and returns its exit code and its stderr.

    What the call leaves as reports is no pass, and is removed.
    """

    def carry_out(*arguments: str, env: Mapping[str, str] = ENDPOINT) -> tuple[int, str]:
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.chdir(tmp_path)
            for name, value in env.items():
                monkeypatch.setenv(name, value)
            status = execute(arguments, 0.0)
        written = capfd.readouterr()
        assert written.out == ""
        assert "s3cr3t" not in written.err
        for left in tmp_path.iterdir():
            content = left.read_text()
            assert 'errors="1"' in content or "GATE_EXIT_CODE=2" in content or "undetermined" in content
            left.unlink()
        return status, written.err

    return carry_out


DURATIONS = ["--timeout", "--poll-interval", "--request-timeout", "--error-budget", "--max-age", "--appear-timeout"]
NO_TIMES = ["nan", "inf", "-inf", "-1", "-0", "soon", "1e3", "10 minutes", "99999999h", "1m1h", ""]
ZERO_IS_NONE = ["--timeout", "--poll-interval", "--request-timeout"]


@each_row("option", DURATIONS)
def test_anything_but_a_duration_is_refused(call: Callable[..., tuple[int, str]], option: str) -> None:
    """The sentence names the option and shows the forms; the variable is refused like the option."""
    for value in NO_TIMES + (["0", "0s", "0ms"] if option in ZERO_IS_NONE else []):
        status, err = call("wait", f"{option}={value}", JOB)
        assert (status, f"'{option}'" in err) == (2, True), (value, err)
        assert "1h30m" in err or "too long" in err


@each_row("option", [option for option in DURATIONS if option not in ZERO_IS_NONE])
def test_zero_is_a_duration_where_it_has_a_sense(call: Callable[..., tuple[int, str]], option: str) -> None:
    """No budget, no age, no waiting: the call gets as far as the missing job."""
    status, err = call("wait", option, "0", "not-a-target")
    assert (status, option in err) == (2, False)


BAD_TARGETS = [
    "",
    "x",
    JOB[:-1],
    JOB + "0",
    f"{JOB}:",
    f"{JOB}:0",
    f"{JOB}:-1",
    f"{JOB}:01",
    f"{JOB}:latest",
    f"{JOB}:20221011.29",
    f"{JOB}:2147483648",
    f"{JOB}:9999999999",
    f"={JOB}",
    f"a b={JOB}",
    f"{'x' * 65}={JOB}",
    f"a/b={JOB}",
    f"a=b={JOB}",
    f" {JOB}",
    f"{JOB}\n",
    f"{JOB}:1\n",
    "\u0660" * 32,
]


@each_row("target", BAD_TARGETS)
def test_malformed_target_is_refused(call: Callable[..., tuple[int, str]], target: str) -> None:
    """The sentence shows the form."""
    status, err = call("wait", "--", target)
    assert (status, TARGET_FORM in err) == (2, True), err


@each_row(
    ("targets", "words"),
    [
        ((f"{JOB}:5", f"{JOB}:5"), f"same build is given twice: {JOB}:5"),
        ((f"a={JOB}:5", f"b={JOB}:5"), f"same build is given twice: {JOB}:5"),
        ((JOB, f"x={JOB}"), f"same build is given twice: {JOB}"),
        ((f"a={JOB}:5", f"a={JOB}:6"), "give each target its own LABEL=; two have the label: a."),
    ],
)
def test_target_given_twice_is_refused(
    call: Callable[..., tuple[int, str]], targets: tuple[str, ...], words: str
) -> None:
    """The same build, or the same label."""
    status, err = call("wait", *targets)
    assert (status, words in err) == (2, True), err


@each_row("value", [None, "", "  \n"])
def test_no_target_is_refused(call: Callable[..., tuple[int, str]], value: str | None) -> None:
    """The sentence names GATE_TARGETS."""
    status, err = call("wait", env=ENDPOINT | ({} if value is None else {"GATE_TARGETS": value}))
    assert (status, "GATE_TARGETS" in err) == (2, True), err


@each_row(
    ("options", "named"),
    [
        (("--junit", "r", "--summary", "./r"), ("--junit", "--summary")),
        (("--outputs", "gate-report.xml"), ("--junit", "--outputs")),
        (("--token-file", "token", "--junit", "token"), ("--token-file", "--junit")),
    ],
)
def test_file_that_two_options_name_is_refused(
    call: Callable[..., tuple[int, str]], options: tuple[str, ...], named: tuple[str, ...], tmp_path: Path
) -> None:
    """One of the two would be lost, and it may be the token."""
    status, err = call("wait", JOB, *options, env={"GATE_ENDPOINT": "https://x.example"})
    assert (status, all(word in err for word in named)) == (2, True), err


@each_row("option", ["--junit", "--summary", "--outputs", "--token-file"])
@each_row(
    ("value", "word"), [("", "blank"), (" ", "blank"), ("/", "folder"), ("new/", "folder"), ("a\0b", "file name")]
)
def test_path_that_can_be_no_file_is_refused_before_the_wait(
    call: Callable[..., tuple[int, str]], option: str, value: str, word: str
) -> None:
    """After the wait it would cost the result of a build."""
    status, err = call("wait", JOB, option, value)
    assert (status, option in err, word in err) == (2, True, True), err


@each_row("name", ["GATE_JUNIT", "GATE_SUMMARY", "GATE_OUTPUTS", "GATE_TOKEN_FILE"])
def test_folder_in_a_variable_is_refused_by_the_name_of_the_variable(
    call: Callable[..., tuple[int, str]], name: str
) -> None:
    """The option of that name was not given."""
    status, err = call("wait", JOB, env=ENDPOINT | {name: "/"})
    assert (status, f"'{name}'" in err, "folder" in err) == (2, True, True), err


def test_all_that_is_missing_is_said_at_once(call: Callable[..., tuple[int, str]]) -> None:
    """Nobody wants to run a pipeline three times to learn of three variables."""
    for command in ("wait", "run"):
        status, err = call(command, env={})
        assert status == 2
        assert [word for word in ("GATE_TARGETS", "GATE_REGION", "GATE_TOKEN") if word not in err] == []


@each_row(
    ("command", "options", "env", "words"),
    [
        ("wait", (f"{JOB}:57", "--verdict", "status"), {}, ("--verdict status", f"{JOB}:57")),
        ("wait", (JOB, "--verdict", "status", "--commit", "abcdef0"), {}, ("--verdict status", "--commit")),
        ("wait", (JOB, "--commit", "abcdef0"), {"GATE_VERDICT_FROM": "status"}, ("GATE_VERDICT_FROM status",)),
        ("wait", (JOB, "--verdict", "status", "--require-tests"), {}, ("--verdict status", "--require-tests")),
        ("wait", (JOB, "--verdict", "status"), {"GATE_FOLLOW": "true"}, ("--verdict status", "GATE_FOLLOW")),
        ("wait", (JOB, f"{JOB}:57", "--if-none", "pass"), {}, ("--if-none pass", f"{JOB}:57")),
        ("wait", (JOB, "--build-url", "https://x/{region}"), {}, ("--build-url has {region}", "no --region")),
        ("wait", (f"{JOB}:57",), {"GATE_IF_NONE": "pass"}, ("GATE_IF_NONE pass", f"{JOB}:57")),
        ("run", (JOB, "--no-wait", "--follow"), {}, ("--no-wait", "--follow")),
        ("run", (JOB, "--no-wait", "--require-tests"), {}, ("--no-wait", "--require-tests")),
        ("run", (JOB, "--retries", "1"), {"GATE_NO_WAIT": "1"}, ("GATE_NO_WAIT", "--retries")),
        ("run", (JOB, "--retries", "4"), {}, ("--retries", "4")),
        ("run", (JOB, "--branch", "a"), {"GATE_TAG": "b"}, ("--branch and GATE_TAG",)),
        ("run", (JOB, "--branch", " "), {}, ("--branch", "blank")),
        ("run", (f"{JOB}:57",), {}, ("without the build number 57",)),
        ("run", (JOB, "--param", "A=1", "--param", "A=2"), {}, ("--param", "A")),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    call: Callable[..., tuple[int, str]],
    command: str,
    options: tuple[str, ...],
    env: dict[str, str],
    words: tuple[str, ...],
) -> None:
    """One would have no effect, or contradicts the other; both are named by where they came from."""
    status, err = call(command, *options, env=ENDPOINT | env)
    assert status == 2, err
    assert [word for word in words if word not in err] == []


@each_row(
    "template",
    [
        "", "x", "ftp://x.example/{job_id}", "javascript:alert({build_number})", "https://", "https://{job_id",
        "https://x.example/{job}", "https://x.example/{0}", "https://x.example/{job_id.x}", "https://u:p@x.example/",
        "https://x.example/ {job_id}", "https://x.example:99999/", 'https://x.example/"{job_id}', "https://x.example/{}",
    ],
)  # fmt: skip
def test_template_that_makes_no_link_is_refused(call: Callable[..., tuple[int, str]], template: str) -> None:
    """A link stands in reports and on pages, where a wrong one shows too late."""
    status, err = call("wait", JOB, "--build-url", template)
    assert (status, "--build-url" in err) == (2, True), err


@each_row("option", ["--token", "--sk", "--password"])
def test_secret_as_an_option_is_refused_and_not_repeated(call: Callable[..., tuple[int, str]], option: str) -> None:
    """The sentence says where it belongs."""
    for arguments in ((option, "s3cr3t"), (f"{option}=s3cr3t",)):
        status, err = call("wait", JOB, *arguments)
        assert (status, option in err, "GATE_TOKEN" in err) == (2, True, True), err


CONNECTIONS: list[tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]] = [
    ({"GATE_TOKEN": "s3cr3t"}, (), ("--region", "--endpoint", "GATE_REGION", "GATE_ENDPOINT")),
    ({"GATE_ENDPOINT": "https://x.example"}, (), ("GATE_TOKEN", "--token-file")),
    ({"GATE_ENDPOINT": "https://x.example", "GATE_TOKEN": ""}, (), ("GATE_TOKEN", "--token-file")),
    ({"GATE_ENDPOINT": "https://x.example", "GATE_TOKEN": "s3cr3t s3cr3t"}, (), ("GATE_TOKEN", "one token")),
    ({"GATE_ENDPOINT": "https://x.example", "GATE_TOKEN": "s3cr3t\x00\x7f"[:-2] + "\u00e9"}, (), ("GATE_TOKEN",)),
    ({"GATE_ENDPOINT": "https://x.example"}, ("--token-file", "/nowhere"), ("--token-file", "/nowhere")),
    ({"GATE_ENDPOINT": "https://x.example"}, ("--token-file", "/"), ("--token-file",)),
    ({"GATE_ENDPOINT": "https://x.example"}, ("--token-file", "/dev/null"), ("--token-file", "/dev/null")),
    (ENDPOINT, ("--token-file", "/nowhere"), ("GATE_TOKEN", "--token-file")),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "http://build.example"), ("--endpoint", "https")),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "http://127.0.0.1.evil.example"), ("--endpoint", "https")),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "http://localhost.evil.example"), ("--endpoint", "https")),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "http://10.0.0.1"), ("--endpoint", "https")),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "ftp://build.example"), ("--endpoint",)),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "build.example"), ("--endpoint",)),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "https://"), ("--endpoint",)),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "https://[::1"), ("--endpoint",)),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "https://x.example:99999"), ("--endpoint",)),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "https://u:s3cr3t@x.example"), ("--endpoint", "user")),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "https://x.example?a=s3cr3t"), ("--endpoint", "query")),
    ({"GATE_TOKEN": "s3cr3t"}, ("--region", "cn-north-4", "--iam-endpoint", "http://x.example"), ("--iam-endpoint",)),
    ({"GATE_TOKEN": "s3cr3t"}, ("--region", "mars-1"), ("--region", "mars-1", "cn-north-4")),
    ({"GATE_TOKEN": "s3cr3t"}, ("--region", "cn-north4"), ("did you mean cn-north-4?",)),
    ({"GATE_TOKEN": "s3cr3t", "GATE_REGION": "CN_EAST_3"}, (), ("GATE_REGION", "did you mean cn-east-3?")),
    ({"GATE_TOKEN": "s3cr3t"}, ("--endpoint", "https://x.example/v3"), ("--endpoint", "/v3")),
    ({"GATE_TOKEN": "s3cr3t", "GATE_ENDPOINT": "https://x.example/base/v1.0/"}, (), ("GATE_ENDPOINT", "/v1.0/")),
    ({"GATE_ENDPOINT": "https://x.example", "GATE_TOKEN_FILE": "/nowhere"}, (), ("GATE_TOKEN_FILE /nowhere",)),
    ({"GATE_ENDPOINT": "https://x.example", "GATE_AUTH": "token"}, (), ("GATE_AUTH token", "GATE_TOKEN")),
    (ENDPOINT, ("--ca-bundle", "/nowhere.pem"), ("--ca-bundle", "/nowhere.pem")),
    (ENDPOINT | {"REQUESTS_CA_BUNDLE": "/nowhere.pem"}, (), ("REQUESTS_CA_BUNDLE", "/nowhere.pem")),
]


@each_row(("env", "options", "words"), CONNECTIONS)
def test_connection_that_cannot_be_meant_is_refused(
    call: Callable[..., tuple[int, str]], env: dict[str, str], options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """No credential, or one that would go in the clear or nowhere; the sentence names what to fix."""
    status, err = call("wait", JOB, *options, env=env)
    assert status == 2, err
    assert [word for word in words if word not in err] == []


@each_row(
    ("options", "word"),
    [
        (("--max-rate", "nan"), "--max-rate"),
        (("--max-rate", "inf"), "--max-rate"),
        (("--max-rate", "0"), "--max-rate"),
        (("--max-rate", "-5"), "--max-rate"),
        (("--max-rate", "many"), "--max-rate"),
        (("--log-tail", "-1"), "--log-tail"),
        (("--log-tail", "1.5"), "--log-tail"),
        (("--log-tail", "all"), "--log-tail"),
        (("--commit", "xyz"), "--commit"),
        (("--commit", "abc123"), "--commit"),
        (("--commit", "a" * 41), "--commit"),
        (("--commit", "-deadbeef"), "--commit"),
        (("--verdict", "maybe"), "--verdict"),
        (("--verdict", "status", "--require-tests"), "--require-tests"),
        (("--auth", "magic"), "--auth"),
        (("--no-such-option",), "--no-such-option"),
        (("--timeout",), "--timeout"),
    ],
)
def test_other_bad_values_are_refused(
    call: Callable[..., tuple[int, str]], options: tuple[str, ...], word: str
) -> None:
    """Each sentence names its option."""
    status, err = call("wait", JOB, *options)
    assert (status, word in err) == (2, True), err


COMMAND = "##vso[task.complete]x\r\x1b[0Ksection_end:1:codearts_gate\n::error::y"

QUOTING: list[tuple[tuple[str, ...], dict[str, str]]] = [
    ((JOB,), {"GATE_COMMIT": COMMAND}),
    ((JOB,), {"GATE_REGION": COMMAND}),
    ((COMMAND,), {}),
    ((JOB, f"--{COMMAND}"), {}),
    ((JOB, "--ca-bundle", COMMAND), {}),
    ((JOB, "--summary", f"/proc/{COMMAND}"), {}),
    ((JOB, "--token-file", f"/nowhere/{COMMAND}"), {"GATE_TOKEN": ""}),
]


@each_row("platform", ["github", "gitlab", "none"])
def test_value_that_a_message_quotes_gives_no_command(call: Callable[..., tuple[int, str]], platform: str) -> None:
    """It may be the name of a branch that anybody can push."""
    for arguments, env in QUOTING:
        status, err = call("wait", *arguments, env=ENDPOINT | env | {"GATE_PLATFORM": platform})
        own = [line for line in err.splitlines() if line.startswith("::error title=codearts-gate::")]
        assert status == 2
        assert len(own) == (platform == "github"), err
        assert not re.search(r"##\w*\[", err), err
        assert not (platform == "github" and re.search(r"^\s*::error::", err, re.MULTILINE)), err
        assert not (platform == "gitlab" and "section_end:" in err), err
        assert "\x1b" not in err


@each_row(
    "arguments",
    [
        ("simulate", "--speed", "nan"),
        ("simulate", "--speed", "0"),
        ("simulate", "--speed", "inf"),
        ("simulate", "--port", "65536"),
        ("simulate", "--port", "-1"),
        ("simulate", "--port", "http"),
        ("simulate", "--scenario", "nonsense"),
        ("simulate", "--scenario", "passing:0"),
        ("simulate", "--scenario", "passing:many"),
        ("simulate", "--scenario", "nonsense:3"),
        ("simulate", "--scenario", "passing", "--scenario", "passing"),
        ("demo", "--scenario", "nonsense"),
        ("demo", "--scenario", "passing:2"),
        ("no-such-command",),
    ],
)
def test_bad_rehearsal_is_refused(call: Callable[..., tuple[int, str]], arguments: tuple[str, ...]) -> None:
    """The other commands have usage errors, too."""
    status, err = call(*arguments)
    assert (status, arguments[-1] in err or arguments[-2] in err) == (2, True), err
    assert "range" not in err


def test_usage_error_of_the_process_is_exit_2_and_asks_nothing(
    simulate: Callable[..., FaultySimulator], run_gate: RunGate, tmp_path: Path
) -> None:
    """As a process: no traceback, no request, and a report that is no pass."""
    simulator = simulate()
    env = {"GATE_ENDPOINT": simulator.endpoint, "GATE_TOKEN": simulator.token}
    done = run_gate("wait", simulator.jobs["passing"], "--timeout", "nan", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["gate-report.xml"]
    assert not simulator.journal.entries


# What each variable can be set to that is wrong, so that a refusal shows that it is read.
WRONG = {
    "GATE_TARGETS": "x",
    "GATE_REGION": "mars-1",
    "GATE_ENDPOINT": "http://build.example",
    "GATE_IAM_ENDPOINT": "http://build.example",
    "GATE_TOKEN_FILE": "/nowhere",
    "GATE_CA_BUNDLE": "/nowhere",
    "REQUESTS_CA_BUNDLE": "/nowhere",
    "GATE_PARAM": "x",
}
FREE_FORM = {"GATE_JUNIT", "GATE_SUMMARY", "GATE_OUTPUTS", "GATE_LOG_DIR", "GATE_BRANCH", "GATE_TAG"}
"""Variables that can hold any text; test_file_variables_are_read reads them."""


def variables(command: str) -> list[tuple[str, click.Parameter]]:
    """Return all variables of a command with their parameters."""
    found = []
    for parameter in main.commands[command].params:
        names = parameter.envvar or ()
        found += [(name, parameter) for name in ([names] if isinstance(names, str) else names)]
    return found


VARIABLES = [
    (command, *found) for command in ("wait", "run") for found in variables(command) if found[0] not in FREE_FORM
]


@each_row(("command", "name", "parameter"), VARIABLES)
def test_every_variable_is_read(
    call: Callable[..., tuple[int, str]], command: str, name: str, parameter: click.Parameter
) -> None:
    """Each variable of each option, taken from the commands themselves: a wrong value is refused by name."""
    env = {"GATE_TOKEN": "s3cr3t", "GATE_REGION": "cn-north-4", "GATE_TARGETS": JOB, name: WRONG.get(name, "?!")}
    if name == "GATE_TOKEN_FILE":
        del env["GATE_TOKEN"]
    status, err = call(command, env=env)
    assert status == 2, err
    labels = [name, *parameter.opts, *parameter.secondary_opts, str(parameter.make_metavar(click.Context(main)))]
    assert any(label in err for label in labels), err


def test_every_option_has_its_variable() -> None:
    """`--some-option` and GATE_SOME_OPTION are one word; those that have none are known."""
    exceptions = {"--verdict": "GATE_VERDICT_FROM"}
    without = {"--json", "--quiet", "--verbose", "--help", "--version"}
    for command in ("wait", "run"):
        for parameter in main.commands[command].params:
            if isinstance(parameter, click.Option) and parameter.opts[0] not in without:
                option = parameter.opts[0]
                name = exceptions.get(option, "GATE_" + option[2:].replace("-", "_").upper())
                assert name in str(parameter.envvar)
                assert is_foreign(name)


def test_file_variables_are_read(simulate: Callable[..., FaultySimulator], run_gate: RunGate, tmp_path: Path) -> None:
    """GATE_JUNIT, GATE_SUMMARY, GATE_OUTPUTS, GATE_TARGETS and the flags, as a pipeline sets them."""
    simulator = simulate(["passing", "failing-tests"], speed=300)
    jobs = simulator.jobs
    env = {
        "GATE_ENDPOINT": simulator.endpoint,
        "GATE_TOKEN": simulator.token,
        "GATE_POLL_INTERVAL": "0.2",
        "GATE_MAX_RATE": "6000",
        "GATE_TARGETS": f"a={jobs['passing']}\n  b={jobs['failing-tests']}:57 ",
        "GATE_JUNIT": "j.xml",
        "GATE_SUMMARY": "s.md",
        "GATE_OUTPUTS": "o.env",
        "GATE_REQUIRE_TESTS": "true",
        "GATE_FAIL_FAST": "false",
        "GATE_VERDICT": "status",  # an output's name, not an option's
    }
    done = run_gate("wait", env=env)
    assert done.returncode == 1, done.stderr
    assert re.fullmatch(r"passed a build=57 state=SUCCESS\nfailed b build=57 state=SUCCESS\n", done.stdout)
    assert {path.name for path in tmp_path.iterdir()} == {"j.xml", "s.md", "o.env"}


@each_row("region", REGIONS)
def test_every_region_is_taken(call: Callable[..., tuple[int, str]], region: str) -> None:
    """A region is enough; what is missing then is the credential."""
    status, err = call("wait", JOB, "--region", region, env={})
    assert (status, "no credential" in err) == (2, True), err


def test_version_and_help_are_everywhere(run_here: RunGate) -> None:
    """Without a credential, and on stdout."""
    for command in ((), *((name,) for name in main.commands)):
        for option in ("--version", "-V"):
            assert re.fullmatch(r"codearts-gate \d+\.\d+\.\d+\n", run_here(*command, option).stdout)
        done = run_here(*command, "--help")
        assert (done.returncode, "Usage: codearts-gate" in done.stdout) == (0, True)
