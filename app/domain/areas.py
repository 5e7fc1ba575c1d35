"""Outlines of divisions on the map: GeoJSON in (RFC 7946), and whether a place lies inside. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.domain.coordinates import Point

Ring = Sequence[Sequence[float]]
"""A closed line of [longitude, latitude] in degrees, in the order of GeoJSON."""

MOST_CORNERS = 20_000
LEAST_CORNERS = 4
"""Of a ring, the first again at its end (RFC 7946, 3.1.6)."""


class OutlineError(ValueError):
    """What is no outline; the text says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Box:
    """The degrees between which an outline lies."""

    west: float
    south: float
    east: float
    north: float


def rings_of(geometry: object) -> list[list[list[float]]]:
    """The rings of a GeoJSON Polygon or MultiPolygon, each [[longitude, latitude], …] and closed; heights are left out.

    Raises OutlineError.
    """
    match geometry:
        case {"type": "Polygon", "coordinates": [*rings]}:
            found = rings
        case {"type": "MultiPolygon", "coordinates": [*polygons]}:
            found = [ring for polygon in polygons for ring in _listed(polygon)]
        case _:
            raise OutlineError("应为 GeoJSON 的 Polygon 或 MultiPolygon")
    closed = [_closed([_corner(corner) for corner in _listed(ring)]) for ring in found]
    if not closed:
        raise OutlineError("没有一个角点")
    if sum(map(len, closed)) > MOST_CORNERS:
        raise OutlineError(f"角点最多 {MOST_CORNERS} 个，请先简化边界")
    return closed


def box_of(rings: Iterable[Ring]) -> Box:
    """The box around all rings."""
    corners = [corner for ring in rings for corner in ring]
    lons, lats = [corner[0] for corner in corners], [corner[1] for corner in corners]
    return Box(min(lons), min(lats), max(lons), max(lats))


def holds(rings: Iterable[Ring], point: Point) -> bool:
    """Whether the point, in the rings' own datum, lies inside: an even-odd count of the lines east of it, so that holes
    are outside and islands inside. On a line it may be either."""
    inside = False
    for ring in rings:
        for (lon, lat), (next_lon, next_lat) in pairwise(ring):
            if (lat > point.lat) != (next_lat > point.lat):
                crossing = lon + (point.lat - lat) / (next_lat - lat) * (next_lon - lon)
                inside ^= point.lon < crossing
    return inside


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise OutlineError("coordinates 的层次不对")
    return value


def _corner(value: object) -> list[float]:
    match value:
        case [float() | int() as lon, float() | int() as lat, *_] if abs(lon) <= 180 and abs(lat) <= 90:
            return [float(lon), float(lat)]
    raise OutlineError("每个角点应为 [经度, 纬度]，以度为单位")


def _closed(ring: list[list[float]]) -> list[list[float]]:
    whole = ring if ring and ring[0] == ring[-1] else [*ring, *ring[:1]]
    if len(whole) < LEAST_CORNERS:
        raise OutlineError("边界至少要有三个不同的角点")
    return whole
