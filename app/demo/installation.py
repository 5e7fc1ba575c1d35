"""What a demo leaves in its data directory, and the county in its database."""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from app.base.db import Database
from app.base.running.readiness import reached
from app.base.secrets import Vault
from app.demo import past, queries
from app.demo.county import HOUSEHOLDS, DemoCounty, as_csv, generate
from app.demo.folder import DEMO_JSON
from app.domain.errors import Busy, Conflict, Invalid
from app.domain.policy import SYSTEM
from app.imports import service as imports
from app.people import households
from app.settings import DEMO_STATE
from app.tickets.queries import history as tickets

EDITION = "2017"


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Held while a demo runs: two on one folder would take demo.json from each other. Raises Busy."""
    data_dir.mkdir(parents=True, exist_ok=True)
    handle = os.open(data_dir / "demo.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise Busy("demo.running", f"{data_dir} 里的演示已经在运行；要再开一个，请另设 O2O_DATA_DIR") from error
    try:
        yield
    finally:
        os.close(handle)


async def refuse_foreign(database: Database, external: str | None) -> None:
    """Raises Conflict where the database already holds something: the demo's county could not be taken out of it again.
    Busy where it can't be reached. `external`: what O2O_DATABASE_URL names, None for the directory's own database."""
    with reached():
        async with database.engine.connect() as conn:
            found = await queries.holdings(conn)
    where = f"O2O_DATABASE_URL 的 {external} " if external else "内置数据库"
    if found.divisions or found.tickets:
        said = f"{where}里已有一个县的数据（区划 {found.divisions:,} 个，事项 {found.tickets:,} 件）"
    elif found.others:
        said = f"{where}里有不是这个程序的表（如 {found.others[0]}）"
    else:
        return
    todo = "请换一个空文件夹运行演示，或另设 O2O_DATA_DIR"
    if external:
        todo = "请去掉 O2O_DATABASE_URL，用内置数据库运行演示，或让它指向一个空库"
    raise Conflict("demo.foreign", f"{said}，不是演示放进去的。演示县装进去就取不出来了，所以没有动它：{todo}")


def prepare(data_dir: Path, ahead: timedelta, database: str) -> None:
    """Makes the directory a demo's, and moves its clock on by `ahead`: the offset is what every command here takes.
    `database`: where the demo is, as `folder.database_of` names it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    state = data_dir / DEMO_STATE
    offset = json.loads(state.read_text("utf-8"))["clock_offset"] if state.exists() else 0.0
    _write(state, {"clock_offset": offset + ahead.total_seconds(), "database": database})


def county_of(key: str, *, households: int = 0) -> DemoCounty:
    """The demo county of an installation. Every secret is derived from the installation's own key, so they survive a
    restart without being stored."""

    def secret(name: str) -> str:
        return hmac.new(key.encode(), f"demo:{name}".encode(), hashlib.sha256).hexdigest()

    return generate(secret=secret, households=households)


async def load(database: Database, vault: Vault, key: str, say: Callable[[str], None]) -> None:
    """Loads the demo county through the imports that anyone's data goes through; a second time nothing changes."""
    async with database.open_work(SYSTEM, read=True) as work:
        there = await households.count(work)
    # Comparing them again takes as long as a whole start.
    county = county_of(key, households=0 if there >= HOUSEHOLDS else HOUSEHOLDS)
    created = 0
    for sheet in county.sheets:
        prepared = imports.prepare(
            sheet.name, as_csv(sheet).encode(), edition=EDITION if sheet.name == "divisions" else None
        )
        try:
            done = await imports.run(database.open_work, prepared, vault=vault)
        except Invalid as refusal:
            # Somebody has brought a newer edition: the demo goes on with it.
            if refusal.code != "import.edition_older":
                raise
            continue
        created += done.created
    if created:
        say(f"已导入演示县：{created:,} 行")
    await _with_a_past(database, county, say)


async def _with_a_past(database: Database, county: DemoCounty, say: Callable[[str], None]) -> None:
    """Where there is no ticket yet: the month before, as from another system, so that the board has something."""
    async with database.open_work(SYSTEM, read=True) as work:
        if await tickets.any_there(work.conn):
            return
    now = database.clock.business()
    data = as_csv(past.history(county, past.last_month(now), now)).encode()
    done = await imports.run(database.open_work, imports.prepare("tickets", data))
    say(f"已导入演示县上个月的事项：{done.created:,} 件")


def announce(data_dir: Path, county: DemoCounty, base_url: str) -> Path:
    """Writes demo.json (mode 0600) for programs: where the service is, who can sign in, the accounts' keys."""
    users = [
        {
            "username": user.username,
            "password": user.password,
            "role": user.role,
            "division_code": user.division_code,
            "unit_code": user.unit_code,
        }
        for user in county.users
    ]
    accounts = next(sheet for sheet in county.sheets if sheet.name == "accounts").rows
    names = ("appid", "token", "encoding_aes_key", "secret", "mode", "division_code", "name", "original_id")
    shown = [{name: row[name] for name in names} for row in accounts]
    path = data_dir / DEMO_JSON
    _write(path, {"base_url": base_url, "wechat_api_base": None, "users": users, "accounts": shown})
    return path


def _write(path: Path, value: object) -> None:
    """Whole or not at all, and for nobody else's eyes."""
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
    draft.replace(path)
