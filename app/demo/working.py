"""How the county's people work a ticket: accept, dispatch, visit, reply, complete, each by somebody who may."""

from random import Random

from app.demo import refusals, texts
from app.demo.books import Entry
from app.demo.cast import Responsible, User, within
from app.demo.office import Astray, Json
from app.demo.world import World
from app.domain.vocabulary import Kind, Role, Status

HALL = {"lat": 28.2467, "lon": 113.0806, "datum": "wgs84"}
"""Somewhere in 星沙, for visits that say where."""


async def accept(world: World, rng: Random, entry: Entry) -> None:
    """An administrator accepts, correcting what is wrong; or the person assigned as it stands. Raises Astray, Busy."""
    user, body = _acceptance(world, rng, entry)
    said = await world.act(user, entry, "accept", body)
    entry.status = Status.ACCEPTED
    entry.meant = body.get("category", entry.meant)
    if "place_code" in body:
        entry.allowed = frozenset({body["place_code"]})
    world.take(entry, said)
    if "category" in body and entry.category != body["category"]:
        raise Astray(f"{entry.number}：受理时把分类更正为 {body['category']}，实际 {entry.category}")
    world.tally["corrections"] += "category" in body or "place_code" in body


def _acceptance(world: World, rng: Random, entry: Entry) -> tuple[User, Json]:
    body: Json = {"version": entry.version} if rng.random() < 0.5 else {}
    if entry.confidential:
        return world.eyes(entry), body
    person = world.cast.named(entry.person)
    if person is not None and person.role is not Role.ADMINISTRATOR and entry.category and rng.random() < 0.3:
        return person, body
    administrator = world.cast.administrators_over(world.cast.home(entry.node))[0]
    leaves = sorted(code for code, leaf in world.tree.categories.items() if not leaf.confidential)
    if entry.category != entry.meant:
        body["category"] = entry.meant
    elif rng.random() < 0.05:
        body["category"] = rng.choice(leaves)
    if rng.random() < 0.06:
        body["place_code"] = world.tree.village(rng, administrator.division_code or "").code
    return administrator, body


async def dispatch(world: World, rng: Random, entry: Entry) -> None:
    """The administrator of the node, or above, gives it to somebody below who can sign in. Raises Astray, Busy."""
    over = world.cast.administrators_over(world.cast.home(entry.node))
    administrator = rng.choice([user for user in over if user.division_code != entry.place] or over)
    area = administrator.division_code or ""
    couriers = [u for u in world.cast.of(Role.COURIER) if within(u.division_code or "", area)]
    near = [u for u in couriers if within(u.division_code or "", entry.place[:9])]
    handlers = [u for u in world.cast.of(Role.HANDLER) if within(world.cast.home(Responsible(None, u.unit_code)), area)]
    target = rng.choice(near or couriers or handlers) if rng.random() < 0.7 or not handlers else rng.choice(handlers)
    if target.role is Role.COURIER:
        # A courier sits at a grid; the village is the node that is responsible.
        goal, body = Responsible((target.division_code or "")[:12], None), {"username": target.username}
    else:
        goal, body = Responsible(None, target.unit_code), {"unit_code": target.unit_code or ""}
    said = await world.act(administrator, entry, "dispatch", body | {"text": "请上门看看，有结果报我。"})
    entry.sent_to = goal
    world.take(entry, said)
    world.tally["dispatches"] += 1


async def work(world: World, rng: Random, entry: Entry, *, stop: bool = False) -> None:
    """Somebody of the node, or an administrator in their place (代办), does the work; `stop`: and does not finish.

    Raises Astray, Busy.
    """
    worker = _worker(world, rng, entry)
    own = worker.role is not Role.ADMINISTRATOR
    world.tally["worked_by_node" if own or entry.confidential else "worked_in_place"] += 1
    entry.hands.add(worker.username)
    entry.worker = worker
    if entry.status is Status.ACCEPTED:
        said = await world.act(worker, entry, "start", {})
        entry.status = Status.IN_PROGRESS
        world.take(entry, said)
        await refusals.at_stage(world, rng, entry)
    await _steps(world, rng, entry, worker)
    if stop:
        return
    body: Json = {"result": texts.result(rng, entry.kind)}
    leaf = world.tree.categories.get(entry.category or "")
    if leaf is not None and leaf.photo_required:
        body["files"] = [await world.office.photo(worker, rng)]
        world.tally["photos"] += 1
    said = await world.act(worker, entry, "complete", body)
    entry.status, entry.replied = Status.COMPLETED, True
    world.take(entry, said)
    world.tally["completions"] += 1


async def _steps(world: World, rng: Random, entry: Entry, worker: User) -> None:
    """Visits and replies: at least one, but for a consultation, which its result answers."""
    steps = [step for step, chance in (("visit", 0.6), ("reply", 0.6)) if rng.random() < chance]
    if not steps and entry.kind is not Kind.CONSULTATION:
        steps = [rng.choice(("visit", "reply"))]
    for step in steps:
        body: Json = {"text": texts.reply(rng)} if step == "reply" else {"seen": texts.seen(rng)}
        if step == "visit" and rng.random() < 0.5:
            body["location"] = HALL
        said = await world.act(worker, entry, step, body)
        entry.works += 1
        entry.replied = entry.replied or step == "reply"
        world.take(entry, said)
        world.tally["visits" if step == "visit" else "replies"] += 1


def _worker(world: World, rng: Random, entry: Entry) -> User:
    """The person assigned, or a colleague, where one can sign in; else an administrator of the node or above.

    Mostly not the recorder: whoever works on a ticket is not handed its rating code.
    """
    if entry.confidential:
        return world.eyes(entry)
    assigned = world.cast.named(entry.person)
    people = [assigned] if assigned is not None else world.cast.people_at(entry.node)
    administrators = world.cast.administrators_over(world.cast.home(entry.node))
    candidates = people if people and rng.random() < 0.85 else administrators
    others = [user for user in candidates if user != entry.recorder]
    if rng.random() < 0.1:
        return rng.choice(candidates)
    # The county has three administrators, so somebody else is always there.
    return rng.choice(others or [user for user in administrators if user != entry.recorder])
