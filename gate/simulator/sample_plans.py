"""Plans of builds, with the stages of the vendor's example of ShowBuildRecordFullStages and believable logs."""

from dataclasses import replace

from gate.model import UnitTests
from gate.simulator.build_plan import BuildPlan, StagePlan

_RULE = "[INFO] ------------------------------------------------------------------------"

_INITIAL = StagePlan(name="initial", seconds=6, log=("[INFO] executor default-x86-2u8g is ready",))
_CACHE = StagePlan(name="Cache Check", seconds=2, log=("[INFO] cache found: maven-repository",))
_CHECKOUT = StagePlan(
    name="Code CheckOut",
    seconds=7,
    log=("[INFO] Cloning into '/xxx/slave1/workspace'...", "[INFO] HEAD is now at the requested commit"),
)
_MAVEN = StagePlan(
    name="Maven",
    seconds=24,
    log=(
        "[INFO] Scanning for projects...",
        "[INFO] Building server 1.0",
        "[INFO] Tests run: 42, Failures: 0, Errors: 0, Skipped: 0",
        "[INFO] Building jar: ***//target/server-1.0.jar",
        _RULE,
        "[INFO] BUILD SUCCESS",
        _RULE,
        "[INFO] Total time: 22.408 s",
    ),
)
_MAVEN_FAILING = replace(
    _MAVEN,
    seconds=17,
    word="FAILURE",
    log=(
        "[INFO] Scanning for projects...",
        "[INFO] Building server 1.0",
        _RULE,
        "[ERROR] COMPILATION ERROR :",
        _RULE,
        "[ERROR] /src/main/java/com/example/Server.java:[42,17] cannot find symbol",
        "[ERROR]   symbol:   method listen(int)",
        "[ERROR]   location: class com.example.Server",
        "[INFO] 1 error",
        _RULE,
        "[INFO] BUILD FAILURE",
        _RULE,
        "[ERROR] Failed to execute goal maven-compiler-plugin:3.11.0:compile (default-compile) on project server",
    ),
)
_MAVEN_RED_TESTS = replace(
    _MAVEN,
    log=(
        "[INFO] Scanning for projects...",
        "[ERROR] Tests run: 42, Failures: 2, Errors: 1, Skipped: 0",
        "[ERROR] ServerTest.testListen:27 expected: <8080> but was: <8081>",
        "[INFO] test failures are ignored (maven.test.failure.ignore)",
        _RULE,
        "[INFO] BUILD SUCCESS",
        _RULE,
    ),
)
_UPLOAD = StagePlan(name="Upload to Release Repo", seconds=5, log=("[INFO] uploaded server-1.0.jar",))
_FINAL = StagePlan(name="final", seconds=1, log=("[INFO] workspace cleared",))


def _plan(maven: StagePlan, word: str, tests: UnitTests | None = None) -> BuildPlan:
    """Return the usual stages around this Maven stage."""
    return BuildPlan(stages=(_INITIAL, _CACHE, _CHECKOUT, maven, _UPLOAD, _FINAL), word=word, tests=tests)


PASSING = _plan(_MAVEN, "SUCCESS", UnitTests(total=42, failures=0, errors=0))
FAILING = _plan(_MAVEN_FAILING, "FAILURE")
ABORTED = _plan(replace(_MAVEN, seconds=11, word="ABORTED", log=("[INFO] Scanning for projects...",)), "ABORTED")
RED_TESTS = _plan(_MAVEN_RED_TESTS, "SUCCESS", UnitTests(total=42, failures=2, errors=1))
UNKNOWN = replace(PASSING, word="EVAPORATED", tests=None)
SLOW = _plan(replace(_MAVEN, seconds=4 * 3600), "SUCCESS")
QUEUED = replace(PASSING, queue=90.0)
NEVER_SCHEDULED = BuildPlan(queue=8.0, word="SCHEDULE_FAILURE", message="No executor could be scheduled for the build.")
