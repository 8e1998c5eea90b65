"""Signals at random moments of `run`: no order is sent after one, and no build of somebody else is stopped.

`python -m tests.end_to_end.signal_campaign 240` plays so many cases and prints what was counted.
"""

import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import trustme

from gate.simulator.exchange import Call
from tests.conftest import is_foreign
from tests.end_to_end.listeners import Heard, listening, proxy
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator, Tls
from tests.faults.journal import ORDERS, SIGN_IN
from tests.faults.response_faults import AlterAnswer, SlowAnswer
from tests.fork_server import start_gate
from tests.helpers import environment

SLOW = ("sign-in", "handshake", "proxy", "broken proxy", "order")
"""What takes its time. The connection that an order takes is slow by the second to fourth, and by the last of these it
is never established."""

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

ON_ITS_WAY = 0.3
"""Seconds after the signal within which an order may arrive that was sent before it: the machine may be busy."""

NAME = "codearts.test"
"""A host that only the proxy knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run and its signal, which comes some seconds after the slow part has begun for the nth time."""

    slow: str
    slow_seconds: float = 1.0
    begun: int = 1
    """How often the slow part has begun when the signal's time starts; 0: it starts with the process."""
    seconds: float = 0.2
    number: signal.Signals = signal.SIGTERM
    keep_running: bool = False


@dataclass(slots=True, kw_only=True)
class Seen:
    """What became of a case."""

    status: int
    err: str
    signalled: float
    """The instants of the signal and of the orders' arrival are those of the monotonic clock."""
    orders: list[float]
    stopped: list[int | None]

    def complaints(self, case: Case) -> Iterator[str]:
        """Say what must never be."""
        if self.status not in (128 + case.number, -case.number):
            yield f"exit status {self.status}"
        late = [arrived - self.signalled for arrived in self.orders]
        if any(seconds > ON_ITS_WAY for seconds in late):
            yield f"an order {max(late):.1f} s after the signal"
        if self.stopped not in ([], [58]) or (self.stopped and case.keep_running):
            yield f"stopped {self.stopped}"
        if not self.orders and "a build was ordered" in self.err:
            yield "an order is told that was never sent"
        if self.orders and not self.stopped and "58" not in self.err and "a build was ordered" not in self.err:
            yield "a build was left behind unnamed"


@dataclass(slots=True)
class SlowPart:
    """Notes when the slow part begins, and lets it last."""

    seconds: float
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self) -> None:
        """Last."""
        self.begun.release()
        time.sleep(self.seconds)


def play(case: Case) -> Seen:
    """Run the gate, send it the signal, and return what was seen."""
    slow_part, orders = SlowPart(case.slow_seconds), list[float]()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        simulator, env = simulator_of(case, slow_part, Path(folder), stack)
        simulator.faults.add(Fault(act=AlterAnswer(lambda answer: answer), operations=ORDERS, when=noting(orders)))
        options = ["--keep-running"] if case.keep_running else []
        process = start_gate(
            ["run", simulator.jobs["slow"], *options],
            env={name: value for name, value in os.environ.items() if not is_foreign(name)} | {"HOME": folder, **env},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.callback(process.kill)
        for _ in range(case.begun):
            slow_part.begun.acquire(timeout=10)
        time.sleep(case.seconds)
        signalled = time.monotonic()
        process.send_signal(case.number)
        _, err = process.communicate(timeout=60)
    stopped = [number for _, number in simulator.journal.stops]
    return Seen(status=process.returncode, err=err, signalled=signalled, orders=orders, stopped=stopped)


def noting(orders: list[float]) -> Callable[[Call], bool]:
    """Return a condition that never holds, and notes the instant of each request for which it is asked."""

    def note(_: Call) -> bool:
        orders.append(time.monotonic())
        return False

    return note


def simulator_of(
    case: Case, slow_part: SlowPart, folder: Path, stack: ExitStack
) -> tuple[FaultySimulator, Mapping[str, str]]:
    """Start the simulator of a case, whose job has a running build of somebody else; return the gate's variables too.

    Behind a slow connection each request takes a connection of its own, so that the order's is slow as well.
    """
    closing = AlterAnswer(lambda answer: replace(answer, headers={**answer.headers, "Connection": "close"}))
    if case.slow in ("sign-in", "order"):
        operations = (SIGN_IN,) if case.slow == "sign-in" else ORDERS
        fault = Fault(act=SlowAnswer(slow_part), operations=operations, times=None)
        simulator = stack.enter_context(FaultySimulator(["slow"], faults=[fault]))
        return simulator, environment(simulator, "password" if case.slow == "sign-in" else "token")
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", NAME).configure_cert(context)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    tls = Tls(context=context, pause=slow_part) if case.slow == "handshake" else Tls(context=context)
    simulator = stack.enter_context(FaultySimulator(["slow"], tls=tls, faults=[Fault(act=closing, times=None)]))
    env = environment(simulator, GATE_CA_BUNDLE=str(folder / "ca.pem"))
    if case.slow == "handshake":
        return simulator, env
    tunnel = proxy({NAME: int(simulator.endpoint.rpartition(":")[2])})

    def serve(connection: socket.socket, heard: Heard) -> None:
        breaks = case.slow == "broken proxy"
        is_for_order = bool(simulator.journal.of(*RECORD_ROUTES))  # the look at the newest build is the last before it
        if is_for_order or not breaks:
            slow_part()
        if not (is_for_order and breaks):
            tunnel(connection, heard)

    heard = stack.enter_context(listening("127.0.0.1", serve))
    return simulator, env | {"GATE_ENDPOINT": f"https://{NAME}", "HTTPS_PROXY": f"http://127.0.0.1:{heard.port}"}


def random_case(seed: int) -> Case:
    """Return a case; each kind of slowness comes up equally often."""
    chance = Random(seed)
    slow = SLOW[seed % len(SLOW)]
    slow_seconds = chance.uniform(0.5, 1.2)
    connects = slow in ("handshake", "proxy")
    begun = 0 if chance.random() < 0.2 else chance.randint(1, 4) if connects else 1
    return Case(
        slow=slow,
        slow_seconds=slow_seconds,
        begun=begun,
        seconds=chance.uniform(0, 2.0 if begun == 0 else slow_seconds * 1.3),
        number=chance.choice(SIGNALS),
        keep_running=chance.random() < 0.3,
    )


def main(count: int) -> int:
    """Play random cases, four at a time, and print what was counted; return 1 if something was wrong."""
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(4) as pool:
        cases = [random_case(seed) for seed in range(count)]
        for seed, (case, seen) in enumerate(zip(cases, pool.map(play, cases), strict=True)):
            before = "order before the signal" if seen.orders else "no order"
            counts[f"{case.slow}: {before}"] += 1
            counts["builds stopped"] += len(seen.stopped)
            for complaint in seen.complaints(case):
                counts["wrong"] += 1
                print(f"seed {seed}, {case}: {complaint}\n{seen.err}")
    for name in sorted(counts):
        print(f"{counts[name]:5} {name}")
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 24))
