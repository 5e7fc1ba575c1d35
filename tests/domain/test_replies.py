import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import replies
from app.domain.conversation import Command
from app.domain.replies import Receipt, Standing
from app.domain.vocabulary import SHANGHAI, Score, Status

NUMBER = "2945386333"
DUE = datetime(2026, 11, 25, tzinfo=SHANGHAI)
LONG = "很长的文字" * 400
RECEIPT = Receipt(NUMBER, "湘龙街道", DUE, datetime(2026, 12, 5, tzinfo=SHANGHAI))


@pytest.mark.parametrize(
    ("due", "shown"),
    [
        (DUE, "11月24日24时"),
        (datetime(2026, 11, 24, 16, tzinfo=UTC), "11月24日24时"),
        (datetime(2026, 10, 9, tzinfo=SHANGHAI), "10月8日24时"),
        (datetime(2027, 1, 1, tzinfo=SHANGHAI), "12月31日24时"),
        (datetime(2026, 11, 24, 15, tzinfo=SHANGHAI), "11月24日15时"),
        (datetime(2026, 11, 24, 0, 5, tzinfo=SHANGHAI), "11月24日0时05分"),
    ],
)
def test_a_due_midnight_belongs_to_the_day_that_ends(due: datetime, shown: str) -> None:
    assert replies.deadline(due) == shown


def test_a_past_midnight_belongs_to_the_day_that_begins() -> None:
    assert replies.moment(DUE) == "11月25日0时"


def test_the_receipt_tells_number_limits_and_who() -> None:
    text = replies.received(Receipt(NUMBER, "湘龙街道", DUE, datetime(2026, 12, 5, tzinfo=SHANGHAI), person="王小明"))
    assert all(part in text for part in (NUMBER, "湘龙街道（王小明）", "11月24日24时前受理", "12月4日24时前办结"))
    assert "110" not in text


def test_in_danger_the_emergency_numbers_come_first() -> None:
    text = replies.received(Receipt(NUMBER, "湘龙街道", DUE, DUE + timedelta(days=1), urgent=True))
    assert all(text.index(call) < text.index(NUMBER) for call in ("110", "119", "120", "122"))


def test_whom_to_call_first_comes_first() -> None:
    text = replies.received(Receipt(NUMBER, "湘龙街道", DUE, DUE, urgent=True, calls=("119", "120")))
    first, *_ = text.splitlines()
    assert first == ("如有生命危险，请马上拨打119（消防）、120（急救）；其他险情拨打110（公安）、122（交通事故）。")


def test_an_ambiguous_place_is_asked_after_the_number() -> None:
    text = replies.received(Receipt(NUMBER, "长沙县", DUE, DUE, candidates=("星沙街道", "湘龙街道")))
    assert text.index(NUMBER) < text.index("星沙街道、湘龙街道")


def test_a_ticket_just_completed_is_named_with_the_way_to_reopen_it() -> None:
    text = replies.received(Receipt(NUMBER, "湘龙街道", DUE, DUE, lately_completed="9165146245"))
    assert text.index(NUMBER) < text.index("踩 9165146245")


@given(
    st.text(alphabet="湘龙街道星沙", max_size=40),
    st.none() | st.text(alphabet="王小明欧阳", min_size=1, max_size=30),
    st.lists(st.text(alphabet="星沙街道泉塘", min_size=1, max_size=30), max_size=20),
    st.booleans(),
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(SHANGHAI)),  # noqa: DTZ001
)
def test_the_first_run_of_8_to_14_digits_is_the_number(
    node: str, person: str | None, candidates: list[str], urgent: bool, due: datetime
) -> None:
    text = replies.received(Receipt(NUMBER, node, due, due, person, tuple(candidates), urgent, "9165146245"))
    first = re.search(r"(?<!\d)\d{8,14}(?!\d)", text)
    assert first is not None
    assert first[0] == NUMBER
    assert len(text) < 600


@pytest.mark.parametrize(
    ("standing", "parts"),
    [
        (
            Standing(NUMBER, Status.IN_PROGRESS, "路灯", DUE, node="湘龙街道"),
            ("办理中，11月24日24时前办结", "湘龙街道"),
        ),
        (Standing(NUMBER, Status.ACCEPTED, "路灯", DUE, overdue=True), ("已受理，已超过11月24日24时的期限",)),
        (Standing(NUMBER, Status.COMPLETED, "路灯", DUE, latest="已修好"), ("已办结", "已修好", f"踩 {NUMBER}")),
        (Standing(NUMBER, Status.DECLINED, "离婚", latest="请向法院起诉"), ("不予受理", "请向法院起诉")),
    ],
)
def test_progress_says_where_the_ticket_stands_and_what_can_be_done(standing: Standing, parts: tuple[str, ...]) -> None:
    text = replies.progress(standing)
    assert [part for part in (NUMBER, *parts) if part not in text] == []


def test_a_finished_ticket_shows_no_limit_and_an_open_one_no_rating() -> None:
    assert "前办结" not in replies.progress(Standing(NUMBER, Status.COMPLETED, "路灯", DUE, latest="已修好"))
    assert "踩" not in replies.progress(Standing(NUMBER, Status.IN_PROGRESS, "路灯", DUE, latest="正在修"))


def test_another_persons_ticket_shows_what_the_board_shows() -> None:
    text = replies.progress(Standing(NUMBER, Status.COMPLETED, "路灯"))
    assert text.splitlines() == [f"编号：{NUMBER}", "事项：路灯", "进度：已办结"]


def test_a_list_says_how_many_are_not_shown() -> None:
    text = replies.listing("待办", [Standing(f"{1000000000 + i}", Status.RECEIVED, "路灯", DUE) for i in range(12)], 30)
    assert "待办（30件）" in text
    assert "还有22件" in text
    assert len(re.findall(r"\d{10}", text)) == replies.LISTED


def test_an_empty_list_says_so() -> None:
    assert "没有" in replies.listing("已办", [], 0)


def test_ratings_are_answered_by_their_score() -> None:
    assert "点赞" in replies.rated(NUMBER, Score.LIKE)
    assert "踩" in replies.rated(NUMBER, Score.DISLIKE)
    assert "11月24日24时前办结" in replies.reopened(NUMBER, "湘龙街道", DUE)


def test_all_commands_of_later_have_their_answer() -> None:
    answers = {replies.elsewhere(command) for command in Command}
    assert len(answers) == len(Command)
    assert "直接把事情写下来发给我们即可" in replies.elsewhere(Command.ORDER)


def test_every_reply_stays_under_600_characters_however_much_is_quoted() -> None:
    full = Standing(NUMBER, Status.COMPLETED, LONG, DUE, node=LONG, person=LONG, latest=LONG)
    texts = [
        replies.received(Receipt(NUMBER, LONG, DUE, DUE, LONG, (LONG,) * 20, urgent=True, lately_completed=NUMBER)),
        replies.progress(full),
        replies.listing("您的事项", [full] * 20, 100),
        replies.reopened(NUMBER, LONG, DUE),
        replies.rated(NUMBER, Score.LIKE),
        replies.nothing_to_rate(),
        replies.which_score("ABCD2345"),
        replies.mistyped(LONG),
        replies.unknown_number(LONG),
        replies.too_late(NUMBER),
        replies.not_yet(NUMBER),
        replies.kept(),
        replies.courtesy(),
        replies.assistance(),
        *(replies.elsewhere(command) for command in Command),
    ]
    assert [len(text) for text in texts if not 0 < len(text) < 600] == []
