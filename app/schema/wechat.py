"""The cluster of official accounts, and every message that came in."""

from datetime import datetime

from sqlalchemy import (
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    text,
)

from app.schema.base import Id, Moment, metadata


class _Accounts(TypedColumns):
    """`token`, the AES keys and `secret` are sealed (base.secrets.Vault)."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    appid: Named[str] = Column(Text, unique=True)
    original_id: Named[str]
    name: Named[str]
    division_id: Named[int] = Column(Id, ForeignKey("division.id"))
    kind: Named[str]
    certified: Named[bool]
    mode: Named[str]
    token: Named[str]
    encoding_aes_key: Named[str]
    previous_aes_key: Named[str | None]
    secret: Named[str]


accounts = Table("account", metadata, _Accounts)


class _Inbound(TypedColumns):
    """One row per message, whatever came of it: the unique key makes its effect happen once.

    `outcome`: `done` (handled; `reply` is the remembered answer) or `kept` (could not be understood, or our code
    failed: `raw` waits for an administrator, `problem` says why; `settled_*`: who has seen to it, when).
    `untold`: handled out of the spool, so that the citizen has not yet read the reply (the next message tells it).
    """

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    account_id: Named[int] = Column(Id, ForeignKey("account.id"))
    key: Named[str]
    openid: Named[str | None]
    received_at: Named[datetime] = Column(Moment)
    raw: Named[bytes] = Column(LargeBinary)
    outcome: Named[str]
    reply: Named[str | None]
    problem: Named[str | None]
    ticket_id: Named[int | None] = Column(Id, ForeignKey("ticket.id"))
    untold: Named[bool] = Column(server_default=text("false"))
    settled_by: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    settled_at: Named[datetime | None] = Column(Moment)


inbound = Table(
    "inbound",
    metadata,
    _Inbound,
    UniqueConstraint("account_id", "key"),
    Index("ix_inbound_kept", "id", postgresql_where=text("outcome = 'kept'")),
    Index("ix_inbound_settled", "id", postgresql_where=text("settled_at IS NOT NULL")),
    Index("ix_inbound_untold", "account_id", "openid", postgresql_where=text("untold")),
)
