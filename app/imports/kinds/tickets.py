"""Tickets: history from another system, checked row by row, then brought in whole (tickets.history)."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.county import Category, County, Node
from app.domain.history import ORDER, Record, lived
from app.domain.history import faults as faults_of
from app.domain.limits import DEFAULT
from app.domain.vocabulary import Channel, Kind, Role, Score
from app.domain.workdays import Calendar
from app.imports.cells import Line
from app.imports.changes import Progress, Result
from app.imports.moments import moment
from app.limits import service as limits
from app.people.queries import rosters
from app.people.queries.rosters import Roster
from app.tickets import history
from app.tickets.history import Past

_REST = (
    "kind", "category", "division_code", "citizen_name", "citizen_phone", "accepted_at", "first_replied_at", "reply",
    "completed_at", "result", "rating", "rating_comment", "rated_at", "handler_username",
)  # fmt: skip
COLUMNS = Columns(("external_id", "channel", "received_at"), ("title", "description", *_REST))
_DIGESTED = ("external_id", "channel", "title", "description", "received_at", *_REST)
"""In the order of the first version, for what was brought in then is known by it."""
GRADES: Mapping[str, Score] = {
    "非常满意": Score.LIKE,
    "满意": Score.LIKE,
    "基本满意": Score.LIKE,
    "不满意": Score.DISLIKE,
    "非常不满意": Score.DISLIKE,
}
"""The words of the hotlines for like and dislike (domain.md, 7); the word itself is kept too."""
_WORKERS = frozenset({Role.COURIER, Role.HANDLER, Role.ADMINISTRATOR})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""But for tabs and line breaks."""
_PHONE = re.compile(r"[0-9+() -]{3,20}")
_LONGEST = {"title": 200, "description": 20_000, "reply": 20_000, "result": 20_000, "rating_comment": 500}
LEAF = 2
"""The level of the categories that a ticket can have."""
_EVERY = 500
"""Rows between two moves of the progress bar."""


@dataclass(frozen=True, slots=True)
class _Handler:
    """Whoever handled it: `node` and `role` of their first post that handles anything, None where they have left."""

    id: int
    node: Node | None
    role: Role | None
    inspects: bool


class _Where(TypedDict):
    place_id: int
    node: Node
    person_id: int | None
    person_role: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Context:
    """What the rows are checked against."""

    atlas: Atlas
    categories: Mapping[str, Category]
    roster: Roster
    calendar: Calendar
    now: datetime


