"""All or nothing, for whole files of the county's size."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Table, func, select

from app.base.db import Database
from app.base.secrets import Vault
from app.base.work import Work
from app.demo.county import DemoCounty, as_csv
from app.divisions.queries import revision
from app.domain.errors import Invalid
from app.domain.policy import SYSTEM
from app.imports.service import KINDS, apply, prepare, run
from app.people.queries import login
from app.people.service import HASHER
from app.schema import accounts, appointments, categories, division_aliases, divisions, staff, units
from tests.imports.county_files import DIVISIONS, UNITS, Load

STAFF = "username,name,phone,role,division_code,unit_code,password\n"
EDITIONS = {"divisions": "2017"}


def staff_file(rows: int, *, wrong: Mapping[int, str] = {}) -> bytes:
    """A file of couriers, in which some rows (by their number) have another division."""
    lines = [f"kd-{n},演示,142{n:08},courier,{wrong.get(n, '430121001001001')},," for n in range(2, rows + 2)]
    return (STAFF + "\n".join(lines)).encode()


async def count(database: Database, table: Table[Any]) -> int:
    async with database.open_work(SYSTEM, read=True) as work:
        return (await work.conn.execute(select(func.count()).select_from(table))).scalar_one()


async def hash_of(database: Database, username: str) -> str:
    async with database.open_work(SYSTEM, read=True) as work:
        found = await login(work.conn, username)
    assert found is not None
    assert found.password_hash is not None
    return found.password_hash


@pytest.fixture
async def small_county(empty_database: Database) -> Database:
    for kind, text in (("divisions", DIVISIONS), ("units", UNITS)):
        await run(empty_database.open_work, prepare(kind, text.encode()))
    return empty_database


async def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(Invalid) as refused:
        prepare("photos", b"")
    assert refused.value.detail == f"不能导入“photos”，可以导入的有：{'、'.join(KINDS)}"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"divisions", "categories", "urgent-words"}])
async def test_before_the_divisions_the_order_is_told_once_and_not_row_by_row(
    empty_database: Database, vault: Vault, kind: str
) -> None:
    columns = KINDS[kind].required + KINDS[kind].optional
    rows = "\n".join([",".join(columns), *[",".join("x" for _ in columns)] * 43])
    with pytest.raises(Invalid) as refused:
        await run(empty_database.open_work, prepare(kind, rows.encode()), vault=vault)
    assert (refused.value.code, refused.value.faults) == ("import.order", ())
    assert refused.value.detail.startswith(
        "还没有导入区划，请先运行 o2o import divisions 文件；导入的次序：divisions、units"
    )


async def test_whose_columns_are_wrong_is_led_to_the_template() -> None:
    for header in ("长沙县承办单位一览表", "代码,名称,所属区划"):
        with pytest.raises(Invalid) as refused:
            prepare("units", f"{header}\n1,2,3\n".encode())
        assert "o2o import units --template" in refused.value.faults[0].detail


async def test_the_demo_county_is_all_there(work: Work, demo: DemoCounty) -> None:
    rows = {sheet.name: len(sheet.rows) for sheet in demo.sheets}
    tables = {"divisions": divisions, "units": units, "categories": categories, "accounts": accounts, "staff": staff}
    for kind, table in {**tables, "staff": appointments}.items():
        found = (await work.conn.execute(select(func.count()).select_from(table))).scalar_one()
        assert (kind, found) == (kind, rows[kind])
    people = (await work.conn.execute(select(func.count()).where(staff.c.password_hash.is_not(None)))).scalar_one()
    assert people == len(demo.users)


async def test_the_demo_county_again_changes_nothing(work: Work, demo: DemoCounty, vault: Vault) -> None:
    for sheet in demo.sheets:
        # Without passwords: what a file does not say stays; those are a matter of run, below.
        said = replace(sheet, rows=[row | {"password": ""} if sheet.name == "staff" else row for row in sheet.rows])
        done = await apply(work, prepare(sheet.name, as_csv(said).encode(), edition=EDITIONS.get(sheet.name)), vault)
        assert (sheet.name, done.created, done.updated, done.unchanged) == (sheet.name, 0, 0, len(sheet.rows))


async def test_one_bad_row_in_5000_changes_nothing_and_is_named(small_county: Database) -> None:
    steps: list[tuple[int, int]] = []
    prepared = prepare("staff", staff_file(5000, wrong={4321: "430121001001999"}))
    with pytest.raises(Invalid) as refused:
        await run(small_county.open_work, prepared, progress=lambda done, total: steps.append((done, total)))
    [fault] = refused.value.faults
    assert (fault.pointer, fault.detail) == ("第 4321 行", "division_code：没有代码为“430121001001999”的区划")
    assert refused.value.detail == "共 1 处错误，什么都没有导入"
    assert [await count(small_county, table) for table in (staff, appointments)] == [0, 0]
    assert steps == [(0, 5000)]


async def test_the_first_hundred_of_many_bad_rows_are_named(small_county: Database) -> None:
    prepared = prepare("staff", staff_file(300, wrong=dict.fromkeys(range(11, 211), "999999")))
    with pytest.raises(Invalid) as refused:
        await run(small_county.open_work, prepared)
    assert [fault.pointer for fault in refused.value.faults] == [f"第 {n} 行" for n in range(11, 111)]
    assert refused.value.detail == "共 200 处错误，什么都没有导入；这里只列出前 100 处"


async def test_passwords_of_a_file_are_hashed_and_repeat_as_unchanged(small_county: Database) -> None:
    file = STAFF + "gz-1,张,14200000003,officer,430121,,a long passphrase\ngz-2,李,14200000004,deputy,430121,,\n"
    steps: list[tuple[int, int]] = []
    first = await run(
        small_county.open_work,
        prepare("staff", file.encode()),
        progress=lambda done, total: steps.append((done, total)),
    )
    again = await run(small_county.open_work, prepare("staff", file.encode()))
    assert (first.created, again.unchanged, again.updated) == (2, 2, 0)
    assert steps == [(0, 2), (1, 3), (3, 3)]
    before = await hash_of(small_county, "gz-1")
    assert HASHER.verify(before, "a long passphrase")
    other = await run(small_county.open_work, prepare("staff", file.replace("a long", "another").encode()))
    assert (other.updated, other.unchanged) == (1, 1)
    assert HASHER.verify(await hash_of(small_county, "gz-1"), "another passphrase")


async def test_two_imports_at_once_take_turns(empty_database: Database) -> None:
    done = await asyncio.gather(
        *(run(empty_database.open_work, prepare("divisions", DIVISIONS.encode())) for _ in range(4))
    )
    assert sorted((result.created, result.unchanged) for result in done) == [(0, 4), (0, 4), (0, 4), (4, 0)]
    assert await count(empty_database, divisions) == 4


async def test_every_change_of_the_county_has_its_own_revision(blank: Work, load: Load) -> None:
    seen = [await revision(blank.conn)]
    files = (
        ("divisions", DIVISIONS),
        ("units", UNITS),
        ("aliases", "alias,division_code\n板仓,430121\n"),
        ("aliases", "alias,division_code\n松雅湖,430121\n"),
    )
    for kind, text in files:
        await load(blank, kind, text)
        seen.append(await revision(blank.conn))
    assert len(set(seen)) == 5
    await load(blank, "staff", STAFF + "gz-1,张,14200000003,officer,430121,,\n")
    assert await revision(blank.conn) == seen[-1]


async def test_a_refused_file_leaves_the_revision(small_county: Database) -> None:
    async with small_county.open_work(SYSTEM, read=True) as work:
        before = await revision(work.conn)
    with pytest.raises(Invalid):
        await run(small_county.open_work, prepare("aliases", "alias,division_code\n板仓,430121\n松雅湖,9\n".encode()))
    async with small_county.open_work(SYSTEM, read=True) as work:
        assert await revision(work.conn) == before
    assert await count(small_county, division_aliases) == 2
