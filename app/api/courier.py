"""The courier's day."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.api.tickets import Listing
from app.base.work import Work
from app.divisions.service import atlas
from app.domain.policy import Permission
from app.domain.vocabulary import OPEN
from app.tickets import views
from app.tickets.queries.reading import Filters, Page
from app.web import cursors
from app.web.gate import needs

router = APIRouter(prefix="/courier", tags=["快递员"])


@router.get("/tickets", summary="我手头的事项", operation_id="courier_tickets")
async def tickets(
    request: Request,
    work: Annotated[Work, needs(Permission.COURIER_DAY, read=True)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Listing:
    """派给我、还没有办结的事项，最急的在前。"""
    filters = Filters(status=sorted(OPEN), person_id=work.actor.id)
    vault = request.app.state.vault
    page = await views.listed(work, await atlas(work), filters, Page("due_at", limit, cursors.decode(vault, cursor)))
    return Listing(page.items, cursors.encode(vault, page.next))
