"""Where the demo county meets its people: stations and chat groups of every level. All of them are invented."""

import math
import random
from collections.abc import Mapping, Sequence

from app.demo.invented import phone_of
from app.demo.sheets import Row, Sheet, spoken_path
from app.domain.vocabulary import Datum, GroupKind, Level

STATION_COLUMNS = ("division_code", "name", "address", "hours", "phone", "lat", "lon", "datum")
GROUP_COLUMNS = ("division_code", "name", "kind", "robot_url")
_CALLED: Mapping[str, str] = {
    Level.COUNTY: "民生快递办公室",
    Level.TOWN: "民生快递服务中心",
    Level.VILLAGE: "民生快递服务站",
    Level.GRID: "民生快递服务点",
}
_HOURS: Mapping[str, str] = {
    Level.COUNTY: "工作日 9:00–12:00，13:30–17:30",
    Level.TOWN: "工作日 9:00–12:00，13:30–17:30",
    Level.VILLAGE: "每天 8:30–17:30",
    Level.GRID: "随时，请先打电话",
}
_TOWNS: Mapping[str, tuple[float, float]] = {
    "430121001": (28.25, 113.08), "430121002": (28.22, 113.10), "430121003": (28.28, 113.04),
    "430121004": (28.19, 113.11), "430121005": (28.25, 113.12), "430121102": (28.14, 113.11),
    "430121104": (28.14, 113.33), "430121105": (28.24, 113.20), "430121106": (28.29, 113.24),
    "430121107": (28.34, 113.17), "430121108": (28.41, 113.27), "430121109": (28.46, 113.35),
    "430121110": (28.52, 113.36), "430121111": (28.53, 113.20), "430121112": (28.45, 113.12),
    "430121113": (28.37, 113.06), "430121114": (28.41, 113.00), "430121116": (28.60, 113.22),
}  # fmt: skip
"""Latitude and longitude in degrees, to a few kilometres; what lies in a town is put around it."""
_SPREAD: Mapping[str, float] = {Level.VILLAGE: 2.0, Level.GRID: 0.4}
"""Kilometres at most from the town's or the village's station."""
_DEGREE = 111.2
"""Kilometres of latitude."""


def stations(divisions: Sequence[Row], seed: int) -> Sheet:
    """One of every division: 办, 中心, 站, 点."""
    rng = random.Random(f"{seed} stations")  # noqa: S311  a repeatable county
    by_code = {row["code"]: row for row in divisions}
    numbers = iter(rng.sample(range(10**8), len(divisions)))
    points: dict[str, tuple[float, float]] = {}
    rows = []
    for division in divisions:
        place, level = spoken_path(division, by_code), division["level"]
        points[division["code"]] = point = _point(division, points, rng)
        cells = (
            *(division["code"], place + _CALLED[level], place, _HOURS[level], phone_of(next(numbers))),
            *(f"{point[0]:.5f}", f"{point[1]:.5f}", str(Datum.WGS84)),
        )
        rows.append(dict(zip(STATION_COLUMNS, cells, strict=True)))
    return Sheet("stations", STATION_COLUMNS, rows)


def groups(divisions: Sequence[Row]) -> Sheet:
    """A WeChat group of every division, and a WeCom group of the county and each town: without a robot, since a demo
    calls nobody outside."""
    by_code = {row["code"]: row for row in divisions}
    rows = []
    for division in divisions:
        place = spoken_path(division, by_code)
        named = [(f"{place}民生快递群", GroupKind.WECHAT)]
        if division["level"] in {Level.COUNTY, Level.TOWN}:
            named.append((f"{place}民生快递工作群", GroupKind.WECOM))
        rows += [dict(zip(GROUP_COLUMNS, (division["code"], name, str(kind), ""), strict=True)) for name, kind in named]
    return Sheet("groups", GROUP_COLUMNS, rows)


def _point(division: Row, points: Mapping[str, tuple[float, float]], rng: random.Random) -> tuple[float, float]:
    if division["level"] == Level.COUNTY:
        return _TOWNS["430121001"]
    if division["level"] == Level.TOWN:
        return _TOWNS[division["code"]]
    lat, lon = points[division["parent_code"]]
    # The root spreads them evenly over the circle.
    away, turn = _SPREAD[division["level"]] * math.sqrt(rng.random()) / _DEGREE, rng.uniform(0, 2 * math.pi)
    return lat + away * math.cos(turn), lon + away * math.sin(turn) / math.cos(math.radians(lat))
