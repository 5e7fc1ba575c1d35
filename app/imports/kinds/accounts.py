"""The cluster of official accounts; token, key and secret are sealed before they are stored."""

import re
from collections.abc import Mapping
from typing import Any

from app.base.secrets import Vault
from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.domain.errors import Invalid
from app.domain.vocabulary import AccountMode, Word
from app.imports import queries
from app.imports.cells import Line, known
from app.imports.changes import Result, Values, compare, left_alone
from app.imports.kinds.divisions import SOURCE

SEALED = ("token", "encoding_aes_key", "secret")
COLUMNS = Columns(("appid", "original_id", "name", "division_code", "kind", "certified", "mode", *SEALED))
_APPID = re.compile(r"wx[0-9a-zA-Z]{16}")
_ORIGINAL = re.compile(r"gh_[0-9a-zA-Z]{6,30}")
# 开发者文档，接入指南: the token has 3 to 32 letters and digits, the key exactly 43.
_FORMS = {
    "token": (re.compile(r"[0-9a-zA-Z]{3,32}"), "应为 3 到 32 个字母或数字"),
    "encoding_aes_key": (re.compile(r"[0-9a-zA-Z]{43}"), "应为 43 个字母或数字（EncodingAESKey）"),
    "secret": (re.compile(r"[0-9a-zA-Z]{16,64}"), "应为 16 到 64 个字母或数字（AppSecret）"),
}


class AccountKind(Word):
    SERVICE = "service", "服务号"
    SUBSCRIPTION = "subscription", "订阅号"


async def bring(work: Work, sheet: Sheet, vault: Vault | None) -> Result:
    """Writes the accounts; a key that changes is kept as the previous one, since WeChat may use it for a while yet.
    Raises Invalid."""
    if vault is None:
        raise Invalid("import.vault", "导入公众号需要 O2O_SECRET_KEY，令牌和密钥要用它加密保存")
    faults = Faults()
    ids = {code: row["id"] for code, row in (await queries.stored_divisions(work.conn, SOURCE)).items()}
    appids: dict[str, int] = {}
    originals: dict[str, int] = {}
    wanted: dict[str, Values] = {}
    for row in sheet.rows:
        line = Line(row, faults)
        line.once(originals, line.match("original_id", _ORIGINAL, "应为公众号的原始 ID，以 gh_ 开头"), "original_id")
        appid = line.match("appid", _APPID, "应为 wx 和 16 个字母或数字")
        if line.once(appids, appid, "appid"):
            wanted[appid] = _values(line, ids)
    faults.refuse()
    stored = await queries.stored_accounts(work.conn)
    opened = {appid: _opened(row, vault) for appid, row in stored.items() if appid in wanted}
    changes = compare(wanted, opened)
    if changes.new:
        blank = {"previous_aes_key": None}
        rows = [{"appid": appid, **blank, **_sealed(appid, wanted[appid], vault)} for appid in changes.new]
        await queries.insert_accounts(work.conn, rows)
    if changes.changed:
        rows = [_update(appid, wanted[appid], opened[appid], vault) for appid in sorted(changes.changed)]
        await queries.update_accounts(work.conn, rows)
    unchanged = len(wanted) - len(changes.new) - len(changes.changed)
    notices = sheet.notices + left_alone(wanted, stored, "个公众号")
    return Result(len(changes.new), len(changes.changed), unchanged, notices)


def place(column: str, appid: str) -> str:
    """Where a sealed value belongs, for Vault: it opens nowhere else."""
    return f"account.{column}.{appid}"


def _values(line: Line, ids: Mapping[str, int]) -> Values:
    kind, mode = line.word("kind", AccountKind), line.word("mode", AccountMode)
    return {
        "original_id": line.raw("original_id"),
        "name": line.text("name"),
        "division_id": known(line, "division_code", ids, "区划"),
        "kind": str(kind),
        "certified": line.flag("certified"),
        "mode": str(mode),
        **{column: line.match(column, *_FORMS[column], quote=False) for column in SEALED},
    }


def _opened(row: Mapping[str, Any], vault: Vault) -> Values:
    try:
        return {**row, **{column: vault.open(row[column], place(column, row["appid"])) for column in SEALED}}
    except ValueError as error:
        raise Invalid("import.vault", f"已有的公众号 {row['appid']}：{error}") from error


def _sealed(appid: str, values: Values, vault: Vault) -> Values:
    return {**values, **{column: vault.seal(values[column], place(column, appid)) for column in SEALED}}


def _update(appid: str, values: Values, before: Values, vault: Vault) -> Values:
    previous = before["previous_aes_key"]
    if values["encoding_aes_key"] != before["encoding_aes_key"]:
        previous = vault.seal(before["encoding_aes_key"], place("previous_aes_key", appid))
    return {"row_id": before["id"], "previous_aes_key": previous, **_sealed(appid, values, vault)}
