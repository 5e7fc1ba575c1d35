"""Who sent a push, and what it says: WeChat's signatures and AES envelopes, both ways (消息推送, 消息加解密说明).

On `cryptography` directly: wechatpy compares signatures by `!=`, takes an empty token, reads only the last byte of
the padding, fails in ten kinds of exception, and costs 22 MB to import for the 20 lines needed. The tests use it as a
peer.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.domain.vocabulary import AccountMode
from app.wechat.messages import BadPush, cdata, leaves

__all__ = [
    "BODY_LIMIT",
    "WINDOW_SECONDS",
    "BadPush",
    "Keys",
    "Opened",
    "Query",
    "check_query",
    "open_push",
    "open_reply",
    "query_of",
    "seal_push",
    "seal_reply",
    "sign",
    "verify_url",
    "well_formed_key",
]

BODY_LIMIT = 256 * 1024
"""Bytes of a push body; its reader enforces it. 9,000 characters in compatible mode are 64 KB, with emoji more."""

WINDOW_SECONDS = 600
_BLOCK = 32
_HEAD = 20  # 16 random bytes and the length
_PLAIN = (None, "", "raw")  # encrypt_type of a push in clear
_NEVER_SEALED = ("", "success")  # 被动回复用户消息: these two are sent as they are, in every mode
_TO_USER = re.compile(rb"<ToUserName>.*?</ToUserName>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Keys:
    """What one account shares with WeChat. `encoding_aes_key` may be empty in plain mode."""

    appid: str
    token: str = field(repr=False)
    encoding_aes_key: str = field(repr=False)
    previous_aes_key: str | None = field(repr=False)
    mode: AccountMode


@dataclass(frozen=True, slots=True)
class Query:
    """The query string of a push or a verification, as received and not yet believed."""

    signature: str
    timestamp: str
    nonce: str
    msg_signature: str | None = None
    encrypt_type: str | None = None
    echostr: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """An authentic push in clear (not yet read as XML). `key_used`: the EncodingAESKey that opened it."""

    xml: bytes = field(repr=False)
    key_used: str | None = field(repr=False)
    encrypted: bool


def query_of(params: Mapping[str, str]) -> Query:
    """The query from the parameters of a request; what is missing is empty, and will not pass the signature."""
    return Query(
        signature=params.get("signature", ""),
        timestamp=params.get("timestamp", ""),
        nonce=params.get("nonce", ""),
        msg_signature=params.get("msg_signature"),
        encrypt_type=params.get("encrypt_type"),
        echostr=params.get("echostr"),
    )


def well_formed_key(encoding_aes_key: str) -> bool:
    """Whether a text can be an EncodingAESKey: 43 characters of a-z, A-Z, 0-9 (消息推送)."""
    return re.fullmatch(r"[A-Za-z0-9]{43}", encoding_aes_key) is not None


def sign(token: str, *parts: str) -> str:
    """WeChat's signature: SHA-1 over the sorted and joined parts, 40 hexadecimal digits in lower case."""
    return hashlib.sha1(b"".join(sorted(map(_bytes, (token, *parts)))), usedforsecurity=False).hexdigest()


def _bytes(text: str) -> bytes:
    # A query string may have been decoded into lone surrogates; they are to fail the signature, not the encoding.
    return text.encode("utf-8", "surrogatepass")


def _signed(token: str, signature: str | None, *parts: str) -> bool:
    # An empty token would let anyone sign.
    return bool(token and signature) and hmac.compare_digest(_bytes(signature or ""), _bytes(sign(token, *parts)))


def check_query(keys: Keys, query: Query, now: datetime) -> None:
    """Passes a query that the token signed within 10 minutes of `now`, before or after; raises BadPush (forged).

    In plain mode, and for a body too large to read, this is all there is: it does not cover the body.
    """
    if not _signed(keys.token, query.signature, query.timestamp, query.nonce):
        raise BadPush("signature", "签名不符", forged=True)
    if not re.fullmatch(r"[0-9]{1,12}", query.timestamp):
        raise BadPush("stale", "时间戳不是秒数", forged=True)
    if abs(int(query.timestamp) - now.timestamp()) > WINDOW_SECONDS:
        raise BadPush("stale", "时间戳与本机时间相差超过 10 分钟", forged=True)


def verify_url(keys: Keys, query: Query, now: datetime) -> str:
    """The echostr to answer as text/plain, byte for byte; in clear in every mode. Raises BadPush (forged)."""
    check_query(keys, query, now)
    if query.echostr is None:
        raise BadPush("echostr", "验证请求缺少 echostr", forged=True)
    return query.echostr


def open_push(keys: Keys, query: Query, body: bytes, now: datetime) -> Opened:
    """The clear and authentic XML of a push; only the encrypted part counts where there is one. Raises BadPush.

    The query says how it was sent. A plain push is taken in plain mode alone: in the other two WeChat always encrypts,
    and one that comes in clear is a downgrade. An encrypted one is taken in plain mode too, for it proves more than is
    asked, and so the mode can be changed at WeChat first and here after, with no message lost.
    """
    check_query(keys, query, now)
    if query.encrypt_type in _PLAIN:
        if keys.mode is not AccountMode.PLAIN:
            raise BadPush("mode", "此公众号要求加密，收到的却是明文", forged=True)
        return Opened(body, None, False)
    if not query.msg_signature:
        raise BadPush("signature", "缺少消息签名", forged=True)
    encrypt = leaves(body).get("Encrypt")
    if encrypt is None:
        # Well-formed but with nothing that msg_signature covers: a plain push that calls itself encrypted.
        raise BadPush("mode", "消息没有密文", forged=True)
    if not _signed(keys.token, query.msg_signature, query.timestamp, query.nonce, encrypt):
        raise BadPush("signature", "消息签名不符", forged=True)
    xml, key = _decrypt(keys, encrypt)
    return Opened(xml, key, True)


