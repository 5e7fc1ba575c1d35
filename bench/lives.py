"""A ticket that has lived through the product's own doors: written by a citizen, worked on by whoever got it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import ground, load
from bench.citizens import Citizens
from bench.place import Place, Service

Step = tuple[str, Mapping[str, object]]
"""An action of the interface, and its body."""

REPLY: Step = ("reply", {"text": "已到现场看过，情况属实，正在联系施工队，两天内给您答复，有事可打这个电话找我。"})
VISIT: Step = ("visit", {"seen": "上门时家里有老人在，路面确有三处破损，已拍照登记，并当面说明了安排。"})
COMPLETE: Step = ("complete", {"result": "已经修好，并请住户当面看过，路灯也一并查了一遍，后面一个月每周再去看一次。"})
BEGUN: tuple[Step, ...] = (("accept", {}), ("start", {}))
_TRIES = 100


@dataclass(frozen=True, slots=True)
class Lived:
    """The ticket's id, its number, and a bearer token of the person who has it in hand."""

    id: int
    number: str
    token: str


def path(number: str, action: str = "") -> str:
    """Where the interface has that ticket, or what is done to it."""
    return f"/api/v1/tickets/{number}" + (f"/{action}" if action else "")


async def lived(conn: Any, place: Place, service: Service, steps: Sequence[Step]) -> Lived:
    """A new ticket in the hands of one person, after these steps of theirs."""
    citizens = Citizens(place, seed=3)
    [connection] = await load.connect(service.port, 1)
    row = None
    for message in citizens.write(_TRIES):
        # Not all of them name a grid, and so a courier.
        await connection.ok(citizens.seal([message])[0])
        row = await conn.fetchrow(_WRITTEN, message.account.id, message.key)
        if row is not None:
            break
    assert row is not None, f"none of {_TRIES} messages got a person"
    token = await ground.sign_in(conn, row["person_id"])
    for action, body in steps:
        await connection.ok(load.post(path(row["number"], action), token, body))
    connection.close()
    return Lived(row["id"], row["number"], token)


_WRITTEN = """
SELECT t.id, t.number, t.person_id FROM inbound i JOIN ticket t ON t.id = i.ticket_id
WHERE i.account_id = $1 AND i.key = $2 AND t.person_id IS NOT NULL AND NOT t.confidential
  AND NOT EXISTS (SELECT FROM category c WHERE c.id = t.category_id AND c.photo_required)
"""


def timeline(length: int) -> list[Step]:
    """The steps after which a ticket's trail has that many entries, its opening among them."""
    return [*BEGUN, *((VISIT, REPLY)[n % 2] for n in range(length - 1 - len(BEGUN)))]


def shown(page: bytes) -> Mapping[str, Any]:
    """A ticket as the interface answered it."""
    found: Mapping[str, Any] = json.loads(page)
    return found
