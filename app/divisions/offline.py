"""Where the county meets its people: the stations of every level, and the chat groups."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.base.work import Work
from app.divisions import queries
from app.divisions.queries import Station
from app.domain.county import County, Division


@dataclass(frozen=True, slots=True)
class PlaceView:
    code: str
    name: str
    level: str


@dataclass(frozen=True, slots=True)
class PointView:
    lat: float
    lon: float
    datum: str


@dataclass(frozen=True, slots=True)
class StationView:
    division: PlaceView
    name: str
    address: str
    hours: str
    phone: str
    location: PointView | None


@dataclass(frozen=True, slots=True)
class GroupView:
    """`robot`: whether what is to be posted there can be posted by itself. The robot's address is a secret."""

    division: PlaceView
    name: str
    kind: str
    robot: bool


@dataclass(frozen=True, slots=True)
class StationPage:
    """`next`: the id of the last of them, where there are more."""

    items: Sequence[StationView]
    next: int | None


@dataclass(frozen=True, slots=True)
class GroupPage:
    """`next`: the id of the last of them, where there are more."""

    items: Sequence[GroupView]
    next: int | None


def robot_place(division_code: str, name: str) -> str:
    """Where a group's sealed robot address belongs, for Vault: it opens nowhere else."""
    return f"chat_group.robot_url.{division_code}.{name}"


async def stations(work: Work, county: County, area: Division, after: int, limit: int) -> StationPage:
    """Those of a division and all below it, by id from `after` on."""
    rows = await queries.stations_below(work.conn, area.id, after, limit + 1)
    items = [
        StationView(
            _place(county, row.division_id),
            row.name,
            row.address,
            row.hours,
            row.phone,
            _point(row),
        )
        for row in rows[:limit]
    ]
    return StationPage(items, rows[limit - 1].id if len(rows) > limit else None)


async def groups(work: Work, county: County, area: Division, after: int, limit: int) -> GroupPage:
    """Those of a division and all below it, by id from `after` on."""
    rows = await queries.groups_below(work.conn, area.id, after, limit + 1)
    items = [GroupView(_place(county, row.division_id), row.name, row.kind, row.robot) for row in rows[:limit]]
    return GroupPage(items, rows[limit - 1].id if len(rows) > limit else None)


async def group_division(work: Work, county: County, named: str) -> int | None:
    """The division of the chat group meant by its name or its division's code (interface.md, `source.group`).

    None where no group is called so, or groups of several divisions are.
    """
    name = named.strip()
    found = set(await queries.groups_named(work.conn, name))
    if not found and name in county.by_code:
        found = {county.by_code[name].id}
    return county.in_force(found.pop()) if len(found) == 1 else None


def _point(row: Station) -> PointView | None:
    if row.lat is None or row.lon is None or row.datum is None:
        return None
    return PointView(row.lat, row.lon, row.datum)


def _place(county: County, division_id: int) -> PlaceView:
    division = county.divisions[division_id]
    return PlaceView(division.code, division.name, division.level)
