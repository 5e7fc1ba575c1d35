"""A real Chromium before the real application, which listens on a port of its own."""

import asyncio
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, async_playwright

from app.base.db import Database
from app.base.secrets import Vault
from app.domain.policy import Actor
from app.main import create_app
from tests.pages.county_life import County, county_of

PACKAGES = ("chromium", "fontconfig", "fonts-noto-cjk")
FLAGS = ("--disable-background-networking", "--disable-component-update", "--no-first-run")


class _Server(uvicorn.Server):
    """Says when it answers, and leaves Ctrl-C to pytest."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium, with Chinese letters to write in; installed where that is allowed."""
    if not _equipped():
        _install()
    if not _equipped():
        reason = f"没有浏览器或中文字体，请先安装：apt-get install {' '.join(PACKAGES)}"
        # A green CI that has looked at nothing would be a lie; a developer without a browser may go on.
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return str(shutil.which("chromium"))


def _equipped() -> bool:
    if shutil.which("chromium") is None or shutil.which("fc-list") is None:
        return False
    found = subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, check=False)
    return b"CJK" in found.stdout


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Two workers must not run apt at once: the second finds everything there.
    with (Path(tempfile.gettempdir()) / "o2o-tests-apt.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if _equipped():
            return
        for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
            subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, timeout=600, check=False)


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield found
        await found.close()


@pytest.fixture
async def address(database: Database, vault: Vault) -> AsyncIterator[str]:
    """Where the application answers. Its lifespan is off: the database is the tests'."""
    app = create_app(database, vault, demo=True)
    server = _Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    await server.answers.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.fixture
async def county(database: Database, actor: Callable[[str], Awaitable[Actor]]) -> County:
    return await county_of(database, await actor("admin-430121"))
