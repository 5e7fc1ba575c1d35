"""The demo's households: spread over the grids, each with a courier of its grid, a few of them in difficulty."""

import random
from collections import Counter
from collections.abc import Sequence

from app.demo.invented import NAMES, phone_of
from app.demo.sheets import Row, Sheet, at, is_rural, spoken_path
from app.domain.vocabulary import Level, Role

IN_DIFFICULTY = 0.05
COLUMNS = ("grid_code", "head_name", "phone", "address", "courier_username", "in_difficulty")
_FLOORS, _DOORS = 6, 4


def homes_of(divisions: Sequence[Row], staff: Sequence[Row], count: int, seed: int) -> Sheet:
    """`count` households (at least two a grid), half of them dealt out evenly, the rest at random."""
    rng = random.Random(f"{seed} households")  # noqa: S311  a repeatable county
    grids = at(Level.GRID, divisions)
    least = count // (2 * len(grids))
    further = Counter(
        rng.choices(range(len(grids)), [rng.uniform(0.5, 1.5) for _ in grids], k=count - least * len(grids))
    )
    taken = {row["phone"] for row in staff}
    phones = (p for n in rng.sample(range(10**8), count + len(taken)) if (p := phone_of(n)) not in taken)
    couriers: dict[str, list[str]] = {}
    for row in staff:
        if row["role"] == Role.COURIER:
            couriers.setdefault(row["division_code"], []).append(row["username"])
    by_code = {row["code"]: row for row in divisions}
    rows = []
    for index, grid in enumerate(grids):
        street, rural = spoken_path(grid, by_code), is_rural(by_code[grid["parent_code"]])
        turns = couriers[grid["code"]]
        for number in range(least + further[index]):
            cells = (
                grid["code"],
                rng.choice(NAMES),
                next(phones),
                street + (f"{number + 1}号" if rural else _door(number)),
                turns[number % len(turns)],
                "true" if rng.random() < IN_DIFFICULTY else "false",
            )
            rows.append(dict(zip(COLUMNS, cells, strict=True)))
    return Sheet("households", COLUMNS, rows)


def _door(number: int) -> str:
    """The flat of that number, of one staircase a building."""
    building, flat = divmod(number, _FLOORS * _DOORS)
    floor, door = divmod(flat, _DOORS)
    return f"{building + 1}栋{floor + 1}0{door + 1}室"
