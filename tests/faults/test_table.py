"""The table of faults and moments, played through the program as a process. `python -m tests.faults` sums it up."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.catalogue import NAMED_FAULTS
from tests.faults.moments import WAITING
from tests.faults.table import rows

PARTS = 16
"""Parts that are played by themselves, so that workers share the table."""

AT_ONCE = 4
"""Rows that one worker plays at once: most of a row is waiting."""


@pytest.mark.ci  # minutes in all
@pytest.mark.parametrize("part", range(PARTS))
def test_no_fault_at_any_moment_fools_or_holds_the_gate(part: int) -> None:
    """Verdict, exit status, sentence, report and time are right, whatever the service does and whenever it does it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = list(pool.map(lambda play: play(), rows()[part::PARTS]))
    assert not [f"{row.kind}: {problem}" for row in played for problem in row.problems]


def test_table_covers_every_fault_at_several_moments() -> None:
    """Each fault strikes at every moment of a wait, and each kind of row has at least eight."""
    tried = [(play.func.__name__, fault.name) for play in rows() for fault in play.args]
    assert {name for kind, name in tried if kind == "wait_row"} == set(NAMED_FAULTS)
    assert len(WAITING) >= 7
    assert min(Counter(kind for kind, _ in tried).values()) >= 8
