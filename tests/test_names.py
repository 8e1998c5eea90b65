"""One name for one thing: modules and classes of the package can be told apart by their names alone."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

MODULES = sorted((ROOT / "gate").rglob("*.py"))


def shared(names: Iterator[tuple[str, Path]]) -> dict[str, list[str]]:
    """Return the names that stand in more than one file."""
    files = defaultdict(list)
    for name, path in names:
        files[name].append(str(path.relative_to(ROOT)))
    return {name: paths for name, paths in files.items() if len(paths) > 1}


def classes() -> Iterator[tuple[str, Path]]:
    """Return every public class of the package."""
    for path in MODULES:
        for name in re.findall(r"^class ([^\W_]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE):
            yield name, path


def test_no_two_modules_have_one_name() -> None:
    """Packages aside, a module's name alone says which one is meant."""
    assert shared((path.name, path) for path in MODULES if not path.name.startswith("__")) == {}


def test_no_two_public_classes_have_one_name() -> None:
    """Also not in packages that never import each other: both turn up in one search."""
    assert len(list(classes())) > 50
    assert shared(classes()) == {}


def test_package_imports_nothing_of_the_tests() -> None:
    """The package that ships has to work without them, also in a module that nothing imports yet."""
    assert [path for path in MODULES if re.search(r"^\s*(from|import) tests\b", path.read_text(), re.MULTILINE)] == []
