"""Reads the county. Its tables are written by imports only."""

from dataclasses import dataclass

from sqlalchemy import RowMapping, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.county import Alias, Category, County, Division, Sign, Unit, UrgentWord
from app.domain.limits import Rules
from app.domain.vocabulary import DayRule, Kind, Level
from app.schema.divisions import (
    categories,
    division_aliases,
    divisions,
    groups,
    settings,
    stations,
    units,
    urgent_words,
)

_REVISION = select(settings.c.value).where(settings.c.name == "county_revision")


@dataclass(frozen=True, slots=True)
class Station:
    """The offline service place of a division."""

    id: int
    division_id: int
    name: str
    address: str
    hours: str
    phone: str
    lat: float | None
    lon: float | None
    datum: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """A chat group of a division."""

    id: int
    division_id: int
    name: str
    kind: str
    robot: bool


async def revision(conn: AsyncConnection) -> str:
    """Changes with every import of divisions, units, categories, aliases or urgent words."""
    return (await conn.execute(_REVISION)).scalar_one()


async def load(conn: AsyncConnection) -> County:
    """The whole county, closed divisions included: old tickets are there."""
    places = (await conn.execute(select(divisions).order_by(divisions.c.id))).mappings()
    departments = (await conn.execute(select(units).order_by(units.c.id))).mappings()
    tree = (await conn.execute(select(categories).order_by(categories.c.id))).mappings()
    names = await conn.execute(
        select(division_aliases).order_by(division_aliases.c.alias, division_aliases.c.division_id)
    )
    urgent = (await conn.execute(select(urgent_words).order_by(urgent_words.c.id))).mappings()
    key = (await conn.execute(select(settings.c.value).where(settings.c.name == "number_key"))).scalar_one()
    return County(
        divisions={row["id"]: _division(row) for row in places},
        units={row["id"]: _unit(row) for row in departments},
        categories={row["id"]: _category(row) for row in tree},
        aliases=tuple(Alias(row.alias, row.division_id) for row in names),
        number_key=key.encode(),
        urgent_words=tuple(_urgent_word(row) for row in urgent),
    )


async def stations_below(conn: AsyncConnection, area: int, after: int, most: int) -> list[Station]:
    """At most `most` of a division and all below it, by id from `after` on."""
    s = stations.c
    columns = (s.id, s.division_id, s.name, s.address, s.hours, s.phone, s.lat, s.lon, s.datum)
    query = select(*columns).where(s.division_id.in_(_below(area)), s.id > after).order_by(s.id).limit(most)
    return [Station(*row) for row in await conn.execute(query)]


async def groups_below(conn: AsyncConnection, area: int, after: int, most: int) -> list[Group]:
    """Likewise; of a robot only that there is one."""
    g = groups.c
    columns = (g.id, g.division_id, g.name, g.kind, g.robot_url.is_not(None))
    query = select(*columns).where(g.division_id.in_(_below(area)), g.id > after).order_by(g.id).limit(most)
    return [Group(*row) for row in await conn.execute(query)]


async def groups_named(conn: AsyncConnection, name: str) -> list[int]:
    """The divisions that have a group of that name."""
    return list((await conn.execute(select(groups.c.division_id).where(groups.c.name == name))).scalars())


def _below(area: int) -> Select[int]:
    """The ids of a division and all below it."""
    d = divisions.c
    return select(d.id).where(or_(*(column == area for column in (d.county_id, d.town_id, d.village_id, d.grid_id))))


def _division(row: RowMapping) -> Division:
    lineage = (row["county_id"], row["town_id"], row["village_id"], row["grid_id"])
    return Division(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        short_name=row["short_name"],
        level=Level(row["level"]),
        parent_id=row["parent_id"],
        lineage=tuple(i for i in lineage if i is not None),
        edition=row["edition"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )


def _unit(row: RowMapping) -> Unit:
    return Unit(row["id"], row["code"], row["name"], row["short_name"], row["division_id"])


def _urgent_word(row: RowMapping) -> UrgentWord:
    return UrgentWord(row["word"], Sign(row["sign"]), row["alone"], tuple(row["calls"]), row["category_id"])


def _category(row: RowMapping) -> Category:
    hint = row["kind_hint"]
    return Category(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        parent_id=row["parent_id"],
        level=row["level"],
        kind_hint=Kind(hint) if hint else None,
        lowest_level=Level(row["lowest_level"]),
        unit_id=row["unit_id"],
        rules=Rules(
            row["accept_working_days"], row["reply_working_days"], row["complete_days"], DayRule(row["day_rule"])
        ),
        auto_accept=row["auto_accept"],
        photo_required=row["photo_required"],
        sensitive=row["sensitive"],
        confidential=row["confidential"],
        keywords=tuple(row["keywords"]),
    )
