"""A table within a test tells of every row that failed, as tests of their own would."""

import os
import warnings

import pytest

from tests.tables import each_row


def test_each_row_that_fails_is_told_and_the_others_are_tried() -> None:
    """An assertion, an error that did not come, a warning, and any other error; in a table of a table, too."""
    tried = []

    @each_row("number, text", [(0, "a"), (1, "b"), (2, "c"), (3, "d"), (4, "e"), (5, "f")])
    @each_row("flag", [False, True])
    def table(number: int, text: str, flag: bool) -> None:
        tried.append((number, flag))
        assert number != 1, text
        if number == 2 and flag:
            with pytest.raises(KeyError):
                int(text, 16)
        if number == 3:
            warnings.warn("a warning is an error", stacklevel=1)
        if number == 4:
            raise ValueError(text)

    with pytest.raises(BaseExceptionGroup, match=r"4 of 6 rows failed") as caught:
        table()
    assert tried == [(number, flag) for number in range(6) for flag in (False, True)]
    notes = [group.__notes__ for group in caught.value.exceptions]
    assert notes == [[f"Row {n + 1} of 6: {{'number': {n}, 'text': '{text}'}}"] for n, text in enumerate("bcde", 1)]
    inner = [[error.__notes__[0] for error in group.exceptions] for group in caught.value.exceptions]
    assert inner[1] == ["Row 2 of 2: {'flag': True}"]
    assert [len(errors) for errors in inner] == [2, 1, 2, 2]


@each_row("value", ["a", "b"])
def test_rows_share_fixtures_but_for_what_is_patched(
    value: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a row has patched is undone before the next one."""
    assert tmp_path_factory.getbasetemp().is_dir()
    assert "A_VARIABLE_OF_A_ROW" not in os.environ
    monkeypatch.setenv("A_VARIABLE_OF_A_ROW", value)


def test_table_without_rows_is_a_mistake() -> None:
    """It would pass whatever the code does."""
    with pytest.raises(AssertionError, match="without rows"):
        each_row("value", [])
