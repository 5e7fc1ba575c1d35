"""Every action beside the plain road from receipt to a like: declined, moved, awaited, extended, merged, taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.base.clock import Clock
from app.base.db import Database
from app.domain.policy import SYSTEM
from tests.api.conftest import SignIn

TOWN, VILLAGE, BESIDE = "430121001", "430121001001", "430121001002"
GRID = "430121001001001"
COURIER = f"courier-{GRID}-1"
GARBAGE = {"description": "开元路社区3栋楼下垃圾堆了一周没人清运", "channel": "group", "category": "C0501"}
DECLINE = {"reason": "outside_jurisdiction", "text": "属城区管理，请拨打12345"}
Recorded = Callable[..., Awaitable[str]]


@pytest.fixture
async def admin(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(f"admin-{VILLAGE}")


@pytest.fixture
async def town(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(f"admin-{TOWN}")


@pytest.fixture
async def county(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("admin-430121")


@pytest.fixture
async def courier(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(COURIER)


@pytest.fixture
def a_ticket(admin: httpx.AsyncClient) -> Recorded:
    async def recorded(**changes: object) -> str:
        answer = await admin.post("/api/v1/tickets", json=GARBAGE | {"division_code": GRID} | changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["number"])

    return recorded


async def act(client: httpx.AsyncClient, number: str, action: str, **body: object) -> httpx.Response:
    return await client.post(f"/api/v1/tickets/{number}/{action}", json=body)


async def done(client: httpx.AsyncClient, number: str, action: str, **body: object) -> dict[str, Any]:
    answer = await act(client, number, action, **body)
    assert answer.status_code == 200, (action, answer.text)
    return dict(answer.json())


async def seen(client: httpx.AsyncClient, number: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/tickets/{number}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def completed(courier: httpx.AsyncClient, number: str) -> None:
    for action, body in (("start", {}), ("reply", {"text": "马上清"}), ("complete", {"result": "已清"})):
        await done(courier, number, action, **body)


async def code_of(client: httpx.AsyncClient, number: str) -> str:
    code = (await seen(client, number))["rating_code"]
    assert isinstance(code, str)
    return code


async def rate(client: httpx.AsyncClient, number: str, score: str, **more: object) -> httpx.Response:
    return await client.post(f"/api/v1/tickets/{number}/rating", json={"score": score, **more})


async def kinds(database: Database, number: str) -> set[str]:
    async with database.open_work(SYSTEM) as work:
        query = "SELECT s.kind FROM step s JOIN ticket t ON t.id = s.ticket_id WHERE t.number = :n AND done_at IS NULL"
        return set((await work.conn.execute(text(query), {"n": number})).scalars())


async def notices(database: Database, number: str) -> list[str]:
    async with database.open_work(SYSTEM) as work:
        query = "SELECT notice FROM outbox o JOIN ticket t ON t.id = o.ticket_id WHERE t.number = :n ORDER BY o.id"
        return list((await work.conn.execute(text(query), {"n": number})).scalars())


async def test_a_declined_ticket_is_answered_appealed_to_the_parent_and_declined_for_good(
    a_ticket: Recorded, admin: httpx.AsyncClient, town: httpx.AsyncClient, database: Database
) -> None:
    number = await a_ticket()
    ticket = await done(admin, number, "decline", **DECLINE, sub_reason="emergency")
    assert (ticket["status"], ticket["first_replied_at"] is not None) == ("declined", True)
    assert await kinds(database, number) == set()
    appealed = await done(admin, number, "appeal", text="这是本社区的垃圾站")
    assert (appealed["status"], appealed["accepted_at"]) == ("received", None)
    assert appealed["responsible"]["division_code"] == TOWN
    assert appealed["responsible"]["person"]["username"] == f"admin-{TOWN}"
    assert await kinds(database, number) == {"accept_missed", "remind_3", "idle"}
    # The village decides no more.
    assert (await act(admin, number, "accept")).status_code == 403
    assert (await done(town, number, "decline", **DECLINE))["status"] == "declined"
    assert (await act(admin, number, "appeal", text="还是不服")).status_code == 409


async def test_an_appeal_against_the_county_is_decided_by_its_principal(
    county: httpx.AsyncClient, sign_in: SignIn
) -> None:
    body = {"description": "路灯坏了", "channel": "phone", "division_code": "430121"}
    number = (await county.post("/api/v1/tickets", json=body)).json()["number"]
    assert (await done(county, number, "decline", **DECLINE))["status"] == "declined"
    appealed = await done(county, number, "appeal", text="请重新考虑")
    assert appealed["responsible"]["person"]["username"] == "principal-430121"
    assert appealed["allowed_actions"] == ["withdraw", "note"]
    assert (await act(county, number, "accept", category="C0501")).status_code == 403
    principal = await sign_in("principal-430121")
    assert (await act(principal, number, "decline", **DECLINE)).status_code == 200


async def test_an_automatic_acceptance_may_still_be_declined_until_somebody_starts(
    a_ticket: Recorded, admin: httpx.AsyncClient, courier: httpx.AsyncClient
) -> None:
    number = await a_ticket()
    assert (await seen(admin, number))["status"] == "accepted"
    await done(courier, number, "start")
    assert (await act(admin, number, "decline", **DECLINE)).status_code == 409


async def test_a_routed_ticket_is_returned_within_its_day_to_the_parent(
    a_ticket: Recorded, admin: httpx.AsyncClient, courier: httpx.AsyncClient, clock: Clock
) -> None:
    number = await a_ticket()
    due_at = (await seen(admin, number))["due_at"]
    returned = await done(courier, number, "return", text="这里归物业管")
    assert returned["responsible"]["division_code"] == TOWN
    assert returned["due_at"] == due_at
    late = await a_ticket()
    clock.advance(timedelta(days=9))
    assert (await act(admin, late, "return", text="晚了")).json()["type"].endswith("return.late")


async def test_what_came_back_or_up_is_not_returned_and_after_two_returns_the_parent_designates(
    a_ticket: Recorded, admin: httpx.AsyncClient, town: httpx.AsyncClient, sign_in: SignIn, database: Database
) -> None:
    number = await a_ticket()
    await done(admin, number, "return", text="一")
    assert (await act(town, number, "return", text="不能退")).status_code == 409
    await done(town, number, "dispatch", division_code=VILLAGE)
    back = await done(admin, number, "return", text="二")
    assert back["responsible"]["division_code"] == TOWN
    await done(town, number, "dispatch", division_code=VILLAGE)
    third = await done(admin, number, "return", text="三")
    assert third["responsible"]["person"]["username"] == f"admin-{TOWN}"
    assert "inspector.returned" in await notices(database, number)
    designated = await done(town, number, "dispatch", division_code=VILLAGE)
    assert designated["routing_reason"].startswith("指定承办")
    assert "return" not in (await seen(admin, number))["allowed_actions"]
    assert (await act(admin, number, "return", text="四")).status_code == 409


async def test_a_ticket_goes_up_to_the_county_and_no_further(
    a_ticket: Recorded, courier: httpx.AsyncClient, town: httpx.AsyncClient, county: httpx.AsyncClient
) -> None:
    number = await a_ticket()
    assert (await done(courier, number, "escalate", text="要县里协调"))["responsible"]["division_code"] == TOWN
    assert (await done(town, number, "escalate", text="要县里协调"))["responsible"]["division_code"] == "430121"
    assert (await act(county, number, "escalate", text="再上")).status_code == 409
    assert (await act(courier, number, "escalate", text="不归我了")).status_code == 403


async def test_a_transfer_goes_sideways_only(
    a_ticket: Recorded, admin: httpx.AsyncClient, town: httpx.AsyncClient, courier: httpx.AsyncClient
) -> None:
    number = await a_ticket()
    assert (await act(courier, number, "transfer", division_code=BESIDE)).status_code == 403
    for up_or_elsewhere in (TOWN, "430121105", GRID):
        assert (await act(admin, number, "transfer", division_code=up_or_elsewhere)).status_code == 422
    moved = await done(admin, number, "transfer", division_code=BESIDE, text="在隔壁")
    assert moved["responsible"]["division_code"] == BESIDE
    # Who had it still sees it, and has no more to say.
    assert moved["allowed_actions"] == ["withdraw", "note"]
    assert (await done(town, number, "transfer", unit_code=f"{TOWN}S05"))["responsible"]["unit_code"] == f"{TOWN}S05"


async def test_a_wait_is_a_label_that_stops_no_clock(
    a_ticket: Recorded, courier: httpx.AsyncClient, admin: httpx.AsyncClient, clock: Clock
) -> None:
    number = await a_ticket()
    before = await seen(admin, number)
    day = (datetime.fromisoformat(before["received_at"]) + timedelta(days=3)).date().isoformat()
    waits = await done(courier, number, "wait", reason="season", text="等天晴", look_again_on=day)
    assert waits["waiting"] == {"reason": "season", "text": "等天晴", "look_again_on": day}
    assert waits["due_at"] == before["due_at"]
    assert (await done(courier, number, "resume"))["waiting"] is None
    assert (await act(courier, number, "resume")).status_code == 409
    past = (datetime.fromisoformat(before["received_at"]) - timedelta(days=3)).date().isoformat()
    assert (await act(courier, number, "wait", reason="season", text="等", look_again_on=past)).status_code == 422


async def test_an_extension_is_asked_by_the_node_and_decided_above_and_both_limits_are_kept(
    a_ticket: Recorded,
    courier: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    town: httpx.AsyncClient,
    database: Database,
) -> None:
    number = await a_ticket()
    before = await seen(admin, number)
    asked = await done(courier, number, "request-extension", days=3, text="等配件")
    assert asked["extension"] == {"days": 3, "text": "等配件", "state": "asked"}
    assert (await act(courier, number, "request-extension", days=3, text="等配件")).status_code == 409
    assert (await act(admin, number, "decide-extension", approve=True)).status_code == 403
    granted = await done(town, number, "decide-extension", approve=True, text="同意")
    assert granted["extension"]["state"] == "approved"
    assert granted["due_at"] > before["due_at"]
    limit = granted["limits"]["complete"]
    assert (limit["due_at"], limit["original_due_at"]) == (granted["due_at"], before["due_at"])
    assert (await act(courier, number, "request-extension", days=8, text="还要")).status_code == 422
    await done(courier, number, "request-extension", days=7, text="还要")
    assert (await done(town, number, "decide-extension", approve=False))["due_at"] == granted["due_at"]
    await done(courier, number, "request-extension", days=7, text="还要")
    await done(town, number, "decide-extension", approve=True)
    assert (await act(courier, number, "request-extension", days=1, text="再要")).status_code == 409


async def test_an_approval_after_the_limit_lifts_what_is_overdue(
    a_ticket: Recorded, courier: httpx.AsyncClient, town: httpx.AsyncClient, clock: Clock, database: Database
) -> None:
    number = await a_ticket()
    asked = await done(courier, number, "request-extension", days=9, text="等配件")
    due = datetime.fromisoformat(asked["due_at"])
    clock.advance(due - datetime.fromisoformat(asked["received_at"]))
    late = await seen(town, number)
    assert (late["overdue"], late["extension"]["state"]) == (True, "asked")
    granted = await done(town, number, "decide-extension", approve=True)
    assert (granted["overdue"], granted["due_at"] > asked["due_at"]) == (False, True)
    assert "remind_3" in await kinds(database, number)
    refused = await act(courier, number, "request-extension", days=2, text="还要")
    assert refused.status_code == 422


async def test_a_dislike_held_unreasonable_by_the_level_above_closes_the_ticket_as_it_was(
    a_ticket: Recorded, courier: httpx.AsyncClient, admin: httpx.AsyncClient, town: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
) -> None:  # fmt: skip
    number = await a_ticket()
    await completed(courier, number)
    before = await seen(admin, number)
    assert (await rate(stranger, number, "dislike", code=before["rating_code"])).status_code == 200
    assert "propose-unreasonable" in (await seen(courier, number))["allowed_actions"]
    asked = await done(courier, number, "propose-unreasonable", text="已清运三次，照片为证")
    assert asked["unreasonable"] == "asked"
    assert (await act(admin, number, "decide-unreasonable", approve=True)).status_code == 403
    closed = await done(town, number, "decide-unreasonable", approve=True)
    assert (closed["status"], closed["cycle"], closed["rating"]["score"]) == ("closed", 1, "dislike")
    assert (closed["completed_at"], closed["due_at"]) == (before["completed_at"], before["due_at"])
    assert (await rate(stranger, number, "like", code=before["rating_code"])).status_code in {403, 409}


async def test_the_second_dislike_brings_the_inspector(
    a_ticket: Recorded, courier: httpx.AsyncClient, admin: httpx.AsyncClient, stranger: httpx.AsyncClient,
    database: Database,
) -> None:  # fmt: skip
    number = await a_ticket()
    for times in (1, 2):
        if times == 1:
            await done(courier, number, "start")
        await done(courier, number, "reply", text="就去")
        await done(courier, number, "complete", result="已清")
        assert (await rate(stranger, number, "dislike", code=await code_of(admin, number))).status_code == 200
        assert ("inspector.disliked" in await notices(database, number)) == (times == 2)


async def test_many_citizens_on_one_matter_are_one_piece_of_work(
    a_ticket: Recorded, courier: httpx.AsyncClient, admin: httpx.AsyncClient, stranger: httpx.AsyncClient,
    database: Database,
) -> None:  # fmt: skip
    first, second = await a_ticket(), await a_ticket(description="3栋垃圾没人收")
    merged = await done(admin, second, "merge", into=first)
    assert (merged["status"], merged["merged_into"], merged["accepted_at"] is not None) == ("merged", first, True)
    assert await kinds(database, second) == set()
    assert (await seen(admin, first))["copies"] == 1
    await done(courier, first, "start")
    # Said to the copy, it reaches the primary and both citizens.
    await done(courier, second, "reply", text="明天清运")
    assert (await seen(admin, first))["first_replied_at"] == (await seen(admin, second))["first_replied_at"]
    await done(courier, first, "complete", result="已清运")
    codes = {number: await code_of(admin, number) for number in (first, second)}
    assert codes[first] != codes[second]
    assert (await rate(stranger, second, "dislike", code=codes[second])).status_code == 200
    assert ((await seen(admin, first))["status"], (await seen(admin, first))["cycle"]) == ("in_progress", 2)
    assert (await seen(admin, second))["completed_at"] is None
    # Each rates for themselves, on their own number; nobody reopens what is open.
    assert (await rate(stranger, second, "like", code=codes[second])).status_code == 409
    assert (await seen(admin, first))["cycle"] == 2


async def test_a_merge_is_taken_back_as_if_the_ticket_had_waited(
    a_ticket: Recorded, courier: httpx.AsyncClient, admin: httpx.AsyncClient, database: Database
) -> None:
    first, second = await a_ticket(), await a_ticket(description="别的事")
    before = await seen(admin, second)
    await done(courier, first, "start")
    await done(courier, first, "reply", text="就去")
    await done(admin, second, "merge", into=first)
    assert (await seen(admin, second))["first_replied_at"] is not None
    back = await done(admin, second, "unmerge")
    kept = ("status", "accepted_at", "first_replied_at", "due_at", "responsible", "merged_into")
    assert {name: back[name] for name in kept} == {name: before[name] for name in kept}
    assert "reply_missed" in await kinds(database, second)
    assert (await seen(admin, first))["copies"] == 0


async def test_what_may_not_be_merged(
    a_ticket: Recorded, courier: httpx.AsyncClient, admin: httpx.AsyncClient, sign_in: SignIn
) -> None:
    first, second, third = await a_ticket(), await a_ticket(), await a_ticket()
    assert (await act(admin, first, "merge", into=first)).status_code == 422
    assert (await act(admin, first, "merge", into="10000000")).status_code == 422
    assert (await act(courier, first, "merge", into=second)).status_code == 403
    await done(admin, first, "merge", into=second)
    assert (await act(admin, third, "merge", into=first)).status_code == 409
    assert (await act(admin, second, "merge", into=third)).status_code == 409
    assert (await act(admin, second, "withdraw")).status_code == 409
    assert (await act(admin, first, "start")).status_code == 409
    await completed(courier, second)
    assert (await act(admin, third, "merge", into=second)).status_code == 409
    assert (await act(admin, first, "unmerge")).status_code == 409
    stranger_to_it = await sign_in("admin-430121105")
    assert (await act(stranger_to_it, third, "merge", into=second)).status_code == 404


async def test_a_primarys_decline_declines_its_copies(a_ticket: Recorded, admin: httpx.AsyncClient) -> None:
    first, second = await a_ticket(), await a_ticket()
    await done(admin, second, "merge", into=first)
    await done(admin, first, "decline", **DECLINE)
    declined = await seen(admin, second)
    assert (declined["status"], declined["merged_into"]) == ("declined", None)


async def test_two_administrators_who_merge_both_ways_at_once_make_no_circle(
    a_ticket: Recorded, admin: httpx.AsyncClient, town: httpx.AsyncClient, database: Database
) -> None:
    for _ in range(5):
        one, other = await a_ticket(), await a_ticket()
        answers = await asyncio.gather(act(admin, one, "merge", into=other), act(town, other, "merge", into=one))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
    async with database.open_work(SYSTEM) as work:
        query = (
            "SELECT count(*) FROM ticket c JOIN ticket p ON p.id = c.merged_into_id WHERE p.merged_into_id IS NOT NULL"
        )
        assert (await work.conn.execute(text(query))).scalar_one() == 0


async def test_whoever_recorded_it_withdraws_it_at_the_citizens_word_and_it_stays_counted(
    a_ticket: Recorded, admin: httpx.AsyncClient, courier: httpx.AsyncClient, database: Database
) -> None:
    number = await a_ticket()
    assert (await act(courier, number, "withdraw")).status_code == 403
    assert (await done(admin, number, "withdraw", text="已自行解决"))["status"] == "withdrawn"
    async with database.open_work(SYSTEM) as work:
        row = await work.conn.execute(text("SELECT withdrawn_before_work FROM ticket WHERE number = :n"), {"n": number})
        assert row.scalar_one() is False


async def test_a_call_back_is_made_by_somebody_who_had_no_hand_in_it(
    a_ticket: Recorded, admin: httpx.AsyncClient, courier: httpx.AsyncClient, town: httpx.AsyncClient, sign_in: SignIn,
    stranger: httpx.AsyncClient,
) -> None:  # fmt: skip
    number = await a_ticket()
    await completed(courier, number)
    assert "rate" in (await seen(town, number))["allowed_actions"]
    assert "rate" not in (await seen(admin, number))["allowed_actions"]
    for nobody, status in ((admin, 403), (courier, 403), (stranger, 401)):
        assert (await rate(nobody, number, "like", via="callback")).status_code == status
    assert (await rate(town, number, "like", via="callback", solved=True)).status_code == 200
    assert (await seen(admin, number))["rating"] == {
        "score": "like", "comment": None, "solved": True, "via": "callback",
    }  # fmt: skip
    inspector = await sign_in(f"insp-{TOWN}-1")
    assert (await rate(inspector, number, "dislike", via="callback")).status_code == 200
    assert (await seen(admin, number))["status"] == "in_progress"


async def test_a_note_is_read_by_staff_alone(
    a_ticket: Recorded, admin: httpx.AsyncClient, courier: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    number = await a_ticket()
    noted = await done(courier, number, "note", text="此户主电话常打不通")
    assert (noted["timeline"][-1]["action"], noted["timeline"][-1]["public"]) == ("note", False)
    page = (await stranger.get(f"/t/{number}")).text
    assert "打不通" not in page
    assert (await stranger.post(f"/api/v1/tickets/{number}/note", json={"text": "x"})).status_code == 401


async def test_a_stale_version_is_told_and_a_fresh_one_goes(a_ticket: Recorded, admin: httpx.AsyncClient) -> None:
    first, second = await a_ticket(), await a_ticket()
    version = (await seen(admin, second))["version"]
    await done(admin, second, "note", text="先记一笔")
    stale = await act(admin, second, "merge", into=first, version=version)
    assert (stale.status_code, stale.json()["version"]) == (409, version + 1)
    await done(admin, second, "merge", into=first, version=version + 1)
