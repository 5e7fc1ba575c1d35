"""Does what a citizen's text says and gives the words that answer it, inside the citizen's Work."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain import conversation, replies
from app.domain.conversation import (
    CodeAlone,
    Courtesy,
    Done,
    Help,
    Later,
    MistypedNumber,
    Pending,
    Progress,
    Rate,
    Said,
)
from app.domain.errors import Conflict, Forbidden, Missing, Refusal
from app.domain.limits import rating_ends
from app.domain.replies import Receipt, Standing
from app.domain.vocabulary import OPEN, Channel, Score, Status
from app.people.queries import Citizen
from app.tickets import opening, public, rating
from app.tickets.opening import Matter
from app.tickets.queries import citizens
from app.tickets.queries.citizens import Line
from app.wechat.accounts import Account
from app.wechat.queries import Answer

_DONE = (Status.COMPLETED, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message's turn: `work` is the citizen's own, who is locked for the rest of the transaction.

    `received_at`: when it came, which is before now where it waited in the spool.
    """

    work: Work
    account: Account
    citizen: Citizen
    received_at: datetime


class Declined(Exception):  # noqa: N818 - an answer, not an error of ours
    """What was asked can't be, and the text says why, politely; nothing of it may stay in the database."""


async def answer(turn: Turn, said: Said) -> Answer:
    """Does what was said. Raises Declined; anything else that it raises is a failure of ours."""
    match said:
        case conversation.Matter(text=text):
            return await _open(turn, text)
        case Rate():
            return await _rate(turn, said)
        case Progress(number=str(number)):
            return Answer(await _progress(turn, number))
        case Progress():
            return Answer(await _listing(turn, "您的事项", ()))
        case Pending():
            return Answer(await _listing(turn, "待办", tuple(OPEN)))
        case Done():
            return Answer(await _listing(turn, "已办", _DONE))
    return Answer(ready(said))


def ready(said: Help | Courtesy | CodeAlone | MistypedNumber | Later) -> str:
    """The answer to what nothing needs to be looked up for."""
    match said:
        case Help():
            return replies.assistance()
        case Courtesy():
            return replies.courtesy()
        case CodeAlone(code=code):
            return replies.which_score(code)
        case MistypedNumber(text=text):
            return replies.mistyped(text)
        case Later(command=command):
            return replies.elsewhere(command)


async def _open(turn: Turn, text: str) -> Answer:
    work, citizen, account = turn.work, turn.citizen, turn.account
    county = await atlas(work)
    # Somebody who was not known a moment ago has no older ticket.
    lately = None if citizen.is_new else await _lately_completed(turn)
    opened = await opening.open_ticket(
        work,
        county,
        Matter(
            channel=Channel.ACCOUNT,
            description=text,
            citizen_id=citizen.id,
            bound_grid_id=citizen.grid_id,
            account_id=account.id,
            account_division_id=account.division_id,
            received_at=turn.received_at,
        ),
    )
    receipt = Receipt(
        number=opened.number,
        node=county.county.name_of(opened.node),
        person=opened.person_name,
        accept_due=opened.limits.accept.due_at,
        complete_due=opened.limits.complete.due_at,
        candidates=_names(county, opened.choices),
        urgent=opened.urgency is not None and opened.urgency.danger,
        lately_completed=lately,
        calls=opened.urgency.calls if opened.urgency is not None else (),
    )
    return Answer(replies.received(receipt), opened.id)


async def _lately_completed(turn: Turn) -> str | None:
    """The ticket that the new text may be a complaint about: completed last, and still to be rated."""
    found = await citizens.lately_completed(turn.work.conn, turn.citizen.id)
    if found is None:
        return None
    number, completed_at = found
    return number if turn.work.now < rating_ends(completed_at) else None


def _names(county: Atlas, choices: Sequence[int]) -> tuple[str, ...]:
    """The names of the places, with the place above where two have the same."""
    paths = [county.county.path(division_id) for division_id in choices]
    same = Counter(path[-1] for path in paths)
    return tuple(path[-1] if same[path[-1]] == 1 else "".join(path[-2:]) for path in paths)


async def _rate(turn: Turn, said: Rate) -> Answer:
    work = turn.work
    number = said.number
    if number is None and said.code is None:
        number = await citizens.latest_rateable(work.conn, turn.citizen.id)
        if number is None:
            return Answer(replies.nothing_to_rate())
    county = await atlas(work)
    form = {"score": said.score, "comment": said.comment}
    try:
        if said.code is not None:
            rated = await rating.rate_by_code(work, county, said.code, form, number)
        else:
            rated = await rating.rate_own(work, county, number or "", form)
    except (Missing, Forbidden, Conflict) as refusal:
        raise Declined(_why_not(refusal, number or said.code or "")) from refusal
    if rated.reopened is None:
        return Answer(replies.rated(rated.number, Score(said.score)), rated.ticket_id)
    node = county.county.name_of(rated.node)
    return Answer(replies.reopened(rated.number, node, rated.reopened.due_at), rated.ticket_id)


def _why_not(refusal: Refusal, named: str) -> str:
    """Why a rating was refused; somebody else's number and one that was never given read alike."""
    match refusal:
        case Missing() | Forbidden():
            return replies.unknown_number(named)
        case Conflict(code="rate.open"):
            return replies.not_yet(named)
        case Conflict(code="rate.late"):
            return replies.too_late(named)
        case Conflict(state=Status.CLOSED):
            return replies.too_late(named)
    return refusal.detail


async def _progress(turn: Turn, number: str) -> str:
    """How a ticket stands: all for whoever filed it, for anybody else what the board shows, if it shows it."""
    work = turn.work
    county = await atlas(work)
    own = await citizens.own(work.conn, turn.citizen.id, number)
    if own is not None:
        node = county.county.name_of(own.node)
        return replies.progress(_standing(work, own.line, node, own.person_name, own.latest))
    try:
        seen = await public.one(work, county, number)
    except Missing:
        return replies.unknown_number(number)
    return replies.progress(Standing(seen.number, Status(seen.status), seen.title, seen.due_at, seen.overdue))


async def _listing(turn: Turn, title: str, statuses: Sequence[Status]) -> str:
    lines, total = await citizens.listed(turn.work.conn, turn.citizen.id, statuses, replies.LISTED)
    return replies.listing(title, [_standing(turn.work, line) for line in lines], total)


def _standing(
    work: Work, line: Line, node: str | None = None, person: str | None = None, latest: str | None = None
) -> Standing:
    overdue = line.status in OPEN and line.due_at <= work.now
    return Standing(line.number, line.status, line.title, line.due_at, overdue, node, person, latest)
