"""The page at the package index: made from README.md when a release is built, and checked in what was built.

    python3 .ci/index_page.py WHEEL     fails on what would be wrong on the page

The index shows README.md alone, so that its links to files lead nowhere there, and nobody knows before the build which
repository it is: the tracked files say OWNER. `GITHUB_REPOSITORY`, which GitHub Actions sets, has it.
"""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

PLACEHOLDER = "OWNER/codearts-gate"
"""Stands for the repository in tracked files."""

PUBLIC_EXTRAS = {"aksk"}
"""What users may add to the package."""

RELATIVE = re.compile(r"(!?)(\[[^\]]*\])\((?![a-z]+:|#)([^)\s]+)\)")
"""A link in Markdown to a file of the repository, or the picture in one."""


def repository() -> str | None:
    """Return the repository as `OWNER/NAME`; `None` if nothing tells it."""
    if name := os.environ.get("GITHUB_REPOSITORY"):
        return name
    done = subprocess.run(["git", "remote", "get-url", "origin"], capture_output=True, text=True, check=False)
    match = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?$", done.stdout.strip())
    return match and match[1]


def made_absolute(text: str, name: str, tag: str) -> str:
    """Return Markdown in which each link to a file leads to the file of that tag in the repository `name`."""

    def absolute(match: re.Match[str]) -> str:
        bang, label, path = match.groups()
        base = f"https://raw.githubusercontent.com/{name}/{tag}" if bang else f"https://github.com/{name}/blob/{tag}"
        return f"{bang}{label}({base}/{path})"

    return RELATIVE.sub(absolute, text)


def prepare(source: Path) -> None:
    """Let README.md and pyproject.toml in a copy of the tracked files speak of the repository, if it is known.

    What is built without it works as well, but the check of a release refuses it.
    """
    name = repository()
    if name is None:
        return
    version = re.search(r'^__version__ = "(.*)"$', (source / "gate" / "__init__.py").read_text(), re.MULTILINE)
    assert version is not None
    for path in (source / "README.md", source / "pyproject.toml"):
        text = path.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
        if path.suffix == ".md":
            text = made_absolute(text, name, f"v{version[1]}")
        path.write_text(text, encoding="utf-8")


def problems(metadata: str) -> Iterator[str]:
    """Return what would be wrong on the page of a package with this metadata."""
    message = HeaderParser().parsestr(metadata)
    page = str(message.get_payload())
    for match in RELATIVE.finditer(page):
        yield f"a link leads nowhere: {match[0]}"
    if re.search(r"\bOWNER\b|\bTODO\b|\bFIXME\b", metadata):
        yield "a placeholder is left: OWNER, TODO or FIXME"
    if extras := set(message.get_all("Provides-Extra", [])) - PUBLIC_EXTRAS:
        yield f"extras that are of no use to users: {', '.join(sorted(extras))}"
    if not page.strip():
        yield "there is no page"


def main() -> None:
    """Check the wheel that is named on the command line."""
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        found = list(problems(wheel.read(name).decode()))
    if found:
        hint = "" if repository() else "\nBuild with GITHUB_REPOSITORY set to OWNER/NAME, as GitHub Actions does."
        sys.exit("The page at the package index:\n" + "\n".join(found) + hint)


if __name__ == "__main__":
    main()
