"""Judges a drill by what is left: the client's logs against the database, each guarantee by its checks."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from app.base.spool import FOLDER, waiting
from app.wechat.inbound import entry_of
from app.wechat.messages import read
from app.wechat.spool import name_of
from tests.drills.checker import changes, messages, notices, published, responsible, steps, trail
from tests.drills.checker.guarantees import (
    Check,
    Guarantee,
    Rules,
    Verdict,
    Violation,
    broken,
    unaccounted,
    verdicts,
)
from tests.drills.wechat import Sent

SETTLE_SECONDS = 15.0
"""A request whose client has gone may still be at work that long; a transaction open after that hangs."""
LIKE = "赞"

GOSSIP = Check(Guarantee.BESIDE, "no openid and no citizen's text in the logs")
RULES = Rules(
    checks=(
        *messages.CHECKS,
        *changes.CHECKS,
        *steps.CHECKS,
        *notices.CHECKS,
        *published.CHECKS,
        *responsible.CHECKS,
        *trail.CHECKS,
        GOSSIP,
    ),
    not_built={
        Guarantee.STEPS: steps.NOT_BUILT,
        Guarantee.NOTICES: notices.NOT_BUILT,
    },
)
_SEEN = {
    "消息": "SELECT count(*) FROM sent",
    "事项": "SELECT count(*) FROM ticket",
    "其中导入": "SELECT count(*) FROM ticket_import",
    "历程": "SELECT count(*) FROM ticket_event",
    "步骤": "SELECT count(*) FROM step",
    "通知": "SELECT count(*) FROM outbox",
    "报表": "SELECT count(*) FROM report",
}
_BUSY = (
    "SELECT pid, state, round(extract(epoch FROM clock_timestamp() - xact_start)) AS seconds, left(query, 60) AS query "
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL "
    "AND backend_type = 'client backend'"
)


@dataclass(slots=True)
class Act:
    """What a member of staff did to a ticket; `known`: they were told that it was done."""

    number: str
    action: str
    known: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """What a drill knows besides its messages. `published`: checksums of reports that it has read; `data_dir`: whose
    spool is looked into, if any."""

    acts: Sequence[Act] = ()
    published: Sequence[str] = ()
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """`kept`: openids whose message waits for an administrator, or in the spool; `lost`: whose message is nowhere;
    `unsaid`: never answered, but the ticket is there. `tickets`: those that were not imported."""

    violations: tuple[Violation, ...]
    kept: tuple[str, ...]
    lost: tuple[str, ...]
    unsaid: tuple[str, ...]
    tickets: int
    seen: Mapping[str, int]
    verdicts: tuple[Verdict, ...]

    def told(self) -> str:
        """The verdicts, a line for each guarantee."""
        looked_at = "，".join(f"{what} {many:,}" for what, many in self.seen.items())
        return "\n".join([f"检查 checked：{looked_at}", *map(str, self.verdicts)])


async def check(
    url: str, log: Sequence[Sent], written: str = "", aside: Sequence[Sent] = (), beside: Beside = Beside()
) -> Findings:
    """Waits until nothing moves any more, then judges. `written`: all logs, in which nobody's words may stand.

    `aside`: later messages of the same citizens, which file nothing.
    """
    conn = await asyncpg.connect(url)
    try:
        more = broken(changes.HANGING, await _settled(conn)) + broken(GOSSIP, _gossip(log, written))
        async with conn.transaction(isolation="repeatable_read"):
            found = await judge(conn, log, aside, beside)
    finally:
        await conn.close()
    violations = (*found.violations, *more)
    return replace(found, violations=violations, verdicts=verdicts(RULES, _made(RULES, beside), violations))


async def judge(
    conn: Any, log: Sequence[Sent], aside: Sequence[Sent] = (), beside: Beside = Beside(), rules: Rules = RULES
) -> Findings:
    """As `check`, over an asyncpg connection in a transaction, at once: without open transactions and logs."""
    waits = _names(beside.data_dir)
    await conn.execute(messages.TABLES + changes.TABLES + published.TABLES)
    await _fill(conn, log, aside, beside, waits)
    violations = unaccounted(rules)
    for one in rules.checks:
        violations += broken(one, await conn.fetch(one.query)) if one.query else []
    for guarantee, claim in rules.not_built.items():
        what = Check(guarantee, "it is said not to be built, and is: its entry has to go, and its checks to come")
        violations += broken(what, await conn.fetch(claim.sign))
    violations += broken(messages.ALIKE, _quarrels(log)) + broken(published.SEALED, await published.unsealed(conn))
    violations += broken(messages.SPOOL, _left(beside.data_dir))
    violations += broken(trail.LINKED, await trail.unlinked(conn)) + broken(trail.TEXTS, await trail.retouched(conn))
    lists = [await conn.fetch(query) for query in (messages.KEPT, messages.LOST, messages.UNSAID)]
    kept, lost, unsaid = (tuple(row["openid"] for row in rows) for rows in lists)
    seen = {what: await conn.fetchval(query) for what, query in _SEEN.items()}
    await conn.execute("DROP TABLE sent, aside, act, published")
    return Findings(
        tuple(violations),
        kept,
        lost,
        unsaid,
        seen["事项"] - seen["其中导入"],
        seen,
        verdicts(rules, _made(rules, beside), violations),
    )


async def _fill(conn: Any, log: Sequence[Sent], aside: Sequence[Sent], beside: Beside, waits: frozenset[str]) -> None:
    sent = [
        (s.account.keys.appid, s.openid, s.text, bool(s.answers), s.number, bool(waits) and spooled_as(s) in waits)
        for s in log
    ]
    later = [(s.account.keys.appid, s.openid, s.key, bool(s.answers), s.text == LIKE) for s in aside]
    await conn.copy_records_to_table("sent", records=sent)
    await conn.copy_records_to_table("aside", records=later)
    await conn.copy_records_to_table("act", records=[(a.number, a.action, a.known) for a in beside.acts])
    await conn.copy_records_to_table("published", records=[(checksum,) for checksum in beside.published])
    await conn.execute("ANALYZE sent, aside, act")


def _made(rules: Rules, beside: Beside) -> list[Check]:
    return [one for one in rules.checks if one is not messages.SPOOL or beside.data_dir is not None]


async def _settled(conn: Any) -> list[Any]:
    """Waits for the transactions of others to end; those that do not."""
    for _ in range(int(SETTLE_SECONDS / 0.5)):
        if not await conn.fetch(_BUSY):
            return []
        await asyncio.sleep(0.5)
    return list(await conn.fetch(_BUSY))


def _names(data_dir: Path | None) -> frozenset[str]:
    """The files of a spool, those set aside for a person too."""
    if data_dir is None or not (data_dir / FOLDER).exists():
        return frozenset()
    return frozenset(path.name for path in (data_dir / FOLDER).rglob("*-*"))


def spooled_as(sent: Sent) -> str:
    raw = sent.xml.encode()
    return name_of(sent.account.keys.appid, entry_of(read(raw), raw))


def _left(data_dir: Path | None) -> list[dict[str, int]]:
    left = waiting(data_dir) if data_dir is not None else None
    return [{"waiting": left.count, "set aside": left.bad}] if left is not None and (left.count or left.bad) else []


def _quarrels(log: Sequence[Sent]) -> list[dict[str, Any]]:
    return [{"openid": s.openid, "answers": [answer[:40] for answer in s.answers]} for s in log if s.quarrels()]


def _gossip(log: Sequence[Sent], written: str) -> list[dict[str, str]]:
    """Openids and texts in the logs: nothing that a person wrote or is belongs there."""
    words = re.compile("|".join(re.escape(s.openid) for s in log)) if log else re.compile("(?!)")
    rows = [{"openid": found} for found in sorted(set(words.findall(written)))]
    return rows + [{"text of": s.openid} for s in log if len(s.text) >= 8 and s.text[:40].strip() in written]
