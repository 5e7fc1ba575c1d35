"""Other names of places. The same name at several divisions is ambiguous and meant to be (domain.md, 3)."""

from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.imports import queries
from app.imports.cells import Line, known
from app.imports.changes import Result
from app.imports.kinds.divisions import SOURCE

COLUMNS = Columns(("alias", "division_code"))
_SHORTEST = 2


async def bring(work: Work, sheet: Sheet) -> Result:
    """Adds the names that are not there yet. Raises Invalid."""
    faults = Faults()
    ids = {code: row["id"] for code, row in (await queries.stored_divisions(work.conn, SOURCE)).items()}
    seen: dict[str, int] = {}
    pairs = [_pair(Line(row, faults), ids, seen) for row in sheet.rows]
    faults.refuse()
    present = await queries.stored_aliases(work.conn)
    new = [pair for pair in pairs if pair not in present]
    if new:
        await queries.insert_aliases(work.conn, new)
    return Result(len(new), 0, len(pairs) - len(new), sheet.notices)


def _pair(line: Line, ids: dict[str, int], seen: dict[str, int]) -> tuple[str, int]:
    alias = line.text("alias")
    if 0 < len(alias) < _SHORTEST:
        line.wrong(f"alias 至少 {_SHORTEST} 个字，现为“{alias}”")
    division = known(line, "division_code", ids, "区划")
    line.once(seen, f"{alias}\n{line.raw('division_code')}", "alias 和 division_code")
    return alias, division
