"""The accounts in memory: fresh enough, and never a way to make the database work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, update

from app.base.secrets import Vault
from app.base.work import Work
from app.demo.county import DemoCounty
from app.domain.errors import Busy
from app.domain.policy import Actor
from app.domain.vocabulary import AccountMode
from app.schema.wechat import accounts
from app.wechat.accounts import Accounts, place


class Desk:
    """An opener over one transaction that counts how often it is asked, with a clock of its own."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.asked = 0
        self.seconds = 1000.0
        self.away = False
        self.stuck: asyncio.Event | None = None

    def tick(self) -> float:
        return self.seconds

    @asynccontextmanager
    async def opener(self, actor: Actor) -> AsyncIterator[Work]:
        self.asked += 1
        if self.away:
            raise ConnectionRefusedError
        if self.stuck is not None:
            await self.stuck.wait()
        yield self.work


@pytest.fixture
def desk(work: Work) -> Desk:
    return Desk(work)


@pytest.fixture
def known(desk: Desk, vault: Vault) -> Accounts:
    return Accounts(vault, desk.tick)


def appids(demo: DemoCounty) -> list[str]:
    return [row["appid"] for row in next(sheet for sheet in demo.sheets if sheet.name == "accounts").rows]


async def test_every_account_of_the_county_is_opened_with_one_look(
    desk: Desk, known: Accounts, demo: DemoCounty
) -> None:
    sheet = next(sheet for sheet in demo.sheets if sheet.name == "accounts")
    for row in sheet.rows:
        account = await known.find(row["appid"], desk.opener)
        assert account is not None
        assert (account.keys.token, account.keys.encoding_aes_key) == (row["token"], row["encoding_aes_key"])
        assert (account.original_id, account.keys.mode) == (row["original_id"], AccountMode(row["mode"]))
    assert (len(sheet.rows), desk.asked) == (19, 1)


async def test_a_change_is_seen_after_five_seconds(desk: Desk, known: Accounts, demo: DemoCounty, vault: Vault) -> None:
    appid = appids(demo)[0]
    before = await known.find(appid, desk.opener)
    sealed = vault.seal("anewtoken", place("token", appid))
    previous = vault.seal("P" * 43, place("previous_aes_key", appid))
    changed = update(accounts).where(accounts.c.appid == appid).values(token=sealed, previous_aes_key=previous)
    await desk.work.conn.execute(changed)
    desk.seconds += 4.9
    assert await known.find(appid, desk.opener) == before
    desk.seconds += 0.2
    after = await known.find(appid, desk.opener)
    assert after is not None
    assert (after.keys.token, after.keys.previous_aes_key) == ("anewtoken", "P" * 43)
    assert desk.asked == 2


async def test_unknown_accounts_are_looked_for_at_most_once_a_second(
    desk: Desk, known: Accounts, demo: DemoCounty
) -> None:
    for number in range(1000):
        desk.seconds += 0.01
        assert await known.find(f"wx{number:016}", desk.opener) is None
    assert desk.asked <= 11
    assert await known.find(appids(demo)[3], desk.opener) is not None


async def test_a_new_account_is_known_at_once(desk: Desk, known: Accounts, demo: DemoCounty, vault: Vault) -> None:
    new = "wxnew"
    assert await known.find(appids(demo)[0], desk.opener) is not None
    row = (await desk.work.conn.execute(select(accounts).limit(1))).mappings().one()
    values = {k: v for k, v in row.items() if k != "id"} | {"appid": new}
    values |= {c: vault.seal("x" * 43, place(c, new)) for c in ("token", "encoding_aes_key", "secret")}
    await desk.work.conn.execute(accounts.insert().values(**values))
    desk.seconds += 1
    assert await known.find(new, desk.opener) is not None


async def test_while_the_database_is_away_known_accounts_stay_known(
    desk: Desk, known: Accounts, demo: DemoCounty
) -> None:
    appid = appids(demo)[0]
    account = await known.find(appid, desk.opener)
    desk.away = True
    for _ in range(10):
        desk.seconds += 3
        assert await known.find(appid, desk.opener) == account
    assert desk.asked <= 6
    with pytest.raises(Busy):
        await known.find("wxperhapsnew", desk.opener)
    desk.away = False
    desk.seconds += 1
    assert await known.find("wxperhapsnew", desk.opener) is None


async def test_before_the_first_look_nobody_is_told_that_an_account_does_not_exist(
    desk: Desk, known: Accounts, demo: DemoCounty
) -> None:
    desk.away = True
    for _ in range(2):
        with pytest.raises(Busy):
            await known.find(appids(demo)[0], desk.opener)


async def test_an_account_whose_keys_were_copied_from_another_does_not_stop_the_rest(
    desk: Desk, known: Accounts, demo: DemoCounty
) -> None:
    first, second = appids(demo)[:2]
    theirs = select(accounts.c.token).where(accounts.c.appid == second).scalar_subquery()
    await desk.work.conn.execute(update(accounts).where(accounts.c.appid == first).values(token=theirs))
    assert await known.find(first, desk.opener) is None
    assert await known.find(second, desk.opener) is not None


async def test_a_database_that_hangs_holds_up_one_message_at_a_time(
    desk: Desk, known: Accounts, demo: DemoCounty
) -> None:
    appid = appids(demo)[0]
    account = await known.find(appid, desk.opener)
    desk.seconds += 6
    desk.stuck = asyncio.Event()
    first = asyncio.create_task(known.find(appid, desk.opener))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(known.find(appid, desk.opener), timeout=1) == account
    desk.stuck.set()
    assert await first == account
    assert desk.asked == 2
