"""The demo county, as the files anyone would import: real places, units and categories; invented people and accounts.

Its size is the county's own report (domain.md, 1). Everything but the secrets is the same from the same seed. There is
no database code here: the sheets go through the same import as anyone's files.
"""

import csv
import io
import random
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha512
from importlib.resources import files
from string import ascii_letters, digits

from app.demo.homes import homes_of
from app.demo.invented import NAMES, phone_of
from app.demo.meeting import groups, stations
from app.demo.sheets import Row, Sheet, as_csv, at, is_rural
from app.domain.vocabulary import AccountMode, Level, Role

__all__ = ["DemoCounty", "DemoUser", "Row", "Sheet", "as_csv", "generate"]

COURIERS = 1_633
HOUSEHOLDS = 65_031
GRIDS = 1_560
LEAST_GRIDS = 4
"""Per village or community; the rest are dealt out at random, a community being twice as likely to get one."""

CHAIN = {Role.PRINCIPAL: 1, Role.DEPUTY: 1, Role.OFFICER: 1}
DUTIES: Mapping[Level, Mapping[Role, int]] = {
    Level.COUNTY: CHAIN | {Role.ADMINISTRATOR: 3, Role.INSPECTOR: 3, Role.AUDITOR: 2, Role.OPERATOR: 2},
    Level.TOWN: CHAIN | {Role.ADMINISTRATOR: 1, Role.INSPECTOR: 1},
    Level.VILLAGE: {Role.ADMINISTRATOR: 1, Role.PRINCIPAL: 1},
}
COUNTY_UNIT_DUTIES: Mapping[Role, int] = {Role.PRINCIPAL: 1, Role.HANDLER: 2}
STATION_DUTIES: Mapping[Role, int] = {Role.HANDLER: 1}

SHOWN_TOWNS = frozenset({"430121001", "430121105"})
SHOWN_UNITS = frozenset({"U05", "U07", "U10", "U16", "U17", "U18", "U21", "U30"})
SHOWN_STATIONS = frozenset({"S01", "S05", "S07", "S09"})
"""Whose people can sign in, one street and one town: every password costs 18 ms of hashing at the first start."""

PLAIN_TOWN, COMPATIBLE_TOWN = "430121114", "430121116"

STAFF_COLUMNS = ("username", "name", "phone", "role", "division_code", "unit_code", "password")
ACCOUNT_KEYS = ("token", "encoding_aes_key", "secret")
ACCOUNT_COLUMNS = ("appid", "original_id", "name", "division_code", "kind", "certified", "mode", *ACCOUNT_KEYS)

SHORT_ROLE = {Role.ADMINISTRATOR: "admin", Role.INSPECTOR: "insp"}
NUMBERED = frozenset({Role.COURIER, Role.HANDLER, Role.INSPECTOR, Role.AUDITOR, Role.OPERATOR})
"""Roles whose usernames always end in a number; others only from the second at a node on."""

ALPHANUMERICS = ascii_letters + digits

STATIONS = (
    ("S01", "派出所", ()),
    ("S02", "司法所", ()),
    ("S03", "市场监督管理所", ("市场监管所", "工商所", "食药监所")),
    ("S04", "自然资源所", ("国土所", "规划所")),
    ("S05", "综合行政执法大队", ("执法大队", "城管中队", "城管队")),
    ("S06", "卫生院", ()),
    ("S07", "农业综合服务中心", ("农技站", "水利站", "林业站")),
    ("S08", "社会事务综合服务中心", ("民政所", "残联", "退役军人服务站")),
    ("S09", "政务便民服务中心", ("政务中心", "便民服务中心", "办事大厅")),
    ("S10", "应急管理站", ("应急站", "安监站")),
    ("S11", "供电所", ()),
    ("S12", "供水站", ("自来水站", "水厂")),
    ("S13", "中心学校", ("中心校",)),
)
"""Code, name and other names of a town's stations (站所). A street has no S07, and another S06."""
STREET_CLINIC = ("S06", "社区卫生服务中心", ("卫生院", "卫生服务中心"))

Secret = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class DemoUser:
    """Who can sign in: a role at a division or at a unit, never both (the other is None)."""

    username: str
    role: str
    division_code: str | None
    unit_code: str | None
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DemoCounty:
    """The sheets in the order of import, and the people who get a password."""

    sheets: tuple[Sheet, ...]
    users: tuple[DemoUser, ...]


