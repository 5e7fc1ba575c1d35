"""The county as the rules see it: divisions, units, categories and names, frozen, loaded once per edition.

Ids are database ids; whoever loads the county (divisions.queries) keeps them stable across editions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from app.domain.limits import Rules
from app.domain.vocabulary import Kind, Level, Word


@dataclass(frozen=True, slots=True)
class Division:
    """One node of the four-level tree. `lineage` is the ids from the county down to itself.

    `edition`: the year of the source in which it last changed. `valid_from` and `valid_to` are its first and last day;
    without `valid_to` it is in force, and so is all above it. What is closed stays, for what is there already.
    """

    id: int
    code: str
    name: str
    short_name: str
    level: Level
    parent_id: int | None
    lineage: tuple[int, ...]
    edition: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def in_force(self) -> bool:
        return self.valid_to is None


@dataclass(frozen=True, slots=True)
class Unit:
    """A department (县直单位) or a town's station (站所), attached to a division."""

    id: int
    code: str
    name: str
    short_name: str
    division_id: int


@dataclass(frozen=True, slots=True)
class Category:
    """One entry of the category tree; a leaf (`level` 2) says who handles it, within which limits."""

    id: int
    code: str
    name: str
    parent_id: int | None
    level: int
    kind_hint: Kind | None
    lowest_level: Level
    unit_id: int | None
    rules: Rules
    auto_accept: bool
    photo_required: bool
    sensitive: bool
    confidential: bool
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for a place; the same text on several divisions is ambiguous."""

    text: str
    division_id: int


class Sign(Word):
    """What a word in a text says of its urgency (domain.md, 2)."""

    DANGER = "danger", "生命危险"
    CUTOFF = "cutoff", "停水停电停气"
    HARMLESS = "harmless", "不算紧急"


@dataclass(frozen=True, slots=True)
class UrgentWord:
    """A word that tells of danger or of a cut-off, or (harmless) one that only looks so.

    `alone`: enough by itself; else it counts where it is said to happen now. `calls`: whom to call, the first first.
    `category_id`: the leaf or branch whose tickets it counts for; None: for all.
    """

    text: str
    sign: Sign
    alone: bool = False
    calls: tuple[str, ...] = ()
    category_id: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """Who can be responsible: a division or a unit, never both."""

    division_id: int | None = None
    unit_id: int | None = None

    def __post_init__(self) -> None:
        if (self.division_id is None) == (self.unit_id is None):
            raise ValueError("a node is one division or one unit")


@dataclass(frozen=True)
class County:
    """All of it. `root` is the county's own division."""

    divisions: Mapping[int, Division]
    units: Mapping[int, Unit]
    categories: Mapping[int, Category]
    aliases: tuple[Alias, ...] = ()
    number_key: bytes = field(default=b"", repr=False)
    urgent_words: tuple[UrgentWord, ...] = ()

    @cached_property
    def root(self) -> Division:
        return next(d for d in self.divisions.values() if d.level is Level.COUNTY)

    @cached_property
    def by_code(self) -> Mapping[str, Division]:
        return {d.code: d for d in self.divisions.values()}

    @cached_property
    def unit_by_code(self) -> Mapping[str, Unit]:
        return {u.code: u for u in self.units.values()}

    @cached_property
    def category_by_code(self) -> Mapping[str, Category]:
        return {c.code: c for c in self.categories.values()}

    @cached_property
    def aliases_of(self) -> Mapping[int, tuple[str, ...]]:
        """The other names of each division."""
        found: dict[int, list[str]] = {}
        for alias in self.aliases:
            found.setdefault(alias.division_id, []).append(alias.text)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def units_of(self) -> Mapping[int, tuple[Unit, ...]]:
        """The units of each division, by code."""
        found: dict[int, list[Unit]] = {}
        for unit in sorted(self.units.values(), key=lambda u: u.code):
            found.setdefault(unit.division_id, []).append(unit)
        return {k: tuple(v) for k, v in found.items()}

    def category(self, category_id: int | None) -> Category | None:
        """The category of that id; None for a ticket that has none."""
        return None if category_id is None else self.categories[category_id]

    def works_for(self, seat: Node) -> Node:
        """The node responsible for what somebody at `seat` handles: of a courier, who sits at a grid, the village."""
        lineage = self.division_of(seat).lineage
        return Node(division_id=lineage[2]) if seat.unit_id is None and len(lineage) == 4 else seat

    def division_of(self, node: Node) -> Division:
        """The division a node is at: itself, or the one its unit is attached to."""
        if node.division_id is not None:
            return self.divisions[node.division_id]
        assert node.unit_id is not None
        return self.divisions[self.units[node.unit_id].division_id]

    def parent_of(self, node: Node) -> Node | None:
        """A unit's parent is its division; the county has none (domain.md, 2)."""
        if node.unit_id is not None:
            return Node(division_id=self.units[node.unit_id].division_id)
        parent = self.division_of(node).parent_id
        return None if parent is None else Node(division_id=parent)

    def in_force(self, division_id: int) -> int:
        """The division itself; where it is closed, the nearest above it that is in force."""
        lineage = self.divisions[division_id].lineage
        return next((i for i in reversed(lineage) if self.divisions[i].in_force), self.root.id)

    def name_of(self, node: Node) -> str:
        return self.units[node.unit_id].name if node.unit_id is not None else self.division_of(node).name

    def within(self, division_id: int, area: Iterable[int]) -> bool:
        """Whether the division is one of `area` (division ids) or below one of them."""
        return not set(self.divisions[division_id].lineage).isdisjoint(area)

    def path(self, division_id: int) -> list[str]:
        """Names from the county down, as people read an address."""
        return [self.divisions[i].name for i in self.divisions[division_id].lineage]
