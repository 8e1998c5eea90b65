"""Every report of one passing and one failing outcome, written out in full."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.model import Attempt, ChildBuild, Outcome, Stage, TargetOutcome, UnitTests, Verdict
from gate.reports import junit, result, summary

START = datetime(2024, 9, 24, 3, 18, 49, tzinfo=UTC)

PASSING = Outcome(
    verdict=Verdict.PASSED,
    exit_code=0,
    started_at=START,
    elapsed_seconds=75.25,
    api_calls=9,
    targets=[
        TargetOutcome(
            label="app",
            job_id="48c66c6002964721be537cdc6ce0297b",
            verdict=Verdict.PASSED,
            reason="Build 57 ended as SUCCESS.",
            build_number=57,
            state="SUCCESS",
            branch="main",
            commit="2f37dd4b5e1c",
            record_id="r1",
            started_at=START,
            finished_at=datetime(2024, 9, 24, 3, 19, 50, tzinfo=UTC),
            duration_seconds=61.1236,
            polls=4,
            build_url="https://x.example/57?a=1&b=2",
            attempts=[Attempt(56, "SCHEDULE_FAILURE", "No executor.", "https://x.example/56")],
            children=[ChildBuild("unit tests", "SUCCESS", 7, START, 2.5)],
            stages=[Stage(name="Maven", state="SUCCESS", started_at=START, duration_seconds=58.0)],
            tests=UnitTests(total=12, failures=0, errors=0),
            log_tail=["not shown for a build that passed"],
        )
    ],
)

PASSING_JUNIT = """\
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="codearts-gate" tests="3" failures="0" errors="0" time="61.124">
  <testsuite errors="0" failures="0" name="app" skipped="0" tests="3" time="61.124" timestamp="2024-09-24T03:18:49">
    <properties>
      <property name="job_id" value="48c66c6002964721be537cdc6ce0297b" />
      <property name="build_number" value="57" />
      <property name="state" value="SUCCESS" />
      <property name="branch" value="main" />
      <property name="commit" value="2f37dd4b5e1c" />
      <property name="record_id" value="r1" />
      <property name="build_url" value="https://x.example/57?a=1&amp;b=2" />
      <property name="former_attempts" value="build 56 (SCHEDULE_FAILURE). No executor. https://x.example/56" />
    </properties>
    <testcase name="build" time="0.624" classname="codearts.CodeArts app" />
    <testcase name="stage Maven" time="58.000" classname="codearts.CodeArts app" />
    <testcase name="job unit tests" time="2.500" classname="codearts.CodeArts app" />
  </testsuite>
</testsuites>
"""

PASSING_SUMMARY = """\
## ✅ codearts-gate: passed

1 passed, after 1 m 15 s and 9 API calls. Exit code 0.

