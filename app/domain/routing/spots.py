"""What the location sent with a matter says of its place (domain.md, 3.1): the outline it lies in, else the nearest
station."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.areas import Ring, holds
from app.domain.coordinates import Point, in_datum, kilometres
from app.domain.county import County

NEAREST_KM = 3.0
"""How far a station may be to speak for a place."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline of a division, in its own datum."""

    division_id: int
    datum: str
    rings: Sequence[Ring]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a division's station is."""

    division_id: int
    name: str
    point: Point


@dataclass(frozen=True, slots=True)
class Spot:
    """What a location says: the division, None where it says nothing; and why, in Chinese, without the full stop."""

    division_id: int | None
    reason: str


def spot(county: County, point: Point, outlines: Sequence[Outline], sites: Sequence[Site]) -> Spot:
    """The most specific outline that holds the point, else the nearest station within 3 km; closed divisions stand for
    what is in force above them, and the county itself is no answer.

    `outlines`: those that may hold it, and the county's own where there is one.
    """
    root = county.root
    holding = {o.division_id for o in outlines if holds(o.rings, in_datum(point, o.datum))}
    if any(o.division_id == root.id for o in outlines) and root.id not in holding:
        return Spot(None, f"发来的位置在{root.name}界外，没有按它定地点")
    inside = {county.in_force(division) for division in holding} - {root.id}
    if inside:
        home = max(inside, key=lambda division: (_depth(county, division), -division))
        return Spot(home, f"发来的位置在{county.divisions[home].name}边界内")
    return _nearest(county, point, sites)


def _nearest(county: County, point: Point, sites: Sequence[Site]) -> Spot:
    # The county's office stands in one of its streets and says nothing of what is around it.
    below = [(site, home) for site in sites if (home := county.in_force(site.division_id)) != county.root.id]
    near = [(kilometres(point, site.point), -_depth(county, home), home, site.name) for site, home in below]
    away, _, home, name = min(near, default=(NEAREST_KM + 1, 0, 0, ""))
    if away > NEAREST_KM:
        return Spot(None, f"发来的位置{NEAREST_KM:.0f}公里内没有服务站点")
    return Spot(home, f"发来的位置离{name}约{away:.1f}公里")


def _depth(county: County, division_id: int) -> int:
    return len(county.divisions[division_id].lineage)
