import base64
import csv
import io
import random
from collections import Counter
from itertools import count

import pytest

from app.demo.county import DemoCounty, DemoUser, Row, Sheet, as_csv, generate

SHEETS = (
    *("divisions", "units", "categories", "aliases", "urgent-words"),
    *("stations", "groups", "staff", "households", "accounts"),
)
SECRET_COLUMNS = {"password", "token", "encoding_aes_key", "secret"}

ASSIGNED_PREFIXES = {
    *range(130, 142),
    *range(144, 154),
    *range(155, 160),
    *(162, 165, 166, 167),
    *range(170, 179),
    *range(180, 194),
    *range(195, 200),
}
"""What carriers have, the 13-digit prefixes for things included; 142, 143, 154, 161, 164 and 194 are free."""

SEATS_WITH_A_LOGIN = {
    *(("administrator", seat) for seat in ("county", "town", "village")),
    *(("principal", seat) for seat in ("county", "town", "village", "unit of county")),
    *((role, seat) for role in ("deputy", "officer", "inspector") for seat in ("county", "town")),
    *((role, "county") for role in ("auditor", "operator")),
    *(("handler", seat) for seat in ("unit of county", "unit of town")),
    ("courier", "grid"),
}


FEW = 3_120
"""Households where it is not about how many: all of them take half a second each time."""


def secrets_from(seed: int) -> DemoCounty:
    return generate(secret=lambda name: f"{name}, known only to installation {seed}", households=FEW)


@pytest.fixture(scope="module")
def county() -> DemoCounty:
    return secrets_from(1)


def rows(county: DemoCounty, name: str) -> list[Row]:
    return next(sheet.rows for sheet in county.sheets if sheet.name == name)


def divisions_by_code(county: DemoCounty) -> dict[str, Row]:
    return {row["code"]: row for row in rows(county, "divisions")}


def units_by_code(county: DemoCounty) -> dict[str, Row]:
    return {row["code"]: row for row in rows(county, "units")}


def of_role(county: DemoCounty, role: str) -> list[Row]:
    return [row for row in rows(county, "staff") if row["role"] == role]


def is_rural(village: Row) -> bool:
    assert village["name"].endswith(("村委会", "村", "居委会", "社区")), village["name"]
    return village["name"].endswith(("村委会", "村"))


def seat_of(county: DemoCounty, user: DemoUser) -> str:
    places = divisions_by_code(county)
    if user.unit_code:
        return f"unit of {places[units_by_code(county)[user.unit_code]['division_code']]['level']}"
    assert user.division_code is not None
    return places[user.division_code]["level"]


def without_secrets(county: DemoCounty) -> list[tuple[str, list[Row]]]:
    return [(s.name, [{k: v for k, v in r.items() if k not in SECRET_COLUMNS} for r in s.rows]) for s in county.sheets]


def test_sheets_come_in_the_order_of_import(county: DemoCounty) -> None:
    assert tuple(sheet.name for sheet in county.sheets) == SHEETS


def test_columns_are_those_of_the_import_files(county: DemoCounty) -> None:
    columns = {sheet.name: ",".join(sheet.columns) for sheet in county.sheets}
    assert columns["divisions"] == "code,name,level,parent_code,short_name,aliases,lat,lon"
    assert columns["units"] == "code,name,short_name,division_code,aliases"
    assert columns["staff"] == "username,name,phone,role,division_code,unit_code,password"
    assert columns["accounts"] == (
        "appid,original_id,name,division_code,kind,certified,mode,token,encoding_aes_key,secret"
    )
    assert columns["households"] == "grid_code,head_name,phone,address,courier_username,in_difficulty"
    assert columns["stations"] == "division_code,name,address,hours,phone,lat,lon,datum"
    assert columns["groups"] == "division_code,name,kind,robot_url"
    assert columns["categories"].startswith("code,name,parent_code,level,kind_hint,lowest_level,unit,")
    assert columns["aliases"].startswith("alias,division_code")


