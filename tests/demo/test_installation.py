"""A demo's folder belongs to one demo at a time, and a county's database never to one."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.base.db import Database
from app.base.embedded import dsn
from app.base.work import Work
from app.demo import folder, installation, queries
from app.domain.errors import Busy, Conflict
from app.settings import Settings

ONE, OTHER = "postgresql://one@db/demo", "postgresql://two@db/county"


def test_a_second_demo_on_the_same_folder_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    with installation.alone(tmp_path):
        with pytest.raises(Busy) as refused, installation.alone(tmp_path):
            pass
        assert "已经在运行" in refused.value.detail
    with installation.alone(tmp_path):
        assert (tmp_path / "demo.lock").exists()


async def test_a_database_with_a_county_takes_no_demo(database: Database) -> None:
    with pytest.raises(Conflict) as refused:
        await installation.refuse_foreign(database, None)
    assert refused.value.detail.startswith("内置数据库里已有一个县的数据（区划 1,")
    with pytest.raises(Conflict, match="O2O_DATABASE_URL 的 db:5432/county 里已有一个县"):
        await installation.refuse_foreign(database, "db:5432/county")


async def test_an_empty_database_takes_one(empty_database: Database) -> None:
    await installation.refuse_foreign(empty_database, None)


async def test_tables_of_another_program_are_noticed_and_older_ones_of_ours_are_counted(blank: Work) -> None:
    for order in ("CREATE SCHEMA another", "SET LOCAL search_path = another"):
        await blank.conn.execute(text(order))
    assert await queries.holdings(blank.conn) == queries.Holdings(0, 0, ())
    await blank.conn.execute(text("CREATE TABLE wp_posts ()"))
    assert await queries.holdings(blank.conn) == queries.Holdings(0, 0, ("wp_posts",))
    for order in ("DROP TABLE wp_posts", "CREATE TABLE alembic_version ()", "CREATE TABLE division (code text)"):
        await blank.conn.execute(text(order))
    assert await queries.holdings(blank.conn) == queries.Holdings(0, 0, ())
    await blank.conn.execute(text("INSERT INTO division VALUES ('430999')"))
    assert await queries.holdings(blank.conn) == queries.Holdings(1, 0, ())


@pytest.mark.parametrize(
    ("kept", "url", "elsewhere"),
    [
        ({"database": folder.EMBEDDED}, "", None),
        ({"database": folder.EMBEDDED}, OTHER, folder.EMBEDDED),
        ({"database": "db:5432/demo"}, ONE, None),
        ({"database": "db:5432/demo"}, ONE.replace("one", "another"), None),
        ({"database": "db:5432/demo"}, OTHER, "db:5432/demo"),
        ({"database": "db:5432/demo"}, "", "db:5432/demo"),
        ({}, ONE, None),
        ({}, "", None),
    ],
)
def test_the_database_of_a_demo_is_told_from_another(
    kept: Mapping[str, str], url: str, elsewhere: str | None, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=url)
    assert folder.elsewhere(settings) is None
    (tmp_path / "demo-state.json").write_text(json.dumps({"clock_offset": 0.0, **kept}), "utf-8")
    assert folder.elsewhere(settings) == elsewhere


def test_a_demo_from_before_this_was_written_down_is_in_the_database_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "demo-state.json").write_text('{"clock_offset": 0.0}', "utf-8")
    (tmp_path / "postgres.json").write_text('{"password": "hidden", "name": "minsheng-1"}', "utf-8")
    assert folder.elsewhere(Settings(data_dir=tmp_path)) is None
    assert folder.elsewhere(Settings(data_dir=tmp_path, database_url=OTHER)) == folder.EMBEDDED


def test_the_address_of_its_own_database_is_the_demos_own(tmp_path: Path) -> None:
    installation.prepare(tmp_path, timedelta(), folder.EMBEDDED)
    (tmp_path / "postgres.json").write_text('{"password": "hidden", "name": "minsheng-1"}', "utf-8")
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    own = dsn(tmp_path)
    assert own is not None
    assert folder.elsewhere(Settings(data_dir=tmp_path, database_url=own)) is None


def test_the_clock_goes_on_from_where_it_was_and_the_database_is_written_down(tmp_path: Path) -> None:
    for _ in range(2):
        installation.prepare(tmp_path, timedelta(hours=1), "db:5432/demo")
    kept = json.loads((tmp_path / "demo-state.json").read_text("utf-8"))
    assert kept == {"clock_offset": 7200.0, "database": "db:5432/demo"}
