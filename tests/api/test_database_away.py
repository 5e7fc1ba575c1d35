"""What callers are told while PostgreSQL can't be reached, and what is a fault of ours all the same."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.base.clock import Clock
from app.base.db import Database, unreachable
from app.base.secrets import Vault
from app.domain.policy import SYSTEM
from app.main import create_app

SAID = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
STARTING = b"E" + (len(SAID) + 4).to_bytes(4, "big") + SAID
"""PostgreSQL's ErrorResponse (protocol 3.0) while it restarts."""


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked = await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
    if asked == (80877103).to_bytes(4, "big"):  # SSLRequest: no, and then the start-up packet
        writer.write(b"N")
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
    writer.write(STARTING)
    await writer.drain()
    writer.close()


@pytest.fixture
async def restarting(vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    """The application over a server that says 57P03 to everybody."""
    server = await asyncio.start_server(_refuse, "127.0.0.1", 0)
    database = Database(f"postgresql://o2o:x@127.0.0.1:{server.sockets[0].getsockname()[1]}/o2o", Clock())
    transport = httpx.ASGITransport(app=create_app(database, vault), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://minsheng.test") as client:
        yield client
    await database.close()
    server.close()
    await server.wait_closed()


async def test_while_the_database_restarts_callers_are_asked_to_come_again(restarting: httpx.AsyncClient) -> None:
    answer = await restarting.get("/api/v1/me", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "/problems/database.busy"
    assert (await restarting.get("/board")).status_code == 503
    assert (await restarting.get("/readyz")).json() == {"status": "down", "database": "away", "spool": 0}
    assert (await restarting.get("/healthz")).status_code == 200


async def test_an_error_inside_a_database_that_is_there_is_not_taken_for_its_absence(database: Database) -> None:
    for statement in ("SELECT 1 / 0", "SELECT nothing"):
        with pytest.raises(DBAPIError) as raised:
            async with database.open_work(SYSTEM) as work:
                await work.conn.execute(text(statement))
        assert not unreachable(raised.value)
    assert unreachable(PoolTimeout())
    assert unreachable(ConnectionRefusedError())
    assert not unreachable(OperationalError("SELECT 1", None, Exception("of no state")))
