"""Signatures and envelopes: wechatpy as an independent peer, forgeries, modes, keys and answers."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto

from app.domain.vocabulary import AccountMode
from app.wechat.crypto import (
    BadPush,
    Keys,
    Opened,
    Query,
    check_query,
    open_push,
    open_reply,
    query_of,
    seal_push,
    seal_reply,
    sign,
    verify_url,
    well_formed_key,
)

STAMP = 1_714_112_445
NOW = datetime.fromtimestamp(STAMP, UTC)
KEY, OLD_KEY = "k3" * 21 + "7", "Q9" * 21 + "b"
SAFE = Keys("wx1", "token", KEY, None, AccountMode.SAFE)
PLAIN = dataclasses.replace(SAFE, mode=AccountMode.PLAIN)
COMPATIBLE = dataclasses.replace(SAFE, mode=AccountMode.COMPATIBLE)
XML = "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Content><![CDATA[路灯坏了]]></Content></xml>"


def signed(keys: Keys, encrypt: str, stamp: int = STAMP, nonce: str = "n") -> Query:
    """A query that WeChat's server might send with this Encrypt, its timestamp good at NOW."""
    return Query(
        sign(keys.token, str(stamp), nonce), str(stamp), nonce, sign(keys.token, str(stamp), nonce, encrypt), "aes"
    )


def brief(value: object) -> str:
    """The id of a test whose parameter may be endless."""
    return ascii(value)[:20]


def refusal(keys: Keys, query: Query, body: bytes, now: datetime = NOW) -> tuple[str, bool]:
    with pytest.raises(BadPush) as caught:
        open_push(keys, query, body, now)
    return caught.value.code, caught.value.forged


# Round trips

xml_texts = st.text(max_size=400) | st.sampled_from(
    ["", "  两端空白\t ", "]]>", "👨‍👩‍👧‍👦🇨🇳", "字" * 9_000, "😀" * 9_000, "\x00\x1d"]
)
keys_of_43 = st.text("abcXYZ019", min_size=43, max_size=43)
tokens = st.text("tokenT0", min_size=3, max_size=32)


@given(clear=xml_texts, key=keys_of_43, token=tokens, mode=st.sampled_from(AccountMode))
def test_what_is_pushed_is_opened_and_what_is_sealed_is_read(
    clear: str, key: str, token: str, mode: AccountMode
) -> None:
    keys = Keys("wx1", token, key, None, mode)
    document = f"<xml><ToUserName>gh_1</ToUserName><Content><![CDATA[{clear.replace(']]>', '')}]]></Content></xml>"
    query, body = seal_push(keys, document, STAMP, "n", "o1")
    opened = open_push(keys, query_of(query), body, NOW)
    assert opened.xml == document.encode()
    assert opened.encrypted is (mode is not AccountMode.PLAIN)
    answer = document.replace("\x00", "").replace("\r", "")
    assert open_reply(keys, seal_reply(keys, opened, answer, timestamp=STAMP, nonce="n").encode()) == answer


@given(clear=xml_texts, key=keys_of_43, token=tokens)
def test_wechatpy_opens_what_we_seal_and_we_open_what_it_seals(clear: str, key: str, token: str) -> None:
    keys, peer = Keys("wx1", token, key, None, AccountMode.SAFE), WeChatCrypto(token, key, "wx1")
    query, body = seal_push(keys, clear, STAMP, "n", "o1")
    assert peer.decrypt_message(body, query["msg_signature"], str(STAMP), "n") == clear
    theirs = peer.encrypt_message(clear, "n", str(STAMP))
    assert open_reply(keys, theirs.encode()) == clear
    encrypt = theirs.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    assert open_push(keys, signed(keys, encrypt), theirs.encode(), NOW).xml == clear.encode()


def test_no_two_envelopes_of_one_text_are_alike() -> None:
    assert seal_push(SAFE, XML, STAMP, "n", "o1")[1] != seal_push(SAFE, XML, STAMP, "n", "o1")[1]


def test_compatible_push_carries_the_plain_fields_and_the_encrypted_part() -> None:
    _, body = seal_push(COMPATIBLE, XML, STAMP, "n", "o1")
    assert body.startswith(XML.removesuffix("</xml>").encode() + b"<Encrypt><![CDATA[")


def test_safe_push_carries_the_receiver_and_nothing_else_in_clear() -> None:
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    assert body.startswith(b"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt>")
    assert "路灯".encode() not in body
    assert query["openid"] == "o1"
    assert query["encrypt_type"] == "aes"


# Who sent it


@pytest.mark.parametrize("keys", [PLAIN, COMPATIBLE, SAFE])
@pytest.mark.parametrize("signature", ["", "0" * 40, "签名", "\ud800", "0" * 100_000], ids=brief)
def test_wrong_or_missing_signature_is_forged_before_the_body_is_looked_at(keys: Keys, signature: str) -> None:
    query, _ = seal_push(keys, XML, STAMP, "n", "o1")
    forged = query_of(query | {"signature": signature})
    assert refusal(keys, forged, b"\xff not even text") == ("signature", True)


