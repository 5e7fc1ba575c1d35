"""The gate: the only way for a route to get Work. Deny by default; every route says what it asks for."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from app.base.db import Database
from app.base.work import Work
from app.domain import policy
from app.domain.errors import Forbidden, Unknown
from app.domain.policy import PUBLIC, Actor, Permission
from app.people import service as people

ALLOWED_WITHOUT = frozenset({"/openapi.json"})
"""The written allow-list: it shows nothing but the shape of the interface."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whoever the gate let in, for a route that opens Work later; an Opener (app.base.work)."""

    actor: Actor
    database: Database
    read: bool

    def __call__(self, actor: Actor) -> AbstractAsyncContextManager[Work]:
        return self.database.open_work(actor, read=self.read)


def needs(permission: Permission, *, read: bool = False, later: bool = False) -> Any:
    """A dependency that opens Work for whoever holds `permission`.

    `read`: REPEATABLE READ, READ ONLY. `later`: gives Admitted, an opener, instead, for the few routes that must wait
    (a body, a password hash, a store of files) before they begin. The commit comes before the answer is built
    (scope="function"): one that fails becomes a clean error.
    """

    async def gate(request: Request) -> AsyncIterator[Work]:
        database: Database = request.app.state.database
        token = _bearer(request)
        stale = False
        async with database.open_work(PUBLIC, read=read) as work:
            actor = PUBLIC
            if token is not None and permission is not Permission.PUBLIC:
                actor, stale = await people.actor_of(work, token)
            _admit(actor, permission)
            yield replace(work, actor=actor)
        if stale and token is not None:
            async with database.open_work(PUBLIC) as work:
                await people.touch(work, token)

    async def opener(request: Request) -> Admitted:
        database: Database = request.app.state.database
        if policy.holds(PUBLIC, permission):
            # Not even a look at the database: such routes answer while it is away.
            return Admitted(PUBLIC, database, read)
        token = _bearer(request)
        async with database.open_work(PUBLIC) as work:
            actor, stale = (PUBLIC, False) if token is None else await people.actor_of(work, token)
            _admit(actor, permission)
            if stale and token is not None:
                await people.touch(work, token)
        return Admitted(actor, database, read)

    chosen: Any = opener if later else gate
    chosen.permission = permission
    return Depends(chosen, scope="function")


def _admit(actor: Actor, permission: Permission) -> None:
    if policy.holds(actor, permission):
        return
    if actor is PUBLIC:
        raise Unknown("session.none", "请先登录")
    raise Forbidden("permission.none", "您的岗位没有这项权限")


def _bearer(request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


def permissions(app: FastAPI) -> Iterator[tuple[str, str, Permission | None]]:
    """(method, path, permission) of every route, included ones too; None where a route has no gate.

    `app.routes` no longer lists included routes (FastAPI >= 0.137): they are walked with iter_route_contexts.
    """
    for context in iter_route_contexts(app.routes):
        if isinstance(context.route, Mount):
            continue
        methods = getattr(context, "methods", None) or {"GET"}
        for method in sorted(methods - {"HEAD"}):
            yield method, str(getattr(context, "path", "")), _permission_of(context)


def _permission_of(context: Any) -> Permission | None:
    dependant = getattr(context, "dependant", None)
    stack = [dependant] if dependant is not None else []
    while stack:
        one = stack.pop()
        found = getattr(one.call, "permission", None)
        if isinstance(found, Permission):
            return found
        stack.extend(one.dependencies)
    return None


def refuse_ungated(app: FastAPI) -> None:
    """Raises RuntimeError for a route without a permission: the application does not start with one."""
    bare = [
        f"{method} {path}" for method, path, held in permissions(app) if held is None and path not in ALLOWED_WITHOUT
    ]
    if bare:
        raise RuntimeError("routes without a permission: " + ", ".join(bare))
