"""Whatever is done to a chain, something is found; nothing is found where nothing was done. Pure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.audit.chain import BEGIN, START, Entry, Head, told
from app.audit.examining import Chain, Link, What, examine
from tests.audit.test_chain import ENTRY, entries

DAY = date(2026, 9, 22)


def link(before: bytes, seq: int, action: str = "note") -> Link:
    entry = replace(ENTRY, seq=seq, action=action, at=ENTRY.at + timedelta(minutes=seq))
    return Link(entry, before, entry.hash_after(before))


def chain(length: int, bare: int = 0, sealed: int = 0) -> Chain:
    """As many links, the first few of them without a hash, sealed after so many."""
    links, before, heads = [], START, [BEGIN]
    for seq in range(1, length + 1):
        one = link(before, seq)
        assert one.hash is not None
        links.append(replace(one, prev=None, hash=None) if seq <= bare else one)
        before = one.hash
        heads.append(Head(seq, before).packed())
    return Chain(links, length, heads[-1], [(DAY, heads[sealed])] if sealed else [])


lengths = st.integers(2, 9)


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    length = draw(lengths)
    return chain(length, draw(st.integers(0, length)), draw(st.integers(0, length)))


@given(chains())
def test_nothing_is_found_where_nothing_was_done(whole: Chain) -> None:
    found = examine(whole)
    assert found.differences == []
    assert found.sound == set(range(1, len(whole.links) + 1))
    assert found.behind == 0


def altered(whole: Chain, data: st.DataObject) -> Chain:
    at = data.draw(st.integers(0, len(whole.links) - 1))
    one, other = whole.links[at], data.draw(entries)
    assert isinstance(one.entry, Entry)
    name = data.draw(st.sampled_from(["ticket_id", "at", "action", "from_status", "to_status", "actor_kind", "actor_id",
                                      "actor_role", "detail", "text_digest"]))  # fmt: skip
    changed = Link(replace(one.entry, **{name: getattr(other, name)}), one.prev, one.hash)
    return _with(whole, at, changed)


def unhashed(whole: Chain, data: st.DataObject) -> Chain:
    at = data.draw(st.integers(0, len(whole.links) - 1))
    one = whole.links[at]
    both = {"prev": data.draw(st.binary(min_size=32, max_size=32)), "hash": data.draw(st.binary(max_size=33))}
    names = data.draw(st.sampled_from([("prev",), ("hash",), ("prev", "hash")]))
    fresh = {"prev": one.prev, "hash": one.hash} | {name: both[name] for name in names}
    return _with(whole, at, Link(one.entry, fresh["prev"], fresh["hash"]))


def removed(whole: Chain, data: st.DataObject) -> Chain:
    at = data.draw(st.integers(0, len(whole.links) - 1))
    return replace(whole, links=[*whole.links[:at], *whole.links[at + 1 :]])


def swapped(whole: Chain, data: st.DataObject) -> Chain:
    places = st.lists(st.integers(0, len(whole.links) - 1), min_size=2, max_size=2, unique=True)
    first, second = data.draw(places)
    one, other = whole.links[first], whole.links[second]
    assert isinstance(one.entry, Entry)
    assert isinstance(other.entry, Entry)
    half = _with(whole, first, replace(other, entry=replace(other.entry, seq=one.seq)))
    return _with(half, second, replace(one, entry=replace(one.entry, seq=other.seq)))


def appended(whole: Chain, data: st.DataObject) -> Chain:
    last = Head.unpacked(whole.head or BEGIN)
    assert last is not None
    before = data.draw(st.sampled_from([last.hash, START]))
    return replace(whole, links=[*whole.links, link(before, len(whole.links) + 1)])


def beheaded(whole: Chain, data: st.DataObject) -> Chain:
    at = data.draw(st.integers(0, len(whole.links) - 1))
    return replace(whole, head=Head(at, data.draw(st.binary(min_size=32, max_size=32))).packed())


def shortened(whole: Chain, data: st.DataObject) -> Chain:
    return replace(whole, length=data.draw(st.integers(0, len(whole.links) - 1)))


def _with(whole: Chain, at: int, one: Link) -> Chain:
    return replace(whole, links=[*whole.links[:at], one, *whole.links[at + 1 :]])


DEEDS: list[Callable[[Chain, st.DataObject], Chain]] = [
    altered, unhashed, removed, swapped, appended, beheaded, shortened,
]  # fmt: skip


@given(chains(), st.sampled_from(DEEDS), st.data())
def test_whatever_is_done_to_a_chain_is_found(
    whole: Chain, deed: Callable[[Chain, st.DataObject], Chain], data: st.DataObject
) -> None:
    touched = deed(whole, data)
    bare = {one.seq for one in whole.links if one.is_bare}
    if deed is beheaded and bare and touched.head == BEGIN:
        return
    found = examine(touched)
    if touched == whole:
        assert found.differences == []
    elif deed is beheaded and all(one.is_bare for one in whole.links):
        # Of a chain without any hash the head is all there is: a shorter one is a chain that is not linked yet.
        assert found.differences or found.behind
    else:
        assert found.differences, "something was done"


@given(lengths, st.data())
def test_one_change_among_hashed_links_is_found_in_its_place_alone(length: int, data: st.DataObject) -> None:
    whole = chain(length)
    at = data.draw(st.integers(1, length))
    one = whole.links[at - 1]
    assert isinstance(one.entry, Entry)
    other = replace(one.entry, detail=told({"cycle": 99}))
    found = examine(_with(whole, at - 1, Link(other, one.prev, one.hash)))
    assert [(d.what, d.seq, d.upto) for d in found.differences] == [(What.ALTERED, at, None)]
    assert found.sound == set(range(1, length + 1)) - {at}
    gone = examine(replace(whole, links=[*whole.links[: at - 1], *whole.links[at:]]))
    assert [(d.what, d.seq, d.upto) for d in gone.differences] == [(What.MISSING, at, None)]
