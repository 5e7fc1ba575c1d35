"""`o2o audit verify`: the whole trail recomputed, a lot of tickets at a time, and every difference named.

What it can prove reaches as far as the last anchor, and no further back than where a chain was begun; `Tally` says how
much lies beyond.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from app.audit.chain import START, Anchor, Entry, Head, Heads, OfficeEntry, text_digest
from app.audit.examining import Chain, Difference, Examined, Link, What, examine
from app.audit.office import OfficeAction
from app.audit.queries import office, reading
from app.audit.queries.reading import Kept
from app.base.work import Work
from app.domain.errors import Missing
from app.domain.policy import SYSTEM, Actor

LOT = 1_000
_LAST_ID = 2**63 - 1


class Opens(Protocol):
    """A Database's open_work: a lot is read on one snapshot, so that nobody is caught in the middle of an act."""

    def __call__(self, actor: Actor, *, read: bool = False) -> AbstractAsyncContextManager[Work]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference and where it is: in a ticket's chain, in the seal of a day, or (neither) in the office's chain."""

    difference: Difference
    ticket_id: int | None = None
    number: str | None = None
    day: date | None = None


@dataclass(slots=True)
class Tally:
    """What was looked at. `erased`: texts that are gone, salt and all; `loose_texts`: of before the chains began.

    `joined`: events that were linked after they had been written; `behind`: that no head tells of yet; `unsealed`: that
    no seal tells of. `anchor`: the last seal, its day and hash.
    """

    tickets: int = 0
    events: int = 0
    office: int = 0
    anchors: int = 0
    texts: int = 0
    erased: int = 0
    loose_texts: int = 0
    joined: int = 0
    behind: int = 0
    unsealed: int = 0
    differences: int = 0
    anchor: tuple[date, bytes] | None = None


Hear = Callable[[Finding], None]
Progress = Callable[[int, int], None]
Anchors = Sequence[tuple[Anchor, bytes, bytes]]
"""Each with the hash that it follows and its own, by day."""
Office = Sequence[tuple[OfficeEntry, bytes, bytes]]
"""Likewise, in order."""
Published = Mapping[date, bytes]
"""Hashes of anchors as they were printed somewhere."""


async def verify(opens: Opens, hear: Hear, progress: Progress, published: Published | None = None) -> Tally:
    """Tells `hear` of every difference, as it is found. Read-only; constant memory."""
    run = _Run(hear)
    async with opens(SYSTEM, read=True) as work:
        total = await reading.count(work.conn)
        told = await reading.office(work.conn)
        run.begin(told, await reading.all_anchors(work.conn))
        run.look_at_office(told, await office.head(work.conn))
    after = -_LAST_ID
    progress(0, total)
    while True:
        async with opens(SYSTEM, read=True) as work:
            upto = await reading.last_of_next(work.conn, after, LOT)
            lot = {} if upto is None else await reading.kept(work.conn, after, upto)
        if upto is None:
            break
        for ticket_id, kept in lot.items():
            run.look_at(ticket_id, kept)
        after = upto
        progress(min(run.tally.tickets, total), total)
    async with opens(SYSTEM, read=True) as work:
        # A day may have been sealed meanwhile.
        run.end(await reading.all_anchors(work.conn), published or {})
    return run.tally


async def verify_one(opens: Opens, hear: Hear, number: str) -> Tally:
    """One ticket's chain, against its row and its seals; not the seals themselves. Raises Missing."""
    run = _Run(hear)
    async with opens(SYSTEM, read=True) as work:
        ticket_id = await reading.id_of(work.conn, number)
        if ticket_id is None:
            raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
        run.begin(await reading.office(work.conn), await reading.all_anchors(work.conn))
        for one, kept in (await reading.kept(work.conn, ticket_id - 1, ticket_id)).items():
            run.look_at(one, kept)
    return run.tally


