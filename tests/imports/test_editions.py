"""A newer edition of the divisions is a migration: ids, tickets and old names stay."""

import csv
import io
from datetime import date
from pathlib import Path
from unicodedata import normalize

import pytest
from sqlalchemy import select
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from app.base.sheets import csv_of
from app.base.work import Work
from app.divisions.service import atlas
from app.domain.routing import Request
from app.domain.text import plain
from app.domain.vocabulary import Channel, Level
from app.imports.service import Result, apply, prepare
from app.routing.service import route
from app.schema import appointments, tickets
from app.tickets.opening import Matter, open_ticket
from tests.imports.county_files import Load
from tests.imports.edition_files import STREET, closed, found_in, names, packaged, sheet, stored
from tests.rates.counted import UNTOUCHED, at, write

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def rows_of(year: int) -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in csv.DictReader(io.StringIO(packaged(year)))}


@pytest.mark.parametrize("year", [2017, 2023])
def test_the_packaged_editions_are_those_of_the_source(year: int) -> None:
    path = SHARED / f"changsha_county_{year}.csv"
    if not path.exists():
        pytest.skip(f"../shared/data/{path.name} is not part of the repository")
    with path.open(encoding="utf-8-sig", newline="") as file:
        source = {row["code"]: row for row in csv.DictReader(file)}
    ours = rows_of(year)
    assert ours.keys() == source.keys()
    for code, row in source.items():
        same = ("name", "level", "parent_code")
        assert [ours[code][column] for column in same] == [row[column] for column in same]


async def test_the_edition_of_2023_adds_28_renames_7_and_closes_none(blank: Work, load: Load) -> None:
    for year in (2017, 2023):
        path = SHARED / f"changsha_county_{year}.csv"
        if not path.exists():
            pytest.skip(f"../shared/data/{path.name} is not part of the repository")
    older, newer = ((SHARED / f"changsha_county_{year}.csv").read_text("utf-8-sig") for year in (2017, 2023))
    first = await load(blank, "divisions", older, edition="2017")
    before = await stored(blank)
    second = await load(blank, "divisions", newer, edition="2023")
    after = await stored(blank)
    assert (first.created, len(before), len(after)) == (216, 216, 244)
    assert (second.created, second.updated, second.unchanged) == (28, 7, 209)
    assert await closed(blank) == {}
    assert {code: row.id for code, row in after.items() if code in before} == {c: row.id for c, row in before.items()}
    assert {row.valid_from for code, row in after.items() if code in before} == {date(2017, 1, 1)}
    assert {row.valid_from for code, row in after.items() if code not in before} == {date(2023, 1, 1)}
    again = await load(blank, "divisions", newer, edition="2023")
    assert (again.created, again.updated, again.unchanged) == (0, 0, 244)
    assert await stored(blank) == after


async def test_every_ticket_of_the_demo_county_stays_where_it_was(work: Work, load: Load) -> None:
    county = (await atlas(work)).county
    newer = rows_of(2023)
    changed = [code for code, row in rows_of(2017).items() if row["name"] != newer[code]["name"]]
    assert len(changed) == 7
    below = [d.code for d in county.divisions.values() if d.level is Level.GRID][::50]
    await write(work.conn, [at(county, code, UNTOUCHED) for code in (*changed, *below)])
    await open_ticket(work, await atlas(work), Matter(Channel.GROUP, "金托村3组的路灯不亮"))
    before = (await work.conn.execute(select(tickets).order_by(tickets.c.id))).all()
    seats = (await work.conn.execute(select(appointments).order_by(appointments.c.id))).all()
    done = await load(work, "divisions", packaged(2023), edition="2023")
    assert (done.created, done.updated, done.unchanged) == (28, 7, 209)
    assert done.notices == ("文件中没有的 1560 个区划保持不变",)
    assert (await work.conn.execute(select(tickets).order_by(tickets.c.id))).all() == before
    assert (await work.conn.execute(select(appointments).order_by(appointments.c.id))).all() == seats


async def test_every_name_of_2017_leads_where_it_led(work: Work, load: Load) -> None:
    before = (await atlas(work)).places
    await load(work, "divisions", packaged(2023), edition="2023")
    after = (await atlas(work)).places
    assert len(before.places) > 2_000
    for name in before.places:
        assert after.find(name) == before.find(name), name


