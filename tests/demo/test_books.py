"""Who the simulation may play, and what its books count."""

from collections import Counter
from pathlib import Path

import pytest

from app.demo import cast as casting
from app.demo.books import UNIT, Books, Entry, Key, Row, differences
from app.demo.cast import Responsible
from app.demo.county import DemoCounty
from app.demo.installation import announce
from app.domain.counting import Counts
from app.domain.errors import Missing
from app.domain.vocabulary import AccountMode, Attribution, Role, Score, Status, Via
from tests.demo.played import BUREAU, COUNTY, GRID, NOON, STATION, TOWN, VILLAGE, a_cast, completed, entry, user

DIRECT, HANDLED = Attribution.TERRITORIAL, Attribution.HANDLING


def test_the_cast_is_read_as_the_demo_left_it(demo: DemoCounty, tmp_path: Path) -> None:
    announce(tmp_path, demo, "http://127.0.0.1:8000")
    cast = casting.read(tmp_path)
    assert (cast.base_url, cast.root, len(cast.accounts)) == ("http://127.0.0.1:8000", COUNTY, 19)
    assert Counter(account.keys.mode for account in cast.accounts)[AccountMode.SAFE] == 17
    assert casting.read(tmp_path, "http://127.0.0.1:9/").base_url == "http://127.0.0.1:9"
    above = [user.division_code for user in cast.administrators_over(GRID)]
    assert above == [VILLAGE, TOWN, COUNTY, COUNTY, COUNTY]


def test_without_a_demo_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="o2o demo"):
        casting.read(tmp_path)
    (tmp_path / "demo.json").write_text("{}", "utf-8")
    with pytest.raises(Missing, match="重新启动"):
        casting.read(tmp_path)


def test_people_at_a_node_are_those_who_may_work_for_it() -> None:
    courier, elsewhere = user("courier", Role.COURIER, GRID), user("another", Role.COURIER, "430121001002001")
    handler = user("handler", Role.HANDLER, None, STATION)
    cast = a_cast(courier, elsewhere, handler)
    assert cast.people_at(Responsible(VILLAGE, None)) == [courier]
    assert cast.people_at(Responsible(None, STATION)) == [handler]
    assert cast.people_at(Responsible(TOWN, None)) == []
    assert [cast.home(Responsible(None, unit)) for unit in (STATION, BUREAU)] == [TOWN, COUNTY]


def test_a_ticket_counts_at_its_place_and_all_above_and_at_whoever_handles_it() -> None:
    counts = books(entry(GRID, Responsible(None, STATION))).counts(NOON)
    assert set(counts) == {
        *(Key(DIRECT, level, code) for level, code in (("county", COUNTY), ("town", TOWN), ("village", VILLAGE))),
        *(Key(HANDLED, level, code) for level, code in (("county", COUNTY), ("town", TOWN), (UNIT, STATION))),
    }
    assert {(c.received, c.accepted, c.replied, c.completed) for c in counts.values()} == {(1, 0, 0, 0)}


def test_a_confidential_ticket_counts_at_the_county_alone() -> None:
    hidden = entry(COUNTY, Responsible(TOWN, None))
    hidden.confidential = True
    assert set(books(hidden).counts(NOON)) == {Key(DIRECT, "county", COUNTY), Key(HANDLED, "county", COUNTY)}


def test_a_dislike_takes_the_completion_back_and_the_latest_score_counts() -> None:
    rated = completed(entry(VILLAGE, Responsible(VILLAGE, None)))
    rated.rate(Score.LIKE, Via.CODE)
    rated.rate(Score.DISLIKE, Via.CODE)
    reopened = books(rated).counts(NOON)[Key(DIRECT, "village", VILLAGE)]
    assert (rated.status, rated.cycle) == (Status.IN_PROGRESS, 2)
    assert (reopened.completed, reopened.likes, reopened.dislikes, reopened.first_likes) == (0, 0, 1, 1)


def test_books_that_agree_show_no_difference() -> None:
    kept = books(completed(entry(GRID, Responsible(VILLAGE, None))), entry(TOWN, Responsible(None, BUREAU)))
    before = {key: row(key, Counts(received=3, accepted=2)) for key in kept.counts(NOON)}
    after = {key: row(key, Counts(received=3, accepted=2) + more) for key, more in kept.counts(NOON).items()}
    assert differences(kept.counts(NOON), before, after) == []


@pytest.mark.parametrize("name", ["received", "accepted", "replied", "completed", "likes", "dislikes", "on_time"])
def test_one_too_many_of_any_count_is_named(name: str) -> None:
    kept = books(completed(entry(GRID, Responsible(VILLAGE, None)))).counts(NOON)
    key = Key(HANDLED, "village", VILLAGE)
    after = {one: row(one, counts) for one, counts in kept.items()} | {key: row(key, kept[key] + Counts(**{name: 1}))}
    [line] = differences(kept, {}, after)
    assert line.startswith(f"承办 某地（{VILLAGE}）的“")
    had = getattr(kept[key], name)
    assert line.endswith(f"账上增 {had}，服务增 {had + 1}（0 → {had + 1}）")


def test_a_row_that_nothing_happened_at_may_not_change() -> None:
    key = Key(DIRECT, "town", "430121002")
    [line] = differences({}, {key: row(key, Counts(received=1))}, {key: row(key, Counts(received=2))})
    assert "430121002" in line
    assert "账上增 0，服务增 1" in line


def test_a_rate_that_is_not_that_of_its_own_counts_is_named() -> None:
    key = Key(DIRECT, "town", TOWN)
    wrong = {**row(key, Counts(received=3, accepted=1)), "acceptance_rate": 33.34}
    assert differences({key: Counts(received=3, accepted=1)}, {}, {key: wrong}) == [
        f"属地 某地（{TOWN}）的受理率：按它自己的件数应为 33.33，服务给出 33.34"
    ]


def books(*entries: Entry) -> Books:
    return Books(a_cast(), list(entries))


def row(key: Key, counts: Counts) -> Row:
    """A row as the service gives it: here with the four rates worked out by hand."""

    def rate(part: int, whole: int) -> float | None:
        return round(100 * part / whole, 2) if whole else None

    c = counts
    return {
        **{name: getattr(c, name) for name in Counts.__slots__},
        "name": "某地",
        "level": key.level,
        "code": key.code,
        "acceptance_rate": rate(c.accepted, c.received),
        "reply_rate": rate(c.replied, c.received),
        "completion_rate": rate(c.completed, c.received),
        "satisfaction_rate": rate(c.likes, c.likes + c.dislikes),
    }
