"""kill -9 of the service, the worker, PostgreSQL and all of them at once, at random moments, while messages pour in.

Service and worker are processes of their own over one county; staff work and citizens rate meanwhile. PostgreSQL comes
back by the guards of both, the processes by this drill. Every message must be a ticket (or kept), none twice, 0 lost.
A message of which no delivery found a process that lived long enough to hear it is lost for certain: so the service is
not killed again before all that it had turned away are heard, and such messages are counted apart.
`python -m tests.drills.kills --help`
"""

import argparse
import asyncio
import itertools
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import asyncpg
import httpx

from tests.drills import county
from tests.drills.checker import Findings, check
from tests.drills.county import Demo, DrillError
from tests.drills.load import Load
from tests.drills.wechat import APART, TRIES, Sent, ask_for_numbers, percentile

ALONE = ("service", "worker", "postgres")
EVERYTHING = "everything"
LABELS = {"service": "服务", "worker": "后台进程", "postgres": "PostgreSQL", EVERYTHING: "全部"}
CALM = (0.2, 3.0)
"""Seconds of ordinary life before a hit: at least, and at most."""
HEARD_WITHIN = 2 * TRIES * APART
"""Seconds after which nobody is waited for any more: WeChat has given up."""
AFTER = 2.0
"""Seconds of ordinary life after the last."""
BACK_WITHIN = 120.0
UNHEARD = frozenset({"ConnectError", "ReadError", "RemoteProtocolError", "WriteError"})
"""How a delivery ends where the process that should hear it is dead, or dies."""


@dataclass(frozen=True, slots=True)
class Hit:
    """`at`: seconds after the first message; `away`: until all answered and worked again; `processes` were killed."""

    target: str
    at: float
    away: float
    processes: int


