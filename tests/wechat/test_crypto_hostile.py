"""Envelopes as only a holder of the token could send them: each is opened rightly or is a BadPush, and nothing else."""

import base64
import secrets
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from app.domain.vocabulary import AccountMode
from app.wechat.crypto import BadPush, Keys, Query, open_push, sign

STAMP = 1_714_112_445
NOW = datetime.fromtimestamp(STAMP, UTC)
KEY = "k3" * 21 + "7"
SAFE = Keys("wx1", "token", KEY, None, AccountMode.SAFE)
XML = "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Content><![CDATA[路灯坏了]]></Content></xml>"


def envelope(encrypt: str) -> bytes:
    return f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>".encode()


def signed(keys: Keys, encrypt: str, stamp: int = STAMP, nonce: str = "n") -> Query:
    """A query that WeChat's server might send with this Encrypt, its timestamp good at NOW."""
    return Query(
        sign(keys.token, str(stamp), nonce), str(stamp), nonce, sign(keys.token, str(stamp), nonce, encrypt), "aes"
    )


def refusal(query: Query, body: bytes) -> tuple[str, bool]:
    with pytest.raises(BadPush) as caught:
        open_push(SAFE, query, body, NOW)
    return caught.value.code, caught.value.forged


def sealed_bytes(padded: bytes, key: str = KEY) -> str:
    """AES without any framing of ours: for frames that our own sealing would never make."""
    raw = base64.b64decode(key + "=")
    encryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def frame(message: bytes, appid: bytes, size: int | None = None) -> bytes:
    return b"r" * 16 + (len(message) if size is None else size).to_bytes(4, "big") + message + appid


def padded(framed: bytes, block: int = 32) -> bytes:
    pad = block - len(framed) % block
    return framed + bytes([pad]) * pad


GOOD = frame(XML.encode(), b"wx1")
SHORT_OF_ONE = frame(b"x" * 8, b"wx1")  # 31 bytes
HOSTILE = [
    ("appid of another account", sealed_bytes(padded(frame(XML.encode(), b"wx2"))), ("appid", True)),
    ("appid that only begins like ours", sealed_bytes(padded(frame(XML.encode(), b"wx11"))), ("appid", True)),
    ("no appid", sealed_bytes(padded(frame(XML.encode(), b""))), ("appid", True)),
    ("appid that is not text", sealed_bytes(padded(frame(XML.encode(), b"\xff\xfe"))), ("appid", True)),
    ("length too small", sealed_bytes(padded(frame(XML.encode(), b"wx1", 3))), ("appid", True)),
    ("length too big", sealed_bytes(padded(frame(XML.encode(), b"wx1", 9_999))), ("crypto", False)),
    ("length 2**32 - 1", sealed_bytes(padded(frame(XML.encode(), b"wx1", 2**32 - 1))), ("crypto", False)),
    ("shorter than its head", sealed_bytes(padded(b"short")), ("crypto", False)),
    ("empty", "", ("crypto", False)),
    ("not base64", "!!!! 不是", ("crypto", False)),
    (
        "base64 with a line break",
        sealed_bytes(padded(GOOD))[:64] + "\n" + sealed_bytes(padded(GOOD))[64:],
        ("crypto", False),
    ),
    ("base64 cut short", sealed_bytes(padded(GOOD))[:-3], ("crypto", False)),
    ("a byte missing", base64.b64encode(b"x" * 31).decode(), ("crypto", False)),
    ("last block lost", sealed_bytes(padded(GOOD)[:-32]), ("crypto", False)),
    ("half a last block", sealed_bytes(padded(GOOD)[:-16]), ("crypto", False)),
    ("random bytes", base64.b64encode(secrets.token_bytes(320)).decode(), ("crypto", False)),
    ("pad byte 0", sealed_bytes(padded(GOOD)[:-1] + b"\x00"), ("crypto", False)),
    ("pad byte 33", sealed_bytes(SHORT_OF_ONE + b"\x21" * 33), ("crypto", False)),
    ("pad byte 255", sealed_bytes(padded(GOOD)[:-1] + b"\xff"), ("crypto", False)),
    ("pad bytes inconsistent", sealed_bytes(frame(b"x" * 7, b"wx1") + b"\x01\x02"), ("crypto", False)),
    ("padded to 16", sealed_bytes(padded(frame(b"x" * 9, b"wx1"), 16)), ("crypto", False)),
]


@pytest.mark.parametrize(("encrypt", "expected"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_hostile_ciphertext_with_a_good_signature(encrypt: str, expected: tuple[str, bool]) -> None:
    assert refusal(signed(SAFE, encrypt), envelope(encrypt)) == expected


def test_the_frame_that_the_hostile_ones_deviate_from_is_opened() -> None:
    encrypt = sealed_bytes(padded(GOOD))
    assert open_push(SAFE, signed(SAFE, encrypt), envelope(encrypt), NOW).xml == XML.encode()


def test_padding_of_a_whole_block_is_opened() -> None:
    clear = b"x" * (32 * 3 - 20 - len("wx1"))
    encrypt = sealed_bytes(padded(frame(clear, b"wx1")))
    assert len(base64.b64decode(encrypt)) == 32 * 4
    assert open_push(SAFE, signed(SAFE, encrypt), envelope(encrypt), NOW).xml == clear


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"\xff\xfe",
        b"<xml><Encrypt>",
        b"<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>",
        b"<xml><Encrypt><a/></Encrypt></xml>",
        b"<!DOCTYPE xml><xml><Encrypt>a</Encrypt></xml>",
        b'{"Encrypt":"a"}',
        b"<html><Encrypt>a</Encrypt></html>",
        b"<a>" * 100_000,
    ],
    ids=lambda body: ascii(body)[:40],
)
def test_envelope_that_cannot_be_read_is_kept(body: bytes) -> None:
    assert refusal(signed(SAFE, "a"), body) == ("xml", False)


@given(body=st.binary(max_size=300), encrypt=st.text(max_size=60) | st.binary(max_size=96).map(base64.b64encode))
def test_no_signed_rubbish_raises_anything_but_bad_push(body: bytes, encrypt: str | bytes) -> None:
    text = encrypt if isinstance(encrypt, str) else encrypt.decode()
    for rubbish in (body, envelope(text.replace("]]>", ""))):
        with pytest.raises(BadPush):
            open_push(SAFE, signed(SAFE, text), rubbish, NOW)
