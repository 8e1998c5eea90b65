"""How the action installs itself: what a runner may have that is in its way, and what is left when it does not work."""

import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gate.reports.result import DOTENV_NAMES
from tests.action.driver import Driver, Step
from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import wait_for
from tests.tools import tool

pytestmark = pytest.mark.ci

_spec = importlib.util.spec_from_file_location("install", ROOT / ".github" / "install.py")
assert _spec is not None
assert _spec.loader is not None
installer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(installer)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Driver]:
    """Return a driver on a runner on which nothing is installed, and a former run has left its results."""
    (tmp_path / "gate-report.xml").write_text('<testsuite name="app" tests="1"><testcase name="build"/></testsuite>')
    (tmp_path / "gate.env").write_text("GATE_VERDICT=passed\nGATE_EXIT_CODE=0\n")
    (tmp_path / "summary.md").write_text("## codearts-gate: passed\n")
    with ExitStack() as stack:
        yield Driver(stack, tmp_path, tmp_path)


def assert_results_are_no_pass(driver: Driver, step: Step, verdict: str, words: str) -> None:
    """Whatever a later step, a reporter or a person reads says the same: this run is no pass, and why."""
    code = str(step.exit)
    results = json.loads(step.outputs["results"])
    assert (step.outputs["verdict"], step.outputs["exit-code"]) == (verdict, code)
    assert (results["verdict"], str(results["exit_code"]), results["targets"]) == (verdict, code, [])
    (annotation,) = step.of("error")
    assert words in annotation[2]
    assert words in step.summary
    (case,) = ET.parse(driver.workspace / step.outputs["report"]).iter("testcase")
    error = case.find("error")
    assert error is not None
    assert error.text == error.get("message") == annotation[2]
    variables = dict(line.split("=", 1) for line in (driver.workspace / "gate.env").read_text().splitlines())
    assert set(variables) == set(DOTENV_NAMES.values())
    assert (variables["GATE_VERDICT"], variables["GATE_EXIT_CODE"]) == (verdict, code)
    assert f"codearts-gate: {verdict}" in (driver.workspace / "summary.md").read_text()


FILES = {"outputs": "gate.env", "summary": " summary.md\n"}


def test_python_that_is_too_old_or_missing_is_said_clearly(bare: Driver, tmp_path: Path) -> None:
    """Nothing is installed, and the annotation says what is there and what to do."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "bash").symlink_to(tool("bash"))
    old = folder / "python3"
    missing = bare.run({"PATH": str(folder)}, targets="none", **FILES)
    assert missing.exit == 5
    assert_results_are_no_pass(
        bare, missing, "undetermined", "python3 is missing. Put a step with actions/setup-python"
    )
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.10.4\n')
    old.chmod(0o755)
    too_old = bare.run({"PATH": str(folder)}, targets="none", **FILES)
    assert too_old.exit == 5
    assert_results_are_no_pass(bare, too_old, "undetermined", "python3 is Python 3.10.4. Put a step")
    assert not (tmp_path / "codearts-gate").exists()


@pytest.mark.parametrize("inputs", [{"command": "simulate; id"}, {"json": "perhaps"}], ids=["command", "flag"])
def test_wrong_call_leaves_no_former_result(bare: Driver, inputs: Mapping[str, str]) -> None:
    """A step after `continue-on-error` sees no empty verdict, and a reporter no old pass."""
    step = bare.run(targets="none", **FILES, **inputs)
    assert step.exit == 2
    assert_results_are_no_pass(bare, step, "undetermined", f"The input '{next(iter(inputs))}' must be ")


def test_installation_that_fails_is_undetermined_and_says_why(bare: Driver) -> None:
    """The runner's wish for no index is kept, so that nothing is found; the code 5 is not that of a failed build."""
    step = bare.run({"PIP_NO_INDEX": "true", "PIP_FIND_LINKS": str(bare.temp)}, targets="none", **FILES)
    assert step.exit == 5, step.log
    assert_results_are_no_pass(bare, step, "undetermined", "PIP_NO_INDEX")
    assert "The packages in requirements.txt could not be installed." in step.summary
    assert any("No matching distribution found" in line for line in step.log)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_job_that_is_cancelled_while_the_action_installs_itself_starts_no_build(
    simulate: Callable[..., FaultySimulator], bare: Driver, number: signal.Signals, code: int
) -> None:
    """The runner's signal, which comes to the shell alone, ends the installation and the step, and pip with them."""
    simulator = simulate(["passing"])
    inputs = {"endpoint": simulator.endpoint, "token": simulator.token, "targets": simulator.jobs["passing"]}
    process = bare.start(command="run", **inputs, **FILES)
    wait_for(lambda: list(bare.temp.glob("codearts-gate/*/pyvenv.cfg")), seconds=60)
    if number is signal.SIGINT:
        process.send_signal(number)
    else:
        os.kill(
            next(pid for pid, command in processes() if "script.sh" in command and str(bare.temp) in command), number
        )
    step = bare.finish(process)
    assert step.exit == code
    assert_results_are_no_pass(bare, step, "interrupted", "no build was started")
    assert list(simulator.journal.entries) == []
    wait_for(lambda: not [command for _, command in processes() if str(bare.temp) in command], seconds=5)


