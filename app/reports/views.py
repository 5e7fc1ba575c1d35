"""Reports as programs read them: what GET /api/v1/reports answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.vocabulary import SHANGHAI
from app.reports import service
from app.reports.queries import Issue, Wanted


@dataclass(frozen=True, slots=True)
class ReportDivision:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """One issue of a report, without its figures. `reason`: why it followed the revision before it."""

    id: int
    kind: str
    division: ReportDivision
    period: str
    revision: int
    as_of: datetime
    reason: str | None
    checksum: str


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """A frozen report whole. `checksum`: SHA-256 over all the rest in canonical JSON (keys in order, no blanks, UTF-8).

    `parameters`: how it was reckoned. `figures`: `rows` (the division, then all below it by code: counts, rates in
    percent as decimals, rank, last month's, and the movement), `best` and `worst`, `beside`; in a revision `changes`.
    """

    kind: str
    division_id: int
    period: str
    revision: int
    as_of: datetime
    reason: str | None
    parameters: dict[str, Any]
    figures: dict[str, Any]
    checksum: str


@dataclass(frozen=True, slots=True)
class EntryPage:
    """`next` is the mark of the last row, where there is a page after it."""

    items: Sequence[ReportEntry]
    next: tuple[datetime, int] | None


async def listed(work: Work, atlas: Atlas, wanted: Wanted, limit: int, after: tuple[datetime, int] | None) -> EntryPage:
    """One page, the newest first. A division has the name that it has now; the record keeps the one of its day."""
    page = await service.listed(work, wanted, limit, after)
    return EntryPage([_entry(atlas, one) for one in page.items], page.next)


def _entry(atlas: Atlas, one: Issue) -> ReportEntry:
    division = atlas.county.divisions[one.division_id]
    return ReportEntry(
        id=one.id,
        kind=one.kind,
        division=ReportDivision(division.code, division.name),
        period=one.period,
        revision=one.revision,
        as_of=one.as_of.astimezone(SHANGHAI),
        reason=one.reason,
        checksum=one.checksum,
    )
