"""Frozen reports: never changed once written; a correction is the next revision."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Identity, Named, Table, TypedColumns, UniqueConstraint

from app.schema.base import Id, Json, Moment, metadata


class _Reports(TypedColumns):
    """`figures` is what is printed, `parameters` how it was reckoned, `checksum` SHA-256 over both and `as_of`."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    kind: Named[str]
    division_id: Named[int] = Column(Id, ForeignKey("division.id"))
    period: Named[str]
    revision: Named[int]
    as_of: Named[datetime] = Column(Moment)
    reason: Named[str | None]
    parameters: Named[dict[str, object]] = Column(Json, nullable=False)
    figures: Named[dict[str, object]] = Column(Json, nullable=False)
    checksum: Named[str]


reports = Table("report", metadata, _Reports, UniqueConstraint("kind", "division_id", "period", "revision"))
