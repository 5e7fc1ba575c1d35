"""create_app: faces, error handlers, headers, and a refusal to start with an ungated route."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from app import api, pages
from app.base import log
from app.base.clock import Clock
from app.base.db import Database, unreachable
from app.base.running.memory import frugal
from app.base.running.patience import within
from app.base.running.readiness import at_newest
from app.base.secrets import Vault, secret_key
from app.base.spool import Spool
from app.base.work import Opener, Work
from app.domain.policy import Permission
from app.files.choosing import store_of
from app.files.disk import DiskStore
from app.files.store import Store
from app.rates import counters
from app.settings import Settings
from app.suggestion import kept
from app.tickets.queries import backlog
from app.web import metrics, openapi, problems
from app.web.gate import needs, refuse_ungated
from app.web.headers import SecurityHeaders
from app.web.limit import BodyLimit
from app.web.metrics import Measured, Metrics
from app.wechat import queries as messages
from app.wechat.intake import Intake
from app.wechat.replay import replaying
from app.wechat.routes import router as wechat_router

READY_SECONDS = 3.0
"""A database that never answers is as bad as one that is not there, and whoever asks waits no longer."""


def from_settings() -> FastAPI:
    """The application of a worker process: settings from the environment, which `o2o serve` has completed."""
    frugal()
    settings = Settings()
    key = secret_key(settings)
    log.configure(json=settings.mode == "production", level=settings.log_level, key=key.encode())
    # No line per request: that is the proxy's. uvicorn was told before log.configure gave its loggers back to all.
    logging.getLogger("uvicorn.access").propagate = False
    database = Database(settings.database_url, Clock(settings.offset), pool_size=settings.pool_size)
    return create_app(
        database,
        Vault(key),
        base_url=settings.base_url,
        demo=settings.mode == "demo",
        data_dir=settings.data_dir,
        metrics_token=settings.metrics_token.get_secret_value(),
        store=store_of(settings),
    )


def create_app(  # noqa: PLR0913 - each is a setting
    database: Database,
    vault: Vault,
    *,
    base_url: str = "http://127.0.0.1:8000",
    demo: bool = False,
    data_dir: Path | None = None,
    metrics_token: str = "",
    store: Store | None = None,
) -> FastAPI:
    """The whole HTTP service over `database`, which the application closes when it stops.

    `data_dir`: where messages are spooled while the database is away, and files are kept where no `store` is given;
    without it they are refused. A trained model for the suggestion of categories is looked for there too.
    """
    intake = Intake(vault, Spool(data_dir) if data_dir is not None else None)
    kept.look_in(data_dir)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with replaying(intake, database.open_work):
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
    app.state.intake = intake
    app.state.store = store if store is not None or data_dir is None else DiskStore(data_dir)
    app.state.base_url = base_url.rstrip("/")
    app.state.demo = demo
    problems.install(app)
    pages.dress(app)
    app.include_router(api.router)
    app.include_router(wechat_router)
    app.include_router(pages.router)
    _add_health(app, database, intake)
    counted = _add_metrics(app, database, intake, metrics_token)
    refuse_ungated(app)
    openapi.install(app)
    counted.know(app)
    # Around everything: added as middleware it would leave out the answer to a failure of ours (500).
    limited = BodyLimit(app.build_middleware_stack())
    app.middleware_stack = Measured(SecurityHeaders(limited, secure=_proxied(app)), counted)
    return app


def _proxied(app: FastAPI) -> bool:
    """https is what a proxy before us speaks: then this machine's own requests can't be told from the world's."""
    return str(app.state.base_url).startswith("https://")


def _add_metrics(app: FastAPI, database: Database, intake: Intake, token: str) -> Metrics:
    counted = Metrics(database)
    intake.counted = counted.pushed
    scrape = metrics.Scrape(database, _figures, lambda: intake.spool.count if intake.spool is not None else 0)
    metrics.install(app, counted, scrape, metrics.Readers(token, local=not _proxied(app)))
    return counted


async def _figures(work: Work) -> Mapping[str, int]:
    """What /metrics tells of the database."""
    tickets = await backlog.count(work.conn, work.now)
    return {
        "tickets_open": tickets.open,
        "tickets_overdue": tickets.overdue,
        "messages_kept": await messages.kept_waiting(work.conn),
        "rate_deltas": await counters.unfolded(work),
    }


def _add_health(app: FastAPI, database: Database, intake: Intake) -> None:
    @app.get("/healthz", tags=["运行"], summary="存活")
    async def alive(_: Annotated[Opener, needs(Permission.PUBLIC, later=True)]) -> dict[str, str]:
        """进程在运行。"""
        return {"status": "ok"}

    shape = dict[str, str | int]
    away: dict[int | str, Any] = {503: {"description": "数据库不可用，或结构不是本版本所需的", "model": shape}}

    @app.get("/readyz", tags=["运行"], summary="就绪", response_model=shape, responses=away)
    async def ready(_: Annotated[Opener, needs(Permission.PUBLIC, later=True)]) -> JSONResponse:
        """数据库可用，且结构是本版本所需的。spool：本机暂存、等数据库恢复后办理的公众号消息数。"""
        spool = await asyncio.to_thread(intake.spool.refresh) if intake.spool is not None else 0
        try:
            newest = await within(READY_SECONDS, at_newest(database.engine))
        except Exception as error:
            if not unreachable(error):
                raise
            return JSONResponse({"status": "down", "database": "away", "spool": spool}, status_code=503)
        said = {"status": "ok" if newest else "down", "database": "ok", "schema": "newest" if newest else "old"}
        return JSONResponse(said | {"spool": spool}, status_code=200 if newest else 503)
