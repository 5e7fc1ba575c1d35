"""A database that is away for the webhook, and comes back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.base.db import Database
from app.wechat.intake import Intake
from tests.wechat.line import Line


@asynccontextmanager
async def away(line: Line, intake: Intake) -> AsyncIterator[None]:
    """While inside, nobody listens where the webhook looks for its database. The account is known before."""
    await line.say("谢谢", "oSomebodyElse")
    state = line.client._transport.app.state  # type: ignore[attr-defined]
    there: Database = state.database
    state.database = nowhere = Database("postgresql://nobody@127.0.0.1:1/none", there.clock)
    try:
        yield
    finally:
        state.database = there
        # It would go on looking for the one that never comes.
        await intake.reach.close()
        await nowhere.close()