def test_every_row_has_exactly_the_columns_of_its_sheet(county: DemoCounty) -> None:
    assert {s.name: {tuple(row) for row in s.rows} for s in county.sheets} == {
        s.name: {s.columns} for s in county.sheets
    }


def test_the_county_has_the_sizes_of_its_own_report(county: DemoCounty) -> None:
    places = rows(county, "divisions")
    assert Counter(row["level"] for row in places) == {"county": 1, "town": 18, "village": 197, "grid": 1_560}
    assert Counter(row["name"][-1] for row in places if row["level"] == "town") == {"镇": 13, "道": 5}
    assert Counter(is_rural(row) for row in places if row["level"] == "village") == {True: 114, False: 83}
    assert len(of_role(county, "courier")) == 1_633
    assert len(of_role(county, "administrator")) == 218
    assert len(rows(county, "accounts")) == 19


def test_parents_stand_before_their_children_one_level_up(county: DemoCounty) -> None:
    levels = ["county", "town", "village", "grid"]
    seen: dict[str, str] = {}
    for row in rows(county, "divisions"):
        if row["level"] == "county":
            assert row["parent_code"] == ""
        else:
            assert seen[row["parent_code"]] == levels[levels.index(row["level"]) - 1]
            assert row["code"].startswith(row["parent_code"])
        seen[row["code"]] = row["level"]


def test_grids_are_numbered_from_one_and_named_for_their_kind_of_village(county: DemoCounty) -> None:
    places = divisions_by_code(county)
    numbers: dict[str, count[int]] = {}
    for grid in (row for row in places.values() if row["level"] == "grid"):
        village = places[grid["parent_code"]]
        number = next(numbers.setdefault(village["code"], count(1)))
        assert grid["code"] == f"{village['code']}{number:03}"
        assert grid["name"] == (f"{number}组" if is_rural(village) else f"第{number}网格")
    assert len(numbers) == 197


def test_every_grid_has_one_or_two_couriers(county: DemoCounty) -> None:
    grids = {row["code"] for row in rows(county, "divisions") if row["level"] == "grid"}
    couriers = Counter(row["division_code"] for row in of_role(county, "courier"))
    assert set(couriers) == grids
    assert Counter(couriers.values()) == {1: 1_487, 2: 73}


def test_administrators_hold_the_county_and_each_town_and_village(county: DemoCounty) -> None:
    held = Counter(row["division_code"] for row in of_role(county, "administrator"))
    upper = {row["code"] for row in rows(county, "divisions") if row["level"] != "grid"}
    assert set(held) == upper
    assert {code: n for code, n in held.items() if n > 1} == {"430121": 3}


def test_every_unit_has_a_handler(county: DemoCounty) -> None:
    assert {row["unit_code"] for row in of_role(county, "handler")} == set(units_by_code(county))


def test_a_principal_answers_for_every_county_unit_town_and_village(county: DemoCounty) -> None:
    principals = of_role(county, "principal")
    upper = {row["code"] for row in rows(county, "divisions") if row["level"] != "grid"}
    assert {row["division_code"] for row in principals} - {""} == upper
    assert {row["unit_code"] for row in principals} - {""} == {f"U{n:02}" for n in range(1, 44)}


def test_a_street_has_a_community_clinic_and_no_farm_station(county: DemoCounty) -> None:
    units = units_by_code(county)
    assert units["430121001S06"]["name"] == "星沙街道社区卫生服务中心"
    assert "430121001S07" not in units
    assert units["430121105S06"]["name"] == "黄花镇卫生院"
    assert units["430121105S07"]["name"] == "黄花镇农业综合服务中心"
    assert units["430121105S07"]["division_code"] == "430121105"


def test_units_are_the_countys_and_each_towns_stations(county: DemoCounty) -> None:
    assert Counter(row["division_code"] == "430121" for row in rows(county, "units")) == {True: 43, False: 229}
    stations = Counter(row["division_code"] for row in rows(county, "units") if row["division_code"] != "430121")
    assert all(n == (12 if code < "430121100" else 13) for code, n in stations.items())
    assert len(stations) == 18


