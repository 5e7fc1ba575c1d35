"""What must be refused, tried on purpose: each with the right status, a Chinese sentence, and nothing changed by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from app.demo.books import Entry
from app.demo.cast import Account, User, within
from app.demo.office import Astray, Json
from app.demo.world import World
from app.domain.vocabulary import Kind, Role, Status

CHANCE = 0.15


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is tried, by whom (None: nobody signed in), and the status that has to answer it. No `action`: a look."""

    label: str
    status: int
    user: User | None
    action: str | None = None
    body: Json = field(default_factory=dict)


Try = Callable[[World, Random, Entry], Attempt | None]


async def at_stage(world: World, rng: Random, entry: Entry) -> None:
    """Now and then tries what has been tried least of all that makes sense with the ticket as it is.

    Raises Astray where it is not refused so, or anything of the ticket has changed.
    """
    if rng.random() > CHANCE:
        return
    tries = _HIDDEN if entry.confidential else _TRIES[entry.status]
    possible = [attempt for one in tries if (attempt := one(world, rng, entry)) is not None]
    if not possible:
        return
    attempt = min(possible, key=lambda attempt: world.refused[attempt.label])
    path = f"/api/v1/tickets/{entry.number}"
    version = entry.version
    if attempt.action is None:
        await refused(world, attempt.label, attempt.status, attempt.user, "GET", path)
    else:
        said = await refused(
            world, attempt.label, attempt.status, attempt.user, "POST", f"{path}/{attempt.action}", attempt.body
        )
        if attempt.status == 409 and (said.get("status"), said.get("version")) != (entry.status, version):
            raise Astray(f"{entry.number}：{attempt.label}，409 没有写明现在的状态和版本")
    await world.look(entry)
    if entry.version != version:
        raise Astray(f"{entry.number}：{attempt.label}，虽被拒绝，版本却从 {version} 变为 {entry.version}")


async def refused(  # noqa: PLR0913 - the request and its expected end
    world: World,
    label: str,
    status: int,
    user: User | None,
    method: str,
    path: str,
    body: Json | None = None,
    headers: Mapping[str, str] = {},
) -> Json:
    """One request that has to be refused with `status` as a problem document, which comes back. Raises Astray, Busy."""
    answer = await world.office.ask(user, method, path, body, headers)
    if answer.status != status:
        raise Astray(f"{label}：应被拒绝（{status}），实际 {answer.status} {answer.body.get('detail', '')}")
    if answer.media_type != "application/problem+json" or not answer.body.get("detail"):
        raise Astray(f"{label}：拒绝时没有用 problem+json 说明原因")
    world.refused[label] += 1
    return answer.body


async def at_recording(world: World, rng: Random, recorder: User, body: Json) -> None:
    """Now and then the administrator slips, or somebody records who may not. Raises Astray."""
    if rng.random() > CHANCE:
        return
    slips: tuple[tuple[str, Json], ...] = (
        ("登记时多写了一个字段", {"village": "某村"}),
        ("登记时分类代码不存在", {"category": "C9999"}),
        ("登记时区划代码不存在", {"division_code": "430199"}),
        ("登记的收到时间在以后", {"received_at": (world.began + timedelta(hours=2)).isoformat()}),
        ("登记的收到时间在四天前", {"received_at": (world.began - timedelta(days=4)).isoformat()}),
        ("登记的内容是空白", {"description": " \n "}),
        ("登记时冒充公众号来件", {"channel": "account"}),
    )
    label, slip = min(slips, key=lambda one: world.refused[one[0]])
    await refused(world, label, 422, recorder, "POST", "/api/v1/tickets", body | slip)
    watcher = rng.choice(world.cast.of(Role.PRINCIPAL))
    await refused(world, "第一责任人登记事项", 403, watcher, "POST", "/api/v1/tickets", body)


async def at_account(world: World, account: Account, openid: str, text: str) -> None:
    """Somebody plays WeChat without the token. Raises Astray."""
    status = await world.wechat.refused(account, openid, text)
    if status != 403:
        raise Astray(f"{account.name}：签名不对的消息应被拒绝（403），实际 {status}")
    world.refused["签名不对的微信消息"] += 1


def _nearest(world: World, entry: Entry) -> User:
    return world.cast.administrators_over(world.cast.home(entry.node))[0]


