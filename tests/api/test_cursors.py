"""Cursors: nobody reads them, nobody makes them, every process of the installation opens them."""

import base64
import json
from datetime import datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base.secrets import Vault
from app.domain.errors import Invalid
from app.domain.vocabulary import SHANGHAI
from app.web import cursors
from tests.api.conftest import SignIn
from tests.conftest import SECRET_KEY

MARK = (datetime(2026, 9, 22, 10, 0, 0, 123456, SHANGHAI), 7)


def old(*values: object) -> str:
    """A cursor as it was made when it was only encoded."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def test_another_process_with_the_same_key_opens_it(vault: Vault) -> None:
    sealed = cursors.encode(Vault(SECRET_KEY), MARK)
    assert sealed is not None
    assert cursors.decode(vault, sealed) == MARK
    with pytest.raises(Invalid):
        cursors.decode(Vault("another installation's key, 32 or more"), sealed)
    assert (cursors.encode(vault, None), cursors.decode(vault, None)) == (None, None)


def test_nothing_can_be_told_from_it_not_even_how_long_the_id_is(vault: Vault) -> None:
    made = [
        cursors.encode(vault, (moment, row)) or ""
        for row in (1, 10**12)
        for moment in (MARK[0], datetime(2999, 1, 1, tzinfo=SHANGHAI))
    ]
    assert len({len(one) for one in made}) == 1
    assert b"2026" not in base64.urlsafe_b64decode(made[0])
    assert cursors.encode(vault, MARK) != cursors.encode(vault, MARK)


@pytest.mark.parametrize(
    "made",
    [
        "",
        "xx",
        "中文",
        "A" * 5000,
        old("2026-09-22T10:00:00", 1),
        old("2026-09-22T10:00:00+08:00", 1),
        base64.urlsafe_b64encode(b'["2026-09-22T10:00:00+08:00", 1e400]').decode(),
        old("2026-09-22T10:00:00+08:00", 10**30),
    ],
)
async def test_what_we_did_not_make_is_a_clear_error(sign_in: SignIn, made: str) -> None:
    for username, path in (
        ("admin-430121", "/api/v1/tickets"),
        ("courier-430121001001001-1", "/api/v1/courier/tickets"),
    ):
        answer = await (await sign_in(username)).get(path, params={"cursor": made})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/cursor.invalid")
        assert "第一页" in answer.json()["detail"]


@given(at=st.integers(0, 200), by=st.integers(1, 255))
def test_a_changed_one_is_refused(vault: Vault, at: int, by: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(cursors.encode(vault, MARK) or ""))
    raw[at % len(raw)] ^= by
    with pytest.raises(Invalid):
        cursors.decode(vault, base64.urlsafe_b64encode(bytes(raw)).decode())


async def test_the_courier_turns_pages_too(sign_in: SignIn) -> None:
    admin = await sign_in("admin-430121001001")
    body = {"description": "垃圾没人清", "channel": "group", "category": "C0103", "division_code": "430121001001001"}
    numbers = {(await admin.post("/api/v1/tickets", json=body)).json()["number"] for _ in range(3)}
    courier = await sign_in("courier-430121001001001-1")
    seen: list[str] = []
    query: httpx.QueryParams | None = httpx.QueryParams(limit=1)
    while query is not None:
        page = (await courier.get("/api/v1/courier/tickets", params=query)).json()
        seen += [item["number"] for item in page["items"]]
        query = httpx.QueryParams(limit=1, cursor=page["next_cursor"]) if page["next_cursor"] else None
    assert (len(seen), set(seen)) == (3, numbers)
