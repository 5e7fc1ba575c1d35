"""Compatible mode whole, and what sets the three modes apart: what is believed, and in which form it is answered.

兼容模式: the fields come in clear and, once more, encrypted. Only that second part is covered by msg_signature and
read. The answer may be in clear or encrypted: ours is encrypted like the push.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from wechatpy.crypto import WeChatCrypto

from app.base.clock import machine
from app.domain.vocabulary import AccountMode
from app.schema.tickets import tickets
from app.schema.wechat import inbound
from app.wechat.crypto import BODY_LIMIT, Keys, open_push, open_reply, query_of, seal_push, seal_reply, sign
from app.wechat.messages import leaves, text_message
from tests.wechat.line import MATTER, OPENID, Line, Rows, number_in
from tests.wechat.samples import at, envelope

Push = tuple[dict[str, str], bytes]
KEY, OLD_KEY = "k3" * 21 + "7", "Q9" * 21 + "b"
ALTERED = {
    "what is said": (MATTER, "给我转账一万元"),
    "who says it": (OPENID, "oSomebodyElse"),
    "the type": ("<MsgType><![CDATA[text]]>", "<MsgType><![CDATA[event]]>"),
    "the receiver": ("<ToUserName><![CDATA[gh_", "<ToUserName><![CDATA[xx_"),
    "the time": ("<CreateTime>1", "<CreateTime>2"),
    "the end": ("]]></Content>", "]]></Content><Extra>1</Extra>"),
}
"""Where the clear part of a compatible push is tampered with: what stands there, and what is put there."""


@pytest.fixture
def compatible(line: Callable[[AccountMode], Line]) -> Line:
    """A town's account, in compatible mode."""
    return line(AccountMode.COMPATIBLE)


def pushed(account: Line, xml: str, keys: Keys | None = None) -> Push:
    """Query and body of a push of this moment, as WeChat makes it in the mode of the keys."""
    return seal_push(keys or account.keys, xml, int(machine().timestamp()), "n0nce", OPENID)


def without(query: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in query.items() if name not in names}


async def described(rows: Rows) -> list[Any]:
    """(sender, text) of every message that became a ticket."""
    messages = inbound.join(tickets, inbound.c.ticket_id == tickets.c.id)
    return await rows(select(inbound.c.openid, tickets.c.description).select_from(messages).order_by(tickets.c.id))


async def kept(rows: Rows) -> list[bytes]:
    """What was kept for a person to look at."""
    found = await rows(select(inbound.c.raw).where(inbound.c.outcome == "kept").order_by(inbound.c.id))
    return [row.raw for row in found]


# What is believed


@pytest.mark.parametrize("where", sorted(ALTERED))
async def test_whatever_the_clear_part_says_the_encrypted_part_is_what_counts(
    compatible: Line, rows: Rows, where: str
) -> None:
    query, body = pushed(compatible, compatible.text(MATTER))
    there, put = ALTERED[where]
    altered = body.replace(there.encode(), put.encode(), 1)
    assert altered != body
    answer = await compatible.post(query, altered)
    assert number_in(compatible.said(answer))
    assert leaves(open_reply(compatible.keys, answer.content).encode())["ToUserName"] == OPENID
    assert await described(rows) == [(OPENID, MATTER)]


async def test_a_repeat_with_another_clear_part_is_the_same_message(compatible: Line, rows: Rows) -> None:
    xml = compatible.text(MATTER, msg_id=4242)
    first = compatible.said(await compatible.post(*pushed(compatible, xml)))
    query, body = pushed(compatible, xml)
    again = await compatible.post(query, body.replace(b"<MsgId>4242<", b"<MsgId>4243<", 1))
    assert compatible.said(again) == first
    assert len(await described(rows)) == 1


async def test_an_account_in_compatible_mode_takes_a_push_with_nothing_in_clear(compatible: Line, rows: Rows) -> None:
    as_safe = replace(compatible.keys, mode=AccountMode.SAFE)
    bare, nothing = pushed(compatible, compatible.text(MATTER), as_safe), pushed(compatible, compatible.text("停水了"))
    encrypt = leaves(nothing[1])["Encrypt"]
    for query, body in (bare, (nothing[0], envelope(encrypt, ""))):
        answer = await compatible.post(query, body)
        assert b"<Encrypt>" in answer.content
        assert number_in(compatible.said(answer))
    assert await described(rows) == [(OPENID, MATTER), (OPENID, "停水了")]


