"""What leaves a trace, and how: acts on tickets, history that is imported, imports, reports."""

from datetime import date

import pytest
from sqlalchemy import text

from app.audit import jobs
from app.audit import service as audit
from app.audit.chain import BEGIN, Head
from app.audit.service import Event
from app.base.batch import Batch
from app.base.db import Database
from app.base.work import Work
from app.domain.policy import SYSTEM, Actor, ActorKind
from app.domain.vocabulary import Action, Status
from app.imports import service as imports
from app.reports.service import monthly, revise
from tests.audit.conftest import Superuser, file, verified, within
from tests.conftest import MOMENT
from tests.imports.test_import_tickets import DONE, ROW, brought


async def last_of_office(work: Work) -> tuple[str, dict[str, object]]:
    found = await work.conn.execute(text("SELECT action, detail FROM office_event ORDER BY seq DESC LIMIT 1"))
    action, detail = found.one()
    return action, detail


def event(seq: int, **more: object) -> Event:
    return Event(seq, Action.NOTE, Status.RECEIVED, Status.RECEIVED, **more)  # type: ignore[arg-type]


def test_events_are_linked_one_behind_the_other_and_the_new_head_is_given(work_without_database: Work) -> None:
    work, batch = work_without_database, Batch()
    head = audit.record(work, batch, 17, [event(1, text="第一句"), event(2)], BEGIN)
    assert head is not None
    rows = list(next(iter(batch._rows.values())))
    assert (rows[0]["prev"], rows[1]["prev"]) == (BEGIN[4:], rows[0]["hash"])
    assert Head.unpacked(head) == Head(2, rows[1]["hash"])
    again = audit.record(work, Batch(), 17, [event(3)], head)
    assert again is not None
    assert again[:4] == b"\0\0\0\3"


@pytest.fixture
def work_without_database() -> Work:
    return Work(None, MOMENT, Actor(ActorKind.STAFF, 305))  # type: ignore[arg-type]


@pytest.mark.parametrize("head", [None, BEGIN, b"nonsense", Head(3, BEGIN[4:]).packed()])
def test_an_event_that_its_head_does_not_lead_up_to_is_not_linked(
    work_without_database: Work, head: bytes | None
) -> None:
    batch = Batch()
    assert audit.record(work_without_database, batch, 17, [event(3)], head) == head
    (row,) = next(iter(batch._rows.values()))
    assert (row["prev"], row["hash"]) == (None, None)


async def test_what_is_read_back_is_hashed_as_it_was_written(work: Work) -> None:
    await file(work, 3)
    detail = {"zeta": 1, "alpha": ["乙", None, True], "when": "2026-09-22", "node": {"b": 2, "a": -(2**53) - 1}}
    batch = Batch()
    filed = await file(work, 3)
    head = (await work.conn.execute(text("SELECT chain_head FROM ticket WHERE id = :i"), {"i": filed.id})).scalar_one()
    head = audit.record(work, batch, filed.id, [event(4, detail=detail, text="“好”\n\t\u2028😀")], head)
    change = text("UPDATE ticket SET version = 4, chain_head = :h WHERE id = :i")
    await work.conn.execute(change, {"h": head, "i": filed.id})
    await batch.write(work.conn)
    found, tally = await verified(within(work))
    assert (found, tally.events, tally.texts) == ([], 7, 1)


async def test_imported_history_is_linked_from_its_first_event_on(work: Work) -> None:
    await brought(work, DONE, ROW | {"external_id": "旧-2"})
    found, tally = await verified(within(work))
    assert (found, tally.events, tally.texts) == ([], 8, 3)
    assert (tally.joined, tally.behind, tally.loose_texts) == (0, 0, 0)


async def test_history_that_was_corrected_says_in_the_chain_what_its_texts_are_now(
    work: Work, superuser: Superuser
) -> None:
    await brought(work, DONE | {"rating": "", "rating_comment": ""})
    await brought(work, DONE | {"reply": "已安排人员", "rating_comment": "很快"})
    found, tally = await verified(within(work))
    assert (found, tally.texts, tally.erased) == ([], 2, 0)
    await brought(work, DONE | {"reply": "", "result": "已清运并冲洗"})
    found, tally = await verified(within(work))
    assert (found, tally.texts, tally.erased) == ([], 1, 1)
    await superuser("UPDATE event_text SET text = '已清运' WHERE text = '已清运并冲洗'")
    found, _ = await verified(within(work))
    assert [line.split()[-1] for line in found] == ["text"]


async def test_every_import_is_in_the_offices_trail_with_its_file(work: Work) -> None:
    await brought(work, ROW)
    action, detail = await last_of_office(work)
    assert action == "data.import"
    assert (detail["kind"], detail["created"], detail["updated"], detail["unchanged"]) == ("tickets", 1, 0, 0)
    first = detail["digest"]
    assert isinstance(first, str)
    assert len(first) == 64
    await brought(work, ROW)
    action, detail = await last_of_office(work)
    assert (detail["unchanged"], detail["digest"]) == (1, first)


async def test_an_import_that_is_refused_leaves_no_trace(database: Database) -> None:
    before = await trace(database)
    prepared = imports.prepare("units", "code,name,division_code\nU99,站,999999\n".encode())
    with pytest.raises(Exception, match="共 1 处错误"):
        await imports.run(database.open_work, prepared)
    assert await trace(database) == before


async def trace(database: Database) -> int:
    async with database.open_work(SYSTEM, read=True) as work:
        return int((await work.conn.execute(text("SELECT count(*) FROM office_event"))).scalar_one())


async def test_a_report_and_its_revisions_are_in_the_offices_trail(database: Database) -> None:
    async with database.open_work(SYSTEM, read=True) as work:
        place = (await work.conn.execute(text("SELECT id FROM division WHERE code = '430121'"))).scalar_one()
    august = ROW | {"received_at": "2026-08-03T09:00:00"}
    async with database.open_work(SYSTEM) as work:
        await brought(work, august)
    assert await jobs.seal(database.open_work) == 1
    august = ROW | {"received_at": "2026-08-05T09:00:00"}
    async with database.open_work(SYSTEM) as work:
        await brought(work, august)
    made = await monthly(database.open_work, place, "2026-08")
    anchor = made.parameters["anchor"]
    async with database.open_work(SYSTEM, read=True) as work:
        action, detail = await last_of_office(work)
    assert (action, detail["checksum"], detail["revision"]) == ("report.issue", made.checksum, 1)
    await monthly(database.open_work, place, "2026-08")
    async with database.open_work(SYSTEM) as work:
        await brought(work, august | {"external_id": "旧-2"})
    async with database.open_work(SYSTEM) as work:
        await brought(work, august | {"external_id": "旧-3"})
    revised = await revise(database.open_work, place, "2026-08", "补录")
    async with database.open_work(SYSTEM, read=True) as work:
        action, detail = await last_of_office(work)
    assert (action, detail["checksum"], detail["revision"]) == ("report.revise", revised.checksum, 2)
    published = {date.fromisoformat(anchor["day"]): bytes.fromhex(anchor["hash"])}
    found, tally = await verified(database.open_work, published=published)
    assert found == []
    assert tally.office >= 2
