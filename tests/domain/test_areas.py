"""Outlines: what GeoJSON is taken, and which places lie inside."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.areas import MOST_CORNERS, Box, OutlineError, box_of, holds, rings_of
from app.domain.coordinates import Point
from app.domain.vocabulary import Datum

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
ISLAND = [[4.5, 4.5], [5.5, 4.5], [5.5, 5.5], [4.5, 5.5], [4.5, 4.5]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def inside(geometry: object, lon: float, lat: float) -> bool:
    return holds(rings_of(geometry), Point(lat, lon, Datum.WGS84))


@given(st.floats(-5, 15), st.floats(-5, 15))
def test_a_square_holds_what_is_between_its_sides(lon: float, lat: float) -> None:
    if {lon, lat}.isdisjoint({0.0, 10.0}):
        assert inside(polygon(SQUARE), lon, lat) == (0 < lon < 10 and 0 < lat < 10)


@pytest.mark.parametrize(("lon", "lat", "held"), [(2, 2, True), (4.2, 5, False), (5, 5, False), (11, 5, False)])
def test_a_hole_is_outside(lon: float, lat: float, held: bool) -> None:
    assert inside(polygon(SQUARE, HOLE), lon, lat) is held


def test_an_island_in_a_hole_is_inside_and_so_is_a_part_far_away() -> None:
    away = [[[20, 20], [21, 20], [21, 21], [20, 20]]]
    several = {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE], [ISLAND], away]}
    assert [inside(several, at, at) for at in (2.0, 4.2, 5.0)] == [True, False, True]
    assert inside(several, 20.7, 20.3)
    assert box_of(rings_of(several)) == Box(0, 0, 21, 21)


def test_a_ring_that_is_left_open_is_closed_and_heights_are_left_out() -> None:
    assert rings_of(polygon([[0, 0, 50.5], [1, 0, 50], [1, 1, 50]])) == [[[0, 0], [1, 0], [1, 1], [0, 0]]]


@pytest.mark.parametrize(
    ("geometry", "why"),
    [
        (None, "应为 GeoJSON 的 Polygon 或 MultiPolygon"),
        ({"type": "Point", "coordinates": [113, 28]}, "应为 GeoJSON 的 Polygon 或 MultiPolygon"),
        (polygon(), "没有一个角点"),
        (polygon(7), "coordinates 的层次不对"),
        ({"type": "MultiPolygon", "coordinates": [7]}, "coordinates 的层次不对"),
        (polygon([[0, 0], [1, 1]]), "边界至少要有三个不同的角点"),
        (polygon([]), "边界至少要有三个不同的角点"),
        (polygon([["a", 0], [1, 1], [2, 2]]), "每个角点应为 [经度, 纬度]，以度为单位"),
        (polygon([[float("nan"), 0], [1, 1], [2, 2]]), "每个角点应为 [经度, 纬度]，以度为单位"),
        (polygon([[10**400, 0], [1, 1], [2, 2]]), "每个角点应为 [经度, 纬度]，以度为单位"),
        (polygon([[28, 113], [28, 114], [29, 113]]), "每个角点应为 [经度, 纬度]，以度为单位"),
        (polygon([[0, i / MOST_CORNERS] for i in range(MOST_CORNERS)]), f"角点最多 {MOST_CORNERS} 个，请先简化边界"),
    ],
)
def test_what_is_no_outline_is_refused_with_the_reason(geometry: object, why: str) -> None:
    with pytest.raises(OutlineError) as error:
        rings_of(geometry)
    assert str(error.value) == why


def test_the_countys_own_outline_holds_its_towns_and_not_the_city() -> None:
    path = SHARED / "changsha_county_boundary_gcj02.geojson"
    if not path.exists():
        pytest.skip("../shared/data/changsha_county_boundary_gcj02.geojson is not part of the repository")
    rings = rings_of(json.loads(path.read_text("utf-8"))["features"][0]["geometry"])
    seat, airport, city = (28.2466, 113.0806), (28.19, 113.22), (28.19, 112.98)
    assert [holds(rings, Point(*at, Datum.GCJ02)) for at in (seat, airport, city)] == [True, True, False]
