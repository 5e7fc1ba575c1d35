"""Real citizens' messages through the webhook in safe mode, each answered with the reply it really got, and completed.

All rows of ../shared/data/messages_replies.csv and messages_county.csv, one openid a row; they carry no clear licence
and are read from beside the repository, never from it. Sent is title, line feed, text, as in the CSV, with CRLF and CR
as LF: XML itself reads them so (XML 1.0, 2.11), and WeChat sends XML. A row without a reply gets ours. Ordinary tickets
are worked by the county's administrators, confidential ones by its inspector.
`python -m tests.drills.real_messages --help`
"""

import argparse
import asyncio
import csv
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import asyncpg

from app.demo.cast import Cast, User
from app.demo.office import Astray, Json, Office
from app.domain.errors import Busy
from app.domain.vocabulary import AccountMode, Role
from tests.drills import county
from tests.drills.checker import SHOWN, Act, Beside, Findings, check
from tests.drills.county import Demo, DrillError
from tests.drills.desk import RESULT, carry
from tests.drills.wechat import Sent, deliver_as_wechat_does, openids, write

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FILES = tuple(DATA / name for name in ("messages_replies.csv", "messages_county.csv"))
AT_ONCE = 4
REPLY = "您的留言已收悉，已转有关单位核实处理。"
"""What is replied to a row that got no reply."""


@dataclass(slots=True)
class Case:
    """One row and what became of it. `suggested`: the leaf, None where there was none."""

    sent: Sent
    reply: str
    suggested: str | None = None
    confidential: bool = False
    unmanned: bool = False
    fault: str = ""
    acts: list[Act] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Played:
    """`categories`: leaf → (first-level code, its name). Seconds for sending and for working."""

    cases: Sequence[Case]
    categories: Mapping[str, tuple[str, str]]
    sending: float
    working: float


