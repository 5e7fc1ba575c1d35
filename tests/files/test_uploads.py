"""Files come in, are used once by whoever sent them, and are never lost in silence."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from app.base.clock import machine
from app.base.db import Database
from app.base.running.health import State
from app.base.work import Work
from app.domain.errors import Busy, Forbidden, Invalid, TooMany
from app.domain.files import MOST_PER_ACT, MOST_UNUSED, FileType
from app.domain.policy import PUBLIC, SYSTEM, Actor
from app.files import health, jobs, service
from app.files.disk import FOLDER, DiskStore
from app.files.store import digest_of
from app.schema import file_links, files
from app.worker import jobs_with
from tests.files import nasty, recordings
from tests.files.sending import COLLEAGUE, Acting, Failing, Named, count, later, send, stored, use


async def test_a_photo_is_kept_small_and_by_digest(
    database: Database, store: Failing, courier: Actor, tmp_path: Path
) -> None:
    file = await send(database, store, courier, nasty.jpeg((3000, 2000), exif=nasty.exif()))
    assert file.content_type == FileType.PHOTO
    content = await service.content(store, file)
    assert (digest_of(content), len(content)) == (file.digest, file.bytes)
    assert nasty.SECRET.encode() not in content
    assert stored(tmp_path) == {file.digest}
    assert len(file.id) == 43


async def test_the_same_bytes_twice_are_two_files_and_one_object(
    database: Database, store: Failing, courier: Actor, actor: Named, tmp_path: Path
) -> None:
    sent = [(courier, nasty.jpeg()), (courier, nasty.jpeg()), (await actor(COLLEAGUE), nasty.jpeg())]
    found = [await send(database, store, who, content) for who, content in sent]
    assert len({file.id for file in found}) == 3
    assert stored(tmp_path) == {found[0].digest}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.empty"),
        (b"x", "file.type"),
        (nasty.SVG, "file.type"),
        (b"<?xml version='1.0'?>" + nasty.SVG, "file.type"),
        (nasty.HTML, "file.type"),
        (b"%PDF-1.7 \xff\xd8\xff", "file.type"),
        (b"MZ" + bytes(500), "file.type"),
        (nasty.archive(), "file.type"),
        (b"BM" + bytes(500), "file.type"),
        (nasty.HEIC, "file.heic"),
        (recordings.m4a(handler=b"vide"), "file.video"),
        (nasty.jpeg() + nasty.archive(), "file.foreign"),
        (nasty.bomb(8000, 8000), "file.pixels"),
        (nasty.frames("GIF"), "file.animated"),
        (nasty.jpeg()[:-200], "file.broken"),
        (recordings.wav()[:-5000], "file.broken"),
        (nasty.jpeg() + bytes(10 * 1024 * 1024), "file.too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_no_sound_photo_or_recording_is_refused_and_nothing_kept(
    database: Database, store: Failing, courier: Actor, tmp_path: Path, content: bytes, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await send(database, store, courier, content)
    assert refusal.value.code == code
    assert refusal.value.faults[0].pointer == "/file"
    assert any("\u4e00" <= character <= "\u9fff" for character in refusal.value.detail)
    assert stored(tmp_path) == set()
    assert await count(database) == 0


async def test_while_the_store_is_away_it_is_said_and_nothing_can_be_used(
    database: Database, store: Failing, courier: Actor, tmp_path: Path
) -> None:
    store.fails = True
    with pytest.raises(Busy, match="稍后"):
        await send(database, store, courier, nasty.jpeg())
    assert stored(tmp_path) == set()
    assert await count(database, files.c.stored) == 0
    store.fails = False
    file = await send(database, store, courier, nasty.jpeg())
    store.fails = True
    with pytest.raises(Busy, match="稍后"):
        await service.content(store, file)
    store.fails = False
    assert await service.content(store, file)


async def test_a_crash_between_the_bytes_and_the_last_commit_leaves_what_the_sweep_takes_away(
    database: Database, store: Failing, courier: Actor, tmp_path: Path
) -> None:
    """Killed at either place: the bytes half written, or written and their row never confirmed."""
    opened = 0

    @asynccontextmanager
    async def killed(who: Actor) -> AsyncIterator[Work]:
        nonlocal opened
        opened += 1
        if opened == 3:
            raise ConnectionAbortedError("killed")
        async with database.open_work(who) as work:
            yield work

    async def read() -> bytes:
        return nasty.jpeg()

    with pytest.raises(ConnectionAbortedError):
        await service.upload(killed, store, courier, read)
    assert len(stored(tmp_path)) == 1
    assert await count(database, files.c.stored) == 0
    assert await jobs.sweep(store, database.open_work) == 0
    await later(database, 25)
    assert await jobs.sweep(store, database.open_work) == 1
    assert (stored(tmp_path), await count(database)) == (set(), 0)


async def test_a_file_belongs_to_one_act_of_whoever_sent_it(
    database: Database, store: Failing, courier: Actor, actor: Named, acting: Acting
) -> None:
    photo = await send(database, store, courier, nasty.jpeg())
    sound = await send(database, store, courier, recordings.amr())
    other = await actor(COLLEAGUE)
    for who, ids, code in (
        (other, [photo.id], "file.unknown"),
        (courier, [photo.id, "no such file"], "file.unknown"),
        (courier, [photo.id, photo.id], "file.twice"),
        (courier, ["x"] * (MOST_PER_ACT + 1), "file.many"),
    ):
        with pytest.raises(Invalid) as refusal:
            await use(acting, who, ids)
        assert (refusal.value.code, refusal.value.faults[0].pointer) == (code, "/files")
    async with acting(courier) as (work, _):
        assert await service.photos(work, [sound.id, photo.id, "no such file"]) == 1
        assert await service.photos(work, []) == 0
        claimed = await service.claim(work, [sound.id, photo.id])
        found = [(one.id, one.digest, one.photo) for one in claimed]
        assert found == [(sound.id, sound.digest, False), (photo.id, photo.digest, True)]
        assert await service.claim(work, []) == ()
        await work.conn.rollback()
    await use(acting, courier, [photo.id, sound.id])
    with pytest.raises(Invalid) as refusal:
        await use(acting, courier, [photo.id])
    assert refusal.value.code == "file.used"


async def test_of_two_acts_at_once_one_gets_the_file(
    database: Database, store: Failing, courier: Actor, acting: Acting
) -> None:
    file = await send(database, store, courier, nasty.jpeg())
    done = await asyncio.gather(*(use(acting, courier, [file.id]) for _ in range(6)), return_exceptions=True)
    refused = [one for one in done if isinstance(one, Invalid)]
    assert (len(refused), len([one for one in done if isinstance(one, int)])) == (5, 1)
    assert {one.code for one in refused} == {"file.used"}
    async with database.open_work(SYSTEM) as work:
        assert (await work.conn.execute(select(func.count()).select_from(file_links))).scalar_one() == 1


async def test_an_act_that_is_refused_leaves_its_files_to_be_used(
    database: Database, store: Failing, courier: Actor, acting: Acting
) -> None:
    file = await send(database, store, courier, nasty.jpeg())
    async with acting(courier) as (work, _):
        await service.claim(work, [file.id])
        await work.conn.rollback()
    await use(acting, courier, [file.id])


async def test_what_nobody_has_used_for_a_day_goes_and_what_is_used_stays(
    database: Database, store: Failing, courier: Actor, acting: Acting, tmp_path: Path
) -> None:
    used, twin, unused, young = [
        await send(database, store, courier, content)
        for content in (nasty.jpeg(), nasty.jpeg(), nasty.jpeg((10, 10)), recordings.amr())
    ]
    await use(acting, courier, [used.id])
    await later(database, 25)
    async with database.open_work(SYSTEM) as work:
        await work.conn.execute(update(files).where(files.c.id == young.id).values(created_at=machine()))
    with pytest.raises(Invalid, match="超过一天"):
        await use(acting, courier, [unused.id])
    assert await jobs.sweep(store, database.open_work) == 2
    assert twin.digest == used.digest
    assert stored(tmp_path) == {used.digest, young.digest}
    assert await count(database) == 2
    assert await jobs.sweep(store, database.open_work) == 0


async def test_a_sweep_that_can_not_reach_one_goes_on_with_the_others(
    database: Database, store: Failing, courier: Actor, tmp_path: Path
) -> None:
    first = await send(database, store, courier, nasty.jpeg())
    await send(database, store, courier, nasty.jpeg((10, 10)))
    await later(database, 25)
    path = tmp_path / FOLDER / first.digest[:2] / first.digest[2:]
    path.unlink()
    path.mkdir()
    assert await jobs.sweep(store, database.open_work) == 1
    assert await count(database) == 1
    path.rmdir()
    assert await jobs.sweep(store, database.open_work) == 1


async def test_the_same_photo_sent_again_while_the_sweep_takes_the_old_one_is_there_afterwards(
    database: Database, courier: Actor, tmp_path: Path
) -> None:
    dropping, go = asyncio.Event(), asyncio.Event()

    class Slow(DiskStore):
        async def drop(self, digest: str) -> None:
            dropping.set()
            await go.wait()
            await super().drop(digest)

    store = Slow(tmp_path)
    await send(database, store, courier, nasty.jpeg())
    await later(database, 25)
    sweep = asyncio.create_task(jobs.sweep(store, database.open_work))
    await dropping.wait()
    again = asyncio.create_task(send(database, store, courier, nasty.jpeg()))
    # Time enough to find the bytes there, if it does not wait for the sweep.
    await asyncio.wait({again}, timeout=0.5)
    go.set()
    assert await sweep == 1
    assert await service.content(store, await again)


async def test_nobody_fills_the_disk_with_what_they_do_not_use(
    database: Database, store: Failing, courier: Actor, actor: Named
) -> None:
    await send(database, store, courier, nasty.jpeg())
    async with database.open_work(SYSTEM) as work:
        row = (await work.conn.execute(select(files))).mappings().one()
        await work.conn.execute(files.insert(), [dict(row) | {"id": f"{n}"} for n in range(MOST_UNUSED - 1)])
    with pytest.raises(TooMany):
        await send(database, store, courier, nasty.jpeg())
    assert await send(database, store, await actor(COLLEAGUE), nasty.jpeg())
    await later(database, 25)
    await jobs.sweep(store, database.open_work)
    assert await send(database, store, courier, nasty.jpeg())


async def test_whoever_would_wait_too_long_is_told_so_and_the_turn_goes_on(
    database: Database, store: Failing, courier: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "TURN_SECONDS", 0.05)
    async with service._turn:
        with pytest.raises(Busy, match="稍后"):
            await send(database, store, courier, nasty.jpeg())
    with pytest.raises(Invalid):
        await send(database, store, courier, nasty.SVG)
    assert await send(database, store, courier, nasty.jpeg())


async def test_strangers_and_the_clockwork_send_nothing(database: Database, store: Failing) -> None:
    for who in (PUBLIC, SYSTEM):
        with pytest.raises(Forbidden):
            await send(database, store, who, nasty.jpeg())


async def test_bytes_that_are_gone_or_spoilt_are_never_given_out(
    database: Database, store: Failing, courier: Actor, tmp_path: Path
) -> None:
    file = await send(database, store, courier, nasty.jpeg())
    path = tmp_path / FOLDER / file.digest[:2] / file.digest[2:]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")
    with pytest.raises(service.Lost):
        await service.content(store, file)
    path.unlink()
    with pytest.raises(service.Lost):
        await service.content(store, file)
    # Whoever still has the photo mends it by sending it again.
    await send(database, store, courier, nasty.jpeg())
    assert await service.content(store, file) == whole


async def test_doctor_counts_rows_without_their_bytes(
    database: Database, store: Failing, courier: Actor, tmp_path: Path
) -> None:
    assert (await health.writable(store)).state is State.OK
    assert (await health.whole(database.open_work, store)).said == "共 0 个，都在"
    gone, short, _ = [
        await send(database, store, courier, content)
        for content in (nasty.jpeg(), nasty.jpeg((10, 10)), recordings.amr())
    ]
    assert (await health.whole(database.open_work, store)).said == "共 3 个，都在"
    (tmp_path / FOLDER / gone.digest[:2] / gone.digest[2:]).unlink()
    (tmp_path / FOLDER / short.digest[:2] / short.digest[2:]).write_bytes(b"x")
    found = await health.whole(database.open_work, store)
    assert found.state is State.FAIL
    assert found.said.startswith("共 3 个，2 个在存储中缺失或长短不对")


async def test_a_store_that_can_not_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("no folder")
    found = await health.writable(DiskStore(tmp_path))
    assert (found.state, str(tmp_path / FOLDER) in found.said) == (State.FAIL, True)


async def test_the_worker_sweeps_files(database: Database, store: Failing, courier: Actor) -> None:
    await send(database, store, courier, nasty.jpeg())
    await later(database, 25)
    (sweep,) = (job for job in jobs_with(store) if job.name == "files.sweep")
    assert await sweep.run(database.open_work) == 1
