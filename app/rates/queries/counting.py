"""Keeps the counters: deltas in, folded into rollups; recounted from the tickets, compared, built anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, any_, delete, func, literal, literal_column, or_, select, text, union_all
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.batch import Batch
from app.domain.counting import Tally
from app.rates.queries.conditions import DAY, HANDLER_DIVISION, HANDLER_UNIT, PLACE
from app.rates.queries.conditions import TALLIED as CONDITIONS
from app.schema.base import Id
from app.schema.divisions import divisions
from app.schema.rates import TALLIED, deltas, rollups
from app.schema.tickets import tickets

KEY = ("day", "division_id", "handler_division_id", "handler_unit_id")
_FOLDED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a ticket counts: its day of receipt, its division, and who is responsible (0 for the other of the two)."""

    day: date
    division_id: int
    handler_division_id: int
    handler_unit_id: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A counter that is not what the tickets say."""

    spot: Spot
    field: str
    kept: int
    counted: int


def add_delta(batch: Batch, spot: Spot, tally: Tally) -> None:
    """Counters change by `tally`, when the batch is written."""
    batch.add(deltas, {name: getattr(spot, name) for name in KEY} | {name: getattr(tally, name) for name in TALLIED})


def _sums(columns: Any) -> list[Any]:
    return [func.sum(columns[name]).label(name) for name in TALLIED]


def _fold_statement() -> Any:
    """Takes the oldest deltas away and adds them to the rollups, in one statement: nobody sees neither or both."""
    oldest = select(deltas.c.id).order_by(deltas.c.id).limit(_FOLDED_AT_ONCE).with_for_update(skip_locked=True)
    taken = delete(deltas).where(deltas.c.id.in_(oldest)).returning(deltas).cte("taken")
    keys = [taken.c[name] for name in KEY]
    # In the order of the key: two who fold at once lock rows alike.
    summed = select(*keys, *_sums(taken.c)).group_by(*keys).order_by(*keys)
    into = insert(rollups).from_select([*KEY, *TALLIED], summed)
    grown = {name: rollups.c[name] + into.excluded[name] for name in TALLIED}
    added = into.on_conflict_do_update(index_elements=list(KEY), set_=grown).returning(rollups.c.day).cte("added")
    return select(select(func.count()).select_from(taken).scalar_subquery(), func.count()).select_from(added)


_FOLD = _fold_statement()


async def fold(conn: AsyncConnection) -> int:
    """Folds up to ten thousand deltas; how many there were."""
    return int((await conn.execute(_FOLD)).one()[0])


def recounted() -> Select[Any]:
    """The rollups as the tickets themselves say."""
    counts = [func.count().filter(CONDITIONS[name]).label(name) for name in TALLIED]
    keys = [expression.label(name) for name, expression in zip(KEY, _EXPRESSIONS, strict=True)]
    source = tickets.join(divisions, divisions.c.id == tickets.c.division_id)
    return select(*keys, *counts).select_from(source).group_by(*(literal_column(str(n + 1)) for n in range(len(KEY))))


_EXPRESSIONS = (DAY, PLACE, HANDLER_DIVISION, HANDLER_UNIT)


async def count_new(conn: AsyncConnection, ids: Sequence[int], *, sign: int = 1) -> None:
    """Adds tickets that were written whole, without going through their lives (imported ones), to the counters; with
    `sign` -1 takes them out again, before they are changed so."""
    wanted = recounted().where(tickets.c.id == any_(literal(list(ids), ARRAY(Id)))).subquery()
    signed = [(wanted.c[name] * sign).label(name) for name in TALLIED]
    keys = [wanted.c[name] for name in KEY]
    await conn.execute(insert(deltas).from_select([*KEY, *TALLIED], select(*keys, *signed)))


async def differences(conn: AsyncConnection) -> list[Difference]:
    """Every counter that is not what the tickets say, of one moment."""
    kept = union_all(*(select(*(table.c[name] for name in (*KEY, *TALLIED))) for table in (rollups, deltas))).cte("k")
    ours = select(*(kept.c[name] for name in KEY), *_sums(kept.c)).group_by(*(kept.c[name] for name in KEY)).cte("ours")
    theirs = recounted().cte("theirs")
    same = [ours.c[name] == theirs.c[name] for name in KEY]
    unlike = or_(*(_or_zero(ours.c[name]) != _or_zero(theirs.c[name]) for name in TALLIED))
    keys = [func.coalesce(ours.c[name], theirs.c[name]).label(name) for name in KEY]
    both = [_or_zero(side.c[name]) for name in TALLIED for side in (ours, theirs)]
    query = select(*keys, *both).select_from(ours.join(theirs, and_(*same), full=True)).where(unlike).order_by(*keys)
    return [one for row in await conn.execute(query) for one in _named(tuple(row))]


def _or_zero(expression: Any) -> Any:
    return func.coalesce(expression, 0)


def _named(row: tuple[Any, ...]) -> list[Difference]:
    spot, counts = Spot(*row[: len(KEY)]), row[len(KEY) :]
    pairs = zip(TALLIED, counts[::2], counts[1::2], strict=True)
    return [Difference(spot, name, int(kept), int(counted)) for name, kept, counted in pairs if kept != counted]


async def rebuild(conn: AsyncConnection) -> int:
    """Throws the counters away and counts all tickets anew; how many rollups there are then.

    Whoever changes a ticket meanwhile waits, or has been counted: the locks come before the first look at anything.
    """
    await conn.execute(text("LOCK TABLE rate_delta, rate_rollup IN EXCLUSIVE MODE"))
    await conn.execute(delete(deltas))
    await conn.execute(delete(rollups))
    done = await conn.execute(insert(rollups).from_select([*KEY, *TALLIED], recounted()).returning(rollups.c.day))
    return len(done.all())


async def unfolded(conn: AsyncConnection) -> int:
    """How many deltas wait to be folded: few, while a worker runs."""
    return int((await conn.execute(select(func.count()).select_from(deltas))).scalar_one())
