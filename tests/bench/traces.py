"""Durations of builds, in order: recorded ones from a folder, or made-up ones."""

import csv
import random
from collections.abc import Sequence
from pathlib import Path

Traces = dict[str, Sequence[float]]


def recorded(folder: Path) -> Traces:
    """Read every CSV file with a column `duration_seconds`; whole seconds are spread over their second."""
    traces: Traces = {}
    for file in sorted(folder.glob("*.csv")):
        chance = random.Random(file.stem)
        with file.open(newline="", encoding="utf-8") as rows:
            traces[file.stem] = [float(row["duration_seconds"]) - 0.5 + chance.random() for row in csv.DictReader(rows)]
    return traces


def synthetic(builds: int) -> Traces:
    """Make up jobs of several kinds, the same ones every time."""
    chance = random.Random("synthetic")

    def around(seconds: float, spread: float) -> float:
        return seconds * chance.lognormvariate(0, spread)

    def early(seconds: float, share: float, spread: float) -> float:
        return chance.uniform(5, seconds) if chance.random() < share else around(seconds, spread)

    return {
        "regular": [around(600, 0.1) for _ in range(builds)],
        "early failures": [early(600, 0.3, 0.15) for _ in range(builds)],
        "short": [around(60, 0.25) for _ in range(builds)],
        "two kinds": [around(90 if chance.random() < 0.5 else 900, 0.1) for _ in range(builds)],
        "jumps": [around((300, 700, 450)[index * 9 // builds % 3], 0.1) for index in range(builds)],
        "wild": [around(500, 1.0) for _ in range(builds)],
    }
