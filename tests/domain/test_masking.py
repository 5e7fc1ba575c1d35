import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import masking
from app.domain.masking import found, scan

MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
ID = st.from_regex(r"[1-6][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}[0-9Xx]", fullmatch=True)
ANYTHING = st.text() | st.text(alphabet="0123456789Xx -（）电话好，\n１３９", max_size=60)


@pytest.mark.parametrize(
    ("name", "shown"), [("欧阳修", "欧**"), ("张三", "张**"), (" 李 ", "李**"), ("", ""), ("  ", "")]
)
def test_a_name_keeps_its_first_character_whatever_its_length(name: str, shown: str) -> None:
    assert masking.name(name) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13812341234", "138****1234"),
        ("+86 138-1234-1234", "138****1234"),
        ("１３８１２３４１２３４", "138****1234"),
        ("0731-84012345", "****45"),
        ("84012345", "****45"),
        ("110", "****"),
        ("不详", "****"),
        ("", ""),
    ],
)
def test_a_mobile_number_keeps_three_and_four_digits_and_any_other_its_last_two(number: str, shown: str) -> None:
    assert masking.phone(number) == shown


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (masking.other, "户号 0430998877", "****77"),
        (masking.id_number, "43012119900101123X", "430*************3X"),
        (masking.id_number, "430121900101123", "430**********23"),
        (masking.id_number, "1234567", "****"),
        (masking.plate, "湘A12345", "****2345"),
        (masking.bank_card, "6222 0212 3456 7890", "****7890"),
        (masking.bank_card, "7890", "****"),
    ],
)
def test_numbers_on_paper_keep_their_ends_only(mask: Callable[[str], str], value: str, shown: str) -> None:
    assert mask(value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("请打13812345678，或13912345678。", "请打138****5678，或139****5678。"),
        ("微信wx13812345678号", "微信wx138****5678号"),
        ("电话+8613812345678", "电话+86138****5678"),
        ("138 1234 5678", "138****5678"),
        ("138-1234-5678/138.1234.5678", "138****5678/138****5678"),
        ("1381 234 5678", "138****5678"),
        ("1 3 8 1 2 3 4 5 6 7 8", "138****5678"),
        ("138\u200b12345678", "138****5678"),
        ("１３８１２３４５６７８", "138****5678"),
        ("座机0731-84012345", "座机****45"),
        ("座机（0731）8401 2345", "座机****45"),
        ("073184012345", "****45"),
        ("联系电话：84012345", "联系电话：****45"),
        ("身份证43012119900101123x", "身份证430*************3x"),
        ("身份证430121 1990 0101 1234", "身份证430*************34"),
        ("老证430121650101123", "老证430**********23"),
        ("卡号6222021234567890123", "卡号****0123"),
        ("卡号6222 0212 3456 7890", "卡号****7890"),
        ("单号20261124138123456789", "单号****6789"),
        ("913812345678", "****78"),
    ],
)
def test_people_are_masked_in_free_text_however_they_are_written(text: str, shown: str) -> None:
    assert scan(text) == shown
    assert found(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "路灯坏了三个月没人修",
        "编号1345678901 3天内办结",
        "2026-11-24 15:30:22，2026-11-24T15:30:22.123456+08:00",
        "区划430121001001，网格430121001001001",
        "请拨打12345、110、119，交费1380元",
        "192.168.10.10:8000",
        "门牌１２３号，全角数字照旧",
        "已经是138****1234",
    ],
)
def test_what_is_nobodys_number_stays_as_it_was(text: str) -> None:
    assert scan(text) == text
    assert not found(text)


def test_only_what_is_masked_changes_its_characters() -> None:
    assert scan("１２３号　电话１３８１２３４５６７８！") == "１２３号　电话138****5678！"


@given(ANYTHING, MOBILE, ANYTHING)
def test_no_mobile_number_is_left_in_any_text(before: str, mobile: str, after: str) -> None:
    assert not re.search(r"1[3-9][0-9]{9}", scan(before + mobile + after))


@given(ANYTHING, ID, ANYTHING)
def test_no_identity_number_is_left_in_any_text(before: str, number: str, after: str) -> None:
    assert number not in scan(before + number + after)
    assert not re.search(r"[0-9]{17}[0-9Xx]", scan(before + number + after))


@given(ANYTHING)
def test_any_text_can_be_scanned_and_loses_nothing_but_digits(text: str) -> None:
    kept = scan(text)
    assert found(text) == (kept != text)
    if not re.search("[0-9０-９]", text):
        assert kept == text