@dataclass(frozen=True, slots=True)
class _Post:
    role: Role
    number: int
    division_code: str = ""
    unit_code: str = ""

    @property
    def username(self) -> str:
        name = f"{SHORT_ROLE.get(self.role, self.role)}-{self.division_code or self.unit_code}"
        return f"{name}-{self.number}" if self.number > 1 or self.role in NUMBERED else name


def generate(seed: int = 430121, *, secret: Secret, households: int = HOUSEHOLDS) -> DemoCounty:
    """Makes the county: places, units, categories, names, urgent words, stations, groups, staff, households, accounts.

    `secret(name)` gives random text (128 bits or more) for each name, as `password:admin-430121` or
    `token:wx0123456789abcdef`; passwords and keys are derived from it, and nothing else is.
    """
    rng = random.Random(seed)  # noqa: S311  a repeatable county; its secrets come from `secret`
    divisions = _with_grids(_packaged("divisions_2017", "divisions"), rng)
    units = _with_stations(_packaged("units", "units"), divisions.rows)
    posts = list(_posts(divisions.rows, units.rows, rng))
    staff, users = _staff(posts, divisions.rows, rng, secret)
    accounts = _accounts(divisions.rows, rng, secret)
    categories, aliases = _packaged("categories", "categories"), _packaged("aliases", "aliases")
    urgent = _packaged("urgent_words", "urgent-words")
    meeting = (stations(divisions.rows, seed), groups(divisions.rows))
    homes = (homes_of(divisions.rows, staff.rows, households, seed),) if households else ()
    return DemoCounty((divisions, units, categories, aliases, urgent, *meeting, staff, *homes, accounts), users)


def _packaged(stem: str, name: str) -> Sheet:
    text = (files("app.demo") / "data" / f"{stem}.csv").read_text(encoding="utf-8-sig")
    reader = csv.DictReader(io.StringIO(text))
    rows = list(reader)
    return Sheet(name, tuple(reader.fieldnames or ()), rows)


def _with_grids(divisions: Sheet, rng: random.Random) -> Sheet:
    villages = at(Level.VILLAGE, divisions.rows)
    weights = [1 if is_rural(village) else 2 for village in villages]
    further = Counter(rng.choices(range(len(villages)), weights, k=GRIDS - LEAST_GRIDS * len(villages)))
    counts = [LEAST_GRIDS + further[index] for index in range(len(villages))]
    blank = dict.fromkeys(divisions.columns, "")
    grids = [blank | _grid(v, n) for v, count in zip(villages, counts, strict=True) for n in range(1, count + 1)]
    return Sheet(divisions.name, divisions.columns, divisions.rows + grids)


def _grid(village: Row, number: int) -> Row:
    name = f"{number}组" if is_rural(village) else f"第{number}网格"
    code = f"{village['code']}{number:03}"
    return {"code": code, "name": name, "level": str(Level.GRID), "parent_code": village["code"]}


def _with_stations(units: Sheet, divisions: Sequence[Row]) -> Sheet:
    stations = [station for town in at(Level.TOWN, divisions) for station in _stations_of(town)]
    return Sheet(units.name, units.columns, units.rows + stations)


def _stations_of(town: Row) -> Iterator[Row]:
    name = town["name"]
    street = name.endswith("街道")
    stem = name.removesuffix("街道").removesuffix("镇")
    for listed in STATIONS:
        if street and listed[0] == "S07":
            continue
        number, station, others = STREET_CLINIC if street and listed[0] == "S06" else listed
        yield {
            "code": town["code"] + number,
            "name": name + station,
            "short_name": stem + station,
            "division_code": town["code"],
            # the town in front, or 派出所 alone would be a name of all eighteen
            "aliases": "|".join(stem + other for other in others),
        }


def _posts(divisions: Sequence[Row], units: Sequence[Row], rng: random.Random) -> Iterator[_Post]:
    grids = [grid["code"] for grid in at(Level.GRID, divisions)]
    shared = frozenset(rng.sample(grids, COURIERS - len(grids)))
    for level, duties in DUTIES.items():
        for division in at(level, divisions):
            yield from _posts_at(duties, division_code=division["code"])
    for unit in units:
        duties = COUNTY_UNIT_DUTIES if unit["code"].startswith("U") else STATION_DUTIES
        yield from _posts_at(duties, unit_code=unit["code"])
    for grid in grids:
        yield from _posts_at({Role.COURIER: 2 if grid in shared else 1}, division_code=grid)


