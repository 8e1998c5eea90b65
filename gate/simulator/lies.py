"""Mishaps: well-formed answers that say something else than the truth, or that nobody documents."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gate.simulator.answers import Answer
from gate.simulator.mishap import Mishap
from gate.simulator.shapes import MISSING, Alter

_ENDED = "2024-06-29T08:56:46.000+00:00"


def _result(**fields: object) -> Callable[[], Alter]:
    """Set fields of the result of a good answer, whatever it has."""

    def edit(result: dict[str, Any]) -> object:
        merged = {**result, **fields}
        return {name: value for name, value in merged.items() if value is not MISSING}

    return _replaced(edit)


def _replaced(edit: Callable[[dict[str, Any]], object]) -> Callable[[], Alter]:
    """Make another result out of that of a good answer."""

    def alter(answer: Answer) -> Answer:
        if answer.status >= 400 or not isinstance(answer.body, bytes) or not answer.body.startswith(b"{"):
            return answer
        document = json.loads(answer.body)
        if not isinstance(document.get("result"), dict):
            return answer
        return replace(answer, body=json.dumps({**document, "result": edit(document["result"])}).encode())

    return lambda: Alter(alter)


def _backwards(result: dict[str, Any]) -> dict[str, Any]:
    """Turn a list of builds around."""
    return {**result, "job_build_states": result.get("job_build_states", [])[::-1]}


def _poisoned(result: dict[str, Any]) -> dict[str, Any]:
    """Put commands of terminals and of CI systems in every text that is shown and that nothing depends on."""
    texts = ("branch", "commit", "commit_message", "err_msg", "code_branch", "repo_name")
    return {**result, **dict.fromkeys(texts, "\x1b[31m\n::error::x\r##[error]y ]]> <b>&\ud800\x00")}


LIES = (
    Mishap("another build", "The record of another build, which passed.", _result(
        build_no=3, number=3, status="SUCCESS", state="SUCCESS", finish_time=_ENDED
    )),
    Mishap("another job", "The record of another job's build, which passed.", _result(
        codeci_job_id="f" * 32, status="SUCCESS", finish_time=_ENDED
    )),
    Mishap("no build number", "Nobody can say which build it is.", _result(
        build_no=MISSING, number=MISSING, actual_build_number=MISSING, status="SUCCESS", state="SUCCESS"
    )),
    Mishap("fractional build number", "57.5.", _result(build_no=57.5, number=57.5, status="SUCCESS")),
    Mishap("no word", "The word is missing.", _result(status=MISSING, state=MISSING)),
    Mishap("no word, ended", "The word is missing on a build that has ended.", _result(
        status=MISSING, state=MISSING, finish_time=_ENDED
    )),
    Mishap("word null, ended", "The word is null.", _result(status=None, state=None, finish_time=_ENDED)),
    Mishap("word true, ended", "The word is a boolean.", _result(status=True, state=True, finish_time=_ENDED)),
    Mishap("word in a list, ended", "The word is in a list.", _result(status=["SUCCESS"], finish_time=_ENDED)),
    Mishap("lower-case success", "A word that nobody documents.", _result(status="success", finish_time=_ENDED)),
    Mishap("padded SUCCESS", "The same with blanks.", _result(status=" SUCCESS ", finish_time=_ENDED)),
    Mishap("Finished", "A run word that says nothing about how.", _result(status="Finished", finish_time=_ENDED)),
    Mishap("COMPLETED", "Another product's word.", _result(status="COMPLETED", finish_time=_ENDED)),
    Mishap("result null", "Nothing inside of a good envelope.", _replaced(lambda _: None)),
    Mishap("result in a list", "The record within a list.", _replaced(lambda result: [result])),
    Mishap("result true", "A boolean in place of the record.", _replaced(lambda _: True)),
    Mishap("result empty", "An empty record.", _replaced(lambda _: {})),
    Mishap("hostile texts", "Commands in every text.", _replaced(_poisoned)),
    Mishap("record id of a path", "An id that would lead elsewhere.", _result(build_record_id="../../v3/auth")),
    Mishap("record id of half a character", "An id that is no text.", _result(build_record_id="\ud800")),
    Mishap("texts of a megabyte", "Too much to show.", _result(branch="b" * 2**19, commit="c" * 2**18)),
    Mishap("list backwards", "The oldest build first.", _replaced(_backwards)),
    Mishap("running again", "The build has ended with a word that nobody knows, and runs again.", _result(
        status="EVAPORATED", state="EVAPORATED", finish_time=_ENDED
    )),
)  # fmt: skip
