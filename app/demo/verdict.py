"""How citizens rate: in WeChat on what they filed, or by the code that the recorder hands over."""

from random import Random

from app.demo import texts
from app.demo.books import Entry
from app.demo.cast import User
from app.demo.filing import openid_of
from app.demo.office import Astray, Json
from app.demo.world import World
from app.domain.numbers import is_rating_code
from app.domain.vocabulary import Channel, Score, Via

WORDS = {Score.LIKE: "赞", Score.DISLIKE: "踩"}


async def rate(world: World, rng: Random, entry: Entry, score: Score) -> bool:
    """The citizen rates; False where the code is with somebody whom nobody can play. Raises Astray, Busy."""
    if entry.channel is Channel.ACCOUNT:
        await _in_wechat(world, rng, entry, score)
        via = Via.WECHAT
    else:
        code = await _code(world, rng, entry)
        if code is None:
            world.tally["codes_out_of_reach"] += 1
            return False
        # Of a confidential ticket there is no page to type a code into.
        page = not entry.confidential and rng.random() < 0.3
        await (_on_page if page else _by_code)(world, rng, entry, score, code)
        via = Via.CODE
    entry.rate(score, via)
    await world.look(entry)
    world.tally["likes" if score is Score.LIKE else "dislikes"] += 1
    return True


async def _in_wechat(world: World, rng: Random, entry: Entry, score: Score) -> None:
    """By the number, or of the latest completed, which for a citizen of one matter is this one."""
    assert entry.account is not None
    if rng.random() < 0.2:
        await _stranger(world, entry)
    said = " ".join(filter(None, (WORDS[score], entry.number, texts.comment(rng, score))))
    text = WORDS[score] if rng.random() < 0.4 else said
    copies = rng.choice((1, 1, 2))
    answer = await world.wechat.say(entry.account, entry.openid, text, copies=copies)
    _told(entry, text, answer)


async def _stranger(world: World, entry: Entry) -> None:
    """Somebody else's 踩 on the number changes nothing, and tells them nothing."""
    assert entry.account is not None
    text = f"踩 {entry.number}"
    answer = await world.wechat.say(entry.account, openid_of(world, f"stranger/{entry.number}"), text)
    version = entry.version
    await world.look(entry)
    if entry.version != version or "已记下" in answer:
        raise Astray(f"{entry.number}：别人发的“{text}”生效了：{answer[:60]}")
    world.refused["评价别人的事项"] += 1


async def _code(world: World, rng: Random, entry: Entry) -> str | None:
    """The code from whom it is handed to; None where that is nobody of the cast. Raises Astray."""
    holder = _holder(world, entry)
    path = f"/api/v1/tickets/{entry.number}"
    if entry.worker is not None and not entry.confidential and rng.random() < 0.3:
        seen = await world.office.expect(200, entry.worker, "GET", path)
        if seen.body["rating_code"] is not None:
            raise Astray(f"{entry.number}：经办人 {entry.worker.username} 看到了评价码")
        world.tally["codes_withheld"] += 1
    if holder is None:
        return None
    code = (await world.office.expect(200, holder, "GET", path)).body["rating_code"]
    if not isinstance(code, str) or not is_rating_code(code):
        raise Astray(f"{entry.number}：{holder.username} 应得到评价码，实际 {code}")
    return code


def _holder(world: World, entry: Entry) -> User | None:
    """Who recorded it, unless they worked on it: then the nearest administrator above who did not (domain.md, 2).

    Above an administrator who can sign in, all others can (app.demo.county).
    """
    if entry.confidential:
        return world.cast.named(entry.person)
    if entry.recorder is None or entry.recorder.username not in entry.hands:
        return entry.recorder
    above = world.cast.administrators_over(entry.recorder.division_code or "")
    return next((user for user in above if user.username not in entry.hands), None)


async def _by_code(world: World, rng: Random, entry: Entry, score: Score, code: str) -> None:
    """Typed into any account, in small letters as often as not."""
    typed = code.lower() if rng.random() < 0.5 else code
    text = " ".join(filter(None, (WORDS[score], typed, texts.comment(rng, score))))
    account = rng.choice(world.cast.accounts)
    answer = await world.wechat.say(account, openid_of(world, f"rater/{entry.number}"), text)
    _told(entry, text, answer)


async def _on_page(world: World, rng: Random, entry: Entry, score: Score, code: str) -> None:
    """The ticket's page posts the code; what comes back is what everybody may see."""
    body: Json = {"score": score, "code": code, "comment": texts.comment(rng, score)}
    path = f"/api/v1/tickets/{entry.number}/rating"
    answer = await world.office.expect(200, None, "POST", path, body)
    private = {"citizen", "description", "rating_code", "source"} & set(answer.body)
    if private or answer.body.get("number") != entry.number:
        raise Astray(f"{entry.number}：评价的应答不对，或多给了 {'、'.join(sorted(private))}")
    world.tally["page_ratings"] += 1


def _told(entry: Entry, text: str, answer: str) -> None:
    if entry.number not in answer:
        raise Astray(f"{entry.number}：“{text}”没有得到确认：{answer[:80]}")
