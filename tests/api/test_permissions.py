"""The permission matrix: every route, as every role and as a stranger, at home, above and beside a ticket.

The ticket is completed, so that an action which the caller may do is a 409 (not in this state) and changes nothing: 403
means may not, 404 may not even know of it.
"""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.base.db import Database
from app.domain.policy import SYSTEM, Permission
from app.web.gate import ALLOWED_WITHOUT, permissions
from tests.api.conftest import SignIn

VILLAGE = "430121001001"
ASSIGNED = "courier-430121001001001-1"
AT_HOME = {
    "stranger": None,
    "courier": ASSIGNED,
    "administrator": f"admin-{VILLAGE}",
    "administrator above": "admin-430121001",
    "administrator of the county": "admin-430121",
    "principal": "principal-430121001",
    "deputy": "deputy-430121001",
    "officer": "officer-430121001",
    "inspector": "insp-430121001-1",
    "auditor": "auditor-430121-1",
    "operator": "operator-430121-1",
    "courier beside": "courier-430121105001001-1",
    "handler beside": "handler-U05-1",
    "administrator beside": "admin-430121105",
    "principal beside": "principal-430121105",
    "inspector beside": "insp-430121105-1",
}
"""Position → username. "Beside" is another town or a unit that never had the ticket."""
BESIDE = {position for position in AT_HOME if position.endswith("beside")}
SHUT = {"auditor", "operator"}
STAFF = set(AT_HOME) - {"stranger"}
COURIERS = {"courier", "courier beside"}
WORKERS = {"courier", "administrator", "administrator above", "administrator of the county"}


def staff_only(positions: set[str], allowed: int) -> dict[str, int]:
    """`allowed` for those positions, 401 for the stranger, 403 for all other staff."""
    return {p: 401 if p == "stranger" else allowed if p in positions else 403 for p in AT_HOME}


def on_ticket(positions: set[str], allowed: int) -> dict[str, int]:
    """Likewise, but 404 for staff who may not know of the ticket."""
    return staff_only(positions, allowed) | dict.fromkeys(BESIDE, 404)


def everybody(status: int) -> dict[str, int]:
    return dict.fromkeys(AT_HOME, status)


