"""What can be imported, and how: checked whole, then written whole, in one transaction."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from app.audit import office
from app.audit.office import OfficeAction
from app.base.secrets import Vault
from app.base.sheets import Columns, Sheet, read
from app.base.work import Opener, Work
from app.domain.errors import Invalid
from app.domain.policy import SYSTEM
from app.imports import passwords, queries
from app.imports.changes import Progress, Result
from app.imports.kinds import (
    accounts,
    aliases,
    areas,
    categories,
    divisions,
    groups,
    households,
    staff,
    stations,
    tickets,
    units,
    urgent_words,
)

__all__ = ["KINDS", "SEALED", "Prepared", "Progress", "Result", "apply", "columns_of", "prepare", "run"]

KINDS: Mapping[str, Columns] = MappingProxyType(
    {
        "divisions": divisions.COLUMNS,
        "units": units.COLUMNS,
        "categories": categories.COLUMNS,
        "aliases": aliases.COLUMNS,
        "areas": areas.COLUMNS,
        "urgent-words": urgent_words.COLUMNS,
        "stations": stations.COLUMNS,
        "groups": groups.COLUMNS,
        "staff": staff.COLUMNS,
        "households": households.COLUMNS,
        "accounts": accounts.COLUMNS,
        "tickets": tickets.COLUMNS,
    }
)
"""In the order in which one needs another."""
SEALED = frozenset({"groups", "households", "accounts"})
"""Kinds with something in them that is sealed: their import needs a Vault."""
MANY = 500
"""Rows that change what the planner should know."""
_PLAIN: Mapping[str, Callable[[Work, Sheet], Awaitable[Result]]] = MappingProxyType(
    {
        "units": units.bring,
        "categories": categories.bring,
        "aliases": aliases.bring,
        "areas": areas.bring,
        "urgent-words": urgent_words.bring,
        "stations": stations.bring,
    }
)
"""Kinds that take their sheet and nothing else."""
_WITHOUT_DIVISIONS = frozenset({"divisions", "categories", "urgent-words"})
_OF_THE_COUNTY = frozenset({"divisions", "units", "categories", "aliases", "urgent-words"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that has been read. `hashes`: one for each person of a staff file that has a password, by username.

    `digest`: SHA-256 of the file, for the trail.
    """

    kind: str
    sheet: Sheet
    edition: str | None = None
    digest: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict, repr=False)


def columns_of(kind: str) -> Columns:
    """Raises Invalid `import.kind`."""
    if kind not in KINDS:
        raise Invalid("import.kind", f"不能导入“{kind[:32]}”，可以导入的有：{'、'.join(KINDS)}")
    return KINDS[kind]


def prepare(kind: str, data: bytes, *, edition: str | None = None, name: str = "") -> Prepared:
    """Reads a file of that kind, CSV or xlsx; `edition` (a year) is of divisions; `name` is the file's, for a notice
    where its content is something else. Outlines come as GeoJSON too. Raises Invalid."""
    columns = columns_of(kind)
    outlines = kind == "areas" and areas.is_geojson(data)
    sheet = areas.sheet_of(data) if outlines else read(data, columns, name=name, hint=_where_columns(kind))
    return Prepared(kind, sheet, edition, hashlib.sha256(data).hexdigest())


def _where_columns(kind: str) -> str:
    return f"列名和填法见模板：o2o import {kind} --template"


async def seed(work: Work) -> None:
    """Puts in what every county begins with, where there is none of it: the words of what is urgent."""
    if await queries.stored_urgent_words(work.conn):
        return
    await urgent_words.bring(work, urgent_words.default())
    await queries.renew_county(work.conn)


async def alone(work: Work) -> None:
    """No import is under way, and none begins, until the transaction ends."""
    await queries.take_turn(work.conn)


def _silent(done: int, total: int) -> None:
    pass


async def apply(work: Work, prepared: Prepared, vault: Vault | None = None, progress: Progress = _silent) -> Result:
    """Writes what was prepared, inside the caller's transaction; `vault` is for the kinds that are SEALED.

    Raises Invalid `import.rows` with a fault per row; then nothing has been written.
    """
    await queries.take_turn(work.conn)
    await _in_order(work, prepared.kind)
    done = await _bring(work, prepared, vault, progress)
    if prepared.kind in _OF_THE_COUNTY:
        await queries.renew_county(work.conn)
    if done.created + done.updated >= MANY:
        await queries.analyze(work.conn)
    counts = {"created": done.created, "updated": done.updated, "unchanged": done.unchanged}
    brought = {"kind": prepared.kind, "edition": prepared.edition, "digest": prepared.digest, **counts}
    await office.note(work, OfficeAction.DATA_IMPORT, brought)
    return done


async def _in_order(work: Work, kind: str) -> None:
    """Raises Invalid where there is no division yet to which the rows could belong: once, not row by row."""
    if kind not in _WITHOUT_DIVISIONS and not await queries.any_division(work.conn):
        detail = f"还没有导入区划，请先运行 o2o import divisions 文件；导入的次序：{'、'.join(KINDS)}"
        raise Invalid("import.order", detail)


async def _bring(work: Work, prepared: Prepared, vault: Vault | None, progress: Progress) -> Result:
    if prepared.kind in _PLAIN:
        return await _PLAIN[prepared.kind](work, prepared.sheet)
    match prepared.kind:
        case "divisions":
            return await divisions.bring(work, prepared.sheet, prepared.edition)
        case "groups":
            return await groups.bring(work, prepared.sheet, vault)
        case "staff":
            return await staff.bring(work, prepared.sheet, prepared.hashes)
        case "tickets":
            return await tickets.bring(work, prepared.sheet, progress)
        case "households":
            return await households.bring(work, prepared.sheet, vault, progress)
        case _:
            return await accounts.bring(work, prepared.sheet, vault)


async def run(
    opener: Opener,
    prepared: Prepared,
    *,
    vault: Vault | None = None,
    progress: Progress = _silent,
) -> Result:
    """Imports a prepared file: checks it, hashes its passwords outside any transaction, then writes it in one.

    `opener` is a Database's open_work.
    Raises Invalid; then nothing has changed.
    """
    rows = len(prepared.sheet.rows)
    total = rows
    progress(0, total)
    if prepared.kind == "staff" and "password" in prepared.sheet.columns:
        async with opener(SYSTEM) as work:
            await _in_order(work, prepared.kind)
            plan = await staff.plan(work, prepared.sheet)
        total += len(plan.passwords)
        hashes = await passwords.hashed(plan.passwords, plan.hashes, lambda count: progress(count, total))
        prepared = replace(prepared, hashes=hashes)
    async with opener(SYSTEM) as work:
        done = await apply(work, prepared, vault, progress)
    progress(total, total)
    return done