def processes() -> Iterator[tuple[int, str]]:
    """Return the ids and command lines of the processes of this machine."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def test_runners_settings_of_pip_lead_the_installation_nowhere_else(driver: Driver) -> None:
    """With all of them the action was installed for these tests, in its own environment, and nothing is beside it."""
    assert driver.run(targets="none").exit == 2
    assert not [name for name in ("root", "prefix", "target") if (driver.temp / name).exists()]


def test_only_settings_about_reaching_an_index_are_kept() -> None:
    """Each counts as it does for pip: a variable more than the file's section `install`, that more than `global`."""
    listing = """\
:env:.index-url='https://someone:secret@index.example/simple'
:env:.require-hashes='1'
global.cert='/etc/ca.pem'
global.index-url='https://global.example/simple'
global.timeout='3'
install.timeout='5'
install.user='true'
"""
    assert installer.kept_settings(listing) == {
        "PIP_CERT": "/etc/ca.pem",
        "PIP_INDEX_URL": "https://someone:secret@index.example/simple",
        "PIP_TIMEOUT": "5",
    }


@pytest.fixture
def refusing_index() -> Iterator[str]:
    """Return the address of a package index that refuses access."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(403)

        def log_message(self, *args: object) -> None:
            """Keep stderr for pip."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


def explanation(folder: Path, digest: str, variables: Mapping[str, str], *, no_index: bool = False) -> str:
    """Let pip fail for real to install a package with this hash, and return what the action would say."""
    (folder / "a.lock").write_text(f"a==1 --hash=sha256:{digest}")
    command = [sys.executable, "-I", "-m", "pip", "install", "--require-hashes", "--target", "x", "--log", "pip.log"]
    done = subprocess.run(
        [*command, "-r", "a.lock"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", **variables},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    reason: str = installer.explain((folder / "pip.log").read_text(), no_index=no_index)
    return reason


def test_index_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    """Nobody listens at the port."""
    reason = explanation(tmp_path, "0" * 64, {"PIP_INDEX_URL": "http://127.0.0.1:9/simple"})
    assert reason.startswith("This runner does not reach the package index; set PIP_INDEX_URL")
    assert reason.endswith("pip says: No matching distribution found for a==1")


def test_index_that_refuses_access_is_said(tmp_path: Path, refusing_index: str) -> None:
    """An index that wants a password is no index that cannot be reached."""
    reason = explanation(tmp_path, "0" * 64, {"PIP_INDEX_URL": refusing_index})
    assert reason.startswith("The package index refuses access; see PIP_INDEX_URL.")


def test_package_that_no_folder_has_is_said(tmp_path: Path) -> None:
    """Without an index, the folder with wheels is the thing to look at."""
    variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    reason = explanation(tmp_path, "0" * 64, variables, no_index=True)
    assert reason.startswith("pip is told to use no package index (PIP_NO_INDEX)")


def test_package_with_another_hash_is_said(tmp_path: Path) -> None:
    """A mirror that has rebuilt a wheel is named as the cause."""
    with zipfile.ZipFile(tmp_path / "a-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: a\nVersion: 1\n")
    variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    digest = hashlib.sha256(b"another").hexdigest()
    reason = explanation(tmp_path, digest, variables)
    assert reason.startswith("The package index serves other files than the lock names.")


def test_cause_that_nobody_foresaw_is_pips_own_last_error() -> None:
    """What is not known is quoted, not guessed."""
    said = "Could not install packages due to an OSError: [Errno 5] Input/output error"
    log = f"2026-11-25T17:40:01,123 ERROR: {said}\n2026-11-25T17:40:01,130 Remote version of pip: 26.1\n"
    assert installer.explain(log, no_index=False) == f"pip says: {said}"
    assert installer.explain("", no_index=False) == "pip says: nothing"


def test_environment_that_cannot_be_made_names_the_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian and Ubuntu deliver Python without `ensurepip` until python3-venv is installed."""

    def without_ensurepip(self: object, folder: Path) -> None:
        raise subprocess.CalledProcessError(1, ["python", "-m", "ensurepip"], b"No module named ensurepip\n")

    monkeypatch.setattr(installer.venv.EnvBuilder, "create", without_ensurepip)
    monkeypatch.setattr(installer, "find_spec", lambda _: None)
    with pytest.raises(installer.InstallationFailed, match="on Debian and Ubuntu, install python3-venv"):
        installer.Environment(tmp_path / "venv")


def test_environment_with_the_layout_of_windows_is_used(driver: Driver, tmp_path: Path) -> None:
    """The installation itself says where its Python is: Windows has it in another folder and under another name."""
    (made,) = (path.parent for path in driver.temp.glob("codearts-gate/*-requirements.txt/ready"))
    folder = tmp_path / "codearts-gate" / made.name
    (folder / "Scripts").mkdir(parents=True)
    program = folder / "Scripts" / "python.exe"
    program.symlink_to(Path((made / "ready").read_text().strip()).resolve())
    (folder / "pyvenv.cfg").write_text((made / "pyvenv.cfg").read_text())
    (folder / "lib").symlink_to(made / "lib")
    (folder / "ready").write_text(f"{program}\n")
    with ExitStack() as stack:
        step = Driver(stack, tmp_path, tmp_path).run(targets="none")
    assert step.exit == 2
    assert "none" in step.of("error")[0][2]
