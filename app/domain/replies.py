"""What citizens are told in WeChat: plain, short, warm Chinese; what happened and what they can do.

In `received` the number comes before any other run of 8 to 14 digits (interface.md). Texts stay under 600 characters:
what is quoted in them (results, names) is clipped; the limit in bytes is kept by whoever sends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.conversation import Command
from app.domain.urgency import CALLS
from app.domain.vocabulary import OPEN, SHANGHAI, Score, Status

LISTED = 8
"""How many tickets a list shows."""
LATE = 3
"""How many late answers one reply tells; the others wait for the next."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is told of a ticket just received. The two due moments are aware and exclusive (domain.md, 4).

    `candidates` are the places an ambiguous name may mean; `lately_completed` is the number of the citizen's ticket
    completed shortly before, which a 踩 would be the way to complain about. `calls`: in danger, whom to call first.
    """

    number: str
    node: str
    accept_due: datetime
    complete_due: datetime
    person: str | None = None
    candidates: tuple[str, ...] = ()
    urgent: bool = False
    lately_completed: str | None = None
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a ticket stands. For whoever did not file it, `node`, `person` and `latest` stay None: they see the board's.

    `about` is its title or category; `latest` the last answer or result; `due` its completion limit, aware, exclusive.
    """

    number: str
    status: Status
    about: str
    due: datetime | None = None
    overdue: bool = False
    node: str | None = None
    person: str | None = None
    latest: str | None = None


@dataclass(frozen=True, slots=True)
class Late:
    """What became of a message that could not be answered at once: `number` where it opened a ticket, else `reply`."""

    at: datetime
    number: str | None
    reply: str | None


def deadline(due: datetime) -> str:
    """The last moment of a limit as people read it: midnight belongs to the day that ends (11月24日24时)."""
    local = due.astimezone(SHANGHAI)
    if (local.hour, local.minute) == (0, 0):
        day = local - timedelta(days=1)
        return f"{day.month}月{day.day}日24时"
    return moment(due)


def moment(at: datetime) -> str:
    """A moment to the minute, in the county's zone: 11月24日15时, 11月24日15时05分."""
    local = at.astimezone(SHANGHAI)
    minutes = f"{local.minute:02}分" if local.minute else ""
    return f"{local.month}月{local.day}日{local.hour}时{minutes}"


def received(receipt: Receipt) -> str:
    """The acknowledgement of a filed text: number, limits, who acts; in danger the emergency numbers first."""
    who = f"{_clip(receipt.node, 30)}（{_clip(receipt.person, 20)}）" if receipt.person else _clip(receipt.node, 30)
    lines = [
        f"您反映的事情收到了，编号：{receipt.number}。",
        f"由{who}负责，{deadline(receipt.accept_due)}前受理，{deadline(receipt.complete_due)}前办结。",
    ]
    if receipt.urgent:
        lines.insert(0, _emergency(receipt.calls))
        lines.append("这件事按紧急事项办理。")
    if receipt.candidates:
        places = "、".join(_clip(place, 20) for place in receipt.candidates[:LISTED])
        lines.append(f"请问事情发生在哪里？请直接回复其中一个地名：{places}。这样能更快转到当地。")
    if receipt.lately_completed:
        lines.append(f"如果是对刚办结的{receipt.lately_completed}不满意，请发送：踩 {receipt.lately_completed}")
    lines.append("发送编号可查进度。")
    return "\n".join(lines)


def _emergency(calls: Sequence[str]) -> str:
    """Whom to call: those that fit the danger first, and the others, for we may have misread it."""
    first = [call for call in calls if call in CALLS] or list(CALLS)
    others = [call for call in CALLS if call not in first]
    also = f"；其他险情拨打{_numbers(others)}" if others else ""
    return f"如有生命危险，请马上拨打{_numbers(first)}{also}。"


def _numbers(calls: Sequence[str]) -> str:
    return "、".join(f"{call}（{CALLS[call]}）" for call in calls)


def progress(standing: Standing) -> str:
    """One ticket: where it stands, who has it, until when, what was last answered, what can be done now."""
    lines = [f"编号：{standing.number}", f"事项：{_clip(standing.about, 40)}", f"进度：{_state(standing)}"]
    if standing.node:
        person = f"（{_clip(standing.person, 20)}）" if standing.person else ""
        lines.append(f"承办：{_clip(standing.node, 30)}{person}")
    if standing.latest:
        lines.append(f"最近答复：{_clip(standing.latest, 300)}")
        if standing.status is Status.COMPLETED:
            lines.append(f"满意请发送：赞 {standing.number}\n不满意请发送：踩 {standing.number}，可以接着写原因")
    return "\n".join(lines)


def listing(title: str, standings: Sequence[Standing], total: int) -> str:
    """The citizen's tickets, newest first, `total` of them in all; `title` says which (待办, 已办, 您的事项)."""
    if not standings:
        return f"{title}：目前没有。有事情请直接用文字发给我们。"
    rows = [f"{s.number} {_clip(s.about, 16)}：{_state(s)}" for s in standings[:LISTED]]
    more = total - len(rows)
    tail = [f"还有{more}件没有列出。"] if more > 0 else []
    return "\n".join([f"{title}（{total}件）：", *rows, *tail, "发送编号可看详情。"])


def rated(number: str, score: Score) -> str:
    """A rating was taken, and nothing else follows from it."""
    if score is Score.LIKE:
        return f"谢谢您的点赞！{number}的评价已记下，我们会转告办理的同志。"
    return f"{number}的评价已记下，是“踩”。谢谢您说实话，我们会改进。"


