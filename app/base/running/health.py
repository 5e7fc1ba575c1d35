"""What `o2o doctor` asks of the machine and of PostgreSQL. Each check is a small function; features have their own."""

import shutil
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.clock import machine
from app.domain.vocabulary import Word
from app.settings import Settings

OLDEST_SERVER = 150_000
"""PostgreSQL 15, as server_version_num counts."""
MEGABYTE = 1024 * 1024


class State(Word):
    OK = "ok", "正常"
    WARN = "warn", "注意"
    FAIL = "fail", "失败"


@dataclass(frozen=True, slots=True)
class Check:
    """A line of `o2o doctor`. `code` is for programs; `said`: what was found and, if it is not right, what to do."""

    code: str
    label: str
    state: State
    said: str


def reporter(code: str, label: str) -> Callable[[State, str], Check]:
    """Makes the checks of one subject."""
    return lambda state, said: Check(code, label, state, said)


@dataclass(frozen=True, slots=True)
class Server:
    """What a PostgreSQL says of itself. `at` is its clock; `sent` and `answered` are ours around it."""

    version: str
    number: int
    encoding: str
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    data_checksums: str
    connections: int
    knows_zone: bool
    at: datetime
    sent: datetime
    answered: datetime


_ASK = text(
    """
    SELECT current_setting('server_version') AS version,
           current_setting('server_version_num')::int AS number,
           current_setting('server_encoding') AS encoding,
           current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit,
           current_setting('data_checksums') AS data_checksums,
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
             - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections,
           EXISTS (SELECT FROM pg_timezone_names WHERE name = 'Asia/Shanghai') AS knows_zone
    """
)


async def server(conn: AsyncConnection) -> Server:
    """Asks the server that `conn` is connected to, with the settings that our sessions get."""
    found = (await conn.execute(_ASK)).mappings().one()
    sent = machine()
    at = (await conn.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return Server(**found, at=at, sent=sent, answered=machine())


def version(found: Server) -> Check:
    check = reporter("database", "数据库")
    if found.number < OLDEST_SERVER:
        return check(State.FAIL, f"需要 PostgreSQL 15 或更新的版本，现在是 {found.version}，请升级")
    return check(State.OK, f"PostgreSQL {found.version}，能连上")


def encoding(found: Server) -> Check:
    check = reporter("encoding", "编码")
    if found.encoding != "UTF8":
        said = f"数据库编码是 {found.encoding}，请用 createdb --encoding=UTF8 --template=template0 另建一个再搬过去"
        return check(State.FAIL, said)
    return check(State.OK, "UTF8")


def durability(found: Server) -> Check:
    """Whether a commit survives a power cut. `local` and the like wait for our own disk, and are enough."""
    check = reporter("durability", "落盘")
    off = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if getattr(found, name) == "off"]
    if off:
        orders = "；".join(f"ALTER SYSTEM SET {name} = on" for name in off)
        said = f"{'、'.join(off)} 关着，断电会丢已答复的事项。请执行：{orders}，再 SELECT pg_reload_conf()"
        return check(State.FAIL, f"{said}；仍不行就看是否按库或按用户关了（\\drds）")
    return check(State.OK, f"fsync、full_page_writes 开，synchronous_commit={found.synchronous_commit}")


def checksums(found: Server) -> Check:
    check = reporter("checksums", "校验和")
    if found.data_checksums != "on":
        return check(
            State.FAIL, "没有数据校验和，坏盘读出错数据也发现不了。请停库后运行 pg_checksums --enable -D 数据目录"
        )
    return check(State.OK, "数据页有校验和")


def zone(found: Server) -> Check:
    check = reporter("time_zone", "时区")
    if not found.knows_zone:
        return check(State.FAIL, "数据库不认识 Asia/Shanghai，请在数据库所在的机器上安装 tzdata")
    return check(State.OK, "数据库认识 Asia/Shanghai")


