"""What is hashed, byte by byte, so that others can check it; and that no two events are hashed alike."""

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.chain import BEGIN, START, Anchor, Entry, Head, Heads, OfficeEntry, canonical, salt, text_digest, told
from app.domain.vocabulary import SHANGHAI, Action, Status

AT = datetime(2026, 9, 22, 10, 0, 0, 123456, tzinfo=SHANGHAI)
DIGEST = text_digest(bytes(range(16)), "明天上午去看")
ENTRY = Entry(
    ticket_id=17,
    seq=4,
    at=AT,
    action=Action.REPLY,
    from_status=Status.ACCEPTED,
    to_status=Status.IN_PROGRESS,
    actor_kind="staff",
    actor_id=305,
    actor_role="courier",
    detail=told({"on_behalf_of": 12, "cycle": 1, "why": '说"好"\n'}),
    text_digest=DIGEST,
)


def test_an_event_is_hashed_as_the_document_says() -> None:
    said = (
        '["minsheng.event.1","' + "ab" * 32 + '",17,4,1790042400123456,"reply","accepted","in_progress","staff",305,'
        '"courier",{"cycle":1,"on_behalf_of":12,"why":"说\\"好\\"\\n"},"' + DIGEST.hex() + '"]'
    )
    assert ENTRY.hash_after(bytes([0xAB]) * 32) == hashlib.sha256(said.encode()).digest()
    assert ENTRY.hash_after(START).hex() == "f1eaea8a154b0d765d83d0dccd8b37385be778d3f6335ab22f61b008b80c1224"
    bare = replace(ENTRY, seq=1, from_status=None, actor_kind="system", actor_id=None, actor_role=None, detail="{}")
    zeros = "00" * 32
    said = (
        f'["minsheng.event.1","{zeros}",17,1,1790042400123456,"reply",null,"in_progress","system",null,null,{{}},null]'
    )
    assert replace(bare, text_digest=None).hash_after(START) == hashlib.sha256(said.encode()).digest()


def test_a_text_is_hashed_behind_its_salt() -> None:
    assert hashlib.sha256(bytes(range(16)) + "明天上午去看".encode()).digest() == DIGEST
    assert DIGEST.hex() == "23fa1fe21cd3872eb9f6e7f2412a709422ab05501b22323893e74c338c328275"
    assert len({salt() for _ in range(100)}) == 100
    assert {len(salt()) for _ in range(10)} == {16}


def test_the_office_and_the_anchors_are_hashed_as_the_document_says() -> None:
    office = OfficeEntry(2, AT, "data.import", "system", None, None, told({"kind": "staff", "created": 3}))
    said = (
        '["minsheng.office.1","' + "00" * 32 + '",2,1790042400123456,"data.import","system",null,null,'
        '{"created":3,"kind":"staff"}]'
    )
    assert office.hash_after(START) == hashlib.sha256(said.encode()).digest()
    heads = Heads()
    heads.add(17, Head(4, bytes([1]) * 32).packed())
    heads.add(18, Head(1, bytes([2]) * 32).packed())
    packed = bytes(7) + b"\x11" + b"\0\0\0\4" + b"\1" * 32 + bytes(7) + b"\x12" + b"\0\0\0\1" + b"\2" * 32
    assert heads.digest() == hashlib.sha256(packed).digest()
    anchor = Anchor(date(2026, 9, 21), AT, heads.count, heads.digest(), BEGIN)
    said = (
        '["minsheng.anchor.1","' + "00" * 32 + '","2026-09-21",1790042400123456,2,"'
        f'{heads.digest().hex()}","{"00" * 36}"]'
    )
    assert anchor.hash_after(START) == hashlib.sha256(said.encode()).digest()


words = st.sampled_from([*Action, *Status]) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
numbers = st.integers(-(2**63), 2**63 - 1)
moments = st.datetimes(timezones=st.just(UTC)).filter(lambda at: 2 < at.year < 9998)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
entries = st.builds(
    Entry,
    ticket_id=numbers,
    seq=st.integers(1, 2**31 - 1),
    at=moments,
    action=words,
    from_status=st.none() | words,
    to_status=words,
    actor_kind=words,
    actor_id=st.none() | numbers,
    actor_role=st.none() | words,
    detail=st.dictionaries(words, values, max_size=3).map(told),
    text_digest=st.none() | st.binary(min_size=32, max_size=32),
)


@given(entries, entries)
def test_two_events_have_one_hash_only_if_they_are_one(one: Entry, other: Entry) -> None:
    shown = [[canonical(_shown(getattr(entry, f.name))) for f in fields(Entry)] for entry in (one, other)]
    assert (one.hash_after(START) == other.hash_after(START)) == (shown[0] == shown[1])


@given(entries, st.sampled_from([f.name for f in fields(Entry)]), st.data())
def test_any_change_of_any_field_changes_the_hash(entry: Entry, name: str, data: st.DataObject) -> None:
    fresh = getattr(data.draw(entries), name)
    changed = replace(entry, **{name: fresh})
    same = canonical(_shown(getattr(entry, name))) == canonical(_shown(fresh))
    assert (entry.hash_after(START) == changed.hash_after(START)) == same


def _shown(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


@given(entries, st.integers(-12, 12))
def test_the_zone_that_a_moment_is_told_in_makes_no_difference(entry: Entry, hours: int) -> None:
    elsewhere = replace(entry, at=entry.at.astimezone(timezone(timedelta(hours=hours))))
    assert elsewhere.hash_after(START) == entry.hash_after(START)


@given(st.dictionaries(words, values, max_size=4))
def test_what_comes_back_from_json_is_hashed_as_what_went_in(detail: dict[str, Any]) -> None:
    assert canonical(json.loads(json.dumps(detail))) == told(detail)


@pytest.mark.parametrize("value", [0.5, {"a": 1.0}, [1e22], {1: "a"}, b"x", AT])
def test_what_would_come_back_otherwise_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        told({"detail": value})


def test_a_head_is_packed_and_unpacked() -> None:
    head = Head(258, bytes(range(32)))
    assert head.packed() == b"\0\0\1\2" + bytes(range(32))
    assert Head.unpacked(head.packed()) == head
    assert Head.unpacked(BEGIN) == Head(0, START)
    assert [Head.unpacked(wrong) for wrong in (b"", head.packed()[:-1], head.packed() + b"x")] == [None] * 3
