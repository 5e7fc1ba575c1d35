"""What can be imported, and how: checked whole, then written whole, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from app.base.secrets import Vault
from app.base.sheets import Columns, Sheet, read
from app.base.work import Opener, Work
from app.domain.errors import Invalid
from app.domain.policy import SYSTEM
from app.imports import accounts, aliases, categories, divisions, passwords, queries, staff, units
from app.imports.changes import Progress, Result

__all__ = ["KINDS", "Prepared", "Progress", "Result", "apply", "prepare", "run"]

KINDS: Mapping[str, Columns] = MappingProxyType(
    {
        "divisions": divisions.COLUMNS,
        "units": units.COLUMNS,
        "categories": categories.COLUMNS,
        "aliases": aliases.COLUMNS,
        "staff": staff.COLUMNS,
        "accounts": accounts.COLUMNS,
    }
)
"""In the order in which one needs another."""
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


def prepare(kind: str, data: bytes, *, edition: str | None = None) -> Prepared:
    """Reads a file of that kind; `edition` (a year) is of divisions. Raises Invalid."""
    if kind not in KINDS:
        raise Invalid("import.kind", f"不能导入“{kind[:32]}”，可以导入的有：{'、'.join(KINDS)}")
    return Prepared(kind, read(data, KINDS[kind]), edition)


async def apply(work: Work, prepared: Prepared, vault: Vault | None = None) -> Result:
    """Writes what was prepared, inside the caller's transaction; `vault` is for accounts.

    Raises Invalid `import.rows` with a fault per row; then nothing has been written.
    """
    await queries.take_turn(work.conn)
    done = await _bring(work, prepared, vault)
    if prepared.kind in _OF_THE_COUNTY:
        await queries.renew_county(work.conn)
    if done.created + done.updated >= MANY:
        await queries.analyze(work.conn)
    return done


async def _bring(work: Work, prepared: Prepared, vault: Vault | None) -> Result:
    match prepared.kind:
        case "divisions":
            return await divisions.bring(work, prepared.sheet, prepared.edition)
        case "units":
            return await units.bring(work, prepared.sheet)
        case "categories":
            return await categories.bring(work, prepared.sheet)
        case "aliases":
            return await aliases.bring(work, prepared.sheet)
        case "staff":
            return await staff.bring(work, prepared.sheet, prepared.hashes)
        case _:
            return await accounts.bring(work, prepared.sheet, vault)


async def run(
    opener: Opener,
    prepared: Prepared,
    *,
    vault: Vault | None = None,
    progress: Progress = lambda done, total: None,
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
        done = await apply(work, prepared, vault)
    progress(total, total)
    return done
