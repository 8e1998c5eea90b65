"""Whether a record is that of the build that was asked for: what was asked is compared with what the record says."""

import re
from datetime import datetime, timedelta

from gate.model import Order, Record
from gate.value_types import NamedTuple

CLOCK_SKEW = timedelta(minutes=10)
"""How far two clocks may differ: those of the service's `Date` header, of its records, and of this machine."""

_HASH = r"[0-9A-Fa-f]{7,40}"


class Wanted(NamedTuple):
    """What is known of the build beside its job and number, which the client compares with every answer."""

    commit: str | None = None
    order: Order | None = None
    """The order by which this gate started the build."""
    ordered_at: datetime | None = None
    """When the order was sent, by the service's clock."""
    branch: str | None = None
    since: datetime | None = None
    """The earliest time at which the build may have been created."""
    is_chosen: bool = False
    """Whether the gate chose the build itself, which then is no part of a multi-job build. Nor is one it ordered."""


def contradiction(record: Record, wanted: Wanted) -> str:
    """Say how a record cannot be that of the wanted build, with both values; empty if it can.

    What the record does not say contradicts nothing.
    """
    order = wanted.order
    if (wanted.is_chosen or order is not None) and record.parent_record_id is not None:
        return f"its record is that of a part of the multi-job build {record.parent_record_id}"
    commit = wanted.commit or (order and order.commit)
    if commit and is_of_commit(record.commit, commit) is False:
        return f"its record is of commit {record.commit}, not of {commit}"
    branch = wanted.branch or (order and order.branch)
    if branch and is_of_branch(record.branch, branch) is False:
        return f"its record is of branch {record.branch}, not of {branch}"
    if wanted.since is not None and record.created_at is not None and record.created_at < wanted.since:
        return f"it was created at {_clock(record.created_at)}, before {_clock(wanted.since)} (--since)"
    return _other_order(record, order, wanted.ordered_at) if order is not None else ""


def is_of_commit(said: str | None, commit: str) -> bool | None:
    """Tell whether what the service says is `commit`; `None` when it says no hash, so that it is not known."""
    found = hash_of(said)
    return is_same_commit(found, commit) if found else None


def is_of_branch(said: str | None, branch: str) -> bool | None:
    """Tell whether what the service says is `branch`; `None` when it says nothing."""
    return _branch_name(said) == _branch_name(branch) if said else None


def hash_of(commit: str | None) -> str:
    """Return a full or shortened commit hash in lower case; empty for what is none."""
    return commit.lower() if commit and re.fullmatch(_HASH, commit) else ""


def is_same_commit(one: str, other: str) -> bool:
    """Tell whether two full or shortened hashes can be those of one commit; an empty one is that of none."""
    length = min(len(one), len(other))
    return length > 0 and one[:length].lower() == other[:length].lower()


def _branch_name(branch: str | None) -> str:
    return (branch or "").removeprefix("refs/heads/")


def _other_order(record: Record, order: Order, ordered_at: datetime | None) -> str:
    """Say that a record is of another tag than was ordered, or of a build from before the order.

    Branch and commit have been compared already.
    """
    if told := _other_tag(record, order):
        return told
    if ordered_at is not None:
        for what, instant in (("created", record.created_at), ("finished", record.finished_at)):
            if instant is not None and instant < ordered_at - CLOCK_SKEW:
                return f"it was {what} at {_clock(instant)}, but ordered at {_clock(ordered_at)}"
    return ""


def _other_tag(record: Record, order: Order) -> str:
    """Say that a record names another tag than the order."""
    if not order.tag:
        return ""
    branch, tag = _branch_name(record.branch), (record.tag or "").removeprefix("refs/tags/")
    wanted = order.tag.removeprefix("refs/tags/")
    if tag and tag != wanted:
        return f"its record is of tag {record.tag}, not of {order.tag}"
    # One short route has no tags, and some records have the tag's name in place of the branch.
    if not tag and record.run_word is None and branch and branch.removeprefix("refs/tags/") != wanted:
        return f"its record is of branch {record.branch} and has no tag, not of tag {order.tag}"
    return ""


def _clock(instant: datetime) -> str:
    """Write an instant to the second, in UTC."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
