"""`o2o import` and `o2o migrate` as a person runs them."""

import json
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from app.base.db import Database
from app.base.secrets import Vault, secret_key
from app.cli import main
from app.settings import Settings

DIVISIONS = "code,name,level,parent_code,kind\n430121,长沙县,county,,county\n430121001,星沙街道,town,430121,street\n"
UNITS = "code,name,division_code\nU01,长沙县公安局,430121\n"
ACCOUNTS = (
    "appid,original_id,name,division_code,kind,certified,mode,token,encoding_aes_key,secret\n"
    f"wx0123456789abcdef,gh_0123456789ab,长沙县民生快递,430121,service,true,safe,token1,{'k' * 42}A,{'s' * 32}\n"
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def o2o(
    empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """`o2o("import", "units", text)` runs the command on a database without a county; a text becomes a file."""
    for name in [name for name in os.environ if name.startswith("O2O_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    url = empty_database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("O2O_DATABASE_URL", url)
    monkeypatch.setenv("O2O_ENV", "demo")

    def run(*args: str) -> tuple[int, str, str]:
        written = [str(_file(tmp_path, arg)) if "\n" in arg else arg for arg in args]
        with pytest.raises(SystemExit) as ended:
            main(written)
        out, err = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, out, err

    return run


def _file(folder: Path, text: str) -> Path:
    path = folder / f"{secrets.token_hex(4)}.csv"
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_imported_and_counted(o2o: Run) -> None:
    assert o2o("import", "divisions", DIVISIONS) == (
        *(0, "新增 2，更新 0，未变 0\n"),
        "提示：忽略了不认识的列：kind\n",
    )


def test_json_has_the_three_counts(o2o: Run) -> None:
    o2o("import", "divisions", DIVISIONS)
    code, out, _ = o2o("import", "divisions", DIVISIONS.replace("星沙街道", "星沙新街道"), "--json")
    assert (code, json.loads(out)) == (0, {"created": 0, "updated": 1, "unchanged": 1})


def test_wrong_rows_are_named_one_a_line_and_nothing_is_imported(o2o: Run) -> None:
    wrong = DIVISIONS + "430121002,某镇,city,430121,\n" + "430121003,,town,430121,\n"
    code, out, err = o2o("import", "divisions", wrong)
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert lines[0].startswith("第 4 行：level 只能是 county（县）、")
    assert lines[1:] == ["第 5 行：name 不能为空", "共 2 处错误，什么都没有导入"]
    assert o2o("import", "divisions", DIVISIONS, "--json")[1] == '{"created": 2, "updated": 0, "unchanged": 0}\n'


def test_the_edition_is_taken(o2o: Run) -> None:
    assert o2o("import", "divisions", DIVISIONS, "--edition", "17")[2] == "版本应为四位年份，如 2017，现为“17”\n"
    assert o2o("import", "divisions", DIVISIONS, "--edition", "2017")[0] == 0


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("photos", UNITS), "不能导入“photos”，可以导入的有：divisions、units、"),
        (("units", "nowhere.csv"), "没有文件 nowhere.csv"),
        (("units", "."), "无法读取 .："),
    ],
)
def test_what_cannot_be_imported_is_said_in_a_sentence(o2o: Run, args: tuple[str, str], sentence: str) -> None:
    code, out, err = o2o("import", *args)
    assert (code, out) == (1, "")
    assert err.startswith(sentence)


def workbook(path: Path, *rows: Sequence[object]) -> str:
    with Workbook(path) as book:
        sheet = book.add_worksheet("区划")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return str(path)


def test_a_workbook_is_imported_as_a_csv_file_is(o2o: Run, tmp_path: Path) -> None:
    columns = ["code", "name", "level", "parent_code"]
    wrong = workbook(
        tmp_path / "a.xlsx", columns, [430121, "长沙县", "县"], [43012100100100199, "某镇", "镇街", 430121]
    )
    code, _, err = o2o("import", "divisions", wrong)
    assert code == 1
    assert err.startswith("第 3 行：code：Excel 把数字改成了科学计数法（4.30121E+16）")
    right = workbook(tmp_path / "b.csv", columns, [430121, "长沙县", "县"], [430121001, "星沙街道", "镇街", 430121])
    assert o2o("import", "divisions", right) == (
        *(0, "新增 2，更新 0，未变 0\n"),
        "提示：文件名是 .csv，内容却是 Excel 工作簿，已按工作簿读取\n",
    )
    assert o2o("import", "divisions", DIVISIONS, "--json")[1] == '{"created": 0, "updated": 0, "unchanged": 2}\n'


def test_a_template_is_written_where_nothing_is(o2o: Run, tmp_path: Path) -> None:
    assert o2o("import", "units", "--template") == (0, "模板已写到 units-模板.xlsx\n", "")
    before = (tmp_path / "units-模板.xlsx").read_bytes()
    code, _, err = o2o("import", "units", "--template")
    assert (code, err) == (1, "units-模板.xlsx 已经有了，没有覆盖；请换一个文件名\n")
    assert (tmp_path / "units-模板.xlsx").read_bytes() == before
    assert o2o("import", "units", "units-模板.xlsx")[2] == ("文件里只有表头，没有数据（读的是工作表“承办单位”）\n")


def test_a_template_is_written_under_the_name_that_was_asked_for(o2o: Run, tmp_path: Path) -> None:
    assert o2o("import", "aliases", "别名.CSV", "--template") == (0, "模板已写到 别名.CSV\n", "")
    assert (tmp_path / "别名.CSV").read_bytes() == b"\xef\xbb\xbfalias,division_code\r\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("photos", "--template"), "不能导入“photos”，可以导入的有："),
        (("units", "units.doc", "--template"), "模板的文件名要以 .xlsx 或 .csv 结尾，现为 units.doc"),
        (("units", "nowhere/units.xlsx", "--template"), "无法写入 nowhere/units.xlsx：没有这个文件"),
        (("units",), "请写明要导入的文件；还没有文件的，可用 o2o import units --template 取得模板"),
        (("photos",), "不能导入“photos”，可以导入的有："),
    ],
)
def test_what_cannot_become_a_template_is_said_in_a_sentence(
    o2o: Run, tmp_path: Path, args: tuple[str, ...], sentence: str
) -> None:
    code, out, err = o2o("import", *args)
    assert (code, out) == (1, "")
    assert err.startswith(sentence)
    assert list(tmp_path.iterdir()) == []


