"""Whether a record is that of the build that was asked for: what was asked is compared with what the record says."""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from gate.model import Order, Record

ORDER_SKEW = timedelta(seconds=60)
"""How far the service's clock may differ between its `Date` header and the creation time in a record."""

_HASH = re.compile(r"[0-9A-Fa-f]{7,40}")


class Wanted(NamedTuple):
    """What is known of the build beside its job and number, which the client compares with every answer."""

    commit: str | None = None
    order: Order | None = None
    """The order by which this gate started the build."""
    ordered_at: datetime | None = None
    """When the order was sent, by the service's clock."""


def contradiction(record: Record, wanted: Wanted) -> str:
    """Say how a record cannot be that of the wanted build, with both values; empty if it can.

    What the record does not say contradicts nothing.
    """
    commit = wanted.commit or (wanted.order and wanted.order.commit)
    found = hash_of(record.commit)
    if commit and found and not is_same_commit(commit, found):
        return f"its record is of commit {record.commit}, not of {commit}"
    if wanted.order is None:
        return ""
    if record.parent_record_id is not None:
        return f"its record is that of a part of the multi-job build {record.parent_record_id}"
    if told := _other_source(record, wanted.order):
        return told
    if wanted.ordered_at is not None:
        for what, instant in (("created", record.created_at), ("finished", record.finished_at)):
            if instant is not None and instant < wanted.ordered_at - ORDER_SKEW:
                return f"it was {what} at {_clock(instant)}, but ordered at {_clock(wanted.ordered_at)}"
    return ""


def hash_of(commit: str | None) -> str:
    """Return a full or shortened commit hash in lower case; empty for what is none."""
    return commit.lower() if commit and _HASH.fullmatch(commit) else ""


def is_same_commit(one: str, other: str) -> bool:
    """Tell whether two full or shortened hashes can be those of one commit; an empty one is that of none."""
    length = min(len(one), len(other))
    return length > 0 and one[:length].lower() == other[:length].lower()


def _other_source(record: Record, order: Order) -> str:
    """Say that a record names another branch or tag than the order."""
    branch = (record.branch or "").removeprefix("refs/heads/")
    tag = (record.tag or "").removeprefix("refs/tags/")
    if order.branch and branch and branch != order.branch.removeprefix("refs/heads/"):
        return f"its record is of branch {record.branch}, not of {order.branch}"
    if order.tag:
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
