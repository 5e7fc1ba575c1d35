from typing import Any

import pytest
from sqlalchemy import select

from app.base.secrets import Vault
from app.base.work import Work
from app.domain.errors import Invalid
from app.imports.service import apply, prepare
from app.schema import accounts
from tests.imports.county_files import Load, Refusals

HEADER = "appid,original_id,name,division_code,kind,certified,mode,token,encoding_aes_key,secret\n"
APPID = "wx0123456789abcdef"
CELLS = {
    "appid": APPID,
    "original_id": "gh_0123456789ab",
    "name": "长沙县民生快递",
    "division_code": "430121",
    "kind": "service",
    "certified": "true",
    "mode": "safe",
    "token": "tokenTOKEN123",
    "encoding_aes_key": "k" * 42 + "A",
    "secret": "s" * 32,
}


def row(**cells: str) -> str:
    return ",".join((CELLS | cells).values()) + "\n"


async def stored(work: Work) -> Any:
    return (await work.conn.execute(select(accounts).where(accounts.c.appid == APPID))).one()


async def test_an_account_is_kept_with_its_secrets_sealed(county: Work, load: Load, vault: Vault) -> None:
    done = await load(county, "accounts", HEADER + row())
    assert (done.created, done.updated, done.unchanged) == (1, 0, 0)
    found = await stored(county)
    assert (found.kind, found.certified, found.mode, found.original_id) == ("service", True, "safe", "gh_0123456789ab")
    for column in ("token", "encoding_aes_key", "secret"):
        assert CELLS[column] not in getattr(found, column)
        assert vault.open(getattr(found, column), f"account.{column}.{APPID}") == CELLS[column]


async def test_the_same_file_again_changes_nothing(county: Work, load: Load) -> None:
    await load(county, "accounts", HEADER + row())
    before = await stored(county)
    done = await load(county, "accounts", HEADER + row())
    assert (done.created, done.updated, done.unchanged, done.notices) == (0, 0, 1, ())
    assert await stored(county) == before


async def test_a_key_that_changes_is_kept_as_the_previous_one(county: Work, load: Load, vault: Vault) -> None:
    await load(county, "accounts", HEADER + row())
    await load(county, "accounts", HEADER + row(encoding_aes_key="n" * 42 + "A"))
    done = await load(county, "accounts", HEADER + row(encoding_aes_key="n" * 42 + "A", mode="plain"))
    found = await stored(county)
    assert (done.updated, found.mode) == (1, "plain")
    assert vault.open(found.encoding_aes_key, f"account.encoding_aes_key.{APPID}") == "n" * 42 + "A"
    assert vault.open(found.previous_aes_key, f"account.previous_aes_key.{APPID}") == CELLS["encoding_aes_key"]


async def test_another_secret_key_is_told_and_changes_nothing(county: Work, load: Load) -> None:
    await load(county, "accounts", HEADER + row())
    before = await stored(county)
    prepared = prepare("accounts", (HEADER + row(token="another")).encode())
    with pytest.raises(Invalid, match=f"{APPID}：密钥不符"):
        await apply(county, prepared, Vault("another key of another installation"))
    assert await stored(county) == before


async def test_without_a_secret_key_nothing_is_imported(county: Work) -> None:
    with pytest.raises(Invalid, match="O2O_SECRET_KEY"):
        await apply(county, prepare("accounts", (HEADER + row()).encode()))


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"appid": "0123456789abcdef"}, "appid 应为 wx 和 16 个字母或数字，现为“0123456789abcdef”"),
        ({"appid": APPID}, "appid 与第 2 行重复"),
        ({"original_id": "gh_0123456789ab"}, "original_id 与第 2 行重复"),
        ({"original_id": "abc"}, "original_id 应为公众号的原始 ID，以 gh_ 开头，现为“abc”"),
        ({"name": ""}, "name 不能为空"),
        ({"division_code": "430199"}, "division_code：没有代码为“430199”的区划"),
        ({"kind": "mini"}, "kind 只能是 service（服务号）、subscription（订阅号） 之一，现为“mini”"),
        (
            {"mode": "secret"},
            "mode 只能是 plain（明文模式）、compatible（兼容模式）、safe（安全模式） 之一，现为“secret”",
        ),
        ({"certified": "y"}, "certified 只能是 true 或 false（也可写 是、否），现为“y”"),
        # Secrets are never quoted.
        ({"token": "ab"}, "token 应为 3 到 32 个字母或数字"),
        ({"encoding_aes_key": "k" * 42}, "encoding_aes_key 应为 43 个字母或数字（EncodingAESKey）"),
        ({"encoding_aes_key": "k" * 42 + "+"}, "encoding_aes_key 应为 43 个字母或数字（EncodingAESKey）"),
        ({"secret": ""}, "secret 不能为空"),
    ],
)
async def test_a_wrong_row_is_named(county: Work, refusals: Refusals, cells: dict[str, str], fault: str) -> None:
    second = {"appid": "wxfedcba9876543210", "original_id": "gh_ba9876543210"} | cells
    assert await refusals(county, "accounts", HEADER + row() + row(**second)) == [f"第 3 行：{fault}"]
