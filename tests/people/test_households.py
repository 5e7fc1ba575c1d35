"""A courier's households in the order of visiting, and what an administrator above sees of them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.base.secrets import Vault
from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.county import Node
from app.domain.errors import Busy, Forbidden, Missing
from app.domain.policy import Actor, Appointment
from app.domain.visits import Turn
from app.domain.vocabulary import Role
from app.people import households
from app.people.households import HouseholdView, Wanted
from app.schema import households as table

VILLAGE = "430121002001"
COURIER, COLLEAGUE = f"courier-{VILLAGE}001-1", f"courier-{VILLAGE}002-1"
FAR_AWAY = "courier-430121105001001-1"
Ago = tuple[bool, int | None]
"""In difficulty or not, and how many days ago somebody was there; None for never."""
AS_TO_VISIT: tuple[Ago, ...] = (
    *((True, None), (True, 31), (True, 30)),
    *((False, None), (False, 200), (False, 180)),
    *((False, 175), (True, 20), (False, 3)),
)
"""The last three are not yet due: in 5 days, in 10, in 177."""

Named = Callable[[str], Awaitable[Actor]]


@pytest.fixture
async def county(work: Work) -> Atlas:
    return await atlas(work)


@pytest.fixture
async def courier(work: Work, actor: Named) -> Work:
    """The courier's work; nine households of the village are theirs, as AS_TO_VISIT says, and no other."""
    who = await actor(COURIER)
    await work.conn.execute(update(table).values(courier_id=None))
    county = (await atlas(work)).county
    here = table.c.grid_id.in_([d.id for d in county.divisions.values() if county.by_code[VILLAGE].id in d.lineage])
    first = select(table.c.id).where(here).order_by(table.c.id).limit(len(AS_TO_VISIT))
    ids = list((await work.conn.execute(first)).scalars())
    # The other way round: neither ids nor the file may make the order.
    for id_, (hard, days) in zip(reversed(ids), AS_TO_VISIT, strict=True):
        at = None if days is None else work.now - timedelta(days=days)
        row = {"courier_id": who.id, "in_difficulty": hard, "last_visited_at": at}
        await work.conn.execute(update(table).where(table.c.id == id_).values(**row))
    return replace(work, actor=who)


async def listed(work: Work, county: Atlas, vault: Vault, wanted: Wanted) -> list[HouseholdView]:
    """All pages."""
    items: list[HouseholdView] = []
    after: Turn | None = None
    while True:
        page = await households.mine(work, county.county, vault, wanted, after)
        assert len(page.items) <= wanted.limit
        items += page.items
        after = page.next
        if after is None:
            return items


def as_said(items: list[HouseholdView], work: Work) -> list[Ago]:
    """What they are in AS_TO_VISIT."""
    return [
        (i.in_difficulty, None if i.last_visited_at is None else (work.now - i.last_visited_at).days) for i in items
    ]


@pytest.mark.parametrize("limit", [1, 2, 4, 9, 100])
async def test_whom_to_visit_next_comes_first_on_pages_of_any_size(
    courier: Work, county: Atlas, vault: Vault, limit: int
) -> None:
    items = await listed(courier, county, vault, Wanted(limit))
    assert as_said(items, courier) == list(AS_TO_VISIT)
    today = courier.now.date()
    assert [i.visit_due_on <= today for i in items] == [True] * 6 + [False] * 3
    assert (items[0].visit_due_on, items[1].visit_due_on) == (today, today - timedelta(days=1))


async def test_a_visit_between_two_pages_leaves_nobody_out(courier: Work, county: Atlas, vault: Vault) -> None:
    wanted = Wanted(3)
    first = await households.mine(courier, county.county, vault, wanted, None)
    await households.visited(courier, first.items[2].id, courier.now)
    second = await households.mine(courier, county.county, vault, wanted, first.next)
    assert as_said(list(second.items), courier) == list(AS_TO_VISIT[3:6])


async def test_the_list_is_narrowed_by_hardship_and_name(courier: Work, county: Atlas, vault: Vault) -> None:
    hard = await listed(courier, county, vault, Wanted(in_difficulty=True))
    assert as_said(hard, courier) == [one for one in AS_TO_VISIT if one[0]]
    easy = await listed(courier, county, vault, Wanted(in_difficulty=False))
    assert len(hard) + len(easy) == len(AS_TO_VISIT)
    named = update(table).where(table.c.id == easy[0].id).values(head_name="一百%演示")
    await courier.conn.execute(named)
    assert [i.id for i in await listed(courier, county, vault, Wanted(name="百%演"))] == [easy[0].id]
    assert await listed(courier, county, vault, Wanted(name="%百")) == []


async def test_only_the_own_courier_reads_phone_and_address(
    courier: Work, county: Atlas, vault: Vault, actor: Named
) -> None:
    for item in await listed(courier, county, vault, Wanted()):
        assert item.phone is not None
        assert item.address is not None
        assert item.phone.startswith("142")
        assert item.grid.name in item.address
    colleague = replace(courier, actor=await actor(COLLEAGUE))
    assert await listed(colleague, county, vault, Wanted()) == []


