"""What is read out of a message that is no proper XML, in a time that grows as the message does and no faster."""

import time
from collections.abc import Callable

import pytest

from app.tickets import raw
from tests.wechat.line import OPENID

TEXT = "<MsgType>text</MsgType>"
ONE = 14 * 1024
"""Characters of the shorter message; the longer ones are those that took seconds once."""
Read = Callable[[str], object]


def least(read: Read, whole: str) -> float:
    """Seconds of this process that reading takes, the least of several times."""
    found = []
    for _ in range(7):
        begun = time.process_time()
        for _ in range(5):
            read(whole)
        found.append(time.process_time() - begun)
    return min(found)


@pytest.mark.parametrize(
    ("again", "last", "read"),
    [
        ("<FromUserName>", "", lambda whole: raw.anonymous(whole, None)),
        ("<MsgType><![CDATA[", "", raw.text_of),
        ("<MsgType><![CDATA[", "]]>", raw.text_of),
        ("<MsgType>", "", raw.text_of),
        ("<MsgType>x", "", raw.text_of),
        ("<MsgType><![CDATA[x]]>", "", raw.text_of),
        (f"{TEXT}<Content><![CDATA[", "]]>", raw.text_of),
        (f"{TEXT}<Content>&lt;", "", raw.text_of),
    ],
)
def test_four_times_the_size_takes_some_four_times_as_long(again: str, last: str, read: Read) -> None:
    short, long = (again * (size // len(again)) + last for size in (ONE, 4 * ONE))
    # Sixteen times is what a search that begins anew at each opening takes.
    assert least(read, long) <= 9 * least(read, short) + 0.001


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("路灯坏了", "路灯坏了"),
        ("<![CDATA[路灯 <b> 坏了]]>", "路灯 <b> 坏了"),
        ("前&lt;&amp;<![CDATA[&lt;]]]]><![CDATA[>]]>后", "前<&&lt;]]>后"),
        ("<![CDATA[</Content>]]>", "</Content>"),
        ("\x01\ufffe", "\ufffd\ufffd"),
        ("", None),
        ("<![CDATA[]]>", None),
        ("<b>路灯</b>", None),
        ("<![CDATA[路灯", None),
    ],
)
def test_words_are_made_out_or_none(content: str, said: str | None) -> None:
    assert raw.text_of(f"<xml>{TEXT}<Content>{content}</Content>") == said
    assert raw.text_of(f"<xml><Content>{content}</Content>") is None


def test_behind_one_that_is_not_closed_another_is_found() -> None:
    assert raw.text_of(f"<Content>half<Content><![CDATA[<Content>]]><x>{TEXT}<Content>whole</Content>") == "whole"
    assert raw.text_of(f"{TEXT}<Content><![CDATA[half<Content>whole</Content>") == "whole"


def test_every_sender_is_hidden_and_whatever_looks_like_one() -> None:
    whole = f"<FromUserName>a</FromUserName>({OPENID})<FromUserName><![CDATA[b]]></FromUserName>(short)<FromUserName>"
    one = "<FromUserName>（openid）</FromUserName>"
    assert raw.anonymous(whole, "short") == f"{one}(（openid）){one}(（openid）)<FromUserName>"
