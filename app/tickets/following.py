"""Merged tickets follow their primary: its milestones, its node, what its citizens are told (domain.md, 2, Merge)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.audit import service as audit
from app.audit.service import Event
from app.base.batch import Batch
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.notices import Notice
from app.domain.vocabulary import Action, Status
from app.notifications import service as notifications
from app.tickets import codes, letters
from app.tickets.counted import count_change
from app.tickets.queries import changing
from app.tickets.queries.changing import Stored

_SAME = (
    "responsible_division_id",
    "responsible_unit_id",
    "person_id",
    "accepted_automatically",
    "explained",
)
"""What a copy has as its primary has it."""
_WITH_TEXT = frozenset({Action.REPLY, Action.COMPLETE, Action.DECLINE})
"""Acts whose text is for every citizen merged into it."""


async def follow(
    work: Work, batch: Batch, atlas: Atlas, primary: Stored, event: Event, notices: Sequence[Notice]
) -> None:
    """Brings every copy to where the primary is now, after the act that `event` tells of.

    `primary`: its row after the act. A copy that nothing changes of, and that nothing is said to, stays as it is.
    """
    for copy in await changing.copies_of(work.conn, primary.id):
        changes = _of_copy(work, copy, primary, event)
        said = event.text if event.action in _WITH_TEXT else None
        if not changes and said is None:
            continue
        seq = copy.version + 1
        status = changes.get("status", copy.status)
        own = replace(
            event,
            seq=seq,
            before=Status(copy.status),
            after=Status(status),
            detail={"primary_id": primary.id},
            text=said,
            public=event.public if said is not None else False,
        )
        head = audit.record(work, batch, copy.id, [own], copy.chain_head)
        await changing.change(work.conn, copy.id, changes | {"version": seq, "chain_head": head})
        told = [
            one for notice in notices if notice.audience == "citizen" for one in letters.to_citizen(copy, notice, seq)
        ]
        notifications.enqueue(work, batch, copy.id, told)
        count_change(batch, atlas, copy, changes)


def milestones(primary: Stored, merged_at: datetime) -> dict[str, Any]:
    """What a copy merged then has of its primary: milestones are the later of the primary's and the merging."""
    found: dict[str, Any] = {name: getattr(primary, name) for name in _SAME}
    for name in ("accepted_at", "first_replied_at", "completed_at"):
        reached = getattr(primary, name)
        found[name] = None if reached is None else max(reached, merged_at)
    return found


def _of_copy(work: Work, copy: Stored, primary: Stored, event: Event) -> dict[str, Any]:
    """The columns of the copy that change."""
    assert copy.merged_at is not None
    wanted = milestones(primary, copy.merged_at)
    if event.action is Action.COMPLETE:
        # Against its own limits, and rated on its own number.
        late = {"kept_limit": copy.due_at, "kept_original": copy.original_due_at}
        wanted |= {name: False for name, due in late.items() if work.now >= due}
        if copy.account_id is None or copy.citizen_id is None:
            wanted["rating_code"] = codes.new()
    if primary.status == Status.DECLINED:
        wanted |= {"status": Status.DECLINED, "decline_reason": primary.decline_reason, "declined_at": work.now}
        wanted |= {"merged_into_id": None, "merged_at": None, "status_before": None, "before_merge": None}
    if copy.completed_at is not None and wanted["completed_at"] is None:
        wanted["last_completed_at"] = copy.completed_at
    return {name: value for name, value in wanted.items() if value != getattr(copy, name)}
