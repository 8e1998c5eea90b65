"""What people write in place of a target, and what to write instead."""

import os
import re
from collections.abc import Callable
from urllib.parse import urlsplit

JOB_ID = r"[0-9A-Za-z]{32}"

MAX_BUILD_NUMBER = 2**31 - 1

_LONGEST = 200
"""Characters of a text that is quoted: a longer one is no target, and may be a token."""

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def explain(value: str) -> str:
    """Say in one sentence what is wrong with a malformed target, and what to write instead."""
    if len(value) > _LONGEST and "://" not in value:
        return f"a text of {len(value)} characters is no target"
    for find in _MISTAKES:
        if found := find(value.strip()):
            return f"{value!r} {found}"
    if value != value.strip():
        return f"{value!r} has white space around it; leave that out"
    return f"{value!r} has a label that is not 1 to 64 of the characters A-Z a-z 0-9 . _ -"


def _page_address(text: str) -> str:
    if "://" not in text:
        return ""
    try:
        parts = urlsplit(text)
        ids = re.findall(rf"(?<![0-9A-Za-z]){JOB_ID}(?![0-9A-Za-z])", f"{parts.path} {parts.query} {parts.fragment}")
    except ValueError:
        ids = []
    return f"is the address of a page; give only the job id, its last part{': ' + ids[-1] if ids else ''}"


def _separator(text: str) -> str:
    if re.search("[,;\uff0c\uff1b]", text):
        return "has a comma or a semicolon; separate targets with spaces"
    return ""


def _file(text: str) -> str:
    name = text.removeprefix("@")
    if name and (os.path.exists(name) or name.endswith((".txt", ".env", ".json", ".yml"))):  # noqa: PTH110 - never raises
        return f"is the name of a file; pass what it contains: $(cat {name})"
    return ""


def _dashes(text: str) -> str:
    if found := _UUID.search(text):
        return f"has dashes in the job id; write {text.replace(found[0], found[0].replace('-', ''))}"
    return ""


def _hash_sign(text: str) -> str:
    if found := re.search(rf"({JOB_ID})[:#/ ]*[#/ ]([1-9][0-9]*)$", text):
        return f"has no colon alone before the build number; write {found[1]}:{found[2]}"
    return ""


def _label_behind(text: str) -> str:
    job, equals, label = text.partition("=")
    if equals and re.fullmatch(JOB_ID, job) and not re.match(JOB_ID, label):
        return f"has the label behind the job id; write {label}={job}"
    return ""


def _job_id(text: str) -> str:
    job = text.rpartition("=")[2].partition(":")[0]
    if re.fullmatch(JOB_ID, job):
        return ""
    if job.isascii() and job.isalnum():
        return f"has a job id of {len(job)} characters; a job id has 32 digits or letters"
    return "has no job id, which is 32 digits or letters: the last part of the build job's address in the console"


def _number(text: str) -> str:
    target, colon, number = text.rpartition(":")
    if not colon:
        return ""
    if number in ("", "0", "latest", "newest", "last"):
        return f"has no build number; for the job's newest build, write {target}"
    if re.fullmatch(r"20[0-9]{6}\.[0-9]+", number):
        return "has the number of a build within its day; give the build number, such as 57"
    if not re.fullmatch(r"[1-9][0-9]*", number):
        return f"has the build number {number}; give a positive number without leading zeros"
    return f"has a build number above {MAX_BUILD_NUMBER}" if int(number) > MAX_BUILD_NUMBER else ""


_MISTAKES: tuple[Callable[[str], str], ...] = (
    _page_address,
    _separator,
    _file,
    _dashes,
    _hash_sign,
    _label_behind,
    _job_id,
    _number,
)
