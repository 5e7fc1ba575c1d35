"""How requests come in: recorded by an administrator from a group, or sent to an account by a citizen."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2s
from random import Random

from app.demo import refusals, texts
from app.demo.books import Entry
from app.demo.cast import Account, Responsible, User, within
from app.demo.office import Answer, Astray, Json
from app.demo.tree import Category, ambiguous_names
from app.demo.wechat_push import number_in
from app.demo.world import World, number_of
from app.domain.numbers import sound
from app.domain.vocabulary import Channel, Role, Status

MOST_HOURS = 72
"""Staff may put a receipt back by three days (interface.md)."""
_OLDEST = timedelta(hours=MOST_HOURS - 1)
"""The last of these hours is left for the run itself: the service counts from the moment of recording."""


TOWN = 9
"""Digits of a town's code."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What somebody wants: the text, the category it is about, the place given beside it, and where it may be put."""

    leaf: Category
    text: str
    given: str | None
    allowed: frozenset[str]


async def by_group(world: World, rng: Random, key: str) -> Entry:
    """An administrator records what was said in a group. Raises Astray, Busy."""
    recorder = _recorder(world, rng)
    confidential = rng.random() < 0.015
    matter = _complaint(world, rng) if confidential else _matter(world, rng, recorder.division_code or "")
    body = _body(world, rng, matter, recorder.division_code or "")
    about = _about(world, rng) if confidential else None
    if about is not None:
        body["about"] = {"division_code": about}
    headers = {"Idempotency-Key": f"simulate-{world.salt}-{key}"}
    await refusals.at_recording(world, rng, recorder, body)
    answer = await world.office.expect(201, recorder, "POST", "/api/v1/tickets", body, headers)
    if rng.random() < 0.1:
        await _repeated(world, recorder, body, headers, answer)
    entry = Entry(number_of(answer), Channel.GROUP, matter.leaf.code, matter.allowed, confidential, world.began)
    entry.recorder = recorder
    world.books.entries.append(entry)
    if confidential:
        await _hidden(world, entry, answer.body, about)
        return entry
    if matter.leaf.auto_accept and "category" in body:
        entry.status, entry.automatically = Status.ACCEPTED, True
    world.take(entry, answer.body)
    if "category" in body and entry.category != matter.leaf.code:
        raise Astray(f"{entry.number}：登记的分类是 {matter.leaf.code}，实际 {entry.category}")
    if answer.body["description"] != matter.text:
        raise Astray(f"{entry.number}：原文被改动")
    return entry


async def by_wechat(world: World, rng: Random, key: str) -> Entry:
    """A citizen not seen before writes to an account. Raises Astray, Busy."""
    account = _account(world, rng)
    openid = openid_of(world, key)
    confidential = rng.random() < 0.08
    matter = _complaint(world, rng) if confidential else _sent(world, rng, account)
    if rng.random() < 0.1:
        await refusals.at_account(world, account, openid, matter.text)
    copies, together = rng.choices((1, 2, 3), (60, 25, 15))[0], rng.random() < 0.5
    answer = await world.wechat.say(account, openid, matter.text, copies=copies, together=together)
    number = number_in(answer)
    if number is None or not sound(number):
        raise Astray(f"{account.name}：反映事情的回答里没有编号：{answer[:60]}")
    entry = Entry(number, Channel.ACCOUNT, matter.leaf.code, matter.allowed, confidential, world.began)
    entry.account, entry.openid = account, openid
    if confidential:
        entry.sent_to = Responsible(world.cast.root, None)
    world.books.entries.append(entry)
    await world.look(entry)
    await ask(world, rng, entry)
    return entry


async def chat(world: World, rng: Random, key: str) -> None:
    """A stranger greets or thanks: an answer, and no ticket. Raises Astray, Busy."""
    account, text = _account(world, rng), texts.courtesy(rng)
    answer = await world.wechat.say(account, openid_of(world, key), text)
    world.tally["courtesies"] += 1
    if number_in(answer) is not None:
        raise Astray(f"{account.name}：“{text}”只是客套，却得到编号：{answer[:60]}")


async def ask(world: World, rng: Random, entry: Entry) -> None:
    """Now and then the citizen asks how it stands, or says thanks. Raises Astray, Busy."""
    if entry.account is None or rng.random() < 0.5:
        return
    own_list = "已办" if entry.status is Status.COMPLETED else "待办"
    asked = rng.choice(("查进度", own_list, entry.number, f"查 {entry.number}", "谢谢"))
    answer = await world.wechat.say(entry.account, entry.openid, asked)
    if asked == "谢谢":
        world.tally["courtesies"] += 1
        if number_in(answer) is not None:
            raise Astray(f"{entry.number}：“谢谢”的回答里有编号：{answer[:60]}")
        return
    world.tally["queries"] += 1
    if entry.number not in answer or entry.status.label not in answer:
        raise Astray(f"{entry.number}：“{asked}”的回答里没有编号或状态“{entry.status.label}”：{answer[:80]}")


def openid_of(world: World, key: str) -> str:
    """An openid of this run alone: 28 characters, as WeChat's."""
    return "o" + blake2s(f"{world.salt}/{key}".encode()).hexdigest()[:27]


