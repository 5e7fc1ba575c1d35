"""A steady load on a county: messages that never wait for one another, desks that work on them, citizens who rate."""

import asyncio
import itertools
import random
from collections import deque
from dataclasses import dataclass, field
from time import perf_counter

import httpx

from app.demo import texts
from app.demo.office import Office
from tests.drills import county
from tests.drills.checker import LIKE, Beside
from tests.drills.county import Demo
from tests.drills.desk import Desk
from tests.drills.wechat import Sent, deliver_as_wechat_does, openids, write

DESKS = 2
PAUSE = 0.5
"""Seconds between two tickets of a desk."""


@dataclass(slots=True)
class Load:
    """One run. `log`: the messages; `ratings`: what those sent later whose ticket was completed; `over`: no more."""

    demo: Demo
    rng: random.Random
    rate: float
    began: float = field(default_factory=perf_counter)
    log: list[Sent] = field(default_factory=list)
    ratings: list[Sent] = field(default_factory=list)
    desk: Desk | None = None
    over: bool = False
    _ready: deque[Sent] = field(default_factory=deque)

    async def pour(self) -> None:
        """Messages at a steady rate, whatever becomes of them; ends when all have their last word."""
        accounts = itertools.cycle(self.demo.cast().accounts)
        names, words = openids(county.salt()), random.Random(f"{self.rng.random()}")
        async with county.connections(self.demo, None, 10) as client, asyncio.TaskGroup() as deliveries:
            for number in itertools.count():
                if self.over:
                    return
                await asyncio.sleep(self.began + number / self.rate - perf_counter())
                sent = write(next(accounts), next(names), a_text(words, number))
                self.log.append(sent)
                deliveries.create_task(self._deliver(client, sent))

    async def work(self) -> None:
        """The desks: each takes the latest message that has a number, until it is over; every other citizen rates."""
        cast = self.demo.cast()
        async with county.connections(self.demo, None, 10) as client:
            self.desk = desk = Desk(Office(client, cast), cast)
            await desk.open()
            await asyncio.gather(*(self._one_desk(client, desk) for _ in range(DESKS)))

    def beside(self, *published: str) -> Beside:
        """What the checker is to know besides the messages."""
        return Beside(self.desk.acts if self.desk else (), published, self.demo.data_dir)

    async def _deliver(self, client: httpx.AsyncClient, sent: Sent) -> None:
        await deliver_as_wechat_does(client, sent)
        if sent.number is not None:
            self._ready.append(sent)

    async def _one_desk(self, client: httpx.AsyncClient, desk: Desk) -> None:
        while not self.over:
            if self._ready:
                sent = self._ready.pop()
                if await desk.work(sent.number or "") and desk.completed % 2:
                    liked = write(sent.account, sent.openid, LIKE)
                    self.ratings.append(liked)
                    await deliver_as_wechat_does(client, liked)
            await asyncio.sleep(PAUSE)


def a_text(words: random.Random, number: int) -> str:
    """A matter that nobody else has sent."""
    category = words.choice(sorted(texts.matters()))
    return f"{texts.matter(words, category, words.choice(('泉塘街道', '黄兴镇', '果园镇', '我们')))}（第{number}条）"