@pytest.mark.parametrize("name", ["signature", "timestamp", "nonce", "msg_signature"])
def test_each_missing_parameter_is_a_forgery(name: str) -> None:
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    del query[name]
    assert refusal(SAFE, query_of(query), body) == ("signature", True)


def test_upper_case_signature_is_not_the_signature() -> None:
    query, body = seal_push(PLAIN, XML, STAMP, "n", "o1")
    assert refusal(PLAIN, query_of(query | {"signature": query["signature"].upper()}), body) == ("signature", True)


def test_empty_token_signs_nothing() -> None:
    keys = dataclasses.replace(PLAIN, token="")
    query, body = seal_push(keys, XML, STAMP, "n", "o1")
    assert refusal(keys, query_of(query), body) == ("signature", True)


def test_wrong_msg_signature_is_forged_even_where_the_signature_holds() -> None:
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    assert refusal(SAFE, query_of(query | {"msg_signature": query["signature"]}), body) == ("signature", True)


def test_body_tampered_with_anywhere_in_its_encrypted_part_is_forged() -> None:
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    start, end = body.index(b"<![CDATA[", body.index(b"<Encrypt>")) + 9, body.rindex(b"]]>")
    for index in range(start, end):
        changed = body[:index] + (b"A" if body[index : index + 1] != b"A" else b"B") + body[index + 1 :]
        assert refusal(SAFE, query_of(query), changed) == ("signature", True)


def test_plain_fields_of_a_compatible_push_are_never_used() -> None:
    query, body = seal_push(COMPATIBLE, XML, STAMP, "n", "o1")
    altered = body.replace("路灯坏了".encode(), "改过了".encode(), 1)
    assert altered != body
    assert open_push(COMPATIBLE, query_of(query), altered, NOW).xml == XML.encode()


@pytest.mark.parametrize("offset", [-601, 601, -86_400, 86_400])
@pytest.mark.parametrize("keys", [PLAIN, SAFE])
def test_timestamp_over_ten_minutes_off_is_stale(keys: Keys, offset: int) -> None:
    query, body = seal_push(keys, XML, STAMP, "n", "o1")
    assert refusal(keys, query_of(query), body, NOW + timedelta(seconds=offset)) == ("stale", True)


@pytest.mark.parametrize("offset", [-600, 0, 600])
def test_timestamp_within_ten_minutes_is_fresh(offset: int) -> None:
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    assert open_push(SAFE, query_of(query), body, NOW + timedelta(seconds=offset)).xml == XML.encode()


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1.7e9", "٣٣", "9" * 5_000, "1714112445 "], ids=brief)
def test_signed_timestamp_that_is_no_number_is_stale(stamp: str) -> None:
    query = Query(sign(PLAIN.token, stamp, "n"), stamp, "n")
    assert refusal(PLAIN, query, b"<xml/>") == ("stale", True)


def test_stale_and_unsigned_verifications_are_forged() -> None:
    good = Query(sign("token", str(STAMP), "n"), str(STAMP), "n", echostr="42")
    assert verify_url(SAFE, good, NOW) == "42"
    for query, now, code in (
        (good, NOW + timedelta(minutes=11), "stale"),
        (dataclasses.replace(good, nonce="m"), NOW, "signature"),
        (dataclasses.replace(good, echostr=None), NOW, "echostr"),
    ):
        with pytest.raises(BadPush) as caught:
            verify_url(SAFE, query, now)
        assert (caught.value.code, caught.value.forged) == (code, True)


def test_query_alone_can_be_checked_for_a_body_too_large_to_read() -> None:
    query, _ = seal_push(SAFE, XML, STAMP, "n", "o1")
    check_query(SAFE, query_of(query), NOW)
    with pytest.raises(BadPush, match="签名"):
        check_query(SAFE, query_of(query | {"nonce": "m"}), NOW)


# Which mode


@pytest.mark.parametrize("keys", [SAFE, COMPATIBLE])
@pytest.mark.parametrize("encrypt_type", [None, "", "raw"])
def test_plain_push_to_an_account_that_encrypts_is_a_downgrade(keys: Keys, encrypt_type: str | None) -> None:
    query, body = seal_push(PLAIN, XML, STAMP, "n", "o1")
    downgraded = dataclasses.replace(query_of(query), encrypt_type=encrypt_type)
    assert refusal(keys, downgraded, body) == ("mode", True)


@pytest.mark.parametrize("keys", [PLAIN, SAFE, COMPATIBLE])
def test_push_that_only_calls_itself_encrypted_is_a_downgrade(keys: Keys) -> None:
    assert refusal(keys, signed(keys, ""), XML.encode()) == ("mode", True)


def test_stripping_the_encrypted_part_of_a_compatible_push_gains_nothing() -> None:
    query, _ = seal_push(COMPATIBLE, XML, STAMP, "n", "o1")
    assert refusal(COMPATIBLE, query_of(query), XML.encode()) == ("mode", True)


