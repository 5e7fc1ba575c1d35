"""`/board` and `/board/{code}`: the rates of a division, the divisions below it, and what was completed lately."""

import math
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain import ranking
from app.domain.county import Division
from app.domain.errors import Missing
from app.domain.policy import Permission
from app.domain.rates import FORMULAS
from app.domain.vocabulary import Level
from app.domain.workdays import day_of
from app.pages import figures, periods
from app.pages.figures import Figure
from app.pages.periods import Period
from app.pages.rendering import BOARD_CACHE, page
from app.rates.service import RateRow, Table, rates_down_to
from app.tickets import public
from app.tickets.public import PublicTicket
from app.web.gate import needs

router = APIRouter(include_in_schema=False)
LISTED = 20
"""Tickets lately completed that a board shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One division of the table. `rank` is — where it is not ranked; `ranked`: the tickets that a rank is made of."""

    code: str
    name: str
    rank: str
    received: int
    ranked: int
    figures: list[Figure]


Days = Annotated[str, Query(max_length=64)]
From = Annotated[str, Query(max_length=64, alias="from")]


@router.get("/board")
async def county_board(
    request: Request,
    work: Annotated[Work, needs(Permission.PUBLIC, read=True)],
    first: From = "",
    to: Days = "",
) -> Response:
    """The board of the whole county."""
    known = await atlas(work)
    return await _answer(request, work, known, known.county.root, (first, to))


@router.get("/board/{code}")
async def division_board(
    request: Request,
    work: Annotated[Work, needs(Permission.PUBLIC, read=True)],
    code: str,
    first: From = "",
    to: Days = "",
) -> Response:
    """The board of one division."""
    known = await atlas(work)
    division = known.county.by_code.get(code)
    if division is None:
        raise Missing("division.unknown", f"没有代码为“{code[:32]}”的区划")
    return await _answer(request, work, known, division, (first, to))


async def _answer(request: Request, work: Work, known: Atlas, division: Division, days: tuple[str, str]) -> Response:
    period = periods.chosen(*days, day_of(work.now))
    below = _below(division.level)
    table = await _table(work, known, division, period)
    by_itself = division is known.county.root and not any(day.strip() for day in days)
    if by_itself and not table.rows[0].counts.received:
        # Early in a month, before anybody has written, the month before may say more.
        before = periods.choices(day_of(work.now))[1]
        then = await _table(work, known, division, before)
        period, table = (before, then) if then.rows[0].counts.received else (period, table)
    own, *others = table.rows
    context = {
        "section": "board",
        "now": work.now,
        "as_of": table.as_of,
        "division": division,
        "heading": _heading(known, division),
        "below": below,
        "crumbs": [known.county.divisions[i] for i in division.lineage],
        "period": period,
        "choices": periods.choices(day_of(work.now)),
        "own": own.counts,
        "main": figures.main(own.counts),
        "more": figures.more(own.counts),
        "beside": figures.beside(own.counts),
        "rows": [_row(row) for row in sorted(others, key=_place)],
        "lately": await _lately(work, known, division),
        "formulas": FORMULAS,
        "least": ranking.LEAST,
    }
    return page(request, "board.html", context, headers={"Cache-Control": BOARD_CACHE})


async def _table(work: Work, known: Atlas, division: Division, period: Period) -> Table:
    lowest = _below(division.level) or division.level
    return await rates_down_to(work, known, division.id, first=period.first, last=period.last, lowest=lowest)


def _heading(known: Atlas, division: Division) -> str:
    """Every village has a 第1网格: a grid is named with its village."""
    if division.level is not Level.GRID or division.parent_id is None:
        return division.name
    return f"{known.county.divisions[division.parent_id].name}{division.name}"


def _place(row: RateRow) -> tuple[float, str]:
    """By rank, those without one last, then by code."""
    return (math.inf if row.rank is None else row.rank, row.code)


def _row(row: RateRow) -> Row:
    rank = figures.NONE if row.rank is None else str(row.rank)
    return Row(row.code, row.name, rank, row.counts.received, row.counts.ranked, figures.main(row.counts))


def _below(level: Level) -> Level | None:
    """The next level down; nothing lies below a grid."""
    levels = list(Level)
    return levels[level.depth] if level.depth < len(levels) else None


async def _lately(work: Work, known: Atlas, division: Division) -> list[PublicTicket] | None:
    """None for a grid: a ticket's place is published down to the village, and a list of a grid's would tell more."""
    if division.level is Level.GRID:
        return None
    return await public.lately_completed(work, known, division.id, LISTED)
