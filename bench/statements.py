"""How many statements, and how many round trips, the product's own code sends for one request."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import event

from app.base.db import Database
from app.base.secrets import Vault
from app.main import create_app
from bench.place import KEY, Place

_INNER = re.compile(r"\([^()]*\)")
_APART = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")


@dataclass(slots=True)
class Sentences:
    """What was sent since `clear`: `statements` by SQLAlchemy, and `framing` by the driver on its own."""

    statements: list[str] = field(default_factory=list)
    framing: list[str] = field(default_factory=list)

    def clear(self) -> None:
        self.statements.clear()
        self.framing.clear()

    @property
    def trips(self) -> int:
        """Round trips: once prepared, a statement takes one; BEGIN and COMMIT, one each."""
        return len(self.statements) + len(self.framing)

    @property
    def counted(self) -> list[str]:
        """The statements that the budget counts: savepoint and release apart."""
        return [sentence for sentence in self.statements if not sentence.startswith(_APART)]


@asynccontextmanager
async def listening(place: Place) -> AsyncIterator[tuple[httpx.AsyncClient, Sentences]]:
    """The product in this process, with an ear on its database."""
    async with hearing(place) as (database, heard):
        transport = httpx.ASGITransport(app=create_app(database, Vault(KEY)))
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            yield client, heard


@asynccontextmanager
async def hearing(place: Place) -> AsyncIterator[tuple[Database, Sentences]]:
    """The product's own door to the database, with an ear on it."""
    heard = Sentences()
    async with place.opened() as database:
        _listen(database, heard)
        yield database, heard


def _listen(database: Database, heard: Sentences) -> None:
    def executed(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        heard.statements.append(_first_words(statement))

    def connected(connection: Any, _record: Any) -> None:
        # The driver reports what it sends unprepared (BEGIN, COMMIT, RESET); SQLAlchemy prepares all that is its own.
        connection.driver_connection.add_query_logger(lambda record: heard.framing.append(_first_words(record.query)))

    event.listen(database.engine.sync_engine, "before_cursor_execute", executed)
    event.listen(database.engine.sync_engine, "connect", connected)


def _first_words(statement: str) -> str:
    """Enough of a statement to know it by; what stands in parentheses is not."""
    while statement != (outer := _INNER.sub("", statement)):
        statement = outer
    words = statement.split()
    if words and words[0] in ("SELECT", "WITH") and "FROM" in words:
        where = words.index("FROM")
        return " ".join((words[0], "…", *words[where : where + 2]))
    return " ".join(words[:3])


def sentence(what: str, heard: Sentences, most: int) -> str:
    """A note for the report."""
    count = len(heard.counted)
    verdict = "met" if count <= most else "MISSED"
    return f"{what}: {count} statements (≤ {most}: {verdict}), {heard.trips} round trips: {'; '.join(heard.counted)}"
