"""Random lives of tickets through the real HTTP API, against a small model. LIVES says how many (`make test-long`)."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.base.secrets import Vault
from app.demo.county import DemoCounty
from tests.lives.model import OPEN, ROADS, Life, Person, may, may_call_back
from tests.lives.world import World

LIVES, STEPS = int(os.environ.get("LIVES", "4")), 30
TOWN, VILLAGE, BESIDE, GRID = "430121001", "430121001001", "430121001002", "430121001001001"
PEOPLE = (
    Person(f"courier-{GRID}-1", "courier", GRID),
    Person(f"admin-{VILLAGE}", "administrator", VILLAGE),
    Person("courier-430121001001002-1", "courier", "430121001001002"),
    Person(f"handler-{TOWN}S05-1", "handler", f"{TOWN}S05"),
    Person(f"admin-{TOWN}", "administrator", TOWN),
    Person("admin-430121", "administrator", "430121"),
    Person("principal-430121", "principal", "430121"),
    Person(f"insp-{TOWN}-1", "inspector", TOWN),
    Person("insp-430121-1", "inspector", "430121"),
    Person("handler-U05-1", "handler", "U05"),
    Person("admin-430121105", "administrator", "430121105"),
)
OPENERS = [one for one in PEOPLE if one.role in {"courier", "administrator", "handler"}]
NODES = (VILLAGE, BESIDE, TOWN, "430121", f"{TOWN}S05", "U05", GRID)
CATEGORIES = (None, "C0501", "C0105", "C1301")
DECLINES = ("outside_jurisdiction", "no_facts", "in_procedure")
NOT_SURE = {"complete", "dispatch", "transfer", "merge", "unmerge", "return", "wait", "request-extension"}
"""What depends on a body that may not fit: allowed, it need not succeed with this one."""


def _confidential_category(world: World) -> str:
    found = world.ask("admin-430121", "GET", "/categories").json()
    return next(str(one["code"]) for one in found if one.get("confidential"))


class Lives(RuleBasedStateMachine):
    """One life: a handful of tickets, ten people, and a clock."""

    world: ClassVar[World]
    told: ClassVar[Counter[str]] = Counter()

    @initialize(who=st.sampled_from(OPENERS), category=st.sampled_from(CATEGORIES))
    def begin(self, who: Person, category: str | None) -> None:
        self.world.begin()
        self.lives: list[Life] = []
        self._open(who, category, GRID)

    @rule(who=st.sampled_from(OPENERS), category=st.sampled_from(CATEGORIES), place=st.sampled_from((GRID, "430121")))
    def opens(self, who: Person, category: str | None, place: str) -> None:
        if len(self.lives) < 4:
            self._open(who, category, place)

    def _open(self, who: Person, category: str | None, place: str) -> None:
        body = {"description": "楼下垃圾没人清", "channel": "group", "division_code": place}
        answer = self.world.ask(who.username, "POST", "/tickets", body | ({"category": category} if category else {}))
        assert answer.status_code == 201, answer.text
        life = Life(answer.json()["number"], who.username, confidential=bool(answer.json().get("confidential")))
        self.lives.append(life)
        self._look(life)
        self.world.sound()

    @rule(which=st.integers(0, 3), who=st.sampled_from(PEOPLE), action=st.sampled_from(sorted(ROADS)), data=st.data())
    def acts(self, which: int, who: Person, action: str, data: st.DataObject) -> None:
        self._acts(which, who, action, data)

    @rule(which=st.integers(0, 3), data=st.data())
    def goes_on(self, which: int, data: st.DataObject) -> None:
        self._goes_on(which, data)

    @rule(which=st.integers(0, 3), data=st.data())
    def goes_further(self, which: int, data: st.DataObject) -> None:
        """As often again."""
        self._goes_on(which, data)

    @rule(data=st.data())
    def goes_first(self, data: st.DataObject) -> None:
        self._goes_on(0, data)

    def _goes_on(self, which: int, data: st.DataObject) -> None:
        """Somebody who may do something does it: left to chance, hardly a life would see its end."""
        life = self.lives[which % len(self.lives)]
        able = [(who, a) for who in PEOPLE for a in self._allowed(who, life) if a in ROADS and a != "note"]
        if able:
            who, action = data.draw(st.sampled_from(able))
            self._acts(which, who, action, data)

    @rule(which=st.integers(0, 3), score=st.sampled_from(("like", "dislike")), right=st.booleans())
    def rates_by_code(self, which: int, score: str, right: bool) -> None:
        life = self.lives[which % len(self.lives)]
        code = self.world.code(life.number) if right else "ABCDEFG2"
        before = self.world.dump()
        answer = self.world.ask(
            "", "POST", f"/tickets/{life.number}/rating", {"score": score, "code": code or "ABCDEFG2"}
        )
        self._judge(life, "rate by code", answer, before, whole=bool(code) and right)

    @rule(which=st.integers(0, 3), score=st.sampled_from(("like", "dislike")), who=st.sampled_from(PEOPLE))
    def calls_back(self, which: int, score: str, who: Person) -> None:
        life = self.lives[which % len(self.lives)]
        before = self.world.dump()
        answer = self.world.ask(
            who.username, "POST", f"/tickets/{life.number}/rating", {"score": score, "via": "callback"}
        )
        self._judge(life, "call back", answer, before, whole=may_call_back(who, life))

    @rule(hours=st.sampled_from((1, 20, 30, 100, 400)))
    def time_passes(self, hours: int) -> None:
        self.world.advance(hours)

    def _acts(self, which: int, who: Person, action: str, data: st.DataObject) -> None:
        life = self.lives[which % len(self.lives)]
        body = self._body(action, life, data)
        allowed = self._allowed(who, life)
        before = self.world.dump()
        answer = self.world.ask(who.username, "POST", f"/tickets/{life.number}/{action}", body)
        can = may(who, action, life)
        if answer.status_code == 200:
            assert action in allowed, (who, action, life, allowed)
        elif action in allowed:
            assert action in NOT_SURE, (who, action, body, life, answer.text)
        if not can:
            assert answer.status_code in {403, 404}, (who, action, life, answer.text)
        self._judge(life, action, answer, before, whole=can)

    def _judge(self, life: Life, action: str, answer: httpx.Response, before: str, *, whole: bool) -> None:
        self.told[f"{action}: {answer.status_code}"] += 1
        if answer.status_code != 200:
            assert answer.status_code in {401, 403, 404, 409, 422}
            assert self.world.dump() == before, (action, life, answer.text)
            return
        assert whole, (action, life, answer.text)
        sources, target = ROADS.get(action, ({"completed", "merged", *OPEN}, None))
        assert life.status in sources, (action, life)
        if target is not None and action != "decide-unreasonable":
            assert answer.json()["status"] in {target, "accepted" if target == "received" else target}, (action, life)
        for one in self.lives:
            self._look(one)
        self.world.sound()

    def _look(self, life: Life) -> None:
        """What the model knows is read as whoever sees everything: the county's administrator, or its inspector."""
        for watcher in ("admin-430121", "insp-430121-1"):
            answer = self.world.ask(watcher, "GET", f"/tickets/{life.number}")
            if answer.status_code == 200:
                seen = answer.json()
                life.status, life.cycle, life.confidential = seen["status"], seen["cycle"], seen["confidential"]
                responsible = seen["responsible"]
                life.node = responsible["division_code"] or responsible["unit_code"]
                life.person = responsible["person"] and responsible["person"]["username"]
                break
        life.acted = self.world.acted(life.number)

    def _allowed(self, who: Person, life: Life) -> list[str]:
        answer = self.world.ask(who.username, "GET", f"/tickets/{life.number}")
        if answer.status_code == 404:
            return []
        assert answer.status_code in {200, 403}, answer.text
        return list(answer.json()["allowed_actions"]) if answer.status_code == 200 else []

    def _body(self, action: str, life: Life, data: st.DataObject) -> dict[str, Any]:
        draw = data.draw
        if action == "accept":
            return {"category": draw(st.sampled_from(("C0501", "C0105")))} if self._uncategorised(life) else {}
        if action in {"dispatch", "transfer"}:
            node = draw(st.sampled_from(NODES))
            return {"unit_code" if "S" in node or node.startswith("U") else "division_code": node}
        if action in {"decide-extension", "decide-unreasonable"}:
            return {"approve": draw(st.booleans())}
        if action == "wait":
            day: date = self.world.database.clock.business().date() + timedelta(days=draw(st.integers(-1, 20)))
            return {"reason": "season", "text": "等天晴", "look_again_on": day.isoformat()}
        bodies: dict[str, dict[str, Any]] = {
            **{empty: {} for empty in ("start", "resume", "unmerge", "withdraw")},
            "decline": {"reason": draw(st.sampled_from(DECLINES)), "text": "请拨打12345"},
            "visit": {"seen": "看过"},
            "complete": {"result": "办好了", "explained": draw(st.booleans())},
            "request-extension": {"days": draw(st.integers(1, 10)), "text": "等配件"},
            "merge": {"into": draw(st.sampled_from([one.number for one in self.lives]))},
        }
        return bodies.get(action, {"text": "说明情况"})

    def _uncategorised(self, life: Life) -> bool:
        for watcher in ("admin-430121", "insp-430121-1"):
            answer = self.world.ask(watcher, "GET", f"/tickets/{life.number}")
            if answer.status_code == 200:
                return answer.json()["category"] is None
        return False


@pytest.fixture(scope="module")
def world(server: str, demo: DemoCounty, vault: Vault) -> Iterator[World]:
    with World(server, demo, vault, PEOPLE) as opened:
        yield opened


def test_random_lives_hold_to_the_model_and_to_every_invariant(world: World) -> None:
    Lives.world = world
    how = settings(
        max_examples=LIVES, stateful_step_count=STEPS, deadline=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Lives, settings=how)
    told = ", ".join(f"{what} × {n}" for what, n in sorted(Lives.told.items()))
    sys.stderr.write(f"{LIVES} lives, {world.requests} requests: {told}\n")
