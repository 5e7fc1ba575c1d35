"""The simulation against services that do wrong, and a whole run of it against the real one."""

import asyncio
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import httpx
import pytest
import uvicorn

from app.base.db import Database
from app.base.secrets import Vault
from app.cli import main
from app.cli.serve import UVICORN
from app.demo import refusals, simulate
from app.demo.books import Books, Key
from app.demo.cast import Account, Responsible
from app.demo.county import DemoCounty
from app.demo.installation import announce
from app.demo.office import Astray, Office
from app.demo.simulate import Orders
from app.demo.tree import Tree
from app.demo.wechat_push import WeChat
from app.demo.world import World
from app.domain.errors import Busy
from app.domain.vocabulary import Attribution, Role, Score
from app.files.disk import DiskStore
from app.main import create_app
from app.wechat import messages
from tests.demo.played import COUNTY, NOON, VILLAGE, a_cast, completed, entry, user


async def test_a_repeated_message_with_another_answer_is_noticed() -> None:
    numbers = iter(("1234567893", "2345678909"))

    def answer(request: httpx.Request) -> httpx.Response:
        pushed = messages.read(request.content)
        reply = messages.text_reply(pushed, f"编号：{next(numbers)}", pushed.create_time)
        return httpx.Response(200, content=reply.encode())

    async with office(answer) as desk:
        with pytest.raises(Astray, match="重复送达，回答不一样"):
            await WeChat(desk, Random(1)).say(desk_account(), "o1", "路灯不亮", copies=2)


@pytest.mark.parametrize("status", [400, 500])
async def test_a_webhook_that_answers_an_error_is_noticed(status: int) -> None:
    async with office(lambda request: httpx.Response(status)) as desk:
        with pytest.raises(Astray, match=f"应答 200，实际 {status}"):
            await WeChat(desk, Random(1)).say(desk_account(), "o1", "路灯不亮")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, json={"number": "1234567893"}), "应被拒绝（403），实际 200"),
        (httpx.Response(403, json={"detail": "不行"}), "没有用 problem\\+json"),
    ],
)
async def test_what_should_be_refused_and_is_not_properly_is_noticed(answer: httpx.Response, said: str) -> None:
    async with office(lambda request: answer) as desk:
        with pytest.raises(Astray, match=said):
            await refusals.refused(a_world(desk), "越权受理", 403, None, "POST", "/api/v1/tickets/1234567893/accept")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"status": "received"}, "状态应为 completed，实际 received"),
        ({"completed_at": None}, "办结时间应为 有，实际 无"),
        ({"rating": None}, "评价应为 like，实际 None"),
        ({"division": {"code": "430121002"}}, f"地点应为 {VILLAGE}，实际 430121002"),
        ({"responsible": {"division_code": None, "unit_code": "430121002S01", "person": None}}, "管不到地点"),
    ],
)
async def test_a_ticket_that_is_not_as_it_was_left_is_noticed(wrong: dict[str, object], said: str) -> None:
    left = completed(entry(VILLAGE, Responsible(VILLAGE, None)))
    left.score = Score.LIKE
    async with office(lambda request: httpx.Response(500)) as desk:
        world = a_world(desk)
        world.take(left, ticket())
        with pytest.raises(Astray, match=said):
            world.take(left, ticket() | wrong)


def ticket() -> dict[str, object]:
    at = NOON.isoformat()
    return {
        "status": "completed",
        "channel": "group",
        "kind": "problem",
        "cycle": 1,
        "version": 5,
        "confidential": False,
        "rating": {"score": "like"},
        "category": None,
        "division": {"code": VILLAGE},
        "responsible": {"division_code": VILLAGE, "unit_code": None, "person": None},
        **dict.fromkeys(("received_at", "accepted_at", "first_replied_at", "completed_at", "due_at"), at),
    }


@asynccontextmanager
async def office(answer: Callable[[httpx.Request], httpx.Response]) -> AsyncIterator[Office]:
    """An office that talks to a service of one answer."""
    async with httpx.AsyncClient(base_url="http://service", transport=httpx.MockTransport(answer)) as client:
        yield Office(client, a_cast())


def a_world(desk: Office) -> World:
    cast = a_cast()
    return World(desk, WeChat(desk, Random(1)), cast, Tree(COUNTY, {}, (), {}), Books(cast), NOON, None, "salt")


def desk_account() -> Account:
    return a_cast().accounts[0]


