"""An import that fails ends with 5: exit 1 means that a build failed, and nothing else."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from junitparser import JUnitXml

from gate import former_reports
from gate.model import Outcome, TargetOutcome, Verdict
from gate.publish import remove_file
from gate.reports import junit
from tests.conftest import ROOT
from tests.helpers import error_types

Run = Callable[..., subprocess.CompletedProcess[str]]

SHADOWS = ("click", "requests", "junit_xml", "signal", "socket", "json", "random", "gc", "urllib3")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("click", "import sys; sys.exit(1)"),
        ("requests", "import nothing_of_that_name"),
        ("requests", "def"),
        ("requests", "raise EOFError('marshal data too short')"),
    ],
)
def test_dependency_that_cannot_be_imported_ends_with_5(run_gate: Run, tmp_path: Path, name: str, code: str) -> None:
    """A broken installation, or a module of the same name on the path: one sentence and no traceback."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / f"{name}.py").write_text(code)
    job = "0" * 32
    env = {
        "PYTHONPATH": f"{broken}:{ROOT}",
        "GATE_ENDPOINT": "http://127.0.0.1:9",
        "GATE_TOKEN": "s3cr3t",
        "GITHUB_ACTIONS": "true",
    }
    done = run_gate("wait", job, env=env)
    assert done.returncode == 5, done.stderr
    assert "could not be loaded" in done.stderr
    assert "Traceback" not in done.stderr
    assert "::error title=codearts-gate::" in done.stderr


REPORTS = ("--junit", "r.xml", "--summary=s.md", "--outputs", "o.env")


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """Return the folder of the run, in which a former run has left reports of a pass."""
    target = TargetOutcome(label="a", job_id="0" * 32, verdict=Verdict.PASSED, reason="Build 57 ended as SUCCESS.")
    report = junit.render(
        Outcome(
            verdict=Verdict.PASSED, exit_code=0, started_at=datetime.now(UTC), elapsed_seconds=1.0, api_calls=1,
            targets=[target],
        )
    )  # fmt: skip
    for name in ("gate-report.xml", "r.xml"):
        (tmp_path / name).write_bytes(report)
    (tmp_path / "s.md").write_text("## ✅ codearts-gate: passed\n")
    (tmp_path / "o.env").write_text("GATE_VERDICT=passed\nGATE_EXIT_CODE=0\n")
    return tmp_path


BREAKING = {
    "click": "import nothing_of_that_name",
    "json": "import nothing_of_that_name",
    "requests": "raise MemoryError",
    "sitecustomize": """
import sys
class NoCommands:
    def find_spec(name, path=None, target=None):
        if name in ("gate.cli.wait_command", "gate.cli.run_command"):
            raise ImportError(name)
sys.meta_path.insert(0, NoCommands)
""",
}


@pytest.mark.parametrize(("name", "command"), list(zip(BREAKING, ("wait", "run", "wait", "run"), strict=True)))
def test_program_that_cannot_be_loaded_leaves_no_report_of_a_former_run(
    run_gate: Run, former: Path, command: str, name: str
) -> None:
    """A broken installation, or too little memory: the reports say so, whichever module is the one that fails."""
    broken = former / "broken"
    broken.mkdir()
    (broken / f"{name}.py").write_text(BREAKING[name])
    env = {"PYTHONPATH": f"{broken}:{ROOT}", "GATE_ENDPOINT": "http://127.0.0.1:9", "GATE_TOKEN": "s3cr3t"}
    done = run_gate(command, "0" * 32, *REPORTS, env=env)
    assert done.returncode == 5, done.stderr
    [case] = next(iter(JUnitXml.fromfile(str(former / "r.xml"))))
    assert (case.name, case.result[0].type) == ("build", "Undetermined")
    assert "undetermined" in (former / "s.md").read_text()
    assert (former / "o.env").read_text().startswith("GATE_VERDICT=undetermined\nGATE_EXIT_CODE=5\n")
    assert "passed" not in (former / "s.md").read_text()


