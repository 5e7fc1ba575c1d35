"""The demo's sheets: what an import file holds, and what several of them ask of a division."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.places import COMMITTEE
from app.domain.vocabulary import Level

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One import file. `name` is what `o2o import` calls it; every row has every column, empty where unsaid."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]


def as_csv(sheet: Sheet) -> str:
    """The sheet as the text of a CSV file with its header row."""
    out = io.StringIO()
    writer = csv.DictWriter(out, sheet.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sheet.rows)
    return out.getvalue()


def at(level: Level, divisions: Sequence[Row]) -> list[Row]:
    return [row for row in divisions if row["level"] == level]


def is_rural(village: Row) -> bool:
    return village["name"].endswith(("村委会", "村"))


def spoken_path(division: Row, by_code: Mapping[str, Row]) -> str:
    """The place as people write it, from the town down: 星沙街道开元路社区第1网格."""
    above = [by_code[division["code"][:digits]] for digits in (9, 12, 15) if digits <= len(division["code"])]
    return "".join(COMMITTEE.sub(r"\1", row["name"]) for row in above) or division["name"]
