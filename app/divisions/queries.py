"""Reads the county. Its tables are written by imports only."""

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.county import Alias, Category, County, Division, Unit
from app.domain.limits import Rules
from app.domain.vocabulary import DayRule, Kind, Level
from app.schema.divisions import categories, division_aliases, divisions, settings, units

_REVISION = select(settings.c.value).where(settings.c.name == "county_revision")


async def revision(conn: AsyncConnection) -> str:
    """Changes with every import of divisions, units, categories or aliases."""
    return (await conn.execute(_REVISION)).scalar_one()


async def load(conn: AsyncConnection) -> County:
    """The whole county as it is now in force (closed divisions included: old tickets are there)."""
    places = (await conn.execute(select(divisions).order_by(divisions.c.id))).mappings()
    departments = (await conn.execute(select(units).order_by(units.c.id))).mappings()
    tree = (await conn.execute(select(categories).order_by(categories.c.id))).mappings()
    names = await conn.execute(
        select(division_aliases).order_by(division_aliases.c.alias, division_aliases.c.division_id)
    )
    key = (await conn.execute(select(settings.c.value).where(settings.c.name == "number_key"))).scalar_one()
    return County(
        divisions={row["id"]: _division(row) for row in places},
        units={row["id"]: _unit(row) for row in departments},
        categories={row["id"]: _category(row) for row in tree},
        aliases=tuple(Alias(row.alias, row.division_id) for row in names),
        number_key=key.encode(),
    )


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
    )


def _unit(row: RowMapping) -> Unit:
    return Unit(row["id"], row["code"], row["name"], row["short_name"], row["division_id"])


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
