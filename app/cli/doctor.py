"""`o2o doctor`: one line for each thing that must be right, and what to do where it is not."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.base import spool
from app.base.clock import Clock
from app.base.db import Database
from app.base.embedded import EmbeddedError, dsn
from app.base.running import health, readiness
from app.base.running.health import Check, State, reporter
from app.base.running.reasons import why
from app.base.secrets import Vault
from app.cli import settings as configuration
from app.cli.calling import typable
from app.cli.database import NONE_YET, embedded
from app.demo import folder
from app.domain.errors import Busy, Refusal
from app.domain.policy import SYSTEM
from app.files.store import Store
from app.settings import Settings


def doctor(as_json: Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取")] = False) -> int:
    """检查设置、数据库、日历、公众号、时钟、磁盘等，每项一行；有失败的以 1 退出。"""
    checks = asyncio.run(_gathered(as_json))
    failed = any(check.state is State.FAIL for check in checks)
    if as_json:
        typer.echo(json.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}, ensure_ascii=False))
    return 1 if failed else 0


async def _gathered(quiet: bool) -> list[Check]:
    """Says each line as soon as it is known: one that hangs shows where."""
    checks = []
    async for check in _checks():
        checks.append(check)
        if not quiet:
            typer.echo(f"{check.state.label}  {check.label}：{typable(check.said)}")
    return checks


async def _checks() -> AsyncIterator[Check]:
    of_settings = reporter("settings", "设置")
    try:
        settings = configuration.read()
        clock = configuration.clock(settings)
    except (Refusal, EmbeddedError) as refusal:
        yield of_settings(State.FAIL, str(refusal))
        return
    # A running demo knows its own port; O2O_BASE_URL is what others serve under.
    demos = folder.address(settings.data_dir) if settings.mode == "demo" else None
    yield health.configuration(settings, demos)
    yield health.private((Path(".env"), settings.data_dir / "secret-key", settings.data_dir / "postgres.json"))
    try:
        vault = configuration.vault(settings)
        yield reporter("secret_key", "密钥")(State.OK, "加密用的密钥可用")
    except Refusal as refusal:
        vault = None
        yield reporter("secret_key", "密钥")(State.FAIL, refusal.detail)
    for check in health.disk((settings.data_dir, settings.data_dir / "postgres")):
        yield check
    yield _spool(settings.data_dir)
    store, said = await _store(settings)
    yield said
    async for check in _of_database(settings, clock, vault, store):
        yield check


async def _store(settings: Settings) -> tuple[Store | None, Check]:
    from app.files.health import writable

    try:
        store = configuration.store(settings)
    except Refusal as refusal:
        return None, reporter("file_store", "文件存储")(State.FAIL, refusal.detail)
    return store, await writable(store)


def _spool(data_dir: Path) -> Check:
    """What waits for the database, and what nobody could read."""
    check = reporter("spool", "暂存")
    try:
        found = spool.waiting(data_dir)
        stuck = spool.unusable(data_dir)
    except OSError as error:
        return check(State.FAIL, f"读不了 {data_dir / spool.FOLDER}（{why(error)}），请改正它的所有者和权限")
    folder = data_dir / spool.FOLDER
    if stuck:
        said = f"{folder} 里有 {len(stuck)} 项本用户读不了或写不了（{'、'.join(stuck[:3])}）"
        return check(State.WARN, f"{said}，其中的消息没法补办：请把所有者和权限改成运行 serve 的用户的，再看 bad 目录")
    if found.bad:
        said = f"{folder / 'bad'} 里有 {found.bad} 条打不开的消息（密钥或权限变过？）"
        return check(State.WARN, f"{said}，请人工查看：改正后移回 {folder} 就会补办")
    if found.count:
        said = f"{folder} 里有 {found.count:,} 条消息在等数据库，最早的已等 {found.oldest or 0:.0f} 秒"
        return check(State.WARN, f"{said}：数据库恢复后由 serve 自动补办，一直不减少请看 serve 的日志")
    return check(State.OK, "没有在等数据库的消息")


async def _of_database(
    settings: Settings, clock: Clock, vault: Vault | None, store: Store | None
) -> AsyncIterator[Check]:
    check = reporter("database", "数据库")
    try:
        if not settings.database_url and dsn(settings.data_dir) is None:
            yield check(State.FAIL, NONE_YET)
            return
        with embedded(settings) as url:
            database = Database(url, clock, pool_size=2)
            try:
                async for one in _of_server(database, settings):
                    yield one
                async for one in _of_county(database, vault, store):
                    yield one
            finally:
                await database.close()
    except EmbeddedError as error:
        yield check(State.FAIL, str(error))


async def _of_server(database: Database, settings: Settings) -> AsyncIterator[Check]:
    from app.worker import POOL  # heavy: not for commands that only ask for --help

    schema = reporter("schema", "结构")
    try:
        await readiness.require(database.engine)
        newest = schema(State.OK, "已是最新")
    except Busy as busy:
        if busy.code == "database.away":
            yield reporter("database", "数据库")(
                State.FAIL, f"{busy.detail}；请检查数据库是否在运行、O2O_DATABASE_URL 对不对"
            )
            return
        newest = schema(State.FAIL, busy.detail)
    async with database.engine.connect() as conn:
        found = await health.server(conn)
    for check in (health.version, health.encoding, health.durability, health.checksums, health.zone):
        yield check(found)
    yield health.connections(found, settings.pool_size, POOL)
    yield health.clock(found, settings.offset)
    yield newest


async def _of_county(database: Database, vault: Vault | None, store: Store | None) -> AsyncIterator[Check]:
    """What the county's own data say. Nothing where the database can't be used: that has been said."""
    from app.divisions.health import county
    from app.files.health import whole
    from app.limits.health import calendar
    from app.people.health import duties, staff
    from app.rates.health import folding
    from app.wechat.health import accounts, messages

    try:
        await readiness.require(database.engine)
    except Busy:
        return
    async with database.open_work(SYSTEM, read=True) as work:
        for check in (county, staff, duties, calendar, messages):
            yield await check(work)
        if vault is not None:
            for one in await accounts(work, vault):
                yield one
    yield await folding(database.open_work)
    if store is not None:
        yield await whole(database.open_work, store)
