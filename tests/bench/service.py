"""The simulator in a process of its own: `python -m tests.bench.service COUNT SECONDS PER_MINUTE [--numbered]`.

With `--numbered`, the jobs have no past, and each has build 1 under way. Prints where it serves as one line of JSON;
when its stdin ends, how each build was watched as another one.
"""

import argparse
import dataclasses
import json
import sys

from tests.bench import crowd
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.list_faults import PROJECT_LISTS
from tests.faults.quota import Quota


def main() -> None:
    """Serve so many jobs, with a limit of calls, until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("per_minute", type=int)
    parser.add_argument("--numbered", action="store_true")
    given = parser.parse_args()
    make = crowd.numbered if given.numbered else crowd.scenarios
    scenarios, verdicts = make(given.count, given.seconds)
    with FaultySimulator(scenarios) as simulator:
        quota = Quota(given.per_minute, simulator.clock)
        simulator.faults.add(Fault(act=quota, times=None))
        place = {"endpoint": simulator.endpoint, "token": simulator.token, "jobs": dict(simulator.jobs)}
        print(json.dumps({**place, "verdicts": verdicts}), flush=True)
        sys.stdin.read()
        watched = {name: dataclasses.asdict(one) for name, one in crowd.watched(simulator).items()}
        lists = len(simulator.journal.of(*PROJECT_LISTS))
        print(json.dumps({"watched": watched, "refused": quota.refused, "lists": lists}))


if __name__ == "__main__":
    main()
