"""What the machine and the database say in English is said in Chinese."""

import asyncio
import errno
import os
import re
import socket
from pathlib import Path

import pytest

from app.base.clock import Clock
from app.base.db import Database, place_of
from app.base.running.readiness import require
from app.base.running.reasons import of_file, why
from app.domain.errors import Busy


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EACCES, "Permission denied"), "没有权限"),
        (OSError(errno.EROFS, "Read-only file system"), "这个文件系统只能读"),
        (OSError(errno.EISDIR, "Is a directory"), "它是文件夹"),
        (OSError(errno.ENOSPC, "No space left on device"), "磁盘满了"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "找不到这个主机名"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1)"), "对方没有在监听"),
        (TimeoutError(), "等不到回应"),
        (OSError(errno.ESPIPE, "Illegal seek"), "系统错误 ESPIPE"),
        (ValueError("张三 14200000001"), "ValueError"),
    ],
)
def test_the_reason_is_a_few_chinese_words_and_quotes_nothing(error: Exception, said: str) -> None:
    assert why(error) == said


def test_every_reason_we_know_is_chinese() -> None:
    for number in range(1, 134):
        said = why(OSError(number, os.strerror(number)))
        assert re.search("[\u4e00-\u9fff]", said)
        assert os.strerror(number) not in said


def test_a_file_that_may_not_be_read_is_named_with_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "postgres.json"
    path.touch()
    said = of_file(PermissionError(errno.EACCES, "Permission denied", str(path)))
    assert said.startswith(f"{path} 不能读写：没有权限（{path} 属于用户 {path.owner()}）")
    assert "请换用" in said
    gone = tmp_path / "none"
    assert f"{tmp_path} 属于用户" in of_file(PermissionError(errno.EACCES, "", str(gone)))
    assert of_file(OSError(errno.EROFS, "", str(path))) == f"{path} 不能读写：这个文件系统只能读"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace(":1/", "/"), "找不到这个主机名"),
        (lambda url: url.replace("nosuchhost.invalid", "127.0.0.1"), "对方没有在监听"),
    ],
    ids=["no such host", "nobody there"],
)
def test_a_database_that_can_not_be_reached(change: "object", said: str) -> None:
    assert callable(change)
    database = Database(change("postgresql://o2o:hidden@nosuchhost.invalid:1/o2o"), Clock())
    with pytest.raises(Busy) as refused:
        asyncio.run(require(database.engine))
    assert refused.value.detail == f"连不上数据库：{said}"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://minsheng:secret@db/minsheng", "db:5432/minsheng"),
        ("postgresql+asyncpg://other@db:5433/minsheng", "db:5433/minsheng"),
        ("postgresql://minsheng@/minsheng?host=/var/run/postgresql", "/var/run/postgresql:5432/minsheng"),
        ("postgresql://a@127.0.0.1/x", "localhost:5432/x"),
        ("postgresql://a@localhost/x", "localhost:5432/x"),
    ],
)
def test_a_database_is_the_same_whoever_asks_for_it(url: str, place: str) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize("url", ["postgresql://db:port/x", "no url"])
def test_what_is_no_url_names_no_database(url: str) -> None:
    with pytest.raises(ValueError):
        place_of(url)