def test_program_that_is_killed_while_it_is_loaded_leaves_no_report_of_a_former_run(
    run_gate: Run, former: Path
) -> None:
    """As the kernel does where memory is short. The default report is removed, and one that a variable names."""
    broken = former / "broken"
    broken.mkdir()
    (broken / "click.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    done = run_gate("wait", "0" * 32, env={"PYTHONPATH": f"{broken}:{ROOT}", "GATE_OUTPUTS": " o.env "})
    assert done.returncode == -signal.SIGKILL
    assert sorted(path.name for path in former.iterdir()) == ["broken", "r.xml", "s.md"]


def test_report_of_a_former_run_is_removed_where_a_link_leads(former: Path) -> None:
    """It is the file that others read. The link stays, so that the new report gets there too."""
    link = former / "link.xml"
    link.symlink_to("r.xml")
    former_reports.remove(["wait", f"--junit={link}"], {})
    assert (link.is_symlink(), (former / "r.xml").exists()) == (True, False)
    (former / "r.xml").write_text("a former run's")
    remove_file(link)
    assert (link.is_symlink(), (former / "r.xml").exists()) == (True, False)
    former_reports.write(["wait", f"--junit={link}"], {}, "it is broken", 5)
    assert error_types(former / "r.xml") == ["Undetermined"]


@pytest.mark.parametrize("command", [("wiat",), ("",), ("--verbose", "wait")])
def test_command_that_does_not_exist_leaves_no_report_of_a_former_run(
    run_gate: Run, former: Path, command: tuple[str, ...]
) -> None:
    """A pipeline that shows test results would show a pass beside exit 2. Nothing is written: it may be no gate."""
    done = run_gate(*command, "0" * 32, *REPORTS, env={"GATE_TOKEN": "s3cr3t"})
    assert done.returncode == 2, done.stderr
    assert [path.name for path in former.iterdir()] == ["gate-report.xml"]  # which this call does not name


NO_REPORTS = [
    ("wait", "--help"), ("run", "-V"), ("--version",), ("doctor",), ("wait", "--junit"),
    ("run", "--token-file", "r.xml"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", NO_REPORTS)
def test_files_that_are_not_to_be_written_stay(run_gate: Run, former: Path, arguments: tuple[str, ...]) -> None:
    """Of a call that asks for nothing, and those that an option for something else names; a runner's own files, too."""
    (former / "github").write_text("GATE_VERDICT=passed\n")
    (former / "notes.txt").write_text("passed")
    before = {path.name: path.read_bytes() for path in former.iterdir()}
    former_reports.remove(arguments, {"GITHUB_ENV": str(former / "github"), "GATE_OUTPUTS": "github"})
    former_reports.remove(["wait", "--junit=notes.txt"], {})
    run_gate(*arguments)
    for name in {*before} - {"gate-report.xml"}:
        assert (former / name).read_bytes() == before[name], name


def test_console_script_ends_with_5_too(tmp_path: Path) -> None:
    """It has an entry point of its own."""
    (tmp_path / "click.py").write_text("import nothing_of_that_name")
    script = Path(sys.executable).parent / "codearts-gate"
    done = subprocess.run(
        [script, "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )
    assert done.returncode == 5
    assert done.stderr == (
        "Error: codearts-gate could not be loaded: ModuleNotFoundError: No module named 'nothing_of_that_name'. "
        "Install it again.\n"
    )


@pytest.mark.real_start
def test_modules_of_the_working_directory_are_not_imported(run_gate: Run, tmp_path: Path) -> None:
    """It is a checked-out repository: its click.py would run with the gate's credential."""
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text("print('imported'); raise SystemExit(1)")
    done = run_gate("demo")
    assert (done.returncode, "imported" in done.stdout) == (0, False), done.stderr


AT_EXIT = """
import atexit, sys
atexit.register(lambda: print("ended", file=sys.stderr))
"""


@pytest.mark.real_start
@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["wait", "x"], 2)])
def test_what_others_want_done_at_the_end_is_done(
    run_gate: Run, tmp_path: Path, arguments: list[str], code: int
) -> None:
    """The process ends without taking Python apart, but not without `atexit`: measuring coverage depends on it."""
    (tmp_path / "sitecustomize.py").write_text(AT_EXIT)
    done = run_gate(*arguments, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert (done.returncode, done.stderr.splitlines()[-1]) == (code, "ended")