def connections(found: Server, pool_size: int, worker: int) -> Check:
    """How many processes of the service the server has connections for, beside one worker that takes `worker`."""
    check = reporter("connections", "连接数")
    processes = (found.connections - worker) // pool_size
    said = f"数据库可用 {found.connections} 个连接，每个服务进程最多用 {pool_size} 个，后台进程 {worker} 个"
    if processes < 1:
        return check(
            State.FAIL, f"{said}，一个服务进程也不够：请调小 O2O_POOL_SIZE，或调大 max_connections 后重启数据库"
        )
    if processes < 2:
        return check(State.WARN, f"{said}，只够 1 个服务进程（滚动升级时要 2 个）：请调小 O2O_POOL_SIZE")
    return check(State.OK, f"{said}，够 {processes} 个服务进程（serve --workers 各台合计）")


def clock(found: Server, offset: float) -> Check:
    """Our clock against the database's, within the time that the question took; and how far business time is ahead."""
    check = reporter("clock", "时钟")
    late, early = found.sent - found.at, found.at - found.answered
    apart = max(late, early, timedelta()).total_seconds()
    shifted = f"；业务时钟拨快了 {offset:.0f} 秒（演示）" if offset else ""
    if apart > 60:
        return check(State.FAIL, f"本机与数据库的时钟相差 {apart:.0f} 秒，请在两台机器上都开启时间同步（NTP）{shifted}")
    if apart > 2:
        return check(State.WARN, f"本机与数据库的时钟相差 {apart:.0f} 秒，请检查两台机器的时间同步（NTP）{shifted}")
    return check(State.OK, f"本机与数据库的时钟一致{shifted}")


def disk(folders: Iterable[Path]) -> list[Check]:
    """Free space of each file system that the folders are on; of a folder that is not there yet its parent's."""
    seen: dict[int, Path] = {}
    for folder in folders:
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        seen.setdefault(there.stat().st_dev, there)
    return [space(str(folder), *_free(folder)) for folder in seen.values()]


def _free(folder: Path) -> tuple[int, int]:
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


def space(folder: str, free: int, total: int) -> Check:
    """Whether so many bytes free of so many are enough."""
    check = reporter("disk", "磁盘")
    megabytes, share = free // MEGABYTE, free * 100 // total
    said = f"{folder} 剩 {megabytes:,} MB（{share}%）"
    if megabytes < 500:
        return check(State.FAIL, f"{said}，请马上腾出空间：写满后不再受理新事项")
    if megabytes < 2048 or share < 10:
        return check(State.WARN, f"{said}，请尽快腾出空间或换大盘")
    return check(State.OK, said)


def configuration(settings: Settings, address: str | None = None) -> Check:
    """What the settings themselves show; whether the key opens anything is asked of the accounts.

    `address`: where it answers, if that is known better than O2O_BASE_URL says it.
    """
    check = reporter("settings", "设置")
    mode = {"production": "正式", "demo": "演示"}[settings.mode]
    where = "外部数据库" if settings.database_url else "内置数据库"
    if settings.mode == "production" and not settings.base_url.startswith("https://"):
        said = f"O2O_BASE_URL 是 {settings.base_url}，不是 https：口令和会话会明文传输。请在反向代理上启用 TLS 后改它"
        return check(State.WARN, f"{mode}环境，{where}；{said}")
    return check(State.OK, f"{mode}环境，{where}，地址 {address or settings.base_url}")


def private(files: Iterable[Path]) -> Check:
    """Whether files with secrets can be read by others on this machine."""
    check = reporter("private_files", "密钥文件")
    there = [path for path in files if path.exists()]
    opened = [str(path) for path in there if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if opened:
        return check(State.WARN, f"本机其他用户可能读到 {'、'.join(opened)}，请运行 chmod 600 {' '.join(opened)}")
    return check(State.OK, f"{'、'.join(map(str, there))} 只有所有者能读" if there else "没有含密钥的文件")
