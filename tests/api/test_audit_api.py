"""The trail as an auditor searches it and takes it away."""

import csv
import io
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.base.db import Database
from app.domain.policy import SYSTEM
from tests.api.conftest import SignIn

VILLAGE, GRID = "430121001001", "430121001001001"
COURIER = f"courier-{GRID}-1"
SECRETS = ("欧阳修", "14212345678", "垃圾没人清", "明天就去清", "已经清完了")


@pytest.fixture
async def number(sign_in: SignIn) -> str:
    """A ticket of a named citizen, recorded, started, replied to and completed."""
    admin, courier = await sign_in(f"admin-{VILLAGE}"), await sign_in(COURIER)
    citizen = {"name": "欧阳修", "phone": "14212345678"}
    what = {"description": "垃圾没人清", "channel": "group", "category": "C0103", "division_code": GRID}
    body = {**what, "citizen": citizen}
    found = str((await admin.post("/api/v1/tickets", json=body)).json()["number"])
    done = {"result": "已经清完了", "explained": True}
    for action, fields in (("start", {}), ("reply", {"text": "明天就去清"}), ("complete", done)):
        assert (await courier.post(f"/api/v1/tickets/{found}/{action}", json=fields)).status_code == 200
    return found


@pytest.fixture
async def auditor(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("auditor-430121-1")


async def listed(client: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/audit", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_who_did_what_is_told_without_any_text_or_citizen(auditor: httpx.AsyncClient, number: str) -> None:
    answer = await auditor.get("/api/v1/audit", params={"number": number})
    found = answer.json()["items"]
    assert [(e["seq"], e["action"], e["label"], e["before"], e["after"]) for e in found] == [
        (5, "complete", "办结", "in_progress", "completed"),
        (4, "reply", "回复", "in_progress", "in_progress"),
        (3, "start", "开始办理", "accepted", "in_progress"),
        (2, "accept", "受理", "received", "accepted"),
        (1, "open", "收到", None, "received"),
    ]
    assert {e["number"] for e in found} == {number}
    assert found[0]["actor"]["username"] == COURIER
    assert found[0]["actor"]["name"]
    opened = found[-1]["detail"]
    assert opened["division"]["code"] == GRID
    assert opened["person"]["username"] == COURIER
    assert not any(secret in answer.text for secret in SECRETS)


async def test_filters_and_pages_cover_all_of_it_once(auditor: httpx.AsyncClient, number: str, sign_in: SignIn) -> None:
    assert {e["seq"] for e in await listed(auditor, staff=COURIER, number=number)} == {3, 4, 5}
    assert [e["seq"] for e in await listed(auditor, action="reply")] == [4]
    assert await listed(auditor, to="2026-09-21") == []
    assert len(await listed(auditor, **{"from": "2026-09-22", "to": "2026-09-22", "kind": "ticket"})) == 5
    assert await listed(auditor, number="10000000") == []
    await auditor.get("/api/v1/audit.csv")
    today = {"from": "2026-09-22"}  # the county was imported long before
    assert [e["action"] for e in await listed(auditor, kind="office", **today)] == ["audit.export"]
    seen: list[tuple[str, int]] = []
    cursor: str | None = None
    for _ in range(6):
        asked = today | {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await auditor.get("/api/v1/audit", params=asked)).json()
        seen += [(e["kind"], e["seq"]) for e in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [kind for kind, _ in seen] == ["ticket"] * 5 + ["office"], "of one moment, tickets first"
    assert [seq for kind, seq in seen if kind == "ticket"] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"action": "fly"}, "audit.action"),
        ({"staff": "nobody"}, "audit.staff"),
        ({"from": "2026-13-01"}, "rates.day"),
        ({"from": "2026-09-22", "to": "2026-09-21"}, "audit.span"),
        ({"cursor": "nonsense"}, "cursor.invalid"),
    ],
)
async def test_what_makes_no_sense_is_said_to_make_none(
    auditor: httpx.AsyncClient, asked: dict[str, str], code: str
) -> None:
    answer = await auditor.get("/api/v1/audit", params=asked)
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{code}")


async def test_the_export_has_the_same_rows_and_is_itself_in_the_trail(
    auditor: httpx.AsyncClient, number: str, database: Database
) -> None:
    answer = await auditor.get("/api/v1/audit.csv", params={"number": number, "staff": COURIER})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["序号"], row["动作"], row["新状态"], row["用户名"]) for row in rows] == [
        ("5", "办结", "已办结", COURIER),
        ("4", "回复", "办理中", COURIER),
        ("3", "开始办理", "办理中", COURIER),
    ]
    assert not any(secret in answer.text for secret in SECRETS)
    async with database.open_work(SYSTEM, read=True) as work:
        last = text("SELECT actor_kind, actor_role, detail FROM office_event ORDER BY seq DESC LIMIT 1")
        kind, role, detail = (await work.conn.execute(last)).one()
        ids = text("SELECT (SELECT id FROM ticket), (SELECT id FROM staff WHERE username = :u)")
        ticket_id, staff_id = (await work.conn.execute(ids, {"u": COURIER})).one()
    assert (kind, role) == ("staff", "auditor")
    assert detail == {"ticket_id": ticket_id, "staff_id": staff_id}


async def test_an_export_longer_than_a_lot_is_whole(
    auditor: httpx.AsyncClient, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.audit.search.LOT", 2)
    answer = await auditor.get("/api/v1/audit.csv", params={"kind": "ticket"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["序号"] for row in rows] == ["5", "4", "3", "2", "1"]


@pytest.mark.by_hand
async def test_an_auditor_does_not_read_of_a_complaint_about_themselves(
    auditor: httpx.AsyncClient, number: str, database: Database
) -> None:
    async with database.open_work(SYSTEM) as work:
        about = "UPDATE ticket SET about_staff_id = (SELECT id FROM staff WHERE username = :u)"
        await work.conn.execute(text(about), {"u": "auditor-430121-1"})
    assert await listed(auditor, number=number) == []
    assert (await auditor.get("/api/v1/audit.csv", params={"number": number})).text.count("\n") == 1
