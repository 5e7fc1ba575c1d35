"""Finds what is wrong with one chain, and where. Pure: rows in, differences out.

Every row carries the hash that it follows and its own, so it proves itself wherever it stands, and the rows prove each
other; what the ticket's row and the seals say proves that none is missing at the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from app.audit.chain import START, Head, Linked
from app.domain.vocabulary import Word

_NEAR = 200
"""How far from its place a row is looked for: the office has thousands."""


class What(Word):
    """What is wrong."""

    ALTERED = "altered", "被改动"
    MISSING = "missing", "缺失"
    ADDED = "added", "是添加的"
    REORDERED = "reordered", "次序被调换"
    HEAD = "head", "链头不符"
    SEAL = "seal", "与封存不符"
    TEXT = "text", "文字被改动"
    ANCHOR = "anchor", "封存记录不符"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is wrong: with the links from `seq` to `upto` (None: that one), or with the whole (`seq` None)."""

    what: What
    seq: int | None = None
    upto: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A row as it is stored. `prev`, `hash` None: written without, and linked later."""

    entry: Linked
    prev: bytes | None
    hash: bytes | None

    @property
    def seq(self) -> int:
        return self.entry.seq

    @property
    def is_bare(self) -> bool:
        return self.prev is None and self.hash is None

    def place(self) -> int | None:
        """The seq that its hash is for: mostly its own; None where its content is not what was hashed."""
        if self.is_bare:
            return self.seq
        if self.prev is None or self.hash is None:
            return None
        near: Iterable[int] = (self.seq, *range(max(1, self.seq - _NEAR), self.seq + _NEAR))
        return next((seq for seq in near if self.entry.hash_after(self.prev, seq) == self.hash), None)


@dataclass(frozen=True, slots=True)
class Chain:
    """All that is stored of one chain. `links` by seq; `length`, `head` (packed): what its row says of it, None where
    there is no row; `sealed`: (day, packed head), by day."""

    links: Sequence[Link]
    length: int | None
    head: bytes | None
    sealed: Sequence[tuple[date, bytes]] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """`sound`: the links that are what and where they were. `bare`: those that were linked without a hash of their own.

    `behind`: how many no head tells of yet; `unsealed`: how many no seal tells of.
    """

    differences: Sequence[Difference]
    sound: frozenset[int]
    bare: Sequence[int]
    behind: int
    unsealed: int


@dataclass(slots=True)
class _Desk:
    """What is known while a chain is looked through. `slots`: each row at the seq that it proves; `ends`: heads that
    were written down; `most`: how many links there should be; `spoilt`: links that are not what they were."""

    slots: dict[int, Link] = field(default_factory=dict)
    ends: list[Head] = field(default_factory=list)
    most: int = 0
    spoilt: set[int] = field(default_factory=set)
    found: list[Difference] = field(default_factory=list)

    def add(self, what: What, seq: int | None = None, upto: int | None = None, detail: str = "") -> None:
        self.found.append(Difference(what, seq, upto if upto != seq else None, detail))


def examine(chain: Chain) -> Examined:
    """Everything that is wrong with it."""
    desk = _Desk()
    head = None if chain.head is None else Head.unpacked(chain.head)
    sealed = [(day, one) for day, packed in chain.sealed if (one := Head.unpacked(packed)) is not None]
    desk.ends = [one for _, one in sealed] + ([head] if head else [])
    told, end = max((one.length for _, one in sealed), default=0), head.length if head else 0
    strays = _place_all(chain, desk)
    desk.most = max(chain.length or 0, told, end)
    if chain.length is None:
        desk.most = max(desk.most, *desk.slots, 0)
        desk.add(What.HEAD, detail="记着链头的那一行不在了")
    _judge(desk, strays)
    hashes = _hashes(desk)
    if chain.length is not None:
        _judge_head(chain, head, hashes, desk)
    _judge_seals(sealed, hashes, desk)
    kept = desk.slots.items()
    return Examined(
        differences=sorted(desk.found, key=lambda one: one.seq or 0),
        sound=frozenset(seq for seq, link in kept if link.seq == seq and seq not in desk.spoilt),
        bare=sorted(seq for seq, link in kept if link.is_bare and seq <= end),
        behind=sum(link.is_bare for seq, link in kept if seq > end),
        unsealed=sum(seq > told for seq, _ in kept),
    )


def _place_all(chain: Chain, desk: _Desk) -> list[Link]:
    """Puts each row where its hash proves it to have been; returns those that prove nothing."""
    claims: dict[int | None, list[Link]] = {}
    for link in chain.links:
        claims.setdefault(link.place(), []).append(link)
    strays = claims.pop(None, [])
    built_upon = {one.hash for one in desk.ends} | {link.prev for link in chain.links}
    for place, links in claims.items():
        assert place is not None
        first, *others = sorted(links, key=lambda link: (link.hash not in built_upon, link.seq != place))
        desk.slots[place] = first
        for link in others:
            desk.add(What.ADDED, link.seq)
    return strays


def _judge(desk: _Desk, strays: Sequence[Link]) -> None:
    """What was altered, added, moved; and what is not there."""
    for link in strays:
        if link.seq in desk.slots or link.seq > desk.most:
            desk.add(What.ADDED, link.seq)
        else:
            desk.add(What.ALTERED, link.seq)
            desk.spoilt.add(link.seq)
    for seq in [seq for seq in desk.slots if seq > desk.most]:
        desk.add(What.ADDED, desk.slots.pop(seq).seq)
    for seq, link in desk.slots.items():
        if link.seq != seq:
            desk.add(What.REORDERED, link.seq, detail=f"原是第 {seq} 条")
    before = 0
    for seq in (*sorted(desk.slots.keys() | desk.spoilt), desk.most + 1):
        if seq - before > 1:
            desk.add(What.MISSING, before + 1, seq - 1)
        before = seq


def _hashes(desk: _Desk) -> dict[int, bytes]:
    """The hash of each link, where it is known. Where one does not follow from the one before, that was rewritten."""
    hashes: dict[int, bytes] = {}
    since = 1
    for seq in sorted(desk.slots):
        link = desk.slots[seq]
        before = START if seq == 1 else hashes.get(seq - 1)
        if link.hash is None:
            if before is not None:
                hashes[seq] = link.entry.hash_after(before)
            continue
        if before is not None and link.prev != before:
            first, last = (since, seq - 1) if seq > 1 else (1, 1)
            desk.add(What.ALTERED, first, last, "连同散列一起改写，后面的接不上")
            desk.spoilt.update(range(first, last + 1))
        hashes[seq], since = link.hash, seq
    return hashes


def _judge_head(chain: Chain, head: Head | None, hashes: Mapping[int, bytes], desk: _Desk) -> None:
    hashed = [seq for seq, link in desk.slots.items() if not link.is_bare]
    if head is None:
        if chain.head is not None or hashed:
            desk.add(What.HEAD, detail="链头被清空或改坏")
    elif (chain.length or 0) < head.length:
        desk.add(What.HEAD, detail=f"行上记着 {chain.length} 条，链头却是第 {head.length} 条的")
    elif max(hashed, default=0) > head.length:
        desk.add(What.HEAD, detail=f"链头停在第 {head.length} 条，后面还有")
    elif hashes.get(head.length, head.hash) != head.hash:
        desk.add(What.HEAD, head.length, detail="链头的散列不是这一条的")


def _judge_seals(sealed: Sequence[tuple[date, Head]], hashes: Mapping[int, bytes], desk: _Desk) -> None:
    """The first seal that the chain does not keep to: what it sealed was rewritten since, all the way to the end."""
    kept = 0
    for day, head in sealed:
        if hashes.get(head.length, head.hash) != head.hash:
            desk.add(What.SEAL, kept + 1, head.length, f"{day} 封存之后被改写")
            return
        kept = head.length
