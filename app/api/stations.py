"""Stations and chat groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.base.work import Work
from app.divisions import offline
from app.divisions import service as divisions
from app.divisions.offline import GroupView, StationView
from app.divisions.service import atlas
from app.domain.policy import Permission
from app.web import cursors
from app.web.gate import needs

router = APIRouter(tags=["站点和群"])
DIVISION = Annotated[str, Query(description="区划代码，含其下各级", examples=["430121001"])]
LIMIT = Annotated[int, Query(ge=1, le=100)]


@dataclass(frozen=True, slots=True)
class StationListing:
    items: Sequence[StationView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class GroupListing:
    items: Sequence[GroupView]
    next_cursor: str | None


@router.get("/stations", summary="服务站点", operation_id="stations")
async def stations(
    request: Request,
    work: Annotated[Work, needs(Permission.SIGNED_IN, read=True)],
    division: DIVISION,
    limit: LIMIT = 20,
    cursor: str | None = None,
) -> StationListing:
    """一个区划及其下各级的服务站点：县办、镇街中心、村社区站、网格点。"""
    county = (await atlas(work)).county
    area = divisions.division(county, division, "/division")
    vault = request.app.state.vault
    page = await offline.stations(work, county, area, cursors.decode_id(vault, "stations", cursor), limit)
    return StationListing(page.items, cursors.encode_id(vault, "stations", page.next))


@router.get("/groups", summary="微信群", operation_id="groups")
async def groups(
    request: Request,
    work: Annotated[Work, needs(Permission.SIGNED_IN, read=True)],
    division: DIVISION,
    limit: LIMIT = 20,
    cursor: str | None = None,
) -> GroupListing:
    """一个区划及其下各级的微信群、企业微信群；robot 表示能由机器人发消息，否则由管理员复制发送。"""
    county = (await atlas(work)).county
    area = divisions.division(county, division, "/division")
    vault = request.app.state.vault
    page = await offline.groups(work, county, area, cursors.decode_id(vault, "groups", cursor), limit)
    return GroupListing(page.items, cursors.encode_id(vault, "groups", page.next))
