"""What of a record contradicts an order, and what does not."""

from datetime import timedelta
from typing import Any

from gate.core.identity import CLOCK_SKEW, Wanted, contradiction
from gate.model import Order
from tests.core.fakes import EPOCH, record
from tests.tables import each_row

SECOND = timedelta(seconds=1)


def told(order: dict[str, Any], of_record: dict[str, Any]) -> str:
    """Return how a record contradicts an order that was sent at `EPOCH`."""
    return contradiction(record(**of_record), Wanted(order=Order(**order), ordered_at=EPOCH))


@each_row(
    ("order", "of_record"),
    [
        ({"branch": "next"}, {"branch": "refs/heads/next"}),
        ({"branch": "refs/heads/next"}, {"branch": "next"}),
        ({"branch": "next"}, {}),
        ({"tag": "v2"}, {"tag": "refs/tags/v2"}),
        ({"tag": "refs/tags/v2"}, {"tag": "v2"}),
        ({"tag": "v2"}, {"branch": "v2"}),
        ({"tag": "v2"}, {"branch": "refs/tags/v2"}),
        ({"tag": "v2"}, {"branch": "master", "run_word": "Running"}),
        ({"commit": "ABCDEF1"}, {"commit": "abcdef1" + "0" * 33}),
        ({"commit": "abcdef1"}, {"commit": "HEAD"}),
        ({}, {"branch": "any", "tag": "any", "commit": "f" * 40}),
        ({}, {"created_at": EPOCH - CLOCK_SKEW}),
        ({}, {"finished_at": EPOCH - CLOCK_SKEW}),
    ],
)
def test_record_that_may_be_of_the_order_contradicts_nothing(order: dict[str, Any], of_record: dict[str, Any]) -> None:
    """Other spellings of one branch, tag or commit agree, and so do clocks that differ by ten minutes."""
    assert told(order, of_record) == ""


@each_row(
    ("order", "of_record"),
    [
        ({"branch": "next"}, {"branch": "master"}),
        ({"tag": "v2"}, {"tag": "v1"}),
        ({"tag": "v2"}, {"tag": "v1", "branch": "v2"}),
        ({"tag": "v2"}, {"branch": "master"}),
        ({"commit": "abcdef1"}, {"commit": "abcdef2" + "0" * 33}),
        ({}, {"parent_record_id": "another"}),
        ({}, {"created_at": EPOCH - CLOCK_SKEW - SECOND}),
        ({}, {"created_at": EPOCH, "finished_at": EPOCH - CLOCK_SKEW - SECOND}),
    ],
)
def test_record_of_something_else_contradicts_the_order(order: dict[str, Any], of_record: dict[str, Any]) -> None:
    """Another source, a part of another build, or a build that was there before the order."""
    assert told(order, of_record)
