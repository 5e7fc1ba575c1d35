"""Public pages: home, board, ticket. Server-rendered, without script, readable on a small and old phone."""

from fastapi import APIRouter

from app.pages import assets, board, home, ticket
from app.pages.errors import dress

__all__ = ["dress", "router"]

router = APIRouter()
for part in (home, board, ticket, assets):
    router.include_router(part.router)
