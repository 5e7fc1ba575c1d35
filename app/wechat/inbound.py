"""A message's effect, exactly once: stored under its key, understood, done, its answer remembered, in one transaction.

What we fail at is undone to a savepoint; the message itself stays, for an administrator, and is answered politely.
"""

import hashlib
from dataclasses import replace

from app.base import log
from app.base.db import unreachable
from app.base.work import Work
from app.domain import conversation, replies
from app.domain.policy import Actor, ActorKind
from app.people import queries as people
from app.wechat import queries, talk
from app.wechat.accounts import Account
from app.wechat.messages import BadPush, Message, dedup_key
from app.wechat.queries import Answer, Entry, Outcome
from app.wechat.talk import Declined, Turn

GREETING = "您好，欢迎关注！有事情请直接写下来发给我们，会得到一个编号，由专人办理。"
WORDS_NEEDED = (
    "收到了，但我们目前只能办理文字。请用一句话写明什么事、在哪里，再发给我们；您发来的内容已交给工作人员查看。"
)
FAILED = "程序处理这条消息时出错"

_WORDLESS = frozenset({"image", "voice", "video", "shortvideo", "location", "link"})

_logger = log.get(__name__)


async def receive(work: Work, account: Account, message: Message, raw: bytes) -> str | None:
    """The text that answers an authentic message, None for `success`; a repeat gets what the first one got.

    `raw` is its clear XML. What is raised here (the database is away, say) has undone everything.
    """
    if message.event == "location":
        # WeChat reports where a citizen is every 5 seconds (获取用户地理位置). Nothing needs it, so nothing keeps it.
        return None
    entry = _entry(message, raw)
    row_id = await queries.take(work.conn, account.id, entry, work.now)
    if row_id is None:
        return await queries.remembered(work.conn, account.id, entry.key)
    if message.type != "text" or message.content is None:
        return entry.reply
    citizen = await people.citizen_of(work.conn, account.id, message.from_user, work.now)
    own = replace(work, actor=Actor(ActorKind.CITIZEN, citizen.id))
    answer = await _answer(Turn(own, account, citizen), message.content, row_id)
    await queries.finish(work.conn, row_id, answer)
    return answer.reply


async def keep(work: Work, account: Account, entry: Entry) -> str | None:
    """Keeps what could not be handled; gives the reply of the entry, or the one that an earlier delivery got."""
    if await queries.take(work.conn, account.id, entry, work.now) is None:
        return await queries.remembered(work.conn, account.id, entry.key)
    return entry.reply


def unreadable(raw: bytes, bad: BadPush) -> Entry:
    """How a push is kept of which not even the sender can be read; its key is the digest of all that there is."""
    return Entry(f"raw:{hashlib.sha256(raw).hexdigest()}", raw, Outcome.KEPT, problem=bad.detail)


def failed(message: Message, raw: bytes) -> Entry:
    """How a message is kept whose whole transaction failed."""
    return Entry(dedup_key(message), raw, Outcome.KEPT, message.from_user, replies.kept(), FAILED)


def _entry(message: Message, raw: bytes) -> Entry:
    """The row of a message before it is handled; for all but text it is already the whole of it."""
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