def test_accounts_of_a_demo_are_sealed_with_a_key_of_its_own(o2o: Run, tmp_path: Path) -> None:
    o2o("import", "divisions", DIVISIONS)
    assert o2o("import", "accounts", ACCOUNTS)[0] == 0
    key = tmp_path / ".o2o" / "secret-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) == 64
    # The second time it is the same key, or what is sealed would not open.
    assert o2o("import", "accounts", ACCOUNTS, "--json")[1] == '{"created": 0, "updated": 0, "unchanged": 1}\n'


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("households", "grid_code,head_name,phone,address,courier_username,in_difficulty\n{grid},王演示,,1号,,是\n"),
        ("groups", "division_code,name,kind,robot_url\n{grid},群,wecom,https://robots.example/send\n"),
    ],
)
def test_what_else_is_sealed_needs_the_key_too(o2o: Run, monkeypatch: pytest.MonkeyPatch, kind: str, rows: str) -> None:
    village, grid = "430121001001", "430121001001001"
    below = f"{village},某社区,village,430121001,\n{grid},第1网格,grid,{village},\n"
    assert o2o("import", "divisions", DIVISIONS + below)[0] == 0
    file = rows.format(grid=grid)
    assert o2o("import", kind, file, "--json")[1] == '{"created": 1, "updated": 0, "unchanged": 0}\n'
    assert o2o("import", kind, file, "--json")[1] == '{"created": 0, "updated": 0, "unchanged": 1}\n'
    monkeypatch.setenv("O2O_SECRET_KEY", "another-key-as-long-as-the-first-one-was")
    code, _, err = o2o("import", kind, file)
    assert (code, "密钥不符" in err) == (1, True)


