"""/metrics for Prometheus: what was asked and how long it took, and how much waits. Never who, nor which ticket.

Under `o2o serve --workers` the processes count into files of one folder (PROMETHEUS_MULTIPROC_DIR, which serve makes),
and whichever is asked answers for all of them.
"""

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from time import monotonic, perf_counter
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.base import log
from app.base.db import Database, unreachable
from app.base.running.patience import within
from app.base.work import Opener, Work
from app.domain.errors import Forbidden, Unknown
from app.domain.policy import SYSTEM, Permission
from app.web.gate import needs

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own name for it: it looks at it when it is imported."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds. Up to 2 a request may wait for a connection; after 5 WeChat has hung up."""
FRESH_SECONDS = 10.0
"""However often it is scraped, the database is asked for its figures no oftener."""
PATIENCE = 3.0
OTHER = "other"
"""The label of addresses that are none of ours, and of methods that nobody uses."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")

Figures = Callable[[Work], Awaitable[Mapping[str, int]]]
"""What the database knows: how many, by the names in WAITING."""
WAITING = {
    "tickets_open": "未办结的事项",
    "tickets_overdue": "其中已过办结期限的",
    "messages_kept": "留待人工处理的公众号消息",
    "rate_deltas": "尚未汇总的计数",
}
_logger = log.get(__name__)


class Metrics:
    """What one application counts, in a registry of its own."""

    def __init__(self, database: Database) -> None:
        self.registry = kept = CollectorRegistry()
        self._pool = database.engine.pool
        self._requests = Counter("o2o_http_requests", "答复的请求", ("method", "route", "status"), registry=kept)
        said = "从收到请求到答复完毕的秒数"
        labels = ("method", "route")
        self._seconds = Histogram("o2o_http_request_seconds", said, labels, buckets=BUCKETS, registry=kept)
        self._pushes = Counter("o2o_wechat_pushes", "公众号推送，按结果", ("outcome",), registry=kept)
        self._in_use = _gauge("o2o_database_connections_in_use", "正在使用的数据库连接", kept)
        most = _gauge("o2o_database_connections_most", "各进程最多能用的数据库连接", kept)
        most.set(self._pool.size())  # type: ignore[attr-defined]
        self._routes: dict[Any, str] = {}
        self._kept: dict[Any, Any] = {}

    def know(self, app: FastAPI) -> None:
        """To be called when all routes are there: their templates become labels."""
        for context in iter_route_contexts(app.routes):
            self._routes[getattr(context, "endpoint", None)] = str(getattr(context, "path", OTHER))

    def pushed(self, outcome: str) -> None:
        """One push of WeChat, by what became of it."""
        self._pushes.labels(outcome).inc()

    def look(self) -> None:
        """Takes down how many connections are in use."""
        self._in_use.set(self._pool.checkedout())  # type: ignore[attr-defined]

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts a request. The labels are looked up once each: that costs more than the counting."""
        key = scope.get("endpoint"), scope["method"], status
        found = self._kept.get(key)
        if found is None:
            route = self._routes.get(key[0], OTHER)
            method = key[1] if key[1] in _METHODS else OTHER
            found = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
            if method is not OTHER:  # of made-up ones there are as many as somebody likes
                self._kept[key] = found
        found[0].inc()
        found[1].observe(seconds)


def _gauge(name: str, said: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(name, said, registry=registry, multiprocess_mode="livesum")


class Measured:
    """Pure ASGI, around everything."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.look()
        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.answered(scope, status, perf_counter() - began)
            self._metrics.look()


class Scrape(Collector):
    """What is looked up when somebody asks, rather than counted: figures of the database, at most 10 seconds old."""

    def __init__(self, database: Database, figures: Figures, spooled: Callable[[], int]) -> None:
        self._database = database
        self._figures = figures
        self._spooled = spooled
        self._turn = asyncio.Lock()
        self._asked: float | None = None
        self._found: Mapping[str, int] | None = None

    async def refresh(self) -> None:
        async with self._turn:
            if self._asked is not None and monotonic() - self._asked < FRESH_SECONDS:
                return
            self._found = await self._ask()
            self._asked = monotonic()

    async def _ask(self) -> Mapping[str, int] | None:
        try:
            return await within(PATIENCE, self._read())
        except Exception as error:
            # What is counted must be readable just when the database is in trouble.
            _logger.warning("figures not read", exc_info=None if unreachable(error) else error)
            return None

    async def _read(self) -> Mapping[str, int]:
        async with self._database.open_work(SYSTEM, read=True) as work:
            return await self._figures(work)

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("o2o_build", "正在运行的版本", {"version": version("minsheng")})
        yield GaugeMetricFamily("o2o_spool", "本机暂存、等数据库恢复后办理的公众号消息", self._spooled())
        found = self._found
        yield GaugeMetricFamily("o2o_database_up", "数据库能否回答：1 能，0 不能", 0 if found is None else 1)
        for name, count in (found or {}).items():
            yield GaugeMetricFamily(f"o2o_{name}", WAITING[name], count)


@dataclass(frozen=True, slots=True)
class Readers:
    """Whoever has the token; where none is set and `local`, this machine itself."""

    token: str
    local: bool


def install(app: FastAPI, metrics: Metrics, scrape: Scrape, readers: Readers) -> None:
    """Adds /metrics, for those readers only."""
    refused: dict[int | str, Any] = {
        401: {"description": "没有带上 O2O_METRICS_TOKEN，或带错了"},
        403: {"description": "没有设置 O2O_METRICS_TOKEN，又不是从本机直接读取"},
    }

    @app.get("/metrics", tags=["运行"], summary="运行指标", response_class=PlainTextResponse, responses=refused)
    async def read(request: Request, _: Annotated[Opener, needs(Permission.METRICS, later=True)]) -> Response:
        """Prometheus 文本格式。不含个人信息、事项编号和公众号标识。"""
        _admit(request, readers)
        await scrape.refresh()
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(_gathered(metrics, scrape)), headers={"Content-Type": media_type})

    if not os.environ.get(FOLDER):
        ProcessCollector(registry=metrics.registry)
        metrics.registry.register(scrape)


def _gathered(metrics: Metrics, scrape: Scrape) -> CollectorRegistry:
    folder = os.environ.get(FOLDER)
    if not folder:
        return metrics.registry
    for process in set(_processes(folder)):
        if not _runs(process):
            mark_process_dead(process, folder)  # type: ignore[no-untyped-call]
    gathered = CollectorRegistry()
    MultiProcessCollector(gathered, folder)  # type: ignore[no-untyped-call]
    gathered.register(scrape)
    return gathered


def _processes(folder: str) -> Iterable[int]:
    """Whose gauges lie there, in files that are called gauge_livesum_4711.db."""
    return (int(path.stem.rpartition("_")[2]) for path in Path(folder).glob("gauge_*.db"))


def _runs(process: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True


def _admit(request: Request, readers: Readers) -> None:
    if readers.token:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), readers.token.encode()):
            raise Unknown("metrics.token", "请在请求头写上 Authorization: Bearer 和 O2O_METRICS_TOKEN 的值")
    elif not (readers.local and _from_here(request)):
        said = "没有设置时，只有不经反向代理的本机请求能读，并且 O2O_BASE_URL 不能是 https"
        raise Forbidden("metrics.closed", f"请设置 O2O_METRICS_TOKEN，并在请求头带上它；{said}")


def _from_here(request: Request) -> bool:
    """Whether it comes from this machine itself; through a proxy on it everybody's requests seem to."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
