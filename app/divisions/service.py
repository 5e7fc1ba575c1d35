"""The county in memory: read once, kept until an import changes it."""

from dataclasses import dataclass

from app.base.work import Work
from app.divisions import queries
from app.domain import places, suggestion, urgency
from app.domain.county import Category, County, Division, Node, Unit
from app.domain.errors import Busy, Invalid
from app.domain.places import PlaceIndex
from app.domain.suggestion import Keywords
from app.domain.urgency import UrgencyIndex


@dataclass(frozen=True, slots=True)
class Atlas:
    """The county with its indexes: names in a text, keywords of categories, words of what is urgent."""

    revision: str
    county: County
    places: PlaceIndex
    keywords: Keywords
    urgency: UrgencyIndex


# By revision, which is unique to a database and an import: a copy can't be taken for another's.
_kept: dict[str, Atlas] = {}


async def atlas(work: Work) -> Atlas:
    """The county as of this transaction; one small select while nothing has changed. Raises Busy before any import."""
    revision = await queries.revision(work.conn)
    found = _kept.get(revision)
    if found is None:
        county = await queries.load(work.conn)
        if not county.divisions:
            raise Busy("county.empty", "还没有导入区划数据，请先运行 o2o import divisions", retry_after=60)
        found = Atlas(revision, county, places.build(county), suggestion.build(county), urgency.build(county))
        _kept.clear()
        _kept[revision] = found
    return found


def division(county: County, code: str, pointer: str = "/division_code") -> Division:
    """The division of that code. Raises Invalid naming `pointer`."""
    found = county.by_code.get(code)
    if found is None:
        raise Invalid.field("division.unknown", pointer, f"没有代码为“{code[:32]}”的区划")
    return found


def open_division(county: County, code: str, pointer: str = "/division_code") -> Division:
    """The division of that code, for something new to be put there. Raises Invalid naming `pointer`."""
    found = division(county, code, pointer)
    must_be_open(county, Node(division_id=found.id), pointer)
    return found


def must_be_open(county: County, node: Node, pointer: str) -> None:
    """Raises Invalid naming `pointer` where the node's division is closed."""
    place = county.division_of(node)
    if not place.in_force:
        detail = f"{place.name}（{place.code}）已撤销，不再接收新事项，请改填现在的区划"
        raise Invalid.field("division.closed", pointer, detail)


def unit(county: County, code: str, pointer: str = "/unit_code") -> Unit:
    """The unit of that code. Raises Invalid naming `pointer`."""
    found = county.unit_by_code.get(code)
    if found is None:
        raise Invalid.field("unit.unknown", pointer, f"没有代码为“{code[:32]}”的承办单位")
    return found


def category(county: County, code: str, pointer: str = "/category") -> Category:
    """The leaf of that code. Raises Invalid naming `pointer`."""
    found = county.category_by_code.get(code)
    if found is None:
        raise Invalid.field("category.unknown", pointer, f"没有代码为“{code[:32]}”的事项分类")
    if found.level != 2:
        raise Invalid.field("category.branch", pointer, f"“{found.name}”是一级分类，请选择它下面的二级分类")
    return found


def node_codes(county: County, node: Node) -> tuple[str | None, str | None]:
    """(division code, unit code), one of them None."""
    if node.unit_id is not None:
        return None, county.units[node.unit_id].code
    return county.division_of(node).code, None
