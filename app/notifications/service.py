"""Puts notices into the outbox, in the transaction of what they tell of."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.base.batch import Batch
from app.base.work import Work
from app.domain.notices import Notice
from app.notifications import queries


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice to one recipient. `seq` is the event it tells of: it makes the key unique."""

    notice: Notice
    seq: int
    citizen_id: int | None = None
    staff_id: int | None = None


def enqueue(work: Work, batch: Batch, ticket_id: int, letters: Sequence[Letter]) -> None:
    """One row a letter, written with the batch. `body` stays empty: texts are rendered when the letter is delivered."""
    rows = [
        {
            "key": f"{ticket_id}:{letter.seq}:{letter.notice}:{letter.citizen_id or ''}:{letter.staff_id or ''}",
            "notice": letter.notice,
            "ticket_id": ticket_id,
            "citizen_id": letter.citizen_id,
            "staff_id": letter.staff_id,
            "body": {"seq": letter.seq},
            "created_at": work.now,
        }
        for letter in letters
    ]
    queries.add_notices(batch, rows)
