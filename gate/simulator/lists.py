"""The operations that list a job's builds."""

from datetime import datetime, timedelta

from gate.simulator import rows
from gate.simulator.answers import Answer, Refusal, bad_parameter, enveloped, service_error
from gate.simulator.calls import Call
from gate.simulator.records import CHINA
from gate.simulator.service import Service

LONGEST_WINDOW = timedelta(days=31)
LARGEST_PAGE = 100


def builds(service: Service, call: Call) -> Answer:
    """ListBuildInfoRecordByJobId (v1): a page of the builds created in a window of at most 31 days, newest first."""
    return _page(service, call, trigger="Manual")


def builds_v3(service: Service, call: Call) -> Answer:
    """ListBuildInfoRecord (v3): the same, with the trigger in the user's language."""
    return _page(service, call, trigger="手工触发")


def _page(service: Service, call: Call, *, trigger: str) -> Answer:
    """Return the page that the call asks for; pages are counted from 0."""
    views = service.builds(call)
    start, end = _wall_clock(call, "start_time"), _wall_clock(call, "end_time")
    if end - start > LONGEST_WINDOW:
        raise Refusal(service_error(400, "CB.00031105", "The time window exceeds 31 days."))
    index = _number(call, "page_index", default=0, least=0)
    size = _number(call, "page_size", default=10, least=1)
    if size > LARGEST_PAGE:
        raise bad_parameter("page_size")
    inside = [view for view in views if start <= view.build.created <= end]
    return enveloped(rows.page(inside, index=index, size=size, trigger=trigger))


def _wall_clock(call: Call, name: str) -> datetime:
    """Return a required `yyyy-MM-dd HH:mm:ss`, which the service takes as China's local time."""
    try:
        return datetime.strptime(call.value(name) or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    except ValueError:
        raise bad_parameter(name) from None


def _number(call: Call, name: str, *, default: int, least: int) -> int:
    """Return an optional whole number."""
    text = call.value(name) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise bad_parameter(name)
    return int(text)
