"""Which node handles a matter (domain.md, 3.3): a division, or a unit of it."""

from app.domain.county import Category, County, Node, Unit
from app.domain.vocabulary import Level

STATIONS = (
    ("公安局", "S01"),
    ("司法局", "S02"),
    ("市场监管局", "S03"),
    ("市场监督管理局", "S03"),
    ("自然资源局", "S04"),
    ("城管局", "S05"),
    ("城市管理和综合执法局", "S05"),
    ("卫健局", "S06"),
    ("卫生健康局", "S06"),
    ("农业农村局", "S07"),
    ("水利局", "S07"),
    ("林业局", "S07"),
    ("民政局", "S08"),
    ("残联", "S08"),
    ("残疾人联合会", "S08"),
    ("退役军人局", "S08"),
    ("退役军人事务局", "S08"),
    ("行政审批局", "S09"),
    ("行政审批服务局", "S09"),
    ("应急局", "S10"),
    ("应急管理局", "S10"),
    ("供电公司", "S11"),
    ("供水公司", "S12"),
    ("教育局", "S13"),
)
"""How a county unit's name or short name ends → the code's end of the town's station that works for it (README of the
data, "Units of a town"). By the ending, because the beginning is the county's own name."""


def node(county: County, division_id: int, category: Category | None, outside: str | None = None) -> tuple[Node, str]:
    """Who handles it (domain.md, 3.3), and why in Chinese. `outside`: what `Located.elsewhere` says.

    A closed division handles nothing more: the nearest above it does.
    """
    division = county.divisions[county.in_force(division_id)]
    intake = Node(division_id=county.root.id)
    if outside is not None:
        return intake, f"提到“{outside}”，交{county.root.name}受理台核定。"
    if division.level is Level.COUNTY:
        return intake, f"只知道在本县，交{county.root.name}受理台分派。"
    level = min(category.lowest_level if category else division.level, division.level, Level.VILLAGE, key=_depth)
    place = Node(division_id=division.lineage[_depth(level) - 1])
    if category is None:
        return place, f"未定分类，交{county.name_of(place)}。"
    unit = None if category.unit_id is None else county.units[category.unit_id]
    if level is Level.COUNTY:
        to = place if unit is None else Node(unit_id=unit.id)
        return to, f"“{category.name}”由县级办理，交{county.name_of(to)}。"
    if level is Level.TOWN and category.lowest_level is not Level.TOWN:
        return place, f"“{category.name}”由{category.lowest_level.label}一级办理，只知道在{division.name}，由其分派。"
    station = _station(county, place, unit) if level is Level.TOWN else None
    to = place if station is None else Node(unit_id=station.id)
    return to, f"“{category.name}”由{category.lowest_level.label}一级办理，交{county.name_of(to)}。"


def confidential_node(county: County, about: Node | None) -> Node:
    """Who takes a confidential complaint: the parent of the node complained about (for a person, of theirs), the
    county where there is none or nobody is named (domain.md, 2)."""
    parent = None if about is None else county.parent_of(about)
    above = county.root if parent is None else county.division_of(parent)
    return Node(division_id=county.in_force(above.id))


def _depth(level: Level) -> int:
    return level.depth


def _station(county: County, town: Node, unit: Unit | None) -> Unit | None:
    """The station of a town that works for a county unit; None where the town has none."""
    if unit is None or town.division_id is None:
        return None
    code = next(
        (code for ending, code in STATIONS if unit.name.endswith(ending) or unit.short_name.endswith(ending)), ""
    )
    stations = county.units_of.get(town.division_id, ())
    return next((station for station in stations if code and station.code.endswith(code)), None)
