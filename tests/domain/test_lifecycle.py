"""The transition table: complete as data, total as a function, and each guard."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.county import Node
from app.domain.errors import Conflict, Forbidden, Invalid, Refusal
from app.domain.lifecycle import TABLE, allowed, decide
from app.domain.policy import Capacity, Standing
from app.domain.ticket import Ticket
from app.domain.vocabulary import OPEN, SHANGHAI, Action, Kind, Score, Status

NOW = datetime(2026, 9, 22, 10, 0, tzinfo=SHANGHAI)
ADMIN = frozenset({Capacity.ADMINISTRATOR})
COURIER = frozenset({Capacity.ASSIGNED})
CITIZEN = frozenset({Capacity.CITIZEN})
CLOCK = frozenset({Capacity.CLOCKWORK})
BODIED = {Action.ACCEPT, Action.DISPATCH, Action.START, Action.VISIT, Action.REPLY, Action.COMPLETE}
LIVE = {*BODIED, Action.RATE, Action.REOPEN}


def a_ticket(status: Status = Status.RECEIVED, **changes: object) -> Ticket:
    done = status in {Status.COMPLETED, Status.CLOSED}
    ticket = Ticket(
        id=1,
        number="1234567890",
        kind=Kind.PROBLEM,
        status=status,
        version=3,
        cycle=1,
        division_id=3,
        standing=Standing(Node(division_id=3), 7, 9, None, confidential=False),
        category_id=5,
        accepted_at=None if status is Status.RECEIVED else NOW - timedelta(days=1),
        accepted_automatically=False,
        corrected=False,
        first_replied_at=None,
        completed_at=NOW - timedelta(hours=1) if done else None,
        due_at=NOW + timedelta(days=5),
        original_due_at=NOW + timedelta(days=5),
        works=0,
        score=None,
        rated_cycle=None,
    )
    return replace(ticket, **changes)  # type: ignore[arg-type]


def test_every_action_but_open_and_import_has_one_row() -> None:
    assert set(TABLE) == set(Action) - {Action.OPEN, Action.IMPORT}


def test_the_rows_that_are_live_are_those_of_this_version() -> None:
    assert {action for action, row in TABLE.items() if row.live} == LIVE


@given(
    status=st.sampled_from(Status),
    action=st.sampled_from(Action),
    held=st.frozensets(st.sampled_from(Capacity)),
    works=st.integers(0, 2),
    late=st.booleans(),
    form=st.fixed_dictionaries(
        {"score": st.sampled_from(["like", "dislike"])},
        optional={"text": st.text(max_size=5), "result": st.text(max_size=5), "seen": st.text(max_size=5)},
    ),
)
def test_decide_is_total_and_a_decision_follows_the_table(
    status: Status, action: Action, held: frozenset[Capacity], works: int, late: bool, form: dict[str, object]
) -> None:
    ticket = a_ticket(status, works=works, due_at=NOW - timedelta(days=1) if late else NOW + timedelta(days=1))
    try:
        decision = decide(ticket, action, held, form, NOW)
    except Refusal:
        return
    row = TABLE[action]
    assert row.live
    assert not held.isdisjoint(row.who)
    assert status in row.sources
    assert decision.status == (row.target or status)


@pytest.mark.parametrize(("status", "action"), [(s, a) for s in Status for a in LIVE if s not in TABLE[a].sources])
def test_out_of_its_states_an_action_is_a_conflict_with_the_present_state(status: Status, action: Action) -> None:
    with pytest.raises(Conflict) as refused:
        decide(a_ticket(status), action, frozenset(Capacity), {"score": "like"}, NOW)
    assert (refused.value.state, refused.value.version) == (status, 3)


@pytest.mark.parametrize("action", sorted(set(TABLE) - LIVE))
def test_what_is_not_live_yet_is_refused(action: Action) -> None:
    with pytest.raises(Conflict):
        decide(a_ticket(), action, frozenset(Capacity), {}, NOW)


def test_a_capacity_that_the_row_does_not_name_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        decide(a_ticket(Status.IN_PROGRESS), Action.COMPLETE, CITIZEN, {"result": "好了"}, NOW)


def test_an_empty_required_field_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        decide(a_ticket(Status.ACCEPTED), Action.REPLY, COURIER, {"text": ""}, NOW)
    assert [fault.pointer for fault in refused.value.faults] == ["/text"]


def test_the_person_assigned_accepts_as_it_stands() -> None:
    decision = decide(a_ticket(), Action.ACCEPT, COURIER, {}, NOW)
    assert decision.status is Status.ACCEPTED
    assert decision.changes == {"accepted_at": NOW, "category_suggested": False}
    assert not decision.reroute


def test_the_person_assigned_corrects_nothing() -> None:
    with pytest.raises(Forbidden):
        decide(a_ticket(), Action.ACCEPT, COURIER, {"category": "C0105"}, NOW)


def test_without_a_category_an_administrator_must_give_one() -> None:
    with pytest.raises(Invalid):
        decide(a_ticket(category_id=None), Action.ACCEPT, ADMIN, {}, NOW)
    assert decide(a_ticket(category_id=None), Action.ACCEPT, ADMIN, {"category": "C0105"}, NOW).reroute


def test_an_administrators_correction_routes_anew() -> None:
    assert decide(a_ticket(), Action.ACCEPT, ADMIN, {"place_code": "430121001"}, NOW).reroute
    assert not decide(a_ticket(), Action.ACCEPT, ADMIN, {"kind": "problem"}, NOW).reroute


def test_an_automatic_acceptance_is_corrected_once_by_dispatch_before_start() -> None:
    automatic = a_ticket(Status.ACCEPTED, accepted_automatically=True)
    form = {"category": "C0105"}
    assert decide(automatic, Action.DISPATCH, ADMIN, form, NOW).reroute
    assert not decide(replace(automatic, corrected=True), Action.DISPATCH, ADMIN, form, NOW).reroute
    assert not decide(replace(automatic, status=Status.IN_PROGRESS), Action.DISPATCH, ADMIN, form, NOW).reroute
    assert not decide(replace(automatic, accepted_automatically=False), Action.DISPATCH, ADMIN, form, NOW).reroute


def test_a_dispatch_to_nowhere_is_invalid() -> None:
    with pytest.raises(Invalid):
        decide(a_ticket(), Action.DISPATCH, ADMIN, {"text": "请处理"}, NOW)


def test_a_dispatch_to_two_nodes_is_invalid() -> None:
    with pytest.raises(Invalid):
        decide(a_ticket(), Action.DISPATCH, ADMIN, {"division_code": "430121001", "unit_code": "U01"}, NOW)


def test_the_first_reply_is_stamped_once() -> None:
    first = decide(a_ticket(Status.ACCEPTED), Action.REPLY, COURIER, {"text": "已去看过"}, NOW)
    assert first.changes == {"first_replied_at": NOW, "works": 1}
    again = a_ticket(Status.ACCEPTED, first_replied_at=NOW - timedelta(days=1), works=1)
    assert decide(again, Action.REPLY, COURIER, {"text": "在修"}, NOW).changes == {"works": 2}


def test_a_visit_in_the_future_is_invalid() -> None:
    with pytest.raises(Invalid):
        decide(
            a_ticket(Status.ACCEPTED), Action.VISIT, COURIER, {"seen": "灯坏了", "at": NOW + timedelta(hours=1)}, NOW
        )


def test_completion_needs_a_visit_or_reply_in_this_cycle() -> None:
    with pytest.raises(Conflict):
        decide(a_ticket(Status.IN_PROGRESS), Action.COMPLETE, COURIER, {"result": "已修好"}, NOW)
    decision = decide(a_ticket(Status.IN_PROGRESS, works=1), Action.COMPLETE, COURIER, {"result": "已修好"}, NOW)
    assert decision.status is Status.COMPLETED
    assert decision.changes["completed_at"] == decision.changes["first_replied_at"] == NOW


def test_a_consultation_is_answered_by_its_result_alone() -> None:
    ticket = a_ticket(Status.IN_PROGRESS, kind=Kind.CONSULTATION)
    assert decide(ticket, Action.COMPLETE, COURIER, {"result": "带身份证到窗口办理"}, NOW).status is Status.COMPLETED


def test_at_the_very_moment_of_the_limit_a_completion_is_late() -> None:
    ticket = a_ticket(Status.IN_PROGRESS, works=1, due_at=NOW)
    assert decide(ticket, Action.COMPLETE, COURIER, {"result": "好了"}, NOW).changes["kept_limit"] is False
    before = decide(ticket, Action.COMPLETE, COURIER, {"result": "好了"}, NOW - timedelta(microseconds=1))
    assert "kept_limit" not in before.changes


def test_a_dislike_reopens_and_a_like_does_not() -> None:
    done = a_ticket(Status.COMPLETED)
    assert decide(done, Action.RATE, CITIZEN, {"score": Score.DISLIKE}, NOW).reopens
    assert not decide(done, Action.RATE, CITIZEN, {"score": Score.LIKE}, NOW).reopens


def test_a_like_may_become_a_dislike_but_not_the_other_way_without_a_new_completion() -> None:
    liked = a_ticket(Status.COMPLETED, score=Score.LIKE, rated_cycle=1)
    assert decide(liked, Action.RATE, CITIZEN, {"score": Score.DISLIKE}, NOW).reopens
    disliked = a_ticket(Status.IN_PROGRESS, score=Score.DISLIKE, rated_cycle=1, cycle=2)
    with pytest.raises(Conflict):
        decide(disliked, Action.RATE, CITIZEN, {"score": Score.LIKE}, NOW)


def test_the_same_dislike_again_only_replaces_the_comment() -> None:
    disliked = a_ticket(Status.IN_PROGRESS, score=Score.DISLIKE, rated_cycle=1, cycle=2)
    decision = decide(disliked, Action.RATE, CITIZEN, {"score": Score.DISLIKE, "comment": "还是不亮"}, NOW)
    assert not decision.reopens
    assert decision.changes["rating_comment"] == "还是不亮"


def test_the_first_score_stays() -> None:
    liked = a_ticket(Status.COMPLETED, score=Score.LIKE, rated_cycle=1)
    assert "first_score" not in decide(liked, Action.RATE, CITIZEN, {"score": Score.DISLIKE}, NOW).changes
    first = decide(a_ticket(Status.COMPLETED), Action.RATE, CITIZEN, {"score": Score.DISLIKE}, NOW)
    assert first.changes["first_score"] is Score.DISLIKE


def test_rating_ends_with_the_fifteenth_day() -> None:
    done = a_ticket(Status.COMPLETED, completed_at=datetime(2026, 9, 1, 9, 0, tzinfo=SHANGHAI))
    last = datetime(2026, 9, 16, 23, 59, 59, tzinfo=SHANGHAI)
    assert decide(done, Action.RATE, CITIZEN, {"score": Score.LIKE}, last).changes["score"] is Score.LIKE
    with pytest.raises(Conflict):
        decide(done, Action.RATE, CITIZEN, {"score": Score.LIKE}, last + timedelta(seconds=1))


def test_a_reopening_begins_a_cycle_with_nothing_done_in_it() -> None:
    decision = decide(a_ticket(Status.COMPLETED), Action.REOPEN, CLOCK, {}, NOW)
    assert decision.status is Status.IN_PROGRESS
    assert decision.changes == {"completed_at": None, "cycle": 2, "works": 0}


def test_nobody_reopens_by_hand() -> None:
    with pytest.raises(Forbidden):
        decide(a_ticket(Status.COMPLETED), Action.REOPEN, frozenset(Capacity) - CLOCK, {}, NOW)


_GOOD = {
    "text": "正在处理", "result": "已修好", "seen": "看过了", "score": Score.LIKE, "division_code": "430121001",
    "category": "C0105",
}  # fmt: skip


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("held", [ADMIN, COURIER, CITIZEN, frozenset({Capacity.COLLEAGUE}), frozenset()])
@pytest.mark.parametrize("works", [0, 1])
def test_allowed_actions_are_those_that_some_body_succeeds_with(
    status: Status, held: frozenset[Capacity], works: int
) -> None:
    ticket = a_ticket(status, works=works)
    said = set(allowed(ticket, held, NOW))
    for action in LIVE - {Action.REOPEN}:
        form = {name: _GOOD[name] for name in (*TABLE[action].needs, *TABLE[action].takes) if name in _GOOD}
        if action is Action.ACCEPT:
            form = {"category": "C0105"} if held == ADMIN else {}
        try:
            decide(ticket, action, held, form, NOW)
            succeeds = True
        except Refusal:
            succeeds = False
        assert (action in said) == succeeds, action


def test_an_open_state_has_no_completion_stamp_left() -> None:
    assert {Status.RECEIVED, Status.ACCEPTED, Status.IN_PROGRESS} == OPEN
