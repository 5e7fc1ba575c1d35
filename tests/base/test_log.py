import json
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from app.base import log
from app.domain.vocabulary import Status

OPENID = "oABCdefghij_KLMNOPQR-stuv012"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    own = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "uvicorn.access")]
    before = root.handlers, root.level, [(logger.handlers, logger.propagate) for logger in own]
    yield
    root.handlers, root.level = before[0], before[1]
    for logger, (handlers, propagate) in zip(own, before[2], strict=True):
        logger.handlers, logger.propagate = handlers, propagate
    logging.captureWarnings(False)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The lines since the last call, parsed; logging is set up as in production."""
    log.configure(json=True, level="info", key=b"of the tests")
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@dataclass(frozen=True)
class Person:
    name: str


def test_a_line_has_event_level_logger_and_machine_time(lines: Lines) -> None:
    log.get("app.tickets").info("ticket opened", number="2945386333", status=Status.RECEIVED, tries=2)
    (line,) = lines()
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo == UTC
    assert line == {
        "event": "ticket opened",
        "level": "info",
        "logger": "app.tickets",
        "number": "2945386333",
        "status": "received",
        "tries": 2,
    }


def test_request_and_job_ids_come_from_the_context(lines: Lines) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-1")
    log.get("app").info("from us")
    logging.getLogger("asyncpg").warning("from the library")
    assert [line["request_id"] for line in lines()] == ["r-1", "r-1"]


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("phone", "13812341234", "138****1234"),
        ("name", "欧阳修", "欧**"),
        ("citizen_name", "张三", "张**"),
        ("description", "路灯坏了", "（4 字）"),
        ("text", "路灯坏了", "（4 字）"),
        ("content", "路灯坏了", "（4 字）"),
        ("token", "t0ken", "***"),
        ("access_token", "t0ken", "***"),
        ("Secret", "s", "***"),
        ("password", "p", "***"),
        ("authorization", "Bearer abc", "***"),
        ("code", "021abc", "***"),
        ("encoding_aes_key", "k", "***"),
        ("phone", None, None),
        ("note", "找13812341234", "找138****1234"),
        ("note", 13812341234, "138****1234"),
        ("note", b"raw", "（3 字节）"),
        ("note", Person("张三"), "<Person>"),
        ("note", ValueError("没有“张三”"), "ValueError: 没有…"),
        (
            "note",
            ["张13812341234", {"phone": "13812341234", 13812341234: 1}],
            ["张138****1234", {"phone": "138****1234", "138****1234": 1}],
        ),
        ("note", {"citizen": {"name": "张三"}}, {"citizen": {"name": "张**"}}),
        ("url", "https://host/path?access_token=abc&x=1", "https://host/path?…"),
        ("note", "grant code=021abc, secret: s3cret", "grant code=***, secret: ***"),
        ("note", '{"password": "p w", "x": 1}', '{"password": ***, "x": 1}'),
        ("note", "Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"),
        ("note", f"to {OPENID}!", "to <openid>!"),
        ("errcode", 40001, 40001),
        ("division_code", "430121001001", "430121001001"),
    ],
)
def test_people_and_secrets_are_masked_by_key_and_by_form(lines: Lines, key: str, value: object, shown: object) -> None:
    log.get("app").info("event", **{key: value})
    assert lines()[0][key] == shown


def test_an_openid_is_a_keyed_hash_that_tells_two_people_apart(lines: Lines) -> None:
    for openid in (OPENID, OPENID, OPENID + "x"):
        log.get("app").info("event", openid=openid)
    first, again, another = (line["openid"] for line in lines())
    assert (len(first), first) == (8, again)
    assert first != another


def test_without_the_key_an_openid_has_another_hash(lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    log.get("app").info("event", openid=OPENID)
    log.configure(json=True, key=b"another")
    log.get("app").info("event", openid=OPENID)
    first, second = lines()
    assert first["openid"] != second["openid"]


def test_uvicorns_lines_go_the_same_way_and_lose_their_query(lines: Lines) -> None:
    form = '%s - "%s %s HTTP/%s" %d'
    path = f"/wechat/wx1?signature=5ig&openid={OPENID}&phone=13812341234"
    logging.getLogger("uvicorn.access").info(form, "127.0.0.1:1", "POST", path, "1.1", 200)
    (line,) = lines()
    assert line["event"] == '127.0.0.1:1 - "POST /wechat/wx1?… HTTP/1.1" 200'
    assert (line["logger"], line["level"]) == ("uvicorn.access", "info")


def test_handlers_of_uvicorns_own_are_taken_away(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler())
    logging.getLogger("uvicorn").propagate = False
    log.configure(json=True)
    logging.getLogger("uvicorn").info("started")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "started"


def test_arguments_of_the_standard_library_are_masked(lines: Lines) -> None:
    logging.getLogger("httpx").info("GET %s", "https://api/token?grant_type=x&secret=s3cret")
    logging.getLogger("x").warning("call %s", "13812341234")
    assert [line["event"] for line in lines()] == ["GET https://api/token?…", "call 138****1234"]


def test_a_traceback_keeps_its_frames_and_loses_the_input_it_quotes(lines: Lines) -> None:
    message = "\n".join(
        (
            "duplicate key '张三'",
            "DETAIL:  Key (name, phone)=(李四, 13812341234) already exists.",
            "[SQL: INSERT INTO citizens (name) VALUES ($1)]",
            "[parameters: ('王五', 'secret words')]",
            "input_value={'name': 'Zhao Liu'}, input_type=dict]",
        )
    )
    try:
        raise RuntimeError(message)
    except RuntimeError:
        log.get("app").exception("failed")
        logging.getLogger("asyncio").exception("task failed")
    for line in lines():
        assert "test_a_traceback_keeps_its_frames" in line["exception"]
        assert "RuntimeError: duplicate key" in line["exception"]
        assert "INSERT INTO citizens" in line["exception"]
        everything = json.dumps(line, ensure_ascii=False)
        assert [
            who for who in ("张三", "李四", "王五", "secret words", "Zhao Liu", "13812341234") if who in everything
        ] == []


def test_warnings_become_lines(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        log.configure(json=True)
        warnings.warn("old call by 13812341234", stacklevel=1)
    (line,) = lines()
    assert line["logger"] == "py.warnings"
    assert "old call by 138****1234" in line["event"]


def test_lines_below_the_level_are_left_out(lines: Lines) -> None:
    log.configure(json=True, level="warning")
    log.get("app").info("quiet")
    logging.getLogger("x").info("quiet")
    log.get("app").warning("loud")
    assert [line["event"] for line in lines()] == ["loud"]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        log.configure(json=True, level="loud")


def test_in_a_terminal_lines_are_readable_and_masked_alike(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json=False)
    try:
        raise KeyError("张三")
    except KeyError:
        log.get("app").exception("failed", name="李四", phone="13812341234")
    shown = capsys.readouterr().err
    assert "failed" in shown
    assert "name=李**" in shown
    assert "phone=138****1234" in shown
    assert "Traceback" in shown
    assert [who for who in ("张三", "李四", "13812341234") if who in shown] == []


def test_a_line_that_cannot_be_rendered_is_named_but_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json=True)
    logging.getLogger("x").warning("call %d", "李四 13812341234")
    shown = capsys.readouterr().err
    assert shown.startswith("log line lost: x, test_log.py:")
    assert "李四" not in shown
    assert "13812341234" not in shown