def main() -> int:
    options = _options()
    missing = [path.name for path in FILES if not path.exists()]
    if missing:
        where = "/".join(DATA.parts[-2:])
        sys.stdout.write(f"skipped 跳过：没有 {'、'.join(missing)}（应在仓库旁的 {where}）\n")
        return 0
    return county.conclude(_drill(options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, help="so many, drawn at random; default: all rows of both files")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of rows (default 1)")
    parser.add_argument("--port", type=int, help="default: the first free one from 8210 on")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    return parser.parse_args()


async def _drill(options: argparse.Namespace) -> tuple[str, Sequence[str]]:
    async with county.running("real", options.port, keep=options.keep) as demo:
        rows = _rows(options.rows, options.seed)
        played = await _play(demo, rows)
        log = [case.sent for case in played.cases]
        beside = Beside([act for case in played.cases for act in case.acts], data_dir=demo.data_dir)
        findings = await check(demo.database_url(), log, demo.logs(), (), beside)
        astray = await _stored(demo.database_url(), played.cases)
    faults = [str(violation) for violation in findings.violations] + astray
    failed = [f"{case.sent.number or case.sent.openid}: {case.fault}" for case in played.cases if case.fault]
    faults += [f"✗ {fault}" for fault in failed[:SHOWN]]
    if failed:
        faults.append(f"✗ not carried through: {len(failed)} of {len(played.cases)}")
    if findings.lost or findings.kept or findings.tickets != len(rows):
        counts = f"tickets {findings.tickets}, kept {len(findings.kept)}, lost {len(findings.lost)}"
        faults.append(f"✗ {counts}, of {len(rows)} messages")
    return _result(played, findings, options), faults


def _rows(count: int | None, seed: int) -> list[tuple[str, str]]:
    """(text, reply) of so many rows, or of all. Raises DrillError where there are not as many."""
    found = [row for path in FILES for row in _of(path)]
    if count is None:
        return found
    if len(found) < count:
        raise DrillError(f"the files have {len(found)} rows, not {count}")
    return random.Random(seed).sample(found, count)


def _of(path: Path) -> Iterator[tuple[str, str]]:
    # newline="": the reader must not touch what stands inside a quoted cell.
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield _as_xml(f"{row['title']}\n{row['text']}"), _as_xml(row["reply"]) or REPLY


def _as_xml(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


async def _play(demo: Demo, rows: Iterable[tuple[str, str]]) -> Played:
    cast = demo.cast()
    account = next(a for a in cast.accounts if a.division_code == cast.root)
    if account.keys.mode is not AccountMode.SAFE:
        raise DrillError(f"the county's account is in {account.keys.mode.label}, not in safe mode")
    names = openids(county.salt())
    cases = [Case(write(account, next(names), text), reply) for text, reply in rows]
    async with county.connections(demo, 2 * AT_ONCE, 30) as client:
        began = perf_counter()
        with county.bar("来件 messages", len(cases)) as done:
            await _each(cases, lambda case: deliver_as_wechat_does(client, case.sent), done)
        sending, began = perf_counter() - began, perf_counter()
        office = Office(client, cast)
        with county.bar("办理 worked", len(cases)) as done:
            await _each(cases, lambda case: _carry(office, cast, case), done)
        working = perf_counter() - began
        said = await office.get(cast.at(Role.ADMINISTRATOR, cast.root)[0], "/api/v1/categories")
    first = {c["code"]: c["name"] for c in said if c["level"] == 1}
    leaves = {c["code"]: (c["parent_code"], first[c["parent_code"]]) for c in said if c["level"] == 2}
    return Played(cases, leaves, sending, working)


async def _each(cases: Sequence[Case], play: Callable[[Case], Awaitable[None]], done: county.Bar) -> None:
    """So many at a time, each as soon as one before it is through."""
    waiting = iter(cases)

    async def one_after_another() -> None:
        for case in waiting:
            await play(case)
            done()

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


async def _carry(office: Office, cast: Cast, case: Case) -> None:
    """From received to completed; what goes wrong is put down."""
    if case.sent.number is None:
        answer = case.sent.answers[0][:40] if case.sent.answers else case.sent.deliveries[-1].trouble
        case.fault = f"no ticket: {answer!r}"
        return
    try:
        who, ticket = await _whose(office, cast, case)
        await _work(office, who, ticket, case)
    except (Astray, Busy) as astray:
        case.fault = astray.detail
    except (KeyError, TypeError) as error:
        case.fault = f"unreadable ticket ({type(error).__name__}: {error})"


async def _whose(office: Office, cast: Cast, case: Case) -> tuple[User, Json]:
    """Who may work on it, with the ticket: an administrator, or where none may know of it the inspector."""
    path = f"/api/v1/tickets/{case.sent.number}"
    administrators = cast.at(Role.ADMINISTRATOR, cast.root)
    administrator = administrators[int(case.sent.number or 0) % len(administrators)]
    seen = await office.ask(administrator, "GET", path)
    if seen.status == 200:
        return administrator, seen.body
    case.confidential = True
    inspector = cast.at(Role.INSPECTOR, cast.root)[0]
    return inspector, (await office.expect(200, inspector, "GET", path)).body


async def _work(office: Office, who: User, ticket: Json, case: Case) -> None:
    async def act(action: str, body: Json) -> Json:
        path = f"/api/v1/tickets/{case.sent.number}/{action}"
        done = await office.expect(200, who, "POST", path, body)
        case.acts.append(Act(case.sent.number or "", action, known=True))
        return done.body

    if ticket["confidential"] is not case.confidential:
        raise Astray("a confidential ticket was shown to an administrator, or an ordinary one was not")
    case.suggested = ticket["category"]["code"] if ticket["category"] else None
    ticket = await carry(act, ticket, who.username, case.reply)
    case.unmanned = any(event["action"] == "dispatch" for event in ticket["timeline"])
    told = [event["text"] for event in ticket["timeline"] if event["action"] == "reply"]
    if (ticket["status"], ticket["description"], ticket["result"]) != ("completed", case.sent.text, RESULT):
        raise Astray(f"at the end: {ticket['status']}, or its text or result is another")
    if told != [case.reply]:
        raise Astray("the reply shown is not the one given")


async def _stored(url: str, cases: Sequence[Case]) -> list[str]:
    """Replies in the database against those given, byte for byte; and that all are completed."""
    conn = await asyncpg.connect(url)
    try:
        rows = await conn.fetch(
            "SELECT t.number, t.status, array_agg(x.text) AS replies "
            "FROM ticket t JOIN inbound i ON i.ticket_id = t.id "
            "LEFT JOIN ticket_event e ON e.ticket_id = t.id AND e.action = 'reply' "
            "LEFT JOIN event_text x ON x.ticket_id = t.id AND x.seq = e.seq GROUP BY t.id"
        )
    finally:
        await conn.close()
    given = {case.sent.number: case.reply for case in cases}
    other = [r["number"] for r in rows if (r["status"], r["replies"]) != ("completed", [given.get(r["number"])])]
    return [f"✗ not completed with just the given reply: {len(other)}, e.g. {other[:SHOWN]}"] if other else []


def _result(played: Played, findings: Findings, options: argparse.Namespace) -> str:
    cases = played.cases
    firsts = Counter(played.categories[c.suggested] for c in cases if c.suggested is not None)
    spread = "，".join(f"{code} {name} {count}" for (code, name), count in sorted(firsts.items()))
    sent, replied = sum(len(c.sent.text) for c in cases), sum(len(c.reply) for c in cases)
    lines = [
        f"真实来件 real messages：{len(cases)} 条，县公众号，安全模式"
        + (f"，种子 {options.seed}" if options.rows else "（两个文件的全部）"),
        f"  工单 tickets {findings.tickets}，丢失 lost {len(findings.lost)}，留存 kept {len(findings.kept)}；"
        f"原文 {sent:,} 字、回复 {replied:,} 字",
        f"  建议的一级分类 suggested：{spread}；没有建议 {sum(c.suggested is None for c in cases)}",
        f"  保密件 confidential {sum(c.confidential for c in cases)}；没有承办人、先派单 dispatched first "
        f"{sum(c.unmanned for c in cases)}",
        f"  来件 {played.sending:.1f} 秒（{len(cases) / played.sending:.0f} 条/秒），"
        f"受理、办理、回复、办结 {played.working:.1f} 秒（{len(cases) / played.working:.1f} 件/秒）",
        findings.told(),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
