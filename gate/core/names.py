"""The jobs of a CodeArts project: their ids by name, and those whose name contains a text.

The project's list has a hundred jobs a page, and may have hundreds of pages. It can be searched; a host that ignores
that, or refuses it, is read page after page.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from gate.core.asks import pause_until
from gate.core.ports import Context
from gate.core.retry import Retrier
from gate.errors import Forbidden, NotFound, PermanentError, Refused, RouteMissing
from gate.model import ProjectPage, ProjectRow, Target, is_label

MOST_SEARCHES = 10
"""Names that are searched for one by one; more are found sooner by reading the whole list."""

FEW_PAGES = 3
"""Pages that are read for a second job of a name that was found: names are unique where the service sees to it."""

LOOK_AGAIN = 2.0
"""Seconds after which the list is read once more where a name is missing."""

MOST_NEAR = 3
"""Names that are proposed in place of one that is not there."""

MOST_NAMES = 5
"""Names about which a message says something."""

PROJECT_HINT = "Check --codearts-project, and that the user may view this project. {}"
NAME_HINT = "`codearts-gate jobs` lists the jobs of the project."


class _Listing:
    """What was read of the list so far."""

    def __init__(self, context: Context, retrier: Retrier) -> None:
        self._project = context.rules.codearts_project or ""
        self._service = context.service
        self._retrier = retrier
        self.rows: dict[str, ProjectRow] = {}
        """The rows by job id, in the order of the list."""
        self.is_partial = False
        """Whether a second job of a name that was found may be on a page that was not read."""
        self._seen: set[str] = set()
        """The jobs on the pages of the reading that goes on."""

    async def page(self, number: int) -> bool:
        """Read a page (from 0) of the whole list; return whether there is more behind it."""
        if number == 0:
            self._seen = set()
        page = await self._read(number, "")
        return self._has_more(page)

    async def search(self, text: str, *, is_name: bool = False) -> bool:
        """Read the jobs whose name contains a text; return whether the service searches at all.

        Where the text is a whole name, which may be a part of thousands, no more than a few pages are read once a job
        of this name was found.
        """
        former, self._seen = self._seen, set()
        has_more, number = True, 0
        try:
            while has_more and not (is_name and number >= FEW_PAGES and self.ids(text)):
                page = await self._read(number, text)
                if any(text.casefold() not in (row.name or "").casefold() for row in page.rows):
                    return False
                has_more, number = self._has_more(page), number + 1
            self.is_partial = self.is_partial or has_more
        except (NotFound, Refused, RouteMissing):  # the list itself can be read
            return False
        finally:
            self._seen = former
        return True

    async def _read(self, number: int, search: str) -> ProjectPage:
        page: ProjectPage = await self._retrier(partial(self._service.jobs_page, self._project, number, search))
        self.rows |= {row.job_id: row for row in page.rows}
        return page

    def _has_more(self, page: ProjectPage) -> bool:
        """Tell whether there is more behind a page; one without any new job is the last one, whatever it says."""
        ids = {row.job_id for row in page.rows}
        is_new = not ids <= self._seen
        self._seen |= ids
        return is_new and not page.is_last

    def ids(self, name: str) -> Sequence[str]:
        """Return the ids of the jobs of this name that were read."""
        return [row.job_id for row in self.rows.values() if row.name == name]


async def find_jobs(names: Collection[str], context: Context, retrier: Retrier) -> Mapping[str, str]:
    """Return the job id of each name.

    Raises `NotFound` for a name that no job has or several have, and what reading the list raises.
    """
    listing = _Listing(context, retrier)
    await _read(listing, names)
    if not all(listing.ids(name) for name in names):
        await pause_until(context.now() + LOOK_AGAIN)  # lists were seen to lose rows
        await _read(listing, names)
    wrong = [name for name in names if len(listing.ids(name)) != 1]
    if wrong:
        known = [row.name for row in listing.rows.values() if row.name]
        more = f"; and {len(wrong) - MOST_NAMES} more names are not found" if len(wrong) > MOST_NAMES else ""
        facts = "; ".join(_what_is_wrong(name, listing.ids(name), known) for name in wrong[:MOST_NAMES])
        raise NotFound(f"{facts}{more}", hint=NAME_HINT)
    if listing.is_partial:
        retrier.say("the list of the project's jobs was not read to its end: it may have a second job of a name")
    return {name: listing.ids(name)[0] for name in names}


async def _read(listing: _Listing, names: Collection[str]) -> None:
    """Read the list until each name is found, a few pages at least, or to its end; a search takes the place of that."""
    has_more, searches = await _first_page(listing), len(names) <= MOST_SEARCHES
    for name in names if has_more and searches else ():
        if not (searches := await listing.search(name, is_name=True)):
            break
    number = 1
    while has_more and not (all(listing.ids(name) for name in names) and (searches or number >= FEW_PAGES)):
        has_more = await listing.page(number)
        number += 1
    listing.is_partial = listing.is_partial or (has_more and not searches)


async def list_jobs(text: str, context: Context, retrier: Retrier) -> Sequence[ProjectRow]:
    """Return all jobs whose name contains a text, whatever its case, by name."""
    listing = _Listing(context, retrier)
    has_more = await _first_page(listing)
    if has_more and not (text and await listing.search(text)):
        number = 1
        while has_more:
            has_more = await listing.page(number)
            number += 1
    found = [row for row in listing.rows.values() if text.casefold() in (row.name or "").casefold()]
    return sorted(found, key=lambda row: ((row.name or "").casefold(), row.job_id))


async def _first_page(listing: _Listing) -> bool:
    """Read the first page; return whether there is more. What is wrong with the project shows here."""
    try:
        return await listing.page(0)
    except (NotFound, Forbidden, Refused) as error:
        kind: type[PermanentError] = type(error)
        hint = PROJECT_HINT.format("" if isinstance(error, NotFound) else error.hint).strip()
        raise kind(str(error), status=error.status, code=error.code, hint=hint) from error


def _what_is_wrong(name: str, ids: Sequence[str], known: Iterable[str]) -> str:
    if ids:
        return f"{len(ids)} jobs of the project have the name {name}: {', '.join(ids[:MOST_NAMES])}"
    names = {one.casefold(): one for one in known}
    import difflib

    near = difflib.get_close_matches(name.casefold(), names, n=MOST_NEAR)
    are = "one is" if len(near) == 1 else "names are"
    proposal = f"; the nearest {are} {', '.join(names[one] for one in near)}" if near else ""
    return f"no job of the project has the name {name}{proposal}"


def with_jobs(targets: Sequence[Target], jobs: Mapping[str, str]) -> list[Target]:
    """Return the targets with the ids of their jobs; a name that can be no label is replaced by the id as such.

    Raises `NotFound` if two targets turn out to be the same build.
    """
    labels = {target.label for target in targets if is_label(target.label)}
    builds: dict[tuple[str, int | None], Target] = {}
    found = []
    for target in targets:
        job_id = jobs[target.name] if target.name else target.job_id
        label, count = target.label, 1
        while not is_label(label) or (label != target.label and label in labels):
            label, count = job_id if count == 1 else f"{job_id}-{count}", count + 1
        labels.add(label)
        former = builds.setdefault((job_id, target.build_number), target)
        if former is not target:
            raise NotFound(
                f"{former.job} and {target.job} are the same job, {job_id}", hint="Give each build only once."
            )
        found.append(replace(target, job_id=job_id, label=label))
    return found
