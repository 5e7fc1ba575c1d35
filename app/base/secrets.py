"""Random secrets, and encryption at rest of what must be known again in clear: accounts' keys, phones, addresses."""

import hashlib
import hmac
import os
import re
import secrets as random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.settings import Settings

HOW_TO_MAKE_A_KEY = "可用 python3 -c 'import secrets; print(secrets.token_hex(32))' 生成"
_NO_KEY = "O2O_SECRET_KEY 至少 32 个字符，只有字母、数字和 + / = _ . -"


def token() -> str:
    """256 random bits, for sessions."""
    return random.token_urlsafe(32)


def digest(value: str) -> str:
    """What is stored of a token: a thief of the table can't use it."""
    return hashlib.sha256(value.encode()).hexdigest()


class Vault:
    """AES-256-GCM under the installation's O2O_SECRET_KEY.

    `place` (table, column, row) is bound into each value as associated data: a sealed value copied to another row
    does not open there.
    """

    def __init__(self, secret_key: str) -> None:
        if len(secret_key) < 32:
            raise ValueError(f"{_NO_KEY}；{HOW_TO_MAKE_A_KEY}")
        self._cipher = AESGCM(hashlib.sha256(secret_key.encode()).digest())
        # A key of its own (RFC 5869): what digests give away says nothing of what is sealed.
        self._digest_key = HKDF(SHA256(), 32, None, b"keyed digests").derive(secret_key.encode())

    def seal(self, value: str, place: str) -> str:
        nonce = random.token_bytes(12)
        return urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, value.encode(), place.encode())).decode()

    def open(self, sealed: str, place: str) -> str:
        """Raises ValueError where the key or the place is not the one it was sealed with."""
        raw = urlsafe_b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:12], raw[12:], place.encode()).decode()
        except InvalidTag as error:
            raise ValueError("密钥不符，无法解密（O2O_SECRET_KEY 是否换过？）") from error

    def digest(self, value: str, purpose: str) -> str:
        """Tells equal values without telling them: nobody without the key can try out what one is of.

        `purpose` (table and column) keeps digests of one value apart from another's.
        """
        return hmac.digest(self._digest_key, f"{purpose}\0{value}".encode(), "sha256").hex()


def secret_key(settings: Settings) -> str:
    """The key for Vault: O2O_SECRET_KEY, or of a demo a random one made once and kept in the data folder.

    Raises ValueError where production has none: a key that came by itself would be lost with the folder, and with it
    everything sealed. Likewise where it looks like none: an example that was pasted is known to everybody.
    """
    given = settings.secret_key.get_secret_value()
    if given:
        if not re.fullmatch(r"[A-Za-z0-9+/=_.-]{32,}", given):
            raise ValueError(f"{_NO_KEY}（不要把说明里的占位文字照抄进来）；{HOW_TO_MAKE_A_KEY}")
        return given
    if settings.mode == "production":
        raise ValueError(f"没有设置 O2O_SECRET_KEY，公众号的令牌和密钥要用它加密保存；{HOW_TO_MAKE_A_KEY}")
    kept = settings.data_dir / "secret-key"
    if not kept.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        fresh = settings.data_dir / f"secret-key.{token()[:8]}"
        fresh.touch(mode=0o600)
        fresh.write_text(random.token_hex(32) + "\n", "ascii")
        # A link appears whole and replaces nothing: of two that start at once, both read the first one's key.
        with suppress(FileExistsError):
            os.link(fresh, kept)
        fresh.unlink()
    return kept.read_text("ascii").strip()
