"""The operations that only read, one method each, with their fallback routes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from urllib.parse import quote

from gate.bounds import LOG_SECONDS
from gate.codearts import fields, wire
from gate.codearts.routes import Routes
from gate.errors import InvalidAnswer
from gate.model import Build, Record, Stage, UnitTests

PAGE, PAGES = 100, 10
"""Builds on a page of the list (the service's limit), and pages read at most."""

WINDOW = timedelta(days=29)
"""How far back builds are listed: a window of over 31 days is refused (CB.00031105), and the end lies a day ahead,
because the service reads the times by a local clock."""

LEAP = timedelta(minutes=10)
"""By more than this, the service's clock does not move while it lists builds: it was not known before."""

RECORD_ROUTES = (
    ("/v1/record/{job_id}/{build_number}/record-info", wire.record_of),
    ("/v4/jobs/{job_id}/{build_number}/record-info", wire.record_of),
    ("/v1/record/{job_id}/{build_number}/build-info-record", wire.short_record_of),
)
"""The paths to the record of one build, and how each answer is read: ShowJobBuildRecordDetail, else the older
ShowRecordDetail, else ShowBuildInfoRecord."""


class Client:
    """Reads what CodeArts Build says."""

    def __init__(self, routes: Routes) -> None:
        """Nothing is asked yet."""
        self._routes = routes

    def now(self) -> datetime:
        """Give the time of day by the service's clock."""
        return self._routes.session.now()

    def is_running(self, job_id: str) -> bool | None:
        """Ask whether the job runs now (ShowJobStatus); `None` when the service does not say."""
        return self._routes.first(
            "the job's running state", [self._routes.get(f"/v3/jobs/{job_id}/status", wire.is_running_of)]
        )

    def record(self, job_id: str, build_number: int) -> Record:
        """Ask for the record of one build; raises `InvalidAnswer` for an answer about another one."""
        what = f"build {build_number}"
        routes = [
            self._routes.get(path.format(job_id=job_id, build_number=build_number), read)
            for path, read in RECORD_ROUTES
        ]
        record = self._routes.first("the record of a build", routes, what)
        if record.build_number != build_number or record.job_id not in ("", job_id):
            other = f"build {record.build_number} of job {record.job_id or job_id}"
            raise InvalidAnswer(f"{what}: the answer is about another one, {other}")
        return record

    def builds(self, job_id: str, commit: str | None = None) -> Sequence[Build]:
        """List builds of the last weeks (ListBuildInfoRecordByJobId, else ListBuildInfoRecord), newest first.

        Reads on until a build of `commit` is found, if one is given. When the answer tells that this machine's clock is
        wrong, the weeks were the wrong ones, and are asked for again.
        """
        asked_at = self.now()
        found = self._builds(job_id, commit)
        return found if abs(self.now() - asked_at) < LEAP else self._builds(job_id, commit)

    def _builds(self, job_id: str, commit: str | None) -> Sequence[Build]:
        found: dict[int, Build] = {}
        for page in range(PAGES):
            rows = self._page(job_id, page)
            news = {row.number: row for row in rows if row.number not in found}
            found |= news
            falling = all(one.number > next_one.number for one, next_one in pairwise(rows))
            enough = commit is None or any(row.is_of(commit) for row in rows)
            if len(rows) < PAGE or not news or (falling and enough):
                break
        return sorted(found.values(), key=lambda build: -build.number)

    def _page(self, job_id: str, page: int) -> list[Build]:
        """Read one page of the list; its times are local to China, without a zone."""
        local = self.now().astimezone(fields.CHINA)
        params = {
            "end_time": f"{local + timedelta(days=1):%Y-%m-%d %H:%M:%S}",
            "page_index": page,
            "page_size": PAGE,
            "start_time": f"{local - WINDOW:%Y-%m-%d %H:%M:%S}",
        }
        routes = [
            self._routes.get(f"/v1/record/{job_id}/list", wire.builds_of, params),
            self._routes.get(f"/v3/jobs/{job_id}/build-info-records", wire.builds_of, params),
        ]
        return self._routes.first("the job's builds", routes)

    def stages(self, record_id: str) -> Sequence[Stage]:
        """List the stages of a build in their order (ShowBuildRecordFullStages)."""
        path = f"/v1/record/{quote(record_id, safe='')}/full-stages"
        return self._routes.first("the stages", [self._routes.get(path, wire.stages_of)])

    def unit_tests(self, job_id: str, build_number: int) -> UnitTests | None:
        """Give the totals of a build's unit tests (ShowReportSummary); `None` when the service has none."""
        read = partial(wire.unit_tests_of, job_id=job_id, build_number=build_number)
        route = self._routes.get(f"/v1/report/{job_id}/summary", read, {"build_no": build_number})
        return self._routes.first("the unit tests", [route])

    def log_tail(self, record_id: str, lines: int) -> Sequence[str]:
        """Give the last lines of what comes of a build's log within 5 s and 8 MiB (DownloadBuildFullLog, else v4)."""
        record = quote(record_id, safe="")
        paths = (f"/v1/log/{record}/download-log", f"/v4/{record}/download-log")
        return self._routes.first(
            "the log", [self._routes.lines(path, lines, {"log_level": "INFO"}, LOG_SECONDS) for path in paths]
        )
