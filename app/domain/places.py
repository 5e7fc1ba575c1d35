"""Which place of the county a text names: longest match over full names, suffixed short names and aliases.

Bare short names (路口, 黄花, 高桥) are words of the language too and never count; what people do write bare stands in
the list of aliases (domain.md, 3.1; the measurements behind it: README of the data, "Where").
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.domain.county import County, Division
from app.domain.text import Words, plain, words_of
from app.domain.vocabulary import Level

SUFFIXES: Mapping[Level, tuple[str, ...]] = {Level.TOWN: ("街道", "镇", "乡"), Level.VILLAGE: ("社区", "村")}
COMMITTEE = re.compile(r"(社区|村)(?:居委会|居民委员会|委员会|委会|民委员会)$")
"""The names of the statistics bureau are those of the committee: 开元路社区居委会 is the place 开元路社区."""
MISNAMED = re.compile(r"社会居委会$")
"""泉星社会居委会 in the edition of 2017, a slip for 社区 that the next edition mended."""
SHORTEST = 2

NEIGHBOURS = ("芙蓉区", "天心区", "岳麓区", "开福区", "雨花区", "望城区", "望城县", "浏阳市", "宁乡市", "宁乡县")
CITY_RUN = ("地铁", "公积金")
OPENING = 40
"""Characters in which what the city runs must be named: further on it is scenery (“地铁站旁的工地太吵”). Of 27 real
messages with 地铁 the 12 about it name it in the title; 12 of the other 15 only pass by it."""
_NEIGHBOUR = re.compile("|".join(NEIGHBOURS))
_CITY_RUN = re.compile("|".join(CITY_RUN))


@dataclass(frozen=True, slots=True)
class Found:
    """What a text names.

    `sure`: division ids in the order of the text, the most specific kept (a village stands for its town too).
    `ambiguous`: ids of those an ambiguous name may mean; empty where a sure name is there.
    `words`: the names that say so, as matched. `conflict`: the sure ones lie in several towns.
    """

    sure: tuple[int, ...] = ()
    ambiguous: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class PlaceIndex:
    """The names of one county; `build` makes it, once per edition."""

    places: Mapping[str, tuple[int, ...]]
    lineages: Mapping[int, tuple[int, ...]]
    words: Words

    def find(self, text: str) -> Found:
        """The places a text names: leftmost, longest, never overlapping."""
        named = {name: self.places[name] for name in self._names_in(plain(text))}
        single = {ids[0] for ids in named.values() if len(ids) == 1}
        sure = {name: place for name, ids in named.items() if (place := self._meant(ids, single)) is not None}
        if sure:
            kept = _most_specific(sure.values(), self.lineages)
            towns = {self.lineages[place][:2] for place in kept}
            return Found(sure=kept, words=tuple(sure), conflict=len(towns) > 1)
        return Found(ambiguous=_shared(named.values()), words=tuple(named))

    def _names_in(self, text: str) -> Iterator[str]:
        end = 0
        for at, names in self.words.occurrences(text):
            if at >= end:
                end = at + len(names[0])
                yield names[0]

    def _meant(self, ids: tuple[int, ...], single: set[int]) -> int | None:
        """The one division a name means; a name of several means the one inside a place that is named beside it."""
        inside = ids if len(ids) == 1 else [i for i in ids if not single.isdisjoint(self.lineages[i])]
        return inside[0] if len(inside) == 1 else None


def build(county: County) -> PlaceIndex:
    """Reads every name of the county's towns, villages and grids, and their aliases.

    A closed place's names lead to the open one above it, unless an open place bears the name now (it moved, say).
    """
    places: dict[str, dict[int, None]] = {}
    for name, place in _names(county):
        places.setdefault(plain(name), {})[place] = None
    left: dict[str, dict[int, None]] = {}
    for name, place in _names_left(county):
        if plain(name) not in places:
            left.setdefault(plain(name), {})[place] = None
    places |= left
    lineages = {d.id: d.lineage for d in county.divisions.values()}
    return PlaceIndex(
        places={name: _most_specific(ids, lineages) for name, ids in places.items()},
        lineages=lineages,
        words=words_of(places),
    )


def elsewhere(text: str, *, placed: bool = False) -> str | None:
    """The word by which a matter is another district's or the city's, if any.

    `placed`: the text names a place of this county; then a neighbour's name alone sends nothing away.
    """
    read = plain(text)
    word = _CITY_RUN.search(read, 0, OPENING) or (None if placed else _NEIGHBOUR.search(read))
    return word.group() if word else None


def names_of(division: Division) -> tuple[str, ...]:
    """The names by which a town or village counts in a text, the full one first."""
    mended = MISNAMED.sub("社区居委会", division.name)
    place = COMMITTEE.sub(r"\1", mended)
    suffixes = SUFFIXES.get(division.level, ())
    suffix = next((s for s in suffixes if place.endswith(s)), "")
    names = [division.name, mended, place]
    if suffix and (short := division.short_name):
        names.append(short if short.endswith(suffixes) else short + suffix)
    return tuple(dict.fromkeys(names))


def _most_specific(ids: Iterable[int], lineages: Mapping[int, tuple[int, ...]]) -> tuple[int, ...]:
    distinct = dict.fromkeys(ids)
    above = {ancestor for place in distinct for ancestor in lineages[place][:-1]}
    return tuple(place for place in distinct if place not in above)


def grid_names(village_names: Iterable[str], grid: str) -> tuple[str, ...]:
    """A grid is 3组 or 第3网格 and counts only behind a name of its village, which may be part of its own."""
    return tuple(dict.fromkeys(grid if grid.startswith(name) else name + grid for name in village_names))


def _names(county: County) -> Iterator[tuple[str, int]]:
    below = [d for d in county.divisions.values() if d.in_force and d.level is not Level.COUNTY]
    return ((name, d.id) for d in below for name in _every_name(county, d))


def _names_left(county: County) -> Iterator[tuple[str, int]]:
    """The names of closed places, each with the nearest open one above; of none whose town is closed too."""
    for closed in (d for d in county.divisions.values() if not d.in_force and d.level is not Level.COUNTY):
        above = (county.divisions[place] for place in reversed(closed.lineage[1:-1]))
        heir = next((d for d in above if d.in_force), None)
        if heir is not None:
            yield from ((name, heir.id) for name in _every_name(county, closed))


def _every_name(county: County, division: Division) -> Iterator[str]:
    names = (*_own_names(county, division), *county.aliases_of.get(division.id, ()))
    return (name for name in names if len(name) >= SHORTEST)


def _own_names(county: County, division: Division) -> tuple[str, ...]:
    if division.level is not Level.GRID:
        return names_of(division)
    village = county.divisions[division.lineage[-2]]
    # Also behind an alias: after a rename people go on writing the village's old name.
    return grid_names(names_of(village) + county.aliases_of.get(village.id, ()), division.name)


def _shared(named: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Of all that the ambiguous names may mean, what most of them share, where that leaves a choice."""
    votes: dict[int, int] = {}
    for ids in named:
        for place in ids:
            votes[place] = votes.get(place, 0) + 1
    most = max(votes.values(), default=0)
    best = tuple(place for place, count in votes.items() if count == most)
    return best if len(best) > 1 else tuple(sorted(votes, key=lambda place: -votes[place]))
