"""Headers that every answer has, a failure of ours included."""

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from app.base.db import Database
from app.domain.policy import SYSTEM


async def test_every_answer_has_the_security_headers_a_failure_too(
    app: FastAPI, stranger: httpx.AsyncClient, database: Database
) -> None:
    async with database.open_work(SYSTEM) as work:
        await work.conn.execute(text("ALTER TABLE session RENAME TO session_away"))
    try:
        failed = await stranger.get("/api/v1/me", headers={"Authorization": "Bearer x"})
    finally:
        async with database.open_work(SYSTEM) as work:
            await work.conn.execute(text("ALTER TABLE session_away RENAME TO session"))
    assert (failed.status_code, failed.json()["type"]) == (500, "/problems/server.failed")
    for answer in (
        failed,
        await stranger.get("/board"),
        await stranger.get("/api/v1/me"),
        await stranger.get("/nowhere"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (await stranger.get("/api/v1/me")).headers["cache-control"] == "no-store"
