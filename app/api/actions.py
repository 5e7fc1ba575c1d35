"""POST /tickets/{number}/{action}: one route per live row of the transition table, each with its own body."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from fastapi.responses import JSONResponse

from app.api.bodies import BODIES, Act, Rating, form_of
from app.api.tickets import NUMBER, NumberOnly, etag
from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.errors import Unknown
from app.domain.lifecycle import TABLE
from app.domain.numbers import as_rating_code
from app.domain.policy import ActorKind, Capacity, Permission
from app.domain.ticket import Form
from app.domain.vocabulary import Action, Score, Status
from app.tickets import merging, public, rating, service, views
from app.tickets.public import PublicTicket
from app.tickets.views import TicketView
from app.web.gate import needs

router = APIRouter(tags=["事项"])
_DONE_BY: Mapping[Action, Callable[[Work, Atlas, str, Form], Awaitable[int]]] = {
    Action.MERGE: merging.merge,
    Action.UNMERGE: merging.unmerge,
}
"""What is not done by service.act."""


async def _perform(work: Work, county: Atlas, number: str, action: Action, form: Form) -> int:
    done = _DONE_BY.get(action)
    return await (service.act(work, county, number, action, form) if done is None else done(work, county, number, form))


@dataclass(frozen=True, slots=True)
class RatedOnly:
    """The answer to whoever rated a confidential ticket."""

    number: str
    score: str


def _endpoint(action: Action, shape: type[Act]) -> Callable[..., Awaitable[Any]]:
    async def endpoint(
        work: Annotated[Work, needs(Permission.TICKET_ACT)],
        number: NUMBER,
        response: Response,
        body: Annotated[Act, Body()],
    ) -> Any:
        county = await atlas(work)
        ticket_id = await _perform(work, county, number, action, form_of(body))
        seen = await views.by_id(work, county, ticket_id)
        if seen is None:
            # The act took it out of the actor's sight (a matter that became confidential, say).
            return JSONResponse(views.number_only(number))
        etag(response, seen)
        return seen

    endpoint.__annotations__["body"] = Annotated[shape, Body()]
    endpoint.__doc__ = _who_and_when(action)
    return endpoint


def _who_and_when(action: Action) -> str:
    row = TABLE[action]
    states = "、".join(f"{state.label}（{state}）" for state in Status if state in row.sources)
    who = "、".join(capacity.label for capacity in Capacity if capacity in row.who)
    return f"{action.label}。状态：{states}。由：{who}。不合状态或条件答 409，无权答 403，无权知道答 404。"


for _action, _shape in BODIES.items():
    router.add_api_route(
        f"/tickets/{{number}}/{_action}",
        _endpoint(_action, _shape),
        methods=["POST"],
        response_model=TicketView | NumberOnly,
        summary=_action.label,
        operation_id=f"ticket_{_action.replace('-', '_')}",
    )


@router.post(
    "/tickets/{number}/rating",
    response_model=PublicTicket | RatedOnly,
    responses={401: {"description": "没有填写评价码"}, 403: {"description": "评价码不对"}},
    summary="评价（评价码或回访）",
    operation_id="ticket_rating",
)
async def rate(work: Annotated[Work, needs(Permission.TICKET_RATE)], number: NUMBER, body: Rating) -> Any:
    """点赞或踩一脚，凭本次办结的评价码，不必登录；没有经手的督查员、上级管理员电话回访时填 via=callback。

    评价码不对答 403；办结 15 天后答 409。
    """
    county = await atlas(work)
    form = {"score": Score(body.score), "comment": body.comment, "solved": body.solved}
    if body.via is not None:
        if work.actor.kind is not ActorKind.STAFF:
            raise Unknown("session.none", "回访评价请先登录")
        rated = await rating.rate_by_callback(work, county, number, form)
    elif body.code is None:
        raise Unknown("rating.code_missing", "请填写评价码（8位），或在微信公众号里评价")
    else:
        rated = await rating.rate_by_code(work, county, as_rating_code(body.code) or "", form, number)
    if not rated.published:
        # Whoever has the code of a confidential ticket may rate it, and learns nothing by it.
        return JSONResponse({"number": number, "score": body.score})
    return await public.one(work, county, number)