def test_account_in_plain_mode_takes_an_encrypted_push_and_answers_it_encrypted() -> None:
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    opened = open_push(PLAIN, query_of(query), body, NOW)
    assert opened == Opened(XML.encode(), KEY, True)
    assert open_reply(SAFE, seal_reply(PLAIN, opened, XML, timestamp=STAMP, nonce="n").encode()) == XML


def test_account_in_plain_mode_without_a_key_keeps_an_encrypted_push() -> None:
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    keyless = dataclasses.replace(PLAIN, encoding_aes_key="")
    assert refusal(keyless, query_of(query), body) == ("crypto", False)


# Which key


def test_push_under_the_previous_key_is_opened_and_answered_under_it() -> None:
    before = dataclasses.replace(SAFE, encoding_aes_key=OLD_KEY)
    after = dataclasses.replace(SAFE, previous_aes_key=OLD_KEY)
    query, body = seal_push(before, XML, STAMP, "n", "o1")
    opened = open_push(after, query_of(query), body, NOW)
    assert opened == Opened(XML.encode(), OLD_KEY, True)
    assert open_reply(before, seal_reply(after, opened, XML, timestamp=STAMP, nonce="n").encode()) == XML


def test_push_under_the_present_key_is_answered_under_it_though_there_is_a_previous_one() -> None:
    both = dataclasses.replace(SAFE, previous_aes_key=OLD_KEY)
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    assert open_push(both, query_of(query), body, NOW).key_used == KEY


def test_push_under_an_unknown_key_is_kept() -> None:
    stranger = dataclasses.replace(SAFE, encoding_aes_key="Z" * 43)
    query, body = seal_push(stranger, XML, STAMP, "n", "o1")
    assert refusal(dataclasses.replace(SAFE, previous_aes_key=OLD_KEY), query_of(query), body) == ("crypto", False)


@pytest.mark.parametrize("key", ["", "k" * 42, "k" * 44, "k" * 42 + "+", "k" * 42 + "=", "k" * 42 + "键", KEY + "\n"])
def test_malformed_key_opens_and_seals_nothing(key: str) -> None:
    assert not well_formed_key(key)
    broken = dataclasses.replace(SAFE, encoding_aes_key=key)
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    assert refusal(broken, query_of(query), body) == ("crypto", False)
    for seal in (
        lambda: seal_push(broken, XML, STAMP, "n", "o1"),
        lambda: seal_reply(broken, Opened(b"", key, True), XML, timestamp=STAMP, nonce="n"),
    ):
        with pytest.raises(BadPush, match="43 位"):
            seal()


def test_malformed_present_key_does_not_hide_a_good_previous_one() -> None:
    query, body = seal_push(SAFE, XML, STAMP, "n", "o1")
    keys = dataclasses.replace(SAFE, encoding_aes_key="short", previous_aes_key=KEY)
    assert open_push(keys, query_of(query), body, NOW).key_used == KEY


# Answers


@pytest.mark.parametrize("answer", ["", "success"])
def test_success_and_nothing_are_never_sealed(answer: str) -> None:
    assert seal_reply(SAFE, Opened(b"", KEY, True), answer, timestamp=STAMP, nonce="n") == answer
    assert open_reply(SAFE, answer.encode()) == answer


def test_nonce_cannot_break_out_of_the_reply() -> None:
    sealed = seal_reply(SAFE, Opened(b"", KEY, True), XML, timestamp=STAMP, nonce="]]></Nonce><a>")
    assert open_reply(SAFE, sealed.encode()) == XML


def test_random_of_another_length_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        seal_reply(SAFE, Opened(b"", KEY, True), XML, timestamp=STAMP, nonce="n", random16=b"short")


def test_reply_in_the_wrong_mode_or_with_a_wrong_signature_is_refused_by_whoever_plays_wechat() -> None:
    sealed = seal_reply(SAFE, Opened(b"", KEY, True), XML, timestamp=STAMP, nonce="n").encode()
    assert open_reply(COMPATIBLE, sealed) == open_reply(COMPATIBLE, XML.encode()) == open_reply(PLAIN, XML.encode())
    for keys, body, code in (
        (SAFE, XML.encode(), "mode"),
        (PLAIN, sealed, "mode"),
        (SAFE, sealed.replace(b"<TimeStamp>1", b"<TimeStamp>2"), "signature"),
        (SAFE, json.dumps({"status": 500}).encode(), "xml"),
        (dataclasses.replace(SAFE, appid="wx2"), sealed, "appid"),
    ):
        with pytest.raises(BadPush) as caught:
            open_reply(keys, body)
        assert caught.value.code == code


def test_neither_keys_nor_messages_show_in_what_might_be_logged() -> None:
    query, body = seal_push(dataclasses.replace(SAFE, previous_aes_key=OLD_KEY), XML, STAMP, "n", "o1")
    shown = repr(SAFE) + repr(dataclasses.replace(SAFE, previous_aes_key=OLD_KEY))
    shown += repr(open_push(SAFE, query_of(query), body, NOW))
    assert KEY not in shown
    assert OLD_KEY not in shown
    assert "'token'" not in shown
    assert "路灯" not in shown
