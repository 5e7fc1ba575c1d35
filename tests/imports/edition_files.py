"""A street whose next edition leaves a village out, the real editions, and what is stored after an import."""

from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from typing import Any

from sqlalchemy import select

from app.base.work import Work
from app.divisions.service import atlas
from app.schema import division_aliases, divisions

HEADER = "code,name,level,parent_code"
STREET = "430121001"
DOORS = ("东门", "南门", "西门", "北门", "中街", "后街")
LEFT, LEFT_GRID = "430121001006", "430121001006001"
"""后街: the one that the next edition leaves out."""


def rows(villages: Sequence[str] = DOORS, *, grids: bool = True, town: str = "星沙街道") -> list[str]:
    """A county of one street with these villages, each with a grid."""
    found = ["430121,长沙县,county,", f"{STREET},{town},town,430121"]
    for number, name in enumerate(villages, 1):
        found.append(f"{STREET}{number:03},{name}社区居委会,village,{STREET}")
        if grids:
            found.append(f"{STREET}{number:03}001,第1网格,grid,{STREET}{number:03}")
    return found


def sheet(lines: Sequence[str], header: str = HEADER) -> str:
    return "\n".join([header, *lines, ""])


BEFORE = sheet(rows())
AFTER = sheet(rows(DOORS[:5], grids=False))
"""The next whole edition, of all levels but the grids."""


def packaged(year: int) -> str:
    return (files("app.demo") / "data" / f"divisions_{year}.csv").read_text("utf-8")


async def stored(work: Work) -> dict[str, Any]:
    return {row.code: row for row in await work.conn.execute(select(divisions))}


async def closed(work: Work) -> dict[str, date]:
    return {code: row.valid_to for code, row in (await stored(work)).items() if row.valid_to is not None}


async def names(work: Work, code: str) -> set[str]:
    joined = division_aliases.join(divisions, divisions.c.id == division_aliases.c.division_id)
    found = await work.conn.execute(
        select(division_aliases.c.alias).select_from(joined).where(divisions.c.code == code)
    )
    return set(found.scalars())


async def found_in(work: Work, text: str) -> list[str]:
    """The codes of the sure places of a text."""
    known = await atlas(work)
    return [known.county.divisions[i].code for i in known.places.find(text).sure]
