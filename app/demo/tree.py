"""The county as the service shows it: its towns, villages and categories, and how people name a place."""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from random import Random

from app.demo.cast import User
from app.demo.office import Json, Office
from app.domain.county import Division
from app.domain.places import names_of
from app.domain.vocabulary import Kind, Level

BUSY_TOWNS = frozenset({"430121001", "430121002"})
"""星沙 and 泉塘: half of the real messages that name a place name one in them (README of the data, "Where")."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A division, with the names by which people write of it."""

    code: str
    name: str
    spoken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Category:
    """A leaf of the category tree, with what of it decides how a ticket begins."""

    code: str
    auto_accept: bool
    confidential: bool
    photo_required: bool
    kind: Kind


@dataclass(frozen=True)
class Tree:
    """Towns in order, each with its villages."""

    root: str
    villages: Mapping[str, tuple[Spot, ...]]
    towns: tuple[Spot, ...]
    categories: Mapping[str, Category]

    @cached_property
    def _unique(self) -> frozenset[str]:
        seen = Counter(name for town in self.towns for spot in self.villages[town.code] for name in spot.spoken)
        return frozenset(name for name, times in seen.items() if times == 1)

    def town(self, rng: Random) -> Spot:
        """A town, the two busy ones more often than all others together."""
        return rng.choices(self.towns, [8 if town.code in BUSY_TOWNS else 1 for town in self.towns])[0]

    def village(self, rng: Random, area: str) -> Spot:
        """A village in `area` (the county, a town, or that village itself)."""
        if len(area) > 9:
            return next(spot for spot in self.villages[area[:9]] if area.startswith(spot.code))
        return rng.choice(self.villages[area if len(area) == 9 else self.town(rng).code])

    def spoken(self, rng: Random, spot: Spot) -> str:
        """The place as somebody would write it, so that it is one place only."""
        if len(spot.code) == 9:
            return spot.name
        town = next(town for town in self.towns if spot.code.startswith(town.code))
        name = rng.choice(spot.spoken)
        return name if name in self._unique and rng.random() < 0.5 else town.name + name


async def load(office: Office, user: User, root: str) -> Tree:
    """Reads the county down to its villages, and its categories, from the service. Raises Astray, Busy."""
    towns = [_spot(said) for said in await office.get(user, f"/api/v1/divisions/{root}/children")]
    villages = {}
    for town in towns:
        below = await office.get(user, f"/api/v1/divisions/{town.code}/children")
        villages[town.code] = tuple(_spot(said) for said in below)
    leaves = [_category(c) for c in await office.get(user, "/api/v1/categories") if c["level"] == 2]
    return Tree(root, villages, tuple(towns), {leaf.code: leaf for leaf in leaves})


@cache
def ambiguous_names() -> Mapping[str, frozenset[str]]:
    """Names that several places of the demo county have, with the codes of these: 星沙 is three streets."""
    text = (files("app.demo") / "data" / "aliases.csv").read_text(encoding="utf-8-sig")
    meant: dict[str, set[str]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        meant.setdefault(row["alias"], set()).add(row["division_code"])
    return {name: frozenset(codes) for name, codes in meant.items() if len(codes) > 1}


def _spot(said: Json) -> Spot:
    division = Division(0, said["code"], said["name"], said["short_name"], Level(said["level"]), None, ())
    full, *others = names_of(division)
    return Spot(said["code"], said["name"], tuple(others) or (full,))


def _category(said: Json) -> Category:
    kind = Kind(said["kind_hint"]) if said["kind_hint"] else Kind.CONSULTATION
    return Category(said["code"], said["auto_accept"], said["confidential"], said["photo_required"], kind)
