"""The office's own trail: what was done to staff, settings and papers, recorded in the transaction that does it."""

from collections.abc import Mapping

from app.audit.chain import OfficeEntry, told
from app.audit.queries import office
from app.base.work import Work
from app.domain.policy import ActorKind
from app.domain.vocabulary import Word


class OfficeAction(Word):
    """What leaves a trace besides the acts on tickets."""

    DATA_IMPORT = "data.import", "导入数据"
    REPORT_ISSUE = "report.issue", "生成报表"
    REPORT_REVISE = "report.revise", "修订报表"
    AUDIT_EXPORT = "audit.export", "导出审计记录"
    TRAIL_JOIN = "trail.join", "历程补入哈希链"


async def note(work: Work, action: OfficeAction, detail: Mapping[str, object]) -> None:
    """Appends to the office's chain, by Work's actor at Work's moment. `detail`: ids, counts, code words and digests.

    Others who want to write there wait until the transaction ends: call it last.
    """
    await office.take_turn(work.conn)
    head = await office.last_head(work.conn)
    actor = work.actor
    entry = OfficeEntry(
        seq=head.length + 1,
        at=work.now,
        action=action,
        actor_kind=actor.kind,
        actor_id=actor.id if actor.kind is ActorKind.STAFF else None,
        actor_role=next(iter(sorted(actor.roles)), None),
        detail=told(detail),
    )
    await office.append(work.conn, entry, detail, head.hash)