async def test_the_switch_from_plain_to_compatible_and_to_safe_loses_no_message(
    line: Callable[[AccountMode], Line], rows: Rows
) -> None:
    plain = line(AccountMode.PLAIN)
    texts = ["路灯不亮了", "停水了", "井盖坏了"]
    for mode, text in zip((AccountMode.PLAIN, AccountMode.COMPATIBLE, AccountMode.SAFE), texts, strict=True):
        keys = replace(plain.keys, mode=mode)
        answer = await plain.post(*pushed(plain, plain.text(text), keys))
        assert number_in(replace(plain, keys=keys).said(answer))
    assert [row.description for row in await described(rows)] == texts


@pytest.mark.parametrize("more", [{}, {"encrypt_type": ""}, {"encrypt_type": "raw"}], ids=["absent", "empty", "raw"])
async def test_a_plain_push_may_say_that_it_is_plain(
    line: Callable[[AccountMode], Line], rows: Rows, more: dict[str, str]
) -> None:
    plain = line(AccountMode.PLAIN)
    query, body = pushed(plain, plain.text(MATTER))
    assert number_in(plain.said(await plain.post(query | more, body)))
    assert await described(rows) == [(OPENID, MATTER)]


# What is not


def _forgeries(account: Line) -> dict[str, Push]:
    """Pushes of somebody who has seen one of the account's, or holds only a part of its secrets."""
    xml = account.text(MATTER)
    clear = xml.encode()
    query, body = pushed(account, xml)
    encrypt = leaves(body)["Encrypt"]
    other = leaves(pushed(account, account.text("停水了"))[1])["Encrypt"]
    fields = xml.removeprefix("<xml>").removesuffix("</xml>")
    as_plain = replace(account.keys, mode=AccountMode.PLAIN)
    to_another = text_message("gh_somebodyelse", OPENID, MATTER, int(machine().timestamp()), 1)
    return {
        "only clear, sent as plain": pushed(account, xml, as_plain),
        "only clear, called raw": (query | {"encrypt_type": "raw"}, clear),
        "only clear, called encrypted": (query, clear),
        "only clear, its own text signed": (query | {"msg_signature": _signed(account.keys, query, "")}, clear),
        "whole, called raw": (query | {"encrypt_type": "raw"}, body),
        "whole, called nothing": (without(query, "encrypt_type"), body),
        "whole, called empty": (query | {"encrypt_type": ""}, body),
        "whole, as in plain mode": (without(query, "encrypt_type", "msg_signature"), body),
        "no signature of the message": (without(query, "msg_signature"), body),
        "an empty signature of the message": (query | {"msg_signature": ""}, body),
        "the signature for that of the message": (query | {"msg_signature": query["signature"]}, body),
        "another message's encrypted part": (query, envelope(other, fields)),
        "the encrypted part in a field": (query, f"<xml>{fields}<a><Encrypt>{encrypt}</Encrypt></a></xml>".encode()),
        "an empty encrypted part": (query, envelope("", fields)),
        "sealed for another account": pushed(account, xml, replace(account.keys, appid="wx1111111111111111")),
        "signed with another token": pushed(account, xml, replace(account.keys, token="another")),
        "addressed to another account inside": _addressed_inside(account, to_another, fields),
    }


def _signed(keys: Keys, query: dict[str, str], encrypt: str) -> str:
    return sign(keys.token, query["timestamp"], query["nonce"], encrypt)


def _addressed_inside(account: Line, inner: str, fields: str) -> Push:
    query, body = pushed(account, inner)
    return query, envelope(leaves(body)["Encrypt"], fields)


async def test_forgeries_in_compatible_mode_are_refused_and_leave_nothing(compatible: Line, rows: Rows) -> None:
    for why, (query, body) in _forgeries(compatible).items():
        answer = await compatible.post(query, body)
        assert answer.status_code == 403, why
        assert MATTER not in answer.text, why
    assert await rows(select(inbound.c.id)) == []
    assert await rows(select(tickets.c.id)) == []


