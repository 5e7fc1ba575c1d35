"""Chat groups of the divisions. A WeCom group's robot address lets whoever has it write there: it is sealed."""

import re
from collections.abc import Mapping
from typing import Any

from app.base.secrets import Vault
from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.divisions.offline import robot_place
from app.domain.errors import Invalid
from app.domain.vocabulary import GroupKind
from app.imports import queries
from app.imports.cells import Line, known, refuse_closed
from app.imports.changes import Result, Values, compare, left_alone
from app.imports.kinds.divisions import SOURCE

COLUMNS = Columns(("division_code", "name", "kind"), ("robot_url",))
_ROBOT = re.compile(r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?/[!-~]{0,500}")


async def bring(work: Work, sheet: Sheet, vault: Vault | None) -> Result:
    """Writes the groups; one is known again by its division and name. Raises Invalid."""
    if vault is None:
        raise Invalid("import.vault", "导入微信群需要 O2O_SECRET_KEY，机器人的地址要用它加密保存")
    faults = Faults()
    places = await queries.stored_divisions(work.conn, SOURCE)
    ids = {code: row["id"] for code, row in places.items()}
    stored = await queries.stored_groups(work.conn)
    seen: dict[str, int] = {}
    wanted: dict[str, Values] = {}
    sealed_at: dict[str, str] = {}
    for row in sheet.rows:
        line = Line(row, faults)
        values = _values(line, sheet.columns, ids)
        key = f"{values['division_id']}\n{values['name']}"
        if line.once(seen, key, "division_code 和 name"):
            wanted[key] = values
            sealed_at[key] = robot_place(line.raw("division_code"), values["name"])
        if key not in stored:
            refuse_closed(line, "division_code", places)
    faults.refuse()
    opened = {key: _opened(row, vault, sealed_at[key]) for key, row in stored.items() if key in wanted}
    changes = compare(wanted, opened)
    if changes.new:
        rows = [{"robot_url": None} | _sealed(wanted[key], vault, sealed_at[key]) for key in changes.new]
        await queries.insert_groups(work.conn, rows)
    if changes.changed:
        rows = [
            {"row_id": stored[key]["id"], **_sealed(wanted[key], vault, sealed_at[key])}
            for key in sorted(changes.changed)
        ]
        await queries.update_groups(work.conn, rows)
    unchanged = len(wanted) - len(changes.new) - len(changes.changed)
    notices = sheet.notices + left_alone(wanted, stored, "个群")
    return Result(len(changes.new), len(changes.changed), unchanged, notices)


def _values(line: Line, columns: frozenset[str], ids: Mapping[str, int]) -> Values:
    kind = line.word("kind", GroupKind)
    values: Values = {
        "division_id": known(line, "division_code", ids, "区划"),
        "name": line.text("name"),
        "kind": str(kind),
    }
    robot = line.raw("robot_url")
    if robot:
        # Never quoted: whoever reads it can write to the group.
        line.match("robot_url", _ROBOT, "应为 https:// 开头的机器人地址", quote=False)
        if kind is GroupKind.WECHAT:
            line.wrong("微信群没有机器人，robot_url 只能填给企业微信群（wecom）")
    if "robot_url" in columns:
        values["robot_url"] = robot or None
    elif kind is GroupKind.WECHAT:
        # A group that is no longer WeCom's keeps no robot.
        values["robot_url"] = None
    return values


def _opened(row: Mapping[str, Any], vault: Vault, place: str) -> Values:
    sealed = row["robot_url"]
    try:
        return {**row, "robot_url": None if sealed is None else vault.open(sealed, place)}
    except ValueError as error:
        raise Invalid("import.vault", f"已有的群“{row['name']}”：{error}") from error


def _sealed(values: Values, vault: Vault, place: str) -> Values:
    robot = values.get("robot_url")
    return values if robot is None else {**values, "robot_url": vault.seal(robot, place)}
