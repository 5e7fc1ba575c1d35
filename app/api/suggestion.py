"""Which category a text may be about, for whoever records it."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.base.work import Work
from app.divisions.service import atlas
from app.domain.policy import Permission
from app.suggestion import service
from app.suggestion.service import SuggestionView
from app.web.gate import needs

router = APIRouter(tags=["区划和分类"])


@router.get("/categories/suggest", summary="推荐事项分类", operation_id="category_suggest")
async def suggest(
    work: Annotated[Work, needs(Permission.TICKET_OPEN, read=True)],
    text: Annotated[str, Query(min_length=1, max_length=2_000, description="群众的原话")],
) -> list[SuggestionView]:
    """最可能的三个二级分类，把握大的在前；confidence 为 0 到 1，why 说明理由。都不像的为空。"""
    return service.views(await atlas(work), "", text)
