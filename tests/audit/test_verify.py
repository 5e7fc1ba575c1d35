"""`o2o audit verify` finds whatever a superuser does to the trail, and says where; nothing where nothing was done."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.audit import office, sealing
from app.audit.chain import START
from app.audit.office import OfficeAction
from app.audit.queries import sealing as queries
from app.base.work import Work
from tests.audit.conftest import Superuser, act, file, verified, within

COLUMNS = {
    "at": "at + interval '1 microsecond'",
    "action": "'visit'",
    "from_status": "'received'",
    "to_status": "'declined'",
    "actor_kind": "'staff'",
    "actor_id": "coalesce(actor_id, 0) + 1",
    "actor_role": "'principal'",
    "detail": """'{"approve": true}'""",
    "text_digest": "sha256('x')",
    "prev": "set_byte(prev, 31, get_byte(prev, 31) # 1)",
    "hash": "set_byte(hash, 0, get_byte(hash, 0) # 1)",
}


async def sealed(work: Work, days: int = 1) -> None:
    """A seal, as it is made `days` later."""
    assert await sealing.seal(Work(work.conn, work.now + timedelta(days=days), work.actor)) == 1


async def test_what_nobody_has_touched_verifies(work: Work) -> None:
    first, second = await file(work), await file(work, 2)
    await sealed(work)
    await act(work, second, said="已电话告知")
    found, tally = await verified(within(work))
    assert found == []
    assert (tally.tickets, tally.events, tally.texts, tally.erased) == (2, 8, 3, 0)
    assert (tally.joined, tally.behind, tally.unsealed, tally.differences) == (0, 0, 1, 0)
    assert first.id != second.id


@pytest.mark.parametrize("seq", [1, 4, 5])
@pytest.mark.parametrize("column", COLUMNS)
async def test_a_change_of_any_column_is_found_where_it_is(
    work: Work, superuser: Superuser, column: str, seq: int
) -> None:
    await file(work)
    filed = await file(work)
    change = f"UPDATE ticket_event SET {column} = {COLUMNS[column]} WHERE ticket_id = :i AND seq = :s"
    await superuser(change, i=filed.id, s=seq)
    found, _ = await verified(within(work))
    assert found == [f"{filed.number} {seq} altered"]


@pytest.mark.parametrize(
    "change",
    [
        "at = 'infinity'",
        "at = '-infinity'",
        "at = '0044-03-15 BC'",
        "at = '20000-01-01'",
        "detail = '[1]'",
        "detail = '1e400'",
        "detail = to_jsonb('texts'::text)",
        "detail = ('[1' || repeat('0', 5000) || ']')::jsonb",
        "detail = '[0.1]'",
        "to_status = repeat('x', 100000)",
    ],
)
async def test_nothing_that_can_be_put_into_a_row_stops_the_verifying(
    work: Work, superuser: Superuser, change: str
) -> None:
    filed = await file(work)
    await superuser(f"UPDATE ticket_event SET {change} WHERE seq = 3")
    assert (await verified(within(work)))[0] == [f"{filed.number} 3 altered"]


@pytest.mark.parametrize("columns", ["prev = NULL", "hash = NULL", "prev = NULL, hash = NULL"])
@pytest.mark.parametrize("seq", [2, 5])
async def test_a_hash_that_is_taken_away_is_found(work: Work, superuser: Superuser, columns: str, seq: int) -> None:
    filed = await file(work)
    await superuser(f"UPDATE ticket_event SET {columns} WHERE ticket_id = :i AND seq = :s", i=filed.id, s=seq)
    found, _ = await verified(within(work))
    assert found == [f"{filed.number} {seq} altered"]


async def test_an_event_that_was_moved_to_another_ticket_is_found_at_both(work: Work, superuser: Superuser) -> None:
    filed, other = await file(work), await file(work, 2)
    moved = "UPDATE ticket_event SET ticket_id = :o WHERE ticket_id = :i AND seq = 3"
    await superuser(moved, i=filed.id, o=other.id)
    found, _ = await verified(within(work))
    assert found == [f"{filed.number} 3 missing", f"{other.number} 3 added"]


@pytest.mark.parametrize("seq", [1, 3])
async def test_a_row_deleted_in_the_middle_is_found(work: Work, superuser: Superuser, seq: int) -> None:
    filed = await file(work)
    await superuser("DELETE FROM ticket_event WHERE ticket_id = :i AND seq = :s", i=filed.id, s=seq)
    found, _ = await verified(within(work))
    assert found == [f"{filed.number} {seq} missing"]


async def cut(superuser: Superuser, ticket_id: int, length: int) -> None:
    """Deletes what comes after so many events."""
    for table in ("event_text", "ticket_event"):
        await superuser(f"DELETE FROM {table} WHERE ticket_id = :i AND seq > :n", i=ticket_id, n=length)


async def cover_up(superuser: Superuser, ticket_id: int, length: int) -> None:
    """Makes the ticket's row say that there never were more."""
    head = f"(SELECT int4send({length}) || hash FROM ticket_event WHERE ticket_id = :i AND seq = {length})"
    await superuser(f"UPDATE ticket SET version = {length}, chain_head = {head} WHERE id = :i", i=ticket_id)


