"""How the public pages are made: one Jinja environment, words for times and shares, and one way to answer.

A page is the same for everybody who opens its address: the size of its letters is part of the address (?big=1), so
there is no cookie, and any cache may keep it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from app.domain.replies import deadline
from app.domain.vocabulary import SHANGHAI
from app.pages import assets
from app.pages.packing import packed

BOARD_CACHE = "public, max-age=60"
TICKET_CACHE = "no-cache"
NO_CACHE = "no-store"

_WEEKDAYS = "一二三四五六日"
# People say 下午3点, not 15时; until what hour each part of the day lasts.
_PARTS = ((6, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
_SIZES = {"1": 1, "2": 2}
"""长辈版 in two sizes: 24 and 30 px, the largest that the rules for old people's pages ask for (quality.md, 5)."""


@dataclass(frozen=True, slots=True)
class View:
    """What the frame of every page needs: where it is, and in what size of letters."""

    path: str
    query: tuple[tuple[str, str], ...]
    big: int

    def to(self, path: str, query: Mapping[str, object] | None = None) -> str:
        """An address inside the house that keeps the size of the letters."""
        return _address(path, {k: str(v) for k, v in (query or {}).items()}, self.big)

    def sized(self, big: int) -> str:
        """This same page in another size."""
        return _address(self.path, dict(self.query), big)


def view_of(request: Request) -> View:
    """The frame of the page that was asked for; an unknown size is the ordinary one."""
    given = request.query_params
    query = tuple((k, v[:64]) for k, v in given.items() if k in {"from", "to", "number"})
    # Quoted, with one slash before it: a page for an address such as //elsewhere or /\elsewhere must not lead there.
    path = "/" + quote(request.scope["path"].lstrip("/"))
    return View(path, query, _SIZES.get(given.get("big", ""), 0))


def _address(path: str, query: dict[str, str], big: int) -> str:
    if big:
        query["big"] = str(big)
    return f"{path}?{urlencode(query)}" if query else path


def page(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Renders `template`; raises jinja2.UndefinedError where the template asks for what `context` lacks."""
    body = _ENVIRONMENT.get_template(template).render(view=view_of(request), **context)
    answer = HTMLResponse(body, status_code=status, headers=dict(headers or {}))
    return packed(request, answer)


def weekday(value: datetime, now: datetime) -> str:
    """The day of a moment: 11月24日（周二）."""
    local = value.astimezone(SHANGHAI)
    return f"{day(local.date(), now)}（周{_WEEKDAYS[local.weekday()]}）"


def clock_time(value: datetime) -> str:
    """The time of day of a moment, to the minute: 下午3点, 下午3点05分."""
    local = value.astimezone(SHANGHAI)
    part = next(name for until, name in _PARTS if local.hour < until)
    minutes = f"{local.minute:02}分" if local.minute else ""
    return f"{part}{local.hour if local.hour <= 12 else local.hour - 12}点{minutes}"


def day(value: date, now: datetime) -> str:
    """11月24日, or 2025年11月24日 where the year is not the present one."""
    year = "" if value.year == now.astimezone(SHANGHAI).year else f"{value.year}年"
    return f"{year}{value.month}月{value.day}日"


@pass_context
def _weekday(context: Context, value: datetime) -> str:
    return weekday(value, context["now"])


@pass_context
def _day(context: Context, value: date) -> str:
    return day(value, context["now"])


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {"weekday": _weekday, "clock": clock_time, "day": _day, "due": deadline, "count": lambda n: f"{n:,}"}
    env.globals |= {"asset": assets.address}
    return env


_ENVIRONMENT = _environment()
