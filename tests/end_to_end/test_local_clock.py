"""A clock of this machine that jumps: what is old stays old, what is fresh is judged."""

from pathlib import Path

import pytest

from gate.simulator import sample_plans
from gate.simulator.scenarios import Scenario, Start
from tests.conftest import ROOT
from tests.helpers import RunGate, Simulate, environment

JUMPING = '''
import datetime, itertools

class Jumping(datetime.datetime):
    """Every other look at the clock finds it three days earlier, or later."""

    jumps = itertools.cycle([0, {days}])

    @classmethod
    def now(cls, tz=None):
        return datetime_now(tz) + datetime.timedelta(days=next(cls.jumps))

datetime_now = datetime.datetime.now
datetime.datetime = Jumping
'''


@pytest.mark.parametrize(
    ("days", "ended", "status"),
    [(-3, -1200, 5), (3, -1200, 5), (-3, -100, 0), (3, -100, 0)],
    ids=["stale, behind", "stale, ahead", "fresh, behind", "fresh, ahead"],
)
def test_jumps_make_no_old_result_fresh(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, days: int, ended: float, status: int
) -> None:
    """The service's own clock decides how old a build is; nothing jumps later."""
    (tmp_path / "sitecustomize.py").write_text(JUMPING.replace("{days}", str(days)))
    scenario = Scenario(name="past", starts=(Start(at=ended, plan=sample_plans.PASSING),))
    simulator = simulate([scenario])
    env = {**environment(simulator), "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = run_gate("wait", simulator.jobs["past"], "--appear-timeout", "500ms", env=env)
    assert done.returncode == status, done.stderr
