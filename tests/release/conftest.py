"""What a release consists of, for the tests in this folder."""

import pytest

from tests.release_build import Release, build_once


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return what the build made, twice."""
    return build_once(tmp_path_factory)
