"""Words of what is urgent: danger to life, cut-offs, and what only sounds so (domain.md, 2)."""

from collections.abc import Mapping
from importlib.resources import files

from app.base.sheets import Columns, Faults, Sheet, read
from app.base.work import Work
from app.domain.county import Sign
from app.domain.urgency import CALLS
from app.imports import queries
from app.imports.cells import Line, known
from app.imports.changes import Result, Values, compare, left_alone

COLUMNS = Columns(("word", "sign"), ("alone", "calls", "category"))
_SHORTEST = 2


async def bring(work: Work, sheet: Sheet) -> Result:
    """Writes the words; one is known again by itself and its category. Raises Invalid."""
    faults = Faults()
    categories = {code: row["id"] for code, row in (await queries.stored_categories(work.conn)).items()}
    stored = await queries.stored_urgent_words(work.conn)
    seen: dict[str, int] = {}
    wanted: dict[str, Values] = {}
    for row in sheet.rows:
        line = Line(row, faults)
        values = _values(line, categories)
        key = f"{values['word']}\n{values['category_id'] or ''}"
        if line.once(seen, key, "word 和 category"):
            wanted[key] = values
    faults.refuse()
    changes = compare(wanted, stored)
    if changes.new:
        await queries.insert_urgent_words(work.conn, [wanted[key] for key in changes.new])
    if changes.changed:
        rows = [{"row_id": stored[key]["id"], **wanted[key]} for key in sorted(changes.changed)]
        await queries.update_urgent_words(work.conn, rows)
    unchanged = len(wanted) - len(changes.new) - len(changes.changed)
    notices = sheet.notices + left_alone(wanted, stored, "个词")
    return Result(len(changes.new), len(changes.changed), unchanged, notices)


def default() -> Sheet:
    """The words that every county begins with; what they find is measured in bench/urgency_on_messages.py."""
    return read((files("app.imports") / "defaults" / "urgent_words.csv").read_bytes(), COLUMNS)


def _values(line: Line, categories: Mapping[str, int]) -> Values:
    word = line.text("word")
    if 0 < len(word) < _SHORTEST:
        line.wrong(f"word 至少 {_SHORTEST} 个字，现为“{word}”")
    sign = line.word("sign", Sign)
    calls = line.names("calls", shortest=3)
    for call in calls:
        if call not in CALLS:
            line.wrong(f"calls 只能是 {'、'.join(CALLS)}，用 | 分隔，现为“{call[:32]}”")
    if sign is Sign.DANGER and not calls:
        line.wrong("calls：有生命危险的词要写明拨打哪个电话，如 119|120")
    return {
        "word": word,
        "sign": str(sign),
        "alone": line.flag("alone") if line.raw("alone") else False,
        "calls": list(calls),
        "category_id": known(line, "category", categories, "事项分类") if line.raw("category") else None,
    }
