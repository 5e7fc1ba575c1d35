"""kill -9 of the service, of PostgreSQL and of both, in turn, at random moments, while messages pour in.

Every answered message must be a ticket (or kept), none twice. PostgreSQL comes back by the service's own guard, the
service by this drill. Messages that WeChat gave up (each of its three tries fell into an outage) are counted and
listed apart: until there is a spool they are lost. `python -m tests.drills.kills --help`
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

import httpx

from app.demo import texts
from tests.drills import county
from tests.drills.checker import Findings, check
from tests.drills.county import Demo, DrillError
from tests.drills.wechat import TRIES, Sent, deliver_as_wechat_does, openids, percentile, write

TARGETS = ("service", "postgres", "both")
LABELS = {"service": "服务", "postgres": "PostgreSQL", "both": "服务和 PostgreSQL"}
CALM = (6.0, 14.0)
"""Seconds of ordinary life before a hit: at least, and at most. Less, and the three deliveries of a message may each
fall into another outage."""
AFTER = 2.0
"""Seconds of ordinary life after the last."""
BACK_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Hit:
    """`at`: seconds after the first message; `away`: until /readyz said ok again; `processes` that were killed."""

    target: str
    at: float
    away: float
    processes: int


@dataclass(slots=True)
class Siege:
    """One run. `over`: no hit is to come any more."""

    demo: Demo
    rng: random.Random
    rate: float
    began: float
    log: list[Sent] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    over: bool = False


def main() -> int:
    return county.conclude(_drill(_options()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hits", type=int, default=5, help="default 5: service, PostgreSQL, both, service, PostgreSQL")
    parser.add_argument("--rate", type=float, default=20, help="new messages a second (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of moments and texts (default 1)")
    parser.add_argument("--port", type=int, help="default: the first free one from 8210 on")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    return parser.parse_args()


async def _drill(options: argparse.Namespace) -> tuple[str, Sequence[str]]:
    async with county.running("kills", options.port, keep=options.keep) as demo:
        siege = Siege(demo, random.Random(options.seed), options.rate, perf_counter())
        with county.bar("击杀 hits", options.hits) as done:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pour(siege))
                both.create_task(_strike(siege, options.hits, done))
        findings = await check(demo.database_url(), siege.log, demo.logs())
    faults = [str(violation) for violation in findings.violations]
    if not siege.log:
        faults.append("✗ no message was sent")
    return _result(siege, findings, options), faults


async def _pour(siege: Siege) -> None:
    """Messages at a steady rate, whatever becomes of them; ends when all have their last word."""
    accounts = itertools.cycle(siege.demo.cast().accounts)
    names, words = openids(county.salt()), random.Random(f"{siege.rng.random()}")
    async with county.connections(siege.demo, None, 10) as client, asyncio.TaskGroup() as deliveries:
        for number in itertools.count():
            if siege.over:
                return
            await asyncio.sleep(siege.began + number / siege.rate - perf_counter())
            sent = write(next(accounts), next(names), _text(words, number))
            siege.log.append(sent)
            deliveries.create_task(deliver_as_wechat_does(client, sent))


def _text(words: random.Random, number: int) -> str:
    category = words.choice(sorted(texts.matters()))
    return f"{texts.matter(words, category, words.choice(('泉塘街道', '黄兴镇', '果园镇', '我们')))}（第{number}条）"


async def _strike(siege: Siege, hits: int, done: county.Bar) -> None:
    for number in range(hits):
        await asyncio.sleep(siege.rng.uniform(*CALM))
        siege.hits.append(await _hit(siege, TARGETS[number % len(TARGETS)]))
        done()
    await asyncio.sleep(AFTER)
    siege.over = True


async def _hit(siege: Siege, target: str) -> Hit:
    """Kills, brings the service back where it was hit, and waits until all answers again. Raises DrillError."""
    demo, struck, processes = siege.demo, perf_counter(), 0
    # The guard may be about to start a server: the postmaster is looked for first.
    if target in ("postgres", "both"):
        processes += demo.kill_postgres()
    if target in ("service", "both"):
        demo.kill_service()
        processes += 1
        await asyncio.to_thread(demo.launch)
        await demo.answers()
    else:
        await _ready(demo)
    return Hit(target, struck - siege.began, perf_counter() - struck, processes)


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


def _result(siege: Siege, findings: Findings, options: argparse.Namespace) -> str:
    log = siege.log
    answered = [sent for sent in log if sent.answers]
    tries = Counter(len(sent.deliveries) for sent in answered)
    waits = [sent.deliveries[-1].began + sent.deliveries[-1].seconds - sent.deliveries[0].began for sent in answered]
    troubles = Counter(done.trouble for sent in log for done in sent.deliveries if done.trouble)
    spread = "，".join(f"第 {n} 次投递答复 {tries[n]}" for n in range(1, TRIES + 1))
    lines = [
        f"击杀 kills：{len(siege.hits)} 次 kill -9，每秒 {options.rate:g} 条新消息，种子 {options.seed}",
        *(
            f"  第 {hit.at:5.1f} 秒 {LABELS[hit.target]}（{hit.processes} 个进程），{hit.away:.1f} 秒后恢复"
            for hit in siege.hits
        ),
        f"  消息 messages {len(log)}，答复 answered {len(answered)}（{spread}；"
        f"答复等待 p50 {percentile(waits, 0.5):.2f} 秒，最久 {max(waits, default=0):.1f} 秒）",
        f"  工单 tickets {findings.tickets}，其中没答上但已立案 filed, never told {len(findings.unsaid)}；"
        f"留待人工 kept {len(findings.kept)}",
        f"  微信三次投递都未获答复、库中没有（尚无暂存）given up and lost {len(findings.lost)}"
        + _when(siege, findings.lost),
        *_fates(siege, findings.lost),
        "  未答的投递 unanswered deliveries："
        + ("，".join(f"{what} {count}" for what, count in troubles.most_common()) or "无"),
    ]
    return "\n".join(lines)


def _when(siege: Siege, lost: Sequence[str]) -> str:
    """When the lost ones were first sent, so that the outage they fell into can be seen."""
    missing = set(lost)
    moments = [sent.deliveries[0].began - siege.began for sent in siege.log if sent.openid in missing]
    return f"：第 {min(moments):.1f} 到 {max(moments):.1f} 秒发出" if moments else ""


def _fates(siege: Siege, lost: Sequence[str]) -> list[str]:
    """What each of the three deliveries of the lost ones met."""
    missing = set(lost)
    fates = Counter(" → ".join(done.trouble for done in s.deliveries) for s in siege.log if s.openid in missing)
    return [f"    {count} × {fate}" for fate, count in fates.most_common(8)]


if __name__ == "__main__":
    sys.exit(main())
