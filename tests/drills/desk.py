"""Staff at work during a drill: a ticket from received to completed, whatever happens to the service meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter

from app.demo.cast import Cast, User
from app.demo.office import Answer, Astray, Json, Office
from app.domain.errors import Busy
from app.domain.vocabulary import Role
from tests.drills.checker import Act

CHOSEN = "C0105"
"""What an administrator chooses where no category was suggested (any leaf that is not confidential will do)."""
RESULT = "已按回复的内容办理完毕。"
GIVE_UP_SECONDS = 180.0
AWAY = frozenset({502, 503, 504})
"""Whoever gets these does not know whether it was done."""


async def carry(act: Callable[[str, Json], Awaitable[Json]], ticket: Json, username: str, reply: str) -> Json:
    """Accepted, dispatched where nobody has it, started, answered and completed; gives the ticket as it then is."""
    category = ticket["category"]["code"] if ticket["category"] else CHOSEN
    ticket = await act("accept", {"category": category})
    if ticket["responsible"]["person"] is None and not ticket["confidential"]:
        await act("dispatch", {"username": username, "text": "由我办理。"})
    await act("start", {})
    await act("reply", {"text": reply})
    # 解释办结: what was done in an office, without a photo of it.
    return await act("complete", {"result": RESULT, "explained": True})


@dataclass(slots=True)
class Desk:
    """The county's administrators. `acts`: all that they did; `faults`: what the service should not have said."""

    office: Office
    cast: Cast
    acts: list[Act] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    completed: int = 0

    @property
    def staff(self) -> list[User]:
        return self.cast.at(Role.ADMINISTRATOR, self.cast.root)

    async def open(self) -> None:
        """Everybody signs in, before anything is killed."""
        for user in self.staff:
            await self.office.get(user, "/api/v1/me")

    async def work(self, number: str) -> bool:
        """Whether it was carried through: a confidential one is none of theirs. What goes wrong is put down."""
        user = self.staff[int(number) % len(self.staff)]
        try:
            seen = await self.ask(user, "GET", number)
            if seen.status == 404:
                return False
            if seen.status != 200:
                raise Astray(f"{number}：应答 {seen.status}")
            await _Case(self, user, number, int(seen.body["version"])).carry(seen.body)
        except Astray as astray:
            self.faults.append(f"✗ {astray.detail}")
            return False
        self.completed += 1
        return True

    async def ask(self, user: User, method: str, path: str, body: Json | None = None) -> Answer:
        """An answer, however long the service is away. Raises Astray where it never comes back."""
        began = perf_counter()
        while perf_counter() - began < GIVE_UP_SECONDS:
            try:
                answer = await self.office.ask(user, method, f"/api/v1/tickets/{path}", body)
            except Busy:
                answer = Answer(503, "", {}, {})
            if answer.status not in AWAY or method != "GET":
                return answer
            await asyncio.sleep(0.5)
        raise Astray(f"{path}：{GIVE_UP_SECONDS:.0f} 秒没有应答")


@dataclass(slots=True)
class _Case:
    """One ticket on one desk. `version`: the last that was seen; with it, an act that was done is not done again."""

    desk: Desk
    user: User
    number: str
    version: int

    async def carry(self, ticket: Json) -> None:
        await carry(self._act, ticket, self.user.username, f"{self.number} 已转承办人员处理。")

    async def _act(self, action: str, body: Json) -> Json:
        act = Act(self.number, action)
        self.desk.acts.append(act)
        began, unsure = perf_counter(), False
        while perf_counter() - began < GIVE_UP_SECONDS:
            path, sent = f"{self.number}/{action}", body | {"version": self.version}
            answer = await self.desk.ask(self.user, "POST", path, sent)
            if answer.status == 409 and unsure:
                answer = await self.desk.ask(self.user, "GET", self.number)
                if not any(event["action"] == action for event in answer.body.get("timeline", ())):
                    raise Astray(f"{path}：应答 409，但没有做成")
            if answer.status == 200:
                act.known, self.version = True, int(answer.body["version"])
                return answer.body
            if answer.status not in AWAY:
                raise Astray(f"{path}：应答 {answer.status} {answer.body.get('detail', '')}")
            unsure = True
            await asyncio.sleep(0.5)
        raise Astray(f"{self.number} {action}：{GIVE_UP_SECONDS:.0f} 秒没有做成")
