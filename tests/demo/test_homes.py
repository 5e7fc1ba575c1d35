"""The demo's households, stations and groups."""

import math
from collections import Counter

import pytest

from app.demo.county import DemoCounty, Row, Sheet, generate

SECRET_COLUMNS = {"password", "token", "encoding_aes_key", "secret"}


@pytest.fixture(scope="module")
def whole() -> DemoCounty:
    """With all its households."""
    return generate(secret=lambda name: name)


def rows(county: DemoCounty, name: str) -> list[Row]:
    return next(sheet.rows for sheet in county.sheets if sheet.name == name)


def divisions_by_code(county: DemoCounty) -> dict[str, Row]:
    return {row["code"]: row for row in rows(county, "divisions")}


def test_every_household_of_the_report_has_a_courier_of_its_grid(whole: DemoCounty) -> None:
    homes = rows(whole, "households")
    assert len(homes) == 65_031
    seats = {row["username"]: row["division_code"] for row in rows(whole, "staff") if row["role"] == "courier"}
    assert all(seats[row["courier_username"]] == row["grid_code"] for row in homes)
    load = Counter(row["courier_username"] for row in homes)
    assert set(load) == set(seats)
    assert max(load.values()) <= 80


def test_about_one_household_in_twenty_is_in_difficulty_in_every_town(whole: DemoCounty) -> None:
    homes = rows(whole, "households")
    hard = Counter(row["grid_code"][:9] for row in homes if row["in_difficulty"] == "true")
    assert 0.04 <= hard.total() / len(homes) <= 0.06
    assert len(hard) == 18


def test_no_household_is_written_twice_nor_two_phones(whole: DemoCounty) -> None:
    homes = rows(whole, "households")
    assert len({(row["grid_code"], row["head_name"], row["address"]) for row in homes}) == len(homes)
    assert len({row["phone"] for row in homes + rows(whole, "staff")}) == len(homes) + len(rows(whole, "staff"))


def test_fewer_households_leave_all_else_as_it_is(demo: DemoCounty, whole: DemoCounty) -> None:
    assert {s.name: s.rows for s in without_households(demo)} == {s.name: s.rows for s in without_households(whole)}
    none = generate(secret=lambda name: name, households=0)
    assert [sheet.name for sheet in none.sheets] == [sheet.name for sheet in demo.sheets if sheet.name != "households"]
    assert {row["grid_code"] for row in rows(demo, "households")} == {
        row["code"] for row in rows(demo, "divisions") if row["level"] == "grid"
    }


def without_households(county: DemoCounty) -> list[Sheet]:
    """The sheets beside, without what is an installation's own."""
    kept = [sheet for sheet in county.sheets if sheet.name != "households"]
    bare = [[{k: v for k, v in row.items() if k not in SECRET_COLUMNS} for row in sheet.rows] for sheet in kept]
    return [Sheet(sheet.name, sheet.columns, rows) for sheet, rows in zip(kept, bare, strict=True)]


def test_every_division_has_a_station_called_as_its_level_and_a_group(demo: DemoCounty) -> None:
    places = divisions_by_code(demo)
    called = {"county": "办公室", "town": "中心", "village": "站", "grid": "点"}
    stations = rows(demo, "stations")
    assert [row["division_code"] for row in stations] == list(places)
    assert all(row["name"].endswith(called[places[row["division_code"]]["level"]]) for row in stations)
    groups = rows(demo, "groups")
    assert {row["division_code"] for row in groups if row["kind"] == "wechat"} == set(places)
    work = Counter(places[row["division_code"]]["level"] for row in groups if row["kind"] == "wecom")
    assert work == {"county": 1, "town": 18}
    # A demo calls nobody outside.
    assert {row["robot_url"] for row in groups} == {""}
    for sheet in (stations, groups):
        assert len({(row["division_code"], row["name"]) for row in sheet}) == len(sheet)


def test_a_station_lies_near_the_one_above_it(demo: DemoCounty) -> None:
    at = {row["division_code"]: (float(row["lat"]), float(row["lon"])) for row in rows(demo, "stations")}
    kilometres = {"village": 2.01, "grid": 0.41}
    for code, place in divisions_by_code(demo).items():
        if place["level"] in kilometres:
            (lat, lon), (above_lat, above_lon) = at[code], at[place["parent_code"]]
            east = (lon - above_lon) * math.cos(math.radians(lat))
            assert math.hypot(lat - above_lat, east) * 111.2 < kilometres[place["level"]], code
    assert len(set(at.values())) == len(at) - 1, "the county's lies with its seat, 星沙"
