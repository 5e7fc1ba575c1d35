"""Frozen reports: their list, and each in the formats it is taken away in. They are made by `o2o report`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from app.base.work import Work
from app.divisions import service as divisions
from app.divisions.service import atlas
from app.domain.errors import Missing
from app.domain.policy import Permission
from app.reports import service, views
from app.reports.formats import FORMATS, disposition
from app.reports.queries import Report, Wanted
from app.reports.views import ReportEntry, ReportRecord
from app.web import cursors
from app.web.gate import needs

router = APIRouter(tags=["报表"])
Reading = Annotated[Work, needs(Permission.REPORT_READ, read=True)]
Id = Annotated[str, Path(description="报表列表中的 id", examples=["1"])]
_PERIOD = r"^[0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2})?|-W[0-9]{2}|-Q[1-4]|-H[12])?$"
_FRESH = {"description": "与 If-None-Match 所给的是同一份"}


@dataclass(frozen=True, slots=True)
class Reports:
    items: Sequence[ReportEntry]
    next_cursor: str | None


class Rendered(Response):
    """A report in one of its formats, rendered in a thread when Work has ended: no transaction waits for it."""

    def __init__(self, report: Report, suffix: str) -> None:
        self._report, self._form = report, FORMATS[suffix]
        headers = tags(report)
        if suffix != "json":
            headers["Content-Disposition"] = disposition(report, suffix)
        super().__init__(headers=headers, media_type=self._form.media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.body = await run_in_threadpool(self._form.render, self._report)
        self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def tags(report: Report) -> dict[str, str]:
    """An issue never changes: who has it need not ask again. Only its reader's own browser may keep it."""
    return {"ETag": f'"{report.checksum}"', "Cache-Control": "private, max-age=31536000, immutable"}


def _answer(request: Request, report: Report, suffix: str) -> Response:
    given = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if f'"{report.checksum}"' in given:
        return Response(status_code=304, headers=tags(report))
    return Rendered(report, suffix)


async def _one(work: Work, id_: str) -> Report:
    if not (id_.isascii() and id_.isdecimal()):
        raise Missing("report.unknown", "没有这个编号的报表，请从报表列表中选取")
    return await service.one(work, int(id_[:20]))


def _file(suffix: str) -> dict[int | str, dict[str, Any]]:
    shape: dict[str, Any] = {"type": "string"} | ({"format": "binary"} if FORMATS[suffix].binary else {})
    content = {FORMATS[suffix].media_type: {"schema": shape}}
    return {200: {"description": "文件，文件名在 Content-Disposition 中", "content": content}, 304: _FRESH}


@router.get("/reports", summary="报表列表", operation_id="report_list")
async def listed(  # noqa: PLR0913 - each is a query parameter of the interface
    request: Request,
    work: Reading,
    division: Annotated[str | None, Query(description="只看这个区划的", examples=["430121"])] = None,
    kind: Annotated[
        Literal["daily", "weekly", "monthly", "quarterly", "commendation", "yearly"] | None,
        Query(description="种类；目前生成的只有 monthly 月通报"),
    ] = None,
    period: Annotated[str | None, Query(description="统计期", pattern=_PERIOD, examples=["2026-10"])] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Reports:
    """已存档的报表，每一版一条，最新的在前；翻页用 next_cursor。"""
    county = await atlas(work)
    place = divisions.division(county.county, division, "/division").id if division else None
    vault = request.app.state.vault
    page = await views.listed(work, county, Wanted(place, kind, period), limit, cursors.decode(vault, cursor))
    return Reports(page.items, cursors.encode(vault, page.next))


# Before the route without a suffix, which would take theirs for a part of the number.
@router.get(
    "/reports/{id}.csv",
    summary="一份报表（CSV）",
    operation_id="report_csv",
    response_class=Response,
    responses=_file("csv"),
)
async def csv(request: Request, work: Reading, id_: Annotated[Id, Path(alias="id")]) -> Response:
    """UTF-8（带 BOM）；表头固定，比率不带百分号，没有数值的为“—”。"""
    return _answer(request, await _one(work, id_), "csv")


@router.get(
    "/reports/{id}.xlsx",
    summary="一份报表（Excel）",
    operation_id="report_xlsx",
    response_class=Response,
    responses=_file("xlsx"),
)
async def xlsx(request: Request, work: Reading, id_: Annotated[Id, Path(alias="id")]) -> Response:
    """供阅读和打印：通报、各级明细、并列指标、口径说明，修订版另有修订说明。"""
    return _answer(request, await _one(work, id_), "xlsx")


@router.get(
    "/reports/{id}",
    summary="一份报表",
    operation_id="report_show",
    response_model=ReportRecord,
    responses={304: _FRESH},
)
async def show(request: Request, work: Reading, id_: Annotated[Id, Path(alias="id")]) -> Response:
    """整份存档，就是存下的那一版。与校验和不符的答 500（report.tampered）。"""
    return _answer(request, await _one(work, id_), "json")
