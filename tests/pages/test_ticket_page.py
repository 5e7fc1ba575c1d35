"""`/t/{number}` and the form that leads there."""

from datetime import timedelta

import httpx
import pytest

from app.domain import numbers
from app.domain.vocabulary import Action, Score
from app.pages.ticket import clean, slip_in
from app.tickets.public import SHOWN
from tests.conftest import MOMENT
from tests.pages.county_life import SAYINGS, County
from tests.pages.reading import Page

VILLAGE = "430121001001"
XSS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "</p></li></ol><style>*{display:none}</style>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!--",
    "\u2028</title><meta http-equiv=refresh content=0>",
    "‮evil‬ \x07",
)


async def state_of(site: httpx.AsyncClient, number: str) -> list[tuple[str, str]]:
    """The progress line: name and state of each station."""
    page = Page((await site.get(f"/t/{number}")).text)
    stations = [a["class"] for tag, a in page.elements if tag == "li" and a.get("class") in {"done", "now", "later"}]
    names = [name for name in ("收到", "受理", "办理", "办结", "评价") if name in page.text]
    return list(zip(names, stations, strict=True))


async def test_the_progress_line_moves_with_the_ticket(site: httpx.AsyncClient, county: County) -> None:
    at = MOMENT - timedelta(days=2)
    number = await county.open(at, "村口的路灯坏了，天黑看不见", place=VILLAGE)
    assert await state_of(site, number) == [
        ("收到", "now"),
        ("受理", "later"),
        ("办理", "later"),
        ("办结", "later"),
        ("评价", "later"),
    ]
    await county.to_work(at, number)
    assert [state for _, state in await state_of(site, number)] == ["done", "done", "now", "later", "later"]
    await county.act(at + timedelta(hours=5), number, Action.REPLY, text="已派人去修")
    await county.act(at + timedelta(hours=6), number, Action.COMPLETE, result="已修好")
    assert [state for _, state in await state_of(site, number)] == ["done", "done", "done", "now", "later"]
    await county.rate(at + timedelta(hours=7), number, Score.LIKE)
    assert [state for _, state in await state_of(site, number)] == ["done"] * 5


async def test_answers_result_limit_and_rating_are_shown(site: httpx.AsyncClient, county: County) -> None:
    number = await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], VILLAGE)
    await county.rate(MOMENT - timedelta(hours=5), number, Score.LIKE)
    county.database.clock.set(MOMENT)
    page = Page((await site.get(f"/t/{number}")).text)
    assert SAYINGS[0][2] in page.text
    assert page.text.count(SAYINGS[0][3]) == 2, "as the result, and in the timeline"
    assert "9月23日24时（在期限内办结）" in page.joined
    assert "收到9月18日（周五）上午10点" in page.joined
    assert "群众评价赞" in page.joined


async def test_a_dislike_shows_the_second_round(site: httpx.AsyncClient, county: County) -> None:
    number = await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], VILLAGE)
    await county.rate(MOMENT, number, Score.DISLIKE, "还是不亮")
    page = Page((await site.get(f"/t/{number}")).text)
    assert "第2次办理" in page.text
    assert "群众评价踩" in page.joined
    assert "还是不亮" not in page.text, "the citizen's own words"
    assert "办理结果" not in page.text, "the result of a round that was not accepted is no result"


async def test_an_overdue_ticket_says_so_in_words(site: httpx.AsyncClient, county: County) -> None:
    number = await county.open(MOMENT, "村口的路灯坏了，天黑看不见", category="C0105", place=VILLAGE)
    county.database.clock.set(MOMENT + timedelta(days=8))
    assert "已逾期" in Page((await site.get(f"/t/{number}")).text).text


async def test_a_reply_that_is_not_public_shows_only_that_there_was_one(
    site: httpx.AsyncClient, county: County
) -> None:
    number = await county.open(MOMENT, "村口的路灯坏了，天黑看不见", place=VILLAGE)
    await county.to_work(MOMENT, number)
    await county.act(MOMENT + timedelta(hours=4), number, Action.REPLY, text="请到家里来谈", public=False)
    page = Page((await site.get(f"/t/{number}")).text)
    assert "请到家里来谈" not in page.text
    assert "内容只告诉反映人" in page.text


async def test_script_in_a_reply_stays_text(site: httpx.AsyncClient, county: County) -> None:
    harmless = await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], VILLAGE)
    expected = Page((await site.get(f"/t/{harmless}")).text)
    for attack in XSS:
        saying = (SAYINGS[0][0], SAYINGS[0][1], attack, attack)
        number = await county.completed(MOMENT - timedelta(days=4), saying, VILLAGE)
        page = Page((await site.get(f"/t/{number}")).text)
        assert page.kinds == expected.kinds, attack
        assert page.joined.count("".join(attack.split())) == 3, attack


@pytest.mark.parametrize("dressed", ["{n}", " {n} ", "编号：{n}", "{wide}", "{n:.5}-{tail}", "{n:.4} {n:.0}{rest}"])
async def test_a_typed_number_leads_to_its_ticket(site: httpx.AsyncClient, dressed: str) -> None:
    n = numbers.number(7, b"0123456789abcdef")
    wide = n.translate({0x30 + i: 0xFF10 + i for i in range(10)})
    typed = dressed.format(n=n, wide=wide, tail=n[5:], rest=n[4:])
    answer = await site.get("/t", params={"number": typed, "big": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/t/{n}?big=1")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1234567890", "输错了一位"),
        ("12345", "10位数字"),
        ("路灯", "10位数字"),
        ("7KQ2M9XB", "评价码"),
        ("9" * 5000, "10位数字"),
        ('"><script>alert(1)</script>', "10位数字"),
    ],
)
async def test_a_slip_is_told_kindly_and_what_was_typed_stays(site: httpx.AsyncClient, typed: str, said: str) -> None:
    answer = await site.get("/t", params={"number": typed})
    page = Page(answer.text)
    assert answer.status_code == 422
    assert said in page.text
    field = next(a for tag, a in page.elements if a.get("id") == "number")
    assert field["value"] == typed[:64]
    assert field["aria-describedby"] == "slip"
    assert "script" not in {tag for tag, _ in page.elements}


def test_the_slip_of_a_right_number_is_none() -> None:
    right = numbers.number(1, b"0123456789abcdef")
    assert slip_in(right) is None
    assert clean(f"No. {right}") == right


def test_what_happens_inside_the_office_has_no_public_words() -> None:
    inside = {
        Action.NOTE,
        Action.RETURN,
        Action.REQUEST_EXTENSION,
        Action.DECIDE_EXTENSION,
        Action.PROPOSE_UNREASONABLE,
        Action.DECIDE_UNREASONABLE,
        Action.IMPORT,
    }
    assert set(Action) - set(SHOWN) == inside
