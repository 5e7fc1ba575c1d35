"""The four rates."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from app.base.work import Work
from app.divisions import service as divisions
from app.divisions.service import atlas
from app.domain.policy import Permission
from app.domain.vocabulary import Attribution
from app.rates.service import LEVELS, rates
from app.rates.views import TableView, day, table_view
from app.web.gate import needs

router = APIRouter(tags=["四率"])


def _day(alias: str, description: str) -> object:
    return Query(alias=alias, description=description, json_schema_extra={"format": "date"}, examples=["2026-10-01"])


@router.get("/rates", summary="四率", operation_id="rates")
async def show(
    work: Annotated[Work, needs(Permission.RATES_READ, read=True)],
    division: Annotated[str, Query(description="区划代码", examples=["430121"])],
    first: Annotated[str, _day("from", "从哪一天收到的起，含当天（北京时间）")],
    last: Annotated[str, _day("to", "到哪一天收到的为止，含当天")],
    level: Annotated[
        Literal["county", "town", "village", "grid", "unit"] | None,
        Query(description="列出其中这一级的每个区划；unit 为承办单位"),
    ] = None,
    attribution: Annotated[Attribution, Query(description="属地或承办口径")] = Attribution.TERRITORIAL,
) -> TableView:
    """一段日期内收到的事项，到现在的受理率、回复率、办结率、满意率及并列指标；比率为百分数，分母为零时为 null。

    不选 level 时只有一行，即该区划（含其下各级）；选了则列出其中该级的每个区划，并在它们之间排名。
    """
    county = await atlas(work)
    place = divisions.division(county.county, division, "/division")
    span = {"first": day(first, "/from"), "last": day(last, "/to")}
    chosen = LEVELS[level] if level else None
    return table_view(await rates(work, county, place.id, **span, level=chosen, attribution=attribution))
