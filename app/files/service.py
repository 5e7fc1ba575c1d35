"""Files come in, are taken by an act, and are given out. They are looked at and stored outside any transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.base import log
from app.base.batch import Batch
from app.base.clock import machine
from app.base.secrets import token
from app.base.work import Opener, Work
from app.domain.errors import Busy, Forbidden, Invalid, Refusal, TooMany
from app.domain.files import MOST_BYTES, MOST_PER_ACT, MOST_UNUSED, UNUSED, FileType
from app.domain.policy import Actor, ActorKind
from app.files import queries
from app.files.queries import Kept, Sender
from app.files.store import Store, StoreAway, digest_of

TURN_SECONDS = 15.0
"""How long whoever sends a file waits for those before them."""
_TAKEN = "可以上传照片（JPEG、PNG、WebP、GIF）和录音（AMR、MP3、M4A、OGG、WAV）"
# One file at a time: a picture takes a core, and memory.
_turn = asyncio.Semaphore(1)
_logger = log.get(__name__)


class Lost(Refusal):
    """The bytes of a file are not there, or are not what they were (500): a person must look into it."""

    status = 500
    title = "文件损坏"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file that an act has taken. `digest` tells what it is for good: it may stand in the trail."""

    id: str
    digest: str
    photo: bool


async def upload(opener: Opener, store: Store, actor: Actor, read: Callable[[], Awaitable[bytes]]) -> Kept:
    """Checks, cleans and keeps what `read` gives, for the actor to use within a day.

    Raises Invalid for what is no photo or recording, or a broken one; TooMany; Busy where the store is away or others
    are before. Then nothing is kept that anybody could come by.
    """
    sender = sender_of(actor)
    async with opener(actor) as work:
        if await queries.waiting(work.conn, sender) >= MOST_UNUSED:
            said = f"您上传了 {MOST_UNUSED} 个还没有用到的文件，请先用在事项里，或者明天再传"
            raise TooMany("file.unused", said, retry_after=3600)
    content, kind = await _in_turn(read)
    file = Kept(token(), digest_of(content), kind, len(content))
    async with opener(actor) as work:
        await queries.reserve(work.conn, file, sender, machine())
    try:
        await store.put(file.digest, content)
    except StoreAway as away:
        _logger.error("file not stored", store=store.where, reason=str(away))
        raise Busy("file.store_away", "存放文件的地方暂时用不了，文件没有保存，请稍后再传") from away
    async with opener(actor) as work:
        await queries.mark_stored(work.conn, file.id)
    return file


async def _in_turn(read: Callable[[], Awaitable[bytes]]) -> tuple[bytes, FileType]:
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await _turn.acquire()
    except TimeoutError as late:
        raise Busy("file.busy", "现在上传的人太多，请稍后再传") from late
    try:
        return await asyncio.to_thread(_cleaned, await read())
    finally:
        _turn.release()


def _cleaned(content: bytes) -> tuple[bytes, FileType]:
    from app.files import pictures, sounds  # Pillow: 8 MB, for processes that are sent files
    from app.files.sounds import mp4

    if not content:
        raise _invalid("file.empty", "文件是空的，请重新选择")
    if len(content) > MOST_BYTES:
        raise _invalid("file.too_large", f"文件太大，最多 {MOST_BYTES // 1024 // 1024} MB")
    if pictures.is_picture(content):
        return pictures.cleaned(content), FileType.PHOTO
    if content[4:8] == b"ftyp" and content[8:12] in mp4.STILLS:
        said = "暂不支持 HEIC 照片，请在手机的相机设置里选“兼容性最佳”（JPEG）后重拍，或发送截图"
        raise _invalid("file.heic", said)
    kind = sounds.type_of(content)
    if kind is None:
        raise _invalid("file.type", f"文件类型不对，{_TAKEN}")
    try:
        return sounds.cleaned(content, kind), kind
    except mp4.Video as video:
        raise _invalid("file.video", f"暂不支持视频，{_TAKEN}") from video
    except ValueError as error:
        _logger.warning("recording refused", reason=str(error))
        raise _invalid("file.broken", "录音打不开，可能没有传完整或已损坏，请重新录音或选择后再传") from error


def _invalid(code: str, said: str) -> Invalid:
    return Invalid.field(code, "/file", said)


async def claim(work: Work, ids: Sequence[str]) -> Sequence[Claimed]:
    """Takes uploads of Work's actor for the act that is being done; each belongs to one act. In the order given.

    Raises Invalid (`/files`) for more than 9, one twice, one that isn't there, isn't theirs, is used, or too old.
    """
    if not ids:
        return ()
    if len(ids) > MOST_PER_ACT:
        raise _refused("file.many", f"一次最多附 {MOST_PER_ACT} 个文件")
    if len(set(ids)) < len(ids):
        raise _refused("file.twice", "同一个文件写了两次")
    sender = sender_of(work.actor)
    taken = {file.id: file for file in await queries.claim(work.conn, ids, sender, machine() - UNUSED)}
    if missing := [id_ for id_ in ids if id_ not in taken]:
        if await queries.used(work.conn, missing, sender):
            raise _refused("file.used", "有文件已经用过了，每个文件只能用一次，请重新上传")
        raise _refused("file.unknown", "有文件不存在、不是您上传的，或上传已超过一天，请重新上传")
    return [Claimed(id_, taken[id_].digest, taken[id_].content_type == FileType.PHOTO) for id_ in ids]


async def photos(work: Work, ids: Sequence[str]) -> int:
    """How many of these, of Work's actor, are photos: for the rules, before anything is claimed."""
    return await queries.of_type(work.conn, ids, sender_of(work.actor), FileType.PHOTO) if ids else 0


def _refused(code: str, said: str) -> Invalid:
    return Invalid.field(code, "/files", said)


def link(batch: Batch, ticket_id: int, seq: int, claimed: Sequence[Claimed]) -> None:
    """They belong to that event of the ticket, when the batch is written (the event may be in it)."""
    rows = [{"file_id": one.id, "ticket_id": ticket_id, "seq": seq, "visit_id": None} for one in claimed]
    queries.add_links(batch, rows)


def link_visit(batch: Batch, visit_id: int, claimed: Sequence[Claimed]) -> None:
    """They belong to a visit at a household that was for no ticket."""
    rows = [{"file_id": one.id, "ticket_id": None, "seq": None, "visit_id": visit_id} for one in claimed]
    queries.add_links(batch, rows)


async def content(store: Store, file: Kept) -> bytes:
    """The bytes of the file, and no others. Raises Lost, Busy."""
    try:
        found = await store.get(file.digest)
    except StoreAway as away:
        _logger.error("file not read", store=store.where, reason=str(away))
        raise Busy("file.store_away", "存放文件的地方暂时用不了，请稍后再看") from away
    if found is None or digest_of(found) != file.digest:
        _logger.error("file lost", digest=file.digest, store=store.where, there=found is not None)
        raise Lost("file.lost", "文件在存储中丢失或损坏，已记录，请联系系统管理员从备份中恢复")
    return found


def sender_of(actor: Actor) -> Sender:
    """Who sends it, as a column and its value. Raises Forbidden for strangers and the clockwork."""
    if actor.id is None or actor.kind not in {ActorKind.STAFF, ActorKind.CITIZEN}:
        raise Forbidden("file.sender", "请登录后再上传")
    return {"staff_id" if actor.kind is ActorKind.STAFF else "citizen_id": actor.id}
