"""The official samples, reproduced byte for byte, both ways."""

import dataclasses

import pytest

from app.domain.vocabulary import AccountMode
from app.wechat.crypto import Opened, Query, open_push, open_reply, seal_reply, sign, verify_url
from tests.wechat.samples import (
    COMPATIBLE_PUSH,
    OFFICIAL,
    PLAIN_BODY,
    PLAIN_PUSH,
    SAFE_PUSH,
    SEALED,
    VERIFICATION,
    Sealed,
    at,
    envelope,
)


def query_of_sample(sample: Sealed) -> Query:
    """Its query as sent; where WeCom sends no plain signature, the one that WeChat would."""
    stamp = str(sample.timestamp)
    signature = sample.signature or sign(sample.keys.token, stamp, sample.nonce)
    return Query(signature, stamp, sample.nonce, sample.msg_signature, "aes")


def test_the_verification_sample_is_answered_with_its_echostr_in_every_mode() -> None:
    signature, timestamp, nonce, echostr = VERIFICATION
    for mode in AccountMode:
        keys = dataclasses.replace(OFFICIAL, mode=mode)
        assert verify_url(keys, Query(signature, timestamp, nonce, echostr=echostr), at(int(timestamp))) == echostr


def test_the_plain_sample_passes_as_it_is() -> None:
    signature, timestamp, nonce = PLAIN_PUSH
    plain = dataclasses.replace(OFFICIAL, mode=AccountMode.PLAIN)
    opened = open_push(plain, Query(signature, timestamp, nonce), PLAIN_BODY, at(int(timestamp)))
    assert opened == Opened(PLAIN_BODY, None, False)


@pytest.mark.parametrize("sample", [SAFE_PUSH, COMPATIBLE_PUSH], ids=["safe", "compatible"])
def test_the_plain_signature_of_an_encrypted_sample_holds_too(sample: Sealed) -> None:
    assert sample.signature == sign(sample.keys.token, str(sample.timestamp), sample.nonce)


@pytest.mark.parametrize("name", sorted(SEALED))
def test_an_encrypted_sample_is_opened_byte_for_byte(name: str) -> None:
    sample = SEALED[name]
    opened = open_push(sample.keys, query_of_sample(sample), envelope(sample.encrypt), at(sample.timestamp))
    assert opened == Opened(sample.clear.encode(), sample.keys.encoding_aes_key, True)


@pytest.mark.parametrize("name", sorted(SEALED))
def test_an_encrypted_sample_is_sealed_byte_for_byte(name: str) -> None:
    sample = SEALED[name]
    opened = Opened(b"", sample.keys.encoding_aes_key, True)
    sealed = seal_reply(
        sample.keys,
        opened,
        sample.clear,
        timestamp=sample.timestamp,
        nonce=sample.nonce,
        random16=sample.random16,
    )
    assert sealed == (
        f"<xml><Encrypt><![CDATA[{sample.encrypt}]]></Encrypt><MsgSignature><![CDATA[{sample.msg_signature}]]>"
        f"</MsgSignature><TimeStamp>{sample.timestamp}</TimeStamp><Nonce><![CDATA[{sample.nonce}]]></Nonce></xml>"
    )
    assert open_reply(sample.keys, sealed.encode()) == sample.clear


def test_of_the_compatible_sample_only_the_encrypted_part_is_used() -> None:
    sample = COMPATIBLE_PUSH
    fields = sample.clear.removeprefix("<xml>").removesuffix("</xml>").replace("abcdteT", "another text")
    body = envelope(sample.encrypt, fields)
    opened = open_push(sample.keys, query_of_sample(sample), body, at(sample.timestamp))
    assert opened == Opened(sample.clear.encode(), sample.keys.encoding_aes_key, True)
