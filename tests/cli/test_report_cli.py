"""`o2o report` in its formats: to a file, to a pipe, never a workbook to a screen."""

import asyncio
import io
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.base.db import Database
from app.cli import main
from app.divisions.service import atlas
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI
from tests.rates.counted import DONE, at, write

COUNTY, GRID = "430121", "430121001001001"
MARCH = ("report", "monthly", "--division", COUNTY, "--period", "2025-03")
RECEIVED = datetime(2025, 3, 12, 9, tzinfo=SHANGHAI)


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: bytes
    err: str


Run = Callable[..., Awaitable[Ran]]


@pytest.fixture
def o2o(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("O2O_DATABASE_URL", database.engine.url.render_as_string(hide_password=False))

    async def run(*args: str) -> Ran:
        def command() -> int:
            with pytest.raises(SystemExit) as left:
                main(list(args))
            return int(left.value.code or 0)

        # A command has an event loop of its own.
        code = await asyncio.to_thread(command)
        out, err = capsysbinary.readouterr()
        return Ran(code, out, err.decode())

    return run


@pytest.fixture
async def march(database: Database) -> None:
    await received(database, 3)


async def received(database: Database, times: int) -> None:
    long_ago: dict[str, Any] = {"received_at": RECEIVED, "due_at": RECEIVED, "original_due_at": RECEIVED}
    async with database.open_work(SYSTEM) as work:
        county = (await atlas(work)).county
        await write(work.conn, [at(county, GRID, replace(DONE, **long_ago))] * times)


async def issues(database: Database) -> int:
    async with database.open_work(SYSTEM) as work:
        return int((await work.conn.execute(text("SELECT count(*) FROM report"))).scalar_one())


@pytest.mark.usefixtures("march")
@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
async def test_each_format_comes_out_the_same_twice_to_a_pipe_and_in_a_file(
    o2o: Run, database: Database, tmp_path: Path, form: str
) -> None:
    first = await o2o(*MARCH, "--format", form)
    await received(database, 2)
    second = await o2o(*MARCH, "--format", form, "--out", "三月")
    assert (first.code, second.code, second.out) == (0, 0, b"")
    assert (tmp_path / "三月").read_bytes() == first.out
    assert first.err == second.err
    assert await issues(database) == 1


@pytest.mark.usefixtures("march")
async def test_the_file_s_suffix_says_the_format_where_nothing_else_does(o2o: Run, tmp_path: Path) -> None:
    for name, begin in (
        ("r.xlsx", b"PK"),
        ("r.XLSX", b"PK"),
        ("r.json", b"{"),
        ("r.csv", b"\xef\xbb\xbf"),
        ("r", b"\xef"),
    ):
        assert (await o2o(*MARCH, "--out", name)).code == 0
        assert (tmp_path / name).read_bytes().startswith(begin), name


@pytest.mark.usefixtures("march")
async def test_json_is_the_record_whichever_way_it_is_asked_for(o2o: Run, tmp_path: Path) -> None:
    asked = (await o2o(*MARCH, "--json")).out
    assert (await o2o(*MARCH, "--format", "json")).out == asked
    both = await o2o(*MARCH, "--json", "--out", "r.xlsx")
    assert both.out == asked
    whole = json.loads(asked)
    assert (whole["revision"], whole["figures"]["rows"][0]["counts"]["received"]) == (1, 3)
    rows = CalamineWorkbook.from_filelike(io.BytesIO((tmp_path / "r.xlsx").read_bytes())).get_sheet_by_name("各级明细")
    assert rows.to_python()[1][3] == 3


@pytest.mark.usefixtures("march")
async def test_a_revision_says_how_much_it_changed(o2o: Run, database: Database, tmp_path: Path) -> None:
    first = await o2o(*MARCH)
    assert len(first.err.splitlines()) == 1
    await received(database, 2)
    second = await o2o(*MARCH, "--revise", "补录两件", "--out", "r.xlsx")
    many = len(json.loads((await o2o(*MARCH, "--json")).out)["figures"]["changes"]["items"])
    assert second.err.splitlines()[0].startswith("2025-03 月通报第 2 版")
    assert f"修订原因：补录两件；与第 1 版相比有 {many} 处不同" in second.err
    book = CalamineWorkbook.from_filelike(io.BytesIO((tmp_path / "r.xlsx").read_bytes()))
    assert len(book.get_sheet_by_name("修订说明").to_python()) == many + 1


@pytest.mark.usefixtures("march")
async def test_a_revision_that_would_change_nothing_is_not_made(o2o: Run, database: Database) -> None:
    await o2o(*MARCH)
    refused = await o2o(*MARCH, "--revise", "核对无误")
    assert (refused.code, refused.out) == (1, b"")
    assert refused.err == "与第 1 版相比，各项数据都没有变化，没有作修订\n"
    assert await issues(database) == 1


@pytest.mark.usefixtures("march")
async def test_a_revision_of_a_changed_record_says_that_it_can_t_be_compared(o2o: Run, database: Database) -> None:
    await o2o(*MARCH)
    async with database.open_work(SYSTEM) as work:
        await work.conn.execute(text("UPDATE report SET reason = '更正'"))
    changed = await o2o(*MARCH)
    assert (changed.code, changed.out) == (1, b"")
    assert "与校验和不符" in changed.err
    assert "第 1 版被改动过，无法逐项比较" in (await o2o(*MARCH, "--revise", "重新生成")).err


@pytest.mark.usefixtures("march")
async def test_a_workbook_is_not_thrown_at_a_screen(
    o2o: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    refused = await o2o(*MARCH, "--format", "xlsx")
    assert (refused.code, refused.out) == (1, b"")
    assert "--out" in refused.err
    # Nor is anything made then.
    assert await issues(database) == 0
    assert (await o2o(*MARCH, "--format", "csv")).code == 0
    assert (await o2o(*MARCH, "--format", "xlsx", "--out", "r.xlsx")).code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--format", "pdf"), "没有“pdf”这个格式，目前有 csv、xlsx、json"),
        (("--format", "docx"), "docx 将在后续版本提供"),
        (("--out", "r.docx"), "docx 将在后续版本提供"),
        (("--out", "2025-03.pdf"), "没有“pdf”这个格式，目前有 csv、xlsx、json"),
        (("--format", "json", "--out", "r.xlsx"), "--format json 和文件名 r.xlsx 的后缀不一致"),
        (("--format", "csv", "--out", "r.XLSX"), "请把文件名改成以 .csv 结尾，或不写 --format"),
        (("--out", "none/r.xlsx"), "无法写入"),
        (("--revise", "补录", "--out", "none/r.csv"), "无法写入"),
        (("--revise", "补录"), "还没有 2025-03 的月通报可以修订"),
        (("--revise", " "), "请写明修订的原因"),
        ((), "到2025年3月31日为止，长沙县还没有收到过群众事项，没有可以通报的"),
    ],
)
async def test_what_is_wrong_is_said_in_one_sentence_and_nothing_is_made(
    o2o: Run, database: Database, args: tuple[str, ...], said: str
) -> None:
    ran = await o2o(*MARCH, *args)
    assert (ran.code, ran.out) == (1, b"")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
    assert await issues(database) == 0