async def test_rows_deleted_at_the_end_are_found_by_what_the_tickets_row_says(work: Work, superuser: Superuser) -> None:
    filed = await file(work)
    await cut(superuser, filed.id, 4)
    assert (await verified(within(work)))[0] == [f"{filed.number} 5 missing"]
    await cut(superuser, filed.id, 2)
    assert (await verified(within(work)))[0] == [f"{filed.number} 3-5 missing"]
    await superuser("UPDATE ticket SET version = 2 WHERE id = :i", i=filed.id)
    assert (await verified(within(work)))[0] == [f"{filed.number} head", f"{filed.number} 3-5 missing"]


async def test_a_cut_that_is_covered_up_is_found_once_the_day_is_sealed_and_not_before(
    work: Work, superuser: Superuser
) -> None:
    filed, other = await file(work), await file(work)
    await sealed(work)
    await act(work, filed)
    await cut(superuser, filed.id, 5)
    await cover_up(superuser, filed.id, 5)
    found, tally = await verified(within(work))
    assert (found, tally.unsealed) == ([], 0), "out of reach, and the seal of the day before is kept"
    await cut(superuser, other.id, 3)
    await cover_up(superuser, other.id, 3)
    assert (await verified(within(work)))[0] == [f"{other.number} 4-5 missing"]


async def test_a_chain_rewritten_to_its_end_is_found_by_the_seal(work: Work, superuser: Superuser) -> None:
    filed = await file(work)
    await sealed(work)
    await rewrite(work, superuser, filed.id, 3, "actor_role = 'principal'")
    assert (await verified(within(work)))[0] == [f"{filed.number} 1-5 seal"]


async def rewrite(work: Work, superuser: Superuser, ticket_id: int, seq: int, change: str) -> None:
    """Alters an event and makes all hashes from there to the ticket's row fit it again."""
    await superuser(f"UPDATE ticket_event SET {change} WHERE ticket_id = :i AND seq = :s", i=ticket_id, s=seq)
    stored = (await queries.events_of(work.conn, [ticket_id]))[ticket_id]
    before = stored[seq - 2].hash if seq > 1 else START
    assert before is not None
    for one in stored[seq - 1 :]:
        after = one.entry.hash_after(before)
        hashes = "UPDATE ticket_event SET prev = :p, hash = :h WHERE ticket_id = :i AND seq = :s"
        await superuser(hashes, p=before, h=after, i=ticket_id, s=one.entry.seq)
        before = after
    await cover_up(superuser, ticket_id, len(stored))


async def test_a_row_rewritten_with_its_hash_is_found_by_the_next(work: Work, superuser: Superuser) -> None:
    filed = await file(work)
    await superuser("UPDATE ticket_event SET action = 'visit' WHERE ticket_id = :i AND seq = 3", i=filed.id)
    one = (await queries.events_of(work.conn, [filed.id]))[filed.id][2]
    assert one.prev is not None
    fitting = "UPDATE ticket_event SET hash = :h WHERE ticket_id = :i AND seq = 3"
    await superuser(fitting, h=one.entry.hash_after(one.prev), i=filed.id)
    assert (await verified(within(work)))[0] == [f"{filed.number} 3 altered"]


