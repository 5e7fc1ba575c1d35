"""Two datums of one place: WGS-84 (GPS) and GCJ-02 (WeChat, Tencent, Amap), hundreds of metres apart within China.

GCJ-02 was never published. The formula is the one that the open converters share, known since 2013, on the ellipsoid of
Krasovsky 1940: equal to PRCoords 1.0.2 to the last digits, and to eviltransform 0.1.1 to 2 cm.
"""

import math
from dataclasses import dataclass

from app.domain.vocabulary import Datum

KRASOVSKY = 6_378_245.0
ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943
EARTH_KM = 6_371.009
"""Mean radius (IUGG)."""
KM_PER_DEGREE = math.pi * EARTH_KM / 180
"""Of latitude."""
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347
"""Outside of this rectangle the converters leave a point where it is."""
_CLOSE = 1e-10
"""Degrees, a hundredth of a millimetre: where the way back stops."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the map, in degrees; `datum` (wgs84 or gcj02) belongs to it, so both are kept."""

    lat: float
    lon: float
    datum: str


def to_wgs84(point: Point) -> Point:
    """The same place as GPS gives it, to a millimetre."""
    if point.datum != Datum.GCJ02:
        return point
    lat, lon = point.lat, point.lon
    # Each round leaves about a thousandth of the error: three or four are enough.
    for _ in range(10):
        by_lat, by_lon = _shift(lat, lon)
        off_lat, off_lon = lat + by_lat - point.lat, lon + by_lon - point.lon
        lat, lon = lat - off_lat, lon - off_lon
        if max(abs(off_lat), abs(off_lon)) < _CLOSE:
            break
    return Point(lat, lon, Datum.WGS84)


def to_gcj02(point: Point) -> Point:
    """The same place as the maps of WeChat, Tencent and Amap give it."""
    if point.datum != Datum.WGS84:
        return point
    by_lat, by_lon = _shift(point.lat, point.lon)
    return Point(point.lat + by_lat, point.lon + by_lon, Datum.GCJ02)


def in_datum(point: Point, datum: str) -> Point:
    """The same place in that datum."""
    return to_gcj02(point) if datum == Datum.GCJ02 else to_wgs84(point)


def kilometres(one: Point, other: Point) -> float:
    """The distance on the ground, of whatever datum the two are (haversine, half a per cent off at most)."""
    a, b = to_wgs84(one), to_wgs84(other)
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(b.lon - a.lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


def _shift(lat: float, lon: float) -> tuple[float, float]:
    """Degrees of latitude and longitude from WGS-84 to GCJ-02 at that place."""
    if not (_SOUTH <= lat <= _NORTH and _WEST <= lon <= _EAST):
        return 0.0, 0.0
    north, east = _metres(lon - 105.0, lat - 35.0)
    phi = math.radians(lat)
    squeeze = 1 - ECCENTRICITY_SQUARED * math.sin(phi) ** 2
    meridian = KRASOVSKY * (1 - ECCENTRICITY_SQUARED) / squeeze**1.5
    parallel = KRASOVSKY / math.sqrt(squeeze) * math.cos(phi)
    return math.degrees(north / meridian), math.degrees(east / parallel)


def _metres(x: float, y: float) -> tuple[float, float]:
    """(north, east) by which a point is moved; x and y are degrees east of 105 and north of 35."""
    common = 20 * math.sin(6 * math.pi * x) + 20 * math.sin(2 * math.pi * x)
    root = math.sqrt(abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (common + _waves(y, 20, 40, 3) + _far(y, 160, 320, 12, 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (common + _waves(x, 20, 40, 3) + _far(x, 150, 300, 12, 30)) * 2 / 3
    return north, east


def _waves(z: float, first: float, second: float, length: float) -> float:
    return first * math.sin(math.pi * z) + second * math.sin(math.pi * z / length)


def _far(z: float, first: float, second: float, length: float, longer: float) -> float:
    return first * math.sin(math.pi * z / length) + second * math.sin(math.pi * z / longer)
