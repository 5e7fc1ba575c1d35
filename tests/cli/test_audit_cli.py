"""`o2o audit verify` as a person or a program runs it, on the real database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from app.audit import jobs
from app.base.clock import Clock
from app.base.db import Database
from app.cli import main
from app.domain.policy import SYSTEM
from tests.audit.conftest import Filed, file

Run = Callable[..., Awaitable[tuple[int, str, str]]]
pytestmark = pytest.mark.by_hand


@pytest.fixture
def o2o(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("O2O_DATABASE_URL", database.engine.url.render_as_string(hide_password=False))

    async def run(*args: str) -> tuple[int, str, str]:
        def command() -> int:
            with pytest.raises(SystemExit) as left:
                main(["audit", "verify", *args])
            return int(left.value.code or 0)

        # A command has an event loop of its own.
        code = await asyncio.to_thread(command)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
async def filed(database: Database) -> Filed:
    async with database.open_work(SYSTEM) as work:
        return await file(work)


async def tampered(database: Database, statement: str) -> None:
    async with database.open_work(SYSTEM) as work:
        role = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not (await work.conn.execute(role)).scalar_one():
            pytest.skip("the role of O2O_TEST_DATABASE_URL is no superuser")
        await work.conn.execute(text("SET LOCAL session_replication_role = replica"))
        await work.conn.execute(text(statement))


async def test_a_whole_trail_is_said_to_be_whole_and_how_far_that_reaches(
    o2o: Run, filed: Filed, database: Database, clock: Clock
) -> None:
    code, out, err = await o2o()
    assert (code, err) == (0, "")
    assert "核对了 1 件事项的 5 条历程、2 段文字" in out
    assert "还没有封存过" in out
    assert "没有发现不符" in out
    await jobs.seal(database.open_work)
    code, out, err = await o2o("--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["differences"], told["count"], told["tickets"], told["events"]) == ([], 0, 1, 5)
    assert told["anchor"]["day"] == "2026-09-21"
    published = f"{told['anchor']['day']}:{told['anchor']['hash']}"
    assert (await o2o("--published", published))[0] == 0
    code, out, err = await o2o("--published", published[:-1] + ("0" if published[-1] != "0" else "1"))
    assert (code, "2026-09-21 的封存：封存记录不符（与公布的不一样）" in err) == (1, True)


async def test_each_difference_is_named_and_the_command_fails(o2o: Run, filed: Filed, database: Database) -> None:
    await tampered(database, "UPDATE ticket_event SET action = 'visit' WHERE seq = 3")
    await tampered(database, "UPDATE event_text SET text = '另一句' WHERE seq = 4")
    code, out, err = await o2o()
    assert code == 1
    lines = err.splitlines()
    assert lines[0] == f"不符：事项 {filed.number} 第 3 条：被改动"
    assert lines[1] == f"不符：事项 {filed.number} 第 4 条：文字被改动（与当时的摘要不符）"
    assert lines[-1].startswith("共 2 处不符")
    assert "没有发现不符" not in out
    code, out, _ = await o2o("--json", "--ticket", filed.number)
    told = json.loads(out)
    assert (code, told["count"]) == (1, 2)
    assert told["differences"][0] == {
        "what": "altered",
        "number": filed.number,
        "ticket_id": filed.id,
        "day": None,
        "seq": 3,
        "upto": None,
        "detail": f"事项 {filed.number} 第 3 条：被改动",
    }


async def test_one_ticket_alone_is_looked_at(o2o: Run, filed: Filed, database: Database) -> None:
    async with database.open_work(SYSTEM) as work:
        other = await file(work)
    await tampered(database, f"DELETE FROM ticket_event WHERE seq = 2 AND ticket_id = {other.id}")
    assert (await o2o("--ticket", filed.number))[0] == 0
    code, _, err = await o2o("--ticket", other.number)
    assert (code, err.splitlines()[0]) == (1, f"不符：事项 {other.number} 第 2 条：缺失")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--ticket", "10000000"), "没有这个事项编号"),
        (("--published", "2026-09-21"), "--published 要写成"),
        (("--published", "2026-02-30:" + "0" * 64), "没有 2026-02-30 这一天"),
        (("--ticket", "10000000", "--published", "2026-09-21:" + "0" * 64), "不能和 --ticket 一起用"),
    ],
)
async def test_what_makes_no_sense_is_said_in_one_sentence(o2o: Run, args: tuple[str, ...], said: str) -> None:
    code, out, err = await o2o(*args)
    assert (code, out) == (1, "")
    assert said in err
