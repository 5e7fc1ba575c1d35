"""The four levels: divisions with aliases, outlines and editions, units, stations, groups, categories with the words
of what is urgent; the county's settings."""

from datetime import date
from typing import Any

from sqlalchemy import (
    Column,
    Date,
    Float,
    ForeignKey,
    Identity,
    Index,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.schema.base import Id, Json, metadata


class _Divisions(TypedColumns):
    id: Named[int] = Column(Id, Identity(), primary_key=True)
    source: Named[str]
    code: Named[str]
    name: Named[str]
    short_name: Named[str]
    level: Named[str]
    parent_id: Named[int | None] = Column(Id, ForeignKey("division.id"))
    # Its own id and those above it, one column a level: "all of this town" is town_id = x.
    county_id: Named[int | None] = Column(Id)
    town_id: Named[int | None] = Column(Id)
    village_id: Named[int | None] = Column(Id)
    grid_id: Named[int | None] = Column(Id)
    lat: Named[float | None] = Column(Float)
    lon: Named[float | None] = Column(Float)
    edition: Named[str]
    valid_from: Named[date] = Column(Date)
    valid_to: Named[date | None] = Column(Date)


divisions = Table(
    "division",
    metadata,
    _Divisions,
    UniqueConstraint("source", "code"),
    Index(None, "parent_id"),
    Index(None, "town_id"),
    Index(None, "village_id"),
)


class _DivisionAliases(TypedColumns):
    alias: Named[str] = Column(Text, primary_key=True)
    division_id: Named[int] = Column(Id, ForeignKey("division.id"), primary_key=True)


division_aliases = Table("division_alias", metadata, _DivisionAliases)


class _DivisionAreas(TypedColumns):
    """The outline of a division: rings of [longitude, latitude] in `datum`, and the degrees between which it lies."""

    division_id: Named[int] = Column(Id, ForeignKey("division.id"), primary_key=True)
    datum: Named[str]
    rings: Named[list[Any]] = Column(Json)
    west: Named[float] = Column(Float)
    south: Named[float] = Column(Float)
    east: Named[float] = Column(Float)
    north: Named[float] = Column(Float)


division_areas = Table("division_area", metadata, _DivisionAreas)


class _Units(TypedColumns):
    id: Named[int] = Column(Id, Identity(), primary_key=True)
    code: Named[str] = Column(Text, unique=True)
    name: Named[str]
    short_name: Named[str]
    division_id: Named[int] = Column(Id, ForeignKey("division.id"))
    aliases: Named[list[str]] = Column(ARRAY(Text))


units = Table("unit", metadata, _Units, Index(None, "division_id"))


class _Stations(TypedColumns):
    """A division's offline service place. `datum`: wgs84 or gcj02; they lie hundreds of metres apart."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    division_id: Named[int] = Column(Id, ForeignKey("division.id"))
    name: Named[str]
    address: Named[str]
    hours: Named[str]
    phone: Named[str]
    lat: Named[float | None] = Column(Float)
    lon: Named[float | None] = Column(Float)
    datum: Named[str | None]


stations = Table("station", metadata, _Stations, UniqueConstraint("division_id", "name"))


class _Groups(TypedColumns):
    """A chat group of a division. Only a WeCom group may have a robot; its address is a secret and is sealed."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    division_id: Named[int] = Column(Id, ForeignKey("division.id"))
    name: Named[str]
    kind: Named[str]
    robot_url: Named[str | None]


groups = Table("chat_group", metadata, _Groups, UniqueConstraint("division_id", "name"), Index(None, "name"))


class _Categories(TypedColumns):
    id: Named[int] = Column(Id, Identity(), primary_key=True)
    code: Named[str] = Column(Text, unique=True)
    name: Named[str]
    parent_id: Named[int | None] = Column(Id, ForeignKey("category.id"))
    level: Named[int]
    kind_hint: Named[str | None]
    lowest_level: Named[str]
    unit_id: Named[int | None] = Column(Id, ForeignKey("unit.id"))
    accept_working_days: Named[int]
    reply_working_days: Named[int]
    complete_days: Named[int]
    day_rule: Named[str]
    auto_accept: Named[bool]
    photo_required: Named[bool]
    sensitive: Named[bool]
    confidential: Named[bool]
    keywords: Named[list[str]] = Column(ARRAY(Text))


categories = Table("category", metadata, _Categories)


class _UrgentWords(TypedColumns):
    """What tells of danger to life, or of water, power or gas cut off, and what only sounds so (`sign`); `alone`: by
    itself, else only where it is said to happen now. With a category: of its tickets only."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    word: Named[str]
    sign: Named[str]
    alone: Named[bool]
    calls: Named[list[str]] = Column(ARRAY(Text))
    category_id: Named[int | None] = Column(Id, ForeignKey("category.id"))


urgent_words = Table(
    "urgent_word",
    metadata,
    _UrgentWords,
    UniqueConstraint("word", "category_id", postgresql_nulls_not_distinct=True),
)


class _Settings(TypedColumns):
    """`county_revision` changes with every import, so that processes know their copy of the county is old;
    `number_key` permutes the ticket numbers."""

    name: Named[str] = Column(Text, primary_key=True)
    value: Named[str]


settings = Table("setting", metadata, _Settings)
