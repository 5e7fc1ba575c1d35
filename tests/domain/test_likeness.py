"""The same text is found again by its keys, the same matter by what both say."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.likeness import Candidate, keys, ranked

LAMP = "泉星社区小区门口的路灯坏了三天，晚上很黑，老人出门不方便，请尽快派人维修"


def a(number: int, text: str, category: int | None = 1, village: int | None = 1) -> Candidate:
    return Candidate(number, text, category, village)


@given(st.text())
def test_keys_are_of_the_text_alone_and_fit_64_bits(text: str) -> None:
    found = keys(text)
    assert found == keys(text)
    assert len(found) in {0, 8}
    assert all(-(2**63) <= key < 2**63 for key in found)


@given(st.text(alphabet="泉塘街道社区路灯坏了请修", min_size=4), st.sampled_from(("，", " ", "\n", "！！", "　")))
def test_punctuation_and_space_say_nothing(text: str, mark: str) -> None:
    assert keys(f"{mark}{text}{mark}") == keys(text)


def test_nearly_the_same_text_shares_a_key_and_another_does_not() -> None:
    again = LAMP.replace("三天", "四天")
    other = "我想咨询一下办理居住证需要带哪些材料，周末窗口上班吗"
    assert set(keys(LAMP)) & set(keys(again))
    assert not set(keys(LAMP)) & set(keys(other))


def test_what_says_too_little_has_no_keys() -> None:
    assert keys("路灯") == keys("！！！") == ()


def test_the_same_matter_in_other_words_comes_before_another_matter() -> None:
    words = "小区门口路灯坏了好几天，晚上太黑，老人出门不方便"
    found = ranked(a(0, LAMP), [a(1, "垃圾堆了一周没人清运，苍蝇很多"), a(2, words), a(3, LAMP)], 5)
    assert [one.id for one in found] == [3, 2]
    assert found[0].why.startswith("内容几乎相同")
    assert found[1].why == "内容相近，同一村社区，同一分类"


def test_of_equal_texts_the_same_place_and_category_come_first_and_no_more_than_asked_for() -> None:
    far = [a(n, LAMP, category=None, village=None) for n in range(1, 8)]
    found = ranked(a(0, LAMP), [*far, a(9, LAMP)], 3)
    assert [one.id for one in found] == [9, 1, 2]
