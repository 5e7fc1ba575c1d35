"""GET /api/v1/rates, with its interface names, for whoever is signed in."""

from dataclasses import fields

import httpx
import pytest

from app.base.db import Database
from app.divisions.service import atlas
from app.domain.counting import Counts
from app.domain.policy import SYSTEM
from tests.api.conftest import SignIn
from tests.rates.counted import LIKED, UNTOUCHED, at, write

COUNTY, TOWN, GRID = "430121", "430121001", "430121001001001"
ASKED = {"division": COUNTY, "from": "2026-08-01", "to": "2026-08-31"}


@pytest.fixture
async def courier(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(f"courier-{GRID}-1")


@pytest.fixture
async def august(database: Database) -> None:
    async with database.open_work(SYSTEM) as work:
        county = (await atlas(work)).county
        bag = [at(county, GRID, LIKED, unit="U05"), at(county, GRID, LIKED), at(county, GRID, UNTOUCHED)]
        await write(work.conn, bag)


@pytest.mark.by_hand
@pytest.mark.usefixtures("august")
async def test_the_answer_has_the_names_of_the_interface(courier: httpx.AsyncClient) -> None:
    answer = await courier.get("/api/v1/rates", params=ASKED)
    assert answer.status_code == 200
    body = answer.json()
    assert body["as_of"] == "2026-09-22T10:00:00+08:00"
    (row,) = body["rows"]
    shares = ("acceptance_rate", "reply_rate", "completion_rate", "on_time_rate")
    expected: dict[str, object] = {
        "code": COUNTY,
        "name": "长沙县",
        "level": "county",
        "rank": None,
        "received": 3,
        "completed": 2,
    }
    expected |= {"likes": 2, "dislikes": 0, "satisfaction_rate": 100.0, "rating_coverage": 100.0}
    expected |= dict.fromkeys(shares, 66.67)
    assert {name: row[name] for name in expected} == expected
    assert {field.name for field in fields(Counts)} <= row.keys()


@pytest.mark.by_hand
@pytest.mark.usefixtures("august")
async def test_levels_and_units(courier: httpx.AsyncClient) -> None:
    towns = (await courier.get("/api/v1/rates", params=ASKED | {"level": "town"})).json()["rows"]
    assert len(towns) == 18
    assert {row["code"]: row["received"] for row in towns if row["received"]} == {TOWN: 3}
    assert {row["completion_rate"] for row in towns if not row["received"]} == {None}
    asked = ASKED | {"level": "unit", "attribution": "handling"}
    units = (await courier.get("/api/v1/rates", params=asked)).json()["rows"]
    assert {row["code"]: (row["level"], row["received"]) for row in units if row["received"]} == {"U05": ("unit", 1)}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"division": "999999"}, "/division"),
        ({"from": "20260801"}, "/from"),
        ({"to": "2026-08-32"}, "/to"),
        ({"level": "street"}, "/level"),
        ({"level": "unit"}, "/level"),
        ({"attribution": "both"}, "/attribution"),
        ({"from": None}, "/from"),
        ({"division": None}, "/division"),
    ],
)
async def test_a_wrong_question_is_a_422_that_names_the_part(
    courier: httpx.AsyncClient, changes: dict[str, str | None], pointer: str
) -> None:
    asked = {name: value for name, value in (ASKED | changes).items() if value is not None}
    answer = await courier.get("/api/v1/rates", params=asked)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_stranger_is_asked_to_sign_in(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/api/v1/rates", params=ASKED)).status_code == 401
