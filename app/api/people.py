"""Sign-in, and who I am."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import StringConstraints

from app.api.bodies import Body, Code, example
from app.base.work import Opener, Work
from app.divisions.service import atlas, node_codes
from app.domain.policy import Permission
from app.people import service
from app.web.gate import needs

router = APIRouter(tags=["登录"])


class Credentials(Body):
    model_config = example(username="admin-430121001", password="……")  # noqa: S106 - it is none

    username: Code
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


@dataclass(frozen=True, slots=True)
class SessionView:
    access_token: str
    token_type: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class AppointmentView:
    role: str
    division_code: str | None
    unit_code: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Me:
    username: str
    name: str
    roles: list[str]
    divisions: list[str]
    appointments: list[AppointmentView]


@router.post(
    "/sessions",
    summary="登录",
    operation_id="session_open",
    responses={
        401: {"description": "用户名或密码不对"},
        429: {"description": "尝试次数太多，请在 Retry-After 秒后再试"},
    },
)
async def sign_in(
    request: Request, opener: Annotated[Opener, needs(Permission.PUBLIC, later=True)], body: Credentials
) -> SessionView:
    """工作人员用户名和密码登录；同一地址连错五次后要等待，各账号合计 15 分钟内最多错 20 次。"""
    address = request.client.host if request.client else "127.0.0.1"
    token = await service.sign_in(opener, body.username, body.password, address)
    return SessionView(token.access_token, "bearer", token.expires_in)


@router.get("/me", summary="我是谁", operation_id="me")
async def me(work: Annotated[Work, needs(Permission.SIGNED_IN, read=True)]) -> Me:
    """我的岗位和所在的区划、单位。"""
    county = (await atlas(work)).county
    held = [
        AppointmentView(a.role, *node_codes(county, a.node), county.name_of(a.node)) for a in work.actor.appointments
    ]
    codes = [county.division_of(a.node).code for a in work.actor.appointments]
    return Me(work.actor.username or "", work.actor.name, sorted(work.actor.roles), sorted(set(codes)), held)
