"""The one file of a release, which the examples for GitLab and Jenkins fetch and check."""

import hashlib
import zipapp
from collections.abc import Mapping

import pytest


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return the variables with address and sum of a stand-in, which starts the gate of this environment."""
    folder = tmp_path_factory.mktemp("release")
    source = folder / "source"
    source.mkdir()
    (source / "__main__.py").write_text("from gate.__main__ import main\n\nmain()\n")
    target = folder / "codearts-gate.pyz"
    zipapp.create_archive(source, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    return {"CODEARTS_GATE_URL": target.as_uri(), "CODEARTS_GATE_SHA256": digest}
