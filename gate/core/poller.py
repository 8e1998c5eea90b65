"""One build from the first look to its end: looks at the right time, and no more of them than needed."""

import re
from collections.abc import Sequence
from datetime import datetime

from gate.core import verdict as judging
from gate.core.forecast import Forecast
from gate.core.outcome_builder import OutcomeBuilder
from gate.core.ports import Ask, Context, Steps
from gate.core.retrier import Retrier
from gate.core.schedule import FIRST_PAUSES, pause
from gate.core.selection import SKEW, PinnedBuild
from gate.durations import spell
from gate.errors import InvalidAnswer, NotFound, Refused, RouteMissing, ServiceError, TransientError
from gate.model import ListedBuild, Record, RecordState, State, Verdict

SECOND_LOOKS = 2
"""How often an ended build with an unknown word, or one without unit-test totals, is looked at again: the service may
still be writing."""

LIST_TRUST_SECONDS = 120.0
"""Seconds for which the list is believed that nothing has changed: lists were seen to lag behind their builds."""


class Poller:
    """Looks at one target's build until it has ended."""

    def __init__(self, findings: OutcomeBuilder, context: Context, asking: Retrier, *, shares: bool) -> None:
        """`shares`: whether other targets are builds of the same job, so that one list tells about all of them."""
        self._findings = findings
        self._job = findings.target.job_id
        self._ordered_at: datetime | None = None
        self._rules = context.rules
        self._service = context.service
        self._asking = asking
        self._shares = shares
        self._expectation = Forecast()
        self._warned = False
        self._read_at = 0.0

    def next_look(self, looks: int) -> float:
        """Return the instant of the look that follows look number `looks`."""
        chance, age, timetable = self._asking.chance(), self._age(), self._expectation.timetable
        if age is not None and timetable and looks > len(FIRST_PAUSES):
            return self._asking.now() + timetable.pause(age, chance)
        return self._asking.now() + pause(looks, self._rules.poll_interval, chance)

    def run(self, pinned: PinnedBuild) -> Steps[RecordState]:
        """Look again and again until the build has ended; an unknown word has to persist."""
        self._expectation, self._ordered_at = pinned.expectation, pinned.ordered_at
        at = self._asking.now()
        give_up = at + min(pinned.appearing_seconds, self._rules.appear_timeout)
        record, looks, unknown = pinned.record, 0, 0
        self._findings.polls += record is not None
        while True:
            looks += 1
            try:
                record = record or (yield from self._look(pinned.build_number, at))
            except NotFound as error:
                if at >= give_up:
                    raise
                self._asking.puzzle(error)
                at = min(self.next_look(looks), max(give_up, self._asking.now()))
                continue
            reading = self._take(record)
            unknown = unknown + 1 if reading.ended and reading.state is State.UNKNOWN else 0
            if reading.ended and (reading.state is not State.UNKNOWN or unknown > SECOND_LOOKS):
                return reading
            record, at = None, self.next_look(unknown or looks)

    def _look(self, number: int, at: float) -> Steps[Record]:
        """Get the build's record, anew only if the list that targets share does not say that nothing has changed."""
        known = self._findings.record
        listed = known and self._shares and at - self._read_at < LIST_TRUST_SECONDS
        if known and listed and not (yield from self._has_news(number, at)):
            self._findings.polls += 1
            return known
        record: Record = yield from self._asking(lambda: self._read(number), at)
        self._read_at = self._asking.now()
        if known and listed and judging.read(record) == self._findings.reading:
            self._shares = False  # the list promised more than it kept, and would double the calls
        return record

    def _has_news(self, number: int, at: float) -> Steps[bool]:
        """Tell by the job's list whether the build is in another state than it was, ended, or not listed.

        A list that cannot be read tells nothing, and is no trouble of the build's.
        """
        try:
            builds: Sequence[ListedBuild] = yield Ask(lambda: self._service.builds(self._job), at, share=self._job)
        except TransientError:
            return True
        except ServiceError:
            self._shares = False
            return True
        for build in builds:
            if build.number == number:
                row = Record(job_id=self._job, build_number=number, word=build.word, run_word=build.run_word)
                reading = judging.read(row)
                return reading.ended or self._findings.reading is None or reading.state != self._findings.reading.state
        return True

    def _read(self, number: int) -> Record:
        """Read the build's record; one that was there before, or its path, and is not found now may come back."""
        self._findings.polls += 1
        try:
            record = self._service.record(self._job, number)
        except (NotFound, RouteMissing, Refused) as error:
            if self._findings.record is None or (isinstance(error, Refused) and error.status != 404):
                raise
            raise InvalidAnswer(f"the record of build {number} has vanished: {error}", status=error.status) from error
        if contradiction := self._contradiction(record):
            raise InvalidAnswer(f"build {number}: {contradiction}")
        return record

    def _contradiction(self, record: Record) -> str:
        """Say how a record cannot be that of the build that was chosen or ordered; empty if it can."""
        wanted, commit = self._rules.commit or "", record.commit or ""
        if self._findings.target.build_number is None and wanted and re.fullmatch(r"[0-9A-Fa-f]{7,40}", commit):
            length = min(len(wanted), len(commit))
            if wanted[:length].lower() != commit[:length].lower():
                return f"its record is of commit {commit}, not of {wanted}"
        if self._ordered_at and record.finished_at and record.finished_at < self._ordered_at - SKEW:
            return "its record ended before the build was ordered"
        return ""

    def _take(self, record: Record) -> RecordState:
        """Keep the record; say what is new."""
        before = self._findings.reading
        reading = self._findings.take(record)
        if before is None:
            self._asking.say(self._findings.introduce(self._service.now()))
        if reading != before and judging.judge(reading) in (
            None,
            Verdict.UNDETERMINED,
        ):  # else the verdict itself says it all
            self._asking.say(self._findings.describe())
        self._warn()
        return reading

    def _warn(self) -> None:
        """Say once that the build takes longer than builds of its job do."""
        age, slow = self._age(), self._expectation.slow_seconds
        if age is not None and slow is not None and age > slow and not self._warned:
            self._warned = True
            number = self._findings.build_number
            self._asking.say(
                f"build {number} is slower than 95 % of the past builds that passed: it has been under way for "
                f"{spell(age)}, they took at most {spell(slow)}"
            )

    def _age(self) -> float | None:
        """Return for how many seconds the build has been running, by the service's clock; `None` if not known."""
        record, reading = self._findings.record, self._findings.reading
        if record is None or record.started_at is None or reading is None or reading.state is not State.RUNNING:
            return None
        return max((self._service.now() - record.started_at).total_seconds(), 0.0)
