"""The tree of divisions and the categories."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter

from app.base.work import Work
from app.divisions.service import atlas
from app.domain.county import County, Division
from app.domain.errors import Missing
from app.domain.policy import Permission
from app.web.gate import needs

router = APIRouter(tags=["区划和分类"])


@dataclass(frozen=True, slots=True)
class DivisionEntry:
    code: str
    name: str
    short_name: str
    level: str
    parent_code: str | None
    path: list[str]
    aliases: list[str]
    edition: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class CategoryEntry:
    code: str
    name: str
    parent_code: str | None
    level: int
    kind_hint: str | None
    lowest_level: str
    unit_code: str | None
    auto_accept: bool
    photo_required: bool
    sensitive: bool
    confidential: bool


def _view(county: County, division: Division) -> DivisionEntry:
    parent = county.divisions[division.parent_id].code if division.parent_id is not None else None
    return DivisionEntry(
        code=division.code,
        name=division.name,
        short_name=division.short_name,
        level=division.level,
        parent_code=parent,
        path=county.path(division.id),
        aliases=[alias for alias in county.aliases_of.get(division.id, ()) if alias != division.name],
        edition=division.edition,
        valid_from=division.valid_from,
        valid_to=division.valid_to,
    )


def _found(county: County, code: str) -> Division:
    found = county.by_code.get(code)
    if found is None:
        raise Missing("division.unknown", "没有这个区划代码，请核对后再试")
    return found


@router.get("/divisions/{code}", summary="一个区划", operation_id="division_show")
async def show(work: Annotated[Work, needs(Permission.SIGNED_IN, read=True)], code: str) -> DivisionEntry:
    """区划的名称、别名（含旧名）、级别和所在。

    edition 是最近一次变动的版本（从没写明过的为空），valid_to 是最后一天，未撤销为空。
    """
    county = (await atlas(work)).county
    return _view(county, _found(county, code))


@router.get("/divisions/{code}/children", summary="下级区划", operation_id="division_children")
async def children(
    work: Annotated[Work, needs(Permission.SIGNED_IN, read=True)], code: str, closed: bool = False
) -> list[DivisionEntry]:
    """直接下级，按代码排列；closed=true 时连同已撤销的。"""
    county = (await atlas(work)).county
    parent = _found(county, code)
    below = (d for d in county.divisions.values() if d.parent_id == parent.id and (d.in_force or closed))
    return [_view(county, d) for d in sorted(below, key=lambda d: d.code)]


@router.get("/categories", summary="事项分类", operation_id="categories")
async def categories(work: Annotated[Work, needs(Permission.SIGNED_IN, read=True)]) -> list[CategoryEntry]:
    """两级分类，按代码排列。"""
    county = (await atlas(work)).county
    return [
        CategoryEntry(
            code=c.code,
            name=c.name,
            parent_code=county.categories[c.parent_id].code if c.parent_id is not None else None,
            level=c.level,
            kind_hint=c.kind_hint,
            lowest_level=c.lowest_level,
            unit_code=county.units[c.unit_id].code if c.unit_id is not None else None,
            auto_accept=c.auto_accept,
            photo_required=c.photo_required,
            sensitive=c.sensitive,
            confidential=c.confidential,
        )
        for c in sorted(county.categories.values(), key=lambda c: c.code)
    ]
