"""What `o2o doctor` asks of the county's tree."""

from collections import Counter

from app.base.running.health import Check, State, reporter
from app.base.work import Work
from app.divisions.service import atlas
from app.domain.errors import Busy
from app.domain.vocabulary import Level


async def county(work: Work) -> Check:
    """Whether there is a county with all that a ticket needs: divisions, units, categories."""
    check = reporter("county", "县情")
    try:
        found = (await atlas(work)).county
    except Busy as busy:
        return check(State.FAIL, busy.detail)
    levels = Counter(division.level for division in found.divisions.values() if division.in_force)
    leaves = sum(category.level == 2 for category in found.categories.values())
    places = "、".join(f"{level.label} {levels[level]}" for level in Level)
    said = f"{places}、承办单位 {len(found.units)}、事项分类 {leaves}"
    kinds = {"units": len(found.units), "categories": leaves}
    missing = [kind for kind, count in kinds.items() if not count]
    if missing:
        return check(State.FAIL, f"{said}：请运行 {'、'.join(f'o2o import {kind} 文件' for kind in missing)}")
    return check(State.OK, said)
