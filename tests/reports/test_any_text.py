"""Whatever the service sends, each report stays what it is."""

import json
import re
import string
from datetime import UTC, timedelta, timezone
from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml
from lxml import etree
from markdown_it import MarkdownIt

from gate.model import Attempt, ChildBuild, Outcome, Stage, TargetOutcome, UnitTests, Verdict
from gate.reports import junit, markdown, result, summary
from gate.text import one_line
from tests.conftest import with_few_examples
from tests.tables import each_row

NASTY = [
    "\x1b[31m", "\x1b]0;", "\x9b", "]]>", "<!--", "&amp;", "```", "`", "</details>", "<script>", "|", "\\", "**", "__",
    "~~", "[x](y)", "![x](y)", "@all", "#1", "::error::", "##[error]", "https://x.yz", "www.x.yz", "\n", "\r", "- ",
    "1. ", "---", "$x$", "[[ATTACHMENT|/etc/passwd]]", "[[", "PROPERTY|",
    "'", "&", ";", "(", ">", "\ud83d", "\ufffe", "\u2028", "\u202e", "a", "_", " ",
]  # fmt: skip

texts = st.lists(st.characters() | st.sampled_from(NASTY), max_size=8).map("".join)
maybe = st.none() | texts
numbers = st.none() | st.floats()
moments = st.none() | st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-12))])
)
urls = maybe | texts.map("https://x.example/".__add__)
stages = st.builds(Stage, name=texts, state=maybe, started_at=moments, duration_seconds=numbers)
targets = st.builds(
    TargetOutcome,
    label=texts,
    job_id=texts,
    verdict=st.sampled_from(Verdict),
    reason=texts,
    hint=texts,
    build_number=st.none() | st.integers(1, 10**6),
    state=maybe,
    branch=maybe,
    commit=maybe,
    record_id=maybe,
    started_at=moments,
    finished_at=moments,
    duration_seconds=numbers,
    polls=st.integers(0, 99),
    stages=st.lists(stages, max_size=3),
    tests=st.none() | st.just(UnitTests(total=3, failures=1, errors=0)),
    log_tail=st.lists(texts, max_size=3) | st.lists(texts, min_size=9, max_size=14),
    build_url=urls,
    attempts=st.lists(st.builds(Attempt, st.integers(1, 99), maybe, texts, urls), max_size=2),
    children=st.lists(
        st.builds(ChildBuild, texts, maybe, st.none() | st.integers(1, 99), moments, numbers), max_size=2
    ),
)
outcomes = st.builds(
    Outcome,
    verdict=st.sampled_from(Verdict),
    exit_code=st.integers(0, 255),
    started_at=moments.filter(bool),
    elapsed_seconds=st.floats(),
    api_calls=st.integers(0, 99),
    targets=st.lists(targets, min_size=1, max_size=3),
)


def check_junit(outcome: Outcome) -> None:
    """Assert that three parsers read it, its totals are right, its names differ and no case has two marks."""
    report = junit.render(outcome)
    ET.fromstring(report)
    JUnitXml.fromstring(report)
    root = etree.fromstring(report)
    cases = root.findall("testsuite/testcase")
    marks = [[child for child in case if child.tag != "system-out"] for case in cases]
    assert max(map(len, marks)) <= 1
    assert all(mark.get("message") == (mark.text or "").splitlines()[0] for found in marks for mark in found)
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    assert [root.get(name) for name in ("tests", "failures", "errors")] == [
        str(len(list(root.iter(tag)))) for tag in ("testcase", "failure", "error")
    ]
    assert all(re.fullmatch(r"\d+\.\d{3}", element.attrib["time"]) for element in (root, *root, *cases))
    texts = [text for case in cases for text in case.itertext()] + [
        mark.get("message") for [mark] in filter(None, marks)
    ]
    assert not re.search(r"\[\[(ATTACHMENT|PROPERTY)\|", "\n".join(texts))
    for suite in root:
        times = [round(1000 * float(case.attrib["time"])) for case in suite.iter("testcase")]
        assert sum(times) == round(1000 * float(suite.attrib["time"]))


def check_marks(outcome: Outcome) -> None:
    """Assert that a suite has a failure or an error exactly when its target's verdict is neither passed nor skipped."""
    suites = etree.fromstring(junit.render(outcome))
    for target, suite in zip(outcome.targets, suites, strict=True):
        red = int(suite.attrib["failures"]) + int(suite.attrib["errors"]) > 0
        assert red == (target.verdict not in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED))


