"""County life, played over the public interfaces by citizens, couriers and administrators, with books kept beside.

What the service then says of the day must differ from what it said before by exactly what is in the books.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter

from app.base.clock import machine
from app.demo import cast as casting
from app.demo import filing, refusals, tree, verdict, working
from app.demo.books import UNIT, Books, Entry, Key, Row, differences, keyed
from app.demo.cast import Cast
from app.demo.office import CONNECTIONS, Astray, Office, client
from app.demo.wechat_push import WeChat
from app.demo.world import World
from app.domain.counting import Counts
from app.domain.vocabulary import SHANGHAI, Attribution, Level, Role, Score, Status

BY_WECHAT = 0.05
COMPLETED = 0.95
RATED = 0.8
LIKED = 0.95
GREETED = 0.04
SPAN_MARGIN = timedelta(minutes=15)
"""A run that may reach into the next day looks at that day too."""

READINGS: tuple[tuple[Attribution, str | None], ...] = (
    (Attribution.TERRITORIAL, None),
    (Attribution.TERRITORIAL, Level.TOWN),
    (Attribution.TERRITORIAL, Level.VILLAGE),
    (Attribution.HANDLING, None),
    (Attribution.HANDLING, Level.TOWN),
    (Attribution.HANDLING, Level.VILLAGE),
    (Attribution.HANDLING, UNIT),
)

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Orders:
    """What to play. `hours`: spread the receipts over the last so many (None: now)."""

    tickets: int
    seed: int
    hours: int | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it. `before` and `after`: every row of the rates then; `troubles`: what went wrong on the way."""

    orders: Orders
    books: Books
    first: date
    last: date
    as_of: datetime
    before: Mapping[Key, Row]
    after: Mapping[Key, Row]
    tally: Mapping[str, int]
    refused: Mapping[str, int]
    troubles: tuple[str, ...]
    requests: int
    slowest: float
    seconds: float

    def expected(self) -> dict[Key, Counts]:
        """What each row should have gained."""
        return self.books.counts(self.as_of)

    def faults(self) -> list[str]:
        """All by which the service differs from the books, in Chinese; empty where it is as it should be."""
        return [*self.troubles, *differences(self.expected(), self.before, self.after)]


def read_cast(data_dir: Path, base_url: str | None) -> Cast:
    """Who can be played, as the running demo has left it. Raises Missing."""
    return casting.read(data_dir, base_url)


async def play(cast: Cast, orders: Orders, progress: Progress = lambda done: None) -> Played:
    """Plays `orders` against the service and reads its rates before and after. Raises Busy where it is away."""
    began = perf_counter()
    async with client(cast) as connections:
        office = Office(connections, cast)
        reader = cast.at(Role.ADMINISTRATOR, cast.root)[0]
        now = await _now(office, cast)
        first = (now - timedelta(hours=orders.hours or 0)).date()
        last = (now + SPAN_MARGIN).date()
        county = await tree.load(office, reader, cast.root)
        wechat = WeChat(office, Random(f"{orders.seed}/wechat"))  # noqa: S311  repeatable, not secret
        salt = f"{machine():%y%m%d%H%M%S%f}"
        world = World(office, wechat, cast, county, Books(cast), now, orders.hours, salt)
        before, _ = await _readings(office, cast, first, last)
        await _in_parallel(_lives(world, orders), progress)
        after, as_of = await _readings(office, cast, first, last)
    world.tally["messages"], world.tally["deliveries"] = wechat.messages, wechat.deliveries
    return Played(
        orders,
        world.books,
        first,
        last,
        as_of,
        before,
        after,
        Counter(world.tally),
        Counter(world.refused),
        tuple(world.troubles),
        office.requests,
        office.slowest,
        perf_counter() - began,
    )


async def _now(office: Office, cast: Cast) -> datetime:
    """The service's business clock: the demo's may be ahead of the machine's."""
    today = machine().astimezone(SHANGHAI).date()
    path = _rates_path(cast, today, today, Attribution.TERRITORIAL, None)
    said = await office.get(cast.at(Role.ADMINISTRATOR, cast.root)[0], path)
    return datetime.fromisoformat(said["as_of"]).astimezone(SHANGHAI)


