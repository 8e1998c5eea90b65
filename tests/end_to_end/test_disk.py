"""Report paths that cannot be written: a pass becomes undetermined, any other status stays, and the reason is told."""

import os
import resource
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import RunGate, Simulate, StartGate, environment, error_types


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


@pytest.mark.parametrize("place", [too_long_a_name, below_a_file, read_only, unread_fifo, endless_link, full_device])
@pytest.mark.parametrize(("scenario", "status"), [("passing", 5), ("failing", 1)])
def test_report_that_cannot_be_written_is_never_a_pass(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, place: Any, scenario: str, status: int
) -> None:
    """Which report, and why, is one line; nothing is left behind."""
    simulator = simulate([scenario], speed=200)
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
    simulator = simulate(["passing"], speed=200)
    env = {**environment(simulator), name: str(unread_fifo(tmp_path)), "GITHUB_ACTIONS": "true"}
    done = run_gate("wait", simulator.jobs["passing"], "--outputs", "o.env", "--json", env=env)
    assert done.returncode == 5, done.stderr
    assert "GATE_EXIT_CODE=5" in (tmp_path / "o.env").read_text()
    assert '"exit_code": 5' in done.stdout
    assert f"The CI system's file {tmp_path}/fifo could not be written: " in done.stderr


def test_full_disk_leaves_no_report_of_a_former_run(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """No space for a report of this run: that of the last time is removed, and nothing is left beside it."""
    simulator = simulate(["passing"], speed=200)
    report = tmp_path / "gate-report.xml"
    report.write_text("the old one")
    options: dict[str, Any] = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))}
    env = environment(simulator, PYTHONDONTWRITEBYTECODE="1")  # or cut .pyc files stay behind
    done = run_gate("wait", simulator.jobs["passing"], env=env, **options)
    assert done.returncode == 5, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_symlink_stays_and_fifo_with_a_reader_gets_the_report(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path
) -> None:
    """A link leads to the new report; a FIFO is written to and not replaced."""
    simulator = simulate(["passing"], speed=200)
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
    simulator = simulate(["passing", "failing"], speed=200)
    jobs = [simulator.jobs[name] for name in ("passing", "failing") * 2]
    gates = [start_gate("wait", job, env=environment(simulator)) for job in jobs]
    for gate in gates:
        gate.communicate(timeout=30)
    assert [gate.returncode for gate in gates] == [0, 1, 0, 1]
    assert error_types(tmp_path / "gate-report.xml") in ([], ["BuildFailed"])
    assert [path.name for path in tmp_path.iterdir()] == ["gate-report.xml"]
