"""Which category a text suggests, with invented categories where the sums matter and the real ones elsewhere."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.county import Category, County
from app.domain.limits import DEFAULT
from app.domain.suggestion import DOUBT, Suggestion, build
from app.domain.vocabulary import Level
from tests.domain.county_from_csv import demo_county

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
FIRST_LEVELS = {
    "城乡建设": {"C01", "C02", "C04", "C15"},
    "环境保护": {"C05"},
    "交通运输": {"C03"},
    "教育文体": {"C06"},
    "劳动和社会保障": {"C08"},
    "商贸旅游": {"C12"},
    "卫生计生": {"C07"},
}


def leaf(number: int, *keywords: str, level: int = 2) -> Category:
    return Category(
        id=number,
        code=f"C{100 - number:03}",
        name=f"分类{number}",
        parent_id=None,
        level=level,
        kind_hint=None,
        lowest_level=Level.VILLAGE,
        unit_id=None,
        rules=DEFAULT,
        auto_accept=True,
        photo_required=False,
        sensitive=False,
        confidential=False,
        keywords=keywords,
    )


def suggest(title: str, text: str, *categories: Category) -> tuple[Suggestion, ...]:
    return build(County({}, {}, {c.id: c for c in categories})).suggest(title, text)


def scores(suggestions: tuple[Suggestion, ...]) -> list[tuple[int, float]]:
    return [(s.category_id, s.score) for s in suggestions]


def best_code(title: str, text: str = "") -> str:
    return demo_county().categories[build(demo_county()).suggest(title, text)[0].category_id].code


def test_a_keyword_in_the_title_scores_four_times_its_length_however_often() -> None:
    assert scores(suggest("路灯路灯坏了", "", leaf(1, "路灯"))) == [(1, 8.0)]


def test_up_to_three_hits_in_the_text_score_half_their_length_each() -> None:
    assert scores(suggest("", "路灯", leaf(1, "路灯"))) == [(1, 1.0)]
    assert scores(suggest("", "路灯，路灯，路灯，路灯", leaf(1, "路灯"))) == [(1, 3.0)]


def test_title_and_text_add_up_and_the_words_of_the_title_come_first() -> None:
    (found,) = suggest("照明", "路灯和照明", leaf(1, "路灯", "照明"))
    assert found.score == 8 + 1 + 1
    assert found.words == ("照明", "路灯")


def test_keywords_inside_one_another_all_count() -> None:
    assert scores(suggest("停车场", "", leaf(1, "停车", "停车场"))) == [(1, 8.0 + 12.0)]


def test_a_keyword_of_two_leaves_speaks_for_both_and_ties_go_by_code() -> None:
    assert scores(suggest("电梯", "", leaf(1, "电梯"), leaf(2, "电梯"))) == [(2, 8.0), (1, 8.0)]


def test_only_the_best_three_are_given() -> None:
    found = suggest("甲乙", "丙丁戊己", *(leaf(n, word) for n, word in enumerate(["甲乙", "丙丁", "戊己", "甲"])))
    assert [s.category_id for s in found] == [0, 3, 2]


def test_a_keyword_of_one_character_counts_once_at_the_end_of_the_text_too() -> None:
    assert scores(suggest("", "有狗", leaf(1, "狗"))) == [(1, 0.5)]


def test_width_and_case_of_letters_make_no_difference() -> None:
    assert scores(suggest("ｋtv太吵", "", leaf(1, "KTV"))) == [(1, 12.0)]


def test_a_text_without_keywords_suggests_nothing() -> None:
    assert suggest("你好", "请问", leaf(1, "路灯")) == ()
    assert suggest("", "", leaf(1, "路灯")) == ()


def test_the_first_level_suggests_nothing() -> None:
    assert suggest("路灯", "", leaf(1, "路灯", level=1)) == ()


def test_the_confidence_is_the_share_of_the_best_three_with_a_doubt() -> None:
    first, second = suggest("路灯", "井盖", leaf(1, "路灯"), leaf(2, "井盖"))
    assert first.confidence == 8 / (8 + 1 + DOUBT)
    assert second.confidence == 1 / (8 + 1 + DOUBT)


def test_the_order_in_which_categories_are_loaded_makes_no_difference() -> None:
    county = demo_county()
    backwards = replace(county, categories=dict(sorted(county.categories.items(), reverse=True)))
    text = "小区电梯困人，物业不管，消防通道堵塞"
    assert build(backwards).suggest(text, text) == build(county).suggest(text, text)


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("楼下烧烤油烟太大", "C0503"),
        ("村里的水泥路没有硬化", "C0304"),
        ("小孩入学划片", "C0601"),
        ("公积金贷款怎么办", "C0207"),
        ("村干部以权谋私", "C1304"),
    ],
)
def test_plain_matters_get_their_category(title: str, code: str) -> None:
    assert best_code(title) == code


@given(st.text(max_size=60), st.text(max_size=200))
def test_confidences_are_shares_in_falling_order(title: str, text: str) -> None:
    found = build(demo_county()).suggest(title + "路灯", text)
    assert 1 <= len(found) <= 3
    assert sum(s.confidence for s in found) < 1
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)


def test_labelled_messages_get_their_first_level_as_often_as_measured() -> None:
    """95.1 % get a category; 61.5 % of all the right first level (README of the data)."""
    path = SHARED / "messages_labelled.csv"
    if not path.exists():
        pytest.skip("../shared/data/messages_labelled.csv is not part of the repository")
    keywords = build(demo_county())
    categories = demo_county().categories
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    best = [(row["label"], next(iter(keywords.suggest(row["title"], row["text"])), None)) for row in rows]
    right = [s for label, s in best if s and categories[s.category_id].code[:3] in FIRST_LEVELS[label.strip()]]
    assert round(sum(s is not None for _, s in best) / len(rows), 3) == 0.951
    assert round(len(right) / len(rows), 3) == 0.615