def seal_reply(
    keys: Keys, opened: Opened, xml: str, *, timestamp: int, nonce: str, random16: bytes | None = None
) -> str:
    """The body that answers a push: sealed with the key that opened it, or in clear as it came.

    `timestamp` in seconds; `nonce` may repeat the request's; `random16` (16 bytes) is for reproducing samples only.
    """
    if opened.key_used is None or xml in _NEVER_SEALED:
        return xml
    encrypt = _encrypt(opened.key_used, keys.appid, xml.encode(), random16)
    signature = sign(keys.token, str(timestamp), nonce, encrypt)
    return (
        f"<xml><Encrypt>{cdata(encrypt)}</Encrypt><MsgSignature>{cdata(signature)}</MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
    )


def seal_push(keys: Keys, xml: str | bytes, timestamp: int, nonce: str, openid: str) -> tuple[dict[str, str], bytes]:
    """WeChat's side of `open_push`: the query parameters and body of a POST in the account's mode."""
    clear = xml.encode() if isinstance(xml, str) else xml
    stamp = str(timestamp)
    query = {"signature": sign(keys.token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "openid": openid}
    if keys.mode is AccountMode.PLAIN:
        return query, clear
    encrypt = _encrypt(keys.encoding_aes_key, keys.appid, clear)
    query |= {"encrypt_type": "aes", "msg_signature": sign(keys.token, stamp, nonce, encrypt)}
    sealed = f"<Encrypt>{cdata(encrypt)}</Encrypt></xml>".encode()
    if keys.mode is AccountMode.COMPATIBLE:
        fields, closing, _ = clear.rpartition(b"</xml>")
        return query, (fields if closing else b"<xml>") + sealed
    to_user = _TO_USER.search(clear)
    return query, b"<xml>" + (to_user[0] if to_user else b"") + sealed


def open_reply(keys: Keys, body: bytes) -> str:
    """WeChat's side of `seal_reply`: the reply in clear, or `success`, or nothing. Raises BadPush for any other answer.

    Safe mode wants it sealed, plain mode in clear, compatible mode takes either; the TimeStamp is not looked at.
    """
    if body in (b"", b"success"):
        return body.decode()
    fields = leaves(body)
    encrypt = fields.get("Encrypt")
    refused = AccountMode.SAFE if encrypt is None else AccountMode.PLAIN
    if keys.mode is refused:
        raise BadPush("mode", "回复的加密方式与公众号的模式不符", forged=True)
    if encrypt is None:
        return body.decode()
    parts = fields.get("TimeStamp", ""), fields.get("Nonce", ""), encrypt
    if not _signed(keys.token, fields.get("MsgSignature"), *parts):
        raise BadPush("signature", "回复的签名不符", forged=True)
    try:
        return _decrypt(keys, encrypt)[0].decode()
    except UnicodeDecodeError as error:
        raise BadPush("xml", "回复不是 UTF-8 编码", forged=False) from error


def _encrypt(encoding_aes_key: str, appid: str, clear: bytes, random16: bytes | None = None) -> str:
    random = secrets.token_bytes(16) if random16 is None else random16
    if len(random) != 16:
        raise ValueError("random16 must be 16 bytes")
    framed = b"".join((random, len(clear).to_bytes(4, "big"), clear, appid.encode()))
    pad = _BLOCK - len(framed) % _BLOCK
    encryptor = _cipher(encoding_aes_key).encryptor()
    return base64.b64encode(encryptor.update(framed + bytes([pad]) * pad) + encryptor.finalize()).decode()


def _decrypt(keys: Keys, encrypt: str) -> tuple[bytes, str]:
    """The message and the key that opened it; for hours after a change WeChat may still use the previous one."""
    foreign = False
    for key in (keys.encoding_aes_key, keys.previous_aes_key):
        if key is None or not well_formed_key(key):
            continue
        framed = _unpadded(key, encrypt)
        size = int.from_bytes(framed[16:_HEAD], "big")
        if len(framed) < _HEAD + size:
            continue
        if hmac.compare_digest(framed[_HEAD + size :], _bytes(keys.appid)):
            return framed[_HEAD : _HEAD + size], key
        foreign = True
    if foreign:
        raise BadPush("appid", "密文属于另一个公众号", forged=True)
    raise BadPush("crypto", "密文无法解开，请核对 EncodingAESKey", forged=False)


def _unpadded(encoding_aes_key: str, encrypt: str) -> bytes:
    """The decrypted bytes without their padding; none where the text is not what the key encrypted."""
    try:
        decryptor = _cipher(encoding_aes_key).decryptor()
        padded = decryptor.update(base64.b64decode(encrypt, validate=True)) + decryptor.finalize()
    except ValueError:
        return b""
    # 消息推送: PKCS#7 to blocks of 32. The signature has been checked, so there is no padding oracle in saying no.
    pad = padded[-1] if padded else 0
    if len(padded) % _BLOCK or not 1 <= pad <= _BLOCK or padded[-pad:] != bytes([pad]) * pad:
        return b""
    return padded[:-pad]


def _cipher(encoding_aes_key: str) -> Cipher[modes.CBC]:
    if not well_formed_key(encoding_aes_key):
        raise BadPush("key", "EncodingAESKey 应为 43 位字母或数字", forged=False)
    key = base64.b64decode(encoding_aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