@pytest.fixture
async def address(database: Database, vault: Vault) -> AsyncIterator[str]:
    async with served(database, vault) as url:
        yield url


@asynccontextmanager
async def served(database: Database, vault: Vault) -> AsyncIterator[str]:
    """The service over the tests' database, on a port of its own. Its database outlives it."""
    kept = tempfile.TemporaryDirectory()
    app = create_app(database, vault, demo=True, store=DiskStore(Path(kept.name)))
    server = _Server(uvicorn.Config(app, port=0, lifespan="off", **UVICORN))
    running = asyncio.create_task(server.serve())
    await server.answers.wait()
    try:
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await running
        kept.cleanup()


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()


async def test_the_service_agrees_with_the_books_of_a_run_and_a_tampered_entry_is_named(
    address: str, demo: DemoCounty, tmp_path: Path
) -> None:
    announce(tmp_path, demo, address)
    played = await simulate.play(simulate.read_cast(tmp_path, None), Orders(40, seed=11, hours=6))
    assert played.faults() == []
    assert (played.tally["by_group"], played.tally["by_wechat"]) == (38, 2)
    county = played.expected()[Key(Attribution.TERRITORIAL, "county", COUNTY)]
    assert county.received == 40
    assert county.completed >= 30
    assert county.likes >= 15
    assert sum(played.refused.values()) >= 10

    liked = next(one for one in played.books.entries if one.score is Score.LIKE and not one.confidential)
    liked.score = Score.DISLIKE
    named = " ".join(played.faults())
    assert f"（{liked.place[:9]}）的“点赞”：账上增" in named
    assert f"（{COUNTY}）的“踩”：账上增" in named


async def test_the_command_fails_where_somebody_else_has_a_hand_in_it(
    address: str, demo: DemoCounty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    announce(tmp_path, demo, address)
    environment(monkeypatch, tmp_path)
    commanded = asyncio.create_task(asyncio.to_thread(run, "--tickets", "8", "--seed", "5", "--json"))
    await intrude(address, demo)
    assert await commanded == 1
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert said["tickets"] == 8
    assert f"属地 长沙县（{COUNTY}）的“收到”：账上增 8，服务增 9" in err
    assert said["differences"] == [line for line in err.splitlines() if "账上增" in line]


def test_without_a_service_the_command_says_so_in_one_sentence(
    demo: DemoCounty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    announce(tmp_path, demo, "http://127.0.0.1:9")
    environment(monkeypatch, tmp_path)
    assert run("--seed", "7") == 1
    seed, *sentence = capsys.readouterr().err.splitlines()
    assert "种子 7" in seed
    assert len(sentence) == 1
    assert "连不上服务 http://127.0.0.1:9" in sentence[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(401, json={"detail": "用户名或密码不对"}), "（401）：demo.json 与服务对不上"),
        (httpx.Response(429, json={"detail": "尝试次数太多，请 42 秒后再试"}), "（429）：尝试次数太多，请 42 秒后再试"),
        (httpx.Response(502, text="Bad gateway"), "（502）：服务没有说明原因"),
    ],
)
async def test_why_somebody_can_not_sign_in_is_told(answer: httpx.Response, said: str) -> None:
    async with office(lambda request: answer) as desk:
        with pytest.raises(Busy) as refused:
            await desk.get(user("admin-430121", Role.ADMINISTRATOR, COUNTY), "/api/v1/rates")
    assert f"admin-430121 登录不了{said}" in refused.value.detail


def environment(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    monkeypatch.chdir(data_dir)
    monkeypatch.setenv("O2O_DATA_DIR", str(data_dir))
    monkeypatch.setenv("O2O_ENV", "demo")


def run(*args: str) -> int:
    """The command's exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *args])
    assert isinstance(ended.value.code, int)
    return ended.value.code


async def intrude(address: str, demo: DemoCounty) -> None:
    """Records a ticket that is in no books, as soon as the first that is has been recorded."""
    passwords = {user.username: user.password for user in demo.users}
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        sign_in = {"username": "admin-430121", "password": passwords["admin-430121"]}
        token = (await client.post("/api/v1/sessions", json=sign_in)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        while not (await client.get("/api/v1/tickets")).json()["items"]:  # noqa: ASYNC110 - nobody here sets an event
            await asyncio.sleep(0.05)
        body = {"channel": "phone", "description": "路灯不亮"}
        assert (await client.post("/api/v1/tickets", json=body)).status_code == 201