OPENERS = {p for p in STAFF if p.split(" ")[0] in {"courier", "handler", "administrator"}}
ADMINISTRATORS = {p for p in STAFF if p.startswith("administrator")}
READERS = STAFF - SHUT - BESIDE
ABOVE = {"administrator above", "administrator of the county"}
"""Administrators of the node above the responsible one, or higher."""
MATRIX: dict[tuple[str, str], tuple[dict[str, int], Any]] = {
    ("GET", "/healthz"): (everybody(200), None),
    ("GET", "/readyz"): (everybody(200), None),
    # On this machine everybody may; from elsewhere nobody without its own token (test_metrics.py).
    ("GET", "/metrics"): (everybody(200), None),
    ("GET", "/"): (everybody(200), None),
    ("GET", "/board"): (everybody(200), None),
    ("GET", "/board/{code}"): (everybody(200), None),
    ("GET", "/t"): (everybody(200), None),
    ("GET", "/t/{number}"): (everybody(200), None),
    ("GET", "/wechat/{appid}"): (everybody(404), None),
    ("POST", "/wechat/{appid}"): (everybody(404), None),
    ("POST", "/api/v1/sessions"): (everybody(401), None),
    ("GET", "/api/v1/me"): (staff_only(STAFF, 200), None),
    ("GET", "/api/v1/divisions/{code}"): (staff_only(STAFF, 200), None),
    ("GET", "/api/v1/divisions/{code}/children"): (staff_only(STAFF, 200), None),
    ("GET", "/api/v1/categories"): (staff_only(STAFF, 200), None),
    ("GET", "/api/v1/categories/suggest"): (staff_only(OPENERS, 200), None),
    ("GET", "/api/v1/rates"): (staff_only(STAFF, 200), None),
    ("GET", "/api/v1/reports"): (staff_only(STAFF, 200), None),
    # None is there: the door is open to all staff alike, and who is let in is told so.
    ("GET", "/api/v1/reports/{id}"): (staff_only(STAFF, 404), None),
    ("GET", "/api/v1/reports/{id}.csv"): (staff_only(STAFF, 404), None),
    ("GET", "/api/v1/reports/{id}.xlsx"): (staff_only(STAFF, 404), None),
    ("POST", "/api/v1/tickets"): (staff_only(OPENERS, 201), {"description": "路灯坏了", "channel": "phone"}),
    ("GET", "/api/v1/tickets"): (staff_only(STAFF - SHUT, 200), None),
    ("GET", "/api/v1/tickets/{number}"): (on_ticket(READERS, 200), None),
    ("GET", "/api/v1/tickets/{number}/duplicates"): (on_ticket(READERS, 200), None),
    ("POST", "/api/v1/tickets/{number}/accept"): (on_ticket(WORKERS, 409), {}),
    ("POST", "/api/v1/tickets/{number}/dispatch"): (on_ticket(WORKERS - {"courier"}, 409), {"division_code": VILLAGE}),
    ("POST", "/api/v1/tickets/{number}/start"): (on_ticket(WORKERS, 409), {}),
    ("POST", "/api/v1/tickets/{number}/visit"): (on_ticket(WORKERS, 409), {"seen": "看过"}),
    ("POST", "/api/v1/tickets/{number}/reply"): (on_ticket(WORKERS, 409), {"text": "在办"}),
    ("POST", "/api/v1/tickets/{number}/complete"): (on_ticket(WORKERS, 409), {"result": "办好了"}),
    ("POST", "/api/v1/tickets/{number}/wait"): (
        on_ticket(WORKERS, 409),
        {"reason": "season", "text": "雨季", "look_again_on": "2099-01-01"},
    ),
    ("POST", "/api/v1/tickets/{number}/resume"): (on_ticket(WORKERS, 409), {}),
    ("POST", "/api/v1/tickets/{number}/decline"): (
        on_ticket(WORKERS - {"courier"}, 409),
        {"reason": "no_facts", "text": "请补充"},
    ),
    ("POST", "/api/v1/tickets/{number}/appeal"): (on_ticket({"administrator"}, 409), {"text": "不服"}),
    ("POST", "/api/v1/tickets/{number}/withdraw"): (on_ticket({"administrator"}, 409), {}),
    ("POST", "/api/v1/tickets/{number}/transfer"): (on_ticket(WORKERS - {"courier"}, 409), {"division_code": VILLAGE}),
    ("POST", "/api/v1/tickets/{number}/escalate"): (on_ticket(WORKERS, 409), {"text": "办不了"}),
    ("POST", "/api/v1/tickets/{number}/return"): (on_ticket(WORKERS, 409), {"text": "不是我们的"}),
    ("POST", "/api/v1/tickets/{number}/request-extension"): (on_ticket(WORKERS, 409), {"days": 1, "text": "等配件"}),
    ("POST", "/api/v1/tickets/{number}/decide-extension"): (on_ticket(ABOVE, 409), {"approve": True}),
    ("POST", "/api/v1/tickets/{number}/propose-unreasonable"): (on_ticket(WORKERS, 409), {"text": "已办"}),
    ("POST", "/api/v1/tickets/{number}/decide-unreasonable"): (on_ticket(ABOVE, 409), {"approve": True}),
    ("POST", "/api/v1/tickets/{number}/merge"): (on_ticket(WORKERS - {"courier"}, 409), {"into": "10000000"}),
    ("POST", "/api/v1/tickets/{number}/unmerge"): (on_ticket(WORKERS - {"courier"}, 409), {}),
    # Of whoever may see it; the last of all, since it leaves a note each time.
    ("POST", "/api/v1/tickets/{number}/note"): (on_ticket(READERS, 200), {"text": "已电话告知"}),
    ("POST", "/api/v1/tickets/{number}/rating"): (everybody(403), {"score": "like", "code": "ABCDEFGH"}),
    # No form, and no such file: who is let in is told so.
    ("POST", "/api/v1/files"): (staff_only(STAFF - SHUT, 422), None),
    ("GET", "/api/v1/files/{id}"): (staff_only(STAFF - SHUT, 404), None),
    ("GET", "/api/v1/messages"): (staff_only(ADMINISTRATORS, 200), None),
    # None is there: nobody learns whether there is one.
    ("POST", "/api/v1/messages/{id}/ticket"): (staff_only(ADMINISTRATORS, 404), {"description": "路灯坏了"}),
    ("POST", "/api/v1/messages/{id}/settle"): (staff_only(ADMINISTRATORS, 404), {}),
    ("GET", "/api/v1/courier/tickets"): (staff_only(COURIERS, 200), None),
    ("GET", "/api/v1/courier/households"): (staff_only(COURIERS, 200), None),
    ("GET", "/api/v1/courier/visits"): (staff_only(COURIERS, 200), None),
    # Nobody's household: no courier learns whether there is one.
    ("POST", "/api/v1/courier/visits"): (staff_only(COURIERS, 404), {"seen": "看过", "household_id": 2**62}),
    ("GET", "/api/v1/households"): (staff_only(WORKERS - {"courier"}, 200), None),
    ("GET", "/api/v1/audit"): (staff_only({"auditor"}, 200), None),
    ("GET", "/api/v1/audit.csv"): (staff_only({"auditor"}, 200), None),
    ("GET", "/api/v1/stations"): (staff_only(STAFF, 200), None),
    ("GET", "/api/v1/groups"): (staff_only(STAFF, 200), None),
}
QUERY = {
    ("GET", "/api/v1/rates"): {"division": "430121", "from": "2026-09-01", "to": "2026-09-22"},
    ("GET", "/api/v1/households"): {"division": VILLAGE},
    ("GET", "/api/v1/categories/suggest"): {"text": "路灯坏了"},
    ("GET", "/api/v1/stations"): {"division": VILLAGE},
    ("GET", "/api/v1/groups"): {"division": VILLAGE},
}
NOT_CALLED = {"/static/{path:path}", "/static/{name}", "/openapi.json"}
"""Static files and the interface's description: the written allow-list."""


