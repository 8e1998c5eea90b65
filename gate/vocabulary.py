"""The service's words for the states of builds and of their parts: each with the places where it counts.

The service uses one word in several senses, so every word has the place where it counts:

- a *record*: the only place whose words tell how a build ended, and one of them that it passed;
- a *run word* (`job_running_status`, `running-status`), which never says how a build ended;
- a *list of jobs* (`last_build_status`), which is a hint only;
- a *part* of a build, its stage or child, which is shown and decides nothing;
- the call's own `status` (`success`) is none of these: `gate.codearts` checks and drops it.

The vendor publishes no complete list of words (ShowJobBuildRecordDetail gives the range of `status` as "N/A"), so this
one is closed and everything else is unknown. Sources: the examples of ShowJobBuildRecordDetail, ListRecords and
ListBriefRecord; the page of ListProjectJobs (2026-02-05) for lists of jobs; the examples of ShowBuildRecordFullStages,
ShowFlowGraph and, in lower case, ShowHistoryDetails for parts; a published trial on a real tenant
(David-piex/codearts-mcp, 2026-04-19) for the run words.
"""

from collections.abc import Sequence
from enum import Enum, auto

from gate.model import ChildBuild, Stage, State

SUCCESS, FINISHED = "SUCCESS", "Finished"

NEVER_RAN = "SCHEDULE_FAILURE"
"""The word of a build that never got an executor, and so did nothing."""


class Place(Enum):
    """Where a word counts. In records it does in exactly this spelling, elsewhere whatever the case."""

    RECORD = auto()
    RUN_WORD = auto()
    JOB_LIST = auto()
    PART = auto()


_WAITING = (Place.RECORD, Place.RUN_WORD)
"""Words of builds that have not ended count in records in any case, too: they cannot pass one."""

VOCABULARY: Sequence[tuple[str, State, Sequence[Place]]] = (
    (SUCCESS, State.SUCCEEDED, [Place.RECORD, Place.PART]),
    ("FAILURE", State.FAILED, [Place.RECORD, Place.PART]),
    (NEVER_RAN, State.FAILED, [Place.RECORD, Place.PART]),
    ("TIMEOUT", State.FAILED, [Place.RECORD, Place.PART]),
    ("timeout", State.FAILED, [Place.RECORD, Place.JOB_LIST]),  # that of a record was never published
    ("ABORTED", State.ABORTED, [Place.RECORD, Place.JOB_LIST, Place.PART]),
    ("UNKNOWN", State.UNKNOWN, [Place.RECORD]),  # MindSpore's script counts it among the final words
    (FINISHED, State.UNKNOWN, [Place.RECORD, Place.RUN_WORD]),  # ended, but not how
    ("blue", State.SUCCEEDED, [Place.JOB_LIST]),
    ("red", State.FAILED, [Place.JOB_LIST]),
    ("failed", State.FAILED, [Place.PART]),
    ("error", State.FAILED, [Place.PART]),
    ("building", State.RUNNING, [*_WAITING, Place.JOB_LIST, Place.PART]),
    ("running", State.RUNNING, [*_WAITING, Place.PART]),
    ("inqueue", State.QUEUED, _WAITING),
    ("queued", State.QUEUED, _WAITING),
    ("waiting", State.QUEUED, _WAITING),
    ("pending", State.QUEUED, _WAITING),
    ("starting", State.QUEUED, _WAITING),
    ("initializing", State.QUEUED, _WAITING),
)

IN_PROGRESS = (State.RUNNING, State.QUEUED)
ENDED_STATES = (State.SUCCEEDED, State.FAILED, State.ABORTED)
"""States of builds and parts that have a result."""

ENDED_WORDS = {word: state for word, state, places in VOCABULARY if Place.RECORD in places and state not in IN_PROGRESS}
WAITING_WORDS = {word: state for word, state, places in VOCABULARY if Place.RUN_WORD in places and state in IN_PROGRESS}
"""In lower case."""
JOB_LIST_WORDS = {word.lower(): state for word, state, places in VOCABULARY if Place.JOB_LIST in places}
"""In lower case."""
PART_WORDS = {word.lower(): state for word, state, places in VOCABULARY if Place.PART in places}
"""In lower case."""


def state_of_part(part: Stage | ChildBuild) -> State:
    """Return the state of a stage or of a child build; unknown where there is no word for it, or an unknown one."""
    return PART_WORDS.get((part.state or "").strip().lower(), State.UNKNOWN)
