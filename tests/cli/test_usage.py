"""A command line that is not understood, and settings that cannot be: one Chinese sentence, no box, no traceback."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import SecretStr
from rich.cells import cell_len

from app.base.secrets import Vault, secret_key
from app.cli import calling, commands, main
from app.cli.helping import wrapped
from app.cli.serve import refuse_taken
from app.domain.errors import Busy
from app.settings import CENTURY, Settings

ROOT = Path(__file__).parents[2]

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
        (("serve", "--port", "http"), "--port 的值不对，应为 1 到 65535 的整数"),
        (("serve", "--port", "0"), "--port 的值不对，应为 1 到 65535 的整数"),
        (("simulate", "--seed=-1"), "--seed 的值不对，应为 0 或更大的整数"),
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
    assert capsys.readouterr().err.startswith("设置 O2O_CLOCK_OFFSET 的值不合要求，应为 秒数")


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("O2O_ENV", "prod"),
        ("O2O_BASE_URL", "https://群众看到的域名"),
        ("O2O_BASE_URL", "foo"),
        ("O2O_BASE_URL", "https://"),
        ("O2O_BASE_URL", "ftp://minsheng.test"),
        ("O2O_TRUSTED_PROXIES", "foo"),
        ("O2O_TRUSTED_PROXIES", "127.0.0.1,*"),
        ("O2O_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("O2O_METRICS_TOKEN", "（同样生成，另一串）"),
        ("O2O_DATABASE_URL", "postgresql://db:port/minsheng"),
        ("O2O_LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_can_not_be_is_named_with_what_it_should_be(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert ended(*RATES) == 1
    said = capsys.readouterr().err
    assert (len(said.splitlines()), said.startswith(f"设置 {name} 的值不合要求，应为 ")) == (1, True)


@pytest.mark.parametrize(
    "good",
    [
        {"base_url": "https://minsheng.example.cn"},
        {"base_url": "http://[::1]:8000/"},
        {"base_url": "https://xn--fiqs8s.cn/minsheng"},
        {"trusted_proxies": ""},
        {"trusted_proxies": "127.0.0.1, 10.0.0.0/8,fd00::/8"},
        {"metrics_token": "0123456789abcdef+/="},
    ],
)
def test_settings_that_can_be_are_taken(good: dict[str, Any]) -> None:
    assert Settings(**good)


def test_every_setting_that_can_be_wrong_says_what_it_should_be() -> None:
    free = {"data_dir", "secret_key", "s3_region", "s3_access_key_id", "s3_secret_access_key"}
    assert {name for name, field in Settings.model_fields.items() if not field.description} == free


@pytest.mark.parametrize(
    "key", ["（python3 -c 'import secrets; print(secrets.token_hex(32))'）", "$(openssl rand -hex 32)" * 2, "k" * 31]
)
def test_a_key_that_was_pasted_from_an_example_is_none(key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="O2O_SECRET_KEY 至少 32 个字符"):
        Vault(secret_key(Settings(env="production", data_dir=tmp_path, secret_key=SecretStr(key))))


@pytest.mark.parametrize("made", ["a1" * 32, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "t" * 20 + "-_" * 12])
def test_a_key_that_a_program_made_is_taken(made: str, tmp_path: Path) -> None:
    assert secret_key(Settings(env="production", data_dir=tmp_path, secret_key=SecretStr(made))) == made


def test_settings_in_another_encoding_are_told(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (alone / ".env").write_text("O2O_ENV=demo\n# 县\n", "gbk")
    assert ended(*RATES) == 1
    assert capsys.readouterr().err.startswith(".env 或数据目录里的设置不是 UTF-8 编码")


@pytest.mark.parametrize(("file", "said"), [("/", "无法读取 /：它是文件夹"), ("none.csv", "没有文件 none.csv")])
def test_a_file_that_can_not_be_read_is_named_with_the_reason(
    file: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("import", "units", file) == 1
    assert capsys.readouterr().err == f"{said}\n"


def test_an_address_that_is_none_is_told(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("simulate", "--url", "foo") == 1
    assert capsys.readouterr().err.startswith("“foo”不是服务的地址，请写成 http://")


def test_a_low_port_that_is_taken_is_answered_with_one_that_everybody_may_use() -> None:
    with socket.socket() as taken:
        port = 1024
        while True:
            with suppress(OSError):
                taken.bind(("127.0.0.1", port))
                break
            port += 1
        taken.listen()
        with pytest.raises(Busy) as refused:
            refuse_taken("127.0.0.1", port)
    assert refused.value.detail == f"端口 {port} 不能用（端口已被占用），请换一个，例如 8000"


def test_what_is_told_to_type_can_be_typed(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = alone / "clone" / ".venv" / "bin" / "o2o"
    script.parent.mkdir(parents=True)
    script.touch(0o755)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.chdir(alone / "clone")
    assert calling.typable("请先运行 o2o migrate") == "请先运行 .venv/bin/o2o migrate"
    assert calling.typable("（或 o2o demo），不是 foo2o x、.venv/bin/o2o x、o2o 本身") == (
        "（或 .venv/bin/o2o demo），不是 foo2o x、.venv/bin/o2o x、o2o 本身"
    )
    monkeypatch.setenv("PATH", f"{script.parent}:/bin")
    assert calling.typable("请先运行 o2o migrate") == "请先运行 o2o migrate"
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert calling.program() == "o2o"


def _every_command(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, group
    for name, one in getattr(group, "commands", {}).items():
        yield from _every_command(one, (*path, name))


@pytest.mark.parametrize("columns", [80, 50])
def test_help_fits_the_terminal_and_leaves_nothing_out(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for path, command in _every_command(typer.main.get_command(commands())):
        assert ended(*path, "--help") == 0
        out = capsys.readouterr().out
        assert max(map(cell_len, out.splitlines())) <= columns
        whole = "".join(out.split())
        for param in command.params:
            assert "".join(param.help.split())[:20] in whole or columns < 80, (path, param.name)
        for one in getattr(command, "commands", {}).values():
            assert columns < 80 or "".join(one.help.split()) in whole


def test_lines_break_between_chinese_characters_but_never_before_a_closing_mark() -> None:
    assert wrapped("一二三四，五六 abcdef（七）。", 8) == ["一二三", "四，五六", "abcdef", "（七）。"]
    assert wrapped("", 8) == []


def test_ctrl_c_while_modules_are_loaded_is_no_traceback() -> None:
    script = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from app.cli import main
main(["doctor"])
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "已中止\n")


@pytest.mark.parametrize("command", ["--help", "doctor"])
def test_a_reader_that_has_gone_is_no_traceback(command: str, alone: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    script = [sys.executable, "-c", "from app.cli import main; main()", command]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "O2O_DATA_DIR": str(alone)}
    ran = subprocess.run(script, cwd=alone, env=environment, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, b"")
