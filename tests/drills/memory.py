"""Memory of service and worker under a steady load: messages, staff at work, pages and lists read, a bulletin taken.

Each is a process of its own. The bars are of quality.md, 2: at no moment more than 150 MB resident for the service and
120 MB for the worker (MB: 10^6 bytes, VmRSS of /proc/PID/status). `python -m tests.drills.memory --help`
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import httpx

from app.base.clock import machine
from app.demo.office import Office
from app.domain.vocabulary import SHANGHAI, Role
from tests.drills import county
from tests.drills.county import Demo, DrillError
from tests.drills.load import Load

SERVICE_MB, WORKER_MB = 150.0, 120.0
SAMPLES = 12
"""Lines of the table; it is looked at far more often."""
LOOK_SECONDS = 1.0
READ_SECONDS = 0.5
"""Between two requests of whoever reads."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`minute` since the load began; MB resident now; `messages` sent until then."""

    minute: float
    service: float
    worker: float
    messages: int


@dataclass(frozen=True, slots=True)
class Watched:
    """`looks`: all samples; `most`: MB of service and worker at their most, by the kernel (VmHWM)."""

    looks: Sequence[Sample]
    most: tuple[float, float]
    load: Load
    reads: int


def main() -> int:
    return county.conclude(_drill(_options()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60, help="default 60")
    parser.add_argument("--rate", type=float, default=10, help="new messages a second (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="of the texts (default 1)")
    parser.add_argument("--port", type=int, help="default: the first free one from 8210 on")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    return parser.parse_args()


async def _drill(options: argparse.Namespace) -> tuple[str, Sequence[str]]:
    async with county.running("memory", options.port, keep=options.keep, apart=True) as demo:
        demo.bulletin()
        watched = await _watched(demo, options)
    return _result(watched, options), _faults(watched)


async def _watched(demo: Demo, options: argparse.Namespace) -> Watched:
    load, looks = Load(demo, random.Random(options.seed), options.rate), list[Sample]()
    step = options.minutes / SAMPLES
    with county.bar("分钟 minutes", SAMPLES) as done:
        async with asyncio.TaskGroup() as all_at_once:
            all_at_once.create_task(load.pour())
            all_at_once.create_task(load.work())
            reader = all_at_once.create_task(_read(load))
            while (minute := (perf_counter() - load.began) / 60) < options.minutes:
                looks.append(_look(load, minute))
                if len(looks) > 1 and minute // step > looks[-2].minute // step:
                    done()
                await asyncio.sleep(LOOK_SECONDS)
            load.over = True
    looks.append(_look(load, (perf_counter() - load.began) / 60))
    return Watched(looks, (_programs(demo)[0][1], _programs(demo)[1][1]), load, reader.result())


def _look(load: Load, minute: float) -> Sample:
    service, worker = _programs(load.demo)
    return Sample(minute, service[0], worker[0], len(load.log))


def _programs(demo: Demo) -> tuple[tuple[float, float], tuple[float, float]]:
    if demo.worker is None:
        raise DrillError("there is no worker to be measured")
    return demo.service.resident(), demo.worker.resident()


async def _read(load: Load) -> int:
    """Citizens read the board, staff their lists and figures, now and then somebody takes the bulletin away."""
    cast = load.demo.cast()
    administrator = cast.at(Role.ADMINISTRATOR, cast.root)[0]
    reads = 0
    async with county.connections(load.demo, 4, 30) as client:
        office = Office(client, cast)
        issue = (await office.get(administrator, "/api/v1/reports"))["items"][0]["id"]
        pages = ("/", "/board", "/metrics")
        today = machine().astimezone(SHANGHAI).date()
        rates = f"/api/v1/rates?division={cast.root}&from={today.replace(day=1)}&to={today}"
        lists = ("/api/v1/tickets", rates, f"/api/v1/households?division={cast.root}")
        while not load.over:
            for path in pages:
                _insist(await client.get(path))
            for path in lists:
                await office.get(administrator, path)
            reads += len(pages) + len(lists)
            if reads % 60 == 0:
                await office.expect(200, administrator, "GET", f"/api/v1/reports/{issue}.xlsx")
            await asyncio.sleep(READ_SECONDS)
    return reads


def _insist(response: httpx.Response) -> None:
    if response.status_code != 200:
        raise DrillError(f"{response.request.url.path}: HTTP {response.status_code}")


def _faults(watched: Watched) -> list[str]:
    faults = list(watched.load.desk.faults) if watched.load.desk else []
    for name, bar, most in zip(("service", "worker"), (SERVICE_MB, WORKER_MB), watched.most, strict=True):
        if most > bar:
            faults.append(f"✗ {name}: {most:.1f} MB, and the bar is {bar:.0f}")
    silent = sum(not sent.answers for sent in watched.load.log)
    return faults + ([f"✗ messages never answered: {silent}"] if silent else [])


def _result(watched: Watched, options: argparse.Namespace) -> str:
    looks, load = watched.looks, watched.load
    shown = [looks[round(n * (len(looks) - 1) / SAMPLES)] for n in range(SAMPLES + 1)]
    completed = load.desk.completed if load.desk else 0
    lines = [
        f"内存 memory：{looks[-1].minute:.1f} 分钟，每秒 {options.rate:g} 条新消息（共 {len(load.log)}），"
        f"办结 {completed}，读取 reads {watched.reads}；MB = 10^6 字节，看了 {len(looks)} 次",
        "    分钟   服务 service   后台 worker   消息",
        *(f"  {s.minute:6.1f} {s.service:14.1f} {s.worker:13.1f} {s.messages:8d}" for s in shown),
        f"    最高 {watched.most[0]:14.1f} {watched.most[1]:13.1f}   （VmHWM；限 {SERVICE_MB:.0f} 和 {WORKER_MB:.0f}）",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
