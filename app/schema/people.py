"""Staff with their appointments and sessions; citizens with their WeChat identities."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, Identity, Index, Named, Table, Text, TypedColumns
from sqlalchemy.dialects.postgresql import INET

from app.schema.base import Id, Moment, metadata


class _Staff(TypedColumns):
    id: Named[int] = Column(Id, Identity(), primary_key=True)
    username: Named[str] = Column(Text, unique=True)
    name: Named[str]
    phone: Named[str]
    password_hash: Named[str | None]
    active: Named[bool]


staff = Table("staff", metadata, _Staff)


class _Appointments(TypedColumns):
    id: Named[int] = Column(Id, Identity(), primary_key=True)
    staff_id: Named[int] = Column(Id, ForeignKey("staff.id"))
    role: Named[str]
    division_id: Named[int | None] = Column(Id, ForeignKey("division.id"))
    unit_id: Named[int | None] = Column(Id, ForeignKey("unit.id"))
    starts_at: Named[datetime] = Column(Moment)
    ends_at: Named[datetime | None] = Column(Moment)


appointments = Table(
    "appointment",
    metadata,
    _Appointments,
    CheckConstraint("num_nonnulls(division_id, unit_id) = 1", name="one_node"),
    Index(None, "staff_id"),
    Index(None, "division_id", "role"),
    Index(None, "unit_id", "role"),
)


class _Sessions(TypedColumns):
    """Times are the machine's: a demo's clock that jumps ahead must not end anybody's sign-in."""

    token_digest: Named[str] = Column(Text, primary_key=True)
    staff_id: Named[int] = Column(Id, ForeignKey("staff.id"))
    created_at: Named[datetime] = Column(Moment)
    seen_at: Named[datetime] = Column(Moment)
    expires_at: Named[datetime] = Column(Moment)


sessions = Table("session", metadata, _Sessions, Index(None, "staff_id"))


class _SignInFailures(TypedColumns):
    """One row per account and address: a lock-out there, never for the account everywhere (ASVS 6.1.1).

    Without a username: the row of an address, whatever accounts it tried.
    """

    username: Named[str] = Column(Text, primary_key=True)
    address: Named[str] = Column(INET, primary_key=True)
    failures: Named[int]
    blocked_until: Named[datetime] = Column(Moment)


sign_in_failures = Table("sign_in_failure", metadata, _SignInFailures)


class _Citizens(TypedColumns):
    id: Named[int] = Column(Id, Identity(), primary_key=True)
    name: Named[str | None]
    phone: Named[str | None]
    grid_id: Named[int | None] = Column(Id, ForeignKey("division.id"))
    created_at: Named[datetime] = Column(Moment)


citizens = Table("citizen", metadata, _Citizens)


class _Identities(TypedColumns):
    account_id: Named[int] = Column(Id, ForeignKey("account.id"), primary_key=True)
    openid: Named[str] = Column(Text, primary_key=True)
    citizen_id: Named[int] = Column(Id, ForeignKey("citizen.id"))


identities = Table("identity", metadata, _Identities, Index(None, "citizen_id"))


class _Households(TypedColumns):
    """`phone` and `address` are sealed (base.secrets.Vault). `key`: a keyed digest of grid, head and address, by which
    a repeated import knows the household again."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    key: Named[str] = Column(Text, unique=True)
    grid_id: Named[int] = Column(Id, ForeignKey("division.id"))
    head_name: Named[str]
    phone: Named[str | None]
    address: Named[str | None]
    courier_id: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    in_difficulty: Named[bool]
    last_visited_at: Named[datetime | None] = Column(Moment)


households = Table(
    "household",
    metadata,
    _Households,
    Index(None, "grid_id"),
    Index(None, "courier_id", "in_difficulty", "last_visited_at"),
)