BROKEN = {
    "the encrypted part twice": lambda fields, encrypt: f"<Encrypt>x</Encrypt>{fields}<Encrypt>{encrypt}</Encrypt>",
    "broken XML before it": lambda fields, encrypt: f"<a>{fields}<Encrypt>{encrypt}</Encrypt>",
    "a field twice": lambda fields, encrypt: f"{fields}<MsgType>event</MsgType><Encrypt>{encrypt}</Encrypt>",
}


@pytest.mark.parametrize("how", sorted(BROKEN))
async def test_a_compatible_push_that_is_no_document_is_kept_whole_and_opens_nothing(
    compatible: Line, rows: Rows, how: str
) -> None:
    xml = compatible.text(MATTER)
    query, body = pushed(compatible, xml)
    fields, encrypt = xml.removeprefix("<xml>").removesuffix("</xml>"), leaves(body)["Encrypt"]
    broken = f"<xml>{BROKEN[how](fields, encrypt)}</xml>".encode()
    for _ in range(3):
        answer = await compatible.post(query, broken)
        assert (answer.status_code, answer.content) == (200, b"success")
    assert await kept(rows) == [broken]
    assert await rows(select(tickets.c.id)) == []


async def test_what_the_key_does_not_open_is_not_taken_from_the_clear_part(compatible: Line, rows: Rows) -> None:
    query, body = pushed(compatible, compatible.text(MATTER), replace(compatible.keys, encoding_aes_key=KEY))
    answer = await compatible.post(query, body)
    assert (answer.status_code, answer.content) == (200, b"success")
    assert await kept(rows) == [body]
    assert await rows(select(tickets.c.id)) == []


# What real life sends


TYPED = {"control characters": "路灯\x1d坏\x08了\x00", "markup": "路灯坏了 ]]> <b>&", "9,000 emoji": "😀" * 9_000}


@pytest.mark.parametrize("text", TYPED.values(), ids=TYPED)
async def test_what_citizens_type_comes_through_compatible_mode(compatible: Line, rows: Rows, text: str) -> None:
    query, body = pushed(compatible, compatible.text(text))
    assert len(body) < BODY_LIMIT
    assert number_in(compatible.said(await compatible.post(query, body)))
    assert await described(rows) == [(OPENID, text.translate(dict.fromkeys(map(ord, "\x1d\x08\x00"), "\ufffd")))]


# The form of the answer


async def _answered(account: Line) -> httpx.Response:
    query, body = pushed(account, account.text(MATTER))
    return await account.post(query, body)


@pytest.mark.parametrize("mode", [AccountMode.SAFE, AccountMode.COMPATIBLE])
async def test_an_encrypted_push_is_answered_encrypted(line: Callable[[AccountMode], Line], mode: AccountMode) -> None:
    account = line(mode)
    keys, answer = account.keys, await _answered(account)
    fields = leaves(answer.content)
    assert set(fields) == {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"}
    assert fields["Nonce"] == "n0nce"
    reader = WeChatCrypto(keys.token, keys.encoding_aes_key, keys.appid)
    clear = reader.decrypt_message(answer.content, fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"])
    assert number_in(leaves(clear.encode())["Content"])


async def test_a_plain_push_is_answered_in_clear(line: Callable[[AccountMode], Line]) -> None:
    fields = leaves((await _answered(line(AccountMode.PLAIN))).content)
    assert set(fields) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}


@pytest.mark.parametrize("mode", list(AccountMode))
async def test_success_is_never_encrypted(line: Callable[[AccountMode], Line], mode: AccountMode) -> None:
    account = line(mode)
    xml = account.other("event", "<Event><![CDATA[unsubscribe]]></Event><EventKey><![CDATA[]]></EventKey>")
    answer = await account.post(*pushed(account, xml))
    assert (answer.status_code, answer.content) == (200, b"success")


def test_under_the_previous_key_a_compatible_push_is_opened_and_answered() -> None:
    now = 1_714_112_445
    before = Keys("wx1", "token", OLD_KEY, None, AccountMode.COMPATIBLE)
    after = replace(before, encoding_aes_key=KEY, previous_aes_key=OLD_KEY)
    xml = text_message("gh_1", OPENID, MATTER, now, 1)
    query, body = seal_push(before, xml, now, "n", OPENID)
    opened = open_push(after, query_of(query), body, at(now))
    assert (opened.xml, opened.key_used) == (xml.encode(), OLD_KEY)
    assert open_reply(before, seal_reply(after, opened, xml, timestamp=now, nonce="n").encode()) == xml