def check_json(outcome: Outcome) -> None:
    """Assert that the document is strict JSON in ASCII, on one line, and nothing that a runner takes for a command."""
    line = result.to_json(outcome)
    document = json.loads(line, parse_constant=lambda name: name)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert "##[" not in line
    json.dumps(document, ensure_ascii=False).encode()
    assert document == result.document(outcome)


def check_lines(outcome: Outcome) -> None:
    """Assert that a line on stdout has its four words."""
    found = result.lines(outcome).splitlines()
    assert len(found) == len(outcome.targets)
    assert all(re.fullmatch(r"[a-z-]+ [\w.-]+ build=(\d+|-) state=[\w.-]+", line) for line in found)


def check_outputs(outcome: Outcome, path: str) -> None:
    """Assert that a value brings no second line into the file, and that a reader that splits at `=` has it back."""
    found = dict(line.split("=", 1) for line in result.dotenv(outcome, Path(path)).splitlines())
    assert list(found) == list(result.DOTENV_NAMES.values())
    assert list(found.values()) == list(result.outputs(outcome, Path(path)).values())


def check_escaped(text: str) -> None:
    """Assert that a Markdown parser finds nothing but text, and that the text is the one that was sent."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(f"| {markdown.escape(text)} |\n| --- |\n| {markdown.escape(text)} |")
    cells = [token for token in tokens if token.type == "inline"]
    assert [token.type for cell in cells for token in cell.children or []] == ["text"] * 2
    shown = (one_line(text) or "—").replace("@", "@\u200b").replace("#", "#\u200b").strip()
    assert [cell.children[0].content for cell in cells if cell.children] == [shown] * 2


@given(texts)
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    """Whatever it is."""
    check_escaped(text)


@each_row("piece", [*NASTY, *string.punctuation])
def test_text_between_two_of_a_mark_is_shown_as_it_is(piece: str) -> None:
    """Most functions of Markdown need a mark at both ends."""
    check_escaped(f"{piece}a{piece}")


def check_summary(outcome: Outcome) -> None:
    """Assert that the headings, tables, code blocks and HTML blocks are the gate's own."""
    tokens = MarkdownIt("commonmark").enable("table").parse(summary.render(outcome))
    kinds = [token.type for token in tokens]
    assert set(kinds) <= {
        f"{name}_{end}"
        for name in ("heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td")
        for end in ("open", "close")
    } | {"inline", "fence", "html_block"}
    assert 2 <= kinds.count("heading_open") <= 1 + len(outcome.targets)  # targets with one cause share one
    tables = [bool(one.stages) + bool(one.children) + (one.tests is not None) for one in outcome.targets]
    assert 1 <= kinds.count("table_open") <= 1 + sum(tables)
    assert kinds.count("heading_open") <= len(outcome.targets) or kinds.count("table_open") == 1 + sum(tables)
    inline = [child for token in tokens for child in token.children or []]
    assert {child.type for child in inline} <= {
        "text",
        *(f"{name}_{end}" for name in ("strong", "link") for end in ("open", "close")),
    }
    assert all(re.match("(?i)https?://", str(child.attrGet("href"))) for child in inline if child.type == "link_open")
    assert {token.info for token in tokens if token.type == "fence"} <= {"diff", "mermaid"}
    assert {token.content.strip() for token in tokens if token.type == "html_block"} <= {
        "<details><summary>Earlier lines of the log</summary>",
        "<details><summary>When the builds ran (UTC)</summary>",
        "</details>",
    }
    for token in tokens:
        if token.info == "mermaid":
            assert all(
                re.fullmatch(r"    (section [\w .()-]*|\d+ [\w .()-]*:(\w+, )?[\d :-]+, \d+s)", line)
                for line in token.content.splitlines()[4:]
            )


@with_few_examples
@given(outcomes, texts)
def test_any_text_leaves_every_report_what_it_is(outcome: Outcome, path: str) -> None:
    """One test of all reports: to make an outcome up takes longer than to write it and to read it again."""
    check_junit(outcome)
    check_marks(outcome)
    check_json(outcome)
    check_lines(outcome)
    check_outputs(outcome, path)
    check_summary(outcome)
