"""Finding the build that is judged: collects evidence about a job until `gate.core.choice` can decide.

The calls of a selection are never left out under load, and an error is never taken for an absence.
"""

import itertools
import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from gate.core.asks import Ask, Priority
from gate.core.choice import Asked, Choice, Found, MissingFact, NoneProven, NotKnown, choose
from gate.core.evidence import Evidence, NoAnswer
from gate.core.forecast import Forecast, forecast
from gate.core.ports import Context
from gate.core.retry import HAS_TO_COME_TWICE, Retrier
from gate.core.schedule import pause
from gate.core.verdict import interpret
from gate.durations import spell
from gate.errors import (
    CredentialRefused,
    Forbidden,
    InvalidAnswer,
    NoBuildAppeared,
    NotFound,
    PermanentError,
    Refused,
    RouteMissing,
    ServiceError,
    ServiceFailing,
    TransientError,
)
from gate.model import BuildPage, Record, Target
from gate.value_types import NamedTuple
from gate.vocabulary import SUCCESS

T = TypeVar("T")

ODD = (InvalidAnswer, ServiceFailing, Forbidden, Refused, RouteMissing)
"""Errors that may be how a deployment answers for a build that does not exist; nobody has published how each does."""

REFUSED = (Forbidden, NotFound, Refused, RouteMissing)
"""Errors that say that a question about the job has no answer here."""

MISSING_BELOW = 10.0
"""Seconds for which a build that was asked for by number may have no record although there is a newer one."""

AGAIN, TRIES_AT_ONCE = 0.3, 3
"""Seconds between two tries of a call that has to be answered at once, and how many there are."""

TRIES_OF_QUESTION = 3
"""How often the job is asked in one look what it does."""


class PinnedBuild(NamedTuple):
    """The build that is judged from now on, whatever starts later."""

    build_number: int
    record: Record | None = None
    """Its record, if that has been read in the same look."""
    forecast: Forecast = Forecast()
    has_children: bool = False
    """Whether a child of it was seen, so that it is a multi-job build."""


