"""create_app: faces, error handlers, headers, and a refusal to start with an ungated route."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from app import api, pages, wechat
from app.base import log
from app.base.clock import Clock
from app.base.db import Database, unreachable
from app.base.migrate import at_newest
from app.base.secrets import Vault, secret_key
from app.base.work import Opener
from app.domain.policy import Permission
from app.settings import Settings
from app.web import openapi, problems
from app.web.gate import needs, refuse_ungated
from app.web.headers import SecurityHeaders
from app.web.limit import BodyLimit


def from_settings() -> FastAPI:
    """The application of a worker process: settings from the environment, which `o2o serve` has completed."""
    settings = Settings()
    key = secret_key(settings)
    log.configure(json=settings.mode == "production", level=settings.log_level, key=key.encode())
    database = Database(settings.database_url, Clock(settings.offset), pool_size=settings.pool_size)
    return create_app(database, Vault(key), base_url=settings.base_url, demo=settings.mode == "demo")


def create_app(
    database: Database, vault: Vault, *, base_url: str = "http://127.0.0.1:8000", demo: bool = False
) -> FastAPI:
    """The whole HTTP service over `database`, which the application closes when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await database.close()

    app = FastAPI(
        title="民生快递 Minsheng",
        version="0.1.0",
        description="长沙县党建O2O：群众在微信下单，干部在线下送单。",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.database = database
    app.state.vault = vault
    app.state.base_url = base_url.rstrip("/")
    app.state.demo = demo
    problems.install(app)
    pages.dress(app)
    app.include_router(api.router)
    app.include_router(wechat.router)
    app.include_router(pages.router)
    _add_health(app, database)
    refuse_ungated(app)
    openapi.install(app)
    # Around everything: added as middleware it would leave out the answer to a failure of ours (500).
    limited = BodyLimit(app.build_middleware_stack())
    app.middleware_stack = SecurityHeaders(limited, secure=base_url.startswith("https://"))
    return app


def _add_health(app: FastAPI, database: Database) -> None:
    @app.get("/healthz", tags=["运行"], summary="存活")
    async def alive(_: Annotated[Opener, needs(Permission.PUBLIC, later=True)]) -> dict[str, str]:
        """进程在运行。"""
        return {"status": "ok"}

    away: dict[int | str, Any] = {503: {"description": "数据库不可用，或结构不是本版本所需的", "model": dict[str, str]}}

    @app.get("/readyz", tags=["运行"], summary="就绪", response_model=dict[str, str], responses=away)
    async def ready(_: Annotated[Opener, needs(Permission.PUBLIC, later=True)]) -> JSONResponse:
        """数据库可用，且结构是本版本所需的。"""
        try:
            newest = await at_newest(database.engine)
        except Exception as error:
            if not unreachable(error):
                raise
            return JSONResponse({"status": "down", "database": "away"}, status_code=503)
        said = {"status": "ok" if newest else "down", "database": "ok", "schema": "newest" if newest else "old"}
        return JSONResponse(said, status_code=200 if newest else 503)
