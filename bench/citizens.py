"""What citizens send: texts of the length of real ones (median 196 characters), each new, each by somebody new."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from app.base.clock import machine
from app.demo.county import DemoCounty
from app.demo.texts import matters
from app.domain.vocabulary import Level
from app.wechat import crypto
from app.wechat.messages import dedup_key, read, text_message
from bench import load
from bench.place import Account, Place

LENGTH = 200
CONFIDENTIAL = "C1304"
"""反映干部作风: three people of the county get all of these, which is no load for a bench."""

_MORE = (
    "这个情况已经有{n}天了，我们几户邻居都去看过，也跟旁边的人说过一次，到现在还是老样子。",
    "家里有老人和小孩，进进出出很不方便，上个星期差一点出事，大家心里都着急。",
    "我自己在外面上班，早出晚归，只有周末在屋里，来之前麻烦先打个招呼，我好在场说清楚。",
    "前年也发生过一回，当时来人看了，说是要等下半年统一安排，后来就没有下文了。",
    "不是要为难哪个，只是想问清楚这件事归谁管，大概什么时候能够有个结果，好跟屋里人讲。",
    "附近住了差不多{n}户，都是普通人家，希望能够早一点派人过来看一看，辛苦你们了。",
    "如果还要我这边准备什么，或者要哪个签字，请一次讲清楚，免得来回跑几趟。",
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of one citizen, in clear. `key` is what its deliveries share."""

    account: Account
    openid: str
    text: str
    xml: bytes
    key: str


class Citizens:
    """Writes messages; the same seed and place give the same ones."""

    def __init__(self, place: Place, seed: int) -> None:
        self._rng = random.Random(seed)
        self._ids = int(machine().timestamp() * 1_000_000) << 8
        by_division = {account.division_code: account for account in place.accounts}
        county = min(place.accounts, key=lambda account: len(account.division_code))
        self._spots = [(by_division.get(town, county), spot) for town, spot in villages(place.county)]
        self._matters = [text for code, texts in matters().items() if code != CONFIDENTIAL for text in texts]

    def write(self, count: int) -> list[Sent]:
        """`count` new messages of as many new citizens, to the account of the town that each names."""
        return [self._one() for _ in range(count)]

    def _one(self) -> Sent:
        account, spot = self._rng.choice(self._spots)
        openid = f"o{self._rng.getrandbits(162):027x}"[:28]
        text = self.text(spot)
        self._ids += 1
        xml = text_message(account.original_id, openid, text, int(machine().timestamp()), self._ids).encode()
        return Sent(account, openid, text, xml, dedup_key(read(xml)))

    def text(self, spot: str) -> str:
        """A matter at that place, told at some length."""
        rng = self._rng
        told = rng.choice(self._matters).replace("{place}", spot)
        for sentence in rng.sample(_MORE, len(_MORE)):
            if len(told) >= LENGTH - 20:
                break
            told += sentence.replace("{n}", str(rng.randrange(3, 60)))
        return told

    def seal(self, messages: Sequence[Sent], path: str = "/wechat/") -> list[bytes]:
        """Each as WeChat posts it, signed now: the service takes no timestamp older than 10 minutes."""
        return [self._sealed(message, path) for message in messages]

    def _sealed(self, message: Sent, path: str) -> bytes:
        query, body = self.pushed(message)
        return load.push(path + message.account.keys.appid, query, body)

    def pushed(self, message: Sent) -> tuple[dict[str, str], bytes]:
        """The query and the body of a delivery; each has a nonce and signatures of its own."""
        nonce = str(self._rng.randrange(10**9, 10**10))
        return crypto.seal_push(message.account.keys, message.xml, int(machine().timestamp()), nonce, message.openid)


def villages(county: DemoCounty) -> list[tuple[str, str]]:
    """(town's code, what a citizen calls the place) of every village and community."""
    rows = next(sheet for sheet in county.sheets if sheet.name == "divisions").rows
    names = {row["code"]: row["name"] for row in rows}
    return [
        (row["parent_code"], names[row["parent_code"]] + row["name"]) for row in rows if row["level"] == Level.VILLAGE
    ]
