"""Sending files and using them, as the faces and the acts do it."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from app.base.batch import Batch
from app.base.clock import machine
from app.base.db import Database
from app.base.work import Work
from app.domain.policy import SYSTEM, Actor
from app.files import service
from app.files.disk import FOLDER, DiskStore
from app.files.queries import Kept
from app.files.store import StoreAway
from app.schema import files

COURIER, COLLEAGUE = "courier-430121001001001-1", "courier-430121105001001-1"
Named = Callable[[str], Awaitable[Actor]]
Acting = Callable[[Actor], AbstractAsyncContextManager[tuple[Work, int]]]


class Failing(DiskStore):
    """A real store whose disk fails while it is told to."""

    fails = False

    async def put(self, digest: str, content: bytes) -> None:
        self._may()
        await super().put(digest, content)

    async def get(self, digest: str) -> bytes | None:
        self._may()
        return await super().get(digest)

    def _may(self) -> None:
        if self.fails:
            raise StoreAway("told to")


def stored(tmp_path: Path) -> set[str]:
    folder = tmp_path / FOLDER
    return {path.parent.name + path.name for path in folder.rglob("*") if path.is_file()}


async def send(database: Database, store: DiskStore, who: Actor, content: bytes) -> Kept:
    async def read() -> bytes:
        return content

    return await service.upload(database.open_work, store, who, read)


async def count(database: Database, *conditions: object) -> int:
    async with database.open_work(SYSTEM) as work:
        query = select(func.count()).select_from(files).where(*conditions)  # type: ignore[arg-type]
        return (await work.conn.execute(query)).scalar_one()


async def use(acting: Acting, who: Actor, ids: Sequence[str]) -> int:
    """Files used by the opening of a ticket; its id."""
    async with acting(who) as (work, ticket_id):
        batch = Batch()
        service.link(batch, ticket_id, 1, await service.claim(work, ids))
        await batch.write(work.conn)
    return ticket_id


async def later(database: Database, hours: float) -> None:
    """As if all that was sent had been sent so much earlier."""
    async with database.open_work(SYSTEM) as work:
        await work.conn.execute(update(files).values(created_at=machine() - timedelta(hours=hours)))
