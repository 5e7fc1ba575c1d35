"""/api/v1: one module per subject. Parse, call one service function, answer."""

from fastapi import APIRouter

from app.api import actions, courier, divisions, people, rates, tickets

router = APIRouter(prefix="/api/v1")
for module in (people, tickets, actions, courier, divisions, rates):
    router.include_router(module.router)
