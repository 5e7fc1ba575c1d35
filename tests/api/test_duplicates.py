"""Likely duplicates of a ticket: found, ranked, and shown to nobody who may not see them."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.api.conftest import SignIn

VILLAGE, GRID, FAR = "430121001001", "430121001001001", "430121105001001"
LAMP = "开元路社区小区门口路灯坏了三天，晚上很黑，老人出门不方便，请派人维修"
Recorded = Callable[..., Awaitable[str]]


@pytest.fixture
async def admin(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(f"admin-{VILLAGE}")


@pytest.fixture
def told(admin: httpx.AsyncClient) -> Recorded:
    async def recorded(text: str, grid: str = GRID, **more: object) -> str:
        body = {"description": text, "channel": "phone", "category": "C0105", "division_code": grid}
        answer = await admin.post("/api/v1/tickets", json=body | more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["number"])

    return recorded


async def alike(client: httpx.AsyncClient, number: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/tickets/{number}/duplicates")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_the_same_matter_is_found_in_the_same_and_in_other_words_and_another_is_not(
    told: Recorded, admin: httpx.AsyncClient
) -> None:
    first = await told(LAMP)
    again = await told(LAMP.replace("三天", "四天"))
    words = await told("小区门口路灯坏了好几天，晚上太黑，老人出门不方便")
    await told("垃圾堆了一周没人清运，苍蝇很多", category="C0103")
    found = await alike(admin, first)
    assert [one["number"] for one in found] == [again, words]
    assert found[0]["why"] == "内容几乎相同，同一村社区，同一分类"


async def test_a_hint_shows_nothing_that_one_may_not_see(
    told: Recorded, admin: httpx.AsyncClient, sign_in: SignIn
) -> None:
    county = await sign_in("admin-430121")
    near, far = await told(LAMP), await told(LAMP, FAR)
    secret = await told(LAMP, confidential=True)
    assert {one["number"] for one in await alike(county, near)} == {far}
    # The village's administrator recorded the far one, a courier did not.
    assert await alike(await sign_in(f"courier-{GRID}-1"), near) == []
    for client in (admin, county):
        assert (await client.get(f"/api/v1/tickets/{secret}/duplicates")).status_code == 404
    inspector = await sign_in("insp-430121-1")
    assert await alike(inspector, secret) == []


async def test_many_citizens_on_one_matter_are_counted_as_people(
    told: Recorded, admin: httpx.AsyncClient, sign_in: SignIn
) -> None:
    town = await sign_in("admin-430121001")
    first, second, third = await told(LAMP), await told(LAMP), await told(LAMP)
    for number in (second, third):
        assert (await town.post(f"/api/v1/tickets/{number}/merge", json={"into": first})).status_code == 200
    ticket = (await admin.get(f"/api/v1/tickets/{first}")).json()
    assert (ticket["people"], ticket["copies"]) == (3, 2)
    assert {one["merged"] for one in await alike(admin, first)} == {True}