@dataclass(slots=True)
class _Run:
    """One verification: what was found, and the digests of the seals as far as they have been read."""

    hear: Hear
    tally: Tally = field(default_factory=Tally)
    sealed: dict[date, Heads] = field(default_factory=dict)
    anchors: Anchors = ()
    allowed: int = 0

    def begin(self, told: Office, anchors: Anchors) -> None:
        """`told`: the office's trail, which says how many events may be without a hash of their own."""
        self.allowed, self.anchors = sum(_joined(entry) for entry, _, _ in told), anchors
        self.tally.anchors = len(anchors)
        if anchors:
            self.tally.anchor = (anchors[-1][0].day, anchors[-1][2])

    def look_at_office(self, told: Office, head: bytes | None) -> None:
        links = [Link(*row) for row in told]
        end = None if head is None else Head.unpacked(head)
        length = end.length if end else None if links or head else 0
        self.tally.office = len(links)
        sealed = [(anchor.day, anchor.office) for anchor, _, _ in self.anchors]
        for difference in examine(Chain(links, length, head, sealed)).differences:
            self.tell(Finding(difference))

    def look_at(self, ticket_id: int, kept: Kept) -> None:
        """One ticket: its chain and its texts."""
        row, tally = kept.row, self.tally
        tally.tickets += 1
        tally.events += len(kept.events)
        for day, head in kept.sealed:
            self.sealed.setdefault(day, Heads()).add(ticket_id, head)
        links = [Link(one.entry, one.prev, one.hash) for one in kept.events]
        chain = Chain(links, row.version if row else None, row.head if row else None, kept.sealed)
        found = examine(chain)
        tally.joined += len(found.bare)
        tally.behind += found.behind
        tally.unsealed += found.unsealed
        unproven = found.bare if not self.allowed else ()
        bare = [Difference(What.ALTERED, seq, detail="散列被清空") for seq in unproven]
        for difference in (*found.differences, *bare, *self._texts(kept, found)):
            self.tell(Finding(difference, ticket_id, row.number if row else None))

    def _texts(self, kept: Kept, found: Examined) -> Iterable[Difference]:
        said = _said(kept, found)
        for one in kept.events:
            seq = one.entry.seq
            if seq not in found.sound:
                continue
            digest, text = said.get(seq), kept.texts.get(seq)
            self.tally.texts += text is not None
            if text is None:
                self.tally.erased += digest is not None
            elif digest is None and one.hash is None:
                self.tally.loose_texts += 1
            elif digest is None:
                yield Difference(What.TEXT, seq, detail="当时没有文字")
            elif text[1] is None or text_digest(text[1], text[0]) != digest:
                yield Difference(What.TEXT, seq, detail="与当时的摘要不符")

    def end(self, anchors: Anchors, published: Published) -> None:
        """The seals: each of what it says it is of, behind the one before. `anchors`: those that there are by now."""
        before = START
        for anchor, prev, own in self.anchors:
            for detail in _wrong_with(anchor, self.sealed.pop(anchor.day, Heads())):
                self.tell(Finding(Difference(What.ANCHOR, detail=detail), day=anchor.day))
            if anchor.hash_after(prev) != own:
                self.tell(Finding(Difference(What.ANCHOR, detail="封存记录被改动"), day=anchor.day))
            elif prev != before:
                self.tell(Finding(Difference(What.ANCHOR, detail="接不上前一个封存日"), day=anchor.day))
            before = own
        there = {anchor.day: own for anchor, _, own in anchors}
        # A day that was sealed meanwhile is seen in parts only: the next time.
        for day in sorted(self.sealed.keys() - there.keys()):
            self.tell(Finding(Difference(What.ANCHOR, detail="封存记录不在了"), day=day))
        for day, printed in published.items():
            if there.get(day) != printed:
                self.tell(Finding(Difference(What.ANCHOR, detail="与公布的不一样"), day=day))
        if self.tally.joined > self.allowed > 0:
            detail = f"没有散列的历程有 {self.tally.joined} 条，补链记录只有 {self.allowed} 条"
            self.tell(Finding(Difference(What.ALTERED, detail=detail)))

    def tell(self, finding: Finding) -> None:
        self.tally.differences += 1
        self.hear(finding)


def _said(kept: Kept, found: Examined) -> dict[int, bytes]:
    """The digest of each event's text as the chain has it at last: what came in its place is told by a later event."""
    said: dict[int, bytes] = {}
    for one in kept.events:
        entry = one.entry
        if entry.seq not in found.sound:
            continue
        if entry.text_digest is not None:
            said[entry.seq] = entry.text_digest
        said |= _again(entry)
    return said


def _again(entry: Entry) -> dict[int, bytes]:
    if '"texts"' not in entry.detail:
        return {}
    again = json.loads(entry.detail).get("texts", {})
    return {int(seq): bytes.fromhex(digest) for seq, digest in again.items()}


def _joined(entry: OfficeEntry) -> int:
    if entry.action != OfficeAction.TRAIL_JOIN:
        return 0
    detail = json.loads(entry.detail)
    events = detail.get("events") if isinstance(detail, dict) else None
    return events if isinstance(events, int) else 0


def _wrong_with(anchor: Anchor, there: Heads) -> Iterable[str]:
    if anchor.heads != there.count:
        yield f"封存时 {anchor.heads} 件，现有 {there.count} 件"
    elif anchor.digest != there.digest():
        yield "封存的清单被改动"
