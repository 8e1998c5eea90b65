"""Report paths that cannot be written: a pass becomes undetermined, any other status stays, and the reason is told."""

import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gate.cli.commands import main
from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import FULL_DISK, RunGate, Simulate, StartGate, environment, error_types


def below_a_file(folder: Path) -> Path:
    """Return a path below a file."""
    (folder / "file").touch()
    return folder / "file" / "report.xml"


def read_only(folder: Path) -> Path:
    """Return a path on a file system that takes no files, also not from root."""
    return Path("/proc/self/report.xml")


def unread_fifo(folder: Path) -> Path:
    """Return a FIFO that nobody reads."""
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


def endless_link(folder: Path) -> Path:
    """Return a symbolic link to itself."""
    (folder / "link").symlink_to("link")
    return folder / "link"


def full_device(folder: Path) -> Path:
    """Return a device that is always full."""
    return Path("/dev/full")


def too_long_a_name(folder: Path) -> Path:
    """Return a name that no file system takes."""
    return folder / ("r" * 300)


HOPELESS = [too_long_a_name, below_a_file, read_only, endless_link]
"""Paths that can be seen to be wrong when the gate starts."""

NAMED = ["--junit", "--summary", "--outputs", "GATE_JUNIT", "GATE_SUMMARY", "GATE_OUTPUTS"]


@pytest.mark.parametrize(
    ("named", "place"), [(named, place) for index, named in enumerate(NAMED) for place in HOPELESS[index % 2 :: 2]]
)
def test_report_that_cannot_be_written_is_told_before_anything_is_ordered(
    slow: FaultySimulator, run_here: RunGate, tmp_path: Path, place: Any, named: str
) -> None:
    """A build would run for an hour and its result be lost: exit 2, and the service is not asked at all."""
    path = place(tmp_path)
    before = sorted(tmp_path.iterdir())
    option, variable = ([named, path], {}) if named.startswith("-") else ([], {named: str(path)})
    done = run_here("run", slow.jobs["slow"], *option, env=environment(slow, **variable))
    assert (done.returncode, [*slow.journal.entries]) == (2, []), done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert line.startswith(f"Error: {named}: The report {path} could not be written: ")
    default = [] if named.endswith(("junit", "JUNIT")) else [tmp_path / "gate-report.xml"]
    assert sorted(tmp_path.iterdir()) == sorted([*before, *default])


@pytest.mark.skipif(
    "log_dir" not in {parameter.name for parameter in main.commands["wait"].params}, reason="there is no --log-dir yet"
)
@pytest.mark.parametrize("place", [below_a_file, lambda _: Path("/proc/self/logs")])
@pytest.mark.parametrize("command", ["wait", "run"])
def test_log_folder_that_cannot_be_made_is_told_before_anything_is_ordered(
    slow: FaultySimulator, run_here: RunGate, tmp_path: Path, place: Any, command: str
) -> None:
    """The logs would be lost."""
    folder = place(tmp_path)
    done = run_here(command, slow.jobs["slow"], "--log-dir", folder, env=environment(slow))
    assert (done.returncode, [*slow.journal.entries]) == (2, []), done.stderr
    assert f"Error: --log-dir: The folder {folder} could not be written: " in done.stderr


def test_report_that_nobody_asked_for_is_only_a_warning_at_the_start(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path
) -> None:
    """The default may be writable by then; if not, a pass is none, and the last line names no report."""
    simulator = simulate(["passing"], speed=300)
    (tmp_path / "gate-report.xml").symlink_to("gate-report.xml")
    done = run_gate("wait", simulator.jobs["passing"], "--outputs", "o.env", env=environment(simulator))
    assert done.returncode == 5, done.stderr
    assert "warning: The report gate-report.xml could not be written: too many levels" in done.stderr
    assert "error: The report gate-report.xml could not be written: too many levels" in done.stderr
    assert "; no report. " in done.stderr.splitlines()[-1]
    assert "GATE_REPORT=\n" in (tmp_path / "o.env").read_text()


@pytest.mark.parametrize("place", [unread_fifo, full_device])
@pytest.mark.parametrize(("scenario", "status"), [("passing", 5), ("failing", 1)])
def test_report_that_cannot_be_written_at_the_end_is_never_a_pass(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, place: Any, scenario: str, status: int
) -> None:
    """Which report, and why, is one line; nothing is left behind."""
    simulator = simulate([scenario], speed=300)
    path = place(tmp_path)
    before = sorted(tmp_path.iterdir())
    done = run_gate("wait", simulator.jobs[scenario], "--junit", path, env=environment(simulator))
    assert done.returncode == status, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert f"The report {path} could not be written: " in line
    assert "no report" in done.stderr.splitlines()[-1]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_file_of_github_that_cannot_be_written_is_no_pass_anywhere(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, name: str
) -> None:
    """A FIFO that nobody reads holds nobody; and what was written before says 5 as the process does."""
    simulator = simulate(["passing"], speed=300)
    env = {**environment(simulator), name: str(unread_fifo(tmp_path)), "GITHUB_ACTIONS": "true"}
    done = run_gate("wait", simulator.jobs["passing"], "--outputs", "o.env", "--json", env=env)
    assert done.returncode == 5, done.stderr
    assert "GATE_EXIT_CODE=5" in (tmp_path / "o.env").read_text()
    assert '"exit_code": 5' in done.stdout
    assert f"The CI system's file {tmp_path}/fifo could not be written: " in done.stderr


