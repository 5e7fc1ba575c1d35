"""Who reads a file, and how the views of tickets show them."""

from sqlalchemy import insert, select

from app.audit import service as audit
from app.audit.service import Event
from app.base.batch import Batch
from app.base.db import Database
from app.divisions.service import atlas
from app.domain.errors import Missing
from app.domain.policy import Actor
from app.domain.vocabulary import Action, Status
from app.files import service
from app.schema import households, tickets, visits
from app.tickets import attachments
from app.tickets.queries import attachments as queries
from tests.files import nasty, recordings
from tests.files.sending import COLLEAGUE, COURIER, Acting, Failing, Named, send, use


async def test_whoever_may_see_the_ticket_reads_its_files_and_whoever_sent_them(
    database: Database, store: Failing, courier: Actor, actor: Named, acting: Acting
) -> None:
    file = await send(database, store, courier, nasty.jpeg())

    async def reads(username: str, id_: str = file.id) -> bool:
        async with database.open_work(await actor(username), read=True) as work:
            try:
                return await attachments.readable(work, await atlas(work), id_) == file
            except Missing:
                return False

    assert [await reads(name) for name in (COURIER, "admin-430121", COLLEAGUE)] == [True, False, False]
    await use(acting, courier, [file.id])
    readers = (COURIER, "admin-430121", "principal-430121", COLLEAGUE, "admin-430121105", "operator-430121-1")
    assert [await reads(name) for name in readers] == [True, True, True, False, False, False]
    for none in ("", "x", "x" * 43, "\0" * 43):
        assert not await reads("admin-430121", none)


async def test_a_view_of_a_ticket_has_its_files_by_event(
    database: Database, store: Failing, courier: Actor, acting: Acting
) -> None:
    first, second = [await send(database, store, courier, content) for content in (nasty.jpeg(), recordings.amr())]
    async with acting(courier) as (work, ticket_id):
        batch = Batch()
        audit.record(work, batch, ticket_id, [Event(2, Action.NOTE, Status.RECEIVED, Status.RECEIVED)], None)
        service.link(batch, ticket_id, 2, await service.claim(work, [second.id]))
        await batch.write(work.conn)
        service.link(batch, ticket_id, 1, await service.claim(work, [first.id]))
        await batch.write(work.conn)
        query = select(queries.of_ticket(tickets.c.id)).where(tickets.c.id == ticket_id)
        assert (await work.conn.execute(query)).scalar_one() == [
            {"id": first.id, "content_type": "image/jpeg", "bytes": first.bytes, "event": 1},
            {"id": second.id, "content_type": "audio/amr", "bytes": second.bytes, "event": 2},
        ]
        await work.conn.rollback()


async def test_a_visit_at_a_household_has_its_files(
    database: Database, store: Failing, courier: Actor, acting: Acting
) -> None:
    file = await send(database, store, courier, nasty.jpeg())
    async with acting(courier) as (work, _):
        home = (await work.conn.execute(select(households.c.id).limit(1))).scalar_one()
        row = {"household_id": home, "staff_id": courier.id, "at": work.now, "seen": "屋顶漏雨"}
        visit_id = (await work.conn.execute(insert(visits).values(row).returning(visits.c.id))).scalar_one()
        batch = Batch()
        service.link_visit(batch, visit_id, await service.claim(work, [file.id]))
        await batch.write(work.conn)
        found = await queries.of_visits(work.conn, [visit_id, visit_id + 1])
        assert [(one.visit_id, one.id, one.bytes) for one in found] == [(visit_id, file.id, file.bytes)]
        await work.conn.rollback()