def test_no_name_of_a_station_means_two_units(county: DemoCounty) -> None:
    names = Counter(
        name
        for row in rows(county, "units")
        for name in {row["name"], row["short_name"], *row["aliases"].split("|")} - {""}
    )
    assert [name for name, n in names.items() if n > 1] == []


def test_every_reference_resolves(county: DemoCounty) -> None:
    places, units = divisions_by_code(county), units_by_code(county)
    for sheet in ("units", "aliases", "stations", "groups", "accounts"):
        assert {row["division_code"] for row in rows(county, sheet)} <= set(places)
    for row in rows(county, "staff"):
        assert (row["division_code"] in places) != (row["unit_code"] in units), row["username"]
    unit_names = {row["name"] for row in units.values()}
    categories = rows(county, "categories")
    assert {row["unit"] for row in categories} - {""} <= unit_names
    assert {row["parent_code"] for row in categories} - {""} <= {row["code"] for row in categories}


def test_nothing_that_identifies_is_given_twice(county: DemoCounty) -> None:
    keys = [("divisions", "code"), ("units", "code"), ("categories", "code")]
    keys += [("staff", column) for column in ("username", "name", "phone")]
    keys += [("accounts", column) for column in ("appid", "original_id", "division_code", "token", "encoding_aes_key")]
    for sheet, column in keys:
        repeated = [value for value, n in Counter(row[column] for row in rows(county, sheet)).items() if n > 1]
        assert repeated == [], (sheet, column)


def test_no_phone_can_be_anyones(county: DemoCounty) -> None:
    for row in rows(county, "staff") + rows(county, "households") + rows(county, "stations"):
        assert len(row["phone"]) == 11
        assert row["phone"].isdecimal()
        assert int(row["phone"][:3]) not in ASSIGNED_PREFIXES
        assert row["phone"][:2] not in {"10", "11", "12"}, "a service may answer"


def test_no_name_can_be_anyones(county: DemoCounty) -> None:
    names = [row["name"] for row in rows(county, "staff")] + [row["head_name"] for row in rows(county, "households")]
    odd = [name for name in names if not set("演示") < set(name[1:])]
    assert odd == []


def test_system_and_audit_are_different_people(county: DemoCounty) -> None:
    people = {role: {row["name"] for row in of_role(county, role)} for role in ("operator", "auditor", "administrator")}
    assert [len(names) for names in people.values()] == [2, 2, 218]
    assert len(set.union(*people.values())) == 222


def test_usernames_say_role_and_place(county: DemoCounty) -> None:
    usernames = {row["username"] for row in rows(county, "staff")}
    assert usernames >= {"admin-430121", "admin-430121-3", "admin-430121001", "admin-430121001001", "insp-430121-1"}
    assert usernames >= {"courier-430121001003001-1", "handler-U05-1", "handler-430121001S05-1", "principal-U05"}
    assert usernames >= {"auditor-430121-1", "operator-430121-2", "deputy-430121", "officer-430121105"}


def test_every_role_at_every_level_where_it_makes_sense_can_sign_in(county: DemoCounty) -> None:
    assert {(user.role, seat_of(county, user)) for user in county.users} == SEATS_WITH_A_LOGIN


def test_all_administrators_of_county_and_towns_can_sign_in(county: DemoCounty) -> None:
    can = {user.division_code for user in county.users if user.role == "administrator"}
    towns = {row["code"] for row in rows(county, "divisions") if row["level"] == "town"}
    assert towns <= can
    assert sum(user.division_code == "430121" for user in county.users if user.role == "administrator") == 3


def test_couriers_of_twenty_grids_in_all_towns_can_sign_in(county: DemoCounty) -> None:
    grids = {user.division_code or "" for user in county.users if user.role == "courier"}
    assert len(grids) >= 20
    assert len({grid[:9] for grid in grids}) == 18


def test_above_each_courier_who_can_sign_in_so_can_the_villages_administrator(county: DemoCounty) -> None:
    administered = {user.division_code for user in county.users if user.role == "administrator"}
    assert [
        u.username for u in county.users if u.role == "courier" and (u.division_code or "")[:12] not in administered
    ] == []


