"""What is no good body or query: always a 422 with a Chinese sentence that says what to do, never a 500 or a guess."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.base.db import Database
from app.domain.policy import SYSTEM
from app.web import problems
from app.web.limit import MOST
from tests.api.conftest import SignIn

VILLAGE = "430121001001"
TICKET: dict[str, Any] = {"description": "路灯坏了", "channel": "phone"}
SESSIONS, TICKETS, JSON = "/api/v1/sessions", "/api/v1/tickets", {"Content-Type": "application/json"}
TOO_EARLY, TOO_LATE = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"


@pytest.fixture
async def admin(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(f"admin-{VILLAGE}")


def the_fault(answer: httpx.Response) -> tuple[str, str]:
    """Pointer and sentence of the only fault."""
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    (fault,) = answer.json()["errors"]
    return fault["pointer"], fault["detail"]


MOMENTS = {
    TOO_EARLY: "超出范围",
    TOO_LATE: "超出范围",
    "0001-01-01T00:00:00Z": "超出范围",
    "1999-12-31T23:59:59Z": "超出范围",
    "3000-01-01T00:00:00Z": "超出范围",
    "2026-09-22T09:00:00": "时区",
    "1790000000": "应为时间",
    "2026-09-22T24:00:00Z": "应为时间",
    "2026-02-30T10:00:00Z": "应为时间",
    "2026-09-22T09:00:00 08:00": "%2B",  # a plus that was not escaped
    "2026-09-22": "应为时间",
    "明天": "应为时间",
    "": "应为时间",
}


@pytest.mark.parametrize(("written", "said"), MOMENTS.items())
async def test_a_moment_that_is_none_or_out_of_range_is_refused_in_every_place(
    admin: httpx.AsyncClient, written: str, said: str
) -> None:
    number = (await admin.post(TICKETS, json=TICKET)).json()["number"]
    for name in ("due_before", "received_from", "received_to"):
        pointer, detail = the_fault(await admin.get(TICKETS, params={name: written}))
        assert (pointer, said in detail) == (f"/{name}", True), detail
    visit = await admin.post(f"{TICKETS}/{number}/visit", json={"seen": "看过", "at": written})
    assert said in the_fault(visit)[1]
    assert said in the_fault(await admin.post(TICKETS, json=TICKET | {"received_at": written}))[1]


@pytest.mark.parametrize(
    "written", ["2026-09-22T01:00:00Z", "2026-09-22 09:00+0800", "2026-09-22t09:00:00.000000+08:00"]
)
async def test_a_moment_may_be_written_in_every_way_of_iso_8601_that_has_a_zone(
    admin: httpx.AsyncClient, written: str
) -> None:
    answer = await admin.post(TICKETS, json=TICKET | {"received_at": written})
    assert answer.json()["received_at"] == "2026-09-22T09:00:00+08:00"
    assert (await admin.get(TICKETS, params={"due_before": written})).status_code == 200


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"confidential": "yes"}, "/confidential", "true 或 false"),
    ({"confidential": 1}, "/confidential", "true 或 false"),
    ({"description": 5}, "/description", "应为文字"),
    ({"description": "字" * 20_001}, "/description", "最多 20000 个字"),
    ({"description": " \n\u3000"}, "/description", "不能为空"),
    ({"title": ""}, "/title", "不能为空"),
    ({"title": "\0"}, "/title", "无法保存"),
    ({"title": ["a"]}, "/title", "应为文字"),
    ({"kind": 1}, "/kind", "可选"),
    ({"kind": ["wish"]}, "/kind", "可选"),
    ({"channel": None}, "/channel", "可选"),
    ({"location": {"lat": "28.1", "lon": 113}}, "/location/lat", "应为数字"),
    ({"location": {"lat": True, "lon": 113}}, "/location/lat", "应为数字"),
    ({"location": {"lat": 10**400, "lon": 113}}, "/location/lat", "应为数字"),
    ({"location": {"lat": float("nan"), "lon": 113}}, "/location/lat", "有限"),
    ({"location": {"lat": 91, "lon": 113}}, "/location/lat", "最大为 90"),
    ({"location": {"lat": 1, "lon": -181}}, "/location/lon", "最小为 -180"),
    ({"location": {"lat": 1}}, "/location/lon", "必须填写"),
    ({"location": [28, 113]}, "/location", "JSON 对象"),
    ({"location": "家"}, "/location", "JSON 对象"),
    ({"citizen": {"phone": "一二三"}}, "/citizen/phone", "格式不对"),
    ({"files": {}}, "/files", "应为列表"),
    ({"files": ["1"] * 10}, "/files", "最多 9 个"),
    ({"files": ["1"]}, "/files", "不存在"),
    ({"received_at": 1790000000}, "/received_at", "应为时间"),
    ({"received_at": True}, "/received_at", "应为时间"),
    ({"path": 1}, "/path", "没有这个字段"),
    ({"a/b~": 1}, "/a~1b~0", "没有这个字段"),
]


@pytest.mark.parametrize(("change", "pointer", "said"), WRONG)
async def test_a_value_of_another_type_is_refused_not_made_to_fit(
    admin: httpx.AsyncClient, change: dict[str, Any], pointer: str, said: str
) -> None:
    answer = await admin.post(TICKETS, content=json.dumps(TICKET | change).encode(), headers=JSON)
    found, detail = the_fault(answer)
    assert (found, said in detail) == (pointer, True), detail


@pytest.mark.parametrize("version", ["2", True, 2.0, 10**30, -1])
async def test_a_version_is_a_whole_number_and_no_other_thing(admin: httpx.AsyncClient, version: object) -> None:
    number = (await admin.post(TICKETS, json=TICKET)).json()["number"]
    assert the_fault(await admin.post(f"{TICKETS}/{number}/start", json={"version": version}))[0] == "/version"


async def test_whole_numbers_are_numbers_and_words_of_a_list_are_words(admin: httpx.AsyncClient) -> None:
    body = TICKET | {"kind": "wish", "location": {"lat": 28, "lon": 113}, "confidential": False}
    assert (await admin.post(TICKETS, json=body)).status_code == 201


QUERIES = [
    ({"limit": "many"}, "/limit", "应为整数"),
    ({"limit": "9" * 5000}, "/limit", "应为整数"),
    ({"limit": "0"}, "/limit", "最小为 1"),
    ({"overdue": "perhaps"}, "/overdue", "true 或 false"),
    ({"status": "lost"}, "/status/0", "可选"),
    ({"order": "number"}, "/order", "可选"),
]


@pytest.mark.parametrize(("query", "pointer", "said"), QUERIES)
async def test_a_wrong_query_is_told_in_chinese(
    admin: httpx.AsyncClient, query: dict[str, str], pointer: str, said: str
) -> None:
    found, detail = the_fault(await admin.get(TICKETS, params=query))
    assert (found, said in detail) == (pointer, True), detail


async def test_a_number_that_is_none_is_told_in_chinese(admin: httpx.AsyncClient) -> None:
    assert the_fault(await admin.get(f"{TICKETS}/12x")) == ("/number", "格式不对")


WHOLE = [
    (b"\xff", JSON, "UTF-8"),
    (b'{"username": "' + "中".encode("gbk") + b'"}', JSON, "UTF-8"),
    (b"[" * 200_000, JSON, "层数"),
    (b'{"username": ' + b"9" * 5000 + b"}", JSON, "整数"),
    (b'{"username"', JSON, "不是有效的 JSON，错在第 12 个字符"),
    (b"[]", JSON, "应为 JSON 对象"),
    (b'"text"', JSON, "应为 JSON 对象"),
    (b"1e400", JSON, "应为 JSON 对象"),
    (b"", JSON, "不能为空"),
    (b"null", JSON, "JSON 对象"),
    (b'{"username":"a","password":"b"}', {"Content-Type": "text/plain"}, "application/json"),
    (b'{"username":"a","password":"b"}', {}, "application/json"),
    (b"username=a&password=b", {"Content-Type": "application/x-www-form-urlencoded"}, "application/json"),
]


@pytest.mark.parametrize(("body", "headers", "said"), WHOLE)
async def test_a_body_that_is_no_json_object_is_told_what_it_should_be(
    stranger: httpx.AsyncClient, body: bytes, headers: dict[str, str], said: str
) -> None:
    answer = await stranger.post(SESSIONS, content=body, headers=headers)
    pointer, detail = the_fault(answer)
    assert (pointer, said in detail) == ("", True), detail
    assert answer.json()["detail"] == detail


def test_every_sentence_about_a_field_is_chinese_and_has_its_bounds() -> None:
    bounds = {"max_length": 9, "ge": 1, "le": 2}
    for kind, said in problems._SAID.items():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in said.format(**bounds)), kind


async def test_a_body_over_a_megabyte_is_refused_before_it_is_parsed_announced_or_not(
    stranger: httpx.AsyncClient, database: Database
) -> None:
    body = b'{"username":"a","password":"' + b"x" * MOST + b'"}'

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    for content in (body, in_pieces()):
        answer = await stranger.post(SESSIONS, content=content, headers=JSON)
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
        assert answer.json()["type"] == "/problems/body.too_large"
        assert "1 MB" in answer.json()["detail"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    async with database.open_work(SYSTEM) as work:
        assert (await work.conn.execute(text("SELECT count(*) FROM sign_in_failure"))).scalar_one() == 0
    just = json.dumps({"username": "a", "password": "x"}).encode()
    assert (await stranger.post(SESSIONS, content=just + b" " * (MOST - len(just)), headers=JSON)).status_code == 401
