"""Many rows at once, and never outside the transaction."""

import pytest
from asyncpg.exceptions import UniqueViolationError
from sqlalchemy import func, select

from app.base.copy import copy_rows
from app.base.db import Database
from app.base.work import Work
from app.domain.policy import SYSTEM
from app.schema import settings, units


def some(count: int) -> list[tuple[str, str]]:
    return [(f"copied {n}", "值") for n in range(count)]


async def copied(work: Work) -> int:
    query = select(func.count()).where(settings.c.name.like("copied %"))
    return int((await work.conn.execute(query)).scalar_one())


async def test_rows_are_written_as_they_are_drawn(work: Work) -> None:
    assert await copy_rows(work.conn, "setting", ("name", "value"), iter(some(5000))) == 5000
    assert await copied(work) == 5000


async def test_a_copy_that_comes_first_is_undone_with_its_work(database: Database) -> None:
    async def copied_in_vain() -> None:
        async with database.open_work(SYSTEM) as work:
            # Nothing was asked of the connection before: SQLAlchemy has not begun.
            await copy_rows(work.conn, "setting", ("name", "value"), some(3))
            raise RuntimeError("something else went wrong")

    with pytest.raises(RuntimeError, match="something else"):
        await copied_in_vain()
    async with database.open_work(SYSTEM) as work:
        assert await copied(work) == 0


async def test_ids_may_be_left_to_the_database(county_unit: tuple[str, int, str], work: Work) -> None:
    code, division, name = county_unit
    columns = ("code", "division_id", "name", "short_name", "aliases")
    assert await copy_rows(work.conn, "unit", columns, [(code, division, name, name, ["甲", "乙"])]) == 1
    row = (await work.conn.execute(select(units).where(units.c.code == code))).one()
    assert (row.name, row.aliases) == (name, ["甲", "乙"])


@pytest.fixture
async def county_unit(work: Work) -> tuple[str, int, str]:
    division = (await work.conn.execute(select(func.min(units.c.division_id)))).scalar_one()
    return "U99", division, "新单位"


async def test_what_the_database_refuses_is_raised(work: Work) -> None:
    async with work.conn.begin_nested() as point:
        with pytest.raises(UniqueViolationError):
            await copy_rows(work.conn, "setting", ("name", "value"), [*some(1), *some(1)])
        await point.rollback()
    async with work.conn.begin_nested() as point:
        with pytest.raises(TypeError):
            await copy_rows(work.conn, "setting", ("name", "value"), [("copied 1", 7)])
        await point.rollback()
    assert await copied(work) == 0
