"""What people write and say in the simulation. Names and phone numbers are nobody's; the matters are in matters.csv."""

import csv
import io
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random

from app.demo.invented import PHONE_PREFIX
from app.domain.vocabulary import Kind, Score

NOWHERE = "我们"
"""Stands where a place would: “我们这边……” names none."""

COURTESIES = ("谢谢", "好的，收到", "你好", "辛苦你们了！", "在吗", "知道了，谢谢你们", "[玫瑰]", "早上好")
_SPEAKERS = ("阿明", "月季花开", "平安是福", "老张", "向阳", "小雨点", "木木", "荷塘月色", "邻家小妹", "知足常乐")
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"

_SEEN = (
    "到现场看了，情况属实，已拍照登记，联系了施工的人。",
    "上门见到了本人，问清了来龙去脉，约好后天来处理。",
    "现场走了一圈，和邻居也聊了，问题就出在路口这一段。",
    "入户核对了材料，缺的两样已经当面说清楚。",
)
_REPLIES = (
    "您反映的情况我们已经核实，正在安排人处理，有进展马上告诉您。",
    "已经联系了负责的单位，约定三天之内到场，请您放心。",
    "这件事我们接手了，今天先去现场看看，再给您一个准信。",
    "您问的事已经查到办法，材料清单稍后送到您手上。",
)
_RESULTS = {
    Kind.CONSULTATION: (
        "已把办理条件、材料和窗口时间当面说明，并留了经办人电话，可以随时来办。",
        "查明了情况：按现行规定可以办理，下周一起到便民服务中心递交材料即可。",
    ),
    Kind.SUGGESTION: ("您的建议已列入下一步的工作安排，方案定下来之后在村务公开栏公示。",),
    Kind.WISH: ("已经把东西送到家里，也帮着装好试用过了。",),
    Kind.PROBLEM: (
        "已安排人员处理完毕，现场恢复正常，之后每周巡查一次。",
        "问题已经解决，和相关的人都说好了，再发生请直接打网格员电话。",
        "当天组织人手整改到位，前后照片已存档。",
    ),
}
_COMMENTS = {
    Score.LIKE: ("来得快，办得好", "师傅很耐心", "当天就解决了", "说到做到，点个赞"),
    Score.DISLIKE: ("第二天又坏了", "只来看了一眼，没有处理", "问题还在，没解决", "等了很久，结果跟没办一样"),
}


@cache
def matters() -> Mapping[str, tuple[str, ...]]:
    """Leaf category → everyday texts about it, with `{place}` where a place is named."""
    text = (files("app.demo") / "data" / "matters.csv").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        found.setdefault(row["category"], []).append(row["text"])
    return {category: tuple(texts) for category, texts in found.items()}


def matter(rng: Random, category: str, place: str) -> str:
    """What somebody writes about a matter of that category at `place`."""
    return rng.choice(matters()[category]).replace("{place}", place)


def citizen(rng: Random) -> dict[str, str]:
    """Somebody who is plainly nobody, with a number that no subscriber can have."""
    return {"name": f"{rng.choice(_SURNAMES)}演示", "phone": f"{PHONE_PREFIX}{rng.randrange(10**8):08}"}


def source(rng: Random, group: str) -> dict[str, str]:
    """Where the administrator saw it."""
    return {"group": f"{group}民生快递群", "speaker": rng.choice(_SPEAKERS)}


def seen(rng: Random) -> str:
    return rng.choice(_SEEN)


def reply(rng: Random) -> str:
    return rng.choice(_REPLIES)


def result(rng: Random, kind: Kind) -> str:
    return rng.choice(_RESULTS[kind])


def comment(rng: Random, score: Score) -> str | None:
    """A reason for the rating, from every other citizen."""
    return rng.choice(_COMMENTS[score]) if rng.random() < 0.5 else None


def courtesy(rng: Random) -> str:
    return rng.choice(COURTESIES)
