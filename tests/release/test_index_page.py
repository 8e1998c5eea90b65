"""The page at the package index has links that lead somewhere, and no placeholder."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from gate import __version__
from tests.conftest import ROOT
from tests.tables import each_row


def load() -> ModuleType:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("index_page", ROOT / ".ci" / "index_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


index_page = load()


@each_row(
    ("text", "made"),
    [
        ("[a](b/c.md)", "[a](https://github.com/me/it/blob/v1/b/c.md)"),
        ("[a\nb](b.md#x)", "[a\nb](https://github.com/me/it/blob/v1/b.md#x)"),
        ("![a](b.svg)", "![a](https://raw.githubusercontent.com/me/it/v1/b.svg)"),
        ("[a](https://x.example/) [b](#c)", "[a](https://x.example/) [b](#c)"),
    ],
)
def test_link_to_a_file_leads_to_the_repository(text: str, made: str) -> None:
    """The index has README alone."""
    assert index_page.made_absolute(text, "me/it", "v1") == made


def test_page_of_this_version_is_fine_once_the_repository_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And before that, what is wrong with it is said."""
    (tmp_path / "gate").mkdir()
    for name in ("README.md", "pyproject.toml", "gate/__init__.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    before = list(index_page.problems("Name: x\n\n" + (tmp_path / "README.md").read_text()))
    assert len(before) > 10
    monkeypatch.setenv("GITHUB_REPOSITORY", "me/it")
    index_page.prepare(tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert list(index_page.problems("Name: x\n\n" + page)) == []
    assert f"uses: me/it@v{__version__}" in page
    assert "OWNER" not in (tmp_path / "pyproject.toml").read_text()


def test_extras_for_developers_are_refused() -> None:
    """Users would be offered them."""
    (problem,) = index_page.problems("Name: x\nProvides-Extra: aksk\nProvides-Extra: test\n\npage")
    assert "test" in problem
