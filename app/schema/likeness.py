"""Sketches of what tickets say, by which the same text is found again."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Named, Table, TypedColumns
from sqlalchemy.dialects.postgresql import ARRAY

from app.schema.base import Id, Moment, metadata


class _Likenesses(TypedColumns):
    """`sketch`: app.domain.likeness.keys of title and description."""

    ticket_id: Named[int] = Column(Id, ForeignKey("ticket.id"), primary_key=True)
    received_at: Named[datetime] = Column(Moment)
    sketch: Named[list[int]] = Column(ARRAY(BigInteger), nullable=False)


likenesses = Table("ticket_likeness", metadata, _Likenesses, Index(None, "sketch", postgresql_using="gin"))
