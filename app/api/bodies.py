"""What callers send. Unknown fields are refused; texts are bounded; moments carry a zone."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.domain.vocabulary import Action, Kind


def _storable(text: str) -> str:
    """PostgreSQL's texts can hold every character but NUL."""
    if "\0" in text:
        raise PydanticCustomError("nul", "NUL")
    return text


Storable = AfterValidator(_storable)
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=r"\S"), Storable]
"""What a person wrote, kept as written; not only white space."""
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64), Storable]


Files = Annotated[list[str], Field(max_length=0, description="附件在后续版本提供，现在只能为空")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(Body):
    """Degrees. WeChat and Tencent give GCJ-02, GPS WGS-84."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    datum: Literal["wgs84", "gcj02"] = "wgs84"


class Person(Body):
    name: Line | None = None
    phone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 -]{4,19}$")] | None = None


class Source(Body):
    """Where in WeChat the request was seen: the group, and who spoke."""

    group: Line | None = None
    speaker: Line | None = None


class AboutWhom(Body):
    """Whom a confidential complaint is about: one of the three."""

    username: Code | None = None
    division_code: Code | None = None
    unit_code: Code | None = None


class NewTicket(Body):
    """`received_at`: when it really came in, at most 3 days back; the time of entry is kept too."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "description": "泉塘街道泉星社区小区门口路灯坏了三天，晚上很黑",
                    "channel": "group",
                    "category": "C0105",
                    "citizen": {"name": "张三", "phone": "14200000001"},
                    "source": {"group": "泉星社区居民群", "speaker": "阿明"},
                }
            ]
        },
    )

    kind: Kind | None = None
    title: Line | None = None
    description: Text
    category: Code | None = None
    division_code: Code | None = None
    location: Place | None = None
    channel: Literal["group", "visit", "window", "phone"]
    citizen: Person | None = None
    source: Source | None = None
    received_at: AwareDatetime | None = None
    files: Files = []
    confidential: bool = False
    about: AboutWhom | None = None


class Act(Body):
    version: int | None = Field(default=None, description="最后看到的版本；已变时答 409")


class Accept(Act):
    category: Code | None = None
    kind: Kind | None = None
    place_code: Code | None = None


class Dispatch(Act):
    division_code: Code | None = None
    unit_code: Code | None = None
    username: Code | None = None
    place_code: Code | None = None
    category: Code | None = None
    text: Text | None = None


class Start(Act):
    pass


class Visit(Act):
    seen: Text
    location: Place | None = None
    files: Files = []
    at: AwareDatetime | None = None


class Reply(Act):
    text: Text
    files: Files = []
    public: bool | None = None


class Complete(Act):
    result: Text
    files: Files = []
    explained: bool = False


class Rating(Body):
    score: Literal["like", "dislike"]
    comment: Annotated[str, StringConstraints(max_length=500), Storable] | None = None
    solved: bool | None = None
    code: Code | None = None


BODIES: dict[Action, type[Act]] = {
    Action.ACCEPT: Accept,
    Action.DISPATCH: Dispatch,
    Action.START: Start,
    Action.VISIT: Visit,
    Action.REPLY: Reply,
    Action.COMPLETE: Complete,
}
"""One body for each action that people call; a test holds this against the transition table."""


def form_of(body: Act) -> dict[str, Any]:
    """The body as the rules take it."""
    return body.model_dump(mode="python")
