"""The floors write what the product writes: else a ratio compares two different things."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.steps import idle_at
from app.domain.vocabulary import AccountMode, Action
from app.limits import service as limits
from app.tickets import service
from app.wechat import inbound
from app.wechat.accounts import Account
from app.wechat.crypto import Keys
from app.wechat.messages import read, text_message
from bench import acting, likeness, writers
from bench.clones import clone
from bench.ground import Ground
from bench.writers import Filing, Ids
from tests.bench.conftest import InHand

BEGUN: list[tuple[Action, dict[str, object]]] = [(Action.ACCEPT, {}), (Action.START, {})]
ANSWERED: list[tuple[Action, dict[str, object]]] = [*BEGUN, (Action.REPLY, {"text": "已派人去看"})]
TEXT = "已经修好，并请住户当面看过"
WORDS = {Action.REPLY: "text", Action.COMPLETE: "result"}
Lived = Callable[[Sequence[tuple[Action, dict[str, object]]]], Awaitable[InHand]]


@pytest.mark.parametrize(("action", "before"), [(Action.REPLY, BEGUN), (Action.COMPLETE, ANSWERED)])
async def test_a_transition_leaves_the_same_rows_raw_as_through_the_service(
    raw: Any, county: Atlas, under: Ground, in_hand: Lived, action: Action, before: Any
) -> None:
    original = await in_hand(before)
    ours, theirs, wrong = await clone(raw, under, original.id, 3)
    now = original.held.now
    idle = idle_at(now, await limits.calendar(original.held, county))

    async def left(number: str, text: str, *, ours: bool = False) -> likeness.Rows:
        begun = await likeness.mark(raw)
        if ours:
            await service.act(original.held, county, number, action, {WORDS[action]: text})
        else:
            assert await acting.at_once(raw, action, (original.digest, number, text), now, idle)
        return await likeness.rows(raw, number, begun.delta, (now, now))

    product = await left(ours, TEXT, ours=True)

    likeness.require_same(product, await left(theirs, TEXT), "the floor")
    with pytest.raises(AssertionError, match="event_text otherwise"):
        likeness.require_same({"event_text": product["event_text"]}, await left(wrong, "别的话"), "a wrong floor")


async def test_a_transition_of_somebody_elses_ticket_is_none(raw: Any, in_hand: Lived) -> None:
    original = await in_hand(BEGUN)
    now = original.held.now

    assert not await acting.at_once(raw, "reply", ("nobody's digest", original.number, TEXT), now, now)


async def test_a_clone_has_the_rows_of_its_original_and_a_citizen_of_its_own(
    raw: Any, under: Ground, in_hand: Lived
) -> None:
    original = await in_hand(ANSWERED)
    since = (original.held.now, original.held.now)
    begun = await likeness.mark(raw)

    [number] = await clone(raw, under, original.id, 1)

    mark = begun.delta
    likeness.require_same(
        await likeness.rows(raw, original.number, mark, since), await likeness.rows(raw, number, mark, since), "a clone"
    )
    people = await raw.fetch("SELECT citizen_id FROM ticket WHERE number = ANY($1)", [original.number, number])
    assert len({row["citizen_id"] for row in people}) == 2


@pytest.mark.parametrize("write", [writers.at_once, writers.by_statements])
async def test_a_message_leaves_the_same_rows_raw_as_through_the_webhook(
    work: Work, raw: Any, under: Ground, write: Any
) -> None:
    row = await raw.fetchrow("SELECT id, original_id, division_id FROM account ORDER BY id LIMIT 1")
    keys = Keys("wx", "token", "k" * 43, None, AccountMode.SAFE)
    account = Account(row["id"], row["original_id"], row["division_id"], keys)
    begun = await likeness.mark(raw)
    for n in range(2):
        xml = text_message(account.original_id, f"oFloor{n}", "泉塘街道泉星社区门口的路灯坏了，请来看看", 1, n).encode()
        message = read(xml)
        assert await inbound.receive(work, account, message, inbound.entry_of(message, xml)) is not None
    written = await likeness.mark(raw)
    templates = await writers.templates(raw, begun.ticket)
    assert len(templates) == 2

    for n, template in enumerate(templates):
        filing = Filing(account.id, f"oBare{n}", f"key {n}", b"<xml/>", "泉塘街道泉星社区门口的路灯坏了", work.now)
        await write(raw, Ids(raw, under.number_key), filing, writers.ready(template))

    product = await likeness.shapes(raw, begun, written)
    floor = await likeness.shapes(raw, written, await likeness.mark(raw))
    assert product[likeness.DELTAS].keys() == {("received 1",)}
    likeness.require(product, floor, "the floor")
    with pytest.raises(AssertionError, match="rows into step"):
        likeness.require(product, dict(floor) | {"step": floor["step"] + floor["step"]}, "a floor with twice the steps")
