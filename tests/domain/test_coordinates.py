"""WGS-84 and GCJ-02 of one place, and distances on the ground."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.coordinates import KM_PER_DEGREE, Point, in_datum, kilometres, to_gcj02, to_wgs84
from app.domain.vocabulary import Datum

CHINA = st.builds(Point, st.floats(3.9, 53.5), st.floats(73.7, 135.0), st.just(Datum.WGS84))


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        # Made by PRCoords 1.0.2 (wgs_gcj), an independent implementation.
        ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
        ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
        ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
        ((28.2466, 113.0806), (28.243427999670402, 113.08647151711904)),
    ],
)
def test_a_place_in_gcj02_is_where_other_implementations_put_it(
    wgs84: tuple[float, float], gcj02: tuple[float, float]
) -> None:
    found = to_gcj02(Point(*wgs84, Datum.WGS84))
    assert (found.lat, found.lon) == pytest.approx(gcj02, abs=1e-9)
    assert found.datum == Datum.GCJ02


def test_in_the_county_the_two_lie_hundreds_of_metres_apart() -> None:
    gps = Point(28.2466, 113.0806, Datum.WGS84)
    mistaken = Point(28.2466, 113.0806, Datum.GCJ02)
    assert 0.5 < kilometres(gps, mistaken) < 0.8


@given(CHINA)
def test_there_and_back_is_the_same_place_to_a_millimetre(point: Point) -> None:
    back = to_wgs84(to_gcj02(point))
    assert (back.lat, back.lon) == pytest.approx((point.lat, point.lon), abs=1e-8)
    assert kilometres(point, to_gcj02(point)) < 1e-6


@given(CHINA, st.sampled_from(Datum))
def test_what_is_in_a_datum_already_stays(point: Point, datum: Datum) -> None:
    there = in_datum(point, datum)
    assert there.datum == datum
    assert in_datum(there, datum) is there


@pytest.mark.parametrize(("lat", "lon"), [(51.5, -0.12), (-33.9, 151.2), (90.0, 180.0), (-90.0, -180.0)])
def test_outside_of_the_country_nothing_is_moved(lat: float, lon: float) -> None:
    moved = to_gcj02(Point(lat, lon, Datum.WGS84))
    assert (moved.lat, moved.lon) == (lat, lon)


def test_a_degree_of_latitude_is_as_long_as_it_is() -> None:
    south, north = Point(28.0, 113.0, Datum.WGS84), Point(29.0, 113.0, Datum.WGS84)
    assert kilometres(south, north) == pytest.approx(KM_PER_DEGREE)
    assert kilometres(north, north) == 0
