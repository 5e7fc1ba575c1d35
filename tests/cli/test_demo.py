"""`o2o demo` keeps away from a county's folder and database; nobody else takes a demo's for a county."""

import asyncio
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.base.clock import Clock
from app.base.db import Database
from app.base.embedded import lease
from app.cli import main
from app.demo import folder, installation
from app.domain.policy import SYSTEM
from tests.conftest import SECRET_KEY

Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def o2o(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`await o2o("demo", O2O_…=…)`: the exit code and what was said on stderr, in an empty folder."""

    async def run(*args: str, **settings: str) -> tuple[int, str]:
        for name in [name for name in os.environ if name.startswith("O2O_")]:
            monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)

        def command() -> int:
            with pytest.raises(SystemExit) as left:
                main(list(args))
            assert isinstance(left.value.code, int)
            return left.value.code

        code = await asyncio.to_thread(command)
        return code, capsys.readouterr().err

    return run


@pytest.fixture
def enterable() -> Iterator[Path]:
    # Not tmp_path: pytest makes that 0700 for root, and the embedded server's user could not enter.
    made = Path(tempfile.gettempdir()) / f"o2o-test-{secrets.token_hex(4)}"
    made.mkdir(mode=0o755)
    yield made
    shutil.rmtree(made)


def address(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


async def test_a_countys_database_is_left_as_it_is_and_so_is_the_folder(
    o2o: Run, database: Database, tmp_path: Path
) -> None:
    code, said = await o2o("demo", "--port", "18431", O2O_DATABASE_URL=address(database))
    assert (code, len(said.splitlines())) == (1, 1)
    assert "里已有一个县的数据" in said
    assert "请去掉 O2O_DATABASE_URL" in said
    assert not any(os.scandir(tmp_path))
    async with database.open_work(SYSTEM, read=True) as work:
        assert (await work.conn.execute(text("SELECT count(*) FROM ticket"))).scalar_one() == 0


async def test_a_countys_own_folder_is_left_as_it_is(o2o: Run, enterable: Path) -> None:
    data_dir = enterable / "data"

    async def county(url: str) -> None:
        engine = Database(url, Clock())
        async with engine.open_work(SYSTEM) as work:
            await work.conn.execute(text("CREATE TABLE division AS SELECT '430999' AS code"))
        await engine.close()

    with lease(data_dir, say=lambda sentence: None) as held:
        await county(held.url)
    before = set(data_dir.iterdir())
    code, said = await o2o("demo", "--port", "18431", O2O_DATA_DIR=str(data_dir))
    assert (code, said.startswith("内置数据库里已有一个县的数据（区划 1 个，事项 0 件）")) == (1, True)
    assert set(data_dir.iterdir()) == before


async def test_a_key_that_is_none_is_refused_before_the_folder_is_a_demos(o2o: Run, tmp_path: Path) -> None:
    code, said = await o2o("demo", O2O_SECRET_KEY="（python3 -c 'import secrets; print(secrets.token_hex(32))'）")
    assert (code, said.startswith("O2O_SECRET_KEY 至少 32 个字符")) == (1, True)
    assert not any(os.scandir(tmp_path))


async def test_a_folder_that_can_be_none_is_named(o2o: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, said = await o2o("demo", "--port", "18431", O2O_DATA_DIR="file")
    assert code == 1
    assert said == "file/postgres.json 不能读写：它不是文件夹\n"


@pytest.mark.parametrize(
    "command", [("serve", "--port", "18431"), ("worker",), ("migrate",), ("rates", "verify"), ("demo",), ("db", "url")]
)
async def test_a_demos_folder_serves_no_other_database(
    o2o: Run, empty_database: Database, tmp_path: Path, command: tuple[str, ...]
) -> None:
    installation.prepare(tmp_path / ".o2o", timedelta(days=40), folder.EMBEDDED)
    settings = {"O2O_DATABASE_URL": address(empty_database), "O2O_SECRET_KEY": SECRET_KEY}
    for environment in ({}, {"O2O_ENV": "production"}):
        code, said = await o2o(*command, **settings, **environment)
        assert (code, len(said.splitlines())) == (1, 1)
        assert said.startswith(".o2o 是演示的文件夹，演示在内置数据库里，而 O2O_DATABASE_URL 是 ")
        assert "请另设 O2O_DATA_DIR" in said


def test_where_a_demo_answers_is_read_from_its_folder(tmp_path: Path) -> None:
    assert folder.address(tmp_path) is None
    (tmp_path / "demo.json").write_text(json.dumps({"base_url": "http://127.0.0.1:8010"}), "utf-8")
    assert folder.address(tmp_path) == "http://127.0.0.1:8010"
    (tmp_path / "demo.json").write_text("{", "utf-8")
    assert folder.address(tmp_path) is None