def _posts_at(duties: Mapping[Role, int], *, division_code: str = "", unit_code: str = "") -> Iterator[_Post]:
    for role, count in duties.items():
        yield from (_Post(role, number, division_code, unit_code) for number in range(1, count + 1))


def _staff(
    posts: Sequence[_Post], divisions: Sequence[Row], rng: random.Random, secret: Secret
) -> tuple[Sheet, tuple[DemoUser, ...]]:
    names = rng.sample(NAMES, len(posts))
    phones = rng.sample(range(10**8), len(posts))
    opened = _opened_divisions(divisions)
    rows, users = [], []
    for post, name, number in zip(posts, names, phones, strict=True):
        password = ""
        if _signs_in(post, opened):
            password = _letters(secret(f"password:{post.username}"), 16)
            place = (post.division_code or None, post.unit_code or None)
            users.append(DemoUser(post.username, str(post.role), *place, password))
        row = (post.username, name, phone_of(number), str(post.role), post.division_code, post.unit_code, password)
        rows.append(dict(zip(STAFF_COLUMNS, row, strict=True)))
    return Sheet("staff", STAFF_COLUMNS, rows), tuple(users)


def _opened_divisions(divisions: Sequence[Row]) -> Mapping[str, frozenset[Role]]:
    """Division → the roles there that sign in: the county's, and of each town a line down through its first village to
    that village's first grid (in a street, two); administrators and couriers only, but in the shown towns all."""
    every = frozenset(Role)
    opened: dict[str, frozenset[Role]] = {row["code"]: every for row in at(Level.COUNTY, divisions)}
    first_village: dict[str, str] = {}
    for village in at(Level.VILLAGE, divisions):
        first_village.setdefault(village["parent_code"], village["code"])
    for town in at(Level.TOWN, divisions):
        code = town["code"]
        village_code = first_village[code]
        roles = every if code in SHOWN_TOWNS else frozenset({Role.ADMINISTRATOR})
        grids = ("001", "002") if town["name"].endswith("街道") else ("001",)
        opened |= {code: roles, village_code: roles} | {village_code + grid: every for grid in grids}
    return opened


def _signs_in(post: _Post, opened: Mapping[str, frozenset[Role]]) -> bool:
    if post.unit_code:
        town, station = post.unit_code[:-3], post.unit_code[-3:]
        shown = station in SHOWN_STATIONS if town in SHOWN_TOWNS else post.unit_code in SHOWN_UNITS
        return shown and post.number == 1
    return post.role in opened.get(post.division_code, ())


def _accounts(divisions: Sequence[Row], rng: random.Random, secret: Secret) -> Sheet:
    modes = {PLAIN_TOWN: AccountMode.PLAIN, COMPATIBLE_TOWN: AccountMode.COMPATIBLE}
    rows = []
    for division in at(Level.COUNTY, divisions) + at(Level.TOWN, divisions):
        appid, original = f"wx{rng.getrandbits(64):016x}", f"gh_{rng.getrandbits(48):012x}"
        mode = modes.get(division["code"], AccountMode.SAFE)
        bound = (appid, original, f"{division['name']}民生快递", division["code"], "service", "true", str(mode))
        token, key = _letters(secret(f"token:{appid}"), 32), _aes_key(secret(f"encoding_aes_key:{appid}"))
        row = (*bound, token, key, _letters(secret(f"secret:{appid}"), 32))
        rows.append(dict(zip(ACCOUNT_COLUMNS, row, strict=True)))
    return Sheet("accounts", ACCOUNT_COLUMNS, rows)


def _letters(text: str, length: int) -> str:
    """`length` (at most 80) letters and digits derived one-way from a secret text."""
    number = int.from_bytes(sha512(text.encode()).digest())
    return "".join(ALPHANUMERICS[number // len(ALPHANUMERICS) ** place % len(ALPHANUMERICS)] for place in range(length))


def _aes_key(text: str) -> str:
    """An EncodingAESKey: 43 letters and digits that are 32 bytes in base64. Encoded again, because strict decoders want
    the two bits left over in the last letter to be zero (RFC 4648, 3.5)."""
    return b64encode(b64decode(_letters(text, 43) + "=")).decode()[:43]