def test_handlers_of_several_units_and_stations_can_sign_in(county: DemoCounty) -> None:
    seats = Counter(seat_of(county, user) for user in county.users if user.role == "handler")
    assert seats["unit of county"] >= 5
    assert seats["unit of town"] >= 5


def test_few_enough_passwords_to_hash_at_the_first_start(county: DemoCounty) -> None:
    assert 80 <= len(county.users) <= 110


def test_the_users_are_just_the_staff_with_a_password(county: DemoCounty) -> None:
    listed = {(u.username, u.role, u.division_code or "", u.unit_code or "", u.password) for u in county.users}
    columns = ("username", "role", "division_code", "unit_code", "password")
    assert listed == {tuple(row[c] for c in columns) for row in rows(county, "staff") if row["password"]}
    assert len({user.password for user in county.users}) == len(county.users)


def test_a_users_password_is_not_shown_by_accident(county: DemoCounty) -> None:
    assert county.users[0].password not in repr(county.users[0])


def test_one_account_is_plain_one_compatible_the_rest_safe(county: DemoCounty) -> None:
    accounts = rows(county, "accounts")
    assert Counter(row["mode"] for row in accounts) == {"safe": 17, "plain": 1, "compatible": 1}
    assert {row["division_code"]: row["mode"] for row in accounts}["430121"] == "safe"
    upper = {row["code"] for row in rows(county, "divisions") if row["level"] in {"county", "town"}}
    assert {row["division_code"] for row in accounts} == upper


def test_accounts_look_like_wechats(county: DemoCounty) -> None:
    for row in rows(county, "accounts"):
        assert row["appid"].startswith("wx")
        assert len(bytes.fromhex(row["appid"][2:])) == 8
        assert row["original_id"].startswith("gh_")
        assert len(bytes.fromhex(row["original_id"][3:])) == 6
        assert (row["kind"], row["certified"]) == ("service", "true")
        assert 3 <= len(row["token"]) <= 32
        assert row["token"].isascii()
        assert row["token"].isalnum()


@pytest.mark.parametrize("installation", range(3))
def test_aes_keys_are_43_letters_and_digits_that_are_32_bytes_to_strict_decoders_too(installation: int) -> None:
    for row in rows(secrets_from(installation), "accounts"):
        key = row["encoding_aes_key"]
        assert len(key) == 43
        assert key.isascii()
        assert key.isalnum()
        decoded = base64.b64decode(key + "=", validate=True)
        assert len(decoded) == 32
        assert base64.b64encode(decoded).decode() == key + "="


def test_the_same_seed_gives_the_same_county() -> None:
    assert secrets_from(1) == secrets_from(1)


def test_another_installation_differs_in_its_secrets_only(county: DemoCounty) -> None:
    other = secrets_from(2)
    assert without_secrets(other) == without_secrets(county)
    assert {user.password for user in other.users}.isdisjoint({user.password for user in county.users})
    for column in ("token", "encoding_aes_key", "secret"):
        theirs = {row[column] for row in rows(other, "accounts")}
        assert theirs.isdisjoint({row[column] for row in rows(county, "accounts")})


def test_another_seed_gives_other_people_in_the_same_places(county: DemoCounty) -> None:
    other = generate(7, secret=lambda name: name, households=FEW)
    assert rows(other, "units") == rows(county, "units")
    assert [row["name"] for row in rows(other, "staff")] != [row["name"] for row in rows(county, "staff")]
    assert len(of_role(other, "courier")) == 1_633


def test_generating_leaves_the_global_random_alone() -> None:
    before = random.getstate()
    secrets_from(1)
    assert random.getstate() == before


def test_csv_gives_the_rows_back(county: DemoCounty) -> None:
    for sheet in county.sheets:
        assert list(csv.DictReader(io.StringIO(as_csv(sheet)))) == sheet.rows


def test_csv_keeps_commas_quotes_and_line_breaks() -> None:
    row = {"name": '他说："好, 行"\n完', "note": ""}
    text = as_csv(Sheet("notes", ("name", "note"), [row]))
    assert text.startswith("name,note\n")
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == [row]
