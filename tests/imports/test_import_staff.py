from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.base.work import Work
from app.schema import appointments, divisions, staff, units
from tests.imports.county_files import DIVISIONS, Load, Refusals

HEADER = "username,name,phone,role,division_code,unit_code,password\n"
COURIER = "kd-1,王演示一,14200000001,courier,430121001001001,,\n"
HANDLER = "cb-1,李演示二,14200000002,handler,,U01,\n"
FILE = HEADER + COURIER + HANDLER


async def people(work: Work) -> dict[str, Any]:
    return {row.username: row for row in await work.conn.execute(select(staff))}


async def seats(work: Work) -> list[tuple[Any, ...]]:
    """(username, role, division code, unit code, start, end) of every appointment there ever was."""
    joined = (
        appointments.join(staff, staff.c.id == appointments.c.staff_id)
        .outerjoin(divisions, divisions.c.id == appointments.c.division_id)
        .outerjoin(units, units.c.id == appointments.c.unit_id)
    )
    a = appointments.c
    columns = (staff.c.username, a.role, divisions.c.code, units.c.code, a.starts_at, a.ends_at)
    found = await work.conn.execute(select(*columns).select_from(joined).order_by(a.id))
    return [tuple(row) for row in found]


async def test_people_are_appointed_from_now_on(county: Work, load: Load) -> None:
    done = await load(county, "staff", FILE)
    assert (done.created, done.updated, done.unchanged, done.notices) == (2, 0, 0, ())
    courier = (await people(county))["kd-1"]
    assert (courier.name, courier.phone, courier.password_hash, courier.active) == (
        *("王演示一", "14200000001"),
        *(None, True),
    )
    assert await seats(county) == [
        ("kd-1", "courier", "430121001001001", None, county.now, None),
        ("cb-1", "handler", None, "U01", county.now, None),
    ]


async def test_the_same_file_again_changes_nothing(county: Work, load: Load) -> None:
    await load(county, "staff", FILE)
    before = await seats(county)
    later = replace(county, now=county.now + timedelta(days=1))
    done = await load(later, "staff", FILE)
    assert (done.created, done.updated, done.unchanged, done.notices) == (0, 0, 2, ())
    assert await seats(county) == before


async def test_several_rows_of_a_person_are_several_appointments(county: Work, load: Load) -> None:
    second = COURIER.replace("courier", "administrator")
    done = await load(county, "staff", HEADER + COURIER + second)
    assert done.created == 2
    assert len(await people(county)) == 1
    assert {seat[1] for seat in await seats(county)} == {"courier", "administrator"}


async def test_a_file_for_divisions_needs_no_column_for_units(county: Work, load: Load) -> None:
    done = await load(county, "staff", "username,name,phone,role,division_code\n" + COURIER.replace(",,\n", "\n"))
    assert done.created == 1
    assert (await seats(county))[0][:4] == ("kd-1", "courier", "430121001001001", None)


async def test_roles_may_be_written_in_chinese(county: Work, load: Load) -> None:
    await load(county, "staff", HEADER + COURIER.replace("courier", "民生快递员"))
    assert (await seats(county))[0][1] == "courier"


async def test_an_appointment_that_the_file_no_longer_has_ends_now(county: Work, load: Load) -> None:
    await load(county, "staff", HEADER + COURIER + COURIER.replace("courier", "administrator") + HANDLER)
    later = replace(county, now=county.now + timedelta(days=30))
    done = await load(later, "staff", HEADER + COURIER.replace("courier", "inspector") + COURIER)
    assert (done.created, done.updated, done.unchanged) == (1, 0, 1)
    assert done.notices == ("文件中没有的 1 名工作人员保持不变", "1 项任职文件里已没有，自现在起结束")
    assert [(seat[0], seat[1], seat[4], seat[5]) for seat in await seats(county)] == [
        ("kd-1", "courier", county.now, None),
        ("kd-1", "administrator", county.now, later.now),
        ("cb-1", "handler", county.now, None),
        ("kd-1", "inspector", later.now, None),
    ]


