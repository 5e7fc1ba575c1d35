"""The statement is the definition; whose row a ticket is in; who is ranked among whom."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from sqlalchemy import event, text

from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.counting import Counts, Facts, count
from app.domain.county import County, Division, Node
from app.domain.errors import Invalid
from app.domain.rates import cohort, span
from app.domain.vocabulary import SHANGHAI, Attribution, Level
from app.imports.queries import renew_county
from app.rates.service import UNIT, Table, rates, rates_down_to
from app.rates.views import day, table_view
from tests.rates.counted import DONE, LIKED, RECEIVED, UNTOUCHED, Placed, any_facts, at, write

COUNTY, TOWN, VILLAGE, GRID = "430121", "430121001", "430121001001", "430121001001001"
OTHER_TOWN = "430121105"
AUGUST: dict[str, Any] = {"first": date(2026, 8, 1), "last": date(2026, 8, 31)}
TERRITORIAL, HANDLING = Attribution.TERRITORIAL, Attribution.HANDLING
INSTANT = timedelta(microseconds=1)


@pytest.fixture
async def county(work: Work) -> Atlas:
    return await atlas(work)


async def asked(work: Work, county: Atlas, code: str = COUNTY, **more: Any) -> dict[str, Counts]:
    """What the rows count, by code."""
    table = await rates(work, county, county.county.by_code[code].id, **{**AUGUST, **more})
    return {row.code: row.counts for row in table.rows}


async def received(work: Work, county: Atlas, code: str = COUNTY, **more: Any) -> dict[str, int]:
    """How many the rows have received, by code; rows without any are left out."""
    return {
        code: counts.received for code, counts in (await asked(work, county, code, **more)).items() if counts.received
    }


def a_mixed_bag(county: County, random: Random, now: datetime) -> list[Placed]:
    """Tickets at every level and with every kind of node, on both sides of every limit of the reckoning."""
    begin, end = span(**AUGUST)
    moments = [begin, begin - INSTANT, end, end - INSTANT, now, now - INSTANT, now + INSTANT]
    moments += [begin + timedelta(hours=random.randrange(24 * 31)) for _ in range(20)]
    places = [county.by_code[code] for code in (COUNTY, TOWN, OTHER_TOWN, VILLAGE, GRID)]
    places += random.sample(list(county.divisions.values()), 15)
    nodes = [Node(division_id=place.id) for place in places]
    nodes += [Node(unit_id=unit.id) for unit in random.sample(list(county.units.values()), 15)]
    return [
        Placed(
            facts=any_facts(random, moments),
            place_id=random.choice(places).id,
            node=random.choice(nodes),
            confidential=random.random() < 0.1,
        )
        for _ in range(400)
    ]


def belongs(county: County, one: Placed, by: Attribution, node: Node) -> bool:
    """Whether a ticket is in the row of that node, in the words of domain.md."""
    if one.confidential:
        return node.division_id == county.root.id
    if node.unit_id is not None:
        return one.node == node
    division_id = one.place_id if by is TERRITORIAL else county.division_of(one.node).id
    return node.division_id in county.divisions[division_id].lineage


@pytest.mark.parametrize("by", Attribution)
@pytest.mark.parametrize("seed", range(3))
async def test_the_statement_counts_what_the_definition_counts(
    work: Work, county: Atlas, seed: int, by: Attribution
) -> None:
    bag = a_mixed_bag(county.county, Random(seed), work.now)
    await write(work.conn, bag)
    levels: list[Any] = [None, *Level] + [UNIT] * (by is HANDLING)
    seen = Counts.zero()
    for area in (COUNTY, TOWN, VILLAGE):
        place = county.county.by_code[area]
        for level in levels:
            table = await rates(work, county, place.id, **AUGUST, level=level, attribution=by)
            for row in table.rows:
                mine = [one.facts for one in bag if belongs(county.county, one, by, row.node)]
                assert row.counts == count(cohort(mine, **AUGUST), work.now), (area, level, row.code)
                seen += row.counts
    assert all(astuple(seen)), "a field that is 0 throughout has not been compared"


@pytest.mark.parametrize("by", Attribution)
async def test_every_row_is_its_own_and_the_sum_of_the_rows_below_it(
    work: Work, county: Atlas, by: Attribution
) -> None:
    bag = a_mixed_bag(county.county, Random(7), work.now)
    await write(work.conn, bag)
    everything = await rates_down_to(work, county, county.county.root.id, **AUGUST, lowest=Level.GRID, attribution=by)
    rows = {row.node.division_id: row.counts for row in everything.rows}
    for division_id, counts in rows.items():
        assert division_id is not None
        division = county.county.divisions[division_id]
        below = (rows[one.id] for one in county.county.divisions.values() if one.parent_id == division.id)
        own = count(cohort(facts_at(county.county, bag, by, division), **AUGUST), work.now)
        assert counts == sum(below, own), division.name


def facts_at(county: County, bag: Iterable[Placed], by: Attribution, division: Division) -> Iterator[Facts]:
    """The tickets of the division itself, none of those below it."""
    for one in bag:
        place = one.place_id if by is TERRITORIAL else county.division_of(one.node).id
        if division.id == (county.root.id if one.confidential else place):
            yield one.facts


async def test_a_matter_of_a_town_itself_is_in_its_row_and_in_that_of_no_village(work: Work, county: Atlas) -> None:
    await write(work.conn, [at(county.county, TOWN), at(county.county, GRID)])
    assert await received(work, county, level=Level.TOWN) == {TOWN: 2}
    assert await received(work, county, level=Level.VILLAGE) == {VILLAGE: 1}
    assert await received(work, county, level=Level.GRID) == {GRID: 1}


async def test_place_and_responsibility_are_counted_apart(work: Work, county: Atlas) -> None:
    await write(work.conn, [at(county.county, VILLAGE, unit="U05"), at(county.county, VILLAGE, unit=f"{TOWN}S01")])
    assert await received(work, county, TOWN) == {TOWN: 2}
    assert await received(work, county, TOWN, attribution=HANDLING) == {TOWN: 1}
    assert await received(work, county, attribution=HANDLING) == {COUNTY: 2}
    assert await received(work, county, VILLAGE, attribution=HANDLING) == {}


async def test_units_are_those_of_the_division_and_of_all_below_it(work: Work, county: Atlas) -> None:
    station = f"{TOWN}S01"
    await write(work.conn, [at(county.county, VILLAGE, unit="U05"), at(county.county, OTHER_TOWN, unit=station)])
    handled = {"level": UNIT, "attribution": HANDLING}
    assert await received(work, county, **handled) == {"U05": 1, station: 1}
    assert await received(work, county, TOWN, **handled) == {station: 1}
    assert set(await asked(work, county, **handled)) == set(county.county.unit_by_code), "also units without a ticket"


async def test_units_can_only_be_counted_by_handling(work: Work, county: Atlas) -> None:
    with pytest.raises(Invalid, match="attribution=handling"):
        await asked(work, county, level=UNIT)


@pytest.mark.parametrize("by", Attribution)
async def test_a_confidential_ticket_is_in_no_row_but_the_county_s(work: Work, county: Atlas, by: Attribution) -> None:
    hidden = [
        at(county.county, GRID, confidential=True),
        at(county.county, VILLAGE, unit=f"{TOWN}S01", confidential=True),
        at(county.county, COUNTY, unit="U05", confidential=True),
    ]
    await write(work.conn, hidden)
    assert await received(work, county, attribution=by) == {COUNTY: 3}
    for level in (Level.TOWN, Level.VILLAGE, Level.GRID):
        assert await received(work, county, level=level, attribution=by) == {}
    for code in (TOWN, VILLAGE, GRID):
        assert await received(work, county, code, attribution=by) == {}
    if by is HANDLING:
        assert await received(work, county, level=UNIT, attribution=by) == {}


async def test_both_days_of_the_span_are_included_and_they_are_days_in_shanghai(work: Work, county: Atlas) -> None:
    begin, end = datetime(2026, 8, 1, tzinfo=SHANGHAI), datetime(2026, 9, 1, tzinfo=SHANGHAI)
    moments = (begin - INSTANT, begin, end - INSTANT, end)
    await write(work.conn, [at(county.county, GRID, replace(DONE, received_at=moment)) for moment in moments])
    assert await received(work, county) == {COUNTY: 2}
    assert await received(work, county, last=AUGUST["first"]) == {COUNTY: 1}


async def test_a_span_that_ends_before_it_begins_is_refused(work: Work, county: Atlas) -> None:
    with pytest.raises(Invalid, match="早于"):
        await asked(work, county, last=date(2026, 7, 31))


async def test_without_level_there_is_one_row_and_with_it_every_division_of_the_level(
    work: Work, county: Atlas
) -> None:
    assert list(await asked(work, county, TOWN)) == [TOWN]
    assert list(await asked(work, county, TOWN, level=Level.TOWN)) == [TOWN]
    assert await asked(work, county, TOWN, level=Level.COUNTY) == {}
    towns = await asked(work, county, level=Level.TOWN)
    assert len(towns) == 18
    assert list(towns) == sorted(towns)
    assert set(towns.values()) == {Counts.zero()}


async def test_a_closed_division_is_listed_while_it_has_something_to_count(work: Work, county: Atlas) -> None:
    await work.conn.execute(
        text("UPDATE division SET valid_to = '2026-07-31' WHERE code IN (:one, :other, :grid)"),
        {"one": TOWN, "other": OTHER_TOWN, "grid": GRID},
    )
    await renew_county(work.conn)
    county = await atlas(work)
    await write(work.conn, [at(county.county, GRID)])
    towns = await asked(work, county, level=Level.TOWN)
    assert TOWN in towns, "for the ticket of its grid"
    assert OTHER_TOWN not in towns
    assert GRID in await asked(work, county, level=Level.GRID)
    assert list(await asked(work, county, OTHER_TOWN)) == [OTHER_TOWN], "whoever asks for it by name gets it"


async def test_rows_of_a_level_are_ranked_among_each_other_and_a_single_row_is_not(work: Work, county: Atlas) -> None:
    towns = sorted(one.code for one in county.county.divisions.values() if one.level is Level.TOWN)
    best, tied, worst, few = towns[:4]
    bag = [at(county.county, code, LIKED) for code in (best, tied) for _ in range(10)]
    bag += [at(county.county, worst, UNTOUCHED) for _ in range(10)]
    bag += [at(county.county, few, LIKED) for _ in range(9)]
    await write(work.conn, bag)
    table = await rates(work, county, county.county.root.id, **AUGUST, level=Level.TOWN)
    ranks = {row.code: row.rank for row in table.rows}
    assert (ranks[best], ranks[tied], ranks[worst], ranks[few], ranks[towns[4]]) == (1, 1, 3, None, None)
    alone = await rates(work, county, county.county.by_code[best].id, **AUGUST, level=Level.TOWN)
    assert [row.rank for row in alone.rows] == [None]


async def test_all_levels_come_at_once_the_division_itself_first_each_level_ranked_by_itself(
    work: Work, county: Atlas
) -> None:
    await write(work.conn, [at(county.county, VILLAGE, LIKED) for _ in range(10)])
    table = await rates_down_to(work, county, county.county.root.id, **AUGUST, lowest=Level.VILLAGE)
    assert len(table.rows) == 1 + 18 + 197
    assert table.rows[0].code == COUNTY
    assert all(one.code < other.code for one, other in pairwise(table.rows))
    assert {row.code: row.rank for row in table.rows if row.rank} == {TOWN: 1, VILLAGE: 1}
    below = await rates_down_to(work, county, county.county.by_code[GRID].id, **AUGUST, lowest=Level.VILLAGE)
    assert [row.code for row in below.rows] == [GRID]


@contextmanager
def statements(work: Work) -> Iterator[list[str]]:
    """Every statement sent meanwhile."""
    sent: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(work.conn.sync_connection, "before_cursor_execute", note)
    yield sent
    event.remove(work.conn.sync_connection, "before_cursor_execute", note)


@pytest.mark.parametrize("level", [None, Level.VILLAGE, UNIT])
async def test_any_question_is_one_statement(work: Work, county: Atlas, level: Any) -> None:
    with statements(work) as sent:
        await asked(work, county, level=level, attribution=HANDLING)
    assert len(sent) == 1


async def test_rates_are_answered_in_percent_with_their_numerators_and_denominators(work: Work, county: Atlas) -> None:
    bag: Sequence[Placed] = [
        at(county.county, GRID, LIKED),
        at(county.county, GRID),
        at(county.county, GRID, UNTOUCHED),
    ]
    await write(work.conn, bag)
    table: Table = await rates(work, county, county.county.by_code[GRID].id, **AUGUST)
    (row,) = table_view(table).rows
    assert (row.received, row.completed, row.completion_rate) == (3, 2, 66.67)
    assert (row.satisfaction_rate, row.parts["satisfaction_rate"]) == (100.0, (1, 1))
    assert (row.on_time_rate, row.parts["on_time_rate"]) == (66.67, (2, 3))
    empty = table_view(await rates(work, county, county.county.by_code[OTHER_TOWN].id, **AUGUST)).rows[0]
    assert empty.completion_rate is None
    assert empty.parts["completion_rate"] == (0, 0)


@pytest.mark.parametrize("written", ["20260801", "2026-8-1", "2026-02-30", "2026-W31-1", "", "昨天", "２０２６-08-01"])
def test_only_a_whole_date_is_a_day(written: str) -> None:
    assert day("2026-08-01", "/from") == RECEIVED.date().replace(day=1)
    with pytest.raises(Invalid) as refused:
        day(written, "/from")
    assert refused.value.faults[0].pointer == "/from"
