"""What `o2o doctor` asks of the staff."""

from app.base.running.health import Check, State, reporter
from app.base.work import Work
from app.domain.vocabulary import Role
from app.people.queries import upkeep

NEEDED = (Role.ADMINISTRATOR, Role.COURIER)
"""Without them nothing is accepted or delivered."""


async def staff(work: Work) -> Check:
    """Who is there, by role."""
    check = reporter("staff", "人员")
    counts = await upkeep.seated(work.conn, work.now)
    said = "、".join(f"{role.label} {counts[role]}" for role in Role if role in counts)
    missing = [role.label for role in NEEDED if role not in counts]
    if missing:
        begun = f"{said}；" if said else ""
        return check(State.FAIL, f"{begun}没有{'、'.join(missing)}：请运行 o2o import staff 文件")
    return check(State.OK, said)


async def duties(work: Work) -> Check:
    """系统, 安全, 审计 are never one person's (domain.md, 1)."""
    check = reporter("duties", "三权分立")
    both = await upkeep.entangled(work.conn, work.now)
    if both:
        said = f"{both} 人兼任系统管理员或审计员与其他职务"
        return check(State.FAIL, f"{said}：系统管理、安全管理、审计不能由一人兼任，请改正人员表后重新导入")
    return check(State.OK, "系统管理员和审计员都不兼其他职务")
