"""Once a day: what is not linked yet is linked, and where every chain ends is sealed under one hash (an anchor).

An anchor says in 32 bytes, which can be printed and kept elsewhere, all that had happened by then: whoever changes it
afterwards, by whatever rights, has to change the anchor too.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from app.audit.chain import BEGIN, START, Anchor, Head, Heads
from app.audit.office import OfficeAction, note
from app.audit.queries import office, sealing
from app.audit.queries.rows import Stored
from app.base.work import Work
from app.domain.vocabulary import SHANGHAI

LOT = 500
"""Tickets whose chains are begun in one transaction."""


async def anchored(work: Work) -> dict[str, str] | None:
    """The last anchor, to be printed where nobody can take it back: its day, and its hash in hexadecimal."""
    last = await sealing.newest(work.conn)
    return None if last is None else {"day": last[0].isoformat(), "hash": last[1].hex()}


def due(work: Work) -> date:
    """The day that is to be sealed: the last one that is over."""
    return work.now.astimezone(SHANGHAI).date() - timedelta(days=1)


async def is_sealed(work: Work) -> bool:
    """Whether that day, or a later one, is sealed."""
    last = await sealing.newest(work.conn)
    return last is not None and last[0] >= due(work)


async def join(work: Work, after: int) -> tuple[int, int | None]:
    """Links events that were written without a hash (before there were chains, by processes of an older version) to the
    heads of their tickets; the rows themselves never change.

    It says what they are from now on, not that they were so before. `after`: a ticket id; returns how many events were
    linked, and behind which id to go on, None at the end.
    """
    found = await sealing.behind(work.conn, after, LOT)
    if not found:
        return 0, None
    events = await sealing.events_of(work.conn, [ticket.id for ticket in found])
    heads, linked = {}, 0
    for ticket in found:
        of_it = events.get(ticket.id, [])
        end = _linked(ticket.head, of_it)
        if end is not None:
            begun = Head.unpacked(ticket.head or BEGIN)
            linked += end.length - (begun.length if begun else 0)
            heads[ticket.id] = end.packed()
    if heads:
        await sealing.set_heads(work.conn, heads)
        await note(work, OfficeAction.TRAIL_JOIN, {"tickets": len(heads), "events": linked})
    return linked, found[-1].id


def _linked(head: bytes | None, events: Sequence[Stored]) -> Head | None:
    """Where the chain ends once the events behind its head are linked. None where there is nothing to link, or where
    something is wrong that `verify` is to find: an event that has a hash has a head that tells of it."""
    end = Head.unpacked(head or BEGIN)
    if end is None:
        return None
    behind = events[end.length :]
    if not behind or any(
        one.hash is not None or one.entry.seq != seq for seq, one in enumerate(behind, end.length + 1)
    ):
        return None
    for one in behind:
        end = Head(one.entry.seq, one.entry.hash_after(end.hash))
    return end


async def seal(work: Work) -> int:
    """Seals the day that is due, unless it is, or somebody else is at it. Returns how many anchors were made."""
    if not await sealing.take_turn(work.conn) or await is_sealed(work):
        return 0
    last, day = await sealing.newest(work.conn), due(work)
    await sealing.seal_heads(work.conn, day)
    heads = Heads()
    async for ticket_id, head in sealing.heads_of(work.conn, day):
        heads.add(ticket_id, head)
    end = await office.last_head(work.conn)
    anchor = Anchor(day, work.now, heads.count, heads.digest(), end.packed())
    before = START if last is None else last[1]
    await sealing.insert_anchor(work.conn, anchor, before, anchor.hash_after(before))
    return 1
