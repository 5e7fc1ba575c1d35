"""The county of app/demo/data as the rules see it, with invented ids: for tests of pure functions."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path

from app.domain.county import Alias, Category, County, Division, Sign, Unit, UrgentWord
from app.domain.limits import Rules
from app.domain.vocabulary import DayRule, Kind, Level

APP = Path(__file__).parents[2] / "app"
DATA = APP / "demo" / "data"
GRIDS = 3
"""Per village, so that every village has a known grid and others."""
CONFIDENTIAL = "C1304"
"""反映干部作风: always confidential (domain.md, 2)."""
STATIONS = {
    "S01": "派出所",
    "S02": "司法所",
    "S03": "市场监督管理所",
    "S04": "自然资源所",
    "S05": "综合行政执法大队",
    "S06": "卫生院",
    "S07": "农业综合服务中心",
    "S08": "社会事务综合服务中心",
    "S09": "政务便民服务中心",
    "S10": "应急管理站",
    "S11": "供电所",
    "S12": "供水站",
    "S13": "中心学校",
}

Row = dict[str, str]


def rows_of(name: str) -> list[Row]:
    """The rows of one CSV of app/demo/data."""
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@cache
def urgent_words() -> tuple[UrgentWord, ...]:
    """The words of what is urgent that every county begins with."""
    with (APP / "imports" / "defaults" / "urgent_words.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            UrgentWord(
                row["word"], Sign(row["sign"]), row["alone"] == "true", tuple(filter(None, row["calls"].split("|")))
            )
            for row in csv.DictReader(file)
        )


@cache
def demo_county() -> County:
    """Divisions of 2017 with three grids a village, the 43 units, stations in every town, categories, aliases."""
    return county_of()


def county_of(extra_divisions: Sequence[Row] = (), extra_aliases: Sequence[tuple[str, str]] = ()) -> County:
    """The demo county with more divisions (rows as in the CSV) and aliases (text, division code)."""
    return _Loader().county([*rows_of("divisions_2017.csv"), *extra_divisions], extra_aliases)


@dataclass
class _Loader:
    divisions: dict[int, Division] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    units: dict[int, Unit] = field(default_factory=dict)
    aliases: list[Alias] = field(default_factory=list)

    def county(self, rows: Sequence[Row], extra_aliases: Sequence[tuple[str, str]]) -> County:
        for row in rows:
            self.division(row)
            self.aliases += [Alias(text, self.ids[row["code"]]) for text in row["aliases"].split("|") if text]
        for village in [r for r in rows if r["level"] == Level.VILLAGE]:
            self.grids(village)
        pairs = [(row["alias"], row["division_code"]) for row in rows_of("aliases.csv")]
        self.aliases += [Alias(text, self.ids[code]) for text, code in [*pairs, *extra_aliases]]
        self.all_units()
        return County(self.divisions, self.units, self.categories(), tuple(self.aliases))

    def division(self, row: Row) -> None:
        parent = self.ids.get(row["parent_code"])
        own = self.ids.setdefault(row["code"], len(self.ids) + 1)
        lineage = (*(self.divisions[parent].lineage if parent else ()), own)
        self.divisions[own] = Division(
            own, row["code"], row["name"], row["short_name"], Level(row["level"]), parent, lineage
        )

    def grids(self, village: Row) -> None:
        rural = village["name"].endswith("村委会")
        for number in range(1, GRIDS + 1):
            name = f"{number}组" if rural else f"第{number}网格"
            code = f"{village['code']}{number:03}"
            self.division(
                {"code": code, "name": name, "short_name": "", "level": Level.GRID, "parent_code": village["code"]}
            )

    def all_units(self) -> None:
        ids = count(1001)
        for row in rows_of("units.csv"):
            own = next(ids)
            self.units[own] = Unit(own, row["code"], row["name"], row["short_name"], self.ids[row["division_code"]])
        for town in [d for d in self.divisions.values() if d.level is Level.TOWN]:
            for code, name in STATIONS.items():
                if code == "S07" and town.name.endswith("街道"):
                    continue
                own = next(ids)
                self.units[own] = Unit(own, town.code + code, town.name + name, town.short_name + name, town.id)

    def categories(self) -> dict[int, Category]:
        rows = rows_of("categories.csv")
        ids = {row["code"]: number for number, row in enumerate(rows, start=501)}
        units = {unit.name: unit.id for unit in self.units.values()}
        return {ids[row["code"]]: _category(row, ids, units) for row in rows}


def _category(row: Row, ids: dict[str, int], units: dict[str, int]) -> Category:
    accept, reply, complete = (int(row[f"{name}_days"]) for name in ("accept_working", "reply_working", "complete"))
    return Category(
        id=ids[row["code"]],
        code=row["code"],
        name=row["name"],
        parent_id=ids.get(row["parent_code"]),
        level=int(row["level"]),
        kind_hint=Kind(row["kind_hint"]) if row["kind_hint"] else None,
        lowest_level=Level(row["lowest_level"]),
        unit_id=units[row["unit"]] if row["unit"] else None,
        rules=Rules(accept, reply, complete, DayRule(row["day_rule"])),
        auto_accept=row["auto_accept"] == "true",
        photo_required=row["photo_required"] == "true",
        sensitive=row["sensitive"] == "true",
        confidential=row["code"] == CONFIDENTIAL,
        keywords=tuple(word for word in row["keywords"].split("|") if word),
    )
