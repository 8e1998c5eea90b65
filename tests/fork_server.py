"""Starts the program without starting Python: a server that has imported everything, and forks for each run.

A run costs a tenth of a real start then. What it does after its imports is the same: the forked process has the
arguments, environment, folder, streams, signals and exit of a started one, and is the child of the test's process,
which waits for it and signals it as always. What Python reads or does before the program's first line is not the same:
variables that it reads then lead to a real start (`BEFORE_MAIN`), and tests about it bear the mark `real_start` or
start Python themselves. What a test needs done in the process before the program runs, such as a limit or a closed
stream, it gives as source (`before`).

Half of what a forked run takes is the copying of memory pages that it changes, at 3 microseconds each, and most of the
rest was what each run made anew, such as regular expressions. So the server carries out some runs itself before it
serves (`warm_up`).
"""

import _thread
import atexit
import contextlib
import ctypes
import faulthandler
import gc
import importlib
import io
import json
import os
import pkgutil
import platform
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

ALSO_IMPORTED = (
    "encodings.idna", "http.server", "huaweicloudsdkcore.sdk_request", "huaweicloudsdkcore.signer.signer", "junit_xml",
    "stringprep", "xml.dom.minidom",
)  # fmt: skip
"""What the program imports only where it is used, besides its own modules."""

BEFORE_MAIN = ("PYTHON", "LC_", "LANG", "LD_")
"""How the names of the variables begin that Python or the linker read before the program's first line."""

WARM_UPS = 2
"""How often the server carries out the runs of `warm_up`."""

AS_MODULE = "import runpy; runpy.run_module('gate', run_name='__main__', alter_sys=True)"
"""Runs the program, as `python -m gate` would."""

CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine()) if sys.platform == "linux" else None
"""The number of clone(2) on this machine, where it is known."""

CLONE_PARENT = 0x8000
"""The flag by which the new process is no child of its maker but another child of its maker's parent."""


class ForkServer:
    """The server's process, which is started with the first request and ends when this process does."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._requests: socket.socket | None = None

    def _start(self) -> socket.socket:
        """Start the server and return the connection to it."""
        ours, theirs = socket.socketpair()
        ours.settimeout(60)  # the program that the server warms up with may be broken
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-m", "tests.fork_server", str(number)]
            env = {**os.environ, "PYTHONPATH": str(ROOT)}
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, pass_fds=[number])
        atexit.register(process.wait)
        atexit.register(ours.close)  # before the wait: functions are called in the reverse order
        return ours

    def fork(self, request: Mapping[str, Any], streams: Sequence[int]) -> int:
        """Start a run with these three streams and return the id of its process, a child of this one."""
        data = json.dumps(request).encode()
        with self._lock:
            self._requests = self._requests or self._start()
            socket.send_fds(self._requests, [len(data).to_bytes(8)], streams)
            self._requests.sendall(data)
            return int.from_bytes(receive(self._requests, 8))


SERVER = ForkServer()
"""The fork server of this process."""


class ForkedGate(subprocess.Popen[str]):
    """A run of the program that was forked, with the arguments behind `-m gate`."""

    def __init__(self, arguments: Sequence[str], *, before: str, **options: Any) -> None:
        """Start it; see `start_gate`."""
        self._before = before
        super().__init__(arguments, **options)

    # The one place where a `Popen` makes its process; the standard library has no public seam for it.
    def _execute_child(self, args: Any, *rest: Any) -> None:
        _, _, _, _, cwd, env, _, _, _, *pipes = rest[:15]
        child_in, _, _, child_out, _, child_err = pipes
        streams = [given if given >= 0 else own for own, given in enumerate((child_in, child_out, child_err))]
        request = {
            "arguments": list(map(os.fspath, args)),
            "env": dict(env),
            "cwd": os.fspath(cwd),
            "before": self._before,
        }
        try:
            self.pid = SERVER.fork(request, streams)
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def start_gate(
    arguments: Sequence[str], *, env: Mapping[str, str], is_real: bool = False, before: str = "", **options: Any
) -> "subprocess.Popen[str]":
    """Start the program with these arguments and this environment, forked where that makes no difference.

    `before`: Python source that the process carries out before the program, such as a limit on itself.
    `options`: those of `subprocess.Popen`; a run with others than these needs a real start.
    """
    names = [name for name in env if name.startswith(BEFORE_MAIN) and env[name] != os.environ.get(name)]
    special = options.keys() - {"cwd", "stdin", "stdout", "stderr", "text"}
    if is_real or names or special or CLONE is None:
        env = {"PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1", **env}
        program = ["-c", f"{before}\n{AS_MODULE}"] if before else ["-m", "gate"]
        return subprocess.Popen([sys.executable, *program, *arguments], env=env, **options)
    return ForkedGate(arguments, env=env, before=before, **options)


def receive(connection: socket.socket, size: int) -> bytes:
    """Read so many bytes."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError("the fork server has ended")
        data += piece
    return data


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Answer requests until their sender has gone; in each forked process, return its request."""
    while True:
        head, streams, _, _ = socket.recv_fds(requests, 8, 3)
        if not head:
            return None
        data = receive(requests, int.from_bytes(head))
        process = fork_sibling()
        if not process:
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            os.closerange(3, 1 + max(requests.detach(), *streams))
            return dict(json.loads(data))
        for stream in streams:
            os.close(stream)
        requests.sendall(process.to_bytes(8))


def fork_sibling() -> int:
    """Do what `os.fork` does, but make the new process a child of this one's parent."""
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    process = python.syscall(CLONE, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if process:
        python.PyOS_AfterFork_Parent()
    else:
        python.PyOS_AfterFork_Child()
    if process < 0:
        raise OSError("the server could not be forked")
    return int(process)


def run_gate(request: Mapping[str, Any]) -> None:
    """Run the program in this process, as `python -m gate` would."""
    faulthandler.enable()
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["cwd"])
    sys.argv[1:] = request["arguments"]
    sys.path[0] = request["cwd"]  # as `-m` does
    exec(request["before"], {})  # noqa: S102 - the tests' own
    runpy.run_module("gate", run_name="__main__", alter_sys=True)


