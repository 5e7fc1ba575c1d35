"""`o2o suggestion train` as a person runs it."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import app.suggestion
from app.base.db import Database
from app.base.sheets import csv_of
from app.cli import main
from app.divisions.service import atlas
from app.domain.policy import SYSTEM
from app.suggestion import kept, service
from app.suggestion.model import loaded
from tests.suggestion.labelled import labelled

DARK = "东八路晚上黑咕隆咚"


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Ran]]


@pytest.fixture
def o2o(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("O2O_DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("O2O_DATA_DIR", str(tmp_path / "data"))

    async def run(*args: str) -> Ran:
        def command() -> int:
            with pytest.raises(SystemExit) as left:
                main(["suggestion", "train", *args])
            return int(left.value.code or 0)

        # A command has an event loop of its own.
        code = await asyncio.to_thread(command)
        return Ran(code, *capsys.readouterr())

    return run


def file_of(folder: Path, *more: tuple[str, str]) -> str:
    path = folder / "标注.csv"
    path.write_bytes(csv_of(("text", "category"), [*labelled(), *more]))
    return str(path)


async def test_a_labelled_file_makes_a_model_that_a_running_service_takes_up(
    o2o: Run, tmp_path: Path, database: Database
) -> None:
    ran = await o2o(file_of(tmp_path, ("有蛇出没", "动物防疫与林业")))
    assert (ran.code, ran.err) == (0, "")
    assert "文字 121 条，分类 5 个；留出比较 24 条" in ran.out
    assert "胜过关键词表，正在运行的服务从下一件事项起用它推荐" in ran.out
    kept.look_in(tmp_path / "data")
    try:
        async with database.open_work(SYSTEM, read=True) as work:
            assert service.views(await atlas(work), "", DARK)[0].code == "C0105"
    finally:
        kept.look_in(None)


async def test_its_figures_lie_beside_it_and_are_what_json_prints(o2o: Run, tmp_path: Path) -> None:
    ran = await o2o(file_of(tmp_path), "--json")
    told = json.loads(ran.out)
    folder = tmp_path / "data" / kept.FOLDER
    assert json.loads((folder / kept.FIGURES).read_text("utf-8")) == told
    assert loaded((folder / kept.MODEL).read_bytes()).figures == told
    assert (told["source"], told["rows"], told["held_out"], told["used"]) == ("file", 120, 24, True)
    assert told["model"]["macro_f1"] > told["table"]["macro_f1"]
    assert set(told["versions"]) == {"scikit-learn", "numpy", "python"}
    assert told["trained_at"].endswith("+08:00")


async def test_wrong_rows_are_named_and_nothing_is_written(o2o: Run, tmp_path: Path) -> None:
    ran = await o2o(file_of(tmp_path, ("路灯", "C99"), ("", "C0105"), ("路灯", "C01")))
    assert ran.code == 1
    assert "第 122 行：category：没有代码或名称为“C99”的二级分类" in ran.err
    assert "第 123 行：text 不能为空" in ran.err
    assert "第 124 行：category：没有代码或名称为“C01”的二级分类" in ran.err
    assert not (tmp_path / "data" / kept.FOLDER).exists()


async def test_without_a_file_and_without_tickets_that_are_over_it_says_what_is_missing(o2o: Run) -> None:
    ran = await o2o()
    assert ran.code == 1
    assert "至少要有 100 条不同的文字" in ran.err


async def test_a_file_that_is_not_there_is_said(o2o: Run) -> None:
    ran = await o2o("没有.csv")
    assert (ran.code, ran.err.strip()) == (1, "无法读取 没有.csv：没有这个文件或文件夹")


async def test_without_scikit_learn_it_says_how_to_get_it(
    o2o: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(app.suggestion, "training", raising=False)
    monkeypatch.setitem(sys.modules, "app.suggestion.training", None)
    ran = await o2o(file_of(tmp_path))
    assert ran.code == 1
    assert "pip install '.[suggestion]'" in ran.err
