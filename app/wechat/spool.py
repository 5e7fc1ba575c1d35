"""A message as it waits in the spool for the database: how its file is named, sealed and opened again."""

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime

from app.base.secrets import Vault
from app.wechat.queries import Entry


@dataclass(frozen=True, slots=True)
class Spooled:
    """`raw` is the clear XML; the body as it came where that could not be read, and then `problem` says why.

    `received_at`: the business moment, aware; the machine's is the file's own time.
    """

    appid: str
    raw: bytes
    received_at: datetime
    problem: str | None


def name_of(appid: str, entry: Entry) -> str:
    """All deliveries of a message find the same file; all messages of one citizen are of one group."""
    return f"{_digest(appid, entry.openid or entry.key)[:16]}-{_digest(appid, entry.key)[:32]}"


def seal(vault: Vault, name: str, message: Spooled) -> bytes:
    """The content of the file of that name; under another name it does not open."""
    fields = {
        "appid": message.appid,
        "raw": b64encode(message.raw).decode(),
        "received_at": message.received_at.isoformat(),
        "problem": message.problem,
    }
    return vault.seal(json.dumps(fields, ensure_ascii=False), _place(name)).encode()


def unseal(vault: Vault, name: str, content: bytes) -> Spooled:
    """Raises ValueError for anything that `seal` did not make with this key and for this name."""
    fields = json.loads(vault.open(content.decode("ascii"), _place(name)))
    moment = datetime.fromisoformat(fields["received_at"])
    return Spooled(fields["appid"], b64decode(fields["raw"]), moment, fields["problem"])


def _place(name: str) -> str:
    return f"spool.{name}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
