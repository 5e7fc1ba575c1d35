"""`o2o doctor`: what is right, what is not, and what to do about it."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.base.clock import machine
from app.base.db import Database, place_of
from app.base.running import health
from app.base.running.health import Check, Server, State
from app.base.secrets import Vault
from app.base.work import Work
from app.cli import main
from app.demo import installation
from app.demo.folder import EMBEDDED
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI
from app.limits.health import calendar
from app.people.health import duties
from app.rates import jobs as rates
from app.settings import Settings
from app.wechat.health import accounts, messages
from tests.conftest import MOMENT, SECRET_KEY

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str

    def line(self, label: str) -> str:
        """The one line about that."""
        (found,) = (line for line in self.out.splitlines() if f"  {label}：" in line)
        return found


Doctor = Callable[..., Awaitable[Ran]]


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """`await doctor("--json", O2O_…=…)`: the command, with these settings and no others."""

    async def run(*args: str, **settings: str) -> Ran:
        for name in [name for name in os.environ if name.startswith("O2O_")]:
            monkeypatch.delenv(name)
        # On the day that the tests live in: the calendar of a later one may not be known yet.
        offset = "" if "O2O_ENV" in settings else str((MOMENT - machine()).total_seconds())
        given = {"O2O_ENV": "demo", "O2O_SECRET_KEY": SECRET_KEY, "O2O_CLOCK_OFFSET": offset} | settings
        for name, value in given.items():
            if value or name != "O2O_CLOCK_OFFSET":
                monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)

        def command() -> int:
            with pytest.raises(SystemExit) as left:
                main(["doctor", *args])
            assert isinstance(left.value.code, int)
            return left.value.code

        code = await asyncio.to_thread(command)
        return Ran(code, *capsys.readouterr())

    return run


def address(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


async def set_durably(database: Database, value: str) -> None:
    async with database.open_work(SYSTEM) as work:
        name = database.engine.url.database
        await work.conn.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = {value}"))


@pytest.fixture
async def durable(database: Database) -> AsyncIterator[str]:
    """The address of the test database as a real one would be: tests run without waiting for the disk."""
    await set_durably(database, "on")
    yield address(database)
    await set_durably(database, "off")


async def test_all_is_well_with_the_demo_county(doctor: Doctor, durable: str) -> None:
    ran = await doctor(O2O_DATABASE_URL=durable)
    assert (ran.code, ran.err) == (0, "")
    assert not [line for line in ran.out.splitlines() if line.startswith("失败")]
    for label in ("设置", "密钥", "磁盘", "暂存", "数据库", "结构", "编码", "落盘", "校验和", "时区", "连接数", "时钟"):
        assert ran.line(label).startswith("正常"), label
    assert "18 个" not in ran.line("公众号")
    assert ran.line("公众号").startswith("正常  公众号：19 个")
    assert "明文模式 1 个" in ran.line("公众号加密")
    assert ran.line("公众号加密").startswith("注意")
    assert "镇街 18" in ran.line("县情")
    assert "民生快递员" in ran.line("人员")
    assert ran.line("三权分立").startswith("正常")


async def test_json_says_the_same_to_programs(doctor: Doctor, durable: str) -> None:
    ran = await doctor("--json", O2O_DATABASE_URL=durable)
    said = json.loads(ran.out)
    assert (ran.code, said["ok"]) == (0, True)
    assert {tuple(check) for check in said["checks"]} == {("code", "label", "state", "said")}
    assert {check["state"] for check in said["checks"]} <= {"ok", "warn", "fail"}
    assert len({check["code"] for check in said["checks"]}) == len(said["checks"])


async def test_commits_that_do_not_wait_for_the_disk_are_a_failure(doctor: Doctor, database: Database) -> None:
    ran = await doctor(O2O_DATABASE_URL=address(database))
    assert ran.code == 1
    assert ran.line("落盘").startswith("失败  落盘：synchronous_commit 关着")
    assert "ALTER SYSTEM SET synchronous_commit = on" in ran.line("落盘")
    assert [line for line in ran.out.splitlines() if line.startswith("失败")] == [ran.line("落盘")]


async def test_a_key_that_opens_nothing_is_a_failure(doctor: Doctor, durable: str) -> None:
    ran = await doctor(O2O_DATABASE_URL=durable, O2O_SECRET_KEY="another-key-as-long-as-the-one-that-it-was")
    assert ran.code == 1
    assert ran.line("公众号").startswith("失败  公众号：19 个公众号中有 19 个的密钥打不开")


async def test_a_database_without_a_county_says_what_to_import(doctor: Doctor, empty_database: Database) -> None:
    ran = await doctor(O2O_DATABASE_URL=address(empty_database))
    assert ran.code == 1
    assert "o2o import divisions" in ran.line("县情")
    assert "o2o import staff" in ran.line("人员")
    assert ran.line("公众号").startswith("注意  公众号：还没有公众号")


async def test_a_database_that_is_away_is_a_failure_and_the_rest_is_still_looked_at(doctor: Doctor) -> None:
    ran = await doctor(O2O_DATABASE_URL="postgresql://o2o:hidden@127.0.0.1:1/o2o")
    assert (ran.code, ran.err) == (1, "")
    assert ran.line("数据库").startswith("失败  数据库：连不上数据库：")
    assert ran.line("磁盘")
    assert "hidden" not in ran.out


async def test_without_a_database_it_says_how_to_get_one(doctor: Doctor) -> None:
    ran = await doctor(O2O_DATABASE_URL="")
    assert (ran.code, ran.line("数据库")) == (1, "失败  数据库：还没有数据库，请先运行 o2o migrate")


async def test_production_needs_a_key_and_an_address_with_tls(doctor: Doctor, durable: str) -> None:
    ran = await doctor(O2O_DATABASE_URL=durable, O2O_ENV="production", O2O_SECRET_KEY="")
    assert ran.code == 1
    assert ran.line("密钥").startswith("失败  密钥：没有设置 O2O_SECRET_KEY")
    assert ran.line("设置").startswith("注意")
    assert "不是 https" in ran.line("设置")
    good = await doctor(O2O_DATABASE_URL=durable, O2O_ENV="production", O2O_BASE_URL="https://minsheng.test")
    assert (good.line("密钥")[:2], good.line("设置")[:2]) == ("正常", "正常")


async def test_a_shifted_clock_in_production_is_a_failure(doctor: Doctor) -> None:
    ran = await doctor(O2O_ENV="production", O2O_CLOCK_OFFSET="60")
    assert (ran.code, ran.line("设置")[:2]) == (1, "失败")


async def test_counters_that_nobody_folds_are_told(doctor: Doctor, database: Database, durable: str) -> None:
    async with database.open_work(SYSTEM) as work:
        found = await work.conn.execute(
            text(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'rate_delta'"
                " AND column_name <> 'id'"
            )
        )
        names = list(found.scalars())
        # A ticket that only moved: nothing is counted that is not there.
        ones = ", ".join("'2026-09-01'" if name == "day" else "0" for name in names)
        await work.conn.execute(text(f"INSERT INTO rate_delta ({', '.join(names)}) VALUES ({ones})"))
    assert (await doctor(O2O_DATABASE_URL=durable)).line("计数").startswith("注意  计数：1 条计数没有人汇总")
    assert await rates.fold(database.open_work) == 1
    assert (await doctor(O2O_DATABASE_URL=durable)).line("计数") == "正常  计数：没有待汇总的计数"


def test_a_file_with_secrets_that_others_can_read_is_told(tmp_path: Path) -> None:
    shut, opened = tmp_path / "secret-key", tmp_path / ".env"
    for path, mode in ((shut, 0o600), (opened, 0o640)):
        path.touch()
        path.chmod(mode)
    found = health.private((shut, opened, tmp_path / "none"))
    assert (found.state, f"chmod 600 {opened}" in found.said, str(shut) in found.said) == (State.WARN, True, False)
    opened.chmod(0o600)
    assert health.private((shut, opened)).state is State.OK


async def test_somebody_with_two_duties_is_counted(work: Work) -> None:
    assert (await duties(work)).state is State.OK
    both = text(
        "INSERT INTO appointment (staff_id, role, division_id, starts_at)"
        " SELECT staff_id, 'auditor', division_id, starts_at FROM appointment WHERE role = :role LIMIT 1"
    )
    for role in ("operator", "courier"):
        await work.conn.execute(both, {"role": role})
    found = await duties(work)
    assert (found.state, found.said[:3]) == (State.FAIL, "2 人")


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (datetime(2026, 10, 31, 23, 59, tzinfo=SHANGHAI), State.OK),
        (datetime(2026, 11, 1, tzinfo=SHANGHAI), State.WARN),
        (datetime(2027, 1, 1, tzinfo=SHANGHAI), State.FAIL),
    ],
)
async def test_the_calendar_must_reach_into_the_next_year_from_november_on(
    work: Work, day: datetime, state: State
) -> None:
    await work.conn.execute(text("DELETE FROM calendar_year WHERE year > 2026"))
    assert (await calendar(replace(work, now=day))).state is state


async def test_accounts_are_judged_by_what_they_are_registered_as(work: Work, vault: Vault) -> None:
    await work.conn.execute(text("UPDATE account SET certified = false WHERE mode = 'plain'"))
    found = {check.code: check for check in await accounts(work, vault)}
    assert (found["account_kinds"].state, found["account_kinds"].said[:3]) == (State.WARN, "1 个")
    await work.conn.execute(text("UPDATE account SET certified = true, mode = 'safe'"))
    assert {check.state for check in await accounts(work, vault)} == {State.OK}


async def test_messages_that_wait_for_a_person_are_counted(work: Work) -> None:
    assert (await messages(work)).state is State.OK
    for key, outcome, settled in (("a", "kept", None), ("b", "kept", MOMENT), ("c", "done", None)):
        await work.conn.execute(
            text(
                "INSERT INTO inbound (account_id, key, received_at, raw, outcome, settled_at)"
                " SELECT min(id), :key, :now, '', :outcome, :settled FROM account"
            ),
            {"key": key, "now": MOMENT, "outcome": outcome, "settled": settled},
        )
    found = await messages(work)
    assert (found.state, found.said[:3]) == (State.WARN, "1 条")


@pytest.fixture
async def postgres(work: Work) -> Server:
    """What the test server says of itself."""
    return await health.server(work.conn)


@pytest.mark.parametrize(
    ("check", "changed", "state"),
    [
        (health.version, {"number": 140_012}, State.FAIL),
        (health.version, {}, State.OK),
        (health.encoding, {"encoding": "SQL_ASCII"}, State.FAIL),
        (health.durability, {"synchronous_commit": "local"}, State.OK),
        (health.durability, {"synchronous_commit": "on", "fsync": "off"}, State.FAIL),
        (health.durability, {"synchronous_commit": "on", "full_page_writes": "off"}, State.FAIL),
        (health.checksums, {"data_checksums": "off"}, State.FAIL),
        (health.checksums, {"data_checksums": "on"}, State.OK),
        (health.zone, {"knows_zone": False}, State.FAIL),
    ],
)
def test_a_server_is_judged_by_its_settings(
    postgres: Server, check: Callable[[Server], Check], changed: dict[str, Any], state: State
) -> None:
    assert check(replace(postgres, **changed)).state is state


@pytest.mark.parametrize(("pool", "state"), [(10, State.OK), (60, State.WARN), (100, State.FAIL)])
def test_connections_must_do_for_the_processes(postgres: Server, pool: int, state: State) -> None:
    assert health.connections(replace(postgres, connections=97), pool, 4).state is state


@pytest.mark.parametrize(("seconds", "state"), [(1, State.OK), (-3, State.WARN), (3, State.WARN), (61, State.FAIL)])
def test_clocks_that_differ_are_told(postgres: Server, seconds: int, state: State) -> None:
    here = replace(postgres, sent=postgres.at, answered=postgres.at)
    assert health.clock(replace(here, at=postgres.at + timedelta(seconds=seconds)), 0.0).state is state


def test_a_slow_answer_is_not_taken_for_a_wrong_clock(postgres: Server) -> None:
    slow = replace(postgres, sent=postgres.at - timedelta(seconds=90), answered=postgres.at + timedelta(seconds=5))
    assert health.clock(slow, 0.0).state is State.OK
    assert "拨快了 3600 秒" in health.clock(slow, 3600.0).said


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [(5000, 20_000, State.OK), (2047, 10_000, State.WARN), (9000, 100_000, State.WARN), (499, 1000, State.FAIL)],
)
def test_a_disk_that_fills_is_told_in_time(free: int, total: int, state: State) -> None:
    assert health.space("/srv", free * MEGABYTE, total * MEGABYTE).state is state


def test_a_folder_that_is_not_there_yet_is_on_its_parents_disk(tmp_path: Path) -> None:
    (found,) = health.disk((tmp_path / "none" / "none", tmp_path))
    assert str(tmp_path) in found.said


async def test_the_spool_is_looked_at(doctor: Doctor, tmp_path: Path, durable: str) -> None:
    settings = {"O2O_DATABASE_URL": durable, "O2O_DATA_DIR": str(tmp_path / "data")}
    spool = tmp_path / "data" / "spool"
    (spool / "bad").mkdir(parents=True)
    name = f"{secrets.token_hex(8)}-{secrets.token_hex(16)}"
    (spool / name).write_bytes(b"sealed")
    assert (await doctor(**settings)).line("暂存").startswith(f"注意  暂存：{spool} 里有 1 条消息在等数据库")
    (spool / name).rename(spool / "bad" / name)
    assert "1 条打不开的消息" in (await doctor(**settings)).line("暂存")
    (spool / "lock").mkdir()
    assert f"{spool} 里有 1 项本用户读不了或写不了（lock）" in (await doctor(**settings)).line("暂存")


def test_what_settings_say_of_themselves() -> None:
    assert health.configuration(Settings(env="demo")).state is State.OK
    assert health.configuration(Settings(env="production", base_url="https://minsheng.test")).state is State.OK


async def test_a_demo_is_at_the_port_that_it_was_started_on(doctor: Doctor, durable: str, tmp_path: Path) -> None:
    settings = {"O2O_DATABASE_URL": durable, "O2O_ENV": "demo"}
    assert (await doctor(**settings)).line("设置").endswith("地址 http://127.0.0.1:8000")
    installation.prepare(tmp_path / ".o2o", timedelta(), place_of(durable))
    (tmp_path / ".o2o" / "demo.json").write_text(json.dumps({"base_url": "http://127.0.0.1:8010"}), "utf-8")
    assert (await doctor(**settings)).line("设置") == "正常  设置：演示环境，外部数据库，地址 http://127.0.0.1:8010"


async def test_another_database_in_a_demos_folder_is_a_failure(doctor: Doctor, durable: str, tmp_path: Path) -> None:
    installation.prepare(tmp_path / ".o2o", timedelta(days=40), EMBEDDED)
    ran = await doctor(O2O_DATABASE_URL=durable, O2O_ENV="production")
    assert (ran.code, ran.err) == (1, "")
    assert ran.line("设置").startswith("失败  设置：.o2o 是演示的文件夹，演示在内置数据库里")
