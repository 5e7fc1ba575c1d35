"""What `o2o doctor` asks of the files."""

from app.base.running.health import Check, State, reporter
from app.base.work import Opener
from app.domain.policy import SYSTEM
from app.files import queries
from app.files.store import Store, StoreAway

ASKED = 1000
"""Files whose bytes are looked for; of more, so many by chance."""


async def writable(store: Store) -> Check:
    check = reporter("file_store", "文件存储")
    try:
        await store.probe()
    except StoreAway as away:
        said = f"{store.where} 不能读写（{str(away)[:200]}），照片和录音存不下：请检查设置、权限和剩余空间"
        return check(State.FAIL, said)
    return check(State.OK, f"{store.where}，能读能写")


async def whole(opener: Opener, store: Store) -> Check:
    """Whether the files that we have rows for are there, as long as they were."""
    check = reporter("files", "照片录音")
    async with opener(SYSTEM) as work:
        total, some = await queries.count(work.conn), await queries.some(work.conn, ASKED)
    try:
        lost = [file.digest for file in some if await store.size(file.digest) != file.bytes]
    except StoreAway:
        return check(State.FAIL, f"共 {total:,} 个，存储读不了，见上一条")
    looked = f"共 {total:,} 个" if total <= ASKED else f"共 {total:,} 个，抽查 {len(some):,} 个"
    if lost:
        shown = "、".join(digest[:12] for digest in lost[:3])
        said = f"{looked}，{len(lost):,} 个在存储中缺失或长短不对（摘要 {shown}……）"
        return check(State.FAIL, f"{said}：请从 {store.where} 的备份中按摘要放回")
    return check(State.OK, f"{looked}，都在")
