"""Four-level routing (四级分流; domain.md, 3): where a matter is, which node handles it, where to look for a person.

Every decision comes with a sentence that an administrator can read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.county import Category, County, Node, Unit
from app.domain.places import Found, PlaceIndex, elsewhere
from app.domain.vocabulary import Level, Role, Word

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


class How(Word):
    """By what a place was found."""

    GIVEN = "given", "填写的地点"
    TEXT = "text", "文中地名"
    CONFLICT = "conflict", "文中地名不一致"
    ELSEWHERE = "elsewhere", "县外或市级事项"
    BOUND = "bound", "绑定的网格"
    SETTLED = "settled", "来件处与文中地名相合"
    ACCOUNT = "account", "来件处"
    RECORDER = "recorder", "登记人所在处"
    COUNTY = "county", "县级受理"


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of where a matter may be. `text` is title and text together; all else are division ids.

    `account_division_id`: the official account's division, or the WeChat group's where staff recorded it.
    """

    text: str
    given_division_id: int | None = None
    bound_grid_id: int | None = None
    account_division_id: int | None = None
    recorder_division_id: int | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """Where a matter is, why (Chinese), and what is left open.

    `candidates`: the divisions among which the citizen is to be asked; `division_id` holds until the answer.
    `elsewhere`: the word by which it belongs to another district or the city; its node is the county's intake.
    """

    division_id: int
    reason: str
    how: How
    candidates: tuple[int, ...] = ()
    elsewhere: str | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """One place to look for a person: who holds one of `roles` at `node`, or, where `grids` is given, at one of these
    divisions (the couriers of a village sit in its grids)."""

    node: Node
    roles: tuple[Role, ...]
    grids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person on duty who could get the ticket. `last_given_at`: when they last got one, None if never."""

    staff_id: int
    username: str
    name: str
    open_tickets: int
    last_given_at: datetime | None


def where(county: County, index: PlaceIndex, request: Request) -> Located:
    """The place of a matter, by the first that answers (domain.md, 3.1): given, text, bound grid, account, county."""
    if request.given_division_id is not None:
        given = request.given_division_id
        return Located(given, f"按填写的地点：{_address(county, given)}。", How.GIVEN)
    request = _in_force(county, request)
    found = index.find(request.text)
    outside = elsewhere(request.text, placed=bool(found.words))
    if found.sure:
        return _named(county, found, outside)
    if outside is not None:
        reason = f"文中提到“{outside}”，可能不属本县管辖，由{county.root.name}核定受理或转送。"
        return Located(county.root.id, reason, How.ELSEWHERE, elsewhere=outside)
    if request.bound_grid_id is not None:
        return _bound(county, found, request.bound_grid_id)
    return _settled(county, found, request) or _unnamed(county, found, request)


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


def seats(
    county: County, responsible: Node, grid_id: int | None = None, *, categorised: bool = True
) -> tuple[Seat, ...]:
    """Where to look for a person, first to last: those who handle at the node, then the nearest administrator above.

    `grid_id`: the grid of the matter, if known (its courier comes first). Without a category it is the node's
    administrator who has to look (domain.md, 3.2): `categorised=False` leaves couriers and handlers out.
    """
    handling = _handling(county, responsible, grid_id) if categorised else ()
    return (*handling, *_upward(county, responsible, Role.ADMINISTRATOR))


def inspector_seats(county: County, responsible: Node) -> tuple[Seat, ...]:
    """Where to look for the person of a confidential complaint: the node's inspector, then the nearest above."""
    return _upward(county, responsible, Role.INSPECTOR)


def confidential_node(county: County, about: Node | None) -> Node:
    """Who takes a confidential complaint: the parent of the node complained about (for a person, of theirs), the
    county where there is none or nobody is named (domain.md, 2)."""
    parent = None if about is None else county.parent_of(about)
    above = county.root if parent is None else county.division_of(parent)
    return Node(division_id=county.in_force(above.id))


def choose(candidates: Iterable[Candidate]) -> Candidate | None:
    """Of those on duty, the one with the fewest open tickets; ties: the longest without a new one, never being
    longest; then the lower id. None where there is nobody."""
    return min(candidates, key=_burden, default=None)


def _burden(candidate: Candidate) -> tuple[int, float, int]:
    given = candidate.last_given_at
    return candidate.open_tickets, float("-inf") if given is None else given.timestamp(), candidate.staff_id


def _depth(level: Level) -> int:
    return level.depth


