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
from app.domain.ticket import Primary, Ticket
from app.domain.vocabulary import OPEN, SHANGHAI, Action, Asked, Kind, Score, Status

NOW = datetime(2026, 9, 22, 10, 0, tzinfo=SHANGHAI)
ADMIN = frozenset({Capacity.ADMINISTRATOR})
COURIER = frozenset({Capacity.ASSIGNED})
CITIZEN = frozenset({Capacity.CITIZEN})
CLOCK = frozenset({Capacity.CLOCKWORK})


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
    assert not held.isdisjoint(row.who)
    assert status in row.sources
    assert decision.status in {row.target or status, status}


@pytest.mark.parametrize(("status", "action"), [(s, a) for s in Status for a in TABLE if s not in TABLE[a].sources])
def test_out_of_its_states_an_action_is_a_conflict_with_the_present_state(status: Status, action: Action) -> None:
    with pytest.raises(Conflict) as refused:
        decide(a_ticket(status), action, frozenset(Capacity), {"score": "like"}, NOW)
    assert (refused.value.state, refused.value.version) == (status, 3)


@pytest.mark.parametrize("action", sorted(set(Action) - set(TABLE)))
def test_what_is_not_in_the_table_is_refused(action: Action) -> None:
    with pytest.raises(Forbidden):
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
    assert decision.changes["last_completed_at"] == NOW - timedelta(hours=1)
    assert {name: decision.changes[name] for name in ("completed_at", "cycle", "works", "photos")} == {
        "completed_at": None, "cycle": 2, "works": 0, "photos": 0,
    }  # fmt: skip


def test_nobody_reopens_by_hand() -> None:
    with pytest.raises(Forbidden):
        decide(a_ticket(Status.COMPLETED), Action.REOPEN, frozenset(Capacity) - CLOCK, {}, NOW)


_GOOD = {
    "text": "正在处理", "result": "已修好", "seen": "看过了", "score": Score.LIKE, "division_code": "430121001",
    "category": "C0105", "reason": "no_facts", "look_again_on": NOW.date() + timedelta(days=3), "days": 2,
    "approve": True, "into": "1234567899",
}  # fmt: skip
_HOLDERS = [
    ADMIN,
    COURIER,
    CITIZEN,
    frozenset({Capacity.COLLEAGUE}),
    frozenset({Capacity.RECORDER, Capacity.READER}),
    frozenset({Capacity.PARENT_ADMINISTRATOR, Capacity.ADMINISTRATOR, Capacity.CALLER}),
    frozenset({Capacity.PARENT_ADMINISTRATOR, Capacity.ASKED_EXTENSION, Capacity.ASKED_UNREASONABLE}),
    frozenset({Capacity.COUNTY_PRINCIPAL}),
    frozenset(),
]
_CONDITIONS: list[dict[str, object]] = [
    {},
    {"works": 1, "return_until": NOW + timedelta(hours=1), "waiting": True},
    {"return_until": NOW, "extension": Asked.ASKED, "copies": 1},
    {"cycle": 2, "unreasonable": None, "declined_at": NOW - timedelta(days=1), "accepted_automatically": True},
    {"cycle": 2, "unreasonable": Asked.ASKED, "declined_at": NOW - timedelta(days=20), "extensions": 2},
    {"for_principal": True, "at_county": True, "appealed": True, "due_at": NOW, "photo_required": True, "works": 1},
    {"primary": Primary(Status.IN_PROGRESS, 2), "last_completed_at": NOW - timedelta(days=2), "extension_days": 10},
    {"primary": Primary(Status.COMPLETED, 1), "completed_at": NOW - timedelta(days=2)},
    {"primary": Primary(Status.CLOSED, 1), "completed_at": NOW - timedelta(days=20)},
]


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("held", _HOLDERS)
@pytest.mark.parametrize("conditions", _CONDITIONS)
def test_allowed_actions_are_those_that_some_body_succeeds_with(
    status: Status, held: frozenset[Capacity], conditions: dict[str, object]
) -> None:
    ticket = a_ticket(status, **conditions)
    said = set(allowed(ticket, held, NOW))
    for action in set(TABLE) - {Action.REOPEN, Action.ARCHIVE}:
        row = TABLE[action]
        form = {name: _GOOD[name] for name in (*row.needs, *row.takes) if name in _GOOD and name != "category"}
        if action is Action.WAIT:
            form["reason"] = "season"
        if action is Action.COMPLETE and ticket.photo_required:
            form["photos"] = 1
        if action in {Action.ACCEPT, Action.TRANSFER}:
            form.pop("text", None)
        forms = [form] if action is not Action.RATE else [form | {"score": score} for score in Score]
        assert (action in said) == any(_succeeds(ticket, action, held, one) for one in forms), action


def _succeeds(ticket: Ticket, action: Action, held: frozenset[Capacity], form: dict[str, object]) -> bool:
    try:
        decide(ticket, action, held, form, NOW)
    except Refusal:
        return False
    return True


def test_an_open_state_has_no_completion_stamp_left() -> None:
    assert {Status.RECEIVED, Status.ACCEPTED, Status.IN_PROGRESS} == OPEN


