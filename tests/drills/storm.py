"""1,000 messages of 1,000 citizens over all accounts, each delivered three times at once by 20 connections.

Exactly 1,000 tickets must come of it, every citizen told the number, all three answers alike, every text as sent.
`python -m tests.drills.storm --help`
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time

import httpx

from app.domain.numbers import sound
from app.domain.vocabulary import AccountMode
from tests.drills import county
from tests.drills.checker import Beside, Findings, check
from tests.drills.county import Demo
from tests.drills.wechat import TRIES, Delivery, Sent, deliver, openids, percentile, write

PATIENCE = 60.0
"""Seconds: 20 at a time without pause is no citizen's rush, so slowness is measured here, not punished."""

# What breaks XML, trims, escapes and encodings, put behind or before the matter.
ODDITIES = (
    "", "]]>", " <b>&amp;</b> \"'", "\n第二行\n\n第四行\n", "  　", "\t", "👨‍👩‍👧‍👦🇨🇳😀", "𠮷㮾", "/::)", "[微笑]",
    "<![CDATA[x", "%00 %s {0} ${HOME} \\n \\u0000", "'; DROP TABLE ticket; --", "é\u0301\u200b\ufeff", "&#0;&lt;",
)  # fmt: skip
LONGEST = 9_000
"""Characters of the longest real message (README of the data)."""


@dataclass(frozen=True, slots=True)
class Stormed:
    """`seconds` from the first delivery to the last answer; `own`, `theirs`: CPU of client and service."""

    log: tuple[Sent, ...]
    seconds: float
    own: float
    theirs: float


def main() -> int:
    return county.conclude(_drill(_options()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000, help="default 1000; one citizen each")
    parser.add_argument("--connections", type=int, default=20, help="default 20")
    parser.add_argument("--seed", type=int, default=1, help="of texts and order (default 1)")
    parser.add_argument("--port", type=int, help="default: the first free one from 8210 on")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    return parser.parse_args()


async def _drill(options: argparse.Namespace) -> tuple[str, Sequence[str]]:
    async with county.running("storm", options.port, keep=options.keep) as demo:
        stormed = await _storm(demo, options)
        findings = await check(demo.database_url(), stormed.log, demo.logs(), (), Beside(data_dir=demo.data_dir))
    return _result(stormed, findings, options), _faults(stormed.log, findings)


async def _storm(demo: Demo, options: argparse.Namespace) -> Stormed:
    rng = random.Random(options.seed)
    accounts = demo.cast().accounts
    names = openids(county.salt())
    texts = _texts(rng, options.messages)
    log = tuple(write(accounts[n % len(accounts)], next(names), text) for n, text in enumerate(texts))
    waiting = iter([sent for sent in log for _ in range(TRIES)])
    async with county.connections(demo, options.connections, PATIENCE) as client:
        with county.bar("投递 deliveries", len(log) * TRIES) as done:
            began, cpu, theirs = perf_counter(), process_time(), demo.cpu()
            await asyncio.gather(*(_sender(client, waiting, done) for _ in range(options.connections)))
            seconds = perf_counter() - began
            return Stormed(log, seconds, process_time() - cpu, demo.cpu() - theirs)


async def _sender(client: httpx.AsyncClient, waiting: Iterator[Sent], done: county.Bar) -> None:
    """One connection: the next delivery as soon as the last is answered, so the three of a message run side by side."""
    for sent in waiting:
        await deliver(client, sent, PATIENCE)
        done()


def _texts(rng: random.Random, count: int) -> Iterator[str]:
    """Matters that nobody else has sent, each with an oddity; now and then as long as the longest real one."""
    places = ("星沙街道", "泉塘街道泉星社区", "榔梨街道", "黄兴镇", "果园镇", "江背镇", "")
    things = ("路灯不亮", "下水道堵了", "楼下夜宵摊太吵", "想问医保怎么交", "工地渣土乱倒", "希望修一条人行道")
    for number in range(count):
        oddity = ODDITIES[number % len(ODDITIES)]
        text = f"{rng.choice(places)}第{number}栋{rng.choice(things)}，请派人看看"
        if number % 250 == 249:
            text += "。" + "情况是这样的，" * (LONGEST // 7)
            text = text[: LONGEST - len(oddity)]
        yield oddity + text if rng.random() < 0.2 else text + oddity


def _faults(log: Sequence[Sent], findings: Findings) -> list[str]:
    faults = [str(violation) for violation in findings.violations]
    troubles = Counter(done.trouble for sent in log for done in sent.deliveries if done.answer is None)
    faults += [f"✗ not answered, {trouble}: {count}" for trouble, count in troubles.items()]
    wrong = [sent.openid for sent in log if sent.answers and not sound(sent.number or "")]
    if wrong:
        faults.append(f"✗ answered without a sound number: {len(wrong)}, e.g. {wrong[:3]}")
    if findings.tickets != len(log):
        faults.append(f"✗ tickets: {findings.tickets}, not {len(log)}")
    if findings.lost:
        faults.append(f"✗ lost: {len(findings.lost)}, e.g. {findings.lost[:3]}")
    if findings.kept:
        faults.append(f"✗ kept instead of filed: {len(findings.kept)}, e.g. {findings.kept[:3]}")
    return faults


def _result(stormed: Stormed, findings: Findings, options: argparse.Namespace) -> str:
    log, seconds = stormed.log, stormed.seconds
    deliveries: list[Delivery] = [done for sent in log for done in sent.deliveries]
    took = [done.seconds for done in deliveries]
    told = sum(sent.number is not None for sent in log)
    modes = Counter(sent.account.keys.mode for sent in log)
    appids = len({sent.account.keys.appid for sent in log})
    mixed = "，".join(f"{mode.label} {modes[mode]}" for mode in AccountMode)
    return "\n".join(
        [
            f"消息风暴 storm：{len(log)} 条消息 × {TRIES} 次投递，{options.connections} 个连接，{appids} 个公众号"
            f"（{mixed}），种子 {options.seed}",
            f"  工单 tickets {findings.tickets}，告知编号 told {told}，正文最长 {max(len(s.text) for s in log)} 字",
            f"  {seconds:.1f} 秒：{len(log) / seconds:.0f} 条消息/秒，{len(deliveries) / seconds:.0f} 次投递/秒；"
            f"每次投递 p50 {_ms(took, 0.5)}，p99 {_ms(took, 0.99)}，最慢 worst {max(took) * 1000:.0f} ms",
            f"  CPU：服务 service {stormed.theirs:.1f} 秒，客户端 client {stormed.own:.1f} 秒（同一台机器；"
            "封闭循环，延迟含排队）",
            findings.told(),
        ]
    )


def _ms(values: Sequence[float], share: float) -> str:
    return f"{percentile(values, share) * 1000:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