async def test_who_comes_back_is_appointed_anew(county: Work, load: Load) -> None:
    other = COURIER.replace("courier", "inspector")
    await load(county, "staff", HEADER + COURIER)
    later = replace(county, now=county.now + timedelta(days=1))
    await load(later, "staff", HEADER + other)
    done = await load(replace(county, now=later.now + timedelta(days=1)), "staff", HEADER + COURIER)
    assert done.created == 1
    assert [seat[5] is None for seat in await seats(county)] == [False, False, True]


async def test_a_changed_person_keeps_the_row(county: Work, load: Load) -> None:
    await load(county, "staff", FILE)
    before = (await people(county))["kd-1"]
    done = await load(county, "staff", HEADER + COURIER.replace("14200000001", "14200000009") + HANDLER)
    assert (done.created, done.updated, done.unchanged) == (0, 1, 1)
    after = (await people(county))["kd-1"]
    assert (after.id, after.phone) == (before.id, "14200000009")


async def test_a_file_without_passwords_leaves_those_there_are(county: Work, load: Load) -> None:
    await load(county, "staff", FILE)
    await county.conn.execute(update(staff).values(password_hash="a hash"))
    done = await load(county, "staff", HEADER + COURIER.replace("王", "汪") + HANDLER.replace("李", "黎"))
    assert done.updated == 2
    assert {person.password_hash for person in (await people(county)).values()} == {"a hash"}


async def test_nobody_becomes_active_again_by_a_file(county: Work, load: Load) -> None:
    await load(county, "staff", FILE)
    await county.conn.execute(update(staff).values(active=False))
    done = await load(county, "staff", FILE)
    assert done.notices == ("2 名已停用的工作人员仍是停用",)
    assert (await people(county))["kd-1"].active is False


async def test_a_courier_without_a_grid_is_told_of(county: Work, load: Load) -> None:
    done = await load(county, "staff", HEADER + COURIER.replace("430121001001001", "430121001001"))
    assert done.notices == ("1 名民生快递员不在网格任职，派单时不会按网格找到他们",)


LIMIT = "password：密码应为 12 到 128 个字符，现有"


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (
            "x,张,14200000003,courier,430121001001001,,",
            "username 应为 2 到 64 个字母、数字或 . _ @ -，以字母或数字开头，现为“x”",
        ),
        (
            "王一,张,14200000003,courier,430121001001001,,",
            "username 应为 2 到 64 个字母、数字或 . _ @ -，以字母或数字开头，现为“王一”",
        ),
        (",张,14200000003,courier,430121001001001,,", "username 不能为空"),
        ("kd-2,,14200000003,courier,430121001001001,,", "name 不能为空"),
        ("kd-2,张,1420000003,courier,430121001001001,,", "phone 应为 11 位数字，现为“1420000003”"),
        (
            "kd-2,张,１４２００００００３４,courier,430121001001001,,",
            "phone 应为 11 位数字，现为“１４２００００００３４”",
        ),
        ("kd-2,张,,courier,430121001001001,,", "phone 不能为空"),
        ("kd-2,张,14200000003,courier,430121009,,", "division_code：没有代码为“430121009”的区划"),
        ("kd-2,张,14200000003,handler,,U99,", "unit_code：没有代码为“U99”的承办单位"),
        ("kd-2,张,14200000003,officer,430121,U01,", "division_code 和 unit_code 要填且只能填一个"),
        ("kd-2,张,14200000003,officer,,,", "division_code 和 unit_code 要填且只能填一个"),
        ("kd-2,张,14200000003,courier,,U01,", "unit_code 应为空：民生快递员任职于区划，请填 division_code"),
        ("kd-2,张,14200000003,handler,430121,,", "division_code 应为空：承办人任职于承办单位，请填 unit_code"),
        ("kd-2,张,14200000003,officer,430121,,short", f"{LIMIT} 5 个"),
        (f"kd-2,张,14200000003,officer,430121,,{'long' * 33}", f"{LIMIT} 132 个"),
        ("kd-2,张,14200000003,officer,430121,,Password1234", "password：密码太常见，容易被猜中，请换一个"),
        ("kd-1,王演示一,14200000001,courier,430121001001001,,", "username 和 role 与第 2 行重复（同一人的同一职务）"),
        ("kd-1,汪演示一,14200000001,inspector,430121001,,", "name 与第 2 行不同，username 却相同"),
        ("kd-1,王演示一,14200000002,inspector,430121001,,", "phone 与第 2 行不同，username 却相同"),
    ],
)
async def test_a_wrong_row_is_named(county: Work, refusals: Refusals, row: str, fault: str) -> None:
    assert await refusals(county, "staff", f"{HEADER}{COURIER}{row}\n") == [f"第 3 行：{fault}"]
    assert await people(county) == {}


