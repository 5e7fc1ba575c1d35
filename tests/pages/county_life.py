"""Tickets for pages to show, made through the services: one at a time, or a month of the county's life."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from app.base import secrets
from app.base.clock import machine
from app.base.db import Database
from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.files import FileType
from app.domain.policy import PUBLIC, SYSTEM, Actor
from app.domain.vocabulary import Action, Channel, Level, Score
from app.files import queries as files
from app.files.queries import Kept
from app.files.service import sender_of
from app.tickets import rating, service
from app.tickets.opening import Matter, open_ticket

SAYINGS: Sequence[tuple[str, str, str, str]] = (
    (
        "C0105",
        "{place}进村的路灯坏了好几天，晚上漆黑一片，老人不敢出门。",
        "您好！已到现场查看，是线路老化，今天安排电工更换。",
        "3盏路灯已全部换好，今晚已正常亮灯。",
    ),
    (
        "C0501",
        "{place}垃圾站三天没清运，臭味很大。",
        "收到，已联系环卫公司，今天下午派车清运。",
        "垃圾已清运，改为每天早晚各清一次。",
    ),
    (
        "C0106",
        "{place}主干道有个井盖破了，下雨积水。",
        "已设置警示桩，井盖正在调运。",
        "井盖已更换，排水管已疏通，雨后复查没有积水。",
    ),
    (
        "C0304",
        "{place}通组路坑坑洼洼，想问什么时候硬化。",
        "通组路已列入今年计划，正在走招投标程序。",
        "今年先补好12处坑洼，全线硬化已列入明年第一批计划。",
    ),
    (
        "C0401",
        "{place}自来水水压太小，三楼上不去水。",
        "供水站明天上午上门测压，请家里留人。",
        "已更换入户管，三楼水压恢复正常。",
    ),
    (
        "C0109",
        "{place}小区门口停车位太少，消防通道常被占。",
        "我们和物业一起看了现场，准备重新划线。",
        "新划车位18个，消防通道已加装隔离桩。\n欢迎大家继续监督。",
    ),
)
"""Category, what a citizen says, what is answered, what came of it."""


@dataclass(frozen=True, slots=True)
class County:
    """Where the tickets are made, and who works on them."""

    database: Database
    atlas: Atlas
    admin: Actor

    async def open(self, at: datetime, description: str, **more: Any) -> str:
        """The number of a new ticket that came by group; `category` and `place` are codes."""
        county = self.atlas.county
        category, place = more.pop("category", None), more.pop("place", None)
        matter = Matter(
            channel=more.pop("channel", Channel.GROUP),
            description=description,
            category_id=county.category_by_code[category].id if category else None,
            division_id=county.by_code[place].id if place else None,
            recorder_id=self.admin.id,
            **more,
        )
        self.database.clock.set(at)
        async with self.database.open_work(SYSTEM) as work:
            return (await open_ticket(work, self.atlas, matter)).number

    async def act(self, at: datetime, number: str, action: Action, **form: Any) -> None:
        self.database.clock.set(at)
        async with self.database.open_work(self.admin) as work:
            if action is Action.COMPLETE:
                form["files"] = [await _photo(work)]
            await service.act(work, self.atlas, number, action, form)

    async def rate(self, at: datetime, number: str, score: Score, comment: str | None = None) -> None:
        """By the rating code of the last completion."""
        self.database.clock.set(at)
        async with self.database.open_work(PUBLIC) as work:
            found = await work.conn.execute(text("SELECT rating_code FROM ticket WHERE number = :n"), {"n": number})
            form = {"score": score, "comment": comment, "solved": None}
            await rating.rate_by_code(work, self.atlas, found.scalar_one(), form, number)

    async def completed(self, at: datetime, saying: tuple[str, str, str, str], place: str, **more: Any) -> str:
        """A ticket that has gone all the way to its completion, two days and a half after it came in."""
        category, words, answer, result = saying
        name = self.atlas.county.by_code[place].name
        number = await self.open(at, words.format(place=name), category=category, place=place, **more)
        await self.to_work(at, number)
        await self.act(at + timedelta(hours=26), number, Action.REPLY, text=answer)
        await self.act(at + timedelta(hours=30), number, Action.VISIT, seen="现场查看")
        await self.act(at + timedelta(hours=61), number, Action.COMPLETE, result=result)
        return number

    async def to_work(self, at: datetime, number: str) -> None:
        """Accepted, where it was not at once, and begun."""
        async with self.database.open_work(PUBLIC) as work:
            found = await work.conn.execute(text("SELECT status FROM ticket WHERE number = :n"), {"n": number})
            status = found.scalar_one()
        if status == "received":
            await self.act(at + timedelta(hours=2), number, Action.ACCEPT)
        await self.act(at + timedelta(hours=3), number, Action.START)


async def county_of(database: Database, admin: Actor) -> County:
    async with database.open_work(SYSTEM, read=True) as work:
        return County(database, await atlas(work), admin)


async def live(county: County, until: datetime, tickets: int, seed: int = 1) -> list[str]:
    """The last three weeks before `until`: most of it done and liked, some of it late, waiting or disliked."""
    rng = random.Random(seed)
    divisions = county.atlas.county.divisions.values()
    villages = sorted(d.code for d in divisions if d.level is Level.VILLAGE)
    # Some towns are busier than others, so that there is something to rank.
    chosen = rng.choices(villages, weights=[1 + (hash_of(code) % 7) for code in villages], k=tickets)
    numbers = []
    for place in chosen:
        at = until - timedelta(minutes=rng.randrange(20, 60 * 24 * 21))
        saying = rng.choice(SAYINGS)
        age = until - at
        if age < timedelta(hours=70) or rng.random() < 0.1:
            name = county.atlas.county.by_code[place].name
            category = saying[0] if rng.random() < 0.7 else None
            number = await county.open(at, saying[1].format(place=name), category=category, place=place)
            if age > timedelta(hours=5) and rng.random() < 0.7:
                await county.to_work(at, number)
        else:
            number = await county.completed(at, saying, place)
            if rng.random() < 0.75:
                liked = rng.random() < 0.93
                soon = at + timedelta(hours=61 + rng.randrange(1, 72))
                await county.rate(min(soon, until), number, Score.LIKE if liked else Score.DISLIKE)
        numbers.append(number)
    county.database.clock.set(until)
    return numbers


def hash_of(code: str) -> int:
    """The same in every process, unlike hash()."""
    return sum(ord(c) * (i + 1) for i, c in enumerate(code[:9]))


async def _photo(work: Work) -> str:
    """The row of a photo that the actor has sent; no page shows one, so there are no bytes."""
    file = Kept(secrets.token(), hashlib.sha256(b"").hexdigest(), FileType.PHOTO, 1)
    await files.reserve(work.conn, file, sender_of(work.actor), machine())
    await files.mark_stored(work.conn, file.id)
    return file.id
