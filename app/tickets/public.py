"""What everybody may see of a ticket: its own type, so that nothing private can slip in (domain.md, 5, Public)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import masking
from app.domain.county import Node
from app.domain.errors import Missing
from app.domain.vocabulary import OPEN, SHANGHAI, Action, Kind, Level, Score, Status
from app.tickets.queries import published
from app.tickets.queries.published import Row

SHOWN = {
    Action.OPEN: "收到，已编号",
    Action.ACCEPT: "受理",
    Action.DECLINE: "不予受理",
    Action.APPEAL: "反映人申诉",
    Action.DISPATCH: "派单",
    Action.TRANSFER: "转办",
    Action.ESCALATE: "上报",
    Action.START: "开始办理",
    Action.VISIT: "上门走访",
    Action.REPLY: "回复",
    Action.COMPLETE: "办结",
    Action.WAIT: "暂时等待",
    Action.RESUME: "恢复办理",
    Action.MERGE: "并入同一件事一起办理",
    Action.UNMERGE: "改回单独办理",
    Action.WITHDRAW: "撤回",
    Action.RATE: "反映人评价",
    Action.REOPEN: "评价为“踩”，重新办理",
    Action.ARCHIVE: "归档",
}
"""What the public timeline tells. An action that is not here (notes, requests inside the office) is not shown."""


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """One entry of the public timeline; `text` is a reply marked public, masked."""

    at: datetime
    action: str
    label: str
    status: str
    text: str | None


@dataclass(frozen=True, slots=True)
class PublicTicket:
    """`title` is made of category and place: never the citizen's own words. `place` goes down to the village."""

    number: str
    title: str
    kind: str
    kind_label: str
    status: str
    status_label: str
    category: str | None
    place: str
    responsible: str
    received_at: datetime
    completed_at: datetime | None
    due_at: datetime
    overdue: bool
    explained: bool
    cycle: int
    score: str | None
    score_label: str | None
    timeline: list[PublicEvent]


async def one(work: Work, atlas: Atlas, number: str) -> PublicTicket:
    """The public side of that ticket. Raises Missing, for confidential ones as for unknown numbers."""
    found = await published.one(work.conn, number)
    if found is None:
        raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
    row, events = found
    return _public(work, atlas, row, events)


async def lately_completed(work: Work, atlas: Atlas, area: int, most: int = 20) -> list[PublicTicket]:
    """The tickets of a division and all below it that were completed last, without timelines."""
    return [_public(work, atlas, row, []) for row in await published.lately_completed(work.conn, area, most)]


def _public(work: Work, atlas: Atlas, row: Row, events: list[dict[str, Any]]) -> PublicTicket:
    category = atlas.county.category(row.category_id)
    place = _place(atlas, row.division_id)
    status = Status(row.status)
    return PublicTicket(
        number=row.number,
        title=f"{place}：{category.name if category else Kind(row.kind).label}",
        kind=row.kind,
        kind_label=Kind(row.kind).label,
        status=status,
        status_label=status.label,
        category=category.name if category else None,
        place=place,
        responsible=_responsible(atlas, Node(row.responsible_division_id, row.responsible_unit_id)),
        received_at=row.received_at.astimezone(SHANGHAI),
        completed_at=row.completed_at.astimezone(SHANGHAI) if row.completed_at else None,
        due_at=row.due_at.astimezone(SHANGHAI),
        overdue=status in OPEN and row.due_at <= work.now,
        explained=row.explained,
        cycle=row.cycle,
        score=row.score,
        score_label=Score(row.score).label if row.score else None,
        timeline=[_event(event) for event in events if event["action"] in SHOWN],
    )


def _responsible(atlas: Atlas, node: Node) -> str:
    """A grid has a handful of households: its village stands for it."""
    if node.unit_id is not None:
        return atlas.county.name_of(node)
    return atlas.county.divisions[atlas.county.division_of(node).lineage[: Level.VILLAGE.depth][-1]].name


def _place(atlas: Atlas, division_id: int) -> str:
    """Down to the village, never the grid."""
    lineage = atlas.county.divisions[division_id].lineage[: Level.VILLAGE.depth]
    names = [atlas.county.divisions[i].name for i in lineage]
    return "".join(names[1:] or names)


def _event(event: Mapping[str, Any]) -> PublicEvent:
    text = event["text"]
    return PublicEvent(
        at=datetime.fromisoformat(event["at"]).astimezone(SHANGHAI),
        action=event["action"],
        label=SHOWN[Action(event["action"])],
        status=event["to"],
        text=masking.scan(text) if text else None,
    )
