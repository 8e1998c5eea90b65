"""The report that stands while the gate runs is a text; it equals what the libraries for XML would make of it."""

import subprocess
import sys

from gate.model import Target
from gate.publish import NOT_FINISHED, unfinished
from gate.reports import junit, placeholder
from tests.tables import each_row

JOB = "0123456789abcdef0123456789abcdef"


@each_row(
    ("targets", "number", "url"),
    [
        ([Target(label=JOB, job_id=JOB)], None, None),
        ([Target(label="app.web", job_id=JOB, build_number=57), Target(label="构建", job_id=JOB)], None, None),
        ([Target(label='a & b <c> "d" [[ATTACHMENT|x]]', job_id=JOB)], 58, "https://example.com/?a=1&b=[[x|'2']]"),
    ],
)
def test_text_equals_what_the_libraries_write(targets: list[Target], number: int | None, url: str | None) -> None:
    """To the byte, for whatever is known of a target then."""
    outcome = unfinished(targets, NOT_FINISHED, 5, number=number, url=url)
    assert placeholder.junit(outcome) == junit.render(outcome)


def test_libraries_for_xml_are_not_loaded_for_it() -> None:
    """They would be a twentieth of the start, as would the other reports."""
    probe = (
        "import sys; from gate.publish import *; from gate.model import Target; from gate.reports import placeholder;"
        " placeholder.junit(unfinished([Target(label='a', job_id='a')], NOT_FINISHED, 5));"
        " sys.exit(any(name in sys.modules for name in"
        " ('junit_xml', 'xml.dom.minidom', 'xml.etree.ElementTree', 'gate.reports.summary', 'gate.reports.fields')))"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
