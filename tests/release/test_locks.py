"""The locks, which name what the one file holds and what checks a release."""

import re
import tomllib

import pytest

from tests.conftest import ROOT

LOCKS = ("requirements.txt", "requirements-aksk.txt")


def pins(lock: str) -> dict[str, str]:
    """Return the versions in a lock by package."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+) \\$", (ROOT / ".github" / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_package_by_hash_and_names_no_host(lock: str) -> None:
    """Each package has a version and hashes, and comes from whatever index the machine is set up for."""
    text = (ROOT / ".github" / lock).read_text()
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert re.fullmatch(r"(?:[a-z0-9._-]+==\S+(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n)+", body)
    assert "://" not in text


def test_locks_hold_what_the_package_needs() -> None:
    """The dependencies, the build backend and the extra are in the locks, which agree with each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    small, large = (pins(lock) for lock in LOCKS)
    assert {re.split("[<>=]", need)[0].replace("_", "-") for need in needs} <= set(small)
    extra = {re.split("[<>=]", need)[0] for need in project["project"]["optional-dependencies"]["aksk"]}
    assert extra <= set(large)
    assert small.items() <= large.items()
