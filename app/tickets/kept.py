"""Messages that could not be understood, for the administrators of their account's place: shown, filed, settled.

A message is known by its account's appid and the key that its deliveries share: nobody can guess one, or count others'.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import masking, policy
from app.domain.county import Node
from app.domain.errors import Conflict, Invalid, Missing
from app.domain.vocabulary import SHANGHAI, Role
from app.people import queries as people
from app.tickets import raw, recording, service
from app.tickets.queries import kept as queries
from app.tickets.queries.kept import Account, Kept, Wanted
from app.tickets.recording import Record
from app.tickets.views import CitizenView, DivisionView, PersonView, division_view

SHOWN = 20_000
"""Characters of a message that are shown, and that a ticket's description can hold."""

PAGE_BYTES = 512 * 1024
"""Of the messages of a page, as they came; JSON may write six for one. Ordinary ones are a kilobyte long."""
TYPE_LENGTH = 64
"""As much of a type as is shown; WeChat's longest has some twenty characters."""


@dataclass(frozen=True, slots=True)
class AccountView:
    appid: str
    name: str
    division: DivisionView


@dataclass(frozen=True, slots=True)
class Settlement:
    """Who has seen to it, and when."""

    by: PersonView
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """`text` where its words can be made out, else `raw`, as it came. `reply`: what its sender was answered."""

    id: str
    account: AccountView
    received_at: datetime
    problem: str | None
    type: str | None
    citizen: CitizenView | None
    text: str | None
    raw: str | None
    reply: str | None
    ticket: str | None
    settled: Settlement | None


@dataclass(frozen=True, slots=True)
class KeptPage:
    """`next`: the id of the last row, where there are more."""

    items: Sequence[KeptMessage]
    next: int | None


async def listed(work: Work, atlas: Atlas, wanted: Wanted) -> KeptPage:
    """Those of the accounts whose places the actor administers; fewer than asked for where they are very long."""
    accounts = {account.id: account for account in await _accounts(work, atlas)}
    rows = await queries.page(work.conn, sorted(accounts), wanted) if accounts else []
    fitting = _fitting(rows[: wanted.limit])
    items = [_shown(atlas, accounts[row.account_id], row) for row in fitting]
    return KeptPage(items, fitting[-1].id if len(rows) > len(fitting) else None)


async def file(work: Work, atlas: Atlas, message_id: str, body: Record) -> dict[str, Any]:
    """Makes a ticket of a message, as of when it came; gives the answer, the number alone of a confidential one.

    An empty description: the message's own words. Raises Missing, Invalid, Conflict with the number where there is one.
    """
    account, row = await _one(work, atlas, message_id)
    words = body.description or raw.text_of(raw.decoded(row.raw)) or ""
    if not words.strip():
        raise Invalid.field("description.none", "/description", "这条消息里没有能读出的文字，请写明是什么事")
    # Before the message: the webhook, too, takes a citizen first and then messages of theirs.
    citizen = await people.citizen_of(work.conn, account.id, row.openid, work.now) if row.openid is not None else None
    await _hold(work, account, row)
    staff_id = service.must_be_staff(work)
    matter = await recording.matter_of(work, atlas, replace(body, description=words[:SHOWN]), staff_id)
    matter = replace(
        matter,
        citizen_id=citizen.id if citizen else None,
        bound_grid_id=citizen.grid_id if citizen else None,
        account_id=account.id,
        account_division_id=account.division_id,
        received_at=row.received_at.astimezone(SHANGHAI),
    )
    answer, ticket_id = await recording.opened(work, atlas, matter)
    await queries.filed(work.conn, row.id, ticket_id, staff_id, work.now)
    return answer


async def settle(work: Work, atlas: Atlas, message_id: str, text: str | None) -> KeptMessage:
    """Notes that a message needs no ticket; its sender reads `text`, if any. Raises Missing, Conflict."""
    account, row = await _one(work, atlas, message_id)
    await _hold(work, account, row)
    if row.settled_at is not None:
        raise Conflict("message.settled", "这条消息已经处理过了")
    await queries.settled(work.conn, row.id, service.must_be_staff(work), work.now, text)
    after = await queries.one(work.conn, account.id, row.key)
    assert after is not None
    return _shown(atlas, account, after)


def _fitting(rows: Sequence[Kept]) -> Sequence[Kept]:
    """As many from the first on as a page can hold, one at least."""
    size = 0
    for at, row in enumerate(rows):
        size += len(row.raw)
        if size > PAGE_BYTES and at:
            return rows[:at]
    return rows


async def _accounts(work: Work, atlas: Atlas) -> list[Account]:
    seats = [one.node for one in work.actor.appointments if one.role is Role.ADMINISTRATOR]
    return [
        account
        for account in await queries.all_accounts(work.conn)
        if any(policy.administers(seat, Node(division_id=account.division_id), atlas.county) for seat in seats)
    ]


async def _one(work: Work, atlas: Atlas, message_id: str) -> tuple[Account, Kept]:
    appid, _, key = message_id.partition(".")
    for account in await _accounts(work, atlas):
        if account.appid == appid:
            row = await queries.one(work.conn, account.id, key)
            if row is not None:
                return account, row
    raise Missing("message.unknown", "没有这条消息，请从消息列表里选")


async def _hold(work: Work, account: Account, row: Kept) -> None:
    """Takes the message for the rest of the transaction. Raises Conflict where a ticket was made of it before."""
    held = await queries.one(work.conn, account.id, row.key, lock=True)
    if held is not None and held.number is not None:
        raise Conflict("message.filed", f"这条消息已经登记，编号：{held.number}")
    if held is None or held.settled_at != row.settled_at:
        raise Conflict("message.changed", "这条消息刚被别人处理了，请刷新后再看")


def _shown(atlas: Atlas, account: Account, row: Kept) -> KeptMessage:
    whole = raw.decoded(row.raw)
    text, kind = raw.text_of(whole), raw.field(whole, "MsgType")
    return KeptMessage(
        id=f"{account.appid}.{row.key}",
        account=AccountView(account.appid, account.name, division_view(atlas, account.division_id)),
        received_at=row.received_at.astimezone(SHANGHAI),
        problem=row.problem,
        type=kind and kind[:TYPE_LENGTH],
        citizen=_citizen(row),
        text=text and text[:SHOWN],
        raw=None if text else raw.anonymous(whole, row.openid)[:SHOWN],
        reply=row.reply,
        ticket=row.number,
        settled=_settlement(row),
    )


def _settlement(row: Kept) -> Settlement | None:
    if row.settled_at is None:
        return None
    by = PersonView(row.settled_by_username or "", row.settled_by_name or "")
    return Settlement(by, row.settled_at.astimezone(SHANGHAI))


def _citizen(row: Kept) -> CitizenView | None:
    if row.citizen_name is None and row.citizen_phone is None:
        return None
    name = masking.name(row.citizen_name) if row.citizen_name else None
    return CitizenView(name, masking.phone(row.citizen_phone) if row.citizen_phone else None)
