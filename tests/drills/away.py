"""The database is away while citizens write: PostgreSQL stands still, then it is stopped, each for half of the time.

WeChat's timing is kept (three deliveries, 5 seconds each, 5 apart, then never again). None may be lost, none doubled,
and every number must be told, by the answer or with the citizen's next message. `python -m tests.drills.away --help`
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

from app.base.spool import Waiting, waiting
from tests.drills import county
from tests.drills.checker import Beside, Findings, check
from tests.drills.county import Demo
from tests.drills.load import a_text
from tests.drills.wechat import TRIES, Sent, ask_for_numbers, deliver_as_wechat_does, openids, percentile, write

CALM = 4.0
"""Seconds of ordinary life before, between and after the two outages."""


@dataclass(slots=True)
class Outage:
    """`fullest`: how many messages waited in the spool at most; `drained`: seconds from the end until none did."""

    what: str
    began: float
    seconds: float = 0.0
    fullest: int = 0
    drained: float = 0.0


@dataclass(slots=True)
class Drill:
    demo: Demo
    rng: random.Random
    began: float
    log: list[Sent] = field(default_factory=list)
    again: list[Sent] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)


def main() -> int:
    return county.conclude(_drill(_options()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5, help="both outages together (default 5)")
    parser.add_argument("--citizens", type=int, default=1_000, help="default 1000; one message each")
    parser.add_argument("--seed", type=int, default=1, help="of the texts (default 1)")
    parser.add_argument("--port", type=int, help="default: the first free one from 8210 on")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    return parser.parse_args()


async def _drill(options: argparse.Namespace) -> tuple[str, Sequence[str]]:
    async with county.running("away", options.port, keep=options.keep) as demo:
        drill = Drill(demo, random.Random(options.seed), perf_counter())
        # Before it goes: the address is read from files, but the account that is played from demo.json too.
        url = demo.database_url()
        with county.bar("消息 messages", options.citizens) as done:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pour(drill, options, done))
                both.create_task(_strike(drill, options.minutes * 30))
        async with county.connections(demo, None, 10) as client:
            drill.again += await ask_for_numbers(client, drill.log)
        findings = await check(url, drill.log, demo.logs(), drill.again, Beside(data_dir=demo.data_dir))
        left = waiting(demo.data_dir)
    return _result(drill, findings, options), _faults(drill, findings, left)


async def _pour(drill: Drill, options: argparse.Namespace, done: county.Bar) -> None:
    """Every citizen's message at its moment, evenly over the whole drill, whatever becomes of the others."""
    seconds = options.minutes * 60 + 3 * CALM
    accounts, names = itertools.cycle(drill.demo.cast().accounts), openids(county.salt())
    async with county.connections(drill.demo, None, 10) as client, asyncio.TaskGroup() as deliveries:
        for number in range(options.citizens):
            await asyncio.sleep(drill.began + number * seconds / options.citizens - perf_counter())
            sent = write(next(accounts), next(names), a_text(drill.rng, number))
            drill.log.append(sent)
            deliveries.create_task(deliver_as_wechat_does(client, sent))
            done()


async def _strike(drill: Drill, half: float) -> None:
    await asyncio.sleep(CALM)
    for what, hit in (("SIGSTOP", drill.demo.frozen_postgres), ("停库 stopped", drill.demo.stopped_postgres)):
        outage = Outage(what, perf_counter() - drill.began)
        drill.outages.append(outage)
        with hit():
            while perf_counter() - drill.began < outage.began + half:
                await asyncio.sleep(0.5)
                outage.fullest = max(outage.fullest, waiting(drill.demo.data_dir).count)
        outage.seconds = perf_counter() - drill.began - outage.began
        outage.drained = await county.drained(drill.demo)
        await asyncio.sleep(CALM)


def _faults(drill: Drill, findings: Findings, left: Waiting) -> list[str]:
    faults = [str(violation) for violation in findings.violations]
    silent = [sent.openid for sent in drill.log if not sent.answers]
    untold = [sent.openid for sent in drill.log if sent.number is None]
    for what, found in (("never answered", silent), ("lost", findings.lost), ("number never told", untold)):
        if found:
            faults.append(f"✗ {what}: {len(found)}, e.g. {list(found[:3])}")
    if findings.kept:
        faults.append(f"✗ kept instead of filed: {len(findings.kept)}, e.g. {findings.kept[:3]}")
    if left.count or left.bad:
        faults.append(f"✗ left in the spool: {left.count}, set aside {left.bad}")
    if not drill.log:
        faults.append("✗ no message was sent")
    return faults


def _result(drill: Drill, findings: Findings, options: argparse.Namespace) -> str:
    log = drill.log
    tries = Counter(len(sent.deliveries) for sent in log if sent.answers)
    took = [done.seconds for sent in log for done in sent.deliveries if done.answer is not None]
    by_answer = sum(sent.number is not None and sent.later is None for sent in log)
    later = sum(sent.later is not None for sent in log)
    troubles = Counter(done.trouble for sent in log for done in sent.deliveries if done.trouble)
    spread = "，".join(f"第 {n} 次投递 {tries[n]}" for n in range(1, TRIES + 1))
    return "\n".join(
        [
            f"数据库离线 away：{options.minutes:g} 分钟，{len(log)} 位群众各发一条，种子 {options.seed}",
            *(
                f"  第 {one.began:5.1f} 秒起 {one.what} {one.seconds:.1f} 秒，最多暂存 spooled {one.fullest}，"
                f"恢复后 {one.drained:.1f} 秒办完"
                for one in drill.outages
            ),
            f"  答复 answered {sum(tries.values())}（{spread}），"
            f"p50 {percentile(took, 0.5):.2f}，p99 {percentile(took, 0.99):.2f}，最慢 {max(took, default=0):.2f} 秒",
            f"  编号 told：当场 {by_answer}，随下一条消息 {later}；工单 tickets {findings.tickets}",
            f"  丢失 lost {len(findings.lost)}，留待人工 kept {len(findings.kept)}；未答的投递 unanswered deliveries："
            + ("，".join(f"{what} {count}" for what, count in troubles.most_common()) or "无"),
            findings.told(),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
