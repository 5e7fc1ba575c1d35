"""A county's past: months of tickets that another system might have kept, as rows of an import file.

Which and how many is decided beforehand (`Span`), so that the figures are known; everything else is drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from app.demo import texts
from app.demo.county import DemoCounty
from app.demo.sheets import Row, Sheet
from app.domain.vocabulary import SHANGHAI, Channel, Kind, Level, Role, Score

COLUMNS = (
    "external_id", "channel", "kind", "category", "division_code", "title", "description", "citizen_name",
    "citizen_phone", "received_at", "accepted_at", "first_replied_at", "reply", "completed_at", "result", "rating",
    "rating_comment", "rated_at", "handler_username",
)  # fmt: skip
_CHANNELS = {Channel.GROUP: 90, Channel.ACCOUNT: 5, Channel.VISIT: 2, Channel.WINDOW: 2, Channel.PHONE: 1}
"""Of a hundred: most of the county's requests come by group (its own report)."""
_GRADES = {Score.LIKE: ("满意", "非常满意", "like", "点赞"), Score.DISLIKE: ("不满意", "dislike", "踩")}
_BUSY = 4
"""How much more a community of a street writes than a village of the country."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days (both included) and how many tickets were received in them: of those so many were completed, of those
    rated, of those liked. What was not completed stays open."""

    first: date
    last: date
    tickets: int
    completed: int
    rated: int
    liked: int


def last_month(now: datetime) -> Span:
    """The month before this one, as busy and as well done as the county's own report has it: some 15,400 requests a
    year, 96.33 % completed, 95 % satisfied."""
    last = now.date().replace(day=1) - timedelta(days=1)
    return Span(last.replace(day=1), last, tickets=1_283, completed=1_236, rated=820, liked=779)


@dataclass(frozen=True, slots=True)
class _Case:
    category: Row
    division: Row
    handler: str
    place: str


def history(county: DemoCounty, span: Span, now: datetime, seed: int = 430121) -> Sheet:
    """The rows of an import of tickets, none with anything behind `now` (aware); which were completed is drawn."""
    rng = Random(seed)  # noqa: S311  a repeatable past
    moments = sorted(_moments(span, rng))
    done = set(rng.sample(range(span.tickets), span.completed))
    rated = rng.sample(sorted(done), span.rated)
    scores = dict.fromkeys(rated, Score.DISLIKE) | dict.fromkeys(rated[: span.liked], Score.LIKE)
    cases = _cases(county, rng)
    rows = []
    for number, received in enumerate(moments):
        said = _said(next(cases), rng)
        row = said | _lived(received, now, rng, done=number in done, score=scores.get(number))
        if number in done:
            row["result"] = texts.result(rng, Kind(said["kind"]))
        rows.append({"external_id": f"旧系统-{span.first:%Y%m}-{number + 1:06}", **row})
    return Sheet("tickets", COLUMNS, [dict.fromkeys(COLUMNS, "") | row for row in rows])


def _moments(span: Span, rng: Random) -> Iterator[datetime]:
    """A fifth come at night, the rest by day."""
    days = (span.last - span.first).days + 1
    for _ in range(span.tickets):
        day = span.first + timedelta(days=rng.randrange(days))
        hour = rng.choice((*range(7), 22, 23)) if rng.random() < 0.2 else rng.randrange(7, 22)
        yield datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60), tzinfo=SHANGHAI)


def _cases(county: DemoCounty, rng: Random) -> Iterator[_Case]:
    """What it is about, where, and who handled it: for ever."""
    sheets = {sheet.name: sheet.rows for sheet in county.sheets}
    by_code = {row["code"]: row for row in sheets["divisions"]}
    grids = [row for row in sheets["divisions"] if row["level"] == Level.GRID]
    weights = [1 if by_code[grid["parent_code"]]["name"].endswith(("村", "村委会")) else _BUSY for grid in grids]
    known = texts.matters()
    leaves = [row for row in sheets["categories"] if row["level"] == "2" and row["code"] in known]
    leaves = [row for row in leaves if not _confidential(row)]
    workers = _workers(sheets["staff"])
    while True:
        for grid in rng.choices(grids, weights, k=1000):
            category = rng.choice(leaves)
            village, town = by_code[grid["parent_code"]], by_code[grid["code"][:9]]
            place = town["name"] + village["name"]
            at = {Level.TOWN: town["code"], Level.COUNTY: town["code"][:6]}.get(Level(category["lowest_level"]))
            handlers = workers.get(at or grid["code"]) or workers[town["code"]]
            yield _Case(category, grid, rng.choice(handlers), place)


def _confidential(category: Row) -> bool:
    # 反映干部作风: what came of those is nobody's to be shown.
    return "作风" in category["name"]


def _workers(staff: Sequence[Row]) -> Mapping[str, list[str]]:
    """Who handles things at a division, by its code: couriers at a grid, administrators above."""
    found: dict[str, list[str]] = {}
    for row in staff:
        if row["role"] in (Role.COURIER, Role.ADMINISTRATOR) and row["division_code"]:
            found.setdefault(row["division_code"], []).append(row["username"])
    return found


def _said(case: _Case, rng: Random) -> Row:
    channel = rng.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
    known = channel is not Channel.GROUP or rng.random() < 0.5
    citizen = texts.citizen(rng) if known else {"name": "", "phone": ""}
    text = texts.matter(rng, case.category["code"], case.place)
    return {
        "channel": str(channel),
        "kind": case.category["kind_hint"],
        "category": case.category["code"],
        "division_code": case.division["code"],
        "title": text[:20],
        "description": text,
        "citizen_name": citizen["name"],
        "citizen_phone": citizen["phone"],
        "handler_username": case.handler,
    }


def _lived(received: datetime, now: datetime, rng: Random, *, done: bool, score: Score | None) -> Row:
    """The milestones: an hour or so to acceptance, a day or two to the reply, a week to the completion; the open ones
    stopped somewhere on the way."""
    accepted = received + timedelta(hours=rng.expovariate(1 / 5))
    replied = accepted + timedelta(hours=rng.expovariate(1 / 20))
    completed = replied + timedelta(days=min(rng.expovariate(1 / 4), 14))
    latest = now - timedelta(minutes=5)
    stops = 3 if done else rng.choice((0, 1, 2, 2))
    times = [min(moment, latest) for moment in (accepted, replied, completed)][:stops]
    if done and score is not None:
        times.append(min(completed + timedelta(hours=rng.expovariate(1 / 30)), now))
    names = ("accepted_at", "first_replied_at", "completed_at", "rated_at")
    row = {"received_at": _written(received)} | dict(zip(names, map(_written, times), strict=False))
    if stops > 1:
        row["reply"] = texts.reply(rng)
    if score is not None:
        row |= {"rating": rng.choice(_GRADES[score]), "rating_comment": texts.comment(rng, score) or ""}
    return row


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
