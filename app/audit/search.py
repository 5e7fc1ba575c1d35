"""The trail as auditors read it: who did what, when; without any text, and without the name of any citizen."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, Literal

from app.audit.office import OfficeAction, note
from app.audit.queries import reading, search
from app.audit.queries.search import Mark, Names, Row, Sought
from app.base.sheets import safe
from app.base.work import Opener, Work
from app.domain.errors import Invalid
from app.domain.policy import Actor
from app.domain.vocabulary import SHANGHAI, Action, Role, Status, Word

__all__ = ["AuditActor", "AuditEntry", "AuditPage", "Mark", "TrailKind", "Wanted", "exported", "listed"]

TrailKind = Literal["ticket", "office"]
LABELS: Mapping[str, str] = {one.value: one.label for words in (Action, OfficeAction) for one in words}
"""Code → Chinese of everything that leaves a trace."""
HEADER = (
    "时间", "来源", "事项编号", "序号", "动作", "原状态", "新状态", "人员", "用户名", "姓名", "岗位", "明细", "散列",
)  # fmt: skip
LOT = 1_000
"""Rows of an export that are read at a time."""
_KINDS: Mapping[str, str] = {"ticket": "事项", "office": "管理"}
_ACTORS: Mapping[str, str] = {"staff": "工作人员", "citizen": "群众", "system": "系统", "public": "访客"}
_PEOPLE = frozenset({"person_id", "on_behalf_of", "staff_id"})
_TICKETS = frozenset({"primary_id", "copy_id", "ticket_id"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an auditor asks for; each None: whatever. `first` is in, `end` is not."""

    kind: TrailKind | None = None
    number: str | None = None
    staff: str | None = None
    action: str | None = None
    first: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditActor:
    """Who it was; of a citizen only that it was one."""

    kind: str
    username: str | None
    name: str | None
    role: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the trail. `detail`: with codes, usernames and numbers in place of ids; `hash`: hexadecimal."""

    kind: TrailKind
    at: datetime
    number: str | None
    seq: int
    action: str
    label: str
    before: str | None
    after: str | None
    actor: AuditActor
    detail: Mapping[str, Any]
    hash: str | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    items: Sequence[AuditEntry]
    next: Mark | None


async def listed(work: Work, wanted: Wanted, limit: int, after: Mark | None) -> AuditPage:
    """The newest first, at most `limit`, from behind the mark `after`. Raises Invalid."""
    sought = await _sought(work, wanted)
    if sought is None:
        return AuditPage((), None)
    rows = await _page(work, wanted, sought, limit + 1, after)
    return AuditPage(await _entries(work, rows[:limit]), rows[limit - 1].mark if len(rows) > limit else None)


async def exported(opener: Opener, actor: Actor, wanted: Wanted) -> AsyncIterator[bytes]:
    """All of it as CSV, in pieces; that it was asked for is in the trail before the first is given. Raises Invalid.

    Each piece is read in a transaction of its own: no reader who is slow holds one open.
    """
    async with opener(actor) as work:
        sought = await _sought(work, wanted)
        await note(work, OfficeAction.AUDIT_EXPORT, {} if sought is None else _asked(sought, wanted))
    return _pieces(opener, actor, wanted, sought)


async def _pieces(opener: Opener, actor: Actor, wanted: Wanted, sought: Sought | None) -> AsyncIterator[bytes]:
    yield "\ufeff".encode() + _lines([HEADER])
    after: Mark | None = None
    while sought is not None:
        async with opener(actor) as work:
            rows = await _page(work, wanted, sought, LOT, after)
            entries = await _entries(work, rows)
        if not rows:
            return
        yield _lines(_cells(entry) for entry in entries)
        after = rows[-1].mark


async def _sought(work: Work, wanted: Wanted) -> Sought | None:
    """None where there can be nothing. Raises Invalid for a word or a name that is none."""
    if wanted.action is not None and wanted.action not in LABELS:
        raise Invalid.field("audit.action", "/action", f"没有“{wanted.action[:32]}”这个动作，可选：{'、'.join(LABELS)}")
    staff_id = None
    if wanted.staff is not None:
        staff_id = await search.staff_id_of(work.conn, wanted.staff)
        if staff_id is None:
            raise Invalid.field("audit.staff", "/staff", f"没有用户名为“{wanted.staff[:32]}”的工作人员")
    ticket_id = None
    if wanted.number is not None:
        ticket_id = await reading.id_of(work.conn, wanted.number)
        if ticket_id is None:
            return None
    return Sought(work.actor.id, ticket_id, staff_id, wanted.action, wanted.first, wanted.end)


def _asked(sought: Sought, wanted: Wanted) -> dict[str, object]:
    """For the trail: what was exported."""
    days = {"from": sought.first, "to": sought.end}
    asked = {"kind": wanted.kind, "ticket_id": sought.ticket_id, "staff_id": sought.staff_id, "action": sought.action}
    asked |= {name: at.astimezone(SHANGHAI).isoformat() for name, at in days.items() if at is not None}
    return {name: value for name, value in asked.items() if value is not None}


async def _page(work: Work, wanted: Wanted, sought: Sought, most: int, after: Mark | None) -> list[Row]:
    rows: list[list[Row]] = []
    if wanted.kind != "office":
        rows.append(await search.of_tickets(work.conn, sought, most, after))
    if wanted.kind != "ticket" and sought.ticket_id is None:
        rows.append(await search.of_office(work.conn, sought, most, after))
    return list(islice(merge(*rows, key=lambda row: row.mark, reverse=True), most))


async def _entries(work: Work, rows: Sequence[Row]) -> list[AuditEntry]:
    details = [row.detail if isinstance(row.detail, dict) else {"detail": row.detail} for row in rows]
    ids = [(key, value) for detail in details for key, value in detail.items() if type(value) is int]
    known = await search.names(
        work.conn,
        people={value for key, value in ids if key in _PEOPLE}
        | {row.actor_id for row in rows if row.actor_kind == "staff" and row.actor_id is not None},
        places={value for key, value in ids if key.endswith("division_id")},
        seats={value for key, value in ids if key.endswith("unit_id")},
        numbers={value for key, value in ids if key in _TICKETS},
    )
    return [_entry(row, detail, known) for row, detail in zip(rows, details, strict=True)]


def _entry(row: Row, detail: Mapping[str, Any], known: Names) -> AuditEntry:
    username, name = (None, None)
    if row.actor_kind == "staff" and row.actor_id is not None:
        username, name = known.staff.get(row.actor_id, (None, None))
    return AuditEntry(
        kind="ticket" if row.ticket_id else "office",
        at=row.at.astimezone(SHANGHAI),
        number=row.number,
        seq=row.seq,
        action=row.action,
        label=LABELS.get(row.action, row.action),
        before=row.from_status,
        after=row.to_status,
        actor=AuditActor(row.actor_kind, username, name, row.actor_role),
        detail=dict(_named(key, value, known) for key, value in detail.items()),
        hash=row.hash.hex() if row.hash is not None else None,
    )


def _named(key: str, value: Any, known: Names) -> tuple[str, Any]:
    """An id by what people know it by, under its name without `_id`."""
    if type(value) is not int:
        return key, value
    short = key.removesuffix("_id")
    if key in _TICKETS:
        return short, known.tickets.get(value)
    if key in _PEOPLE:
        username, name = known.staff.get(value, (None, None))
        return short, {"username": username, "name": name}
    for suffix, among in (("division_id", known.divisions), ("unit_id", known.units)):
        if key.endswith(suffix):
            code, name = among.get(value, (None, None))
            return short, {"code": code, "name": name}
    return key, value


def _cells(entry: AuditEntry) -> Sequence[object]:
    actor = entry.actor
    who = (_ACTORS.get(actor.kind, actor.kind), actor.username, actor.name, _label(Role, actor.role))
    what = (entry.label, _label(Status, entry.before), _label(Status, entry.after))
    detail = "；".join(f"{key}={_text(value)}" for key, value in entry.detail.items() if value is not None)
    at = entry.at.isoformat(timespec="microseconds")
    return at, _KINDS[entry.kind], entry.number, entry.seq, *what, *who, detail, entry.hash


def _label(words: type[Word], code: str | None) -> str | None:
    return next((one.label for one in words if one.value == code), code)


def _text(value: Any) -> str:
    return " ".join(str(one) for one in value.values() if one) if isinstance(value, dict) else str(value)


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue().encode()
