"""What all who are played share, and how an answer about a ticket is checked against the books and taken down."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from app.demo.books import Books, Entry
from app.demo.cast import Cast, Responsible, User, within
from app.demo.office import Answer, Astray, Json, Office
from app.demo.tree import Tree
from app.demo.wechat_push import WeChat
from app.domain.numbers import sound
from app.domain.vocabulary import Kind, Role, Status


@dataclass(slots=True)
class World:
    """One run. `began`: the service's business clock then. `salt` keeps this run's citizens apart from other runs'.

    `tally` counts what was played, `refused` what was refused as it should be, `troubles` says what went wrong.
    """

    office: Office
    wechat: WeChat
    cast: Cast
    tree: Tree
    books: Books
    began: datetime
    hours: int | None
    salt: str
    tally: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def eyes(self, entry: Entry) -> User:
        """Somebody who may see the ticket and acts on none of the others' behalf: the county's administrator, or for a
        confidential one the inspector who has it."""
        if not entry.confidential:
            return self.cast.at(Role.ADMINISTRATOR, self.cast.root)[0]
        place = self.cast.home(entry.sent_to or Responsible(self.cast.root, None))
        assigned = self.cast.named(entry.person)
        return assigned or self.cast.at(Role.INSPECTOR, place)[0]

    async def act(self, user: User, entry: Entry, action: str, body: Json) -> Json:
        """Does it, and gives the ticket as it is afterwards. Raises Astray, Busy."""
        path = f"/api/v1/tickets/{entry.number}/{action}"
        said = await self.office.expect(200, user, "POST", path, body)
        if said.body.get("version", 0) <= entry.version:
            raise Astray(f"{entry.number} {action} 之后版本没有变大")
        return said.body

    async def look(self, entry: Entry) -> None:
        """Fetches the ticket and takes it down. Raises Astray, Busy."""
        path = f"/api/v1/tickets/{entry.number}"
        answer = await self.office.expect(200, self.eyes(entry), "GET", path)
        if answer.headers.get("etag") != f'"{answer.body["version"]}"':
            raise Astray(f"{entry.number}：ETag 不是版本号")
        self.take(entry, answer.body)

    def take(self, entry: Entry, said: Json) -> None:
        """Holds what the service says of a ticket against what was done to it, and takes down the rest.

        The entry already stands as it should. Raises Astray, naming what is otherwise.
        """
        wrong = [*_otherwise(entry, said), *self._misplaced(entry, said)]
        if wrong:
            raise Astray(f"{entry.number}：{'；'.join(wrong)}")
        entry.place = said["division"]["code"]
        entry.node = _node(said)
        person = said["responsible"]["person"]
        entry.person = person["username"] if person else None
        if person:
            entry.hands.add(person["username"])
        entry.category = said["category"]["code"] if said["category"] else None
        entry.kind = Kind(said["kind"])
        entry.version = said["version"]
        entry.received_at = datetime.fromisoformat(said["received_at"])
        entry.due_at = datetime.fromisoformat(said["due_at"])
        entry.accepted_at = _moment(said["accepted_at"])
        entry.replied_at = _moment(said["first_replied_at"])
        entry.completed_at = _moment(said["completed_at"])

    def _misplaced(self, entry: Entry, said: Json) -> Iterator[str]:
        place, node = said["division"]["code"], _node(said)
        if place not in entry.allowed:
            yield f"地点应为 {'或'.join(sorted(entry.allowed)[:4])}，实际 {place}"
        if entry.sent_to is not None and node != entry.sent_to:
            yield f"承办应为 {_code(entry.sent_to)}，实际 {_code(node)}"
        elif entry.sent_to is None and not within(place, self.cast.home(node)):
            yield f"承办 {_code(node)} 管不到地点 {place}"


def number_of(answer: Answer) -> str:
    """The number of a ticket just recorded, and where it is to be found. Raises Astray."""
    number = str(answer.body.get("number", ""))
    if not sound(number):
        raise Astray(f"登记后的编号“{number}”校验位不对")
    if answer.headers.get("location") != f"/api/v1/tickets/{number}":
        raise Astray(f"{number}：登记的应答里 Location 不对")
    return number


def _otherwise(entry: Entry, said: Json) -> Iterator[str]:
    rating = said["rating"]
    score = rating["score"] if rating else None
    for what, should, has in (
        ("状态", entry.status, said["status"]),
        ("轮次", entry.cycle, said["cycle"]),
        ("渠道", entry.channel, said["channel"]),
        ("保密", entry.confidential, said["confidential"]),
        ("评价", entry.score, score),
        ("受理时间", _or_not(entry.status is not Status.RECEIVED), _or_not(said["accepted_at"])),
        ("回复时间", _or_not(entry.replied), _or_not(said["first_replied_at"])),
        ("办结时间", _or_not(entry.status is Status.COMPLETED), _or_not(said["completed_at"])),
    ):
        if should != has:
            yield f"{what}应为 {should}，实际 {has}"


def _or_not(value: object) -> str:
    return "有" if value else "无"


def _node(said: Json) -> Responsible:
    return Responsible(said["responsible"]["division_code"], said["responsible"]["unit_code"])


def _code(node: Responsible) -> str:
    return node.unit_code or node.division_code or "无"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
