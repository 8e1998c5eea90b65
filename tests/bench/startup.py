"""Start-up and memory: the gate beside bare imports, the vendor's SDK, botocore's waiter and the AWS CLI."""

import importlib.util
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench import table
from tests.bench.processes import GATE, Run, one_file, run
from tests.bench.standin import BUILD, JOB, Standin

BARE = "import requests, click"

SDK = """
from huaweicloudsdkcodeartsbuild.v3 import CodeArtsBuildClient, ShowJobStatusRequest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
client = CodeArtsBuildClient.new_builder().with_credentials(BasicCredentials("ak", "sk", "project"))
client.with_endpoint("{endpoint}").build().show_job_status(ShowJobStatusRequest(job_id="{job}"))
"""

BOTOCORE = """
import botocore.session
client = botocore.session.get_session().create_client("codedeploy", endpoint_url="{endpoint}")
client.get_waiter("deployment_successful").wait(deploymentId="d-1")
"""

AWS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}


class Program(NamedTuple):
    """A program to measure, and the module without which it cannot run."""

    command: Sequence[str]
    environment: Mapping[str, str] = {}
    needs: str = "requests"


def programs(endpoint: str) -> dict[str, Program]:
    """Return what is compared, by its name; the first is what the others are compared with."""

    def script(text: str) -> tuple[str, ...]:
        return sys.executable, "-c", text.format(endpoint=endpoint, job=JOB)

    wait = ("wait", "--endpoint", endpoint, "--junit", "report.xml", f"{JOB}:{BUILD}")
    aws = (str(Path(sys.executable).with_name("aws")), "deploy", "wait", "deployment-successful", "--deployment-id")
    return {
        f"`{BARE}`": Program(script(BARE)),
        "a script with one `requests.get`": Program(script("import requests; requests.get('{endpoint}/status')")),
        "codearts-gate wait": Program((*GATE, *wait), {"GATE_TOKEN": "x"}),
        "codearts-gate.pyz wait": Program((*one_file(), *wait), {"GATE_TOKEN": "x"}),
        "the vendor's SDK, one status call": Program(script(SDK), needs="huaweicloudsdkcodeartsbuild"),
        "botocore's waiter": Program(script(BOTOCORE), AWS, needs="botocore"),
        "aws deploy wait (AWS CLI)": Program((*aws, "d-1", "--endpoint-url", endpoint), AWS, needs="awscli"),
    }


def run_all(rounds: int) -> dict[str, list[tuple[float, Run]]]:
    """Run every program in turn, again and again; gives the seconds to the first request beside each run."""
    done: dict[str, list[tuple[float, Run]]] = {}
    with Standin() as standin:
        for turn in range(rounds + 1):
            for name, program in programs(standin.endpoint).items():
                if importlib.util.find_spec(program.needs) is None:
                    continue
                standin.asked.clear()
                finished = run(program.command, program.environment)
                if finished.code != 0:
                    raise RuntimeError(f"{name} ended with {finished.code}")
                first = standin.asked[0] - finished.started if standin.asked else math.nan
                if turn:  # the first round only warms up
                    done.setdefault(name, []).append((first, finished))
    return done


def report(rounds: int) -> None:
    """Measure and print the table."""
    done = run_all(rounds)
    bare = [finished for _, finished in next(iter(done.values()))]
    rows = []
    for name, runs in done.items():
        pairs = list(zip(runs, bare, strict=True))
        rows.append(
            (
                name,
                median(first for first, _ in runs) * 1000,
                median(first / base.seconds for (first, _), base in pairs),
                median(finished.seconds / base.seconds for (_, finished), base in pairs),
                median(finished.processor / base.processor for (_, finished), base in pairs),
                median(finished.megabytes for _, finished in runs),
                median(finished.megabytes / base.megabytes for (_, finished), base in pairs),
            )
        )
    heads = ("program", "first request, ms", "first : bare", "whole : bare", "CPU : bare", "peak MB", "MB : bare")
    note = "`: bare` is the ratio to the whole process of bare imports in the same round; medians of all rounds."
    table.show(f"Start-up and memory, {rounds} rounds", heads, rows, note)