def test_every_route_is_in_the_matrix_and_the_matrix_names_no_other(app: FastAPI) -> None:
    routes = {(method, path) for method, path, _ in permissions(app) if path not in NOT_CALLED}
    assert routes == set(MATRIX)


def test_every_route_asks_for_a_permission(app: FastAPI) -> None:
    held = {(method, path): permission for method, path, permission in permissions(app)}
    assert len(held) >= len(MATRIX)
    assert [route for route, permission in held.items() if permission is None and route[1] not in NOT_CALLED] == []
    public = {route for route, permission in held.items() if permission is Permission.PUBLIC}
    assert {route for route in public if route[1].startswith("/api/")} == {("POST", "/api/v1/sessions")}


def test_what_is_allowed_without_a_gate_is_there(app: FastAPI) -> None:
    assert {path for _, path, held in permissions(app) if held is None} >= ALLOWED_WITHOUT


@pytest.fixture
async def completed(sign_in: SignIn) -> str:
    admin = await sign_in(f"admin-{VILLAGE}")
    body = {"description": "垃圾没人清", "channel": "group", "category": "C0501", "division_code": "430121001001001"}
    number = str((await admin.post("/api/v1/tickets", json=body)).json()["number"])
    courier = await sign_in(ASSIGNED)
    for action, fields in (("start", {}), ("reply", {"text": "就去"}), ("complete", {"result": "清完了"})):
        assert (await courier.post(f"/api/v1/tickets/{number}/{action}", json=fields)).status_code == 200
    return number


async def test_every_route_as_every_role_at_every_position(
    completed: str, sign_in: SignIn, stranger: httpx.AsyncClient, database: Database
) -> None:
    wrong = []
    for position, username in AT_HOME.items():
        client = stranger if username is None else await sign_in(username)
        for (method, path), (expected, body) in MATRIX.items():
            at = path.format(number=completed, code="430121001", appid="wx0000000000000000", id=1)
            if path.endswith("/sessions"):
                # A name of its own for each: five failures of one would be a 429.
                body = {"username": f"nobody, {position}", "password": "x"}
            answer = await client.request(method, at, json=body, params=QUERY.get((method, path)))
            if answer.status_code != expected[position]:
                wrong.append(f"{position}: {method} {path} → {answer.status_code}, not {expected[position]}")
    assert wrong == []
    async with database.open_work(SYSTEM) as work:
        row = await work.conn.execute(text("SELECT status, version FROM ticket WHERE number = :n"), {"n": completed})
        assert tuple(row.one()) == ("completed", 5 + len(READERS))


async def test_a_reader_who_does_not_work_on_it_sees_the_citizen_masked(sign_in: SignIn) -> None:
    admin = await sign_in(f"admin-{VILLAGE}")
    citizen = {"name": "欧阳修", "phone": "14212345678"}
    body = {"description": "垃圾没人清", "channel": "group", "category": "C0103", "citizen": citizen}
    number = (await admin.post("/api/v1/tickets", json=body)).json()["number"]
    seen = {
        username: (await (await sign_in(username)).get(f"/api/v1/tickets/{number}")).json()["citizen"]
        for username in (f"admin-{VILLAGE}", "admin-430121", "principal-430121001", "insp-430121001-1")
    }
    assert seen[f"admin-{VILLAGE}"] == seen["admin-430121"] == citizen
    assert seen["principal-430121001"] == seen["insp-430121001-1"] == {"name": "欧**", "phone": "142****5678"}
