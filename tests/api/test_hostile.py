"""What a hostile reader found: each was true once."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.base.db import Database
from app.domain.policy import SYSTEM
from tests.api.conftest import SignIn

VILLAGE = "430121001001"
GRID = "430121001001001"
GARBAGE = {"description": "垃圾堆了一周", "channel": "group", "category": "C0501", "division_code": GRID}


async def act(client: httpx.AsyncClient, number: str, action: str, **body: object) -> httpx.Response:
    return await client.post(f"/api/v1/tickets/{number}/{action}", json=body)


async def sql(database: Database, statement: str, **values: object) -> list[tuple[Any, ...]]:
    async with database.open_work(SYSTEM) as work:
        found = await work.conn.execute(text(statement), values)
        return [tuple(row) for row in found] if found.returns_rows else []


@pytest.fixture
async def county(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("admin-430121")


async def recorded(client: httpx.AsyncClient, **changes: object) -> str:
    answer = await client.post("/api/v1/tickets", json=GARBAGE | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


async def test_a_complaint_about_an_inspector_never_goes_to_that_inspector(
    county: httpx.AsyncClient, database: Database
) -> None:
    body = {"description": "督查员收礼", "channel": "phone", "about": {"username": "insp-430121-1"}}
    for _ in range(5):
        assert (await county.post("/api/v1/tickets", json=body)).status_code == 201
    names = await sql(database, "SELECT s.username FROM ticket t JOIN staff s ON s.id = t.person_id")
    assert {name for (name,) in names} == {"insp-430121-2", "insp-430121-3"}
    told = await sql(database, "SELECT s.username FROM outbox o JOIN staff s ON s.id = o.staff_id")
    assert ("insp-430121-1",) not in told


async def test_a_reopened_confidential_ticket_stays_with_inspectors(
    county: httpx.AsyncClient, sign_in: SignIn, stranger: httpx.AsyncClient, database: Database
) -> None:
    body = {"description": "村干部收礼", "channel": "phone", "about": {"division_code": VILLAGE}}
    number = (await county.post("/api/v1/tickets", json=body)).json()["number"]
    inspector = await sign_in("insp-430121001-1")
    for action, fields in (("accept", {"category": "C1304"}), ("start", {}), ("visit", {"seen": "核实"})):
        assert (await act(inspector, number, action, **fields)).status_code == 200
    code = (await act(inspector, number, "complete", result="已核实")).json()["rating_code"]
    role = "UPDATE appointment SET role = :role WHERE staff_id = (SELECT id FROM staff WHERE username = :name)"
    await sql(database, role, role="courier", name="insp-430121001-1")
    try:
        disliked = await stranger.post(f"/api/v1/tickets/{number}/rating", json={"score": "dislike", "code": code})
        assert disliked.status_code == 200
        person = await sql(database, "SELECT s.username FROM ticket t JOIN staff s ON s.id = t.person_id")
    finally:
        await sql(database, role, role="inspector", name="insp-430121001-1")
    assert person[0][0].startswith("insp-430121-")


async def test_an_unchanged_category_or_place_corrects_nothing(sign_in: SignIn) -> None:
    town = await sign_in("admin-430121001")
    body = {"description": "开元路社区楼道垃圾没人扫", "channel": "phone", "division_code": VILLAGE}
    number = (await town.post("/api/v1/tickets", json=body)).json()["number"]
    moved = (await act(town, number, "dispatch", username="admin-430121001")).json()
    assert moved["responsible"]["division_code"] == "430121001"
    accepted = (await act(town, number, "accept", category=moved["category"]["code"], place_code=VILLAGE)).json()
    assert (accepted["status"], accepted["responsible"]) == ("accepted", moved["responsible"])
    assert accepted["due_at"] == moved["due_at"]


async def test_an_unchanged_category_does_not_use_up_the_one_correction(county: httpx.AsyncClient) -> None:
    number = await recorded(county)
    assert (await act(county, number, "dispatch", category="C0501")).status_code == 422
    fixed = (await act(county, number, "dispatch", category="C0105")).json()
    assert fixed["responsible"]["unit_code"] == "430121001S05"
    later = (await act(county, number, "dispatch", category="C0104")).json()
    assert later["category"]["code"] == "C0104"
    assert later["limits"] == fixed["limits"]


async def test_the_same_score_again_only_replaces_the_comment(county: httpx.AsyncClient, database: Database) -> None:
    number = await recorded(county)
    for action, body in (("start", {}), ("reply", {"text": "就去"}), ("complete", {"result": "清完了"})):
        assert (await act(county, number, action, **body)).status_code == 200
    code = (await sql(database, "SELECT rating_code FROM ticket"))[0][0]
    rating = f"/api/v1/tickets/{number}/rating"
    first = {"score": "like", "comment": "很好", "solved": True, "code": code}
    assert (await county.post(rating, json=first)).status_code == 200
    before = await sql(database, "SELECT version, rated_at, solved FROM ticket")
    assert (await county.post(rating, json={"score": "like", "code": code})).status_code == 200
    assert await sql(database, "SELECT version, rated_at, solved FROM ticket") == before
    assert (await county.post(rating, json={"score": "like", "comment": "真好", "code": code})).status_code == 200
    after = await sql(database, "SELECT rating_comment, rated_at, solved FROM ticket")
    assert after == [("真好", before[0][1], True)]
    assert await sql(database, "SELECT count(*) FROM rating") == [(1,)]


async def test_on_the_public_page_the_names_that_the_ticket_knows_are_masked(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    citizen = {"name": "张小明", "phone": "14200000001"}
    number = await recorded(county, citizen=citizen, source={"group": "楼栋群", "speaker": "阿明哥"})
    said = "张小明您好，您的电话14200000001我们记下了，也谢谢阿明哥"
    assert (await act(county, number, "reply", text=said)).status_code == 200
    page = (await stranger.get(f"/t/{number}")).text
    assert "张**您好，您的电话142****0001我们记下了，也谢谢阿**" in page
    assert "张小明" not in page


async def test_a_reply_that_was_public_by_default_is_hidden_when_the_matter_proves_sensitive(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    number = await recorded(county)
    assert (await act(county, number, "reply", text="低保户王五家的事已登记")).json()["timeline"][-1]["public"]
    assert (await act(county, number, "reply", text="大家都可以看的答复", public=True)).status_code == 200
    assert "低保户" in (await stranger.get(f"/t/{number}")).text
    turned = (await act(county, number, "dispatch", category="C0902")).json()
    assert [event["public"] for event in turned["timeline"] if event["action"] == "reply"] == [False, True]
    page = (await stranger.get(f"/t/{number}")).text
    assert "低保户" not in page
    assert "大家都可以看的答复" in page


async def test_in_public_a_grid_is_its_village(county: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    number = await recorded(county)
    assert (await act(county, number, "dispatch", division_code=GRID)).json()["responsible"]["division_code"] == GRID
    page = (await stranger.get(f"/t/{number}")).text
    assert "网格" not in page
    assert "开元路社区" in page


async def test_whoever_may_not_act_is_told_so_and_not_the_version(county: httpx.AsyncClient, sign_in: SignIn) -> None:
    number = await recorded(county)
    principal = await sign_in("principal-430121001")
    assert (await act(principal, number, "start", version=99)).status_code == 403


async def test_a_reader_sees_the_speaker_masked_too(county: httpx.AsyncClient, sign_in: SignIn) -> None:
    number = await recorded(county, source={"group": "楼栋群", "speaker": "阿明哥"}, citizen={"name": "张小明"})
    seen = (await (await sign_in("principal-430121001")).get(f"/api/v1/tickets/{number}")).json()
    assert (seen["source"], seen["citizen"]["name"]) == ({"group": "楼栋群", "speaker": "阿**"}, "张**")