async def test_the_street_is_found_under_both_its_names_and_so_are_grids_of_a_renamed_village(
    work: Work, load: Load
) -> None:
    await load(work, "divisions", packaged(2023), edition="2023")
    for name in ("榔梨街道", "㮾梨街道", "榔梨", "㮾梨"):
        routed = await route(work, await atlas(work), Request(f"{name}老街的路灯不亮"), None)
        assert (await atlas(work)).county.divisions[routed.division_id].code == "430121004", name
    assert await found_in(work, "㮾梨街道康狮岭社区") == ["430121004006"]
    for name in ("金托村", "金圫村"):
        assert await found_in(work, f"{name}3组的水渠堵了") == ["430121004201003"], name


async def test_what_is_called_otherwise_now_has_its_old_names_as_aliases_and_not_its_own(
    work: Work, load: Load
) -> None:
    assert "㮾梨街道" in await names(work, "430121004"), "the demo's files give the new name as an alias"
    await load(work, "divisions", packaged(2023), edition="2023")
    assert {"榔梨街道", "榔梨", "㮾梨"} <= await names(work, "430121004")
    assert "㮾梨街道" not in await names(work, "430121004")
    assert {"泉星社会居委会"} <= await names(work, "430121002007")
    assert {"小塘社区居委会", "小塘社区"} <= await names(work, "430121002002")
    # 小塘 and 潇湘 are words of the language too.
    assert "小塘" not in await names(work, "430121002002")
    assert await found_in(work, "潇湘电影制片厂") == []
    assert (await stored(work))["430121002002"].short_name == "小塘路"


def as_workbook(text: str) -> bytes:
    out = io.BytesIO()
    with Workbook(out) as book:
        page = book.add_worksheet()
        for number, cells in enumerate(csv.reader(io.StringIO(text))):
            page.write_row(number, 0, cells)
    return out.getvalue()


async def test_the_rare_character_survives_sheets_workbooks_and_compatibility_forms(work: Work) -> None:
    cells = list(csv.reader(io.StringIO(packaged(2023))))
    await apply(work, prepare("divisions", csv_of(cells[0], cells[1:]), edition="2023"))
    before = await stored(work)
    name = before["430121004"].name
    assert [hex(ord(sign)) for sign in name[:2]] == ["0x3bbe", "0x68a8"]
    assert normalize("NFKC", name) == plain(name) == name
    done = await apply(work, prepare("divisions", as_workbook(packaged(2023)), edition="2023"))
    assert (done.created, done.updated, done.unchanged) == (0, 0, 244)
    assert await stored(work) == before


# Names


async def renaming(work: Work, load: Load, *lines: str) -> Result:
    return await load(work, "divisions", sheet(lines))


async def test_a_renamed_division_is_found_by_each_name_it_ever_had(street: Work, load: Load) -> None:
    for name in ("东城门", "东风"):
        await renaming(street, load, f"{STREET}001,{name}社区居委会,village,{STREET}")
    for name in ("东门", "东城门", "东风"):
        assert await found_in(street, f"{name}社区的路灯") == [f"{STREET}001"], name
    assert await found_in(street, "东门的路灯") == [], "a bare short name is none"


async def test_a_name_that_comes_back_is_no_alias_of_itself_and_the_other_names_stay(street: Work, load: Load) -> None:
    await renaming(street, load, f"{STREET},泉塘街道,town,430121")
    await load(street, "aliases", f"alias,division_code\n老街,{STREET}\n")
    await renaming(street, load, f"{STREET},星沙街道,town,430121")
    assert await names(street, STREET) == {"泉塘街道", "老街"}
    assert await found_in(street, "泉塘街道的路") == await found_in(street, "星沙街道的路") == [STREET]


async def test_where_names_move_between_neighbours_the_present_bearer_is_meant(street: Work, load: Load) -> None:
    swapped = (f"{STREET}001,南门社区居委会,village,{STREET}", f"{STREET}002,东门社区居委会,village,{STREET}")
    await renaming(street, load, *swapped)
    assert await found_in(street, "东门社区") == [f"{STREET}002"]
    assert await names(street, f"{STREET}001") == set()


async def test_a_renamed_grid_keeps_its_old_name_behind_its_villages(street: Work, load: Load) -> None:
    await renaming(street, load, f"{STREET}001001,3组,grid,{STREET}001")
    assert await found_in(street, "东门社区第1网格") == await found_in(street, "东门社区3组") == [f"{STREET}001001"]
    assert await found_in(street, "第1网格的路灯") == []
    assert await found_in(street, "南门社区第1网格") == [f"{STREET}002001"]
