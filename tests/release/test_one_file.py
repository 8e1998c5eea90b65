"""`codearts-gate.pyz` is the whole program: it needs Python and nothing else, not even an environment or a home."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import trustme

from gate import __version__
from gate.core.wait import describe_bug
from tests.faults.faulty_simulator import FaultySimulator, Tls
from tests.helpers import environment
from tests.release_build import Release

pytestmark = pytest.mark.ci

Simulate = Callable[..., FaultySimulator]
Run = Callable[..., subprocess.CompletedProcess[str]]

PYTHON = Path(sys.executable).resolve()
"""Python itself, outside of the environment that the package is installed in."""


@pytest.fixture
def run(release: Release, tmp_path: Path) -> Iterator[Run]:
    """Return a function that runs the one file, alone in a folder, with nothing in its environment but `env`.

    What it puts into the folder for temporary files, it removes.
    """
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()
    shutil.copy(release.file("*.pyz"), work)

    def start(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PYTHON, "codearts-gate.pyz", *map(str, arguments)],
            cwd=work,
            env={"HOME": "", "TMPDIR": str(temporary), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    yield start
    assert list(temporary.iterdir()) == []


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return a private certificate authority."""
    return trustme.CA()


@pytest.fixture
def secure(simulate: Simulate, authority: trustme.CA) -> FaultySimulator:
    """Start a simulator that speaks https with a certificate of the private authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return simulate(["passing"], speed=100, tls=Tls(context=context))


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    """Return the file with the authority's certificate."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


def address(simulator: FaultySimulator) -> dict[str, str]:
    """Return the variables that lead the gate to a simulator."""
    pace = {"GATE_POLL_INTERVAL": "200ms", "GATE_MAX_RATE": "6000"}
    return {"GATE_ENDPOINT": simulator.endpoint, "GATE_TOKEN": simulator.token, **pace}


def test_demo_passes_from_one_file(run: Run, tmp_path: Path) -> None:
    """Nothing is installed: what it imports is in the file."""
    done = run("demo")
    assert (done.returncode, done.stdout.split()[0]) == (0, "passed"), done.stderr
    assert (tmp_path / "work" / "gate-report.xml").exists()


def test_version_is_that_of_the_package(run: Run) -> None:
    """The file says what it is, and calls itself by the program's name."""
    assert run("--version").stdout == f"codearts-gate {__version__}\n"
    assert "Usage: codearts-gate wait" in run("wait", "--help").stdout


def test_wait_over_tls_trusts_the_private_authority(run: Run, secure: FaultySimulator, bundle: Path) -> None:
    """TLS works from within the file, with the CA that is named."""
    done = run("wait", secure.jobs["passing"], "--poll-interval", "200ms", "--ca-bundle", bundle, env=address(secure))
    assert (done.returncode, done.stdout.split()[0]) == (0, "passed"), done.stderr


@pytest.mark.parametrize("command", ["wait", "doctor"])
def test_authority_that_nobody_knows_is_refused(run: Run, secure: FaultySimulator, command: str) -> None:
    """The usual CAs are read from within the file; a server that none of them vouches for gets no request."""
    done = run(command, secure.jobs["passing"], env=address(secure))
    assert done.returncode == 5
    assert "unable to get local issuer certificate" in done.stdout + done.stderr
    assert "--ca-bundle" in done.stdout + done.stderr


def test_doctor_checks_the_set_up_from_one_file(run: Run, secure: FaultySimulator, bundle: Path) -> None:
    """Every step is taken, TLS included."""
    done = run("doctor", secure.jobs["passing"], env=address(secure) | {"GATE_CA_BUNDLE": str(bundle)})
    assert done.returncode == 0, done.stdout + done.stderr


def test_result_as_json_is_whole(run: Run, secure: FaultySimulator, bundle: Path) -> None:
    """A program that reads stdout gets the one document."""
    env = address(secure) | {"GATE_CA_BUNDLE": str(bundle)}
    done = run("wait", "--json", secure.jobs["passing"], "--poll-interval", "200ms", env=env)
    assert json.loads(done.stdout)["exit_code"] == 0


def test_aksk_needs_no_package(run: Run, simulate: Simulate) -> None:
    """The vendor's signer is in the file."""
    simulator = simulate(["passing"], speed=100)
    env = environment(simulator, "aksk")
    done = run("wait", simulator.jobs["passing"], "--max-age", "10h", env=env)
    assert done.returncode == 0, done.stderr
    assert {entry.family for entry in simulator.journal.entries} == {"aksk"}


@pytest.mark.parametrize("is_compiled", [True, False])
def test_modules_are_taken_compiled_where_they_are_and_as_sources_elsewhere(
    release: Release, tmp_path: Path, is_compiled: bool
) -> None:
    """A Python that was not there at the build compiles the sources, as for every program of one file."""
    tag = sys.implementation.cache_tag
    copy = tmp_path / "copy.pyz"
    with zipfile.ZipFile(release.file("*.pyz")) as whole, zipfile.ZipFile(copy, "w") as part:
        names = [name for name in whole.namelist() if is_compiled or not name.startswith(f"{tag}/")]
        for name in names:
            part.writestr(name, whole.read(name))
    program = (
        "import atexit, runpy, sys; sys.argv = ['x', '--version']\n"
        "atexit.register(lambda: print(sys.modules['gate.cli.commands'].__file__, file=sys.stderr))\n"
        f"runpy.run_path({os.fspath(copy)!r}, run_name='__main__')"
    )
    done = subprocess.run([PYTHON, "-I", "-c", program], capture_output=True, text=True, check=True)
    found = Path(done.stderr.splitlines()[-1]).relative_to(copy).as_posix()
    assert found == (f"{tag}/gate/cli/commands.pyc" if is_compiled else "gate/cli/commands.py")


def test_bug_in_a_compiled_module_is_named_by_its_path() -> None:
    """What was compiled at the build has paths within the file."""
    bug = compile("1 / 0", "gate/core/poll.py", "exec")
    with pytest.raises(ZeroDivisionError) as caught:
        exec(bug)  # noqa: S102 - as it says above
    assert describe_bug(caught.value) == "a bug in the gate: ZeroDivisionError in gate/core/poll.py:1"


def test_old_python_is_told_what_is_needed(release: Release, tmp_path: Path) -> None:
    """A Python that is too old ends with 5, which is no verdict about the build, and one sentence."""
    program = (
        "import runpy, sys; sys.version_info = (3, 8, 1, 'final', 0); sys.argv = ['x'];"
        f" runpy.run_path({os.fspath(release.file('*.pyz'))!r}, run_name='__main__')"
    )
    done = subprocess.run([PYTHON, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (5, "codearts-gate needs Python 3.11 or newer; this is Python 3.8.\n")
