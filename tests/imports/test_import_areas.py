"""Outlines of divisions: a table, or a GeoJSON file."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from app.base.work import Work
from app.domain.errors import Invalid
from app.imports.service import apply, prepare
from app.schema import division_areas
from tests.imports.county_files import Load, Refusals

RING = [[113.0, 28.2], [113.1, 28.2], [113.1, 28.3], [113.0, 28.2]]
TOWN = {"type": "Polygon", "coordinates": [RING]}


def table(*rows: tuple[str, str, object]) -> str:
    lines = [
        ",".join((code, datum, '"' + json.dumps(geometry).replace('"', '""') + '"')) for code, datum, geometry in rows
    ]
    return "\n".join(["division_code,datum,geometry", *lines, ""])


def collection(*features: Any, **more: str) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features} | more).encode("utf-8-sig")


def feature(geometry: object = TOWN, **properties: str | int) -> Any:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


async def stored(work: Work) -> list[Any]:
    return list(await work.conn.execute(select(division_areas).order_by(division_areas.c.division_id)))


async def test_an_outline_is_kept_with_the_box_around_it(county: Work, load: Load) -> None:
    done = await load(county, "areas", table(("430121001", "gcj02", TOWN)))
    assert (done.created, done.updated, done.unchanged) == (1, 0, 0)
    [row] = await stored(county)
    assert (row.datum, row.rings) == ("gcj02", [RING])
    assert (row.west, row.south, row.east, row.north) == (113.0, 28.2, 113.1, 28.3)


async def test_again_it_is_the_same_and_another_takes_its_place(county: Work, load: Load) -> None:
    await load(county, "areas", table(("430121001", "gcj02", TOWN)))
    assert (await load(county, "areas", table(("430121001", "gcj02", TOWN)))).unchanged == 1
    done = await load(county, "areas", table(("430121001", "wgs84", TOWN)))
    assert (done.created, done.updated) == (0, 1)
    assert [row.datum for row in await stored(county)] == ["wgs84"]


async def test_a_geojson_file_says_which_division_and_which_datum(county: Work) -> None:
    data = collection(feature(division_code="430121001", datum="GPS"), feature(adcode=430121), datum="gcj02")
    done = await apply(county, prepare("areas", data))
    assert done.created == 2
    assert sorted(row.datum for row in await stored(county)) == ["gcj02", "wgs84"]


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (collection(feature(code="430121001")), ["第 1 行：datum 只能是 wgs84（GPS）、gcj02（腾讯、高德地图） 之一"]),
        (collection(feature(datum="wgs84")), ["第 1 行：division_code 不能为空"]),
        (
            collection(feature(code="430121001"), feature(None, code="430121"), datum="wgs84"),
            ["第 2 行：geometry 应为 GeoJSON 的 Polygon 或 MultiPolygon"],
        ),
        (collection(7, datum="wgs84"), ["第 1 行：division_code 不能为空", "第 1 行：geometry 应为 GeoJSON"]),
    ],
)
async def test_a_wrong_feature_is_named(county: Work, data: bytes, faults: list[str]) -> None:
    with pytest.raises(Invalid) as error:
        await apply(county, prepare("areas", data))
    said = [f"{fault.pointer}：{fault.detail}" for fault in error.value.faults]
    assert len(said) == len(faults)
    assert [fault for fault, line in zip(faults, said, strict=True) if not line.startswith(fault)] == []
    assert await stored(county) == []


@pytest.mark.parametrize("data", [b"{", b'{"type": "Topology"}', collection(), b'{"a":' * 10_000])
def test_what_is_no_geojson_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as error:
        prepare("areas", data)
    assert error.value.code == "import.file"


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("430121009", "wgs84", TOWN), "division_code：没有代码为“430121009”的区划"),
        (("430121001", "bd09", TOWN), "datum 只能是 wgs84（GPS）、gcj02（腾讯、高德地图） 之一，现为“bd09”"),
        (
            ("430121001", "wgs84", {"type": "Point", "coordinates": [1, 2]}),
            "geometry 应为 GeoJSON 的 Polygon 或 MultiPolygon",
        ),
        (("430121", "wgs84", TOWN), "division_code 与第 2 行重复"),
    ],
)
async def test_a_wrong_row_is_named(county: Work, refusals: Refusals, row: tuple[str, str, object], fault: str) -> None:
    assert await refusals(county, "areas", table(("430121", "wgs84", TOWN), row)) == [f"第 3 行：{fault}"]
    assert await stored(county) == []


async def test_a_geometry_that_is_no_json_is_named(county: Work, refusals: Refusals) -> None:
    text = "division_code,datum,geometry\n430121001,wgs84,POLYGON((1 2))\n"
    assert await refusals(county, "areas", text) == ["第 2 行：geometry 不是完整的 GeoJSON"]
