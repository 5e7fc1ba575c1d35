"""A message's effect, exactly once: stored under its key, understood, done, its answer remembered, in one transaction.

What we fail at is undone to a savepoint; the message itself stays, for an administrator, and is answered politely.
"""

import hashlib
from dataclasses import replace
from datetime import datetime

from app.base import log
from app.base.db import unreachable
from app.base.work import Work
from app.domain import conversation, replies
from app.domain.policy import Actor, ActorKind
from app.people import queries as people
from app.wechat import queries, talk
from app.wechat.accounts import Account
from app.wechat.messages import REPLY_BYTES, BadPush, Message, dedup_key
from app.wechat.queries import Answer, Entry, Outcome
from app.wechat.talk import Declined, Turn

GREETING = "您好，欢迎关注！有事情请直接写下来发给我们，会得到一个编号，由专人办理。"
WORDS_NEEDED = (
    "收到了，但我们目前只能办理文字。请用一句话写明什么事、在哪里，再发给我们；您发来的内容已交给工作人员查看。"
)
FAILED = "程序处理这条消息时出错"

_WORDLESS = frozenset({"image", "voice", "video", "shortvideo", "location", "link"})

_logger = log.get(__name__)


async def receive(
    work: Work, account: Account, message: Message, entry: Entry, received_at: datetime | None = None
) -> str | None:
    """The text that answers an authentic message, None for `success`; a repeat gets what the first one got.

    `entry` is `entry_of` the message. `received_at`: when it came, where it waited in the spool since; its sender was
    answered `meanwhile`, and is told the rest with the next message. What is raised here (the database is away, say)
    has undone everything.
    """
    if received_at is not None:
        entry = replace(entry, untold=_promised(message))
    came = _came(work, received_at)
    row_id = await queries.take(work.conn, account.id, entry, came)
    if row_id is None:
        return await _again(work, account, entry, late=received_at is not None)
    if message.type != "text" or message.content is None:
        if entry.reply is None or received_at is not None:
            return entry.reply
        return await _beside(work, account, message, row_id, entry.reply)
    citizen = await people.citizen_of(work.conn, account.id, message.from_user, work.now)
    own = replace(work, actor=Actor(ActorKind.CITIZEN, citizen.id))
    answer = await _answer(Turn(own, account, citizen, came), message.content, row_id)
    if citizen.untold and received_at is None and answer.reply is not None:
        answer = replace(answer, reply=await _with_late(work, account, message.from_user, answer.reply))
    await queries.finish(work.conn, row_id, answer)
    return answer.reply


async def keep(work: Work, account: Account, entry: Entry, received_at: datetime | None = None) -> str | None:
    """Keeps what could not be handled; gives the reply of the entry, or the one that an earlier delivery got."""
    if await queries.take(work.conn, account.id, entry, _came(work, received_at)) is None:
        return (await queries.remembered(work.conn, account.id, entry.key)).reply
    return entry.reply


def _came(work: Work, received_at: datetime | None) -> datetime:
    """When it came, never later than now: clocks are set back, and nothing is received before it happens."""
    return work.now if received_at is None else min(received_at, work.now)


def unneeded(message: Message) -> bool:
    """WeChat reports where a citizen is every 5 seconds (获取用户地理位置). Nothing needs it, so nothing keeps it."""
    return message.event == "location"


def meanwhile(message: Message, entry: Entry) -> str | None:
    """The answer to a message that waits in the spool; always the same, and true whatever will come of it."""
    if message.type != "text" or message.content is None:
        return entry.reply
    said = conversation.read(message.content)
    match said:
        case conversation.Matter():
            return replies.spooled()
        case conversation.Rate():
            return replies.rating_spooled()
        case conversation.Progress() | conversation.Pending() | conversation.Done():
            return replies.unseen()
    return talk.ready(said)


def _promised(message: Message) -> bool:
    """Whether `meanwhile` left something to be told later."""
    if message.type != "text" or message.content is None:
        return False
    return isinstance(conversation.read(message.content), conversation.Matter | conversation.Rate)


async def _again(work: Work, account: Account, entry: Entry, *, late: bool) -> str | None:
    """What a repeat is answered: what the first delivery got."""
    first = await queries.remembered(work.conn, account.id, entry.key)
    if late and entry.untold:
        # The first was committed just when nobody waited for it any more; its sender was answered `meanwhile`.
        await queries.remind(work.conn, account.id, entry.key)
    elif first.untold and not late:
        await queries.told(work.conn, [first.id])
    return first.reply


async def _beside(work: Work, account: Account, message: Message, row_id: int, reply: str) -> str:
    """The reply to what is no text, with what is to be told of earlier ones."""
    whole = await _with_late(work, account, message.from_user, reply)
    if whole != reply:
        await queries.answered(work.conn, row_id, whole)
    return whole


async def _with_late(work: Work, account: Account, openid: str, reply: str) -> str:
    """The reply, and as much as fits of what came of the messages that waited in the spool."""
    found = await queries.untold(work.conn, account.id, openid)
    late = [replies.Late(one.received_at, one.number, one.reply) for one in found]
    whole, count = replies.with_late(reply, late, REPLY_BYTES)
    if count:
        await queries.told(work.conn, [one.id for one in found[:count]])
    return whole


def unreadable(raw: bytes, bad: BadPush) -> Entry:
    """How a push is kept of which not even the sender can be read; its key is the digest of all that there is."""
    return nameless(raw, bad.detail)


def nameless(raw: bytes, problem: str) -> Entry:
    """As `unreadable`, out of the spool."""
    return Entry(f"raw:{hashlib.sha256(raw).hexdigest()}", raw, Outcome.KEPT, problem=problem)


def failed(message: Message, raw: bytes, *, late: bool = False) -> Entry:
    """How a message is kept whose whole transaction failed."""
    untold = late and _promised(message)
    return Entry(dedup_key(message), raw, Outcome.KEPT, message.from_user, replies.kept(), FAILED, untold)


def entry_of(message: Message, raw: bytes) -> Entry:
    """The row of a message (`raw`: its clear XML) before it is handled; for all but text already the whole of it."""
    key, openid = dedup_key(message), message.from_user
    match message.type:
        case "text" if message.content is not None:
            return Entry(key, raw, Outcome.DONE, openid)
        case "text":
            return Entry(key, raw, Outcome.KEPT, openid, replies.kept(), "文字消息没有内容")
        case "event":
            greeting = f"{GREETING}\n{replies.assistance()}" if message.event == "subscribe" else None
            return Entry(key, raw, Outcome.DONE, openid, greeting)
        case kind if kind in _WORDLESS:
            return Entry(key, raw, Outcome.KEPT, openid, WORDS_NEEDED, f"目前还不能处理 {kind} 消息")
    return Entry(key, raw, Outcome.KEPT, openid, problem="不认识的消息类型")


async def _answer(turn: Turn, text: str, row_id: int) -> Answer:
    try:
        async with turn.work.conn.begin_nested():
            return await talk.answer(turn, conversation.read(text))
    except Declined as declined:
        return Answer(str(declined))
    except Exception as error:
        if unreachable(error):
            raise
        _logger.error("message not handled", account=turn.account.appid, inbound=row_id, exc_info=error)
        return Answer(replies.kept(), outcome=Outcome.KEPT, problem=f"{FAILED}：{type(error).__name__}")
