"""The webhook as WeChat sees it: three modes, repeats, and whatever can be wrong with a push."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from app.base.clock import Clock, machine
from app.base.db import Database
from app.domain import replies
from app.domain.vocabulary import AccountMode
from app.schema.tickets import tickets
from app.schema.wechat import inbound
from app.wechat import routes
from app.wechat.crypto import BODY_LIMIT, Keys, seal_push, sign
from app.wechat.messages import cdata, leaves, text_message
from tests.wechat.line import MATTER, OPENID, Line, Logged, Rows

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><xml><Content>&i;</Content></xml>"
)
UNREADABLE = {
    "nothing": b"",
    "no XML": b"hello",
    "broken XML": b"<xml><ToUserName>gh_1</ToUserName>",
    "an entity bomb": BOMB.encode(),
    "a DTD": b'<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml><MsgType>text</MsgType></xml>',
    "another encoding": "<xml><Content>井盖</Content></xml>".encode("gb18030"),
    "no sender": b"<xml><ToUserName>gh_1</ToUserName><CreateTime>1</CreateTime><MsgType>text</MsgType></xml>",
}


def verification(keys: Keys, *, age: int = 0) -> dict[str, str]:
    stamp = str(int(machine().timestamp()) - age)
    return {"signature": sign(keys.token, stamp, "n1"), "timestamp": stamp, "nonce": "n1", "echostr": "43751209483"}


async def stored(rows: Rows) -> list[Any]:
    """(outcome, problem, raw, reply) of every message."""
    i = inbound.c
    found: list[Any] = await rows(select(i.outcome, i.problem, i.raw, i.reply).order_by(i.id))
    return found


@pytest.mark.parametrize("mode", list(AccountMode))
async def test_verification_gives_the_echo_back(line: Callable[[AccountMode], Line], mode: AccountMode) -> None:
    account = line(mode)
    answer = await account.client.get(f"/wechat/{account.keys.appid}", params=verification(account.keys))
    assert (answer.status_code, answer.content) == (200, b"43751209483")
    assert answer.headers["content-type"].startswith("text/plain")


async def test_verification_of_a_stranger_is_refused(safe: Line) -> None:
    good = verification(safe.keys)
    for bad in (good | {"signature": "0" * 40}, good | {"nonce": "n2"}, verification(safe.keys, age=601), {}):
        answer = await safe.client.get(f"/wechat/{safe.keys.appid}", params=bad)
        assert answer.status_code == 403, bad
        assert "43751209483" not in answer.text


@pytest.mark.parametrize("mode", list(AccountMode))
async def test_a_text_becomes_a_ticket_answered_in_the_mode_it_came_in(
    line: Callable[[AccountMode], Line], rows: Rows, mode: AccountMode
) -> None:
    account = line(mode)
    response = await account.push(account.text(MATTER))
    assert response.headers["content-type"].startswith("application/xml")
    assert (b"<Encrypt>" in response.content) == (mode is not AccountMode.PLAIN)
    number = account.said(response).split("编号：")[1][:10]
    t = tickets.c
    assert await rows(select(t.number, t.description, t.channel)) == [(number, MATTER, "account")]


async def test_the_reply_goes_back_to_the_sender_at_the_machines_time(plain: Line, clock: Clock) -> None:
    fields = leaves((await plain.push(plain.text(MATTER, "oSender"))).content)
    assert (fields["ToUserName"], fields["FromUserName"], fields["MsgType"]) == ("oSender", plain.original_id, "text")
    assert (
        abs(int(fields["CreateTime"]) - machine().timestamp())
        < 60
        < abs(clock.business().timestamp() - machine().timestamp())
    )


async def test_a_sealed_reply_repeats_the_nonce_and_is_of_the_machines_time(safe: Line) -> None:
    query, body = seal_push(safe.keys, safe.text(MATTER), int(machine().timestamp()), "nonce-1", OPENID)
    fields = leaves((await safe.post(query, body)).content)
    assert fields["Nonce"] == "nonce-1"
    assert abs(int(fields["TimeStamp"]) - machine().timestamp()) < 60


async def test_an_account_of_nobody_is_not_found(safe: Line) -> None:
    foreign = replace(safe, keys=replace(safe.keys, appid="wx0000000000000000"))
    assert (await foreign.push(foreign.text(MATTER))).status_code == 404
    assert (await safe.client.get("/wechat/nobody", params=verification(safe.keys))).status_code == 404


def _forgeries(account: Line) -> dict[str, tuple[dict[str, str], bytes]]:
    now = int(machine().timestamp())
    keys, xml = account.keys, account.text(MATTER)
    query, body = seal_push(keys, xml, now, "n", OPENID)
    wrong = "0" * 40
    other_account = seal_push(replace(keys, appid="wx1111111111111111"), xml, now, "n", OPENID)
    as_plain = seal_push(replace(keys, mode=AccountMode.PLAIN), xml, now, "n", OPENID)
    to_another = text_message("gh_somebodyelse", OPENID, MATTER, now, 1)
    return {
        "wrong signature": (query | {"signature": wrong}, body),
        "wrong signature of the message": (query | {"msg_signature": wrong}, body),
        "no signature of the message": ({k: v for k, v in query.items() if k != "msg_signature"}, body),
        "another body under the signature": (query, seal_push(keys, xml, now, "m", OPENID)[1]),
        "no query": ({}, body),
        "too old": seal_push(keys, xml, now - 601, "n", OPENID),
        "from the future": seal_push(keys, xml, now + 660, "n", OPENID),
        "another token": seal_push(replace(keys, token=secrets.token_hex(8)), xml, now, "n", OPENID),
        "sealed for another account": other_account,
        "in clear, to an account in safe mode": as_plain,
        "addressed to another account": seal_push(keys, to_another, now, "n", OPENID),
    }


async def test_forged_pushes_are_refused_and_leave_nothing(safe: Line, rows: Rows) -> None:
    for why, (query, body) in _forgeries(safe).items():
        answer = await safe.post(query, body)
        assert answer.status_code == 403, why
        assert answer.json()["detail"], why
    assert await stored(rows) == []


async def test_a_push_of_ten_minutes_ago_is_taken(safe: Line) -> None:
    assert "编号" in safe.said(await safe.push(safe.text(MATTER), age=590))


@pytest.mark.parametrize("mode", [AccountMode.SAFE, AccountMode.PLAIN])
@pytest.mark.parametrize("what", sorted(UNREADABLE))
async def test_what_cannot_be_read_is_kept_once_and_answered_success(
    line: Callable[[AccountMode], Line], rows: Rows, mode: AccountMode, what: str
) -> None:
    account, body = line(mode), UNREADABLE[what]
    for _ in range(3):
        response = await account.push(body)
        assert (response.status_code, response.content) == (200, b"success")
    assert [(row.outcome, row.raw, row.reply) for row in await stored(rows)] == [("kept", body, None)]
    assert (await stored(rows))[0].problem


async def test_what_the_account_key_does_not_open_is_kept_and_answered_success(safe: Line, rows: Rows) -> None:
    foreign = replace(safe.keys, encoding_aes_key="B" * 42 + "A")
    query, body = seal_push(foreign, safe.text(MATTER), int(machine().timestamp()), "n", OPENID)
    assert (await safe.post(query, body)).content == b"success"
    assert [(row.outcome, row.raw) for row in await stored(rows)] == [("kept", body)]


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 5_000_000])
async def test_of_an_oversized_body_the_beginning_is_kept(plain: Line, rows: Rows, size: int) -> None:
    body = b"<xml>" + b"a" * (size - 5)
    assert (await plain.push(body)).content == b"success"
    ((outcome, problem, raw, _),) = await stored(rows)
    assert (outcome, problem, raw) == ("kept", "消息太长", body[: routes.KEPT_BYTES])


async def test_a_body_of_just_the_limit_is_read(plain: Line, rows: Rows) -> None:
    frame = plain.text("")
    xml = plain.text("井" * ((BODY_LIMIT - len(frame.encode())) // 3))
    assert BODY_LIMIT - 3 < len(xml.encode()) <= BODY_LIMIT
    assert "编号" in plain.said(await plain.push(xml))
    assert [row.outcome for row in await stored(rows)] == ["done"]


async def test_an_oversized_body_of_a_stranger_is_refused_unread(safe: Line, rows: Rows) -> None:
    async def endless() -> Any:
        yield b"<xml>"
        raise AssertionError("the body was read before the signature")

    answer = await safe.client.post(f"/wechat/{safe.keys.appid}", params={"signature": "0" * 40}, content=endless())
    assert answer.status_code == 403
    assert await stored(rows) == []


async def test_an_unknown_type_is_kept_and_answered_success(safe: Line, rows: Rows) -> None:
    xml = safe.other("hologram", "<MsgId>7</MsgId>")
    for _ in range(3):
        assert safe.said(await safe.push(xml)) == "success"
    assert [(row.outcome, row.raw) for row in await stored(rows)] == [("kept", xml.encode())]


@pytest.mark.parametrize("constraint", ["", "CONSTRAINT"], ids=["while the citizen is made", "at the commit"])
async def test_a_failure_of_the_whole_transaction_keeps_the_message_and_answers_politely(
    safe: Line,
    rows: Rows,
    database: Database,
    logged: Logged,
    constraint: str,
) -> None:
    deferred = "DEFERRABLE INITIALLY DEFERRED" if constraint else ""
    async with database.engine.begin() as conn:
        await conn.execute(
            text(
                "CREATE FUNCTION refuse_citizen() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN RAISE EXCEPTION 'no more citizens'; END$$"
            )
        )
        await conn.execute(
            text(
                f"CREATE {constraint} TRIGGER refuse AFTER INSERT ON citizen {deferred} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_citizen()"
            )
        )
    xml = safe.text(MATTER)
    try:
        assert safe.said(await safe.push(xml)) == replies.kept()
    finally:
        async with database.engine.begin() as conn:
            await conn.execute(text("DROP FUNCTION refuse_citizen() CASCADE"))
    assert [(row.outcome, row.raw, row.reply) for row in await stored(rows)] == [("kept", xml.encode(), replies.kept())]
    lines = logged()
    assert [entry["level"] for entry in lines] == ["error", "warning"]
    assert MATTER not in str(lines)
    assert safe.said(await safe.push(xml)) == replies.kept()
    assert await rows(select(tickets.c.id)) == []


async def test_a_repeat_that_is_sealed_anew_is_still_the_same_message(plain: Line, rows: Rows) -> None:
    xml = plain.text(MATTER)
    first = plain.said(await plain.push(xml, age=10))
    assert plain.said(await plain.push(xml)) == first
    assert len(await stored(rows)) == 1


async def test_no_personal_data_in_what_an_administrator_is_told(safe: Line, rows: Rows) -> None:
    secret = "张三丰家住榔梨"
    xml = f"<xml><ToUserName>{cdata(secret)}"
    await safe.push(xml)
    (row,) = await stored(rows)
    assert secret not in row.problem
    assert hashlib.sha256(xml.encode()).hexdigest() == hashlib.sha256(row.raw).hexdigest()
