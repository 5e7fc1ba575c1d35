import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.passwords import hashed, weakness
from app.people.service import HASHER


@pytest.mark.parametrize("password", ["eleven char", "p" * 11, "x1" * 65])
def test_a_password_has_12_to_128_characters(password: str) -> None:
    assert "12 到 128" in (weakness(password, "kd-1") or "")


@pytest.mark.parametrize("password", ["admin-430121", "ADMIN-430121", "admin-430121123", "admin-430121admin-430121"])
def test_a_password_is_not_made_of_the_username(password: str) -> None:
    assert weakness(password, "admin-430121") == "密码不能由用户名组成"


@pytest.mark.parametrize("password", ["123456789012", "Password1234", "aaaaaaaaaaaa", "ababababababab"])
def test_a_common_password_is_refused(password: str) -> None:
    assert weakness(password, "kd-1") == "密码太常见，容易被猜中，请换一个"


@pytest.mark.parametrize(
    "password", ["correct horse battery", "湘江北去橘子洲头看万山红遍", "zq8 dkf-0xPw", "x1y2" * 32]
)
def test_a_long_and_own_password_will_do(password: str) -> None:
    assert weakness(password, "kd-1") is None


@given(st.text(), st.text(min_size=2))
def test_a_reason_never_quotes_the_password(password: str, username: str) -> None:
    reason = weakness(password, username)
    assert reason is None or len(password) < 4 or password not in reason


async def test_only_what_has_changed_is_hashed_anew() -> None:
    stored = {"kept": HASHER.hash("the same as before"), "changed": HASHER.hash("what it was"), "broken": "no hash"}
    wanted = {
        "kept": "the same as before",
        "changed": "what it is now",
        "broken": "what it is",
        "new": "of the new one",
    }
    counted: list[int] = []
    found = await hashed(wanted, stored, counted.append)
    assert found["kept"] == stored["kept"]
    assert all(HASHER.verify(found[name], word) for name, word in wanted.items())
    assert counted == [1, 2, 3, 4]
