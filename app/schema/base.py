"""What the tables share: the metadata with its naming, and the column types used throughout."""

from typing import Any

from sqlalchemy import BigInteger, DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Moment = DateTime(timezone=True)
"""An aware moment. There are no column defaults of now(): business time is always handed in (clock.py)."""
Id = BigInteger()
Json: TypeEngine[Any] = JSONB(none_as_null=True)