def test_decline_needs_a_reason_of_the_list_and_a_finer_one_that_fits() -> None:
    form = {"reason": "in_procedure", "sub_reason": "litigation", "text": "请等判决"}
    decision = decide(a_ticket(), Action.DECLINE, ADMIN, form, NOW)
    assert decision.status is Status.DECLINED
    assert decision.changes["declined_at"] == decision.changes["first_replied_at"] == NOW
    for wrong in ({"reason": "no_facts"}, {"reason": "busy"}, {"sub_reason": "emergency"}):
        with pytest.raises(Invalid):
            decide(a_ticket(), Action.DECLINE, ADMIN, form | wrong, NOW)


def test_an_accepted_ticket_is_declined_only_where_nobody_accepted_it() -> None:
    form = {"reason": "no_facts", "text": "请补充"}
    with pytest.raises(Conflict):
        decide(a_ticket(Status.ACCEPTED), Action.DECLINE, ADMIN, form, NOW)
    automatic = a_ticket(Status.ACCEPTED, accepted_automatically=True)
    assert decide(automatic, Action.DECLINE, ADMIN, form, NOW).status is Status.DECLINED
    with pytest.raises(Conflict):
        decide(replace(automatic, status=Status.IN_PROGRESS), Action.DECLINE, ADMIN, form, NOW)


def test_an_appeal_is_made_once_within_fifteen_days() -> None:
    declined = a_ticket(Status.DECLINED, declined_at=datetime(2026, 9, 7, 9, tzinfo=SHANGHAI))
    last = datetime(2026, 9, 22, 23, 59, 59, tzinfo=SHANGHAI)
    decision = decide(declined, Action.APPEAL, CITIZEN, {"text": "不服"}, last)
    assert (decision.status, decision.changes["accepted_at"]) == (Status.RECEIVED, None)
    with pytest.raises(Conflict):
        decide(declined, Action.APPEAL, CITIZEN, {"text": "不服"}, last + timedelta(seconds=1))
    with pytest.raises(Conflict):
        decide(replace(declined, appealed=True), Action.APPEAL, CITIZEN, {"text": "不服"}, last)


def test_an_appeal_against_the_county_is_its_principals_alone() -> None:
    appealed = a_ticket(for_principal=True, at_county=True, appealed=True)
    with pytest.raises(Forbidden):
        decide(appealed, Action.ACCEPT, ADMIN | COURIER, {}, NOW)
    principal = frozenset({Capacity.COUNTY_PRINCIPAL})
    assert decide(appealed, Action.ACCEPT, principal, {}, NOW).changes["for_principal"] is False
    with pytest.raises(Forbidden):
        decide(a_ticket(at_county=True), Action.ACCEPT, principal, {}, NOW)


def test_a_return_is_made_within_its_working_day() -> None:
    with pytest.raises(Conflict):
        decide(a_ticket(), Action.RETURN, COURIER, {"text": "不是我们的"}, NOW)
    until = a_ticket(return_until=NOW)
    with pytest.raises(Conflict):
        decide(until, Action.RETURN, COURIER, {"text": "不是我们的"}, NOW)
    before = NOW - timedelta(microseconds=1)
    assert decide(until, Action.RETURN, COURIER, {"text": "不是我们的"}, before).status is Status.RECEIVED


def test_an_extension_is_asked_before_the_limit_and_within_what_is_left() -> None:
    form = {"days": 10, "text": "等配件"}
    assert decide(a_ticket(Status.ACCEPTED), Action.REQUEST_EXTENSION, COURIER, form, NOW)
    for condition, form in (
        ({"due_at": NOW}, {"days": 1, "text": "等"}),
        ({"extensions": 2}, {"days": 1, "text": "等"}),
        ({"extension": Asked.ASKED}, {"days": 1, "text": "等"}),
        ({"extension_days": 10}, {"days": 1, "text": "等"}),
    ):
        with pytest.raises(Conflict):
            decide(a_ticket(Status.ACCEPTED, **condition), Action.REQUEST_EXTENSION, COURIER, form, NOW)
    ticket = a_ticket(Status.ACCEPTED, extension_days=8, extensions=1)
    with pytest.raises(Invalid):
        decide(ticket, Action.REQUEST_EXTENSION, COURIER, {"days": 3, "text": "等"}, NOW)


def test_nobody_decides_what_they_asked_for() -> None:
    asked = a_ticket(Status.ACCEPTED, extension=Asked.ASKED)
    above = frozenset({Capacity.PARENT_ADMINISTRATOR})
    assert decide(asked, Action.DECIDE_EXTENSION, above, {"approve": True}, NOW).changes["extensions"] == 1
    assert decide(asked, Action.DECIDE_EXTENSION, above, {"approve": False}, NOW).changes == {
        "extension_state": Asked.REFUSED
    }
    with pytest.raises(Forbidden):
        decide(asked, Action.DECIDE_EXTENSION, above | {Capacity.ASKED_EXTENSION}, {"approve": True}, NOW)