def test_full_disk_leaves_no_report_of_a_former_run(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """No space for a report of this run: that of the last time is removed, and nothing is left beside it."""
    simulator = simulate(["passing"], speed=300)
    report = tmp_path / "gate-report.xml"
    report.write_text("the old one")
    before = FULL_DISK.format(size=10)
    done = run_gate("wait", simulator.jobs["passing"], env=environment(simulator), before=before)
    assert done.returncode == 5, done.stderr
    assert "could not be written: file too large. Raise the limit on the size of files: ulimit -f." in done.stderr
    assert "; no report. " in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


ON_A_SMALL_DISK = """
mount -t tmpfs -o size=$1 tmpfs "$2" && cd "$2" && shift 2 && "$GATE_PYTHON" -m gate wait "$@"; status=$?
cp -r . "$KEPT"; exit $status
"""


MOUNT = ["unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(MOUNT, check=False, capture_output=True).returncode != 0,
    reason="this machine lets nobody mount a small disk",
)
@pytest.mark.parametrize(
    ("pages", "options", "status", "words"),
    [
        (1, (), 0, "report in gate-report.xml"),
        (1, ("--summary", "s.md"), 2, "--summary: The report s.md could not be written: no space left on device. Free"),
        (2, ("--summary", "s.md"), 0, "report in gate-report.xml"),
    ],
)
def test_full_disk_is_named_and_a_report_that_fits_is_written_in_place(
    simulate: Simulate, tmp_path: Path, pages: int, options: tuple[str, ...], status: int, words: str
) -> None:
    """There is no space for a second file beside the report of the start, but for the result in it."""
    simulator = simulate(["passing"], speed=300)
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    arguments = [f"{4 * pages}k", str(disk), simulator.jobs["passing"], *options]
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", ON_A_SMALL_DISK, "sh", *arguments],
        env={**os.environ, **environment(simulator), "PYTHONPATH": str(ROOT), "GATE_PYTHON": sys.executable,
             "KEPT": str(kept), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, words in done.stderr) == (status, True), done.stderr
    assert error_types(kept / "gate-report.xml") == ([] if status == 0 else ["Undetermined"])


@pytest.mark.parametrize("platform", ["auto", "none"])
def test_files_of_the_runner_are_appended_to(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, platform: str
) -> None:
    """What earlier lines of the step wrote stays; of the outputs, the last value counts; the summary stands once."""
    simulator = simulate(["passing"], speed=300)
    names = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    files = {name: tmp_path / name for name in names}
    for file in files.values():
        file.write_text("MINE=1")
    env = {"GITHUB_ACTIONS": "true", **{name: str(file) for name, file in files.items()}}
    arguments = ("--outputs", files["GITHUB_ENV"], "--summary", files["GITHUB_STEP_SUMMARY"], "--platform", platform)
    done = run_gate("wait", simulator.jobs["passing"], *arguments, env=environment(simulator, **env))
    assert done.returncode == 0, done.stderr
    assert all(file.read_text().startswith("MINE=1") for file in files.values())
    values = dict(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
    assert (values["MINE"], values["GATE_VERDICT"], values["GATE_EXIT_CODE"]) == ("1", "passed", "0")
    assert files["GITHUB_STEP_SUMMARY"].read_text().count("## ✅ codearts-gate") == 1
    assert ("verdict=" in files["GITHUB_OUTPUT"].read_text()) == (platform == "auto")


def test_wrong_call_appends_to_a_file_of_the_runner_too(run_here: RunGate, tmp_path: Path) -> None:
    """The later step has the outputs, and what others set."""
    (tmp_path / "env").write_text("MINE=1\n")
    done = run_here("wait", "--timeout", "soon", env={"GITHUB_ENV": "env", "GATE_OUTPUTS": "./env"})
    assert done.returncode == 2
    assert (tmp_path / "env").read_text().startswith("MINE=1\nGATE_VERDICT=undetermined\nGATE_EXIT_CODE=2\n")


def test_junit_report_in_a_file_of_the_runner_is_refused(run_here: RunGate, tmp_path: Path) -> None:
    """XML among its lines would break the step."""
    (tmp_path / "output").write_text("mine=1\n")
    env = {"GATE_TOKEN": "t", "GATE_REGION": "cn-north-4", "GITHUB_OUTPUT": "output"}
    done = run_here("wait", "0" * 32, "--junit", "output", env=env)
    assert (done.returncode, "--junit output is a file of the CI system's own" in done.stderr) == (2, True), done.stderr
    assert (tmp_path / "output").read_text() == "mine=1\n"


@pytest.mark.parametrize("arguments", [("--no-wait",), ("--no-wait", "--junit", "sub/r.xml")])
def test_report_that_was_not_written_is_not_named(
    slow: FaultySimulator, run_gate: RunGate, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """A build that is not waited for has no result for a JUnit report; that of a former run is removed."""
    (tmp_path / "gate-report.xml").write_text("the old one")
    done = run_gate("run", slow.jobs["slow"], *arguments, "--outputs", "o.env", env=environment(slow))
    assert done.returncode == 0, done.stderr
    assert "GATE_REPORT=\n" in (tmp_path / "o.env").read_text()
    assert (tmp_path / "gate-report.xml").exists() == ("--junit" in arguments)


def test_symlink_stays_and_fifo_with_a_reader_gets_the_report(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path
) -> None:
    """A link leads to the new report; a FIFO is written to and not replaced."""
    simulator = simulate(["passing"], speed=300)
    link, fifo = tmp_path / "link.xml", tmp_path / "fifo"
    link.symlink_to(tmp_path / "real.xml")
    os.mkfifo(fifo)
    taken: list[str] = []
    reader = threading.Thread(target=lambda: taken.append(fifo.read_text()))
    reader.start()
    done = run_gate("wait", simulator.jobs["passing"], "--junit", link, "--summary", fifo, env=environment(simulator))
    reader.join(timeout=20)
    assert (done.returncode, link.is_symlink(), error_types(link)) == (0, True, []), done.stderr
    assert "passed" in taken[0]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_four_gates_may_write_one_path(simulate: Simulate, start_gate: StartGate, tmp_path: Path) -> None:
    """At the end one of their reports is there, whole, and nothing beside it."""
    simulator = simulate(["passing", "failing"], speed=300)
    jobs = [simulator.jobs[name] for name in ("passing", "failing") * 2]
    gates = [start_gate("wait", f"{job}:57", env=environment(simulator)) for job in jobs]
    for gate in gates:
        gate.communicate(timeout=30)
    assert [gate.returncode for gate in gates] == [0, 1, 0, 1]
    assert error_types(tmp_path / "gate-report.xml") in ([], ["BuildFailed"])
    assert [path.name for path in tmp_path.iterdir()] == ["gate-report.xml"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--log-dir", "gate-report.xml/logs"), "--junit names the file gate-report.xml, where --log-dir "),
        (("--log-dir", "l", "--outputs", "l/web.log"), "--outputs names l/web.log, a file for a log in --log-dir l; "),
        (("--log-dir", "l", "--token-file", "l/web.log"), "--token-file names l/web.log, a file for a log in "),
        (("--junit", "x", "--summary", "x"), "--junit and --summary name the same file, x"),
        (("--junit", "a\\b.xml"), "--junit 'a\\\\b.xml': later steps cannot be told a name that "),
        (("--junit", " r.xml"), "--junit ' r.xml': later steps cannot be told a name that "),
    ],
)
def test_names_that_do_not_go_together_are_told_before_anything_is_ordered(
    slow: FaultySimulator, run_gate: RunGate, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    """No file of the user's is lost, and the path of the JUnit report has one that says what was wrong."""
    (tmp_path / "l").mkdir()
    (tmp_path / "l" / "web.log").write_text(slow.token)
    done = run_gate("run", f"web={slow.jobs['slow']}", *options, env=environment(slow))
    assert (done.returncode, [*slow.journal.entries]) == (2, [])
    assert f"Error: {message}" in done.stderr
    if "--token-file" in options:
        assert (tmp_path / "l" / "web.log").read_text() == slow.token
    junit = options[1] if options[0] == "--junit" else "gate-report.xml"
    assert error_types(tmp_path / junit) == ["Undetermined"]


@pytest.mark.parametrize(
    ("options", "file"), [(("--outputs", "o"), "o"), (("--junit", "o"), "o"), (("--log-dir", "."), "web.log")]
)
def test_file_that_stderr_goes_to_stays_and_says_what_is_wrong(
    slow: FaultySimulator, run_gate: RunGate, tmp_path: Path, options: tuple[str, ...], file: str
) -> None:
    """Removed, it would take the message with it."""
    with (tmp_path / file).open("w") as stderr:
        done = run_gate("run", f"web={slow.jobs['slow']}", *options, env=environment(slow), stderr=stderr)
    assert (done.returncode, [*slow.journal.entries]) == (2, [])
    assert "stdout or stderr of this program is redirected to that file" in (tmp_path / file).read_text()


@pytest.mark.parametrize("env", [{"GITHUB_ACTIONS": "true"}, {"GATE_SUMMARY": "steps.md"}])
def test_summary_leaves_out_what_a_step_has_no_room_for(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, env: dict[str, str]
) -> None:
    """GitHub refuses a step's summary above 1 MiB as a whole, also with what other programs have written to it."""
    page = tmp_path / "steps.md"
    page.write_text("x" * 998_500 + "\n")
    simulator = simulate(["failing"], speed=300)
    run_gate("wait", simulator.jobs["failing"], env=environment(simulator, GITHUB_STEP_SUMMARY=str(page), **env))
    assert page.stat().st_size <= 1_000_000
    assert "codearts-gate: failed" in page.read_text()
    assert "_Shortened" in page.read_text()