async def test_an_added_row_is_found(work: Work, superuser: Superuser) -> None:
    filed = await file(work)
    columns = "at, action, from_status, to_status, actor_kind, actor_id, actor_role, detail, text_digest"
    copied = f"INSERT INTO ticket_event (ticket_id, seq, {columns}, prev, hash) SELECT ticket_id, 6, {columns}"
    of = "FROM ticket_event WHERE ticket_id = :i AND seq = 3"
    for hashes in ("NULL, NULL", "prev, hash", "hash, sha256(hash)"):
        await superuser(f"{copied}, {hashes} {of}", i=filed.id)
        assert (await verified(within(work)))[0] == [f"{filed.number} 6 added"], hashes
        await superuser("DELETE FROM ticket_event WHERE ticket_id = :i AND seq = 6", i=filed.id)
    await superuser(f"{copied}, NULL, NULL {of}", i=filed.id)
    one = (await queries.events_of(work.conn, [filed.id]))[filed.id]
    before = one[4].hash
    assert before is not None
    fitting = "UPDATE ticket_event SET prev = :p, hash = :h WHERE ticket_id = :i AND seq = 6"
    await superuser(fitting, p=before, h=one[5].entry.hash_after(before), i=filed.id)
    assert (await verified(within(work)))[0] == [f"{filed.number} 6 added"], "however well it fits"


async def test_a_row_slipped_in_between_is_found_with_those_that_made_room(work: Work, superuser: Superuser) -> None:
    filed = await file(work, 3)
    for seq in (3, 2):
        await superuser("UPDATE ticket_event SET seq = seq + 1 WHERE ticket_id = :i AND seq = :s", i=filed.id, s=seq)
    columns = "at, action, from_status, to_status, actor_kind, actor_id, actor_role, detail, text_digest, prev, hash"
    slipped = f"INSERT INTO ticket_event (ticket_id, seq, {columns}) SELECT ticket_id, 2, {columns}"
    await superuser(f"{slipped} FROM ticket_event WHERE ticket_id = :i AND seq = 1", i=filed.id)
    found, _ = await verified(within(work))
    assert found == [f"{filed.number} {line}" for line in ("2 added", "3 reordered", "4 reordered")]


async def test_two_rows_that_changed_places_are_found(work: Work, superuser: Superuser) -> None:
    filed = await file(work)
    for seq, to in ((2, 102), (3, 2), (102, 3)):
        swap = "UPDATE ticket_event SET seq = :t WHERE ticket_id = :i AND seq = :s"
        await superuser(swap, i=filed.id, s=seq, t=to)
    found, _ = await verified(within(work))
    assert found == [f"{filed.number} 2 reordered", f"{filed.number} 3 reordered"]


async def test_an_altered_text_is_found_and_an_erased_one_leaves_the_trail_whole(
    work: Work, superuser: Superuser
) -> None:
    filed = await file(work)
    await superuser("UPDATE event_text SET text = '后天去看' WHERE ticket_id = :i AND seq = 4", i=filed.id)
    assert (await verified(within(work)))[0] == [f"{filed.number} 4 text"]
    await superuser("UPDATE event_text SET salt = NULL WHERE ticket_id = :i AND seq = 4", i=filed.id)
    assert (await verified(within(work)))[0] == [f"{filed.number} 4 text"]
    # Erased, the salt with it; nobody needs to get past any guard for that.
    await work.conn.execute(text("DELETE FROM event_text WHERE ticket_id = :i AND seq = 4"), {"i": filed.id})
    found, tally = await verified(within(work))
    assert (found, tally.erased, tally.texts) == ([], 1, 1)


async def test_a_text_put_where_none_was_is_found(work: Work, superuser: Superuser) -> None:
    filed = await file(work)
    await superuser("INSERT INTO event_text (ticket_id, seq, text) VALUES (:i, 2, '同意')", i=filed.id)
    assert (await verified(within(work)))[0] == [f"{filed.number} 2 text"]


@pytest.mark.parametrize(
    "change",
    [
        "chain_head = NULL",
        "chain_head = set_byte(chain_head, 35, get_byte(chain_head, 35) # 1)",
        "chain_head = substring(chain_head FROM 1 FOR 20)",
        "version = 4",
        "chain_head = (SELECT int4send(4) || hash FROM ticket_event e WHERE e.ticket_id = ticket.id AND seq = 4)",
    ],
)
async def test_what_the_tickets_row_says_of_the_chain_is_held_against_it(
    work: Work, superuser: Superuser, change: str
) -> None:
    filed = await file(work)
    await superuser(f"UPDATE ticket SET {change} WHERE id = :i", i=filed.id)
    found, _ = await verified(within(work))
    assert [line.split()[-1] for line in found] == ["head"]
    assert found[0].startswith(filed.number)


