"""The trails of many tickets that lived elsewhere: linked as they are told, then written by COPY."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.chain import BEGIN, Entry, Head, salt, text_digest
from app.audit.queries import writing

__all__ = ["BEGIN", "Entry", "Trails"]


class Trails:
    """Gathers them. `tell` gives the head that belongs into the ticket's row, so the rows can be written first."""

    def __init__(self) -> None:
        self._events: list[writing.Row] = []
        self._texts: list[tuple[int, int, str, bool | None, bytes]] = []
        self._again: list[int] = []

    def tell(self, head: bytes | None, told: Iterable[tuple[Entry, str]]) -> bytes | None:
        """The next events of one ticket, each with its text (empty: none), which is shown to nobody outside.

        `head`: as for `service.record`; returns the new one.
        """
        end = None if head is None else Head.unpacked(head)
        for bare, text in told:
            entry = replace(bare, text_digest=self._say(bare.ticket_id, bare.seq, text)) if text else bare
            before = end.hash if end is not None and end.length == entry.seq - 1 else None
            after = None if before is None else entry.hash_after(before)
            self._events.append(writing.row_of(entry, before, after))
            if after is not None:
                end = Head(entry.seq, after)
        return head if end is None else end.packed()

    def retell(self, ticket_id: int, texts: Sequence[tuple[int, str]]) -> dict[str, str]:
        """(seq, text) in place of all texts that are there. What it returns belongs into the `detail` of the ticket's
        next event, as `texts`: it says in the chain what the texts are from then on."""
        self._again.append(ticket_id)
        return {str(seq): self._say(ticket_id, seq, text).hex() for seq, text in texts}

    async def write(self, conn: AsyncConnection) -> None:
        """Behind the rows of their tickets."""
        if self._again:
            await writing.delete_texts(conn, self._again)
        await writing.copy_events(conn, self._events)
        await writing.copy_texts(conn, self._texts)

    def _say(self, ticket_id: int, seq: int, text: str) -> bytes:
        grain = salt()
        # Nobody there wrote for everybody's eyes: names and addresses may stand in it.
        self._texts.append((ticket_id, seq, text, False, grain))
        return text_digest(grain, text)