| Target | Verdict | Build | State | Duration | Branch | Commit |
| --- | --- | --- | --- | --- | --- | --- |
| app | ✅ passed | [57](<https://x.example/57?a=1&amp;b=2>) | SUCCESS | 1 m 1 s | main | 2f37dd4 |

<details><summary>When the builds ran (UTC)</summary>

```mermaid
gantt
    dateFormat YYYY-MM-DD HH:mm:ss
    axisFormat %H:%M:%S
    todayMarker off
    1 Maven :done, 2024-09-24 03:18:49, 58s
```

</details>

### app: passed

**Reason:** Build 57 ended as SUCCESS.

[Open build 57](<https://x.example/57?a=1&amp;b=2>)

**Former attempt:** [build 56 (SCHEDULE_FAILURE). No executor.](<https://x.example/56>)

| Unit tests | Total | Failures | Errors |
| --- | --- | --- | --- |
| all | 12 | 0 | 0 |

| Stage | State | Duration |
| --- | --- | --- |
| Maven | ✅ SUCCESS | 58 s |

| Job | State | Duration | Build |
| --- | --- | --- | --- |
| unit tests | ✅ SUCCESS | 2 s | 7 |
"""

PASSING_DOTENV = """\
GATE_VERDICT=passed
GATE_EXIT_CODE=0
GATE_BUILD_NUMBER=57
GATE_ORDERED=false
GATE_BUILD_LINK=https://x.example/57?a=1&b=2
GATE_REPORT=out/gate-report.xml
GATE_ELAPSED_SECONDS=75.25
"""

PASSING_DOCUMENT = {
    "verdict": "passed",
    "exit_code": 0,
    "started_at": "2024-09-24T03:18:49Z",
    "elapsed_seconds": 75.25,
    "api_calls": 9,
    "targets": [
        {
            "label": "app",
            "job_id": "48c66c6002964721be537cdc6ce0297b",
            "build_number": 57,
            "ordered": False,
            "verdict": "passed",
            "state": "SUCCESS",
            "reason": "Build 57 ended as SUCCESS.",
            "branch": "main",
            "commit": "2f37dd4b5e1c",
            "started_at": "2024-09-24T03:18:49Z",
            "finished_at": "2024-09-24T03:19:50Z",
            "duration_seconds": 61.124,
            "record_id": "r1",
            "polls": 4,
            "url": "https://x.example/57?a=1&b=2",
            "stages": [{"name": "Maven", "state": "SUCCESS", "duration_seconds": 58.0}],
            "tests": {"total": 12, "failures": 0, "errors": 0},
            "attempts": [
                {
                    "build_number": 56,
                    "state": "SCHEDULE_FAILURE",
                    "reason": "No executor.",
                    "url": "https://x.example/56",
                }
            ],
            "children": [
                {
                    "name": "unit tests",
                    "state": "SUCCESS",
                    "build_number": 7,
                    "started_at": "2024-09-24T03:18:49Z",
                    "duration_seconds": 2.5,
                }
            ],
        }
    ],
}

FAILING = Outcome(
    verdict=Verdict.FAILED,
    exit_code=1,
    started_at=START,
    elapsed_seconds=20.0,
    api_calls=31,
    targets=[
        TargetOutcome(
            label="app",
            job_id="48c66c6002964721be537cdc6ce0297b",
            verdict=Verdict.FAILED,
            reason="Build 58 ended as FAILURE.",
            hint="Read the end of its log.",
            build_number=58,
            state="FAILURE",
            duration_seconds=12.0,
            stages=[
                Stage(name="Code CheckOut", state="SUCCESS", duration_seconds=2.0),
                Stage(name="Maven", state="FAILURE", duration_seconds=9.0),
                Stage(name="Upload", state=None),
            ],
            log_tail=["\x1b[31m[ERROR]\x1b[0m <App.java> & ```", "BUILD FAILURE"],
        ),
        TargetOutcome(
            label="web",
            job_id="c798139500d2456d82d95d108f182b5a",
            verdict=Verdict.TIMED_OUT,
            reason="No result within 20 s.",
        ),
    ],
)

FAILING_JUNIT = """\
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="codearts-gate" tests="5" failures="2" errors="1" time="12.000">
  <testsuite errors="0" failures="2" name="app" skipped="1" tests="4" time="12.000">
    <properties>
      <property name="job_id" value="48c66c6002964721be537cdc6ce0297b" />
      <property name="build_number" value="58" />
      <property name="state" value="FAILURE" />
    </properties>
    <testcase name="build" time="1.000" classname="codearts.CodeArts app">
      <failure type="BuildFailed" message="Build 58 ended as FAILURE.">Build 58 ended as FAILURE.
Read the end of its log.
job_id: 48c66c6002964721be537cdc6ce0297b
build_number: 58
state: FAILURE
The last lines of the log:
[ERROR] &lt;App.java&gt; &amp; ```
BUILD FAILURE</failure>
      <system-out>[ERROR] &lt;App.java&gt; &amp; ```
BUILD FAILURE</system-out>
    </testcase>
    <testcase name="stage Code CheckOut" time="2.000" classname="codearts.CodeArts app" />
    <testcase name="stage Maven" time="9.000" classname="codearts.CodeArts app">
      <failure type="BuildFailed" message="The stage ended as FAILURE.">The stage ended as FAILURE.</failure>
    </testcase>
    <testcase name="stage Upload" classname="codearts.CodeArts app" time="0.000">
      <skipped type="skipped" message="The stage never ran.">The stage never ran.</skipped>
    </testcase>
  </testsuite>
  <testsuite errors="1" failures="0" name="web" skipped="0" tests="1" time="0.000">
    <properties>
      <property name="job_id" value="c798139500d2456d82d95d108f182b5a" />
    </properties>
    <testcase name="build" classname="codearts.CodeArts web" time="0.000">
      <error type="GateTimeout" message="No result within 20 s.">No result within 20 s.
job_id: c798139500d2456d82d95d108f182b5a</error>
    </testcase>
  </testsuite>
</testsuites>
"""

FAILING_SUMMARY = """\
## ❌ codearts-gate: 1 of 2 failed

1 failed, 1 timed out, after 20 s and 31 API calls. Exit code 1.

| Target | Verdict | Build | State | Duration | Branch | Commit |
| --- | --- | --- | --- | --- | --- | --- |
| app | ❌ failed | 58 | FAILURE | 12 s | — | — |
| web | ⏰ timed out | — | — | — | — | — |

### app: failed

**Reason:** Build 58 ended as FAILURE.

**Next:** Read the end of its log.

The end of the log:

````diff
- [ERROR] <App.java> & ```
- BUILD FAILURE
````

| Stage | State | Duration |
| --- | --- | --- |
| Code CheckOut | ✅ SUCCESS | 2 s |
| Maven | ❌ FAILURE | 9 s |
| Upload | ⏭️ — | — |

### web: timed out

**Reason:** No result within 20 s.
"""

FAILING_DOTENV = """\
GATE_VERDICT=failed
GATE_EXIT_CODE=1
GATE_BUILD_NUMBER=
GATE_ORDERED=false
GATE_BUILD_LINK=
GATE_REPORT=out/gate-report.xml
GATE_ELAPSED_SECONDS=20.0
"""


@pytest.mark.parametrize(("outcome", "expected"), [(PASSING, PASSING_JUNIT), (FAILING, FAILING_JUNIT)])
def test_outcome_gives_this_junit_report(outcome: Outcome, expected: str) -> None:
    """The report has this shape, to the byte."""
    assert junit.render(outcome).decode() == expected


@pytest.mark.parametrize(("outcome", "expected"), [(PASSING, PASSING_SUMMARY), (FAILING, FAILING_SUMMARY)])
def test_outcome_gives_this_summary(outcome: Outcome, expected: str) -> None:
    """The summary shows what is known, and the log only of a build that did not pass."""
    assert summary.render(outcome) == expected


@pytest.mark.parametrize(("outcome", "expected"), [(PASSING, PASSING_DOTENV), (FAILING, FAILING_DOTENV)])
def test_outcome_gives_this_dotenv_file(outcome: Outcome, expected: str) -> None:
    """The build number stands only where there is one target."""
    assert result.dotenv(outcome, Path("out/gate-report.xml")) == expected


def test_outcome_gives_this_json_document() -> None:
    """Every field has its name, and what is not known is null or an empty list."""
    assert json.loads(result.to_json(PASSING)) == PASSING_DOCUMENT
    unknown = json.loads(result.to_json(FAILING))["targets"][1]
    assert {name for name, value in unknown.items() if value is None} == (
        PASSING_DOCUMENT["targets"][0].keys()  # type: ignore[index]
        - {"label", "job_id", "ordered", "verdict", "reason", "polls", "stages", "attempts", "children"}
    )


def test_outcome_gives_these_lines() -> None:
    """Each target has one line, with a dash for what is not known."""
    assert result.lines(PASSING) == "passed app build=57 state=SUCCESS\n"
    assert result.lines(FAILING) == "failed app build=58 state=FAILURE\ntimed-out web build=- state=-\n"
