"""The rates of a division, of the divisions below it, and of units (domain.md, 5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import ranking
from app.domain.county import County, Division, Node, Unit
from app.domain.errors import Invalid
from app.domain.rates import Counts, span
from app.domain.vocabulary import Attribution, Level
from app.rates import queries
from app.rates.queries import Cut, Own

UNIT: Final = "unit"
"""The level of a row that is a unit's, beside the four of divisions."""

WEIGHTS, LEAST = ranking.EQUAL, ranking.LEAST
"""What the ranks are reckoned with."""


@dataclass(frozen=True, slots=True)
class RateRow:
    """One node with what was counted for it. `rank`: among the rows of its level in the same answer, 1 the best.

    `rank` is None where it is the only one of its level, or has too few tickets to be ranked.
    """

    node: Node
    code: str
    name: str
    level: str
    counts: Counts
    rank: int | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by code. `as_of` is the moment that the tickets were counted at."""

    as_of: datetime
    rows: tuple[RateRow, ...]


async def rates(  # noqa: PLR0913 - the five parts of the question are named, never counted off
    work: Work,
    atlas: Atlas,
    division_id: int,
    *,
    first: date,
    last: date,
    level: Level | Literal["unit"] | None = None,
    attribution: Attribution = Attribution.TERRITORIAL,
) -> Table:
    """What was received from `first` to `last` (days in Shanghai, both included), as it stands now. One statement.

    Without `level` the division itself; with it every division of that level in it, itself included, or every unit.
    No row for a closed division with nothing to count. Raises Invalid: a span that is none, `unit` but by handling.
    """
    cut = _cut(work, atlas.county.divisions[division_id], first, last, attribution)
    if level == UNIT:
        return Table(work.now, _ranked(await _units(work, atlas.county, cut)))
    lowest = Level(level) if level else cut.area.level
    if lowest.depth < cut.area.level.depth:
        return Table(work.now, ())
    found = await _divisions(work, atlas.county, cut, lowest)
    return Table(work.now, _ranked(row for row in found if row.level == lowest))


async def rates_down_to(  # noqa: PLR0913
    work: Work,
    atlas: Atlas,
    division_id: int,
    *,
    first: date,
    last: date,
    lowest: Level,
    attribution: Attribution = Attribution.TERRITORIAL,
) -> Table:
    """The same for the division and every level below it down to `lowest`, of one moment: the division itself first.

    A division that is itself below `lowest` stands alone. One statement. Raises Invalid.
    """
    cut = _cut(work, atlas.county.divisions[division_id], first, last, attribution)
    found = _ranked(await _divisions(work, atlas.county, cut, max(lowest, cut.area.level, key=_depth)))
    return Table(work.now, tuple(sorted(found, key=lambda row: (row.node.division_id != division_id, row.code))))


def _depth(level: Level) -> int:
    return level.depth


def _cut(work: Work, area: Division, first: date, last: date, attribution: Attribution) -> Cut:
    begin, end = span(first, last)
    return Cut(area, begin, end, work.now, attribution)


async def _divisions(work: Work, county: County, cut: Cut, lowest: Level) -> list[RateRow]:
    found = await queries.by_division(work.conn, cut, lowest)
    sums = _summed(county, found)
    kept = (own.division_id for own in found if not own.closed or own.division_id == cut.area.id or _any(sums, own))
    return [_row(Node(division_id=place), county.divisions[place], sums[place]) for place in kept]


def _any(sums: Mapping[int, Counts], own: Own) -> bool:
    return sums[own.division_id] != Counts.zero()


def _row(node: Node, named: Division | Unit, counts: Counts) -> RateRow:
    level = str(named.level) if isinstance(named, Division) else UNIT
    return RateRow(node, named.code, named.name, level, counts, None)


def _summed(county: County, found: Sequence[Own]) -> dict[int, Counts]:
    """Each division with all that is below it: a row is its own and the sum of its children's."""
    sums = {own.division_id: Counts.zero() for own in found}
    for own in found:
        if own.counts == Counts.zero():
            continue
        for division_id in county.divisions[own.division_id].lineage:
            if division_id in sums:
                sums[division_id] += own.counts
    return sums


async def _units(work: Work, county: County, cut: Cut) -> list[RateRow]:
    if cut.attribution is not Attribution.HANDLING:
        detail = "承办单位只能按承办口径统计，请同时选 attribution=handling"
        raise Invalid.field("rates.unit", "/level", detail)
    found = await queries.by_unit(work.conn, cut)
    return [_row(Node(unit_id=unit), county.units[unit], counts) for unit, counts in found.items()]


def _ranked(rows: Iterable[RateRow]) -> tuple[RateRow, ...]:
    """The rows by code, each level ranked by itself; who is alone at a level has nobody to be ranked among."""
    every = sorted(rows, key=lambda row: row.code)
    places: dict[Node, int | None] = {}
    for level in {row.level for row in every}:
        peers = [(row.node, row.counts) for row in every if row.level == level]
        if len(peers) > 1:
            places |= ranking.rank(peers, WEIGHTS, LEAST)
    return tuple(replace(row, rank=places.get(row.node)) for row in every)
