"""A command line that is not understood, and settings that cannot be: one Chinese sentence, no box, no traceback."""

import json
import os
from pathlib import Path

import pytest

from app.cli import main
from app.settings import CENTURY

RATES = ("rates", "--division", "430121", "--from", "2025-03-01", "--to", "2025-03-31")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No settings but those a test makes."""
    for name in [name for name in os.environ if name.startswith("O2O_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(*args: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(args))
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (RATES[:3], "缺少参数 --from"),
        (("import",), "缺少参数 kind"),
        (("nope",), "没有“nope”这个命令"),
        (("db", "nope"), "没有“nope”这个命令"),
        ((*RATES, "--levle", "town"), "没有 --levle 这个选项"),
        (("rates", "--division"), "--division 后面要有值"),
        ((*RATES, "--json=3"), "--json 后面不要有值"),
        ((*RATES, "extra"), "没有“extra”这个命令"),
        (("db", "url", "extra"), "参数太多了"),
        (("serve", "--port", "http"), "--port 的值不对"),
        (("serve", "--port", "0"), "--port 的值不对"),
    ],
)
def test_a_command_line_that_is_not_understood_is_told_in_one_chinese_sentence(
    args: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*args) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith(f"{said}；用法见 ")
    assert err.endswith(" --help\n")


def test_help_is_printed_when_asked_for_and_when_nothing_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--help") == 0
    assert "为民服务" in capsys.readouterr().out
    assert ended() == 2
    assert "migrate" in "".join(capsys.readouterr())


@pytest.mark.parametrize("offset", ["nan", "inf", "1e15", "-4e9", "soon"])
def test_a_clock_offset_that_no_clock_can_have_is_named(
    offset: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("O2O_ENV", "demo")
    monkeypatch.setenv("O2O_CLOCK_OFFSET", offset)
    assert ended(*RATES) == 1
    assert capsys.readouterr().err.startswith("设置 O2O_CLOCK_OFFSET 的值不合要求")


@pytest.mark.parametrize("kept", ["NaN", "1e300", '"soon"', "null"])
def test_a_kept_offset_that_no_clock_can_have_is_said(
    kept: str, alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (alone / ".o2o").mkdir()
    (alone / ".o2o" / "demo-state.json").write_text(f'{{"clock_offset": {kept}}}', "utf-8")
    assert ended(*RATES) == 1
    assert "demo-state.json" in capsys.readouterr().err


def test_a_clock_may_be_off_by_a_century(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (alone / ".o2o").mkdir()
    (alone / ".o2o" / "demo-state.json").write_text(json.dumps({"clock_offset": -CENTURY}), "utf-8")
    assert ended(*RATES) == 1
    assert capsys.readouterr().err == "还没有数据库，请先运行 o2o migrate\n"
