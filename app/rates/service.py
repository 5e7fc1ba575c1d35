"""The rates of a division, of the divisions below it, and of units (domain.md, 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import ranking
from app.domain.counting import Counts
from app.domain.county import County, Division, Node, Unit
from app.domain.errors import Invalid
from app.domain.rates import span
from app.domain.vocabulary import Attribution, Level
from app.rates.queries import reading
from app.rates.queries.reading import Cut

UNIT: Final = "unit"
"""The level of a row that is a unit's, beside the four of divisions."""
RowLevel = Level | Literal["unit"]
LEVELS: Mapping[str, RowLevel] = {**{level.value: level for level in Level}, UNIT: UNIT}
"""What can be asked for, by its code word."""

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
    level: RowLevel | None = None,
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
    return Table(work.now, _ranked(await _divisions(work, atlas.county, cut, lowest, lowest)))


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
    highest = cut.area.level
    found = _ranked(await _divisions(work, atlas.county, cut, highest, max(highest, lowest, key=_depth)))
    return Table(work.now, tuple(sorted(found, key=lambda row: (row.node.division_id != division_id, row.code))))


def _depth(level: Level) -> int:
    return level.depth


def _cut(work: Work, area: Division, first: date, last: date, attribution: Attribution) -> Cut:
    begin, end = span(first, last)
    return Cut(area, first, last, begin, end, work.now, attribution)


async def _divisions(work: Work, county: County, cut: Cut, highest: Level, lowest: Level) -> list[RateRow]:
    """A row of every division of these levels in the area, not of a closed one with nothing to count."""
    found = await reading.by_division(work.conn, cut, highest, lowest)
    levels = range(highest.depth, lowest.depth + 1)
    within = [d for d in county.divisions.values() if cut.area.id in d.lineage and d.level.depth in levels]
    zero = Counts.zero()
    sums = {d.id: found.get(d.id, zero) for d in within}
    kept = (d for d in within if d.in_force or d.id == cut.area.id or sums[d.id] != Counts.zero())
    return [_row(Node(division_id=d.id), d, sums[d.id]) for d in kept]


def _row(node: Node, named: Division | Unit, counts: Counts) -> RateRow:
    level = str(named.level) if isinstance(named, Division) else UNIT
    return RateRow(node, named.code, named.name, level, counts, None)


async def _units(work: Work, county: County, cut: Cut) -> list[RateRow]:
    if cut.attribution is not Attribution.HANDLING:
        detail = "承办单位只能按承办口径统计，请同时选 attribution=handling"
        raise Invalid.field("rates.unit", "/level", detail)
    found = await reading.by_unit(work.conn, cut)
    within = (u for u in county.units.values() if county.within(u.division_id, (cut.area.id,)))
    return [_row(Node(unit_id=u.id), u, found.get(u.id, Counts.zero())) for u in within]


def _ranked(rows: Sequence[RateRow]) -> tuple[RateRow, ...]:
    """The rows by code, each level ranked by itself; who is alone at a level has nobody to be ranked among."""
    every = sorted(rows, key=lambda row: row.code)
    places: dict[Node, int | None] = {}
    for level in {row.level for row in every}:
        peers = [(row.node, row.counts) for row in every if row.level == level]
        if len(peers) > 1:
            places |= ranking.rank(peers, WEIGHTS, LEAST)
    # Not dataclasses.replace: it is a third of the time of a county's 1,800 rows.
    return tuple(RateRow(r.node, r.code, r.name, r.level, r.counts, places.get(r.node)) for r in every)