async def test_an_unknown_role_lists_the_known_ones(county: Work, refusals: Refusals) -> None:
    [fault] = await refusals(county, "staff", HEADER + COURIER.replace("courier", "king"))
    assert fault.startswith("第 2 行：role 只能是 courier（民生快递员）、administrator（平台管理员）、")
    assert fault.endswith("之一，现为“king”")


async def test_two_passwords_of_one_person_are_refused_and_not_quoted(county: Work, refusals: Refusals) -> None:
    rows = "".join(
        f"gz-1,张,14200000003,{role},430121,,{word}\n"
        for role, word in (("officer", "first-passphrase"), ("inspector", ""), ("deputy", "other-passphrase"))
    )
    assert await refusals(county, "staff", HEADER + rows) == ["第 4 行：password 与第 2 行不同，username 却相同"]


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (("operator", "auditor"), "系统管理员（第 2 行）又是审计员"),
        (("auditor", "operator"), "审计员（第 2 行）又是系统管理员"),
        (("inspector", "operator"), "督查员（第 2 行）又是系统管理员"),
        (("auditor", "administrator"), "审计员（第 2 行）又是平台管理员"),
    ],
)
async def test_system_security_and_audit_are_never_one_person(
    county: Work, refusals: Refusals, roles: tuple[str, str], said: str
) -> None:
    rows = "".join(f"gz-1,张,14200000003,{role},430121,,\n" for role in roles)
    [fault] = await refusals(county, "staff", HEADER + rows)
    assert fault.startswith(f"第 3 行：role：同一人不能既是{said}：")


async def test_an_operator_may_serve_two_towns(county: Work, load: Load) -> None:
    rows = "".join(f"gz-1,张,14200000003,operator,{code},,\n" for code in ("430121", "430121001"))
    assert (await load(county, "staff", HEADER + rows)).created == 2


async def test_a_duty_that_is_laid_down_no_longer_bars_another(county: Work, load: Load) -> None:
    await load(county, "staff", HEADER + "gz-1,张,14200000003,operator,430121,,\n")
    done = await load(county, "staff", HEADER + "gz-1,张,14200000003,inspector,430121,,\n")
    assert done.created == 1


async def test_a_courier_who_moves_to_another_village_leaves_households_behind_and_it_is_told(
    county: Work, load: Load
) -> None:
    other = (
        "430121001002,望仙桥社区居委会,village,430121001,,,,\n430121001002001,第1网格,grid,430121001002,,,,\n"
        "430121001001002,第2网格,grid,430121001001,,,,\n"
    )
    await load(county, "divisions", DIVISIONS + other, edition="2017")
    await load(county, "staff", HEADER + COURIER)
    lines = "".join(f"430121001001001,赵演示{n},,开元路{n}号,kd-1,false\n" for n in "一二三")
    await load(county, "households", f"grid_code,head_name,phone,address,courier_username,in_difficulty\n{lines}")
    ended = "1 项任职文件里已没有，自现在起结束"
    left = "3 户的联系快递员已不在该村，请重新导入 households"
    for code, notices in (("430121001001002", (ended,)), ("430121001002001", (ended, left))):
        done = await load(county, "staff", HEADER + COURIER.replace("430121001001001", code))
        assert done.notices == notices, code


async def test_a_courier_who_lays_the_duty_down_leaves_households_behind_too(county: Work, load: Load) -> None:
    await load(county, "staff", HEADER + COURIER)
    line = "430121001001001,赵演示一,,开元路1号,kd-1,false\n"
    await load(county, "households", f"grid_code,head_name,phone,address,courier_username,in_difficulty\n{line}")
    later = replace(county, now=county.now + timedelta(days=1))
    done = await load(later, "staff", HEADER + COURIER.replace("courier", "inspector"))
    assert done.notices[-1] == "1 户的联系快递员已不在该村，请重新导入 households"
