"""Well-formed answers that contradict the truth, or that nobody documents."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from gate.simulator.exchange import HttpAnswer
from tests.faults.named_faults import NamedFault, Nature, Reach
from tests.faults.response_faults import MISSING, AlterAnswer

_ENDED = "2024-06-29T08:56:46.000+00:00"


def _fault(
    name: str, description: str, edit: Callable[[dict[str, Any]], object], reach: Reach = Reach.RECORD, **fields: Any
) -> NamedFault:
    """Return a fault that makes another result out of that of a valid answer."""

    def alter(answer: HttpAnswer) -> HttpAnswer:
        if answer.status >= 400 or not isinstance(answer.body, bytes) or not answer.body.startswith(b"{"):
            return answer
        document = json.loads(answer.body)
        if not isinstance(document.get("result"), dict):
            return answer
        return replace(answer, body=json.dumps({**document, "result": edit(document["result"])}).encode())

    make = partial(AlterAnswer, alter)
    return NamedFault(name=name, description=description, make=make, reach=reach, **fields)


def _with(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Set fields of the result, also those that it does not have."""

    def edit(result: dict[str, Any]) -> object:
        return {name: value for name, value in {**result, **changes}.items() if value is not MISSING}

    return edit


def _backwards(result: dict[str, Any]) -> dict[str, Any]:
    """Reverse a list of builds."""
    return {**result, "job_build_states": result.get("job_build_states", [])[::-1]}


def _with_commands(result: dict[str, Any]) -> dict[str, Any]:
    """Put commands of terminals and of CI systems in every text that is shown and that nothing depends on."""
    texts = ("branch", "commit", "commit_message", "err_msg", "code_branch", "repo_name")
    return {**result, **dict.fromkeys(texts, "\x1b[31m\n::error::x\r##[error]y ]]> <b>&\ud800\x00")}


def _ended(word: object) -> Callable[[dict[str, Any]], object]:
    """Let the build have ended with this word."""
    return _with(status=word, finish_time=_ENDED)


WRONG_ANSWERS = (
    _fault(
        "another build",
        "The record of another build, which passed.",
        _with(build_no=3, number=3, status="SUCCESS", state="SUCCESS", finish_time=_ENDED),
    ),
    _fault(
        "another job",
        "The record of another job's build, which passed.",
        _with(codeci_job_id="f" * 32, status="SUCCESS", finish_time=_ENDED),
    ),
    _fault(
        "no build number",
        "Nobody can say which build it is.",
        _with(build_no=MISSING, number=MISSING, actual_build_number=MISSING, status="SUCCESS", state="SUCCESS"),
        spoils_order=True,
    ),
    _fault("fractional build number", "57.5.", _with(build_no=57.5, number=57.5, status="SUCCESS")),
    _fault("no word", "The word is missing.", _with(status=MISSING, state=MISSING)),
    _fault(
        "no word, ended",
        "The word is missing on a build that has ended.",
        _with(status=MISSING, state=MISSING, finish_time=_ENDED),
    ),
    _fault("word null, ended", "The word is null.", _with(status=None, state=None, finish_time=_ENDED)),
    _fault("word true, ended", "The word is a boolean.", _with(status=True, state=True, finish_time=_ENDED)),
    _fault("word in a list, ended", "The word is in a list.", _ended(["SUCCESS"])),
    _fault("lower-case success", "A word that nobody documents.", _ended("success")),
    _fault("padded SUCCESS", "The same with blanks.", _ended(" SUCCESS ")),
    _fault("Finished", "A run word, which does not tell the result.", _ended("Finished")),
    _fault("COMPLETED", "Another product's word.", _ended("COMPLETED")),
    _fault("result null", "Nothing in a valid envelope.", lambda _: None, Reach.EVERY_ANSWER, spoils_sign_in=False),
    _fault(
        "result in a list",
        "The record within a list.",
        lambda result: [result],
        Reach.EVERY_ANSWER,
        spoils_sign_in=False,
    ),
    _fault(
        "result true",
        "A boolean in place of the record.",
        lambda _: True,
        Reach.EVERY_ANSWER,
        spoils_sign_in=False,
    ),
    _fault(
        "result empty",
        "An empty record.",
        lambda _: {},
        Reach.EVERY_ANSWER,
        spoils_sign_in=False,
        spoils_stages=False,
    ),
    _fault("hostile texts", "Commands in every text.", _with_commands, nature=Nature.HARMLESS),
    _fault(
        "record id of a path",
        "An id that would lead elsewhere.",
        _with(build_record_id="../../v3/auth"),
        nature=Nature.HARMLESS,
    ),
    _fault(
        "record id of half a character",
        "An id that is not valid text.",
        _with(build_record_id="\ud800"),
        nature=Nature.HARMLESS,
    ),
    _fault(
        "texts of a megabyte",
        "Too much to show.",
        _with(branch="b" * 2**19, commit="c" * 2**18),
        nature=Nature.HARMLESS,
        heavy=True,
    ),
    _fault("list backwards", "The oldest build first.", _backwards, nature=Nature.HARMLESS),
    _fault(
        "running again",
        "The build has ended with a word that nobody knows, and runs again.",
        _with(status="EVAPORATED", state="EVAPORATED", finish_time=_ENDED),
    ),
)
