"""What is suggested: by the table, by the county's model, and which of the two."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.schema import categories, tickets
from app.suggestion import kept, service
from app.suggestion.model import Model, dumped
from app.suggestion.training import Example, train
from tests.rates.counted import UNTOUCHED, at, write
from tests.suggestion.labelled import labelled

DARK = "东八路晚上黑咕隆咚"
"""No keyword of the table is in it; the model has learnt what it is about."""


@cache
def trained() -> Model:
    return train([Example(text, code) for text, code in labelled()], lambda text: []).model


def put(folder: Path, county: Atlas, *, used: bool = True, **changes: Any) -> None:
    model = replace(trained(), categories=service.leaves(county.county), figures={"used": used})
    kept.keep(folder, dumped(replace(model, **changes)), {"used": used})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    kept.look_in(tmp_path)
    yield tmp_path
    kept.look_in(None)


def codes(county: Atlas, text: str, title: str = "") -> list[str]:
    return [county.county.categories[one.category_id].code for one in service.suggest(county, title, text)]


async def test_without_a_model_the_table_suggests_and_says_why(work: Work) -> None:
    county = await atlas(work)
    first, *_ = service.views(county, "", "楼下烧烤油烟太大")
    assert (first.code, first.name) == ("C0503", "油烟与餐饮污染")
    assert first.why == "文中有“烧烤”“油烟”"
    assert 0 < first.confidence < 1
    assert codes(county, DARK) == []


async def test_a_model_that_was_better_suggests_three_and_says_why(work: Work, folder: Path) -> None:
    county = await atlas(work)
    put(folder, county)
    found = service.views(county, "", DARK)
    assert found[0].code == "C0105"
    assert len(found) == 3
    assert found[0].why.startswith("写法与以往的同类事项相近（“")
    by_word = next(one for one in service.views(county, "", "开元路灯泡坏了，路灯不亮") if one.code == "C0105")
    assert by_word.why == "文中有“路灯”"


async def test_a_model_that_was_not_better_is_left_aside(work: Work, folder: Path) -> None:
    county = await atlas(work)
    put(folder, county, used=False)
    assert codes(county, DARK) == []


async def test_a_new_model_is_taken_up_and_a_removed_one_left(work: Work, folder: Path) -> None:
    county = await atlas(work)
    put(folder, county)
    assert codes(county, DARK)[0] == "C0105"
    swapped = {"C0105": "C0103", "C0103": "C0105"}
    put(folder, county, labels=tuple(swapped.get(label, label) for label in trained().labels))
    assert codes(county, DARK)[0] == "C0103"
    (folder / kept.FOLDER / kept.MODEL).unlink()
    assert codes(county, DARK) == []


async def test_where_the_categories_changed_the_table_is_used_and_that_is_said_once(work: Work, folder: Path) -> None:
    county = await atlas(work)
    put(folder, county, categories=(("C0105", "路灯照明"),))
    with capture_logs() as lines:
        assert codes(county, DARK) == []
        assert codes(county, "楼下烧烤油烟太大")[0] == "C0503"
    assert [line["log_level"] for line in lines] == ["warning"]


async def test_a_broken_model_is_none_and_that_is_said_once(work: Work, folder: Path) -> None:
    county = await atlas(work)
    put(folder, county)
    (folder / kept.FOLDER / kept.MODEL).write_bytes(b"PK\x03\x04")
    with capture_logs() as lines:
        assert codes(county, DARK) == codes(county, DARK) == []
    assert [line["event"] for line in lines] == ["suggestion model ignored"]


async def test_no_model_takes_a_complaint_about_an_official_from_the_inspector(work: Work, folder: Path) -> None:
    county = await atlas(work)
    put(folder, county)
    found = codes(county, "举报村干部吃拿卡要，以权谋私，晚上黑咕隆咚")
    assert found[0] == "C1304"
    assert len(found) == len(set(found)) == 3
    # What is only sensitive is the model's to say.
    assert codes(county, "低保户门口晚上黑咕隆咚")[0] == "C0105"


def test_a_model_is_put_in_place_whole_with_its_figures(tmp_path: Path) -> None:
    folder = kept.keep(tmp_path, b"one", {"rows": 1})
    kept.keep(tmp_path, b"two", {"rows": 2})
    assert sorted(path.name for path in folder.iterdir()) == [kept.FIGURES, kept.MODEL]
    assert (folder / kept.MODEL).read_bytes() == b"two"
    assert json.loads((folder / kept.FIGURES).read_text("utf-8")) == {"rows": 2}
    assert folder.stat().st_mode & 0o077 == 0


async def test_the_countys_own_tickets_teach_what_a_person_decided(work: Work) -> None:
    county = await atlas(work)
    ids = {c.code: c.id for c in county.county.categories.values()}
    closed = {"status": "closed", "category_id": ids["C0105"], "category_suggested": False}
    rows: list[dict[str, Any]] = [
        closed | {"title": "路灯", "description": "一团漆黑"},
        closed | {"description": "机器认的", "category_suggested": True},
        closed | {"description": "没办完", "status": "in_progress"},
        closed | {"description": "没分类", "category_id": None},
        closed | {"description": "保密的", "confidential": True},
        closed | {"title": "分到一级", "description": "分到一级", "category_id": ids["C01"]},
    ]
    await write_tickets(work, county, rows)
    assert await service.own_tickets(work, county) == [("路灯\n一团漆黑", "C0105")]


async def write_tickets(work: Work, county: Atlas, rows: list[dict[str, Any]]) -> None:
    await write(work.conn, [at(county.county, "430121001001001", UNTOUCHED) for _ in rows])
    ids = (await work.conn.execute(select(tickets.c.id).order_by(tickets.c.id.desc()).limit(len(rows)))).scalars()
    for ticket_id, row in zip(ids, rows, strict=True):
        await work.conn.execute(update(tickets).where(tickets.c.id == ticket_id).values(row))


async def test_renaming_a_category_makes_a_model_old(work: Work, folder: Path) -> None:
    county = await atlas(work)
    put(folder, county)
    assert codes(county, DARK) != []
    renamed = {c.id: replace(c, name="照明") if c.code == "C0105" else c for c in county.county.categories.values()}
    other = replace(county, revision="another", county=replace(county.county, categories=renamed))
    assert codes(other, DARK) == []
    assert await work.conn.scalar(select(categories.c.name).where(categories.c.code == "C0105")) == "路灯照明"
