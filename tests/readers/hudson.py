"""A Hudson server on loopback: the JUnit reader of a CI server, the one that Jenkins descends from."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests

from tests.tools import QUICK_START, java, java_archive

_START_SECONDS = 120
_BUILD_SECONDS = 60

_OPENED = (
    *(f"java.base/java.{name}" for name in ("io", "lang", "lang.ref", "lang.reflect", "net", "text", "util")),
    "java.base/java.util.concurrent",
    "java.desktop/java.awt",
    "java.desktop/java.awt.font",
)
"""Packages that Hudson reaches into by reflection, which Java closed after it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A freestyle job: a shell step, and the JUnit report that is published after it."""

    step: str
    parameters: Mapping[str, str]
    """Variables of the step that a build may set, and their defaults."""
    report: str = "gate-report.xml"

    def xml(self) -> str:
        """Return the job's configuration."""
        kind = "hudson.model.StringParameterDefinition"
        parameters = "".join(
            f"<{kind}><name>{escape(name)}</name><defaultValue>{escape(value)}</defaultValue></{kind}>"
            for name, value in self.parameters.items()
        )
        archiver = "hudson.tasks.junit.JUnitResultArchiver"
        return f"""<project>
  <properties><hudson.model.ParametersDefinitionProperty>
    <parameterDefinitions>{parameters}</parameterDefinitions>
  </hudson.model.ParametersDefinitionProperty></properties>
  <builders><hudson.tasks.Shell><command>{escape(self.step)}</command></hudson.tasks.Shell></builders>
  <publishers><{archiver}><testResults>{escape(self.report)}</testResults></{archiver}></publishers>
</project>"""


class Hudson:
    """A server that runs."""

    def __init__(self, home: Path, address: str) -> None:
        self._home = home
        self._address = address

    def workspace(self, job: str) -> Path:
        """Return the folder that the job's steps run in."""
        return self._home / "jobs" / job / "workspace"

    def order(self, job: str, **parameters: str) -> None:
        """Order a build."""
        url = f"{self._address}/job/{job}/buildWithParameters"
        requests.post(url, params=parameters, timeout=30, allow_redirects=False).raise_for_status()

    def ended(self, job: str, number: int) -> str:
        """Wait until a build has ended; return its result."""
        path = f"job/{job}/{number}/api/json"

        def result() -> Any:
            build = self._get(path)
            return build and not build["building"] and build["result"]

        return str(wait_for(result, _BUILD_SECONDS))

    def console(self, job: str, number: int) -> str:
        """Return what a build has printed so far."""
        return requests.get(f"{self._address}/job/{job}/{number}/consoleText", timeout=30).text

    def test_report(self, job: str, number: int) -> Any:
        """Return the test report of a build, as the REST interface has it."""
        return self._get(f"job/{job}/{number}/testReport/api/json")

    def _get(self, path: str) -> Any:
        """Return a document, or None while there is none."""
        answer = requests.get(f"{self._address}/{path}", timeout=30)
        return answer.json() if answer.status_code == 200 else None


@contextmanager
def hudson(folder: Path, jobs: Mapping[str, Job], environment: Mapping[str, str]) -> Iterator[Hudson]:
    """Run a server that has these jobs and hands this environment to their steps."""
    home, temporary, log = folder / "hudson", folder / "tmp", folder / "hudson.log"
    temporary.mkdir()
    for name, job in jobs.items():
        (home / "jobs" / name).mkdir(parents=True)
        (home / "jobs" / name / "config.xml").write_text(job.xml())
    (home / "config.xml").write_text(f"<hudson><numExecutors>{len(jobs)}</numExecutors></hudson>")
    manager = "org.eclipse.hudson.security.HudsonSecurityManager"
    (home / "hudson-security.xml").write_text(f"<{manager}><slaveAgentPort>-1</slaveAgentPort></{manager}>")

    with ExitStack() as stack:
        taken = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        taken.bind(("127.0.0.1", 0))  # where the server would announce itself to the network; it goes on without
        properties = {
            "hudson.DNSMultiCast.disabled": "true",
            "hudson.model.UpdateCenter.never": "true",
            "hudson.udp": taken.getsockname()[1],
            "java.awt.headless": "true",
            "java.io.tmpdir": temporary,
            "user.home": home,
        }
        command = [java(), *QUICK_START]
        command += [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED]
        command += [f"-D{name}={value}" for name, value in properties.items()]
        command += ["-cp", str(java_archive("hudson-war-3.3.2.war")), str(Path(__file__).with_name("Start.java"))]
        command += ["--httpListenAddress=127.0.0.1", "--httpPort=0", "--skipInitSetup"]
        process = subprocess.Popen(
            command,
            env={**environment, "HUDSON_HOME": str(home), "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=stack.enter_context(log.open("wb")),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        stack.callback(shutil.rmtree, home / "war", ignore_errors=True)  # 60 MB, which pytest would keep for three runs
        stack.callback(_kill_group, process)
        yield _started(process, home, log, jobs)


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End the server and the steps that still run."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _started(process: "subprocess.Popen[bytes]", home: Path, log: Path, jobs: Mapping[str, Job]) -> Hudson:
    """Wait until the server knows its jobs."""

    def said() -> str:
        text = log.read_text(errors="replace")
        assert process.poll() is None, text
        return text

    port = wait_for(lambda: re.search(r"Started ServerConnector.*\{127\.0\.0\.1:(\d+)\}", said()), _START_SECONDS)[1]
    server = Hudson(home, f"http://127.0.0.1:{port}")
    wait_for(lambda: said() and all(server._get(f"job/{name}/api/json") for name in jobs), _START_SECONDS)
    return server


def wait_for(look: Callable[[], Any], seconds: float) -> Any:
    """Return the first true value that `look` returns."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)
    return found
