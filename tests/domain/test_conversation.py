import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import phrases
from app.domain.conversation import (
    CodeAlone,
    Command,
    Courtesy,
    Done,
    Help,
    Later,
    Matter,
    MistypedNumber,
    Pending,
    Progress,
    Rate,
    Said,
    read,
)
from app.domain.numbers import number
from app.domain.vocabulary import Score

GOOD = number(5, b"k" * 32)
BAD = GOOD[:-1] + str((int(GOOD[-1]) + 1) % 10)
CODE = "ABCD2345"
WIDE = "".join(chr(ord(digit) + 0xFEE0) for digit in GOOD)
LIKE, DISLIKE = Score.LIKE, Score.DISLIKE
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("查进度", Progress()),
        ("查询进度。", Progress()),
        ("您好，查进度，谢谢", Progress()),
        (GOOD, Progress(GOOD)),
        (f" {GOOD}。", Progress(GOOD)),
        (f"　{WIDE}　", Progress(GOOD)),
        (f"{GOOD[:5]} {GOOD[5:]}！", Progress(GOOD)),
        (f"编号：{GOOD}", Progress(GOOD)),
        (f"查进度 {GOOD}", Progress(GOOD)),
        (f"查{GOOD}", Progress(GOOD)),
        (f"{GOOD} 办得怎么样了？", Progress(GOOD)),
        (f"您好，{GOOD}，谢谢", Progress(GOOD)),
        ("待办", Pending()),
        ("【待办】", Pending()),
        ("已办", Done()),
        ("帮助", Help()),
        ("HELP", Help()),
        ("ｈｅｌｐ", Help()),
        ("?", Help()),
        ("？？", Help()),
        ("赞/踩", Help()),
    ],
)
def test_questions_are_recognised(text: str, said: Said) -> None:
    assert read(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("赞", Rate(LIKE)),
        ("点赞！", Rate(LIKE)),
        ("赞👍", Rate(LIKE)),
        ("赞[强]/:strong", Rate(LIKE)),
        ("赞 赞 赞", Rate(LIKE)),
        ("谢谢，赞", Rate(LIKE)),
        ("满意", Rate(LIKE)),
        ("踩", Rate(DISLIKE)),
        ("踩一脚", Rate(DISLIKE)),
        ("非常不满意！", Rate(DISLIKE)),
        (f"赞 {GOOD}", Rate(LIKE, GOOD)),
        (f"赞{GOOD}", Rate(LIKE, GOOD)),
        (f"赞：{WIDE}", Rate(LIKE, GOOD)),
        (f"赞 编号{GOOD}", Rate(LIKE, GOOD)),
        (f"你好，踩一脚 {GOOD}", Rate(DISLIKE, GOOD)),
        (f"踩 {GOOD} 还是没修好。", Rate(DISLIKE, GOOD, comment="还是没修好。")),
        (f"踩{GOOD}，灯还是不亮", Rate(DISLIKE, GOOD, comment="灯还是不亮")),
        (f"踩 {GOOD} {'没修好' * 100}", Rate(DISLIKE, GOOD, comment="没修好" * 100)),
        (f"赞 {GOOD} 👍", Rate(LIKE, GOOD)),
        (f"赞 {CODE}", Rate(LIKE, code=CODE)),
        (f"踩 {CODE.lower()} 电话１３８ Ａ", Rate(DISLIKE, code=CODE, comment="电话１３８ Ａ")),
        (f"点赞评价码：{CODE}", Rate(LIKE, code=CODE)),
        (f"{GOOD} 赞", Rate(LIKE, GOOD)),
        (f"{CODE} 踩！", Rate(DISLIKE, code=CODE)),
        ("赞，办得很快", Rate(LIKE, comment="办得很快")),
        ("赞，谢谢你们", Rate(LIKE, comment="谢谢你们")),
        ("踩\n灯还是不亮", Rate(DISLIKE, comment="灯还是不亮")),
        ("踩 “好了”？没有", Rate(DISLIKE, comment="“好了”？没有")),
        ("赞 100分", Rate(LIKE, comment="100分")),
        (CODE, CodeAlone(CODE)),
        ("ａｂｃｄ２３４５ 谢谢", CodeAlone(CODE)),
    ],
)
def test_ratings_are_recognised_with_what_they_are_about_and_why(text: str, said: Said) -> None:
    assert read(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BAD, MistypedNumber(BAD)),
        (f"赞 {BAD}", MistypedNumber(BAD)),
        (f"{BAD} 踩", MistypedNumber(BAD)),
        (f"查进度 {BAD}", MistypedNumber(BAD)),
        (f"踩 {GOOD[:9]} 没修好", MistypedNumber(GOOD[:9])),
        ("赞 13812345678", MistypedNumber("13812345678")),
        ("赞 abcd2340", MistypedNumber("ABCD2340")),
        (f"撤回 {BAD}", MistypedNumber(BAD)),
    ],
)
def test_a_slip_is_said_so_and_never_rates_another_ticket(text: str, said: Said) -> None:
    assert read(text) == said


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("撤回", Command.WITHDRAW),
        (f"撤回 {GOOD}", Command.WITHDRAW),
        (f"撤回{GOOD} 已经好了", Command.WITHDRAW),
        ("申诉", Command.APPEAL),
        (f"申诉 {GOOD} {'我不服' * 60}", Command.APPEAL),
        ("绑定", Command.BIND),
        ("我要下单", Command.ORDER),
        ("另起", Command.SPLIT),
    ],
)
def test_commands_of_later_open_no_ticket(text: str, command: Command) -> None:
    assert read(text) == Later(command)


