"""The application over a database of its own, in a loop of its own thread, so that a state machine can drive it."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text

from app.base.db import Database
from app.base.secrets import Vault
from app.demo.county import DemoCounty
from app.domain.policy import SYSTEM
from app.main import create_app
from tests import conftest
from tests.balance import in_balance
from tests.lives.model import Person

_OF_TICKETS = (
    "ticket_event", "event_text", "ticket_limit", "step", "assignment", "outbox", "rating", "visit",
)  # fmt: skip
_DUMP = (
    "SELECT md5(coalesce(string_agg(x, '' ORDER BY x), '')) FROM ("
    + " UNION ALL ".join(
        [
            "SELECT to_jsonb(t)::text AS x FROM ticket t",
            *(f"SELECT to_jsonb(x)::text FROM {table} x" for table in _OF_TICKETS),
            "SELECT to_jsonb(d)::text FROM rate_delta d",
        ]
    )
    + ") all_of_it"
)
_MILESTONES = """
SELECT number FROM ticket WHERE accepted_at < received_at OR completed_at < accepted_at OR closed_at < completed_at
    OR completed_at < first_replied_at OR (first_replied_at < accepted_at AND NOT appealed AND merged_into_id IS NULL)
    OR (accepted_at IS NOT NULL AND status = 'received')
    OR (accepted_at IS NULL AND status IN ('accepted', 'in_progress'))
    OR (completed_at IS NULL) <> (status NOT IN ('completed', 'closed')) AND status <> 'merged'
    OR num_nonnulls(responsible_division_id, responsible_unit_id) <> 1
"""
_TRAIL = """
SELECT t.number FROM ticket t LEFT JOIN LATERAL (
    SELECT count(*) AS n, max(seq) AS last, (array_agg(to_status ORDER BY seq DESC))[1] AS state
    FROM ticket_event WHERE ticket_id = t.id) e ON true
WHERE (e.n, e.last, e.state) IS DISTINCT FROM (t.version::bigint, t.version, t.status)
"""
_ACTED = """
SELECT u.username FROM ticket t JOIN assignment a ON a.ticket_id = t.id JOIN staff u ON u.id = a.person_id
WHERE t.number = :n UNION
SELECT u.username FROM ticket t JOIN ticket_event e ON e.ticket_id = t.id AND e.actor_kind = 'staff'
    AND e.action NOT IN ('note', 'rate') JOIN staff u ON u.id = e.actor_id WHERE t.number = :n
"""


class World:
    """Opened once; `begin` makes it fresh for the next life."""

    def __init__(self, server: str, demo: DemoCounty, vault: Vault, people: Sequence[Person]) -> None:
        self._server, self._demo, self._vault, self._people = server, demo, vault, people
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stack = AsyncExitStack()
        self.requests = 0

    def __enter__(self) -> "World":
        self._thread.start()
        self.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(120)

    async def _open(self) -> None:
        template = await conftest._county_template(self._server, self._demo, self._vault)
        self.database: Database = await self._stack.enter_async_context(conftest._copy(self._server, template))
        app = create_app(self.database, self._vault)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.clients: dict[str, httpx.AsyncClient] = {}
        for name in (*(one.username for one in self._people), ""):
            client = httpx.AsyncClient(transport=transport, base_url="http://minsheng.test")
            self.clients[name] = await self._stack.enter_async_context(client)

    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        async def template() -> str:
            return await conftest._county_template(self._server, self._demo, self._vault)

        await conftest._restore(self._server, self.database, conftest.COUNTY, template)
        passwords = {user.username: user.password for user in self._demo.users}
        for name, client in self.clients.items():
            if name:
                body = {"username": name, "password": passwords[name]}
                answer = await self.clients[""].post("/api/v1/sessions", json=body)
                client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def ask(self, who: str, method: str, path: str, body: object = None) -> httpx.Response:
        self.requests += 1
        answer: httpx.Response = self.run(self.clients[who].request(method, f"/api/v1{path}", json=body))
        assert answer.status_code < 500, (who, method, path, body, answer.text)
        return answer

    def advance(self, hours: int) -> None:
        self.database.clock.advance(timedelta(hours=hours))

    def dump(self) -> str:
        """The same text as long as nothing of any ticket has changed."""
        return str(self.run(self._scalars(_DUMP))[0])

    def sound(self) -> None:
        """Milestones in order, one responsible node, the trail whole, counters and steps as they must be."""
        assert self.run(self._scalars(_MILESTONES)) == []
        assert self.run(self._scalars(_TRAIL)) == []
        self.run(in_balance(self.database))

    def acted(self, number: str) -> set[str]:
        return set(self.run(self._scalars(_ACTED, n=number)))

    def code(self, number: str) -> str | None:
        codes = self.run(self._scalars("SELECT rating_code FROM ticket WHERE number = :n", n=number))
        return None if codes[0] is None else str(codes[0])

    async def _scalars(self, query: str, **values: object) -> list[Any]:
        async with self.database.open_work(SYSTEM) as work:
            return list((await work.conn.execute(text(query), values)).scalars())
