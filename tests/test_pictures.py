"""The pictures show what the program shows today."""

from pathlib import Path

import pytest

from tests.pictures import PICTURES


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_picture_is_not_stale(path: Path) -> None:
    """`python -m tests.pictures` makes them anew."""
    assert path.read_text(encoding="utf-8") == PICTURES[path]()