class Selection:
    """Finds the build of one target."""

    def __init__(self, target: Target, context: Context, retrier: Retrier) -> None:
        """Nothing is asked yet."""
        self._target = target
        self._job = target.job_id
        self._rules = context.rules
        self._order = context.order
        self._service = context.service
        self._retrier = retrier
        self._now = context.now
        self._chance = context.chance
        self._evidence = Evidence()
        self._silent_since: dict[str, float] = {}
        """Since when each question about the job has had errors only."""
        self._answered: set[str] = set()
        """The questions about the job that this host answers."""

    async def run(self) -> PinnedBuild:
        """Find the build, and wait for it to appear if need be.

        Raises `NoBuildAppeared` when it is proven that there is none, and `NotFound` when none was found in time but
        there may be one. The record of a numbered target is not compared with what was asked for here.
        """
        if self._target.build_number is not None:
            return await self._numbered(self._target.build_number)
        rules = self._rules
        asked = Asked(rules.commit, rules.branch, rules.since, rules.age_limit)
        at = self._evidence.began = self._now()
        give_up, looks, told = 0.0, 0, ""
        while True:
            is_last = looks > 0 and at >= give_up  # the last look begins when the time is over
            choice = await self._look(asked, at, is_last=is_last)
            if isinstance(choice, Found):
                if choice.warning:
                    self._retrier.say(f"warning: {choice.warning}")
                return self._pin(choice.number)
            looks += 1
            if looks == 1:
                give_up = self._now() + rules.appear_timeout
            if is_last or (isinstance(choice, NotKnown) and choice.is_final):
                raise self._none_found(choice)
            if choice.sentence != told and (left := give_up - self._now()) > 0:
                self._retrier.say(f"{choice.sentence}; waiting for a build, at most {spell(left)}")
                told = choice.sentence
            at = self._next_look(looks, give_up)

    async def newest_number(self, until: float) -> int:
        """Look once for the highest number of the job's builds, at once whatever the rate; 0 if there is none.

        Raises a `ServiceError` when there is no usable answer by the instant `until`.
        """
        evidence = self._evidence
        evidence.begin_look()
        evidence.note_page(0, await self._at_once(partial(self._service.build_page, self._job, 0), until))
        await self._ask_running(until)
        while evidence.highest:
            number = evidence.highest + 1
            try:
                record = await self._at_once(partial(self._service.record, self._job, number), until)
            except (*ODD, NotFound):
                break
            evidence.note_record(record)
        return evidence.highest

    async def reusable(self) -> PinnedBuild | None:
        """Look once for the newest build of the order's commit, for `run --reuse`.

        Returns `None` where it ended otherwise than passed, where there is none, or where that is not known.
        """
        commit = self._order.commit if self._order else None
        if commit is None:
            return None
        try:
            choice = await self._look(Asked(commit), self._now(), is_last=False)
        except ServiceError as error:
            self._retrier.say(f"whether a build of commit {commit} can be reused is not known: {error}")
            return None
        if not isinstance(choice, Found):
            self._retrier.say(f"no build is reused: {choice.sentence}")
            return None
        state = interpret(self._evidence.records[choice.number])
        if state.ended and state.word != SUCCESS:
            self._retrier.say(f"build {choice.number} is not reused: it ended with {state.word}")
            return None
        return self._pin(choice.number)

    def _pin(self, number: int) -> PinnedBuild:
        evidence = self._evidence
        record = evidence.records[number]
        children = [one for one in evidence.records.values() if one.parent_record_id is not None]
        past = sorted((row for row in evidence.rows.values() if row.number != number), key=lambda row: -row.number)
        pinned = PinnedBuild(
            build_number=number,
            record=record if evidence.is_read(number) else None,
            forecast=forecast(past, self._rules.poll_interval),
            has_children=record.record_id is not None
            and record.record_id in [child.parent_record_id for child in children],
        )
        self._evidence = Evidence()  # hundreds of targets would keep a hundred rows each
        return pinned

    def _next_look(self, looks: int, give_up: float) -> float:
        """Return when to look again after look number `looks`; the last look is due at `give_up`."""
        now = self._now()
        return min(now + pause(looks, self._rules.poll_interval, self._chance()), max(give_up, now))

    def _none_found(self, choice: NoneProven | NotKnown) -> NotFound:
        """Return the error for a build that was not found in time."""
        if isinstance(choice, NotKnown) and choice.is_final:
            return NotFound(choice.sentence, hint=choice.hint)
        kind = NoBuildAppeared if isinstance(choice, NoneProven) else NotFound
        own_hint = choice.hint if isinstance(choice, NotKnown) else ""
        text = f"no build to judge appeared within {spell(self._rules.appear_timeout)}: {choice.sentence}"
        if self._rules.commit_advice:
            text += f". {self._rules.commit_advice[0].upper()}{self._rules.commit_advice[1:]}"
        return kind(text, hint=own_hint or self._advice())

    def _advice(self) -> str:
        """Say what may be wrong where the service has answered and no build was found."""
        rules = self._rules
        asked = {"--commit": rules.commit, "--branch": rules.branch, "--since": rules.since}
        given = " and ".join(option for option, value in asked.items() if value)
        age = " or --max-age" if rules.age_limit is not None else ""
        return f"Check {f'{given}, and ' if given else ''}that the build gets started, or raise --appear-timeout{age}."

    async def _look(self, asked: Asked, at: float, *, is_last: bool) -> Choice:
        """Read what may have changed, and whatever else is needed for a choice; return that."""
        evidence = self._evidence
        evidence.begin_look(is_last=is_last)
        await self._read_page(0, at)
        await self._ask_running()
        while True:
            self._tell_time()
            choice = choose(evidence, asked, is_last=is_last)
            if not isinstance(choice, MissingFact):
                return choice
            if choice.record is not None:
                await self._read_record(choice.record)
            elif choice.page is not None:
                await self._read_page(choice.page)
            else:
                evidence.note_status(await self._question("/status", partial(self._service.is_running, self._job)))

    def _tell_time(self) -> None:
        """Keep what the clocks read now."""
        evidence = self._evidence
        evidence.now = self._now()
        evidence.clock, evidence.local_clock = self._service.now(), self._service.local_now()

    async def _read_page(self, index: int, at: float = 0.0) -> None:
        """Read a page of the list, once more if the service's clock turns out to be another than was thought."""
        for _ in range(2):
            page: BuildPage = await self._retrier(partial(self._service.build_page, self._job, index), at)
            self._tell_time()
            self._evidence.note_page(index, page)
            if page.window is None or page.window[0] <= self._service.now() <= page.window[1]:
                break

    async def _ask_running(self, until: float | None = None) -> None:
        """Ask `running-status`, unless this host does not have it."""
        if self._evidence.running is None:
            call = partial(self._service.running_status, self._job)
            self._evidence.note_running(await self._question("running-status", call, until))

    async def _question(self, name: str, call: Callable[[], T | None], until: float | None = None) -> T | NoAnswer:
        """Ask what the job does; an error is not raised, but kept as the reason why there is no answer."""
        priority, at, tries = (Priority.POLL if until is None else Priority.URGENT), 0.0, 0
        while True:
            tries += 1
            try:
                answer = await Ask(call, at, priority, until or math.inf)
            except (TransientError, Forbidden, *HAS_TO_COME_TWICE) as error:
                at, priority = self._now() + AGAIN, min(priority, Priority.NEXT)
                if isinstance(error, REFUSED) and name not in self._answered:
                    self._silent_since.pop(name, None)
                    return NoAnswer(str(error), self._now(), is_refused=True)
                if tries == TRIES_OF_QUESTION and _kind_of(error) is Forbidden:  # it may pass, or not
                    return NoAnswer(str(error), -math.inf)
                if tries == TRIES_OF_QUESTION:
                    return NoAnswer(str(error), self._silent_since.setdefault(name, self._now()))
            else:
                self._tell_time()
                self._answered.add(name)
                self._silent_since.pop(name, None)
                return NoAnswer("it says nothing", -math.inf) if answer is None else answer

    async def _read_record(
        self, number: int, at: float = 0.0, odd: tuple[type[ServiceError], ...] = ODD
    ) -> ServiceError | None:
        """Read the record of a build. That there is none is kept as well, or the error in its place, which is returned.

        Raises the error if it is none of `odd`, which may be the answer for a build that does not exist.
        """
        evidence, priority, tries = self._evidence, Priority.POLL, 0
        call = partial(self._service.record, self._job, number)
        while True:
            tries += 1
            try:
                record: Record = await Ask(call, at, priority)
            except NotFound:
                self._tell_time()
                self._retrier.note_answer()
                evidence.note_absence(number)
                return None
            except ServiceError as error:
                self._tell_time()
                told = _in_general(error)
                if _kind_of(error) in odd and self._may_be_absence(number, told):
                    is_usual = evidence.odd_answer is not None and evidence.odd_answer.error == told
                    if is_usual or tries > TRIES_OF_QUESTION or isinstance(error, PermanentError):
                        evidence.note_odd(number, told)
                        return error
                    at, priority = self._now() + AGAIN, Priority.NEXT
                else:
                    at, priority = self._retrier.note_error(error), self._retrier.priority
            else:
                self._tell_time()
                self._retrier.note_answer()
                evidence.note_record(record)
                return None

    def _may_be_absence(self, number: int, error: str) -> bool:
        """Tell whether an error for a build may mean that it does not exist, or not yet.

        It may not if the build was listed or read, unless the service has the same error for one that nobody knows.
        """
        evidence = self._evidence
        if number not in evidence.rows and number not in evidence.records:
            return True
        return bool(evidence.records) and evidence.odd_answer is not None and evidence.odd_answer.error == error

    async def _at_once(self, call: Callable[[], T], until: float) -> T:
        """Carry out a call whatever the rate, up to three times until an instant; raises the last error."""
        at = 0.0
        for tries in itertools.count(1):
            try:
                answer = await Ask(call, at, Priority.URGENT, expires=until)
            except TransientError:
                at = self._now() + AGAIN
                if at >= until or tries == TRIES_AT_ONCE:
                    raise
            else:
                self._tell_time()
                return answer
        raise AssertionError

    # A build that was asked for by its number.

    async def _numbered(self, number: int) -> PinnedBuild:
        """Wait for a build of a given number to have a record.

        One above every number that is known is waited for, up to `--appear-timeout`; one below ends soon.
        """
        evidence, rules = self._evidence, self._rules
        at, began, looks, told = self._now(), None, 0, ""
        while True:
            evidence.begin_look()
            # A transient error is waited for within the error budget, whether the build exists or not.
            error = await self._read_record(number, at, odd=(Forbidden, Refused, RouteMissing))
            if evidence.is_read(number):
                return PinnedBuild(number, evidence.records[number])
            began = self._now() if began is None else began
            looks += 1
            others = await self._other_numbers(number)
            if error is not None and _kind_of(error) in REFUSED and not await self._can_read_another(others):
                raise error.permanent() if isinstance(error, CredentialRefused) else error
            is_below = not evidence.is_known(number) and any(other > number for other in others)
            patience = min(MISSING_BELOW, rules.appear_timeout) if is_below else rules.appear_timeout
            newest = f"; the newest known one is {max(others)}" if others else ""
            if at >= began + patience:
                advice = "Check the build number" + ("." if is_below else ", or raise --appear-timeout.")
                told = f"build {number} is not there after {spell(self._now() - began)}{newest}"
                raise NotFound(told, hint=advice if others else "")
            sentence = f"build {number} is not there{'' if is_below else ' yet'}{newest}"
            if sentence != told and (left := began + patience - self._now()) > 0:
                self._retrier.say(f"{sentence}; waiting for it, at most {spell(left)}")
                told = sentence
            at = self._next_look(looks, began + patience)

    async def _other_numbers(self, number: int) -> list[int]:
        """Return the numbers of the job's other builds, as far as the list and `running-status` name them."""
        evidence = self._evidence
        with suppress(RouteMissing, Forbidden, Refused):  # lists that are not published say nothing
            await self._read_page(0)
        await self._ask_running()
        return sorted({*evidence.rows, *evidence.records, evidence.latest_number} - {0, number})

    async def _can_read_another(self, others: Sequence[int]) -> bool:
        """Tell whether the record of another build can be read, so that an error for one may mean that it is not there.

        Raises the error for the other record, if there is one.
        """
        if not self._evidence.records and others:
            await self._read_record(others[-1])
        return bool(self._evidence.records)


def _kind_of(error: ServiceError) -> type[ServiceError]:
    """Return the class of an error; that of the final one for the refusal of a permission."""
    return error.kind if isinstance(error, CredentialRefused) else type(error)


def _in_general(error: ServiceError) -> str:
    """Return what is the same in the answers to two requests that fail alike."""
    if error.status is not None:
        return f"HTTP {error.status}, {error.code}" if error.code else f"HTTP {error.status}"
    return re.sub(r"\d+", "N", str(error))