def test_a_dislike_held_unreasonable_is_closed_as_it_stood_before() -> None:
    done = NOW - timedelta(days=3)
    ticket = a_ticket(Status.IN_PROGRESS, cycle=3, unreasonable=Asked.ASKED, last_completed_at=done)
    above = frozenset({Capacity.PARENT_ADMINISTRATOR})
    decision = decide(ticket, Action.DECIDE_UNREASONABLE, above, {"approve": True}, NOW)
    assert decision.status is Status.CLOSED
    assert (decision.changes["cycle"], decision.changes["completed_at"]) == (2, done)
    refused = decide(ticket, Action.DECIDE_UNREASONABLE, above, {"approve": False}, NOW)
    assert (refused.status, refused.changes) == (Status.IN_PROGRESS, {"unreasonable_state": Asked.REFUSED})


def test_only_a_dislike_is_held_unreasonable_and_once_a_cycle() -> None:
    form = {"text": "已按规定办结"}
    with pytest.raises(Conflict):
        decide(a_ticket(Status.IN_PROGRESS), Action.PROPOSE_UNREASONABLE, COURIER, form, NOW)
    again = a_ticket(Status.IN_PROGRESS, cycle=2, unreasonable=Asked.REFUSED)
    with pytest.raises(Conflict):
        decide(again, Action.PROPOSE_UNREASONABLE, COURIER, form, NOW)
    assert decide(replace(again, unreasonable=None), Action.PROPOSE_UNREASONABLE, COURIER, form, NOW)


def test_a_wait_looks_ahead_and_ends_with_the_work() -> None:
    form = {"reason": "season", "text": "雨季", "look_again_on": NOW.date()}
    with pytest.raises(Invalid):
        decide(a_ticket(Status.ACCEPTED), Action.WAIT, COURIER, form, NOW)
    tomorrow = form | {"look_again_on": NOW.date() + timedelta(days=1)}
    assert decide(a_ticket(Status.ACCEPTED), Action.WAIT, COURIER, tomorrow, NOW).changes["waiting_reason"] == "season"
    waiting = a_ticket(Status.IN_PROGRESS, waiting=True, works=1)
    changes = decide(waiting, Action.COMPLETE, COURIER, {"result": "好了"}, NOW).changes
    assert changes["waiting_reason"] is None
    with pytest.raises(Conflict):
        decide(a_ticket(Status.ACCEPTED), Action.RESUME, COURIER, {}, NOW)


def test_a_withdrawal_is_left_out_of_the_rates_only_by_the_citizens_own_hand_before_any_work() -> None:
    own = decide(a_ticket(), Action.WITHDRAW, CITIZEN, {}, NOW)
    assert (own.status, own.changes["withdrawn_before_work"]) == (Status.WITHDRAWN, True)
    recorder = frozenset({Capacity.RECORDER})
    assert decide(a_ticket(), Action.WITHDRAW, recorder, {}, NOW).changes["withdrawn_before_work"] is False
    late = a_ticket(Status.ACCEPTED, works=1)
    assert decide(late, Action.WITHDRAW, CITIZEN, {}, NOW).changes["withdrawn_before_work"] is False


def test_a_photo_is_needed_where_the_category_asks_but_not_for_what_was_explained() -> None:
    ticket = a_ticket(Status.IN_PROGRESS, works=1, photo_required=True)
    with pytest.raises(Invalid):
        decide(ticket, Action.COMPLETE, COURIER, {"result": "好了"}, NOW)
    for enough in ({"photos": 1}, {"explained": True}):
        assert decide(ticket, Action.COMPLETE, COURIER, {"result": "好了", **enough}, NOW)
    assert decide(replace(ticket, photos=1), Action.COMPLETE, COURIER, {"result": "好了"}, NOW)


def test_a_copy_rates_the_last_completion_of_its_primary_even_once_it_is_reopened() -> None:
    done = NOW - timedelta(days=1)
    copy = a_ticket(Status.MERGED, completed_at=done, primary=Primary(Status.COMPLETED, 1))
    first = decide(copy, Action.RATE, CITIZEN, {"score": Score.DISLIKE}, NOW)
    assert first.reopens
    reopened = replace(copy, completed_at=None, last_completed_at=done, primary=Primary(Status.IN_PROGRESS, 2))
    later = decide(reopened, Action.RATE, CITIZEN, {"score": Score.DISLIKE}, NOW)
    assert not later.reopens
    # Its own dislike gave it nothing new to like.
    disliked = replace(reopened, score=Score.DISLIKE, rated_cycle=1)
    with pytest.raises(Conflict):
        decide(disliked, Action.RATE, CITIZEN, {"score": Score.LIKE}, NOW)
    with pytest.raises(Conflict):
        decide(replace(copy, completed_at=None, primary=Primary(Status.ACCEPTED, 1)), Action.RATE, CITIZEN,
               {"score": Score.LIKE}, NOW)  # fmt: skip


def test_whoever_handled_it_does_not_call_back() -> None:
    with pytest.raises(Forbidden):
        decide(
            a_ticket(Status.COMPLETED), Action.RATE, frozenset({Capacity.PARENT_ADMINISTRATOR}), {"score": "like"}, NOW
        )
