"""What can be imported, and how: checked whole, then written whole, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

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
    categories,
    divisions,
    groups,
    households,
    staff,
    stations,
    tickets,
    units,
)

__all__ = ["KINDS", "SEALED", "Prepared", "Progress", "Result", "apply", "columns_of", "prepare", "run"]

KINDS: Mapping[str, Columns] = MappingProxyType(
    {
        "divisions": divisions.COLUMNS,
        "units": units.COLUMNS,
        "categories": categories.COLUMNS,
        "aliases": aliases.COLUMNS,
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
_OF_THE_COUNTY = frozenset({"divisions", "units", "categories", "aliases"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that has been read. `hashes`: one for each person of a staff file that has a password, by username."""

    kind: str
    sheet: Sheet
    edition: str | None = None
    hashes: Mapping[str, str] = field(default_factory=dict, repr=False)


def columns_of(kind: str) -> Columns:
    """Raises Invalid `import.kind`."""
    if kind not in KINDS:
        raise Invalid("import.kind", f"不能导入“{kind[:32]}”，可以导入的有：{'、'.join(KINDS)}")
    return KINDS[kind]


def prepare(kind: str, data: bytes, *, edition: str | None = None, name: str = "") -> Prepared:
    """Reads a file of that kind, CSV or xlsx; `edition` (a year) is of divisions; `name` is the file's, for a notice
    where its content is something else. Raises Invalid."""
    return Prepared(kind, read(data, columns_of(kind), name=name), edition)


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
    done = await _bring(work, prepared, vault, progress)
    if prepared.kind in _OF_THE_COUNTY:
        await queries.renew_county(work.conn)
    if done.created + done.updated >= MANY:
        await queries.analyze(work.conn)
    return done


async def _bring(work: Work, prepared: Prepared, vault: Vault | None, progress: Progress) -> Result:
    match prepared.kind:
        case "divisions":
            return await divisions.bring(work, prepared.sheet, prepared.edition)
        case "units":
            return await units.bring(work, prepared.sheet)
        case "categories":
            return await categories.bring(work, prepared.sheet)
        case "aliases":
            return await aliases.bring(work, prepared.sheet)
        case "stations":
            return await stations.bring(work, prepared.sheet)
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
            plan = await staff.plan(work, prepared.sheet)
        total += len(plan.passwords)
        hashes = await passwords.hashed(plan.passwords, plan.hashes, lambda count: progress(count, total))
        prepared = replace(prepared, hashes=hashes)
    async with opener(SYSTEM) as work:
        done = await apply(work, prepared, vault, progress)
    progress(total, total)
    return done