@dataclass(slots=True)
class Siege:
    """One run."""

    load: Load
    hits: list[Hit] = field(default_factory=list)

    @property
    def demo(self) -> Demo:
        return self.load.demo


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it. `unfolded`: counter deltas that no worker folded; `seconds` in all."""

    siege: Siege
    findings: Findings
    later: Sequence[Sent]
    unfolded: int
    seconds: float


def main() -> int:
    return county.conclude(_drill(_options()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hits", type=int, default=50, help="of one of the three (default 50)")
    parser.add_argument("--everything", type=int, default=10, help="hits of all at once (default 10)")
    parser.add_argument("--rate", type=float, default=20, help="new messages a second (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of order, moments and texts (default 1)")
    parser.add_argument("--port", type=int, help="default: the first free one from 8210 on")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    return parser.parse_args()


async def _drill(options: argparse.Namespace) -> tuple[str, Sequence[str]]:
    began = perf_counter()
    async with county.running("kills", options.port, keep=options.keep, apart=True) as demo:
        rng = random.Random(options.seed)
        before = demo.bulletin()
        siege = Siege(Load(demo, rng, options.rate))
        order = _order(rng, options.hits, options.everything)
        with county.bar("击杀 hits", len(order)) as done:
            async with asyncio.TaskGroup() as all_at_once:
                all_at_once.create_task(siege.load.pour())
                all_at_once.create_task(siege.load.work())
                all_at_once.create_task(_strike(siege, order, done))
        await county.drained(demo)
        async with county.connections(demo, None, 10) as client:
            later = await ask_for_numbers(client, siege.load.log)
        url = demo.database_url()
        unfolded = await _unfolded(url)
        beside = siege.load.beside(_checksum(before))
        findings = await check(url, siege.load.log, demo.logs(), [*siege.load.ratings, *later], beside)
        same = demo.bulletin() == before
    played = Played(siege, findings, later, unfolded, perf_counter() - began)
    faults = _faults(played) + ([] if same else ["✗ the bulletin of last month is not what it was before"])
    return _result(played, options), faults


def _order(rng: random.Random, hits: int, everything: int) -> list[str]:
    order = [*itertools.islice(itertools.cycle(ALONE), hits), *[EVERYTHING] * everything]
    rng.shuffle(order)
    return order


async def _strike(siege: Siege, order: Sequence[str], done: county.Bar) -> None:
    for target in order:
        await asyncio.sleep(siege.load.rng.uniform(*CALM))
        if target in ("service", EVERYTHING):
            await _heard(siege.load)
        siege.hits.append(await _hit(siege, target))
        done()
    await asyncio.sleep(AFTER)
    siege.load.over = True


async def _heard(load: Load) -> None:
    """Returns once nobody who was turned away still waits to be answered."""
    lately = round(load.rate * HEARD_WITHIN)
    for _ in range(round(HEARD_WITHIN / 0.05)):
        if not any(0 < len(sent.deliveries) < TRIES and not sent.answers for sent in load.log[-lately:]):
            return
        await asyncio.sleep(0.05)


async def _hit(siege: Siege, target: str) -> Hit:
    """Kills, brings back what does not come by itself, and waits until all is as before. Raises DrillError."""
    demo, struck, processes = siege.demo, perf_counter(), 0
    parts = ALONE if target == EVERYTHING else (target,)
    # The guards may be about to start a server: the postmaster is looked for first.
    if "postgres" in parts:
        processes += demo.postgres.kill()
    programs = [program for program in (demo.service, demo.worker) if program and _named(demo, program) in parts]
    for program in programs:
        program.kill()
        processes += 1
    for program in programs:
        await asyncio.to_thread(program.launch)
    if "service" in parts:
        await demo.answers()
    if "postgres" in parts:
        await _ready(demo)
    if "worker" in parts:
        await demo.works()
    return Hit(target, struck - siege.load.began, perf_counter() - struck, processes)


def _named(demo: Demo, program: object) -> str:
    return "service" if program is demo.service else "worker"


async def _ready(demo: Demo) -> None:
    deadline = perf_counter() + BACK_WITHIN
    async with httpx.AsyncClient(base_url=demo.base_url, trust_env=False, timeout=10) as client:
        # The pool may still hold a connection from before for a moment; twice in a row is an answer.
        good = 0
        while good < 2:
            if perf_counter() > deadline:
                raise DrillError(f"PostgreSQL did not come back within {BACK_WITHIN:.0f} s:\n{demo.last_words()}")
            await asyncio.sleep(0.1)
            good = good + 1 if (await client.get("/readyz")).status_code == 200 else 0


def _checksum(bulletin: str) -> str:
    return bulletin.partition('"checksum":"')[2].partition('"')[0]


async def _unfolded(url: str) -> int:
    """Counter deltas that are left when the worker has had its time."""
    conn = await asyncpg.connect(url)
    try:
        left = 1
        for _ in range(60):
            left = await conn.fetchval("SELECT count(*) FROM rate_delta")
            if not left:
                break
            await asyncio.sleep(0.5)
        return int(left)
    finally:
        await conn.close()


def _faults(played: Played) -> list[str]:
    load, findings = played.siege.load, played.findings
    faults = [str(violation) for violation in findings.violations]
    if findings.lost:
        faults.append(f"✗ lost: {len(findings.lost)}, e.g. {findings.lost[:3]}")
    if findings.kept:
        faults.append(f"✗ kept instead of filed: {len(findings.kept)}, e.g. {findings.kept[:3]}")
    if played.unfolded:
        faults.append(f"✗ counter deltas that the worker left: {played.unfolded}")
    if not load.log or load.desk is None or not load.desk.completed:
        faults.append("✗ no message was sent, or no ticket completed")
    return faults + (load.desk.faults if load.desk else [])


def _result(played: Played, options: argparse.Namespace) -> str:
    siege, findings = played.siege, played.findings
    load, log, desk = siege.load, siege.load.log, siege.load.desk
    answered = [sent for sent in log if sent.answers]
    tries = Counter(len(sent.deliveries) for sent in answered)
    waits = [sent.deliveries[-1].began + sent.deliveries[-1].seconds - sent.deliveries[0].began for sent in answered]
    troubles = Counter(done.trouble for sent in log for done in sent.deliveries if done.trouble)
    spread = "，".join(f"第 {n} 次投递答复 {tries[n]}" for n in range(1, TRIES + 1))
    told = sum(sent.later is not None for sent in log)
    lines = [
        f"击杀 kills：{len(siege.hits)} 次 kill -9，每秒 {options.rate:g} 条新消息，种子 {options.seed}，"
        f"共 {played.seconds:.0f} 秒",
        *_recoveries(siege.hits),
        f"  消息 messages {len(log)}，答复 answered {len(answered)}（{spread}；"
        f"答复等待 p50 {percentile(waits, 0.5):.2f}，p99 {percentile(waits, 0.99):.1f}，"
        f"最久 {max(waits, default=0):.1f} 秒）",
        f"  工单 tickets {findings.tickets}，其中没答上但已立案 filed, never told {len(findings.unsaid)}；"
        f"先暂存、随下一条消息告知编号 told later {told}；留待人工 kept {len(findings.kept)}",
        f"  办结 completed {desk.completed if desk else 0}，职员操作 acts {len(desk.acts) if desk else 0}，"
        f"点赞 ratings {len(load.ratings)}",
        f"  丢失 lost {len(findings.lost)}{_when(siege, findings.lost)}，其中没有进程在听 nobody was there to hear it "
        f"{_unheard(log, findings.lost)}",
        *_fates(log, findings.lost),
        "  未答的投递 unanswered deliveries："
        + ("，".join(f"{what} {count}" for what, count in troubles.most_common()) or "无"),
        findings.told(),
    ]
    return "\n".join(lines)


def _recoveries(hits: Sequence[Hit]) -> list[str]:
    lines = []
    for target in (*ALONE, EVERYTHING):
        ours = [hit for hit in hits if hit.target == target]
        if ours:
            away = [hit.away for hit in ours]
            killed = sum(hit.processes for hit in ours)
            lines.append(
                f"  {LABELS[target]} {target} {len(ours)} 次（{killed} 个进程）：恢复 back after "
                f"p50 {percentile(away, 0.5):.1f}，最久 {max(away):.1f} 秒"
            )
    return lines


def _when(siege: Siege, lost: Sequence[str]) -> str:
    """When the lost ones were first sent, so that the outage they fell into can be seen."""
    missing = set(lost)
    moments = [s.deliveries[0].began - siege.load.began for s in siege.load.log if s.openid in missing]
    return f"（第 {min(moments):.1f} 到 {max(moments):.1f} 秒发出）" if moments else ""


def _unheard(log: Sequence[Sent], lost: Sequence[str]) -> int:
    missing = set(lost)
    ours = [sent for sent in log if sent.openid in missing]
    return sum(all(done.trouble in UNHEARD for done in sent.deliveries) for sent in ours)


def _fates(log: Sequence[Sent], lost: Sequence[str]) -> list[str]:
    """What each of the three deliveries of the lost ones met."""
    missing = set(lost)
    fates = Counter(" → ".join(done.trouble for done in s.deliveries) for s in log if s.openid in missing)
    return [f"    {count} × {fate}" for fate, count in fates.most_common(8)]


if __name__ == "__main__":
    sys.exit(main())
