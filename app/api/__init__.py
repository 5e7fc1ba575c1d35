"""/api/v1: one module per subject. Parse, call one service function, answer."""

from fastapi import APIRouter

from app.api import actions, courier, divisions, households, messages, people, rates, reports, stations, tickets

router = APIRouter(prefix="/api/v1")
for module in (people, tickets, actions, messages, courier, households, divisions, stations, rates, reports):
    router.include_router(module.router)