@pytest.mark.parametrize(
    "text",
    [
        "谢谢",
        "谢谢！🙏🙏",
        "好的，收到，辛苦了",
        "好的谢谢领导",
        "你好",
        "您好，在吗？",
        "嗯",
        "OK 👌🏽",
        "Thank you!",
        "[微笑]",
        "/::)谢谢/:rose",
        "👍",
        "❤️",
        "1️⃣",
        "。。。",
        "",
        " \n\u3000",
        "\ufffd",
    ],
)
def test_courtesies_open_nothing(text: str) -> None:
    assert read(text) == Courtesy()


@pytest.mark.parametrize(
    "text",
    [
        "赞扬一下社区工作人员，冒雨送药",
        "赞助商卷款跑路",
        "踩踏事故，学校门口",
        "踩到狗屎了没人打扫",
        "待办事项太多没人管",
        "待办 的事情拖了半年",
        "已办理的证件一直没寄来",
        "进度太慢了",
        "查一下我的低保",
        "帮助老人修一下水管",
        "申诉：我被错误处罚",
        "撤回不合理的收费",
        "绑定的银行卡领不到补贴",
        "不满意，小区物业乱收费",
        "满意度调查是假的",
        "您好，我家停水了",
        "谢谢，我家停水了",
        "好的路灯被拆了",
        "领导",
        "救命",
        "🆘",
        "[停水]",
        "停水",
        "13812345678",
        "0731840123",
        "123456789",
        f"我的编号是{GOOD}，麻烦看一下",
        f"{GOOD}这个号码一直打骚扰电话",
        f"查询{GOOD}这个单号的快递丢了",
        "查 4001234567 这个电话是诈骗",
        f"赞，{'好' * 61}",
        f"踩 {BAD} {'没修好' * 40}",
        "谢" * 9_000,
        "a" * 9_000,
        "赞 " + "很" * 9_000,
    ],
)
def test_in_doubt_a_text_is_a_matter_with_every_character_of_it(text: str) -> None:
    assert read(text) == Matter(text)


PARTS = st.sampled_from(
    [
        *sorted(phrases.LIKES | phrases.DISLIKES | phrases.PROGRESS | phrases.COURTESIES | phrases.COMPANY),
        *(GOOD, BAD, WIDE, CODE, " ", "，", "\n", "👍", "[强]", "/::)", "申诉", "撤回", "编号", "？", "x", "灯坏了"),
    ]
)


@given(st.text() | st.lists(PARTS | st.text(max_size=3), max_size=12).map("".join))
def test_any_text_has_a_meaning_and_a_matter_keeps_it_whole(text: str) -> None:
    said = read(text)
    assert isinstance(said, Said)
    if isinstance(said, Matter):
        assert said.text == text
    if isinstance(said, Rate):
        assert said.number is None or said.code is None
        assert said.comment is None or said.comment in text


@given(st.text(alphabet="路灯坏了没有人修赞踩谢好的，。 ", min_size=61))
def test_a_long_text_without_a_number_is_never_a_command(text: str) -> None:
    if len(text.strip()) > 60:
        said = read(text)
        assert isinstance(said, Matter) or (isinstance(said, Rate) and len(said.comment or "") <= 60)


def test_no_word_is_a_command_and_a_courtesy_at_once() -> None:
    commands = phrases.LIKES | phrases.DISLIKES | phrases.PROGRESS | phrases.PENDING | phrases.DONE | phrases.HELP
    assert commands & (phrases.COURTESIES | phrases.COMPANY) == set()
    assert not phrases.LIKES & phrases.DISLIKES


@pytest.mark.parametrize("file", ["messages_county.csv", "messages_labelled.csv", "messages_replies.csv"])
def test_real_messages_are_matters(file: str) -> None:
    if not (SHARED / file).exists():
        pytest.skip(f"{file} of the shared data is not on this machine")
    with (SHARED / file).open(encoding="utf-8-sig", newline="") as rows:
        texts = [row[column] for row in csv.DictReader(rows) for column in ("title", "text")]
    assert [text for text in texts if read(text) != Matter(text)] == []
