"""The suggestion of categories over the API, and groups of recorded matters."""

from tests.api.conftest import SignIn

VILLAGE = "430121001001"


async def test_a_text_gets_three_categories_with_their_reasons(sign_in: SignIn) -> None:
    courier = await sign_in("courier-430121001001001-1")
    answer = await courier.get("/api/v1/categories/suggest", params={"text": "夜宵摊占道，油烟大，噪音扰民"})
    assert answer.status_code == 200
    first, *others = answer.json()
    assert (first["code"], first["name"]) == ("C0101", "占道经营与流动摊贩")
    assert 0 < first["confidence"] < 1
    assert first["why"].startswith("文中有“")
    assert len(others) == 2
    assert first["confidence"] >= others[0]["confidence"] >= others[1]["confidence"]


async def test_nothing_is_suggested_for_what_says_nothing(sign_in: SignIn) -> None:
    courier = await sign_in("courier-430121001001001-1")
    assert (await courier.get("/api/v1/categories/suggest", params={"text": "你好"})).json() == []
    assert (await courier.get("/api/v1/categories/suggest", params={"text": ""})).status_code == 422
    assert (await courier.get("/api/v1/categories/suggest", params={"text": "长" * 2_001})).status_code == 422


async def test_what_came_by_a_group_is_where_the_group_is(sign_in: SignIn) -> None:
    admin = await sign_in("admin-430121")
    named = (await admin.get("/api/v1/groups", params={"division": VILLAGE})).json()["items"][0]
    body = {"description": "垃圾没人清", "channel": "group", "category": "C0103"}
    by_name = await admin.post("/api/v1/tickets", json=body | {"source": {"group": named["name"]}})
    assert by_name.json()["division"]["code"] == named["division"]["code"]
    assert "按公众号（微信群）所在" in by_name.json()["routing_reason"]
    unknown = await admin.post("/api/v1/tickets", json=body | {"source": {"group": "没有这个群"}})
    assert unknown.json()["division"]["code"] == "430121"
