"""Which texts are urgent: invented cries, and the words that only look like them. No real message is in here."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.county import Category, County, Sign, UrgentWord
from app.domain.urgency import CALLS, CRY, LETTER, OPENING, Urgency, UrgencyIndex, build
from tests.domain.county_from_csv import demo_county, urgent_words

FILLER = "小区物业收了费不做事，业主反映过多次都没有答复，请领导过问一下这件事情。"


@cache
def index() -> UrgencyIndex:
    return build(replace(demo_county(), urgent_words=urgent_words()))


def read(text: str, category: str | None = None) -> Urgency | None:
    return index().read(text, demo_county().category_by_code[category] if category else None)


def of(*words: UrgentWord) -> UrgencyIndex:
    return build(County({}, {}, demo_county().categories, urgent_words=words))


def category(code: str) -> Category:
    return demo_county().category_by_code[code]


def sign(text: str) -> Sign | None:
    found = read(text)
    return None if found is None else found.sign


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("我家着火了，快来人！", "119"),
        ("隔壁三楼起火，浓烟好大", "119"),
        ("星沙街道一小区发生火灾，有人被困", "119"),
        ("家里着火了怎么办", "119"),
        ("厨房煤气漏了，一屋子味道", "119"),
        ("我在家闻到很大的煤气味怎么办", "119"),
        ("电梯困人了，里面有老人和小孩", "119"),
        ("我们被困在电梯里出不来", "119"),
        ("有人掉到河里了", "119"),
        ("松雅湖有人落水了", "119"),
        ("洪水进屋了，我们被困在二楼", "119"),
        ("房子塌了，压着人", "119"),
        ("父亲心脏病发作，需要急救", "120"),
        ("我妈晕倒了，叫不醒", "120"),
        ("煤气中毒，两个人昏迷", "120"),
        ("孕妇大出血，车子开不进来", "120"),
        ("邻居喝了农药", "120"),
        ("小孩触电了", "120"),
        ("有人拿刀砍人", "110"),
        ("我老公打我，救命", "110"),
        ("我不想活了", "110"),
        ("楼顶站着一个人要跳楼", "110"),
        ("老人走丢了，八十岁，穿灰衣服", "110"),
        ("小孩走失，穿红色上衣", "110"),
        ("路口出车祸了，有人受伤", "122"),
        ("大货车侧翻，司机卡在驾驶室", "122"),
    ],
)
def test_a_cry_is_danger_and_says_whom_to_call(text: str, call: str) -> None:
    found = read(text)
    assert found is not None
    assert found.sign is Sign.DANGER
    assert call in found.calls
    assert set(found.calls) <= set(CALLS)


@pytest.mark.parametrize(
    "text",
    [
        "没有人受伤，就是护栏坏了",
        "消防通道被车堵住了",
        "感谢社区干部，是我一家的救命恩人",
        "楼道堆满杂物，万一起火怎么办",
        "怕着火，请把电线理一理",
        "请严查电动车上楼，以免着火",
        "有火灾隐患，请来检查",
        "去年着火的房子还没有补助",
        "三年前小区发生过爆炸，现在还没赔",
        "曾经有人在这里溺水，请立牌子",
        "这条路经常出车祸，请装红绿灯",
        "车祸赔偿怎么处理",
        "父亲车祸去世，能申请救助吗",
        "防溺水的警示牌倒了",
        "河边没有护栏，小孩容易掉到河里",
        "超市搞跳楼价促销太吵",
        "被开发商绑架消费",
        "请救救我们这些拆迁户",
        "雨落水管堵了",
        "没有发生火灾，但是灭火器过期了",
        "学校的消防演练什么时候搞",
        "听说隔壁县有孩子被拐走",
        "电梯一个月困人三次了",
        "物业打我三次电话催缴费",
        "老百姓真的活不下去了",
        "路灯不亮",
        "",
    ],
)
def test_what_is_denied_feared_past_or_only_sounds_so_is_none(text: str) -> None:
    assert read(text) is None


def test_a_word_that_is_not_enough_by_itself_counts_in_a_cry_and_where_it_happens_now() -> None:
    cry, told = "六楼起火", f"{FILLER}{FILLER}六楼起火"
    assert len(cry) <= CRY < len(told)
    assert sign(cry) is Sign.DANGER
    assert sign(told) is None
    assert sign(f"{FILLER}{FILLER}六楼刚刚起火，消防车进不来。") is Sign.DANGER
    assert sign(f"{FILLER}今天很热。{FILLER}六楼起火") is None


def test_in_a_letter_only_what_is_enough_by_itself_counts() -> None:
    letter = FILLER * 10
    assert len(letter) > LETTER
    assert sign(letter + "六楼刚刚起火。") is None
    assert sign(letter + "六楼着火了。") is Sign.DANGER


@pytest.mark.parametrize(
    "text",
    [
        "我们这边停水一天了，没有接到通知，自来水什么时候来？",
        "没有通知就停电，饭都没做",
        "无故停水两天",
        "整栋楼没有电",
        "小区经常停水",
        "天然气停了，做不了饭",
        "村里没水喝",
    ],
)
def test_cut_off_water_power_and_gas_are_so_read(text: str) -> None:
    found = read(text)
    assert found is not None
    assert (found.sign, found.calls) == (Sign.CUTOFF, ())


@pytest.mark.parametrize(
    "text",
    [
        "物业威胁停水停电",
        "再不交物业费就要停水",
        "如果停电怎么办",
        "办理证件没有电子照片",
        "村里没有水泥路",
        "请问有没有电工培训",
        "消防栓没有水",
        "天然气管道装好半年了还没通气",
        "不会停水吧",
    ],
)
def test_what_is_not_cut_off_is_not(text: str) -> None:
    assert read(text) is None


def test_a_cut_off_far_down_in_a_text_is_a_side_remark_unless_the_word_is_the_categorys_own() -> None:
    far = FILLER * 4 + "小区停水。"
    assert len(far) > OPENING
    assert read(far) is None
    own = of(UrgentWord("停水", Sign.CUTOFF, category_id=category("C04").id))
    assert own.read(far, category("C0401")) is not None
    assert own.read(far, category("C0402")) is not None
    assert own.read(far, category("C0103")) is None
    assert own.read(far, None) is None


def test_danger_comes_before_a_cut_off() -> None:
    found = read("停电了，电梯里困了三个人")
    assert found is not None
    assert (found.sign, found.words) == (Sign.DANGER, ("电梯里困了",))


def test_a_word_of_one_category_counts_for_its_tickets_and_for_those_of_the_branch_above() -> None:
    leaf = of(UrgentWord("漏气", Sign.DANGER, alone=True, calls=("119",), category_id=category("C0403").id))
    assert leaf.read("家里漏气", category("C0403")) is not None
    assert leaf.read("轮胎漏气", category("C0306")) is None
    branch = of(UrgentWord("漏气", Sign.DANGER, alone=True, calls=("119",), category_id=category("C04").id))
    assert branch.read("家里漏气", category("C0403")) is not None


def test_the_categorys_own_word_comes_before_the_general_one() -> None:
    both = of(
        UrgentWord("打架", Sign.DANGER, calls=("110",)),
        UrgentWord("打架", Sign.HARMLESS, category_id=category("C0604").id),
    )
    assert both.read("学生打架", category("C0604")) is None
    assert both.read("有人打架", category("C1102")) is not None


def test_a_longer_harmless_word_takes_the_shorter_one_with_it() -> None:
    words = (UrgentWord("爆炸", Sign.DANGER, calls=("119",)), UrgentWord("爆炸性新闻", Sign.HARMLESS))
    assert of(*words).read("爆炸性新闻", None) is None
    assert of(*words).read("锅炉爆炸", None) is not None


def test_who_to_call_is_gathered_in_the_order_of_the_words() -> None:
    found = read("三楼着火了，有人晕倒")
    assert found is not None
    assert (found.words, found.calls) == (("着火了", "晕倒"), ("119", "120"))


@given(st.text("着火了没有万一停水电人落跳楼，。！0123年 \n", max_size=120))
def test_any_text_is_read(text: str) -> None:
    found = read(text)
    assert found is None or (found.words and found.sign is not Sign.HARMLESS)


def test_every_default_word_that_tells_of_danger_says_whom_to_call() -> None:
    dangers = [word for word in urgent_words() if word.sign is Sign.DANGER]
    assert len(dangers) > 200
    assert [word.text for word in dangers if not word.calls] == []
    assert {call for word in dangers for call in word.calls} == set(CALLS)
