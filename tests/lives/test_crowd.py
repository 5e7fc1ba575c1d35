"""Fifty people act on one ticket at the same moment: one wins, the others are told how it stands now.

CROWDS says on how many tickets (`make test-long`: 200).
"""

import asyncio
import os

from fastapi import FastAPI
from sqlalchemy import text

from app.base.db import Database
from app.domain.policy import SYSTEM
from tests.api.conftest import SignIn, app, sign_in, stranger

__all__ = ["app", "sign_in", "stranger"]

CROWDS, PEOPLE = int(os.environ.get("CROWDS", "3")), 50
VILLAGE, GRID = "430121001001", "430121001001001"
ACTORS = (f"courier-{GRID}-1", f"admin-{VILLAGE}", "admin-430121001", "admin-430121", "admin-430121-2")


async def test_of_fifty_who_act_at_once_one_wins_and_the_others_are_told(
    app: FastAPI, sign_in: SignIn, database: Database
) -> None:
    clients = [await sign_in(name) for name in ACTORS]
    for turn in range(CROWDS):
        body = {"description": "垃圾没人清", "channel": "group", "category": "C0103", "division_code": GRID}
        ticket = (await clients[1].post("/api/v1/tickets", json=body)).json()
        at, version = f"/api/v1/tickets/{ticket['number']}", ticket["version"]
        acts: tuple[tuple[str, dict[str, str]], ...] = (
            (f"{at}/start", {}),
            (f"{at}/reply", {"text": "就去"}),
            (f"{at}/visit", {"seen": "看过"}),
        )
        asked = [
            clients[n % len(clients)].post(path, json={**fields, "version": version})
            for n in range(PEOPLE)
            for path, fields in [acts[(n + turn) % len(acts)]]
        ]
        answers = await asyncio.gather(*asked)
        won = [answer for answer in answers if answer.status_code == 200]
        lost = [answer.json() for answer in answers if answer.status_code == 409]
        assert (len(won), len(lost)) == (1, PEOPLE - 1)
        now = won[0].json()
        assert {(one["status"], one["version"]) for one in lost} == {(now["status"], version + 1)}
    async with database.open_work(SYSTEM) as work:
        counted = await work.conn.execute(text("SELECT sum(version), count(*) FROM ticket"))
        events = await work.conn.execute(text("SELECT count(*) FROM ticket_event"))
        versions, tickets = counted.one()
        assert (versions, tickets) == (events.scalar_one(), CROWDS)
