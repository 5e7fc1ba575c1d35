"""What the floors are held against: tickets that the product's own services have written, seen by a raw connection."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.base import secrets
from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.county import Node
from app.domain.policy import Actor, ActorKind
from app.domain.vocabulary import Action, Channel
from app.people import queries as people
from app.tickets import service
from app.tickets.opening import Matter, open_ticket
from bench import ground
from bench.ground import Ground

GRID = "430121001001001"
COURIER = f"courier-{GRID}-1"


@pytest.fixture
async def raw(work: Work) -> Any:
    """The driver's own connection, in the transaction of `work`."""
    # A statement first: SQLAlchemy begins its transaction with it.
    await atlas(work)
    return (await work.conn.get_raw_connection()).driver_connection


@pytest.fixture
async def county(work: Work) -> Atlas:
    return await atlas(work)


@pytest.fixture
async def under(raw: Any) -> Ground:
    """A ground with nothing on it."""
    key = await raw.fetchval("SELECT value FROM setting WHERE name = 'number_key'")
    return Ground(0, 0, 0, "", key.encode())


@dataclass(frozen=True, slots=True)
class InHand:
    """A citizen's ticket, the Work of the courier who has it, and the digest of that courier's token."""

    id: int
    number: str
    held: Work
    digest: str


@pytest.fixture
def in_hand(
    work: Work, raw: Any, county: Atlas, actor: Callable[[str], Awaitable[Actor]]
) -> Callable[[Sequence[tuple[Action, dict[str, object]]]], Awaitable[InHand]]:
    """`await in_hand(steps)`: a ticket that came by the account, after these steps of its courier."""

    async def lived(steps: Sequence[tuple[Action, dict[str, object]]]) -> InHand:
        account_id = await raw.fetchval("SELECT min(id) FROM account")
        citizen = await people.citizen_of(work.conn, account_id, "oFloor", work.now)
        courier = await actor(COURIER)
        matter = Matter(
            channel=Channel.ACCOUNT,
            description="3栋楼下每晚跳广场舞放高音喇叭，吵得睡不着，请来看看",
            division_id=county.county.by_code[GRID].id,
            citizen_id=citizen.id,
            account_id=account_id,
        )
        own = replace(work, actor=Actor(ActorKind.CITIZEN, citizen.id))
        opened = await open_ticket(own, county, matter)
        assert opened.node == Node(division_id=county.county.by_code[GRID].lineage[2])
        await raw.execute("UPDATE ticket SET person_id = $1 WHERE id = $2", courier.id, opened.id)
        held = replace(work, actor=courier)
        for action, form in steps:
            await service.act(held, county, opened.number, action, form)
        assert courier.id is not None
        return InHand(opened.id, opened.number, held, secrets.digest(await ground.sign_in(raw, courier.id)))

    return lived