def _recorder(world: World, rng: Random) -> User:
    """Mostly of the town or village; of villages only some administrators can sign in."""
    town, chance = world.tree.town(rng).code, rng.random()
    administrators = world.cast.of(Role.ADMINISTRATOR)
    villages = [
        user for user in administrators if user.division_code != town and within(user.division_code or "", town)
    ]
    if chance < 0.35 and villages:
        return rng.choice(villages)
    return rng.choice(world.cast.at(Role.ADMINISTRATOR, town if chance < 0.9 else world.cast.root))


def _leaf(world: World, rng: Random) -> Category:
    known = [world.tree.categories[code] for code in texts.matters() if code in world.tree.categories]
    return rng.choice([leaf for leaf in known if not leaf.confidential])


def _matter(world: World, rng: Random, area: str) -> Matter:
    """A matter in the recorder's area: its place given, or named, or left open, or named by a name of several."""
    leaf, chance = _leaf(world, rng), rng.random()
    if chance < 0.5:
        spot = world.tree.village(rng, area)
        grids = [user.division_code for user in world.cast.of(Role.COURIER) if within(user.division_code or "", area)]
        code = rng.choice(grids) if grids and rng.random() < 0.5 else spot.code
        words = world.tree.spoken(rng, spot) if code == spot.code else texts.NOWHERE
        return Matter(leaf, texts.matter(rng, leaf.code, words), code, frozenset({code or area}))
    if chance < 0.85:
        return _named(world, rng, leaf, area)
    if chance < 0.95:
        return Matter(leaf, texts.matter(rng, leaf.code, texts.NOWHERE), None, frozenset({_home(area)}))
    name = rng.choice(sorted(ambiguous_names()))
    return Matter(leaf, texts.matter(rng, leaf.code, name), None, ambiguous_names()[name] | {_home(area)})


def _home(area: str) -> str:
    """The town whose group the recorder reads, which tells where a matter is that says no place; else the area."""
    return area[:TOWN] if len(area) >= TOWN else area


def _named(world: World, rng: Random, leaf: Category, area: str) -> Matter:
    spot = world.tree.village(rng, area)
    if len(area) < 12 and rng.random() < 0.3:
        spot = next(town for town in world.tree.towns if spot.code.startswith(town.code))
    return Matter(leaf, texts.matter(rng, leaf.code, world.tree.spoken(rng, spot)), None, frozenset({spot.code}))


def _sent(world: World, rng: Random, account: Account) -> Matter:
    """What a citizen writes to an account: an ambiguous name is settled by the account's own town (domain.md, 3.1)."""
    leaf, chance, home = _leaf(world, rng), rng.random(), account.division_code
    if chance < 0.6:
        return _named(world, rng, leaf, home)
    # The county's account settles nothing, a town that the name can't mean neither: its own place, either way.
    words = rng.choice(sorted(ambiguous_names())) if chance > 0.85 else texts.NOWHERE
    return Matter(leaf, texts.matter(rng, leaf.code, words), None, frozenset({home}))


def _complaint(world: World, rng: Random) -> Matter:
    """About a member of staff: confidential, and the county's whatever it names."""
    leaf = next(leaf for leaf in world.tree.categories.values() if leaf.confidential and leaf.code in texts.matters())
    return Matter(leaf, texts.matter(rng, leaf.code, texts.NOWHERE), None, frozenset({world.cast.root}))


def _about(world: World, rng: Random) -> str | None:
    """A village whose town has an inspector who can sign in, or nobody in particular."""
    towns = [user.division_code for user in world.cast.of(Role.INSPECTOR) if user.division_code != world.cast.root]
    if not towns or rng.random() < 0.5:
        return None
    return world.tree.village(rng, rng.choice(towns) or "").code


def _body(world: World, rng: Random, matter: Matter, area: str) -> Json:
    body: Json = {"channel": "group", "description": matter.text, "citizen": texts.citizen(rng)}
    # The group of the recorder's own town; the county's administrators read one that the county does not know of.
    town = next((town.name for town in world.tree.towns if town.code == _home(area)), "机关院内")
    body["source"] = texts.source(rng, town)
    if matter.leaf.confidential or rng.random() < 0.8:
        body["category"] = matter.leaf.code
    if matter.given is not None:
        body["division_code"] = matter.given
    if world.hours is not None:
        span = min(timedelta(hours=world.hours), _OLDEST)
        body["received_at"] = (world.began - span * rng.random()).isoformat()
    return body


async def _repeated(world: World, recorder: User, body: Json, headers: dict[str, str], first: Answer) -> None:
    """The same key again: the first answer to the same body, a refusal of any other."""
    again = await world.office.expect(201, recorder, "POST", "/api/v1/tickets", body, headers)
    if again.body != first.body:
        raise Astray(f"{first.body['number']}：同一 Idempotency-Key 重复登记，回答不一样")
    world.tally["repeated_records"] += 1
    other = body | {"description": body["description"] + "（补充）"}
    await refusals.refused(
        world, "同一 Idempotency-Key 登记另一份内容", 422, recorder, "POST", "/api/v1/tickets", other, headers
    )


async def _hidden(world: World, entry: Entry, said: Json, about: str | None) -> None:
    """A recorder gets the number alone; the inspector of the node above has the rest (domain.md, 2)."""
    told = set(said) - {"number", "confidential"}
    if told:
        raise Astray(f"{entry.number}：保密件的登记应答多给了 {'、'.join(sorted(told))}")
    entry.sent_to = Responsible(about[:9] if about else world.cast.root, None)
    await world.look(entry)


def _account(world: World, rng: Random) -> Account:
    return rng.choice(world.cast.accounts)
