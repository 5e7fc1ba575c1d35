"""What is done for tickets in the background."""

from datetime import timedelta

from app.base.work import Opener, piecemeal
from app.tickets.queries import repeats

REPEATED_WITHIN = timedelta(days=7)
"""How long the first answer under an Idempotency-Key is kept for repeats."""


async def sweep(opener: Opener) -> int:
    """Forgets answers that nobody will ask for again; how many it was."""
    return await piecemeal(opener, lambda work: repeats.forget(work.conn, work.now - REPEATED_WITHIN))
