"""The courier's day: whom to visit next, and what is written down of a visit."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.base.db import Database
from app.demo.county import DemoCounty, Row
from app.domain.policy import SYSTEM
from tests.api.conftest import SignIn

VILLAGE = "430121002001"
GRID = f"{VILLAGE}001"
COURIER, COLLEAGUE = f"courier-{GRID}-1", f"courier-{VILLAGE}002-1"
FAR_AWAY = "courier-430121105001001-1"
HOUSEHOLDS, VISITS = "/api/v1/courier/households", "/api/v1/courier/visits"
AT = "2026-09-21T15:00:00+08:00"
HERE = {"lat": 28.22, "lon": 113.1, "datum": "gcj02"}


@pytest.fixture
async def courier(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(COURIER)


@pytest.fixture
def own(demo: DemoCounty) -> list[Row]:
    """The courier's rows of the demo's file; one of them at least is in difficulty."""
    sheet = next(sheet for sheet in demo.sheets if sheet.name == "households")
    found = [row for row in sheet.rows if row["courier_username"] == COURIER]
    assert {row["in_difficulty"] for row in found} == {"true", "false"}
    return found


async def listed(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """All pages."""
    items: list[dict[str, Any]] = []
    while True:
        answer = await client.get(HOUSEHOLDS, params=query)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        query["cursor"] = answer.json()["next_cursor"]
        if query["cursor"] is None:
            return items


async def ticket(sign_in: SignIn, **changes: str) -> str:
    """The number of a ticket in the hands of the courier, who has begun."""
    admin = await sign_in(f"admin-{VILLAGE}")
    body = {"description": "楼下垃圾没人清", "channel": "phone", "category": "C0501", "division_code": GRID} | changes
    number = str((await admin.post("/api/v1/tickets", json=body)).json()["number"])
    started = await (await sign_in(COURIER)).post(f"/api/v1/tickets/{number}/start", json={})
    assert started.status_code == 200, started.text
    return number


async def written(database: Database) -> list[Mapping[str, Any]]:
    """The visits, with the number of their ticket and the time that their household keeps."""
    query = text(
        "SELECT v.household_id, number, v.cycle, at, seen, v.lat, v.datum, last_visited_at FROM visit v"
        " LEFT JOIN ticket t ON t.id = ticket_id LEFT JOIN household h ON h.id = household_id ORDER BY v.id"
    )
    async with database.open_work(SYSTEM) as work:
        return [dict(row) for row in (await work.conn.execute(query)).mappings()]


async def test_the_courier_reads_whom_they_know(courier: httpx.AsyncClient, own: list[Row]) -> None:
    items = await listed(courier, limit=1)
    assert len({item["id"] for item in items}) == len(items)
    said = {(row["head_name"], row["phone"], row["address"], row["in_difficulty"] == "true") for row in own}
    assert {(i["head_name"], i["phone"], i["address"], i["in_difficulty"]) for i in items} == said
    for item in items:
        assert item["grid"] == {"code": GRID, "name": "第1网格"}
        assert (item["last_visited_at"], item["visit_due_on"]) == (None, "2026-09-22")
    assert [item["in_difficulty"] for item in items] == sorted((i["in_difficulty"] for i in items), reverse=True)


async def test_the_list_is_narrowed(courier: httpx.AsyncClient, own: list[Row]) -> None:
    hard = await listed(courier, in_difficulty=True)
    assert [item["in_difficulty"] for item in hard] == [True]
    name = own[0]["head_name"]
    assert name in {item["head_name"] for item in await listed(courier, q=name[1:])}
    assert await listed(courier, q="没有这个人") == []
    assert await listed(courier, order="next") == await listed(courier)


async def test_who_was_visited_goes_to_the_end_and_stands_among_the_visits(
    courier: httpx.AsyncClient, database: Database
) -> None:
    first, *others = await listed(courier)
    body = {"household_id": first["id"], "seen": "老人身体好", "location": HERE, "at": AT}
    answer = await courier.post(VISITS, json=body)
    assert answer.status_code == 201, answer.text
    home = {"id": first["id"], "head_name": first["head_name"]}
    said = {"at": AT, "household": home, "ticket": None, "seen": "老人身体好", "location": HERE}
    assert answer.json() == said
    [row] = await written(database)
    assert (row["household_id"], row["number"], row["cycle"], row["datum"]) == (first["id"], None, None, "gcj02")
    assert row["at"] == row["last_visited_at"]
    after = await listed(courier)
    assert [item["id"] for item in after] == [*(item["id"] for item in others), first["id"]]
    assert (after[-1]["last_visited_at"], after[-1]["visit_due_on"]) == (AT, "2026-10-21")
    assert (await courier.get(VISITS)).json() == {"items": [said], "next_cursor": None}


async def test_a_visit_without_a_time_is_now_and_an_earlier_one_moves_nothing(
    courier: httpx.AsyncClient, database: Database
) -> None:
    one = (await listed(courier))[0]["id"]
    for at in (None, AT):
        assert (await courier.post(VISITS, json={"household_id": one, "seen": "看过", "at": at})).status_code == 201
    now, before = await written(database)
    assert now["at"] == database.clock.business() > before["at"]
    assert now["last_visited_at"] == before["last_visited_at"] == now["at"]
    times = [item["at"] for item in (await courier.get(VISITS)).json()["items"]]
    assert times == ["2026-09-22T10:00:00+08:00", AT]


async def test_own_visits_come_in_pages_the_latest_first(courier: httpx.AsyncClient, sign_in: SignIn) -> None:
    one = (await listed(courier))[0]["id"]
    for day in (18, 20, 19):
        body = {"household_id": one, "seen": "看过", "at": f"2026-09-{day}T09:00:00+08:00"}
        assert (await courier.post(VISITS, json=body)).status_code == 201
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        page = (await courier.get(VISITS, params=query)).json()
        seen += [item["at"][8:10] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ["20", "19", "18"]
    assert (await (await sign_in(COLLEAGUE)).get(VISITS)).json()["items"] == []


async def test_a_visit_for_a_ticket_is_its_visit_and_counts_for_the_household_too(
    courier: httpx.AsyncClient, sign_in: SignIn, database: Database
) -> None:
    number, one = await ticket(sign_in), (await listed(courier))[0]
    body = {"household_id": one["id"], "ticket": number, "seen": "现场三处垃圾，已联系清运", "at": AT}
    answer = await courier.post(VISITS, json=body)
    assert (answer.status_code, answer.json()["ticket"]) == (201, number)
    [row] = await written(database)
    assert (row["household_id"], row["number"], row["cycle"]) == (one["id"], number, 1)
    assert row["last_visited_at"] == row["at"]
    seen = (await courier.get(f"/api/v1/tickets/{number}")).json()
    assert seen["timeline"][-1]["action"] == "visit"
    assert seen["timeline"][-1]["text"] == body["seen"]
    # It is what a completion needs.
    done = await courier.post(f"/api/v1/tickets/{number}/complete", json={"result": "已清运"})
    assert done.status_code == 200


async def test_a_visit_may_be_for_a_ticket_alone(
    courier: httpx.AsyncClient, sign_in: SignIn, database: Database
) -> None:
    number = await ticket(sign_in)
    answer = await courier.post(VISITS, json={"ticket": number, "seen": "看过"})
    assert (answer.status_code, answer.json()["household"]) == (201, None)
    [row] = await written(database)
    assert (row["household_id"], row["number"]) == (None, number)


async def test_a_ticket_that_may_not_be_visited_leaves_the_household_unvisited(
    courier: httpx.AsyncClient, sign_in: SignIn, database: Database
) -> None:
    number, one = await ticket(sign_in), (await listed(courier))[0]["id"]
    await courier.post(f"/api/v1/tickets/{number}/reply", json={"text": "就去"})
    await courier.post(f"/api/v1/tickets/{number}/complete", json={"result": "已清运"})
    for asked, status in ((number, 409), ("10000000", 404)):
        answer = await courier.post(VISITS, json={"household_id": one, "ticket": asked, "seen": "看过"})
        assert answer.status_code == status
    far = await (await sign_in(FAR_AWAY)).post(VISITS, json={"ticket": number, "seen": "看过"})
    assert far.status_code == 404
    assert await written(database) == []
    assert {item["last_visited_at"] for item in await listed(courier)} == {None}


async def test_a_colleague_of_the_village_may_go_and_a_stranger_learns_nothing(
    courier: httpx.AsyncClient, sign_in: SignIn, database: Database
) -> None:
    one = (await listed(courier))[0]["id"]
    body = {"household_id": one, "seen": "看过"}
    assert (await (await sign_in(COLLEAGUE)).post(VISITS, json=body)).status_code == 201
    stranger = await sign_in(FAR_AWAY)
    answers = [await stranger.post(VISITS, json=body | {"household_id": id_}) for id_ in (one, 2**62)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert len(await written(database)) == 1


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "visit.nowhere", "/household_id"),
        ({"household_id": None, "ticket": None}, "visit.nowhere", "/household_id"),
        ({"household_id": 1, "at": "2026-09-22T10:00:01+08:00"}, "visit.future", "/at"),
        ({"household_id": 1, "at": "2026-08-23T09:59:59+08:00"}, "visit.old", "/at"),
        ({"household_id": 1, "seen": "  "}, "body.invalid", "/seen"),
        ({"household_id": "1"}, "body.invalid", "/household_id"),
        ({"household_id": 2**63}, "body.invalid", "/household_id"),
        ({"ticket": "abc"}, "body.invalid", "/ticket"),
        ({"household_id": 1, "at": "2026-09-22T09:00:00"}, "body.invalid", "/at"),
        ({"household_id": 1, "location": {"lat": 91, "lon": 113}}, "body.invalid", "/location/lat"),
        ({"household_id": 1, "minutes": 30}, "body.invalid", "/minutes"),
    ],
)
async def test_a_wrong_body_is_told_what_is_wrong(
    courier: httpx.AsyncClient, database: Database, body: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await courier.post(VISITS, json={"seen": "看过"} | body)
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{code}")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert await written(database) == []


async def test_a_repeat_under_one_key_gets_the_first_answer(
    courier: httpx.AsyncClient, sign_in: SignIn, database: Database
) -> None:
    number, one = await ticket(sign_in), (await listed(courier))[0]["id"]
    for key, body in (("a", {"household_id": one}), ("b", {"ticket": number})):
        asked, header = body | {"seen": "看过"}, {"Idempotency-Key": key}
        answers = await asyncio.gather(*(courier.post(VISITS, json=asked, headers=header) for _ in range(3)))
        assert [answer.status_code for answer in answers] == [201] * 3
        assert answers[0].json() == answers[1].json() == answers[2].json()
    assert len(await written(database)) == 2
    other = await courier.post(VISITS, json={"household_id": one, "seen": "别的"}, headers={"Idempotency-Key": "a"})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency.other_body")


async def test_a_refused_visit_does_not_use_up_its_key(courier: httpx.AsyncClient) -> None:
    one, key = (await listed(courier))[0]["id"], {"Idempotency-Key": "a"}
    refused = await courier.post(VISITS, json={"household_id": 2**62, "seen": "看过"}, headers=key)
    again = await courier.post(VISITS, json={"household_id": one, "seen": "看过"}, headers=key)
    assert (refused.status_code, again.status_code) == (404, 201)


@pytest.mark.parametrize("path", [HOUSEHOLDS, VISITS])
async def test_a_cursor_of_our_own_making_only(courier: httpx.AsyncClient, path: str) -> None:
    page = (await courier.get(HOUSEHOLDS, params={"limit": 1})).json()
    assert page["next_cursor"]
    for cursor in ("x", *([page["next_cursor"]] if path == VISITS else [])):
        answer = await courier.get(path, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/cursor.invalid")