def reopened(number: str, node: str, due: datetime) -> str:
    """A dislike reopened the ticket; `due` is its fresh completion limit, aware, exclusive."""
    return f"很抱歉没有让您满意。{number}已重新办理，由{_clip(node, 30)}负责，{deadline(due)}前办结。"


def nothing_to_rate() -> str:
    """赞 or 踩 came, but no completed ticket is there to be rated."""
    return (
        "您目前没有可以评价的办结事项。如有评价码，请发送：赞 评价码，或：踩 评价码。"
        "要反映新的事情，请直接写下来发给我们。"
    )


def which_score(code: str) -> str:
    """A rating code came alone."""
    return f"这是一个评价码。满意请发送：赞 {code}\n不满意请发送：踩 {code}，可以接着写原因"


def mistyped(text: str) -> str:
    """A number or code with a slip in it."""
    return f"“{_clip(text, 20)}”好像输错了一位，请对照收到的消息再核对一下。编号是10位数字，评价码是8位字母和数字。"


def unknown_number(number: str) -> str:
    """A well-formed number or code that leads to nothing this citizen may know of; the same words for all reasons."""
    return f"没有查到{_clip(number, 20)}。请核对编号，或发送：查进度，看看您自己的事项。"


def too_late(number: str) -> str:
    """A rating after the ticket was archived."""
    return f"{number}已过评价期，已经归档，不能再评价。如果问题还在，请直接写下来发给我们，我们会作为新的事项办理。"


def not_yet(number: str) -> str:
    """A rating of a ticket that is still open."""
    return f"{number}还在办理，办结后就可以评价。发送编号可查进度。"


def kept() -> str:
    """The message was kept, but could not be read or handled."""
    return "您的消息收到了，但系统没能读懂，已交给工作人员查看。急事请拨打12345，有生命危险请拨打110、119或120。"


def spooled() -> str:
    """A matter was put aside safely; it gets its number when the database is back."""
    return (
        "已收到，稍后告诉您编号。系统正在恢复，您不用再发一遍，下次给我们发消息时就会看到编号。"
        "急事请拨打12345，有生命危险请拨打110、119或120。"
    )


def rating_spooled() -> str:
    """A 赞 or 踩 was put aside safely."""
    return "已收到您的评价。系统正在恢复，随后就会登记，您不用再发一遍；下次给我们发消息时会看到结果。"


def unseen() -> str:
    """How things stand can't be looked up now."""
    return "系统正在恢复，暂时查不了进度，请过几分钟再发一次。"


def late(answer: Late) -> str:
    """One line on an earlier message."""
    if answer.number is not None:
        return f"您{moment(answer.at)}发来的消息已登记，编号：{answer.number}。"
    return f"您{moment(answer.at)}发来的消息：{_clip(answer.reply, 200)}"


def with_late(reply: str, answers: Sequence[Late], most: int) -> tuple[str, int]:
    """The reply and below it the late answers, the oldest first, in `most` bytes of UTF-8; and how many of them.

    Below: the first number in the answer to a filed text is its own (interface.md).
    """
    lines = [reply]
    for answer in answers[:LATE]:
        tail = _more(len(answers) - len(lines))
        line = late(answer)
        if len("\n".join([*lines, line, *tail]).encode()) > most:
            break
        lines.append(line)
    told = len(lines) - 1
    # Where not even one had room, there is no need to say so.
    return "\n".join([*lines, *(_more(len(answers) - told) if told else [])]), told


def _more(count: int) -> list[str]:
    return [f"还有{count}条较早的消息，下次再告诉您；发送：查进度，可看您的全部事项。"] if count > 0 else []


def courtesy() -> str:
    """The answer to thanks and greetings."""
    return (
        "您好！有事情请直接写下来发给我们，比如“某某路的路灯不亮了”。发送：查进度，可看您的事项；发送：帮助，可看说明。"
    )


def assistance() -> str:
    """What can be sent to the account (帮助)."""
    return "\n".join(
        (
            "把事情用文字发给我们，写明地点，就会得到一个编号，由专人办理。",
            "查进度：看您的事项；发送编号：看这一件",
            "待办：正在办理的　已办：已经办结的",
            "赞／踩：评价最近办结的一件，后面可以写原因；也可以写“赞 编号”或“踩 评价码”",
            "有生命危险请拨打110、119、120、122；其他急事可拨打12345。",
        )
    )


def elsewhere(command: Command) -> str:
    """The answer to a command that needs more than a word."""
    return _ELSEWHERE[command]


_ELSEWHERE = {
    Command.ORDER: "直接把事情写下来发给我们即可，请写明地点和经过。",
    Command.WITHDRAW: "要撤回事项，请联系正在办理的工作人员，说明编号，由他们为您办理。发送：待办，可看编号和承办人。",
    Command.APPEAL: "要申诉，请联系村（社区）或镇（街道）的平台管理员，说明编号和理由，由他们为您登记。",
    Command.BIND: "不用绑定也可以反映事情：写明地点，就会转到当地办理。",
    Command.SPLIT: "要另外反映一件事，直接写下来发给我们即可。",
}


def _state(standing: Standing) -> str:
    label = standing.status.label
    if standing.status not in OPEN or standing.due is None:
        return label
    due = deadline(standing.due)
    return f"{label}，已超过{due}的期限" if standing.overdue else f"{label}，{due}前办结"


def _clip(text: str | None, length: int) -> str:
    """What is quoted, at most `length` characters of it, in one line."""
    line = " ".join((text or "").split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