async def test_with_another_secret_key_the_operator_is_called(courier: Work, county: Atlas) -> None:
    with pytest.raises(Busy, match="O2O_SECRET_KEY"):
        await listed(courier, county, Vault("another key of another installation"), Wanted())


async def test_an_administrator_sees_the_area_masked(work: Work, county: Atlas, vault: Vault, actor: Named) -> None:
    admin = replace(work, actor=await actor("admin-430121002"))
    town, village = (county.county.by_code[code] for code in ("430121002", VILLAGE))
    seen: list[Any] = []
    after: int | None = 0
    while after is not None:
        page = await households.below(admin, county.county, vault, town, Wanted(100), after)
        seen += page.items
        after = page.next
    grids = select(func.count()).where(table.c.grid_id.in_(_grids(county, town.id)))
    assert len({one.id for one in seen}) == len(seen) == (await work.conn.execute(grids)).scalar_one()
    for one in seen:
        assert one.head_name[1:] == "**"
        assert one.phone[3:7] == "****"
        assert one.grid.name not in one.address
        assert one.courier.startswith(f"courier-{one.grid.code}-")
    below = await households.below(admin, county.county, vault, village, Wanted(100), 0)
    assert below.items == [one for one in seen if one.grid.code.startswith(VILLAGE)]
    assert below.items[0].address == f"长沙县泉塘街道{village.name}"
    hard = await households.below(admin, county.county, vault, town, Wanted(100, in_difficulty=True), 0)
    assert hard.items == [one for one in seen if one.in_difficulty]


def _grids(county: Atlas, area: int) -> list[int]:
    return [d.id for d in county.county.divisions.values() if area in d.lineage]


@pytest.mark.parametrize("code", ["430121", "430121105", "430121001001001"])
async def test_another_area_is_closed_to_an_administrator(
    work: Work, county: Atlas, vault: Vault, actor: Named, code: str
) -> None:
    admin = replace(work, actor=await actor("admin-430121002"))
    with pytest.raises(Forbidden, match="不在您管理的范围内"):
        await households.below(admin, county.county, vault, county.county.by_code[code], Wanted(), 0)


async def test_a_colleague_of_the_village_may_visit_in_anothers_place_and_nobody_else(
    work: Work, county: Atlas, actor: Named
) -> None:
    mine = select(table.c.id).where(table.c.courier_id == (await actor(COURIER)).id).limit(1)
    id_ = (await work.conn.execute(mine)).scalar_one()
    for username in (COURIER, COLLEAGUE):
        found = await households.reachable(replace(work, actor=await actor(username)), county.county, id_)
        assert found.id == id_
    for username in (FAR_AWAY, "admin-430121002", "handler-U05-1"):
        with pytest.raises(Missing, match="走访名单"):
            await households.reachable(replace(work, actor=await actor(username)), county.county, id_)


async def test_a_courier_who_moved_neither_reads_nor_visits_what_is_still_in_their_name(
    courier: Work, county: Atlas, vault: Vault
) -> None:
    id_ = (await listed(courier, county, vault, Wanted()))[0].id
    there = _node(county, FAR_AWAY[8:23])
    seats = {
        "another village": (Appointment(Role.COURIER, there),),
        "no courier here": (Appointment(Role.COURIER, there), Appointment(Role.ADMINISTRATOR, _node(county, VILLAGE))),
        "the town above": (Appointment(Role.COURIER, _node(county, VILLAGE[:9])),),
    }
    for said, held in seats.items():
        moved = replace(courier, actor=replace(courier.actor, appointments=held))
        assert await listed(moved, county, vault, Wanted()) == [], said
        with pytest.raises(Missing, match="走访名单"):
            await households.reachable(moved, county.county, id_)


@pytest.mark.parametrize("code", [f"{VILLAGE}002", VILLAGE], ids=["another grid", "the village itself"])
async def test_who_moved_within_the_village_keeps_their_households(
    courier: Work, county: Atlas, vault: Vault, code: str
) -> None:
    held = (Appointment(Role.COURIER, _node(county, code)),)
    moved = replace(courier, actor=replace(courier.actor, appointments=held))
    items = await listed(moved, county, vault, Wanted())
    assert len(items) == len(AS_TO_VISIT)
    assert (await households.reachable(moved, county.county, items[0].id)).id == items[0].id


def _node(county: Atlas, code: str) -> Node:
    return Node(division_id=county.county.by_code[code].id)


async def test_an_earlier_visit_that_is_entered_later_moves_nothing(work: Work) -> None:
    id_ = (await work.conn.execute(select(func.min(table.c.id)))).scalar_one()
    last = select(table.c.last_visited_at).where(table.c.id == id_)
    for days, expected in ((5, 5), (9, 5), (1, 1)):
        await households.visited(work, id_, work.now - timedelta(days=days))
        assert (await work.conn.execute(last)).scalar_one() == work.now - timedelta(days=expected)


async def test_due_days_are_those_of_the_county(courier: Work, county: Atlas, vault: Vault) -> None:
    await courier.conn.execute(update(table).values(last_visited_at=None))
    late = courier.now.replace(hour=0, minute=30)
    items = await listed(replace(courier, now=late), county, vault, Wanted())
    assert {i.visit_due_on for i in items} == {date(2026, 9, 22)}
