"""Tables of cases within one test.

A test of its own for each row of a table costs some milliseconds in the run, and again in each process that collects
it. So `parametrize` is for rows that take long, need fixtures of their own, or are run by name; this is for the rest.
"""

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 100


def each_row(names: str | tuple[str, ...], rows: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Call a test with each row of a table; the arguments are those of `pytest.mark.parametrize`.

    All rows are tried. Those that failed are raised as a group, each error with a note that names its row. Fixtures are
    shared by the rows, but for `monkeypatch`: each row has its own, undone after it.
    """
    columns = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names
    table = [row if len(columns) > 1 else (row,) for row in rows]
    assert table, "a table without rows tests nothing"

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        parameters = dict(inspect.signature(test).parameters)
        for name in columns:
            del parameters[name]
        patches = parameters.pop("monkeypatch", None) is not None

        def try_row(row: dict[str, Any], fixtures: dict[str, Any]) -> None:
            if not patches:
                test(**row, **fixtures)
                return
            with pytest.MonkeyPatch.context() as monkeypatch:
                test(**row, **fixtures, monkeypatch=monkeypatch)

        @functools.wraps(test)
        def try_all(**fixtures: Any) -> None:
            failed: list[BaseException] = []
            for number, values in enumerate(table, start=1):
                row = dict(zip(columns, values, strict=True))
                try:
                    try_row(row, fixtures)
                except (Exception, pytest.fail.Exception, BaseExceptionGroup) as error:  # the last of a table inside
                    error.add_note(f"Row {number} of {len(table)}: {_REPR.repr(row)}")
                    failed.append(error)
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} of {len(table)} rows failed", failed)

        try_all.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
        return try_all

    return decorate
