from typing import Any

import pytest
from sqlalchemy import select, update

from app.base.secrets import Vault
from app.base.work import Work
from app.domain.errors import Invalid
from app.imports.service import apply, prepare
from app.people.households import place
from app.schema import divisions, households, staff
from tests.imports.county_files import Load, Refusals

GRID = "430121001001001"
MORE_PLACES = """code,name,level,parent_code
430121001001002,第2网格,grid,430121001001
430121001002,金茂路社区居委会,village,430121001
430121001002001,第1网格,grid,430121001002
"""
STAFF = f"""username,name,phone,role,division_code,unit_code
kd-1,王演示一,14200000001,courier,{GRID},
kd-2,李演示二,14200000002,courier,430121001001002,
kd-3,张演示三,14200000003,courier,430121001002001,
gz-1,陈演示四,14200000004,administrator,430121001001,
"""
HEADER = "grid_code,head_name,phone,address,courier_username,in_difficulty\n"
HOME = f"{GRID},周演示五,14200000005,开元路1号2栋301室,kd-1,true\n"
NEXT_DOOR = f"{GRID},周演示五,,开元路1号2栋302室,,否\n"


@pytest.fixture
async def lived_in(county: Work, load: Load) -> Work:
    """The smallest county with two more grids, a courier for each, and an administrator."""
    await load(county, "divisions", MORE_PLACES, edition="2017")
    await load(county, "staff", STAFF)
    return county


async def stored(work: Work) -> list[Any]:
    return list(await work.conn.execute(select(households).order_by(households.c.id)))


def opened(row: Any, vault: Vault) -> tuple[str | None, ...]:
    """(phone, address) in clear."""
    sealed = {column: getattr(row, column) for column in ("phone", "address")}
    return tuple(value and vault.open(value, place(column, row.key)) for column, value in sealed.items())


async def test_a_household_is_kept_with_phone_and_address_sealed(lived_in: Work, load: Load, vault: Vault) -> None:
    done = await load(lived_in, "households", HEADER + HOME + NEXT_DOOR)
    assert (done.created, done.updated, done.unchanged) == (2, 0, 0)
    assert done.notices == ("1 户没有民生快递员，不在任何人的走访名单里",)
    first, second = await stored(lived_in)
    assert (first.head_name, first.in_difficulty, first.last_visited_at) == ("周演示五", True, None)
    assert opened(first, vault) == ("14200000005", "开元路1号2栋301室")
    assert opened(second, vault) == (None, "开元路1号2栋302室")
    assert (second.courier_id, second.in_difficulty) == (None, False)
    whole = "".join(map(str, (*first, *second)))
    assert "14200000005" not in whole
    assert "开元路" not in whole


async def test_a_sealed_phone_opens_in_its_own_row_only(lived_in: Work, load: Load, vault: Vault) -> None:
    await load(lived_in, "households", HEADER + HOME + NEXT_DOOR)
    first, second = await stored(lived_in)
    with pytest.raises(ValueError, match="密钥不符"):
        vault.open(first.phone, place("phone", second.key))
    with pytest.raises(ValueError, match="密钥不符"):
        vault.open(first.phone, place("address", first.key))


async def test_the_same_file_again_changes_nothing(lived_in: Work, load: Load) -> None:
    await load(lived_in, "households", HEADER + HOME + NEXT_DOOR)
    before = await stored(lived_in)
    done = await load(lived_in, "households", HEADER + NEXT_DOOR + HOME)
    assert (done.created, done.updated, done.unchanged) == (0, 0, 2)
    assert await stored(lived_in) == before


async def test_what_a_file_does_not_say_is_empty_for_a_new_one_and_stays_for_the_others(
    lived_in: Work, load: Load, vault: Vault
) -> None:
    header = "grid_code,head_name,in_difficulty\n"
    done = await load(lived_in, "households", f"{header}{GRID},周演示五,是\n")
    assert (done.created, done.notices) == (1, ("1 户没有民生快递员，不在任何人的走访名单里",))
    [row] = await stored(lived_in)
    assert (*opened(row, vault), row.courier_id, row.in_difficulty) == (None, None, None, True)
    await load(lived_in, "households", HEADER + HOME)
    header = "grid_code,head_name,address,in_difficulty\n"
    done = await load(lived_in, "households", f"{header}{GRID},周演示五,开元路1号2栋301室,否\n")
    assert (done.updated, done.notices) == (1, ("文件中没有的 1 户保持不变",))
    row = next(row for row in await stored(lived_in) if row.address)
    assert (*opened(row, vault), row.in_difficulty) == ("14200000005", "开元路1号2栋301室", False)
    assert row.courier_id is not None


