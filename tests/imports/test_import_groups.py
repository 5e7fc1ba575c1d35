from typing import Any

import pytest
from sqlalchemy import select

from app.base.secrets import Vault
from app.base.work import Work
from app.divisions.offline import robot_place
from app.domain.errors import Invalid
from app.imports.service import apply, prepare
from app.schema import groups
from tests.imports.county_files import Load, Refusals

HEADER = "division_code,name,kind,robot_url\n"
ROBOT = "https://robots.example/send?key=0123456789abcdef"
WECHAT = "430121001001,开元路社区居民群,wechat,\n"
WECOM = f"430121001,星沙街道工作群,企业微信群,{ROBOT}\n"


async def stored(work: Work) -> list[Any]:
    return list(await work.conn.execute(select(groups).order_by(groups.c.id)))


async def test_a_robots_address_is_sealed_to_its_group(county: Work, load: Load, vault: Vault) -> None:
    done = await load(county, "groups", HEADER + WECHAT + WECOM)
    assert (done.created, done.updated, done.unchanged, done.notices) == (2, 0, 0, ())
    wechat, wecom = await stored(county)
    assert (wechat.name, wechat.kind, wechat.robot_url) == ("开元路社区居民群", "wechat", None)
    assert (wecom.name, wecom.kind) == ("星沙街道工作群", "wecom")
    assert ROBOT not in wecom.robot_url
    assert vault.open(wecom.robot_url, robot_place("430121001", "星沙街道工作群")) == ROBOT
    with pytest.raises(ValueError, match="密钥不符"):
        vault.open(wecom.robot_url, robot_place("430121001001", "星沙街道工作群"))


async def test_again_it_is_the_same_and_a_change_keeps_the_row(county: Work, load: Load, vault: Vault) -> None:
    await load(county, "groups", HEADER + WECHAT + WECOM)
    before = await stored(county)
    assert (await load(county, "groups", HEADER + WECHAT + WECOM)).unchanged == 2
    assert await stored(county) == before
    done = await load(county, "groups", HEADER + WECOM.replace("abcdef", "fedcba"))
    assert (done.created, done.updated, done.notices) == (0, 1, ("文件中没有的 1 个群保持不变",))
    after = (await stored(county))[1]
    assert after.id == before[1].id
    assert vault.open(after.robot_url, robot_place("430121001", "星沙街道工作群")).endswith("fedcba")


async def test_a_file_without_robots_leaves_them_but_a_wechat_group_has_none(county: Work, load: Load) -> None:
    await load(county, "groups", HEADER + WECOM)
    header = "division_code,name,kind\n"
    assert (await load(county, "groups", header + "430121001,星沙街道工作群,wecom\n")).unchanged == 1
    assert (await stored(county))[0].robot_url is not None
    assert (await load(county, "groups", header + "430121001,星沙街道工作群,wechat\n")).updated == 1
    assert [(one.kind, one.robot_url) for one in await stored(county)] == [("wechat", None)]


async def test_another_secret_key_is_told_and_changes_nothing(county: Work, load: Load) -> None:
    await load(county, "groups", HEADER + WECOM)
    before = await stored(county)
    prepared = prepare("groups", (HEADER + WECOM).encode())
    with pytest.raises(Invalid, match="星沙街道工作群”：密钥不符"):
        await apply(county, prepared, Vault("another key of another installation"))
    with pytest.raises(Invalid, match="O2O_SECRET_KEY"):
        await apply(county, prepared)
    assert await stored(county) == before


@pytest.mark.parametrize(
    ("row", "faults"),
    [
        ("430121009,群,wechat,", ["division_code：没有代码为“430121009”的区划"]),
        ("430121001,,wechat,", ["name 不能为空"]),
        ("430121001,群,qq,", ["kind 只能是 wechat（微信群）、wecom（企业微信群） 之一，现为“qq”"]),
        ("430121001,群,wechat," + ROBOT, ["微信群没有机器人，robot_url 只能填给企业微信群（wecom）"]),
        # The address is a secret: a fault never quotes it.
        ("430121001,群,wecom,http://robots.example/send", ["robot_url 应为 https:// 开头的机器人地址"]),
        ("430121001,群,wecom,https://user@robots.example/", ["robot_url 应为 https:// 开头的机器人地址"]),
        ("430121001,群,wecom,https://robots.example/a b", ["robot_url 应为 https:// 开头的机器人地址"]),
        ("430121001001,开元路社区居民群,wechat,", ["division_code 和 name 与第 2 行重复"]),
    ],
)
async def test_a_wrong_row_is_named(county: Work, refusals: Refusals, row: str, faults: list[str]) -> None:
    found = await refusals(county, "groups", HEADER + WECHAT + row + "\n")
    assert found == [f"第 3 行：{fault}" for fault in faults]
    assert await stored(county) == []
