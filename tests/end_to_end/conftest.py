"""What the tests of the program as a process share."""

import pytest

from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import Simulate


@pytest.fixture
def slow(simulate: Simulate) -> FaultySimulator:
    """Start a simulator whose build does not end."""
    return simulate(["slow"])
