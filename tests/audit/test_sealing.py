"""What is not linked yet is linked, and a day is sealed once, however many try."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from app.audit import jobs, sealing
from app.audit.queries import sealing as queries
from app.base.clock import Clock
from app.base.db import Database
from app.base.work import Work
from app.domain.policy import SYSTEM
from app.domain.vocabulary import Action
from tests.audit.conftest import Filed, Superuser, act, file, verified, within


async def join_all(work: Work) -> int:
    done, after = 0, None
    while after != 0:
        linked, on = await sealing.join(work, after or 0)
        done, after = done + linked, on or 0
    return done


async def test_what_was_written_before_there_were_chains_is_linked_and_said_to_have_been(work: Work) -> None:
    old = [await file(work, steps, chained=False) for steps in (5, 2)]
    new = await file(work)
    found, tally = await verified(within(work))
    assert (found, tally.behind, tally.joined) == ([], 7, 0)
    await act(work, old[0])
    assert await join_all(work) == 8
    assert await join_all(work) == 0, "once"
    found, tally = await verified(within(work))
    assert (found, tally.behind, tally.joined, tally.events) == ([], 0, 8, 13)
    last = "SELECT action, detail FROM office_event ORDER BY seq DESC LIMIT 1"
    assert tuple((await work.conn.execute(text(last))).one()) == ("trail.join", {"tickets": 2, "events": 8})
    for filed in (*old, new):
        await act(work, filed, said="后来的")
    found, tally = await verified(within(work))
    assert (found, tally.joined, tally.behind) == ([], 8, 0)


async def test_what_is_changed_after_it_was_linked_is_found(work: Work, superuser: Superuser) -> None:
    filed, other = await file(work, chained=False), await file(work, chained=False)
    await join_all(work)
    await superuser("UPDATE ticket_event SET action = 'visit' WHERE ticket_id = :i AND seq = 5", i=other.id)
    assert (await verified(within(work)))[0] == [f"{other.number} 5 head"]
    await act(work, filed)
    await superuser("UPDATE ticket_event SET action = 'visit' WHERE ticket_id = :i AND seq = 2", i=filed.id)
    found, _ = await verified(within(work))
    assert found == [f"{filed.number} 1-5 altered", f"{other.number} 5 head"], "before the first hash: somewhere there"


async def test_more_events_without_a_hash_than_were_linked_are_found(work: Work, superuser: Superuser) -> None:
    await file(work, chained=False)
    filed = await file(work)
    await join_all(work)
    await superuser("UPDATE ticket_event SET prev = NULL, hash = NULL WHERE ticket_id = :i AND seq = 2", i=filed.id)
    assert (await verified(within(work)))[0] == ["office altered"]


async def test_what_a_process_of_an_older_version_writes_in_between_is_linked_too(work: Work) -> None:
    filed = await file(work)
    await by_an_older_version(work, filed)
    await act(work, filed)
    found, tally = await verified(within(work))
    assert (found, tally.behind) == ([], 2)
    assert await join_all(work) == 2
    await act(work, filed)
    found, tally = await verified(within(work))
    assert (found, tally.behind, tally.joined) == ([], 0, 2)


async def by_an_older_version(work: Work, filed: Filed) -> None:
    event = "INSERT INTO ticket_event (ticket_id, seq, at, action, from_status, to_status, actor_kind, detail)"
    values = "SELECT id, version + 1, :now, 'note', status, status, 'system', '{}' FROM ticket WHERE id = :i"
    await work.conn.execute(text(f"{event} {values}"), {"now": work.now, "i": filed.id})
    await work.conn.execute(text("UPDATE ticket SET version = version + 1 WHERE id = :i"), {"i": filed.id})


async def test_a_head_that_was_taken_away_is_not_made_anew(work: Work, superuser: Superuser) -> None:
    filed = await file(work)
    await superuser("UPDATE ticket SET chain_head = NULL WHERE id = :i", i=filed.id)
    assert await join_all(work) == 0
    assert (await verified(within(work)))[0] == [f"{filed.number} head"]


async def test_a_day_is_sealed_once_and_with_what_is_new_since(work: Work) -> None:
    first, second = await file(work), await file(work)
    tomorrow, later = (Work(work.conn, work.now + timedelta(days=n), SYSTEM) for n in (1, 3))
    assert not await sealing.is_sealed(tomorrow)
    assert [await sealing.seal(tomorrow), await sealing.seal(tomorrow), await sealing.seal(work)] == [1, 0, 0]
    await act(work, second, Action.NOTE)
    assert await sealing.seal(later) == 1
    sealed = await work.conn.execute(
        text("SELECT day, ticket_id, substring(head, 1, 4) FROM sealed_head ORDER BY 1, 2")
    )
    assert [tuple(row) for row in sealed] == [
        (date(2026, 9, 22), first.id, b"\0\0\0\5"),
        (date(2026, 9, 22), second.id, b"\0\0\0\5"),
        (date(2026, 9, 24), second.id, b"\0\0\0\6"),
    ]
    newest = await queries.newest(work.conn)
    assert newest is not None
    assert newest[0] == date(2026, 9, 24)
    found, tally = await verified(within(work))
    assert (found, tally.anchors, tally.unsealed, tally.anchor) == ([], 2, 0, newest)


@pytest.mark.by_hand
async def test_many_workers_make_one_anchor_a_day(database: Database, clock: Clock) -> None:
    async with database.open_work(SYSTEM) as work:
        filed = [await file(work, chained=False) for _ in range(7)]
    done = await asyncio.gather(*(jobs.seal(database.open_work) for _ in range(4)))
    assert sum(done) >= 1
    assert await jobs.seal(database.open_work) == 0
    clock.advance(timedelta(days=1))
    async with database.open_work(SYSTEM) as work:
        await act(work, filed[3])
    await asyncio.gather(*(jobs.seal(database.open_work) for _ in range(4)))
    found, tally = await verified(database.open_work)
    assert (found, tally.anchors, tally.joined + tally.behind, tally.tickets) == ([], 2, 35, 7)


@pytest.mark.by_hand
async def test_many_who_act_at_once_keep_one_chain(database: Database) -> None:
    async with database.open_work(SYSTEM) as work:
        filed = [await file(work) for _ in range(3)]

    async def one(at: int) -> None:
        async with database.open_work(SYSTEM) as work:
            await act(work, filed[at % 3], said=f"第 {at} 句")

    await asyncio.gather(*(one(at) for at in range(60)))
    found, tally = await verified(database.open_work)
    assert (found, tally.events, tally.behind, tally.joined) == ([], 75, 0, 0)


@pytest.mark.by_hand
async def test_verifying_while_people_act_and_a_day_is_sealed_finds_nothing(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.audit.verifying.LOT", 2)
    async with database.open_work(SYSTEM) as work:
        filed = [await file(work) for _ in range(9)]
    await jobs.seal(database.open_work)
    clock.advance(timedelta(days=1))
    verifying = asyncio.create_task(verified(database.open_work))
    for one in filed:
        async with database.open_work(SYSTEM) as work:
            await act(work, one)
    await jobs.seal(database.open_work)
    found, _ = await verifying
    assert found == []
    found, tally = await verified(database.open_work)
    assert (found, tally.anchors, tally.unsealed) == ([], 2, 0)
