"""The signal that stops the gate for a while."""

import os
import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT

if sys.platform == "win32":
    pytest.skip("Windows has no such signal", allow_module_level=True)

SUSPENDED = """
import os, signal
from gate.runtime import signals
with signals.suspension(lambda: print("prepared", flush=True)):
    os.kill(os.getpid(), signal.SIGTSTP)
    print("goes on", flush=True)
    os.kill(os.getpid(), signal.SIGTSTP)
print(signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL, flush=True)
"""


def test_process_prepares_before_ctrl_z_stops_it() -> None:
    """It is really stopped, each time, as the shell takes the terminal back then."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUSPENDED], cwd=ROOT, process_group=0, stdout=subprocess.PIPE, text=True
    )
    for _ in range(2):
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=10)[0] == "prepared\ngoes on\nprepared\nTrue\n"
