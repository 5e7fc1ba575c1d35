"""The trail, for auditors: searched, and taken away whole. Without any text, and without the name of any citizen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from app.audit import search
from app.audit.search import AuditEntry, Mark, TrailKind, Wanted
from app.base.work import Work
from app.domain.errors import Invalid
from app.domain.policy import Permission
from app.domain.workdays import end_of
from app.rates.views import day
from app.web import cursors
from app.web.gate import Admitted, needs

router = APIRouter(tags=["审计"])
_LIST = "audit"


@dataclass(frozen=True, slots=True)
class AuditListing:
    items: Sequence[AuditEntry]
    next_cursor: str | None


def _wanted(
    kind: Annotated[TrailKind | None, Query(description="ticket 事项的历程，office 人员、设置和报表的变动")] = None,
    number: Annotated[str | None, Query(description="只看这件事项的", max_length=20)] = None,
    staff: Annotated[str | None, Query(description="只看这个用户名的人做的", max_length=64)] = None,
    action: Annotated[str | None, Query(description="只看这种动作，如 decline、data.import", max_length=64)] = None,
    first: Annotated[str | None, Query(alias="from", description="从哪一天起，含当天（北京时间）")] = None,
    last: Annotated[str | None, Query(alias="to", description="到哪一天为止，含当天")] = None,
) -> Wanted:
    since = None if first is None else end_of(day(first, "/from") - timedelta(days=1))
    until = None if last is None else end_of(day(last, "/to"))
    if since is not None and until is not None and until <= since:
        raise Invalid.field("audit.span", "/to", "“到哪一天”不能早于“从哪一天”")
    return Wanted(kind, number, staff, action, since, until)


Asked = Annotated[Wanted, Depends(_wanted)]


@router.get("/audit", summary="审计记录", operation_id="audit_list")
async def listed(
    request: Request,
    work: Annotated[Work, needs(Permission.AUDIT_READ, read=True)],
    wanted: Asked,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> AuditListing:
    """谁在什么时候做了什么，最新的在前；不含任何文字，不含群众的姓名。hash 是这一条在哈希链中的散列。"""
    vault = request.app.state.vault
    page = await search.listed(work, wanted, limit, _mark(cursors.unseal(vault, _LIST, cursor)))
    return AuditListing(page.items, cursors.seal(vault, _LIST, _text(page.next)))


@router.get(
    "/audit.csv",
    summary="导出审计记录（CSV）",
    operation_id="audit_csv",
    response_class=StreamingResponse,
    responses={200: {"description": "UTF-8（带 BOM）", "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def csv(
    admitted: Annotated[Admitted, needs(Permission.AUDIT_READ, later=True)], wanted: Asked
) -> StreamingResponse:
    """与查询同样的条件，全部导出，最新的在前；导出本身也记入审计记录。"""
    pieces = await search.exported(admitted, admitted.actor, wanted)
    headers = {"Content-Disposition": "attachment; filename*=UTF-8''" + "%E5%AE%A1%E8%AE%A1%E8%AE%B0%E5%BD%95.csv"}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)


def _text(mark: Mark | None) -> str | None:
    """A mark for the sealed cursor, always of one length, which would tell of the ids."""
    return None if mark is None else f"{_iso(mark[0])} {mark[1]:019d} {mark[2]:019d}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _mark(sealed: str | None) -> Mark | None:
    if sealed is None:
        return None
    at, ticket_id, seq = sealed.split(" ")
    return datetime.fromisoformat(at), int(ticket_id), int(seq)
