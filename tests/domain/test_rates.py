"""What is counted, what is left out, and how a share becomes a percentage."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.counting import Counts, Facts, count
from app.domain.errors import Invalid
from app.domain.rates import EARLIEST, FORMULAS, LATEST, Rates, cohort, parts, percent, rates, span
from app.domain.vocabulary import OPEN, SHANGHAI, Channel, Score, Status, Via

AS_OF = datetime(2026, 11, 1, tzinfo=SHANGHAI)
RECEIVED = datetime(2026, 10, 9, 10, tzinfo=SHANGHAI)
LATER, DAY, INSTANT = AS_OF + timedelta(days=3), timedelta(days=1), timedelta(microseconds=1)

NEW = Facts(
    status=Status.RECEIVED,
    channel=Channel.GROUP,
    received_at=RECEIVED,
    accepted_at=None,
    accepted_automatically=False,
    first_replied_at=None,
    completed_at=None,
    due_at=LATER,
    original_due_at=LATER,
    kept_limit=True,
    kept_original=True,
    explained=False,
    score=None,
    first_score=None,
    via=None,
    solved=None,
    declined_reason=None,
    withdrawn_by_citizen_before_work=False,
)
WORKED = replace(NEW, status=Status.IN_PROGRESS, accepted_at=RECEIVED + DAY, first_replied_at=RECEIVED + 2 * DAY)
DONE = replace(WORKED, status=Status.COMPLETED, completed_at=RECEIVED + 3 * DAY)
REOPENED = replace(WORKED, score=Score.DISLIKE, first_score=Score.DISLIKE, via=Via.WECHAT, solved=False, explained=True)


def one(facts: Facts) -> dict[str, int]:
    """The fields that a single ticket is counted in."""
    counts = count([facts], AS_OF)
    return {field.name: value for field in fields(counts) if (value := getattr(counts, field.name))}


def ones(*names: str) -> dict[str, int]:
    return dict.fromkeys(names, 1)


@st.composite
def tickets(draw: st.DrawFn) -> Facts:
    """Any ticket that can be: only its completion is bound to its state."""
    status = draw(st.sampled_from(Status))
    moments = st.integers(-744, 744).map(lambda hours: AS_OF + timedelta(hours=hours))
    maybe = st.none() | moments
    must = status in {Status.COMPLETED, Status.CLOSED}
    completed_at = draw(moments if must else maybe if status is Status.MERGED else st.none())
    score = draw(st.none() | st.sampled_from(Score))
    return Facts(
        status=status,
        channel=draw(st.sampled_from(Channel)),
        received_at=draw(moments),
        accepted_at=draw(maybe),
        accepted_automatically=draw(st.booleans()),
        first_replied_at=draw(maybe),
        completed_at=completed_at,
        due_at=draw(moments),
        original_due_at=draw(moments),
        kept_limit=draw(st.booleans()),
        kept_original=draw(st.booleans()),
        explained=draw(st.booleans()),
        score=score,
        first_score=draw(st.sampled_from(Score)) if score else None,
        via=draw(st.sampled_from(Via)) if score else None,
        solved=draw(st.none() | st.booleans()) if score else None,
        declined_reason=draw(st.sampled_from([None, "spam", "no_facts", "in_procedure"])),
        withdrawn_by_citizen_before_work=draw(st.booleans()),
    )


cohorts = st.lists(tickets(), max_size=5)


def test_a_new_ticket_is_received_and_not_yet_due() -> None:
    assert one(NEW) == ones("received", "not_yet_due")


def test_milestones_count_whatever_the_state_is_called() -> None:
    assert one(WORKED) == ones("received", "accepted", "replied", "not_yet_due")
    assert one(replace(WORKED, accepted_automatically=True))["accepted_automatically"] == 1


def test_a_completed_or_archived_ticket_is_done_and_on_time() -> None:
    done = ones("received", "accepted", "replied", "completed", "on_time", "on_time_original")
    done |= ones("ranked_accepted", "ranked_replied")
    assert one(DONE) == done
    assert one(replace(DONE, status=Status.CLOSED)) == done


def test_a_completion_is_on_time_by_the_limits_of_every_cycle_not_by_the_present_due_moment() -> None:
    late_once = replace(DONE, kept_limit=False, kept_original=False)
    assert not {"on_time", "on_time_original", "open_overdue"} & one(late_once).keys()
    long_past_due = replace(DONE, due_at=RECEIVED, original_due_at=RECEIVED)
    assert one(long_past_due)["on_time"] == 1
    assert not {"open_overdue", "open_overdue_original"} & one(long_past_due).keys()


def test_an_extension_counts_for_the_limit_but_not_for_the_original_one() -> None:
    extended = replace(DONE, kept_original=False)
    assert one(extended)["on_time"] == 1
    assert "on_time_original" not in one(extended)
    running = replace(WORKED, original_due_at=AS_OF)
    assert one(running) == ones("received", "accepted", "replied", "not_yet_due", "open_overdue_original")


@pytest.mark.parametrize("status", [*sorted(OPEN), Status.MERGED])
def test_the_due_moment_itself_is_too_late(status: Status) -> None:
    at_the_limit = replace(NEW, status=status, due_at=AS_OF)
    assert one(at_the_limit) == ones("received", "open_overdue")
    assert one(replace(at_the_limit, due_at=AS_OF + INSTANT)) == ones("received", "not_yet_due")


def test_an_overdue_ticket_is_ranked_with_its_milestones_and_rating() -> None:
    overdue = one(replace(REOPENED, due_at=RECEIVED, original_due_at=RECEIVED))
    assert {name for name in overdue if name.startswith("ranked")} == {
        "ranked_accepted",
        "ranked_replied",
        "ranked_dislikes",
    }


def test_a_reopened_ticket_keeps_its_dislike_but_is_neither_completed_nor_explained() -> None:
    assert one(REOPENED) == ones(
        "received", "accepted", "replied", "not_yet_due", "dislikes", "first_dislikes", "solved_no"
    )


def test_the_latest_rating_counts_and_the_first_stands_beside() -> None:
    won_over = one(replace(DONE, score=Score.LIKE, first_score=Score.DISLIKE, via=Via.CALLBACK, solved=True))
    rated = {"likes", "first_dislikes", "callback_likes", "rated_completed", "solved_yes", "ranked_likes"}
    assert won_over.keys() - one(DONE).keys() == rated


@pytest.mark.parametrize("score", Score)
@pytest.mark.parametrize("via", Via)
def test_only_call_backs_are_counted_apart_each_by_its_score(score: Score, via: Via) -> None:
    rated = one(replace(DONE, score=score, first_score=score, via=via))
    assert {name for name in rated if name.startswith("callback")} == (
        {f"callback_{score}s"} if via is Via.CALLBACK else set()
    )


def test_an_explained_completion_counts_as_completed_and_apart() -> None:
    assert one(replace(DONE, explained=True)) == one(DONE) | ones("explained")


def test_a_withdrawal_by_the_citizen_before_any_work_is_left_out_of_everything() -> None:
    withdrawn = replace(
        WORKED, status=Status.WITHDRAWN, withdrawn_by_citizen_before_work=True, accepted_automatically=True
    )
    assert one(withdrawn) == ones("withdrawn")


def test_any_other_withdrawal_stays_in_the_cohort_and_is_never_overdue() -> None:
    assert one(replace(NEW, status=Status.WITHDRAWN, due_at=RECEIVED, original_due_at=RECEIVED)) == ones("received")


def test_spam_is_left_out_of_everything() -> None:
    assert one(replace(WORKED, status=Status.DECLINED, declined_reason="spam")) == ones("spam")


@pytest.mark.parametrize("reason", ["outside_jurisdiction", "no_facts", "in_procedure", None])
def test_a_declined_ticket_is_received_and_replied_and_never_overdue(reason: str | None) -> None:
    declined = replace(NEW, status=Status.DECLINED, declined_reason=reason, due_at=RECEIVED, original_due_at=RECEIVED)
    assert one(declined) == ones("received", "replied", "declined")


def test_a_ticket_declined_after_its_automatic_acceptance_stays_accepted() -> None:
    declined = replace(NEW, status=Status.DECLINED, accepted_at=RECEIVED, accepted_automatically=True)
    assert one(declined) == ones("received", "accepted", "accepted_automatically", "replied", "declined")


def test_an_appeal_brings_a_declined_ticket_back_though_the_old_reason_is_still_written_on_it() -> None:
    appealed = replace(NEW, first_replied_at=RECEIVED, declined_reason="spam", accepted_automatically=True)
    assert one(appealed) == ones("received", "replied", "not_yet_due")


def test_a_copy_counts_by_its_own_milestones() -> None:
    assert one(replace(WORKED, status=Status.MERGED)) == one(WORKED)
    assert one(replace(DONE, status=Status.MERGED)) == one(DONE)


def test_a_period_holds_both_its_days_in_shanghai() -> None:
    begin, end = span(date(2026, 10, 1), date(2026, 10, 31))
    assert (begin, end) == (
        datetime(2026, 9, 30, 16, tzinfo=UTC),
        datetime(2026, 10, 31, 16, tzinfo=UTC),
    )
    edges = [begin - INSTANT, begin, end - INSTANT, end]
    inside = cohort([replace(NEW, received_at=at) for at in edges], date(2026, 10, 1), date(2026, 10, 31))
    assert [facts.received_at for facts in inside] == [begin, end - INSTANT]


def test_one_day_is_a_period_and_so_is_the_widest() -> None:
    begin, end = span(RECEIVED.date(), RECEIVED.date())
    assert end - begin == DAY
    assert span(EARLIEST, LATEST)[0].date() == EARLIEST


@pytest.mark.parametrize(
    ("first", "last", "pointer"),
    [
        (date(2026, 10, 2), date(2026, 10, 1), "/to"),
        (EARLIEST - DAY, date(2026, 10, 1), "/from"),
        (date(2026, 10, 1), date.max, "/to"),
    ],
)
def test_a_period_that_cannot_be_is_refused_by_its_field(first: date, last: date, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        span(first, last)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_every_rate_has_the_numerator_and_denominator_of_the_contract() -> None:
    values = dict(zip((field.name for field in fields(Counts)), range(101, 200), strict=False))
    c = Counts(**values)
    assert parts(c) == {
        "acceptance_rate": (c.accepted, c.received),
        "reply_rate": (c.replied, c.received),
        "completion_rate": (c.completed, c.received),
        "satisfaction_rate": (c.likes, c.likes + c.dislikes),
        "on_time_rate": (c.on_time, c.completed + c.open_overdue),
        "rating_coverage": (c.rated_completed, c.completed),
        "original_on_time_rate": (c.on_time_original, c.completed + c.open_overdue_original),
        "first_satisfaction_rate": (c.first_likes, c.first_likes + c.first_dislikes),
        "solved_rate": (c.solved_yes, c.solved_yes + c.solved_no),
        "automatic_share": (c.accepted_automatically, c.accepted),
    }
    assert list(parts(c)) == [field.name for field in fields(Rates)]
    assert rates(c).solved_rate == Fraction(c.solved_yes, c.solved_yes + c.solved_no)


def test_nothing_counted_has_no_rate_rather_than_zero_or_all() -> None:
    assert count([], AS_OF) == Counts.zero()
    assert all(getattr(rates(Counts.zero()), field.name) is None for field in fields(Rates))


def test_a_rate_of_none_among_some_is_zero() -> None:
    assert rates(Counts(received=3)).completion_rate == 0
    assert percent(Fraction(0)) == Decimal("0.00")


@pytest.mark.parametrize(
    ("part", "whole", "printed"),
    [
        (14_100, 14_637, "96.33"),
        (768, 774, "99.22"),
        (1, 1, "100.00"),
        (1, 3, "33.33"),
        (2, 3, "66.67"),
        # Exactly half a hundredth: up, not to the even neighbour, and not as a binary float would have it.
        (1, 20_000, "0.01"),
        (201, 20_000, "1.01"),
        (203, 20_000, "1.02"),
        (9_999, 20_000, "50.00"),
        (99_994, 100_000, "99.99"),
        (99_995, 100_000, "100.00"),
    ],
)
def test_a_percentage_is_rounded_half_up_to_two_decimals(part: int, whole: int, printed: str) -> None:
    assert str(percent(Fraction(part, whole))) == printed


def test_no_rate_has_no_percentage() -> None:
    assert percent(None) is None


@given(st.integers(1, 10**6).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_percentages_are_those_of_long_decimal_arithmetic(pair: tuple[int, int]) -> None:
    part, whole = pair
    with localcontext() as context:
        context.prec = 60
        expected = (Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert str(percent(Fraction(part, whole))) == str(expected)


@given(st.lists(cohorts, max_size=3))
def test_the_counts_of_parts_add_up_to_those_of_the_whole(nodes: list[list[Facts]]) -> None:
    whole = count([facts for node in nodes for facts in node], AS_OF)
    assert sum((count(node, AS_OF) for node in nodes), Counts.zero()) == whole


@given(cohorts.flatmap(lambda facts: st.tuples(st.just(facts), st.permutations(facts))))
def test_the_order_of_tickets_does_not_matter(orders: tuple[list[Facts], list[Facts]]) -> None:
    assert count(orders[0], AS_OF) == count(orders[1], AS_OF)


@given(cohorts)
def test_every_rate_lies_between_0_and_100_percent(facts: list[Facts]) -> None:
    counted = rates(count(facts, AS_OF))
    printed = [percent(getattr(counted, field.name)) for field in fields(Rates)]
    assert all(0 <= value <= 100 for value in printed if value is not None)


@given(cohorts)
def test_every_ticket_is_in_the_cohort_or_beside_it_and_in_one_place_there(facts: list[Facts]) -> None:
    c = count(facts, AS_OF)
    assert c.received + c.withdrawn + c.spam == len(facts)
    kept_withdrawals = sum(one.status is Status.WITHDRAWN and not one.withdrawn_by_citizen_before_work for one in facts)
    assert c.received == c.completed + c.open_overdue + c.not_yet_due + c.declined + kept_withdrawals
    assert c.rated_completed <= c.completed
    assert c.ranked == c.completed + c.open_overdue


@given(cohorts, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_time_alone_moves_tickets_from_not_yet_due_to_overdue_and_nothing_else(
    facts: list[Facts], passed: timedelta
) -> None:
    now, then = count(facts, AS_OF), count(facts, AS_OF + passed)
    assert then.open_overdue - now.open_overdue == now.not_yet_due - then.not_yet_due >= 0
    on_the_clock = {"open_overdue", "open_overdue_original", "not_yet_due"}
    for field in fields(Counts):
        if field.name not in on_the_clock and not field.name.startswith("ranked"):
            assert getattr(now, field.name) == getattr(then, field.name)


def test_the_formulas_name_every_rate_that_is_printed() -> None:
    named = ["受理率", "回复率", "办结率", "满意率", "按时办结率", "评价率", "按原期限按时办结率", "首次满意率"]
    named += ["解决率", "自动受理占比"]
    assert [line.split("＝")[0] for line in FORMULAS if "＝" in line] == named
    assert len(named) == len(fields(Rates))