def warm_up() -> None:
    """Carry out some runs, so that what a process makes or loads once is there in each forked one.

    Nothing else is left of them: no thread, no open file, no variable.
    """
    from gate import app
    from gate.cli.commands import execute
    from gate.runtime.workers import WorkerPool
    from gate.simulator.simulator import Simulator

    class EndingPool(WorkerPool):
        """A pool whose threads end with it."""

        def close(self) -> None:
            for _ in range(self._threads):
                self._calls.put((0, _thread.exit))
            super().close()

    streams, folder, variables = (sys.stdout, sys.stderr), Path.cwd(), dict(os.environ)
    before = left_to_forked_processes()
    vars(app)["WorkerPool"] = EndingPool
    with tempfile.TemporaryDirectory() as empty, Simulator(speed=1000) as simulator:
        os.chdir(empty)
        sys.stdout = sys.stderr = io.StringIO()
        os.environ.clear()  # a CI system's variables name files that the program would write
        os.environ.update({"HOME": empty, "GATE_ENDPOINT": simulator.endpoint, "GATE_TOKEN": simulator.token})
        os.environ["GATE_POLL_INTERVAL"] = "200ms"  # a build that has not ended at the first poll soon has
        job = next(iter(simulator.jobs.values()))
        for arguments in [["wait", "--no-such-option"], ["wait", "x"], ["wait", f"{job}:57"]] * WARM_UPS:
            execute(arguments, time.monotonic())
    vars(app)["WorkerPool"] = WorkerPool
    sys.stdout, sys.stderr = streams
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    gc.unfreeze()  # a run freezes what the one before has left
    gc.collect()
    deadline = time.monotonic() + 30
    while (now := left_to_forked_processes()) != before:
        if time.monotonic() > deadline:
            raise RuntimeError(f"a run has left a thread or an open file: {before} threads and files became {now}")
        time.sleep(0.001)


def left_to_forked_processes() -> tuple[int, int]:
    """Return how many threads and how many open files this process has."""
    threads, files = (len(list(Path(f"/proc/self/{kind}").iterdir())) for kind in ("task", "fd"))
    return threads, files


def main() -> None:
    """Import everything, then serve on the socket whose number is the argument."""
    import gate

    for module in pkgutil.walk_packages(gate.__path__, "gate."):
        if module.name != "gate.__main__":  # is run, not imported
            importlib.import_module(module.name)
    for name in ALSO_IMPORTED:
        with contextlib.suppress(ImportError):  # the vendor's signer is an extra
            importlib.import_module(name)
    warm_up()
    gc.freeze()  # so that looking for garbage copies no pages
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        run_gate(request)


if __name__ == "__main__":
    main()
