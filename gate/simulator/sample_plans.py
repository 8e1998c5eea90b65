"""Plans of builds, with the stages of the vendor's example of ShowBuildRecordFullStages and believable logs."""

from dataclasses import replace

from gate.model import UnitTests
from gate.simulator.builds import BuildPlan, ChildPlan, StagePlan

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
        "[INFO] Building jar: /workspace/server/target/server-1.0.jar",
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
    error="Compilation failure: Server.java:[42,17] cannot find symbol",
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
STUCK = replace(PASSING, queue=4 * 3600)
NEVER_SCHEDULED = BuildPlan(queue=8.0, word="SCHEDULE_FAILURE", message="No executor could be scheduled for the build.")

_DOWNLOAD = (
    *(f"[INFO] Downloading dependencies: {percent:3} %\r" for percent in range(0, 100, 2)),
    "[INFO] Downloaded 214 dependencies, 61 MB",
)
_COLOURED = tuple(
    f"[\x1b[1;34mINFO\x1b[m] \x1b[32mPASS\x1b[m com.example.Module{number // 20}.test{number % 20}"
    for number in range(400)
)
CHATTY = _plan(
    replace(_MAVEN, seconds=60, log=(*_MAVEN.log[:2], *_DOWNLOAD, *_COLOURED, *_MAVEN.log[2:])),
    "SUCCESS",
    UnitTests(total=400, failures=0, errors=0),
)


def _job(name: str, seconds: float, queue: float) -> ChildPlan:
    """Return a child of a multi-job build, which starts `queue` seconds after its parent was created."""
    stages = (replace(_INITIAL, seconds=2), StagePlan(name=name, seconds=seconds, log=(f"[INFO] {name} is done",)))
    return ChildPlan(name=name, plan=BuildPlan(queue=queue, stages=stages))


MULTI_JOB = BuildPlan(
    queue=2,
    stages=(replace(_INITIAL, seconds=1), StagePlan(name="jobs", seconds=44), _FINAL),
    children=(_job("compile", 12, queue=3), _job("test", 16, queue=18), _job("package", 6, queue=37)),
)
