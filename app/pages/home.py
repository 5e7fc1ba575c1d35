"""`/`: what runs here and where to go."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.errors import Busy
from app.domain.policy import Permission
from app.domain.workdays import day_of
from app.pages import figures, periods
from app.pages.rendering import BOARD_CACHE, page
from app.rates.service import rates
from app.web.gate import needs

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request, work: Annotated[Work, needs(Permission.PUBLIC, read=True)]) -> Response:
    """The county's figures of this month, how to order, and where staff and operators go on."""
    context = await _figures(work, await _county(work)) | {
        "section": "home",
        "now": work.now,
        "version": request.app.version,
        "demo": request.app.state.demo,
    }
    return page(request, "home.html", context, headers={"Cache-Control": BOARD_CACHE})


async def _county(work: Work) -> Atlas | None:
    """None before the first import: whoever sets the service up sees where to go all the same."""
    try:
        return await atlas(work)
    except Busy:
        return None


async def _figures(work: Work, known: Atlas | None) -> dict[str, Any]:
    if known is None:
        return {"county_name": "", "main": []}
    root = known.county.root
    month = periods.choices(day_of(work.now))[0]
    counts = (await rates(work, known, root.id, first=month.first, last=month.last)).rows[0].counts
    return {
        "county_name": root.name,
        "main": figures.main(counts),
        "received": counts.received,
        "month_first": month.first,
    }
