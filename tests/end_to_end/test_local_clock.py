"""A clock of this machine that jumps: what is old stays old, what is fresh is judged."""

import pytest

from gate.simulator import sample_plans
from gate.simulator.scenarios import Scenario, Start
from tests.helpers import RunGate, Simulate, environment

JUMPING = '''
import datetime, itertools, sys

class Jumping(datetime.datetime):
    """Every other look at the clock finds it three days earlier, or later."""

    jumps = itertools.cycle([0, {days}])

    @classmethod
    def now(cls, tz=None):
        return datetime_now(tz) + datetime.timedelta(days=next(cls.jumps))

genuine = datetime.datetime
datetime_now = genuine.now
datetime.datetime = Jumping
for module in list(sys.modules.values()):  # those that are imported already
    if getattr(module, "datetime", None) is genuine:
        module.datetime = Jumping
'''


@pytest.mark.parametrize(
    ("days", "ended", "status"),
    [(-3, -1200, 5), (3, -1200, 5), (-3, -100, 0), (3, -100, 0)],
    ids=["stale, behind", "stale, ahead", "fresh, behind", "fresh, ahead"],
)
def test_jumps_make_no_old_result_fresh(
    simulate: Simulate, run_gate: RunGate, days: int, ended: float, status: int
) -> None:
    """The service's own clock decides how old a build is; nothing jumps later."""
    before = JUMPING.replace("{days}", str(days))
    scenario = Scenario(name="past", starts=(Start(at=ended, plan=sample_plans.PASSING),))
    simulator = simulate([scenario])
    options = ("--appear-timeout", "500ms")
    done = run_gate("wait", simulator.jobs["past"], *options, env=environment(simulator), before=before)
    assert done.returncode == status, done.stderr