async def test_a_ticket_that_is_gone_whole_is_found_by_the_seal(work: Work, superuser: Superuser) -> None:
    filed, _ = await file(work), await file(work)
    await sealed(work)
    for table, column in (("event_text", "ticket_id"), ("ticket_event", "ticket_id"), ("ticket", "id")):
        await superuser(f"DELETE FROM {table} WHERE {column} = :i", i=filed.id)
    assert (await verified(within(work)))[0] == ["gone head", "gone 1-5 missing"]
    await superuser("DELETE FROM sealed_head WHERE ticket_id = :i", i=filed.id)
    assert (await verified(within(work)))[0] == ["2026-09-22 anchor"]


async def test_a_ticket_whose_row_alone_is_gone_is_found(work: Work, superuser: Superuser) -> None:
    filed = await file(work)
    await superuser("DELETE FROM ticket WHERE id = :i", i=filed.id)
    assert (await verified(within(work)))[0] == ["gone head"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_anchor SET digest = sha256('x') WHERE day = '2026-09-22'",
        "UPDATE audit_anchor SET heads = heads + 1 WHERE day = '2026-09-22'",
        "UPDATE audit_anchor SET sealed_at = sealed_at + interval '1 hour' WHERE day = '2026-09-22'",
        "UPDATE audit_anchor SET hash = sha256('x') WHERE day = '2026-09-22'",
        "UPDATE audit_anchor SET prev = sha256('x') WHERE day = '2026-09-22'",
        "UPDATE audit_anchor SET day = '2026-09-21' WHERE day = '2026-09-22'",
        "DELETE FROM audit_anchor WHERE day = '2026-09-22'",
        "DELETE FROM audit_anchor WHERE day = '2026-09-23'",
        "UPDATE sealed_head SET head = set_byte(head, 9, 1) WHERE day = '2026-09-22'",
        "UPDATE sealed_head SET day = '2026-09-23' WHERE day = '2026-09-22'",
        "DELETE FROM sealed_head WHERE day = '2026-09-23'",
    ],
)
async def test_a_seal_that_was_touched_is_found(work: Work, superuser: Superuser, change: str) -> None:
    await file(work)
    await sealed(work)
    await file(work)
    await sealed(work, 2)
    assert (await verified(within(work)))[0] == []
    await superuser(change)
    found, _ = await verified(within(work))
    assert {line.split()[-1] for line in found} & {"anchor"}


async def test_a_seal_made_anew_is_found_by_what_was_published(work: Work, superuser: Superuser) -> None:
    filed = await file(work)
    await sealed(work)
    _, tally = await verified(within(work))
    assert tally.anchor is not None
    published = dict([tally.anchor])
    assert (await verified(within(work), published=published))[0] == []
    await superuser("DELETE FROM audit_anchor")
    await superuser("DELETE FROM sealed_head")
    await rewrite(work, superuser, filed.id, 2, "actor_role = 'handler'")
    await sealed(work)
    assert (await verified(within(work)))[0] == [], "a superuser can make all of it anew"
    assert (await verified(within(work), published=published))[0] == ["2026-09-22 anchor"], "but not what is printed"


async def test_the_offices_own_trail_is_held_to_the_same(work: Work, superuser: Superuser) -> None:
    await superuser("DELETE FROM office_event")
    await superuser("DELETE FROM office_head")
    for kind in ("staff", "units", "staff"):
        await office.note(work, OfficeAction.DATA_IMPORT, {"kind": kind, "created": 3})
    await sealed(work)
    found, tally = await verified(within(work))
    assert (found, tally.office) == ([], 3)
    await superuser("""UPDATE office_event SET detail = '{"kind": "units", "created": 4}' WHERE seq = 2""")
    assert (await verified(within(work)))[0] == ["office 2 altered"]
    await superuser("DELETE FROM office_event WHERE seq = 2")
    assert (await verified(within(work)))[0] == ["office 2 missing"]
    await superuser("DELETE FROM office_event WHERE seq = 3")
    assert (await verified(within(work)))[0] == ["office 2-3 missing"]
    await superuser("DELETE FROM office_event")
    await superuser("DELETE FROM office_head")
    assert (await verified(within(work)))[0] == ["office 1-3 missing"], "the seal tells of it"


@pytest.mark.parametrize("table", ["ticket_event", "office_event", "sealed_head", "audit_anchor"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"],
    ids=["update", "delete", "truncate"],
)
async def test_the_database_itself_refuses_to_change_the_trail(work: Work, table: str, statement: str) -> None:
    column = {"sealed_head": "head", "audit_anchor": "digest"}.get(table, "action")
    with pytest.raises(DBAPIError, match=f"{table} is append-only"):
        await work.conn.execute(text(statement.format(table, column, column)))
