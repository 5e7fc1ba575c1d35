"""A small cast and a ticket or two, for the tests of the simulation."""

from datetime import datetime, timedelta

from app.demo.books import Entry
from app.demo.cast import Account, Cast, Responsible, User
from app.domain.vocabulary import SHANGHAI, AccountMode, Channel, Role, Status
from app.wechat.crypto import Keys

NOON = datetime(2026, 9, 22, 12, 0, tzinfo=SHANGHAI)
COUNTY, TOWN, VILLAGE, GRID = "430121", "430121001", "430121001001", "430121001001001"
STATION, BUREAU = f"{TOWN}S01", "U05"


def user(name: str, role: Role, division: str | None, unit: str | None = None) -> User:
    return User(name, role, division, unit, "")


def a_cast(*users: User) -> Cast:
    keys = Keys("wx", "token", "", None, AccountMode.PLAIN)
    accounts = tuple(Account("", code, "gh", keys) for code in (TOWN, COUNTY, "430121002"))
    return Cast("http://127.0.0.1", users, accounts)


def entry(place: str, node: Responsible) -> Entry:
    found = Entry("1234567893", Channel.GROUP, "C0105", frozenset({place}), False, NOON - timedelta(hours=1))
    found.place, found.node, found.due_at = place, node, NOON + timedelta(days=3)
    return found


def completed(one: Entry) -> Entry:
    one.status, one.replied = Status.COMPLETED, True
    one.accepted_at = one.replied_at = one.completed_at = NOON - timedelta(minutes=5)
    return one
