"""Stations, chat groups and masked households of an area, in pages."""

from typing import Any

import httpx
import pytest

from app.demo.county import DemoCounty
from tests.api.conftest import SignIn

VILLAGE = "430121002001"
SHEETS = {"stations": "division_code", "groups": "division_code", "households": "grid_code"}


async def listed(client: httpx.AsyncClient, kind: str, **query: Any) -> list[dict[str, Any]]:
    """All pages."""
    items: list[dict[str, Any]] = []
    while True:
        answer = await client.get(f"/api/v1/{kind}", params=query)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        query["cursor"] = answer.json()["next_cursor"]
        if query["cursor"] is None:
            return items


@pytest.mark.parametrize("kind", SHEETS)
@pytest.mark.parametrize("limit", [3, 100])
async def test_an_area_holds_what_lies_in_it(sign_in: SignIn, demo: DemoCounty, kind: str, limit: int) -> None:
    admin = await sign_in(f"admin-{VILLAGE}")
    items = await listed(admin, kind, division=VILLAGE, limit=limit)
    rows = next(sheet.rows for sheet in demo.sheets if sheet.name == kind)
    column = SHEETS[kind]
    codes = [(item.get("division") or item["grid"])["code"] for item in items]
    assert codes == [row[column] for row in rows if row[column].startswith(VILLAGE)]


async def test_a_station_is_told_whole(sign_in: SignIn, demo: DemoCounty) -> None:
    courier = await sign_in(f"courier-{VILLAGE}001-1")
    shown = (await listed(courier, "stations", division=f"{VILLAGE}001"))[0]
    row = next(r for s in demo.sheets if s.name == "stations" for r in s.rows if r["division_code"] == f"{VILLAGE}001")
    assert shown == {
        "division": {"code": f"{VILLAGE}001", "name": "第1网格", "level": "grid"},
        **{column: row[column] for column in ("name", "address", "hours", "phone")},
        "location": {"lat": float(row["lat"]), "lon": float(row["lon"]), "datum": "wgs84"},
    }


@pytest.mark.parametrize("kind", SHEETS)
async def test_an_unknown_division_and_a_foreign_cursor_are_told(sign_in: SignIn, kind: str) -> None:
    admin = await sign_in("admin-430121")
    unknown = await admin.get(f"/api/v1/{kind}", params={"division": "999999"})
    assert (unknown.status_code, unknown.json()["type"]) == (422, "/problems/division.unknown")
    assert unknown.json()["errors"][0]["pointer"] == "/division"
    other = "stations" if kind != "stations" else "groups"
    page = (await admin.get(f"/api/v1/{other}", params={"division": "430121", "limit": 1})).json()
    for cursor in ("x", page["next_cursor"]):
        answer = await admin.get(f"/api/v1/{kind}", params={"division": "430121", "cursor": cursor})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/cursor.invalid")


async def test_households_are_masked_even_for_the_county(sign_in: SignIn, demo: DemoCounty) -> None:
    rows = next(sheet.rows for sheet in demo.sheets if sheet.name == "households")
    admin = await sign_in("admin-430121")
    answer = await admin.get("/api/v1/households", params={"division": "430121", "limit": 100})
    first = rows[0]
    assert answer.json()["items"][0] == {
        "id": answer.json()["items"][0]["id"],
        "grid": {"code": first["grid_code"], "name": "第1网格"},
        "head_name": f"{first['head_name'][0]}**",
        "phone": f"{first['phone'][:3]}****{first['phone'][-4:]}",
        "address": "长沙县星沙街道开元路社区居委会",
        "in_difficulty": first["in_difficulty"] == "true",
        "last_visited_at": None,
        "visit_due_on": "2026-09-22",
        "courier": first["courier_username"],
    }
    for row in rows[:100]:
        assert row["phone"] not in answer.text
        assert row["head_name"] not in answer.text
        assert row["address"] not in answer.text
    hard = await listed(admin, "households", division="430121002", in_difficulty=True, limit=100)
    assert {item["in_difficulty"] for item in hard} == {True}
