"""The simulator in a process of its own: `python -m tests.bench.service COUNT SECONDS PER_MINUTE`.

Prints where it serves as one line of JSON; when its stdin ends, how each build was watched as another one.
"""

import dataclasses
import json
import sys

from tests.bench import crowd
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.quota import Quota


def main(count: int, seconds: float, per_minute: int) -> None:
    """Serve so many jobs, with a limit of calls, until stdin ends."""
    scenarios, verdicts = crowd.scenarios(count, seconds)
    with FaultySimulator(scenarios) as simulator:
        quota = Quota(per_minute, simulator.clock)
        simulator.faults.add(Fault(act=quota, times=None))
        place = {"endpoint": simulator.endpoint, "token": simulator.token, "jobs": dict(simulator.jobs)}
        print(json.dumps({**place, "verdicts": verdicts}), flush=True)
        sys.stdin.read()
        watched = {name: dataclasses.asdict(one) for name, one in crowd.watched(simulator).items()}
        print(json.dumps({"watched": watched, "refused": quota.refused}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