@pytest.mark.parametrize(
    ("old", "new"), [("14200000005", "14200000009"), ("14200000005", ""), (",kd-1,", ",kd-2,"), ("true", "false")]
)
async def test_phone_courier_and_hardship_may_change(
    lived_in: Work, load: Load, vault: Vault, old: str, new: str
) -> None:
    await load(lived_in, "households", HEADER + HOME + NEXT_DOOR)
    before = await stored(lived_in)
    await lived_in.conn.execute(update(households).values(last_visited_at=lived_in.now))
    done = await load(lived_in, "households", HEADER + HOME.replace(old, new))
    assert (done.created, done.updated, done.unchanged) == (0, 1, 0)
    assert "文件中没有的 1 户保持不变" in done.notices
    after = await stored(lived_in)
    assert [row.id for row in after] == [row.id for row in before]
    assert after[0].last_visited_at == lived_in.now
    usernames = {row.id: row.username for row in await lived_in.conn.execute(select(staff))}
    said = HOME.replace(old, new).strip().split(",")
    assert opened(after[0], vault) == (said[2] or None, said[3])
    assert (usernames[after[0].courier_id], str(after[0].in_difficulty).lower()) == (said[4], said[5])


@pytest.mark.parametrize(("old", "new"), [("301室", "303室"), ("周演示五", "周演示六"), (GRID, "430121001001002")])
async def test_another_grid_head_or_address_is_another_household(
    lived_in: Work, load: Load, old: str, new: str
) -> None:
    await load(lived_in, "households", HEADER + HOME)
    done = await load(lived_in, "households", HEADER + HOME.replace(old, new))
    assert (done.created, done.updated) == (1, 0)
    assert len(await stored(lived_in)) == 2


async def test_another_secret_key_is_told_and_writes_nothing_twice(lived_in: Work, load: Load) -> None:
    await load(lived_in, "households", HEADER + HOME)
    prepared = prepare("households", (HEADER + HOME).encode())
    with pytest.raises(Invalid, match="已有的户：密钥不符"):
        await apply(lived_in, prepared, Vault("another key of another installation"))
    with pytest.raises(Invalid, match="O2O_SECRET_KEY"):
        await apply(lived_in, prepared)
    assert len(await stored(lived_in)) == 1


async def test_a_household_of_a_grid_that_was_closed_stays_and_no_new_one_comes(
    lived_in: Work, load: Load, refusals: Refusals
) -> None:
    await load(lived_in, "households", HEADER + HOME)
    shut = update(divisions).where(divisions.c.code == GRID).values(valid_to=lived_in.now.date())
    await lived_in.conn.execute(shut)
    assert (await load(lived_in, "households", HEADER + HOME)).unchanged == 1
    fault = f"第 2 行：grid_code：区划“{GRID}”已撤销，请改填现在的区划"
    assert await refusals(lived_in, "households", HEADER + NEXT_DOOR) == [fault]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"grid_code": "430121001001009"}, "grid_code：没有代码为“430121001001009”的网格"),
        ({"grid_code": "430121001001"}, "grid_code 应为网格，“430121001001”是上级区划"),
        ({"grid_code": ""}, "grid_code 不能为空"),
        ({"head_name": ""}, "head_name 不能为空"),
        # Where somebody lives and how to call them is quoted by no fault.
        ({"phone": "1420000"}, "phone 应为 11 位数字，没有电话的留空"),
        ({"address": "路" * 101}, "address 最多 100 个字，现有 101 个"),
        ({"courier_username": "kd-9"}, "courier_username“kd-9”：没有这个用户名的工作人员"),
        ({"courier_username": "gz-1"}, "courier_username“gz-1”：现在不是民生快递员"),
        (
            {"courier_username": "kd-3"},
            "courier_username“kd-3”：不是这个网格的民生快递员，也不是同一村社区的",
        ),
        ({"in_difficulty": ""}, "in_difficulty 只能是 true 或 false（也可写 是、否），现为“”"),
        ({"head_name": "周演示五", "address": "开元路1号2栋301室"}, "grid_code、head_name、address 与第 2 行重复"),
    ],
)
async def test_a_wrong_row_is_named(lived_in: Work, refusals: Refusals, cells: dict[str, str], fault: str) -> None:
    right = dict(zip(HEADER.strip().split(","), HOME.strip().split(","), strict=True)) | {"head_name": "吴演示六"}
    row = ",".join((right | cells).values()) + "\n"
    assert await refusals(lived_in, "households", HEADER + HOME + row) == [f"第 3 行：{fault}"]
    assert await stored(lived_in) == []


async def test_a_courier_who_has_left_gets_no_household(lived_in: Work, load: Load, refusals: Refusals) -> None:
    await lived_in.conn.execute(update(staff).where(staff.c.username == "kd-1").values(active=False))
    assert await refusals(lived_in, "households", HEADER + HOME) == ["第 2 行：courier_username“kd-1”：已停用"]
    await load(lived_in, "staff", STAFF.replace("courier,430121001001002", "officer,430121001001002"))
    [fault] = await refusals(lived_in, "households", HEADER + HOME.replace("kd-1", "kd-2"))
    assert fault == "第 2 行：courier_username“kd-2”：现在不是民生快递员"


async def test_a_colleague_of_the_same_village_may_have_it(lived_in: Work, load: Load) -> None:
    assert (await load(lived_in, "households", HEADER + HOME.replace("kd-1", "kd-2"))).created == 1