def _in_force(county: County, request: Request) -> Request:
    """The request with what is in force above a closed division in its place; the county says nothing of a grid."""
    bound, account, recorder = (
        None if home is None else county.in_force(home)
        for home in (request.bound_grid_id, request.account_division_id, request.recorder_division_id)
    )
    if bound == county.root.id:
        bound = None
    return replace(request, bound_grid_id=bound, account_division_id=account, recorder_division_id=recorder)


def _named(county: County, found: Found, outside: str | None) -> Located:
    words = _quoted(found.words)
    place = _common(county, found.sure)
    if found.conflict:
        reason = f"文中写到{words}，不在同一镇街，先归{_address(county, place)}，请核对地点。"
        return Located(place, reason, How.CONFLICT, elsewhere=outside)
    return Located(place, f"文中写到{words}，在{_address(county, place)}。", How.TEXT, elsewhere=outside)


def _bound(county: County, found: Found, grid_id: int) -> Located:
    return Located(grid_id, f"{_unsaid(county, found)}，按群众绑定的网格：{_address(county, grid_id)}。", How.BOUND)


def _settled(county: County, found: Found, request: Request) -> Located | None:
    """An ambiguous name is settled by where the message came in: that place, where it lies in what the name may mean;
    else the one of the candidates that lies in it."""
    home = request.account_division_id
    if home is None or not found.ambiguous:
        return None
    inside = [c for c in found.ambiguous if county.within(c, (home,))]
    place = home if county.within(home, found.ambiguous) else inside[0] if len(inside) == 1 else None
    if place is None:
        return None
    reason = f"{_unsaid(county, found)}，按公众号（微信群）所在定为{_address(county, place)}。"
    return Located(place, reason, How.SETTLED)


def _unnamed(county: County, found: Found, request: Request) -> Located:
    unsaid = _unsaid(county, found) + ("，待确认" if found.ambiguous else "")
    for home, how, whose in (
        (request.account_division_id, How.ACCOUNT, "公众号（微信群）"),
        (request.recorder_division_id, How.RECORDER, "登记人"),
    ):
        if home is not None:
            return Located(home, f"{unsaid}，先按{whose}所在：{_address(county, home)}。", how, found.ambiguous)
    return Located(county.root.id, f"{unsaid}，先由{county.root.name}受理。", How.COUNTY, found.ambiguous)


def _unsaid(county: County, found: Found) -> str:
    if not found.ambiguous:
        return "文中没有写明地点"
    names = "、".join(county.divisions[i].name for i in found.ambiguous)
    return f"文中的{_quoted(found.words)}可指{names}"


def _quoted(words: Iterable[str]) -> str:
    return "".join(f"“{word}”" for word in words)


def _address(county: County, division_id: int) -> str:
    """The path below the county; the county's name for the county itself."""
    path = county.path(division_id)
    return "".join(path[1:] or path)


def _common(county: County, division_ids: Sequence[int]) -> int:
    """The lowest division that holds all of them."""
    first, *others = (county.divisions[i].lineage for i in division_ids)
    return [i for i in first if all(i in other for other in others)][-1]


def _station(county: County, town: Node, unit: Unit | None) -> Unit | None:
    """The station of a town that works for a county unit; None where the town has none."""
    if unit is None or town.division_id is None:
        return None
    code = next(
        (code for ending, code in STATIONS if unit.name.endswith(ending) or unit.short_name.endswith(ending)), ""
    )
    stations = county.units_of.get(town.division_id, ())
    return next((station for station in stations if code and station.code.endswith(code)), None)


def _handling(county: County, responsible: Node, grid_id: int | None) -> tuple[Seat, ...]:
    if responsible.division_id is None:
        return (Seat(responsible, (Role.HANDLER,)),)
    division = county.divisions[responsible.division_id]
    if division.level is Level.GRID:
        return (Seat(responsible, (Role.COURIER,), (division.id,)),)
    if division.level is not Level.VILLAGE:
        return ()
    grids = tuple(d.id for d in county.divisions.values() if d.parent_id == division.id and d.in_force)
    own = (Seat(responsible, (Role.COURIER,), (grid_id,)),) if grid_id in grids and grid_id is not None else ()
    return (*own, Seat(responsible, (Role.COURIER,), grids)) if grids else ()


def _upward(county: County, responsible: Node, role: Role) -> tuple[Seat, ...]:
    """The role at the node and at each node above, nearest first (domain.md, 1: filled by the nearest above)."""
    found = [Seat(responsible, (role,))]
    above = county.parent_of(responsible)
    while above is not None:
        found.append(Seat(above, (role,)))
        above = county.parent_of(above)
    return tuple(found)
