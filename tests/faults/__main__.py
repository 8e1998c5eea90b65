"""`python -m tests.faults` plays the whole table and prints what came of it."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from tests.faults.table import Row, rows

AT_ONCE = 6


def main() -> int:
    """Print a line for each kind of row, and every problem; give 1 if there is one."""
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = sorted(pool.map(lambda play: play(), rows()), key=lambda row: row.kind)
    print(f"{'kind of row':<22}{'faults':>7}{'verdicts':>9}{'right':>7}{'s past the deadline':>21}{'MiB at most':>13}")
    for kind, group in groupby(played, key=lambda row: row.kind):
        print(line(kind, list(group)))
    print(line("all", played))
    print(f"in {time.monotonic() - started:.0f} s")
    problems = [f"{row.kind}: {', '.join(row.names)}: {problem}" for row in played for problem in row.problems]
    print("\n".join(problems))
    return int(bool(problems))


def line(kind: str, played: list[Row]) -> str:
    """Sum rows up."""
    verdicts, wrong = sum(len(row.verdicts) for row in played), sum(len(row.problems) for row in played)
    late, most = max(row.late for row in played), max(row.mebibytes for row in played)
    faults = sum(len(row.names) for row in played)
    return f"{kind:<22}{faults:>7}{verdicts:>9}{verdicts - wrong:>7}{late:>21.1f}{most:>13.0f}"


if __name__ == "__main__":
    sys.exit(main())
