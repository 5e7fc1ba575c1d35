"""Households: whom a courier knows, with phone and address in clear for them alone; masked for whoever administers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.base.secrets import Vault
from app.base.work import Work
from app.domain import masking, policy, visits
from app.domain.county import County, Division, Node
from app.domain.errors import Busy, Forbidden, Missing
from app.domain.visits import Known, Turn
from app.domain.vocabulary import SHANGHAI, Level, Role
from app.domain.workdays import day_of
from app.people.queries import households as queries
from app.people.queries.households import Household, Wanted

__all__ = ["HouseholdPage", "HouseholdView", "MaskedHousehold", "MaskedPage", "Wanted"]


@dataclass(frozen=True, slots=True)
class GridView:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class HouseholdView:
    """As its own courier sees it. `visit_due_on` is today for whom nobody has visited yet."""

    id: int
    grid: GridView
    head_name: str
    phone: str | None
    address: str | None
    in_difficulty: bool
    last_visited_at: datetime | None
    visit_due_on: date


@dataclass(frozen=True, slots=True)
class MaskedHousehold(HouseholdView):
    """As an administrator above sees it: name and phone masked, the address down to the village."""

    courier: str | None


@dataclass(frozen=True, slots=True)
class HouseholdPage:
    """`next`: the turn of the last of them, where there are more."""

    items: Sequence[HouseholdView]
    next: Turn | None


@dataclass(frozen=True, slots=True)
class MaskedPage:
    """`next`: the id of the last of them, where there are more."""

    items: Sequence[MaskedHousehold]
    next: int | None


def key_of(vault: Vault, grid_code: str, head_name: str, address: str) -> str:
    """By what a household is known again: its grid, head and address. Who moves is another household."""
    return vault.digest("\n".join((grid_code, head_name, address)), "household.key")


def place(column: str, key: str) -> str:
    """Where a sealed value belongs, for Vault: it opens nowhere else."""
    return f"household.{column}.{key}"


async def mine(work: Work, county: County, vault: Vault, wanted: Wanted, after: Turn | None) -> HouseholdPage:
    """The actor's own in the villages that they work in now, whom to visit next first, from `after` on.

    Who was moved away reads no phone and address there any more, though the households are still in their name.
    """
    if work.actor.id is None:
        return HouseholdPage((), None)
    today = day_of(work.now)
    villages = policy.sight(work.actor, county).villages
    rows = {row.id: row for row in await queries.of_courier(work.conn, work.actor.id, villages, wanted)}
    turns = visits.next_first((_known(row) for row in rows.values()), today)
    left = [one for one in turns if after is None or one > after]
    items = [_clear(county, vault, rows[one.id], today) for one in left[: wanted.limit]]
    return HouseholdPage(items, left[wanted.limit - 1] if len(left) > wanted.limit else None)


async def below(work: Work, county: County, vault: Vault, division: Division, wanted: Wanted, after: int) -> MaskedPage:
    """Those of a division and all below it, masked, by id. Raises Forbidden outside the area that the actor runs."""
    seats = [a.node for a in work.actor.appointments if a.role is Role.ADMINISTRATOR]
    if not any(policy.administers(seat, Node(division_id=division.id), county) for seat in seats):
        raise Forbidden("place.outside", f"{division.name}不在您管理的范围内")
    rows = await queries.below(work.conn, division.id, wanted, after)
    today = day_of(work.now)
    items = [_masked(county, vault, row, courier, today) for row, courier in rows[: wanted.limit]]
    return MaskedPage(items, items[-1].id if len(rows) > wanted.limit else None)


async def reachable(work: Work, county: County, household_id: int) -> Household:
    """The household, if the actor may visit it: in a village that they work in now, their own or a colleague's.

    Raises Missing, the same for one that is not theirs and one that is not.
    """
    found = await queries.reachable(work.conn, household_id, policy.sight(work.actor, county).villages)
    if found is None:
        raise Missing("household.unknown", "没有这一户，或不在您走访的范围，请从走访名单里选")
    return found


async def visited(work: Work, household_id: int, at: datetime) -> None:
    """Notes a visit: the next one is reckoned from the latest."""
    await queries.visited(work.conn, household_id, at)


async def count(work: Work) -> int:
    return await queries.count(work.conn)


def _known(row: Household) -> Known:
    return Known(row.id, row.in_difficulty, row.last_visited_at)


def _clear(county: County, vault: Vault, row: Household, today: date) -> HouseholdView:
    return HouseholdView(
        id=row.id,
        grid=_grid(county, row),
        head_name=row.head_name,
        phone=_opened(vault, row, "phone"),
        address=_opened(vault, row, "address"),
        in_difficulty=row.in_difficulty,
        last_visited_at=row.last_visited_at and row.last_visited_at.astimezone(SHANGHAI),
        visit_due_on=visits.due_on(_known(row), today),
    )


def _masked(county: County, vault: Vault, row: Household, courier: str | None, today: date) -> MaskedHousehold:
    phone = _opened(vault, row, "phone")
    lineage = [county.divisions[i] for i in county.divisions[row.grid_id].lineage]
    return MaskedHousehold(
        id=row.id,
        grid=_grid(county, row),
        head_name=masking.name(row.head_name),
        phone=masking.phone(phone) if phone else None,
        address="".join(d.name for d in lineage if d.level is not Level.GRID),
        in_difficulty=row.in_difficulty,
        last_visited_at=row.last_visited_at and row.last_visited_at.astimezone(SHANGHAI),
        visit_due_on=visits.due_on(_known(row), today),
        courier=courier,
    )


def _grid(county: County, row: Household) -> GridView:
    grid = county.divisions[row.grid_id]
    return GridView(grid.code, grid.name)


def _opened(vault: Vault, row: Household, column: str) -> str | None:
    sealed: str | None = getattr(row, column)
    try:
        return None if sealed is None else vault.open(sealed, place(column, row.key))
    except ValueError as error:
        detail = "户的电话和地址打不开：O2O_SECRET_KEY 与录入时的不同，请联系系统管理员"
        raise Busy("household.sealed", detail, retry_after=60) from error
