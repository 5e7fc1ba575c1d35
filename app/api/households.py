"""Households, as whoever administers them sees them: masked. Their own couriers: app.api.courier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.base.work import Work
from app.divisions import service as divisions
from app.divisions.service import atlas
from app.domain.policy import Permission
from app.people import households
from app.people.households import MaskedHousehold, Wanted
from app.web import cursors
from app.web.gate import needs

router = APIRouter(tags=["户"])


@dataclass(frozen=True, slots=True)
class MaskedListing:
    items: Sequence[MaskedHousehold]
    next_cursor: str | None


@router.get("/households", summary="辖区内的户（脱敏）", operation_id="household_list")
async def listed(
    request: Request,
    work: Annotated[Work, needs(Permission.HOUSEHOLD_READ, read=True)],
    division: Annotated[str, Query(description="区划代码，含其下各级；须在您管理的范围内", examples=["430121001"])],
    in_difficulty: Annotated[bool | None, Query(description="只看困难户，或只看其他户")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> MaskedListing:
    """姓名和电话脱敏，地址只到村社区；完整的只有联系这一户的民生快递员能看到。"""
    county = (await atlas(work)).county
    area = divisions.division(county, division, "/division")
    vault = request.app.state.vault
    wanted = Wanted(limit, in_difficulty)
    after = cursors.decode_id(vault, "households", cursor)
    page = await households.below(work, county, vault, area, wanted, after)
    return MaskedListing(page.items, cursors.encode_id(vault, "households", page.next))
