"""What is done for people's sign-ins in the background."""

from datetime import timedelta

from app.base.clock import machine
from app.base.work import Opener, piecemeal
from app.people.queries import upkeep

FORGIVEN = timedelta(days=1)
"""How long after the end of its wait a failure to sign in is remembered."""


async def sweep(opener: Opener) -> int:
    """Clears away sessions that are over, and failures to sign in that are long past; how many rows it was."""
    now = machine()
    over = await piecemeal(opener, lambda work: upkeep.delete_sessions(work.conn, now))
    return over + await piecemeal(opener, lambda work: upkeep.delete_failures(work.conn, now - FORGIVEN))