def test_accounts_of_production_need_a_key_that_was_set(o2o: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("O2O_ENV", "production")
    o2o("import", "divisions", DIVISIONS)
    code, _, err = o2o("import", "accounts", ACCOUNTS)
    assert (code, err.startswith("没有设置 O2O_SECRET_KEY")) == (1, True)
    monkeypatch.setenv("O2O_SECRET_KEY", "short")
    assert o2o("import", "accounts", ACCOUNTS)[2].startswith("O2O_SECRET_KEY 至少 32 个字符")
    monkeypatch.setenv("O2O_SECRET_KEY", "k" * 32)
    assert o2o("import", "accounts", ACCOUNTS)[0] == 0


def test_a_key_that_was_set_is_the_key(tmp_path: Path) -> None:
    settings = Settings(env="demo", data_dir=tmp_path, secret_key="a-key-that-somebody-has-chosen-long")
    assert secret_key(settings) == "a-key-that-somebody-has-chosen-long"
    assert Vault(secret_key(settings))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("O2O_POOL_SIZE", "many", "设置 O2O_POOL_SIZE 的值不合要求，应为 2 到 200 的整数\n"),
        ("O2O_DATABASE_URL", "mysql://x", "设置 O2O_DATABASE_URL 的值不合要求，应为 postgresql://"),
        ("O2O_DATABASE_URL", "postgresql://u:p@127.0.0.1:1/x", "连不上数据库："),
        ("O2O_DATABASE_URL", "", "还没有数据库，请先运行 o2o migrate\n"),
    ],
)
def test_a_wrong_setting_is_said_in_a_sentence(
    o2o: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    code, _, err = o2o("import", "units", UNITS)
    assert code == 1
    assert err.startswith(sentence)
    assert len(err.splitlines()) == 1


def test_a_wrong_password_of_the_database_is_said_in_a_sentence(o2o: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    user, _, rest = os.environ["O2O_DATABASE_URL"].rpartition("@")
    monkeypatch.setenv("O2O_DATABASE_URL", f"{user}x@{rest}")
    code, _, err = o2o("import", "units", UNITS)
    assert (code, err) == (1, "连不上数据库：用户名或口令不对\n")


def test_a_clock_offset_is_refused_in_production(o2o: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("O2O_ENV", "production")
    monkeypatch.setenv("O2O_CLOCK_OFFSET", "60")
    assert o2o("migrate")[2].startswith("O2O_CLOCK_OFFSET 只能在演示或测试中使用")


def test_migrate_may_be_run_again(o2o: Run) -> None:
    assert o2o("migrate") == (0, "数据库结构已是最新\n", "")


def test_the_address_is_one_that_psql_takes(o2o: Run) -> None:
    code, out, _ = o2o("db", "url")
    assert code == 0
    assert out.strip() == os.environ["O2O_DATABASE_URL"].replace("postgresql+asyncpg", "postgresql")


@pytest.mark.parametrize("command", [["--help"], ["import", "--help"], ["migrate", "--help"], ["db", "url", "--help"]])
def test_every_command_has_help(o2o: Run, command: list[str]) -> None:
    code, out, _ = o2o(*command)
    assert code == 0
    assert out.startswith("用法：")


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: pytest makes that 0700 for root, and the server's user could not enter.
    made = Path(tempfile.gettempdir()) / f"o2o-test-{secrets.token_hex(4)}"
    made.mkdir(mode=0o755)
    yield made
    shutil.rmtree(made)


def test_the_embedded_database_serves_command_after_command(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("O2O_")}
    script = [sys.executable, "-c", "from app.cli import main; main()"]
    environment |= {"O2O_DATA_DIR": str(folder / "民生 数据"), "PYTHONPATH": str(Path(__file__).parents[2])}

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*script, *args], env=environment, cwd=folder, capture_output=True, text=True, check=False
        )

    file = str(_file(folder, DIVISIONS))
    before = run("import", "divisions", file)
    assert (before.returncode, before.stderr) == (1, "还没有数据库，请先运行 o2o migrate\n")
    assert run("migrate").stdout == "数据库结构已是最新\n"
    assert run("import", "divisions", file).stdout == "新增 2，更新 0，未变 0\n"