async def bring(work: Work, sheet: Sheet, progress: Progress) -> Result:
    """Writes the history of the file. Raises Invalid with every fault of every row; then nothing has changed."""
    county = await atlas(work)
    people, days = await rosters.roster(work.conn, work.now), await limits.calendar(work, county)
    context = _Context(county, _by_code_or_name(county.county), people, days, work.now)
    faults = Faults()
    seen: dict[str, int] = {}
    pasts = []
    for done, row in enumerate(sheet.rows):
        past = _past(Line(row, faults), context, seen)
        if past is not None:
            pasts.append(past)
        if done % _EVERY == 0:
            # Half of the work is still to come: the writing.
            progress(done // 2, len(sheet.rows))
    faults.refuse()
    brought = await history.bring(work, county, pasts)
    return Result(brought.created, brought.updated, brought.unchanged, sheet.notices + _left(brought.acted_on))


def _left(acted_on: tuple[str, ...]) -> tuple[str, ...]:
    if not acted_on:
        return ()
    some = "、".join(acted_on[:5]) + ("等" if len(acted_on) > 5 else "")
    return (f"有 {len(acted_on)} 件导入后已在本系统办理过，文件中的改动没有采用：{some}",)


def _past(line: Line, context: _Context, seen: dict[str, int]) -> Past | None:
    """The row's ticket; None, with its faults noted, where something is wrong with it."""
    external_id = line.text("external_id", most=64)
    once = line.once(seen, external_id, "external_id")
    channel, category = line.word("channel", Channel), _category(line, context)
    kind = line.word("kind", Kind) if line.raw("kind") else None
    place, handler = _place(line, context), _handler(line, context)
    texts = {column: _long(line, column, most) for column, most in _LONGEST.items()}
    if not (texts["title"] or texts["description"]):
        line.wrong("title 和 description 至少填一个")
    citizen = (line.text("citizen_name", optional=True) or None, _phone(line))
    score, grade = _score(line)
    record = _record(line, texts, score, context.now)
    if not once or channel is None or record is None:
        return None
    where = _where(context.atlas.county, place, handler, category, done=record.completed_at is not None)
    return Past(
        external_id=external_id,
        digest=_digest(line),
        channel=channel,
        kind=kind or (category and category.kind_hint) or Kind.CONSULTATION,
        category=category,
        title=texts["title"],
        description=texts["description"],
        citizen=citizen if any(citizen) else None,
        life=lived(record, category.rules if category else DEFAULT, context.calendar, context.now),
        grade=grade,
        **where,
    )


def _category(line: Line, context: _Context) -> Category | None:
    """By its code, or by its name where that is only one's; None where empty."""
    given = line.raw("category")
    if not given:
        return None
    found = context.categories.get(given)
    if found is None:
        line.wrong(f"category：没有代码（或唯一的名称）为“{given[:32]}”的二级分类")
    return found


def _by_code_or_name(county: County) -> Mapping[str, Category]:
    leaves = [one for one in county.categories.values() if one.level == LEAF]
    names = Counter(one.name for one in leaves)
    return {one.name: one for one in leaves if names[one.name] == 1} | {one.code: one for one in leaves}


def _place(line: Line, context: _Context) -> int | None:
    """A division, a closed one too: that is where it was then. None where empty: the county."""
    code = line.raw("division_code")
    found = context.atlas.county.by_code.get(code)
    if code and found is None:
        line.wrong(f"division_code：没有代码为“{code[:32]}”的区划")
    return None if found is None else found.id


def _handler(line: Line, context: _Context) -> _Handler | None:
    username = line.raw("handler_username")
    if not username:
        return None
    known = context.roster.get(username)
    if known is None:
        line.wrong(f"handler_username：没有用户名为“{username[:32]}”的工作人员")
        return None
    staff_id, seats = known
    working = next((seat for seat in seats if seat.role in _WORKERS), None)
    inspects = any(seat.role is Role.INSPECTOR for seat in seats)
    if working is None:
        return _Handler(staff_id, None, None, inspects)
    return _Handler(staff_id, context.atlas.county.works_for(working.node), working.role, inspects)


def _where(
    county: County, place: int | None, handler: _Handler | None, category: Category | None, *, done: bool
) -> _Where:
    """Whose it is: the handler's node's, else the division's; never routed anew (domain.md, 7)."""
    at = county.root.id if place is None else place
    if category is not None and category.confidential:
        # A complaint about staff is the county's alone, and its inspector's (domain.md, 2).
        person = handler if handler is not None and handler.inspects else None
        reason = "历史导入：反映干部作风的事项归县督查员"
        return _Where(
            place_id=county.root.id,
            node=Node(division_id=county.root.id),
            person_id=person.id if person else None,
            person_role=Role.INSPECTOR if person else None,
            reason=reason,
        )
    if handler is None or handler.node is None:
        node, reason = Node(division_id=at), f"历史导入：按所填区划归{county.divisions[at].name}"
    else:
        node, reason = handler.node, f"历史导入：归承办人所在的{county.name_of(handler.node)}"
    return _Where(
        place_id=at,
        node=node,
        # Somebody who has left has what they finished, and nothing that is open.
        person_id=handler.id if handler and (handler.node or done) else None,
        person_role=handler.role if handler else None,
        reason=reason,
    )


def _long(line: Line, column: str, most: int) -> str:
    value = line.raw(column)
    if len(value) > most:
        line.wrong(f"{column} 最多 {most} 个字，现有 {len(value)} 个")
    elif _CONTROL.search(value):
        line.wrong(f"{column} 含有控制字符")
    return value


def _phone(line: Line) -> str | None:
    return line.match("citizen_phone", _PHONE, "应为电话号码", quote=False) if line.raw("citizen_phone") else None


def _score(line: Line) -> tuple[Score | None, str | None]:
    """Like or dislike, and the finer word where it is one."""
    given = line.raw("rating")
    if given in GRADES:
        return GRADES[given], given
    return (line.word("rating", Score, also=GRADES) if given else None), None


def _record(line: Line, texts: Mapping[str, str], score: Score | None, now: datetime) -> Record | None:
    times = {column: _time(line, column) for column in ORDER}
    received_at = times["received_at"]
    if received_at is None:
        if not line.raw("received_at"):
            line.wrong("received_at 不能为空")
        return None
    record = Record(
        received_at,
        times["accepted_at"],
        times["first_replied_at"],
        texts["reply"],
        times["completed_at"],
        texts["result"],
        score,
        texts["rating_comment"],
        times["rated_at"],
    )
    unread = any(times[column] is None and line.raw(column) for column in ORDER)
    if unread or (score is None and line.raw("rating")):
        # What can't be read is told already; what is missing because of it is not worth a word.
        return None
    for column, wrong in faults_of(record, now):
        line.wrong(f"{column} {wrong}")
    return record


def _time(line: Line, column: str) -> datetime | None:
    given = line.raw(column)
    try:
        return moment(given) if given else None
    except ValueError as error:
        line.wrong(f"{column} {error}")
        return None


def _digest(line: Line) -> str:
    """Of all that the row says; the order of the columns in the file does not matter."""
    cells = [line.raw(column) for column in _DIGESTED]
    # A unit separator stands in no cell: control characters are refused.
    return hashlib.sha256("\x1f".join(cells).encode()).hexdigest()