async def _readings(office: Office, cast: Cast, first: date, last: date) -> tuple[dict[Key, Row], datetime]:
    """All rows of the rates, and when the last of them were counted."""
    rows: dict[Key, Row] = {}
    as_of = ""
    for attribution, level in READINGS:
        path = _rates_path(cast, first, last, attribution, level)
        said = await office.get(cast.at(Role.ADMINISTRATOR, cast.root)[0], path)
        rows |= keyed(attribution, said["rows"])
        as_of = said["as_of"]
    return rows, datetime.fromisoformat(as_of)


def _rates_path(cast: Cast, first: date, last: date, attribution: Attribution, level: str | None) -> str:
    narrower = f"&level={level}" if level else ""
    return f"/api/v1/rates?division={cast.root}&from={first}&to={last}&attribution={attribution}{narrower}"


def _lives(world: World, orders: Orders) -> Iterable[Callable[[], Awaitable[None]]]:
    # 5 in 100, evenly: chance alone would leave a short run without any.
    share = round(1 / BY_WECHAT)
    for number in range(orders.tickets):
        # Each its own numbers: who comes first among eight does not change what any of them does.
        rng = Random(f"{orders.seed}/{number}")  # noqa: S311  repeatable, not secret
        by_wechat = number % share == 2
        yield partial(_life, world, rng, str(number), by_wechat=by_wechat)


async def _in_parallel(lives: Iterable[Callable[[], Awaitable[None]]], progress: Progress) -> None:
    """Eight at a time; the first that finds the service away ends all."""
    waiting = enumerate(lives, start=1)

    async def play_on() -> None:
        for number, life in waiting:
            await life()
            progress(number)

    tasks = [asyncio.create_task(play_on()) for _ in range(CONNECTIONS)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _life(world: World, rng: Random, key: str, *, by_wechat: bool) -> None:
    """One matter from its first word to its last; what goes wrong is put down, and the others go on."""
    try:
        if rng.random() < GREETED:
            await filing.chat(world, rng, f"chat/{key}")
        world.tally["by_wechat" if by_wechat else "by_group"] += 1
        entry = await (filing.by_wechat if by_wechat else filing.by_group)(world, rng, key)
        world.tally["confidential"] += entry.confidential
        left_at = None if rng.random() < COMPLETED else rng.choice([*Status][:3])
        await _worked(world, rng, entry, left_at)
        if entry.status is Status.COMPLETED:
            await filing.ask(world, rng, entry)
            if rng.random() < RATED:
                await _rated(world, rng, entry)
    except Astray as astray:
        world.troubles.append(astray.detail)
    except (LookupError, TypeError, ValueError) as error:
        world.troubles.append(f"第 {int(key) + 1} 件：应答的内容读不懂（{type(error).__name__}：{error}）")


async def _worked(world: World, rng: Random, entry: Entry, left_at: Status | None) -> None:
    """To the end, or to where it is left lying."""
    await refusals.at_stage(world, rng, entry)
    if entry.status is Status.RECEIVED and left_at is not Status.RECEIVED:
        await working.accept(world, rng, entry)
        await refusals.at_stage(world, rng, entry)
    if left_at in {Status.RECEIVED, Status.ACCEPTED}:
        return
    if not entry.confidential and rng.random() < 0.12:
        await working.dispatch(world, rng, entry)
    await working.work(world, rng, entry, stop=left_at is Status.IN_PROGRESS)
    await refusals.at_stage(world, rng, entry)


async def _rated(world: World, rng: Random, entry: Entry) -> None:
    """A like, most of the time; a dislike has it worked again, mostly, and rated again, mostly better."""
    score = Score.LIKE if rng.random() < LIKED else Score.DISLIKE
    if not await verdict.rate(world, rng, entry, score):
        return
    if score is Score.LIKE and rng.random() < 0.01:
        # A like may become a dislike while the time for rating lasts (domain.md, 2, Rating).
        await verdict.rate(world, rng, entry, Score.DISLIKE)
    if entry.status is Status.IN_PROGRESS and rng.random() < 0.9:
        await working.work(world, rng, entry)
        await refusals.at_stage(world, rng, entry)
        second = rng.choices((Score.LIKE, Score.DISLIKE, None), (60, 15, 25))[0]
        if second is not None:
            await verdict.rate(world, rng, entry, second)
