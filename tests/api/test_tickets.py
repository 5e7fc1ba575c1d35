"""A ticket's life over the API, and everything that is refused on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.base.clock import Clock
from app.base.db import Database
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI
from tests.api.conftest import SignIn

VILLAGE = "430121001001"
GRID = "430121001001001"
COURIER = f"courier-{GRID}-1"
GARBAGE = {"description": "开元路社区3栋楼下垃圾堆了一周没人清运", "channel": "group", "category": "C0501"}
"""C0501: village level, accepted automatically where a person chose it."""


async def act(client: httpx.AsyncClient, number: str, action: str, **body: object) -> httpx.Response:
    return await client.post(f"/api/v1/tickets/{number}/{action}", json=body)


@pytest.fixture
async def admin(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(f"admin-{VILLAGE}")


@pytest.fixture
def a_ticket(admin: httpx.AsyncClient) -> Callable[..., Awaitable[dict[str, Any]]]:
    async def recorded(**changes: object) -> dict[str, Any]:
        answer = await admin.post("/api/v1/tickets", json=GARBAGE | {"division_code": GRID} | changes)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return recorded


async def counts(database: Database) -> list[int]:
    tables = ("ticket", "ticket_event", "event_text", "ticket_limit", "assignment", "outbox", "rating", "visit")
    async with database.open_work(SYSTEM) as work:
        versions = await work.conn.execute(text("SELECT coalesce(sum(version), 0) FROM ticket"))
        rows = [await work.conn.execute(text(f"SELECT count(*) FROM {table}")) for table in tables]
        return [int(versions.scalar_one()), *(int(row.scalar_one()) for row in rows)]


async def test_a_request_from_a_group_is_delivered_and_liked(
    a_ticket: Callable[..., Awaitable[dict[str, Any]]], sign_in: SignIn, stranger: httpx.AsyncClient
) -> None:
    citizen = {"name": "张三", "phone": "14200000001"}
    ticket = await a_ticket(source={"group": "开元路居民群", "speaker": "阿明"}, citizen=citizen)
    number = ticket["number"]
    assert (ticket["status"], ticket["division"]["code"]) == ("accepted", GRID)
    assert ticket["responsible"]["person"]["username"] == COURIER
    courier = await sign_in(COURIER)
    mine = (await courier.get("/api/v1/courier/tickets")).json()["items"]
    assert [item["number"] for item in mine] == [number]
    assert "timeline" not in mine[0]
    assert mine[0]["citizen"] == citizen
    assert (await act(courier, number, "start")).json()["status"] == "in_progress"
    assert (await act(courier, number, "visit", seen="现场有三处垃圾堆")).status_code == 200
    done = (await act(courier, number, "complete", result="已清运并消毒")).json()
    assert (done["status"], done["allowed_actions"], done["rating_code"]) == ("completed", ["note"], None)
    admin = await sign_in(f"admin-{VILLAGE}")
    code = (await admin.get(f"/api/v1/tickets/{number}")).json()["rating_code"]
    liked = await stranger.post(f"/api/v1/tickets/{number}/rating", json={"score": "like", "code": code.lower()})
    assert (liked.status_code, liked.json()["score"]) == (200, "like")
    seen = (await admin.get(f"/api/v1/tickets/{number}")).json()
    assert seen["rating"] == {"score": "like", "comment": None, "solved": None, "via": "code"}
    assert [event["action"] for event in seen["timeline"]] == ["open", "accept", "start", "visit", "complete", "rate"]
    assert seen["version"] == len(seen["timeline"])


async def test_a_dislike_reopens_with_half_the_limit_and_a_new_code_comes_with_the_new_completion(
    a_ticket: Callable[..., Awaitable[dict[str, Any]]], admin: httpx.AsyncClient, sign_in: SignIn
) -> None:
    number = (await a_ticket())["number"]
    courier = await sign_in(COURIER)
    for action, body in (("start", {}), ("reply", {"text": "马上清"}), ("complete", {"result": "已清"})):
        assert (await act(courier, number, action, **body)).status_code == 200
    code = (await admin.get(f"/api/v1/tickets/{number}")).json()["rating_code"]
    body = {"score": "dislike", "code": code, "comment": "还有一堆"}
    assert (await admin.post(f"/api/v1/tickets/{number}/rating", json=body)).status_code == 200
    # The same dislike again only replaces the comment; a like has to wait for the next completion.
    repeat = await admin.post(f"/api/v1/tickets/{number}/rating", json=body | {"comment": "还有两堆"})
    assert (repeat.status_code, repeat.json()["cycle"]) == (200, 2)
    early = await admin.post(f"/api/v1/tickets/{number}/rating", json={"score": "like", "code": code})
    assert (early.status_code, early.json()["status"]) == (409, "in_progress")
    again = (await courier.get(f"/api/v1/tickets/{number}")).json()
    assert (again["status"], again["cycle"], again["completed_at"]) == ("in_progress", 2, None)
    # Five natural days halved and rounded up are three: Friday the 25th is Mid-Autumn, so is the weekend.
    assert again["due_at"] == "2026-09-29T00:00:00+08:00"
    assert again["limits"]["accept"]["due_at"] == "2026-09-24T00:00:00+08:00"
    assert again["rating"]["comment"] == "还有两堆"
    assert (await act(courier, number, "complete", result="再清")).status_code == 409  # not yet worked in this cycle
    assert (await act(courier, number, "reply", text="又清了一遍")).status_code == 200
    assert (await act(courier, number, "complete", result="全部清完")).status_code == 200
    fresh = (await admin.get(f"/api/v1/tickets/{number}")).json()["rating_code"]
    assert fresh != code
    assert (
        await admin.post(f"/api/v1/tickets/{number}/rating", json={"score": "like", "code": code})
    ).status_code == 403
    liked = await admin.post(f"/api/v1/tickets/{number}/rating", json={"score": "like", "code": fresh})
    assert (liked.status_code, liked.json()["score"]) == (200, "like")


async def test_whoever_did_the_work_gets_no_code_the_administrator_above_does_and_after_15_days_it_is_over(
    a_ticket: Callable[..., Awaitable[dict[str, Any]]], admin: httpx.AsyncClient, sign_in: SignIn, clock: Clock
) -> None:
    number = (await a_ticket())["number"]
    for action, body in (("start", {}), ("reply", {"text": "马上清"}), ("complete", {"result": "已清"})):
        assert (await act(admin, number, action, **body)).status_code == 200
    assert (await admin.get(f"/api/v1/tickets/{number}")).json()["rating_code"] is None
    town = await sign_in("admin-430121001")
    code = (await town.get(f"/api/v1/tickets/{number}")).json()["rating_code"]
    assert len(code) == 8
    clock.set(datetime(2026, 10, 8, tzinfo=SHANGHAI))
    late = await town.post(f"/api/v1/tickets/{number}/rating", json={"score": "like", "code": code})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/rate.late")


async def test_the_same_idempotency_key_gives_the_first_answer_and_another_body_is_refused(
    admin: httpx.AsyncClient, database: Database
) -> None:
    headers = {"Idempotency-Key": "小区-1".encode().hex()}
    first, *rest = await asyncio.gather(
        *(admin.post("/api/v1/tickets", json=GARBAGE, headers=headers) for _ in range(8))
    )
    assert {answer.status_code for answer in (first, *rest)} == {201}
    assert all(answer.json() == first.json() for answer in rest)
    assert (await counts(database))[1] == 1
    other = await admin.post("/api/v1/tickets", json=GARBAGE | {"kind": "wish"}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency.other_body")


BAD = [
    ({"channel": "account"}, "/channel"),
    ({"kind": "complaint"}, "/kind"),
    ({"descripton": "错字"}, "/descripton"),
    ({"division_code": "999999"}, "/division_code"),
    ({"category": "C9999"}, "/category"),
    ({"category": "C01"}, "/category"),
    ({"description": "   "}, "/description"),
    ({"description": "路灯\0坏了"}, "/description"),
    ({"title": "\0"}, "/title"),
    ({"citizen": {"name": "张\0三"}}, "/citizen/name"),
    ({"source": {"group": "\0群"}}, "/source/group"),
    ({"files": ["1"]}, "/files"),
    ({"received_at": "2026-09-22T10:00:01+08:00"}, "/received_at"),
    ({"received_at": "2026-09-19T09:59:59+08:00"}, "/received_at"),
    ({"received_at": "2026-09-22T09:00:00"}, "/received_at"),
    ({"location": {"lat": 91, "lon": 113}}, "/location/lat"),
    ({"about": {"username": "nobody-here"}}, "/about/username"),
    ({"about": {"username": "a", "unit_code": "U01"}}, "/about"),
]


@pytest.mark.parametrize(("change", "pointer"), BAD)
async def test_a_bad_body_is_a_clear_chinese_error_and_changes_nothing(
    admin: httpx.AsyncClient, database: Database, change: dict[str, object], pointer: str
) -> None:
    answer = await admin.post("/api/v1/tickets", json=GARBAGE | change)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in problem["detail"])
    assert sum(await counts(database)) == 0


async def test_received_may_be_put_back_three_days_and_the_entry_time_is_kept(
    admin: httpx.AsyncClient, database: Database
) -> None:
    answer = await admin.post("/api/v1/tickets", json=GARBAGE | {"received_at": "2026-09-19T10:00:00+08:00"})
    assert answer.json()["received_at"] == "2026-09-19T10:00:00+08:00"
    async with database.open_work(SYSTEM) as work:
        entered = (await work.conn.execute(text("SELECT entered_at FROM ticket"))).scalar_one()
    assert entered == datetime(2026, 9, 22, 10, 0, tzinfo=SHANGHAI)


async def test_two_people_at_once_one_wins_and_the_other_is_told_what_has_changed(
    a_ticket: Callable[..., Awaitable[dict[str, Any]]], admin: httpx.AsyncClient, database: Database
) -> None:
    number = (await a_ticket())["number"]
    before = await counts(database)
    answers = await asyncio.gather(*(act(admin, number, "start", version=2) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 11
    lost = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (lost["type"], lost["status"], lost["version"]) == ("/problems/ticket.stale", "in_progress", 3)
    after = await counts(database)
    assert after[0] - before[0] == 1
    assert after[2] - before[2] == 1


async def test_a_suggested_category_waits_for_an_acceptance_which_may_correct_all(
    admin: httpx.AsyncClient, sign_in: SignIn
) -> None:
    body = {"description": "开元路社区门口路灯坏了，晚上漆黑", "channel": "phone"}
    ticket = (await admin.post("/api/v1/tickets", json=body)).json()
    assert (ticket["status"], ticket["category"]["suggested"]) == ("received", True)
    town = await sign_in("admin-430121001")
    fixed = (await act(town, ticket["number"], "accept", category="C0501", place_code="430121001002")).json()
    assert (fixed["status"], fixed["category"]["code"], fixed["category"]["suggested"]) == ("accepted", "C0501", False)
    assert fixed["division"]["code"] == fixed["responsible"]["division_code"] == "430121001002"
    # Five natural days from receipt: the 27th is a Sunday of the Mid-Autumn holiday.
    assert fixed["due_at"] == fixed["limits"]["complete"]["original_due_at"] == "2026-09-29T00:00:00+08:00"


async def test_a_place_outside_ones_area_is_forbidden(
    admin: httpx.AsyncClient, a_ticket: Callable[..., Awaitable[dict[str, Any]]], database: Database
) -> None:
    number = (await a_ticket())["number"]
    before = await counts(database)
    for body in ({"place_code": "430121002"}, {"division_code": "430121002"}, {"unit_code": "U05"}):
        assert (await act(admin, number, "dispatch", **body)).status_code == 403
    assert await counts(database) == before


async def test_a_dispatch_names_a_node_or_a_person_and_the_history_stays(
    a_ticket: Callable[..., Awaitable[dict[str, Any]]], sign_in: SignIn, database: Database
) -> None:
    number = (await a_ticket())["number"]
    town = await sign_in("admin-430121001")
    moved = (await act(town, number, "dispatch", unit_code="430121001S05", text="请城管处理")).json()
    assert (moved["status"], moved["responsible"]["unit_code"]) == ("accepted", "430121001S05")
    assert moved["responsible"]["person"]["username"].startswith("handler-430121001S05")
    back = (await act(town, number, "dispatch", username=COURIER)).json()
    assert back["responsible"]["division_code"] == VILLAGE
    assert back["responsible"]["person"]["username"] == COURIER
    async with database.open_work(SYSTEM) as work:
        rows = (await work.conn.execute(text("SELECT came_by, until IS NULL FROM assignment ORDER BY id"))).all()
    assert [tuple(row) for row in rows] == [("routed", False), ("dispatch", False), ("dispatch", True)]


async def test_a_confidential_complaint_goes_to_the_inspector_and_is_nowhere_else(
    admin: httpx.AsyncClient, sign_in: SignIn, stranger: httpx.AsyncClient
) -> None:
    body = {
        "description": "村干部收受红包", "channel": "window", "about": {"username": f"principal-{VILLAGE}"},
    }  # fmt: skip
    answer = await admin.post("/api/v1/tickets", json=body)
    assert set(answer.json()) == {"number", "confidential"}
    number = answer.json()["number"]
    for username in (f"admin-{VILLAGE}", "admin-430121001", "admin-430121", f"principal-{VILLAGE}", "insp-430121105-1"):
        client = await sign_in(username)
        assert (await client.get(f"/api/v1/tickets/{number}")).status_code == 404
        assert (await act(client, number, "accept", category="C1304")).status_code == 404
        assert (await client.get("/api/v1/tickets")).json()["items"] == []
        assert (await client.get("/api/v1/tickets", params={"q": number})).json()["items"] == []
    assert (await stranger.get(f"/t/{number}")).status_code == 404
    inspector = await sign_in("insp-430121001-1")
    seen = (await inspector.get(f"/api/v1/tickets/{number}")).json()
    assert seen["confidential"]
    assert seen["division"]["code"] == "430121"
    assert seen["responsible"]["division_code"] == "430121001"
    for action, fields in (
        ("accept", {"category": "C1304"}),
        ("start", {}),
        ("visit", {"seen": "核实"}),
        ("complete", {"result": "已查处"}),
    ):
        assert (await act(inspector, number, action, **fields)).status_code == 200


async def test_lists_filter_page_and_order(
    a_ticket: Callable[..., Awaitable[dict[str, Any]]], admin: httpx.AsyncClient, clock: Clock
) -> None:
    numbers = []
    for hour in range(5):
        clock.advance(timedelta(hours=hour))
        numbers.append((await a_ticket(channel="phone" if hour % 2 else "group"))["number"])
    got: list[str] = []
    cursor: str | None = None
    while True:
        wanted = {"order": "received_at", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await admin.get("/api/v1/tickets", params=wanted)).json()
        got += [item["number"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert got == numbers[::-1]
    phone = (await admin.get("/api/v1/tickets", params={"channel": "phone"})).json()["items"]
    assert {item["number"] for item in phone} == set(numbers[1::2])
    assert (await admin.get("/api/v1/tickets", params={"status": "completed"})).json()["items"] == []
    assert (
        len((await admin.get("/api/v1/tickets", params={"division": VILLAGE, "category": "C05"})).json()["items"]) == 5
    )
    clock.advance(timedelta(days=10))
    assert len((await admin.get("/api/v1/tickets", params={"overdue": "true"})).json()["items"]) == 5
    for bad in ({"cursor": "xx"}, {"q": "垃圾"}, {"limit": 101}, {"division": "1"}):
        assert (await admin.get("/api/v1/tickets", params=bad)).status_code == 422
