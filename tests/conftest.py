"""What all tests share: a scrubbed environment, the program as a process, the simulator."""

import gc
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipapp
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from gate import former_reports
from gate.cli import commands
from tests import fork_server, worker_server

if TYPE_CHECKING:
    from tests.faults.faulty_simulator import FaultySimulator

for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    # Under nohup, and in a background job of a shell, a signal is ignored by the tests and by every process that they
    # start. A signal with a handler is reset when another program is started, so that it ends that program again.
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

ROOT = Path(__file__).parent.parent

# A busy machine is no defect, so an example has no deadline. CI tries more of them, see .ci/run.
for profile, examples in {"gate": 10, "ci": 150}.items():
    hypothesis.settings.register_profile(profile, deadline=None, derandomize=True, max_examples=examples)
hypothesis.settings.load_profile("gate")

FEW_EXAMPLES = 50


def with_few_examples(test: Callable[..., Any]) -> Callable[..., Any]:
    """Let a property test try a third of what CI tries otherwise: each of its examples takes a tenth of a second."""
    examples = min(hypothesis.settings().max_examples, FEW_EXAMPLES)
    return hypothesis.settings(max_examples=examples)(test)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are collected, and not among them later: each worker has them all."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[Any]) -> None:
    """Let workers be forked where that is sooner, unless coverage is measured: also of what is done at import."""
    if len(specs) > 2 and sys.platform == "linux" and not config.pluginmanager.hasplugin("_cov"):
        server = ExitStack()
        config.add_cleanup(server.close)
        python = server.enter_context(worker_server.running(config.invocation_params.args))
        for spec in specs:
            spec.python = python


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mix the files in the workers of pytest-xdist, each of which begins with a part of the list.

    In the order of their folders, the tests that compute would come first, and those that wait last.
    """
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: zlib.crc32(item.nodeid.partition("::")[0].encode()))


_OURS = ("GATE_", "HUAWEICLOUD_", "GITHUB_", "GITLAB_", "CI_", "JENKINS_", "RUNNER_", "INPUT_")
_OTHERS = ("CI", "BUILD_NUMBER", "BUILD_TAG", "BUILD_URL", "TERM", "NO_COLOR", "FORCE_COLOR", "NETRC", "PYTHONPATH")
_PYTHON = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")  # the first makes each start of the gate compile it anew
_NETWORK = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def is_foreign(name: str) -> bool:
    """Whether a variable of the host could change what the gate does."""
    return name.startswith(_OURS) or name in (*_OTHERS, *_PYTHON, *_NETWORK) or name.lower().endswith("_proxy")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that is every test's home: `empty_home` empties it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session", autouse=True)
def scrubbed(home: Path) -> Iterator[None]:
    """Run all tests in an environment without the host's settings; what a test sets, it sets with `monkeypatch`."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in os.environ if is_foreign(name)]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(home))
        yield


@pytest.fixture(autouse=True)
def empty_home(home: Path) -> Iterator[None]:
    """Run every test with an empty home."""
    yield
    for name in os.listdir(home):  # noqa: PTH208 - a path for each entry takes longer than all else here
        left_behind = home / name
        if left_behind.is_dir():
            shutil.rmtree(left_behind)
        else:
            left_behind.unlink()


@pytest.fixture
def simulate() -> "Iterator[Callable[..., FaultySimulator]]":
    """Return a function that starts a simulator, which is stopped after the test."""
    from tests.faults.faulty_simulator import FaultySimulator  # takes time that the controller of workers does not need

    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(FaultySimulator(*args, **kwargs))


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return address and sum of a stand-in for a release's one file, as the variables of the examples.

    It starts the gate of the Python that runs it, and is made at once.
    """
    folder = tmp_path_factory.mktemp("release")
    source = folder / "source"
    source.mkdir()
    (source / "__main__.py").write_text("from gate.__main__ import main\n\nmain()\n")
    target = folder / "codearts-gate.pyz"
    zipapp.create_archive(source, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    return {"CODEARTS_GATE_URL": target.as_uri(), "CODEARTS_GATE_SHA256": digest}


@pytest.fixture
def start_gate(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts the program as a process in `tmp_path`; one that is still running is killed.

    It is forked from a server that has imported everything, unless the run or the test (mark `real_start`) is about
    what happens before: see `tests/fork_server.py`.
    """
    is_real = request.node.get_closest_marker("real_start") is not None
    with ExitStack() as stack:

        def start(*arguments: object, env: Mapping[str, str] | None = None, **kwargs: Any) -> subprocess.Popen[str]:
            streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            options: dict[str, Any] = {"cwd": tmp_path, "text": True, "is_real": is_real} | streams | kwargs
            process = fork_server.start_gate(list(map(str, arguments)), env={**os.environ, **(env or {})}, **options)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def run_gate(start_gate: Callable[..., subprocess.Popen[str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the program to its end."""

    def run(*arguments: object, seconds: float = 30, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        process = start_gate(*arguments, **kwargs)
        out, err = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


@pytest.fixture
def run_here(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that carries out a command line in this process, and gives what `run_gate` gives.

    For calls that start no thread, such as wrong ones: it takes a third of a forked process.
    """

    def run(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        line = list(map(str, arguments))
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.chdir(tmp_path)
            for name, value in {"GATE_TIMEOUT": "5s", **(env or {})}.items():  # if the call is not refused after all
                monkeypatch.setenv(name, value)
            former_reports.remove(line, os.environ)
            status = commands.execute(line, time.monotonic())
        return subprocess.CompletedProcess(line, status, *capfd.readouterr())

    return run


@pytest.fixture
def run_gates(run_gate: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> Callable[..., Any]:
    """Return a function that runs the program several times at once, each time in a folder of its name.

    It takes the keywords of `run_gate`, with the arguments as `arguments`, by name, and returns the runs likewise.
    """

    def run(calls: Mapping[str, Mapping[str, Any]]) -> Mapping[str, subprocess.CompletedProcess[str]]:
        def run_one(name: str) -> subprocess.CompletedProcess[str]:
            (tmp_path / name).mkdir()
            options = {**calls[name]}
            return run_gate(*options.pop("arguments"), cwd=tmp_path / name, **options)

        with ThreadPoolExecutor(len(calls)) as pool:
            return dict(zip(calls, pool.map(run_one, calls), strict=True))

    return run