def _auditor(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("审计员受理事项", 403, world.cast.of(Role.AUDITOR)[0], "accept")


def _operator(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("系统管理员查看事项", 403, world.cast.of(Role.OPERATOR)[0])


def _outsider(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("外镇管理员受理事项", 404, _of_another_town(world, rng, entry), "accept")


def _of_another_town(world: World, rng: Random, entry: Entry) -> User:
    recorder = entry.recorder.username if entry.recorder else None
    # Before any move only the place and the first node open the ticket to an area.
    area = (entry.place, world.cast.home(entry.node))
    return rng.choice(
        [
            user
            for user in world.cast.of(Role.ADMINISTRATOR)
            if user.username != recorder and not any(within(place, user.division_code) for place in area)
        ]
    )


def _stale(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("凭过时的版本受理", 409, _nearest(world, entry), "accept", {"version": entry.version - 1})


def _too_early(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("未受理就办结", 409, _nearest(world, entry), "complete", {"result": "办好了"})


def _uncategorised(world: World, rng: Random, entry: Entry) -> Attempt | None:
    if entry.category is not None:
        return None
    return Attempt("没有分类就受理", 422, _nearest(world, entry), "accept")


def _place_outside(world: World, rng: Random, entry: Entry) -> Attempt | None:
    return _outside(world, rng, entry, "把地点更正到辖区外", "accept", "place_code")


def _dispatch_outside(world: World, rng: Random, entry: Entry) -> Attempt | None:
    return _outside(world, rng, entry, "派单到辖区外", "dispatch", "division_code")


def _outside(world: World, rng: Random, entry: Entry, label: str, action: str, name: str) -> Attempt | None:
    administrator = _nearest(world, entry)
    area = administrator.division_code or ""
    others = [town.code for town in world.tree.towns if not (within(town.code, area) or within(area, town.code))]
    if area == world.cast.root:
        return None
    body: Json = {name: rng.choice(others), "version": entry.version}
    if action == "accept" and entry.category is None:
        body["category"] = entry.meant
    return Attempt(label, 403, administrator, action, body)


def _unknown_field(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("开始办理时多写了字段", 422, _nearest(world, entry), "start", {"when": "now"})


def _nobody(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("未登录就开始办理", 401, None, "start")


def _accept_again(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("重复受理", 409, _nearest(world, entry), "accept")


def _nowhere(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("派单不写派给谁", 422, _nearest(world, entry), "dispatch")


def _unworked(world: World, rng: Random, entry: Entry) -> Attempt | None:
    if entry.works or entry.kind is Kind.CONSULTATION:
        return None
    return Attempt("没走访没回复就办结", 409, _nearest(world, entry), "complete", {"result": "办好了"})


def _blank(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("回复空白", 422, _nearest(world, entry), "reply", {"text": "  \n"})


def _visit_to_come(world: World, rng: Random, entry: Entry) -> Attempt:
    later = (world.began + timedelta(days=1)).isoformat()
    return Attempt("走访时间在以后", 422, _nearest(world, entry), "visit", {"seen": "看过了", "at": later})


def _wrong_code(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("凭错误的评价码评价", 403, None, "rating", {"score": "dislike", "code": "ABCDEFGH"})


def _no_code(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("未登录又没有评价码就评价", 401, None, "rating", {"score": "like"})


def _start_again(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("办结后又开始办理", 409, _nearest(world, entry), "start")


def _hidden_look(world: World, rng: Random, entry: Entry) -> Attempt:
    return Attempt("县管理员查看保密件", 404, world.cast.at(Role.ADMINISTRATOR, world.cast.root)[0])


def _hidden_act(world: World, rng: Random, entry: Entry) -> Attempt:
    administrator = entry.recorder or world.cast.at(Role.ADMINISTRATOR, world.cast.root)[0]
    return Attempt("登记人受理保密件", 404, administrator, "accept")


_HIDDEN: tuple[Try, ...] = (_hidden_look, _hidden_act)
_TRIES: Mapping[Status, tuple[Try, ...]] = {
    Status.RECEIVED: (_auditor, _operator, _outsider, _stale, _too_early, _uncategorised, _place_outside),
    Status.ACCEPTED: (_unknown_field, _nobody, _accept_again, _nowhere, _dispatch_outside),
    Status.IN_PROGRESS: (_unworked, _blank, _visit_to_come),
    Status.COMPLETED: (_wrong_code, _no_code, _start_again),
}
