"""/api/v1: one module per subject. Parse, call one service function, answer."""

from fastapi import APIRouter

from app.api import (
    actions,
    audit,
    courier,
    divisions,
    files,
    households,
    messages,
    people,
    rates,
    reports,
    stations,
    suggestion,
    tickets,
)

router = APIRouter(prefix="/api/v1")
for module in (people, tickets, actions, files, messages, courier, households, divisions, stations, rates, reports):
    router.include_router(module.router)
router.include_router(audit.router)
router.include_router(suggestion.router)
