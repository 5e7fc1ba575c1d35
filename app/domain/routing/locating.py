"""Where a matter is (domain.md, 3.1): by the first that answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.domain.coordinates import Point
from app.domain.county import County
from app.domain.places import Found, PlaceIndex, elsewhere
from app.domain.routing.spots import Spot
from app.domain.vocabulary import Word


class How(Word):
    """By what a place was found."""

    GIVEN = "given", "填写的地点"
    LOCATION = "location", "发来的位置"
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
    """What is known of where a matter may be. `text` is title and text together; `point` the location sent with this
    matter; all else are division ids.

    `account_division_id`: the official account's division, or the WeChat group's where staff recorded it.
    """

    text: str
    given_division_id: int | None = None
    bound_grid_id: int | None = None
    account_division_id: int | None = None
    recorder_division_id: int | None = None
    point: Point | None = None


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


def where(county: County, index: PlaceIndex, request: Request, said: Spot | None = None) -> Located:
    """The place of a matter, by the first that answers (domain.md, 3.1): given, location, text, bound grid, account,
    county. `said`: what its location says (`spot`)."""
    if request.given_division_id is not None:
        given = request.given_division_id
        return Located(given, f"按填写的地点：{_address(county, given)}。", How.GIVEN)
    if said is not None and said.division_id is not None:
        reason = f"{said.reason}，归{_address(county, said.division_id)}。"
        # Here it is, whatever neighbour the text names; what the city runs is still the city's.
        return Located(said.division_id, reason, How.LOCATION, elsewhere=elsewhere(request.text, placed=True))
    located = _by_words(county, index, _in_force(county, request))
    return located if said is None else replace(located, reason=f"{said.reason}；{located.reason}")


def _by_words(county: County, index: PlaceIndex, request: Request) -> Located:
    """By what the text names and by where it came in."""
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
