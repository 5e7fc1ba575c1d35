"""Limits and steps after an act: what it ends, what it moves, what it begins (domain.md, 4)."""

from collections.abc import Mapping
from typing import Any

from app.base.batch import Batch
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.lifecycle import Decision
from app.domain.limits import DEFAULT, Rules, appealed, extended, limits, rating_ends
from app.domain.steps import Chain, Live
from app.domain.vocabulary import OPEN, Action, Status
from app.domain.workdays import Calendar
from app.limits import service as ticket_limits
from app.tickets.moves import Move
from app.tickets.queries.changing import Stored


async def after(  # noqa: PLR0913 - what is decided, and what it changes
    work: Work,
    batch: Batch,
    atlas: Atlas,
    row: Stored,
    decision: Decision,
    move: Move | None,
    changes: Mapping[str, Any],
    days: Calendar,
) -> dict[str, Any]:
    """The ticket's columns that follow; rows of limits and steps are written beside."""
    if decision.status not in OPEN:
        return await _ended(work, batch, row, decision)
    match decision.action:
        case Action.NOTE:
            # Nothing is done by it, so whoever waits for an act waits on.
            return {}
        case Action.APPEAL:
            await _accepted_anew(work, batch, atlas, row, days)
            return {}
        case Action.DECIDE_EXTENSION if "extensions" in changes:
            return await _longer(work, batch, row, days)
        case _ if move is not None and decision.reroute:
            return await _reckoned_anew(work, batch, atlas, row, decision, move, changes, days)
    accepted = changes.get("accepted_at", row.accepted_at) is not None
    replied = changes.get("first_replied_at", row.first_replied_at) is not None
    ended = [chain for chain, done in ((Chain.ACCEPT, accepted), (Chain.REPLY, replied)) if done]
    await ticket_limits.end_steps(work, row.id, ended, days)
    return {}


async def _ended(work: Work, batch: Batch, row: Stored, decision: Decision) -> dict[str, Any]:
    if decision.status == row.status:
        return {}
    await ticket_limits.stop_steps(work, row.id)
    if decision.status is Status.COMPLETED:
        ticket_limits.plan_archive(batch, row.id, row.cycle, rating_ends(work.now))
    if decision.action is Action.DECIDE_UNREASONABLE:
        # As it stood before the dislike.
        due, original = await ticket_limits.completion_limit(work, row.id, row.cycle - 1)
        return {"due_at": due, "original_due_at": original}
    return {}


async def _accepted_anew(work: Work, batch: Batch, atlas: Atlas, row: Stored, days: Calendar) -> None:
    limit = appealed(work.now, rules_of(atlas, row), days, urgent=row.urgent)
    await ticket_limits.move(work, row.id, 1, "accept", limit, original=True)
    # The decline's text was an answer.
    live = Live(accept=limit.due_at, reply=None, complete=row.due_at, idle_since=work.now)
    await ticket_limits.plan_anew(work, batch, row.id, row.cycle, live, days)


async def _longer(work: Work, batch: Batch, row: Stored, days: Calendar) -> dict[str, Any]:
    asked = row.extension_asked or 0
    limit = extended(row.due_at, asked, days)
    await ticket_limits.move(work, row.id, row.cycle, "complete", limit, original=False)
    await ticket_limits.lift(work, row.id, row.cycle)
    accept, reply = await ticket_limits.first_limits(work, row.id)
    live = Live(
        None if row.accepted_at is not None else accept,
        None if row.first_replied_at is not None else reply,
        limit.due_at,
        idle_since=work.now,
    )
    await ticket_limits.plan_anew(work, batch, row.id, row.cycle, live, days)
    return {"due_at": limit.due_at, "extension_days": row.extension_days + asked}


async def _reckoned_anew(  # noqa: PLR0913
    work: Work,
    batch: Batch,
    atlas: Atlas,
    row: Stored,
    decision: Decision,
    move: Move,
    changes: Mapping[str, Any],
    days: Calendar,
) -> dict[str, Any]:
    """Place or category were corrected: from the receipt, and these are the original limits."""
    rules = move.category.rules if move.category else DEFAULT
    urgency = atlas.urgency.read(f"{row.title}\n{row.description}", move.category)
    cut_off = urgency is not None and not urgency.danger
    found = limits(row.received_at, rules, days, urgent=row.urgent, cut_off=cut_off)
    accepted = changes.get("accepted_at", row.accepted_at) is not None
    replied = changes.get("first_replied_at", row.first_replied_at) is not None
    due = found.complete.due_at
    live = Live(
        None if accepted else found.accept.due_at, None if replied else found.reply.due_at, due, idle_since=work.now
    )
    await ticket_limits.reset(work, batch, row.id, found)
    await ticket_limits.plan_anew(work, batch, row.id, row.cycle, live, days)
    return {"due_at": due, "original_due_at": due, "corrected": decision.action is Action.DISPATCH}


async def go_on(work: Work, batch: Batch, row: Stored, days: Calendar) -> None:
    """A ticket that was merged runs again, by its own limits, as if it had waited. `row`: as it is then."""
    accept, reply = await ticket_limits.first_limits(work, row.id)
    live = Live(
        None if row.accepted_at is not None else accept,
        None if row.first_replied_at is not None else reply,
        row.due_at,
        idle_since=work.now,
    )
    await ticket_limits.plan_anew(work, batch, row.id, row.cycle, live, days)


def rules_of(atlas: Atlas, row: Stored) -> Rules:
    """Those of its category, else the defaults."""
    category = atlas.county.category(row.category_id)
    return category.rules if category else DEFAULT
