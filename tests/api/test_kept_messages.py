"""Messages that could not be understood: listed for who administers the account's place, filed or settled once."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from app.base.clock import Clock
from app.base.db import Database
from app.demo.county import DemoCounty
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI, AccountMode
from app.schema.notifications import outbox
from app.schema.people import identities
from app.schema.tickets import tickets
from app.schema.wechat import inbound
from app.tickets.kept import PAGE_BYTES
from app.wechat.crypto import Keys
from tests.api.conftest import SignIn
from tests.conftest import MOMENT
from tests.wechat.line import OPENID, Line, number_in
from tests.wechat.test_inbound import broken

COUNTY = "admin-430121"
MESSAGES = "/api/v1/messages"
t, i = tickets.c, inbound.c


@pytest.fixture
def lines(stranger: httpx.AsyncClient, demo: DemoCounty) -> Callable[[AccountMode], Line]:
    """The county's account (safe mode), or a town's (the other modes)."""
    rows = next(sheet for sheet in demo.sheets if sheet.name == "accounts").rows

    def found(mode: AccountMode) -> Line:
        row = next(row for row in rows if row["mode"] == mode)
        keys = Keys(row["appid"], row["token"], row["encoding_aes_key"], None, mode)
        return Line(stranger, keys, row["original_id"], row["division_code"])

    return found


@pytest.fixture
def line(lines: Callable[[AccountMode], Line]) -> Line:
    return lines(AccountMode.SAFE)


@pytest.fixture
def town(lines: Callable[[AccountMode], Line]) -> Line:
    return lines(AccountMode.PLAIN)


@pytest.fixture
async def county(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(COUNTY)


def picture(line: Line, openid: str = OPENID, number: int = 9) -> str:
    return line.other("image", f"<MsgId>{number}</MsgId><MediaId>m</MediaId>", openid)


async def waiting(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(MESSAGES, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def rows(database: Database, query: Any) -> list[Any]:
    async with database.open_work(SYSTEM, read=True) as work:
        return list(await work.conn.execute(query))


@pytest.fixture
async def failed(line: Line, database: Database) -> str:
    """The words of a text that our code failed at."""
    words = "榔梨街道黄兴大道的路灯不亮了 ]]> <b>\n第二行"
    async with broken(database, "ticket"):
        await line.say(words)
    return words


async def test_who_administers_the_accounts_place_sees_what_came_and_why_it_was_kept(
    county: httpx.AsyncClient, line: Line, failed: str
) -> None:
    (seen,) = await waiting(county)
    assert (seen["text"], seen["raw"], seen["type"]) == (failed, None, "text")
    assert seen["account"]["appid"] == line.keys.appid
    assert seen["account"]["division"]["code"] == "430121"
    assert seen["received_at"] == MOMENT.isoformat()
    assert "DBAPIError" in seen["problem"]
    assert "工作人员" in seen["reply"]
    assert (seen["ticket"], seen["settled"], seen["citizen"]) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<xml><Content>井盖</Content>".encode("gb18030"), "<xml><Content>井盖</Content>"),
        (b"hello \x00\xff", "hello \x00\ufffd"),
        (b"<xml><script>alert(1)</script></xml>", "<xml><script>alert(1)</script></xml>"),
    ],
    ids=["another encoding", "no encoding at all", "a script"],
)
async def test_what_is_no_message_is_shown_as_a_text_of_json(
    county: httpx.AsyncClient, line: Line, body: bytes, shown: str
) -> None:
    await line.push(body)
    answer = await county.get(MESSAGES)
    assert answer.headers["content-type"] == "application/json"
    (seen,) = answer.json()["items"]
    assert (seen["raw"], seen["text"], seen["reply"]) == (shown, None, None)


async def test_nobody_is_shown_an_openid(county: httpx.AsyncClient, line: Line) -> None:
    await line.push(picture(line))
    await line.push(f"<xml><FromUserName>short</FromUserName><Url>{OPENID}</Url>")
    answer = await county.get(MESSAGES)
    assert len(answer.json()["items"]) == 2
    assert OPENID not in answer.text
    assert "short" not in answer.text


async def test_a_known_sender_is_masked(county: httpx.AsyncClient, line: Line, database: Database) -> None:
    await line.say("谢谢")
    async with database.engine.begin() as conn:
        await conn.execute(text("UPDATE citizen SET name = '欧阳修', phone = '14212345678'"))
    await line.push(picture(line))
    (seen,) = await waiting(county)
    assert seen["citizen"] == {"name": "欧**", "phone": "142****5678"}


async def test_other_towns_and_villages_see_and_reach_nothing(sign_in: SignIn, line: Line, town: Line) -> None:
    for one in (line, town):
        await one.push(picture(one))
    own, beside = f"admin-{town.division_code}", "admin-430121105"
    assert town.division_code != "430121105"
    assert len(await waiting(await sign_in(COUNTY))) == 2
    (seen,) = await waiting(await sign_in(own))
    assert seen["account"]["appid"] == town.keys.appid
    for username in (beside, f"admin-{town.division_code}001"):
        client = await sign_in(username)
        assert await waiting(client) == []
        for act in ("ticket", "settle"):
            answer = await client.post(f"{MESSAGES}/{seen['id']}/{act}", json={})
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/message.unknown")


async def test_an_unknown_id_is_not_found_whatever_it_looks_like(county: httpx.AsyncClient, line: Line) -> None:
    await line.say("谢谢")
    for unknown in ("1", "wx.", f"{line.keys.appid}.{'0' * 64}", "%00", "a.b.c"):
        assert (await county.post(f"{MESSAGES}/{unknown}/settle", json={})).status_code == 404, unknown


async def test_what_was_handled_is_no_message_for_an_administrator(
    county: httpx.AsyncClient, line: Line, database: Database
) -> None:
    await line.say("谢谢")
    ((key,),) = await rows(database, select(i.key))
    assert await waiting(county) == []
    assert (await county.post(f"{MESSAGES}/{line.keys.appid}.{key}/settle", json={})).status_code == 404


async def test_pages_go_on_where_the_last_ended(county: httpx.AsyncClient, line: Line) -> None:
    for number in range(5):
        await line.push(picture(line, f"oCitizen{number}", number))
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await county.get(MESSAGES, params=query)).json()
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5
    assert [one["id"] for one in await waiting(county)] == seen
    other = await county.get(MESSAGES, params={"state": "settled", "cursor": query["cursor"]})
    assert other.status_code == 422


async def test_very_long_ones_make_short_pages_that_leave_nothing_out(county: httpx.AsyncClient, line: Line) -> None:
    long = "<xml>" + "\x01" * (PAGE_BYTES // 9)
    for number in range(10):
        await line.push(f"{long}{number}")
    sizes, ids = [], []
    query: dict[str, Any] = {"limit": 100}
    while True:
        answer = await county.get(MESSAGES, params=query)
        assert len(answer.content) <= 6 * PAGE_BYTES
        page = answer.json()
        sizes.append(len(page["items"]))
        ids += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert (sizes, len(set(ids))) == ([8, 2], 10)


async def test_a_type_is_shown_no_longer_than_a_type_can_be(county: httpx.AsyncClient, line: Line) -> None:
    await line.push(f"<xml><MsgType>{'x' * 30_000}</MsgType>")
    (seen,) = await waiting(county)
    assert seen["type"] == "x" * 64


async def test_a_ticket_is_made_of_a_message_as_of_when_it_came_and_its_sender_told(
    county: httpx.AsyncClient, line: Line, failed: str, database: Database, clock: Clock
) -> None:
    clock.set(MOMENT.replace(day=27))
    (seen,) = await waiting(county)
    answer = await county.post(f"{MESSAGES}/{seen['id']}/ticket", json={"category": "C0105"})
    assert answer.status_code == 201, answer.text
    ticket = answer.json()
    number = ticket["number"]
    assert answer.headers["location"] == f"/api/v1/tickets/{number}"
    assert (ticket["channel"], ticket["description"], ticket["category"]["code"]) == ("account", failed, "C0105")
    assert ticket["received_at"] == MOMENT.isoformat()
    assert ticket["overdue"] is False
    who = select(t.citizen_id == identities.c.citizen_id, identities.c.openid, i.outcome, i.settled_at)
    joined = tickets.join(inbound, i.ticket_id == t.id).join(identities, identities.c.openid == i.openid)
    ((theirs, openid, outcome, settled_at),) = await rows(database, who.select_from(joined))
    assert (theirs, openid, outcome, settled_at) == (True, OPENID, "done", clock.business())
    told = await rows(database, select(outbox.c.notice).where(outbox.c.citizen_id.is_not(None)))
    assert told == [("citizen.received",)]
    assert f"您9月22日10时发来的消息已登记，编号：{number}。" in await line.say("谢谢")
    assert await waiting(county) == []
    (after,) = await waiting(county, state="settled")
    assert (after["ticket"], after["settled"]["by"]["username"]) == (number, COUNTY)
    assert after["settled"]["at"] == clock.business().astimezone(SHANGHAI).isoformat()


async def test_a_second_ticket_of_it_is_refused_with_the_number_of_the_first(
    county: httpx.AsyncClient, failed: str, database: Database
) -> None:
    (seen,) = await waiting(county)
    at = f"{MESSAGES}/{seen['id']}/ticket"
    answers = await asyncio.gather(*(county.post(at, json={}) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    ((number,),) = await rows(database, select(t.number))
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["type"] == "/problems/message.filed"
            assert number_in(answer.json()["detail"]) == number
    assert (await county.post(f"{MESSAGES}/{seen['id']}/settle", json={})).status_code == 409


async def test_of_a_picture_somebody_has_to_say_what_it_is_about(county: httpx.AsyncClient, line: Line) -> None:
    await line.push(picture(line))
    (seen,) = await waiting(county)
    at = f"{MESSAGES}/{seen['id']}/ticket"
    answer = await county.post(at, json={"category": "C0105"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/description")
    assert len(await waiting(county)) == 1
    answer = await county.post(at, json={"description": "图片：路灯坏了", "division_code": "430121001"})
    assert (answer.status_code, answer.json()["description"]) == (201, "图片：路灯坏了")
    assert answer.json()["division"]["code"] == "430121001"


async def test_of_an_unknown_sender_a_ticket_is_nobodys(
    county: httpx.AsyncClient, line: Line, database: Database
) -> None:
    await line.push("<xml>路灯")
    (seen,) = await waiting(county)
    answer = await county.post(f"{MESSAGES}/{seen['id']}/ticket", json={"description": "路灯坏了"})
    assert answer.status_code == 201
    assert await rows(database, select(t.citizen_id, t.account_id.is_not(None))) == [(None, True)]
    assert await rows(database, select(i.untold)) == [(False,)]


async def test_of_a_confidential_one_the_number_alone_is_told_and_its_words_are_gone_from_the_list(
    county: httpx.AsyncClient, line: Line, failed: str
) -> None:
    (seen,) = await waiting(county)
    body = {"about": {"division_code": "430121001001"}}
    answer = await county.post(f"{MESSAGES}/{seen['id']}/ticket", json=body)
    assert (answer.status_code, set(answer.json())) == (201, {"number", "confidential"})
    assert await waiting(county, state="settled") == []
    assert answer.json()["number"] in await line.say("谢谢")


@pytest.mark.parametrize("wrong", [{"channel": "phone"}, {"citizen": {"name": "x"}}, {"category": "C01"}])
async def test_what_the_message_says_itself_is_not_asked_for(
    county: httpx.AsyncClient, failed: str, wrong: dict[str, Any]
) -> None:
    (seen,) = await waiting(county)
    assert (await county.post(f"{MESSAGES}/{seen['id']}/ticket", json=wrong)).status_code == 422
    assert len(await waiting(county)) == 1


async def test_a_message_that_needs_no_ticket_is_settled_once_and_its_sender_told(
    county: httpx.AsyncClient, line: Line
) -> None:
    await line.push(picture(line))
    (seen,) = await waiting(county)
    at = f"{MESSAGES}/{seen['id']}/settle"
    answer = await county.post(at, json={"text": "照片里是哪条路？请写给我们"})
    assert (answer.status_code, answer.json()["settled"]["by"]["username"]) == (200, COUNTY)
    assert answer.json()["id"] == seen["id"]
    assert (await county.post(at, json={})).status_code == 409
    assert await waiting(county) == []
    assert [one["id"] for one in await waiting(county, state="settled")] == [seen["id"]]
    assert "发来的消息：照片里是哪条路？请写给我们" in await line.say("谢谢")


async def test_settled_without_a_word_nothing_is_told(county: httpx.AsyncClient, line: Line) -> None:
    await line.push(picture(line))
    (seen,) = await waiting(county)
    assert (await county.post(f"{MESSAGES}/{seen['id']}/settle", json={})).status_code == 200
    assert "发来的消息" not in await line.say("谢谢")


async def test_a_settled_one_can_still_become_a_ticket(county: httpx.AsyncClient, line: Line) -> None:
    await line.push(picture(line))
    (seen,) = await waiting(county)
    await county.post(f"{MESSAGES}/{seen['id']}/settle", json={})
    answer = await county.post(f"{MESSAGES}/{seen['id']}/ticket", json={"description": "路灯坏了"})
    assert answer.status_code == 201
