"""What callers send. Unknown fields are refused, nothing is made of another type; texts and moments are bounded."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from app.domain.files import MOST_PER_ACT
from app.domain.vocabulary import Action, DeclineReason, DeclineSubReason, Kind, Waiting


def _storable(text: str) -> str:
    """PostgreSQL's texts can hold every character but NUL."""
    if "\0" in text:
        raise PydanticCustomError("nul", "NUL")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "blank")
    return text


Storable = AfterValidator(_storable)
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(_not_blank), Storable]
"""What a person wrote, kept as written; not only white space."""
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64), Storable]
Files = Annotated[
    list[Code], Field(max_length=MOST_PER_ACT, description="先用 POST /files 上传，再把得到的 id 填在这里")
]
Sort = Annotated[Kind, Field(strict=False)]
"""JSON knows no enumerations: their words are texts."""

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?"
    r"(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)


def _moment(value: object) -> datetime:
    """Only what is written as a moment: pydantic would also take "1790000000" for seconds since 1970."""
    written = _ISO.fullmatch(value.upper()) if isinstance(value, str) else None
    if written is None:
        raise PydanticCustomError("moment", "not a moment of ISO 8601")
    if written["zone"] is None:
        raise PydanticCustomError("moment_zone", "a moment without a zone")
    try:
        moment = datetime.fromisoformat(written[0])
    except ValueError as error:
        raise PydanticCustomError("moment", "no such moment") from error
    # Years that every zone of Python and PostgreSQL can reckon with.
    if not 2000 <= moment.year <= 2999:
        raise PydanticCustomError("moment_range", "a moment out of range")
    return moment


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-24T09:00:00+08:00"]}),
]
"""A moment with its zone, aware, of the years 2000 to 2999."""


class Body(BaseModel):
    """Strict: a "yes" or a 1 is no true, and "2" no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def example(**fields: Any) -> ConfigDict:
    """The configuration of a body that has one."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


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

    model_config = example(
        description="泉塘街道泉星社区小区门口路灯坏了三天，晚上很黑",
        channel="group",
        category="C0105",
        citizen={"name": "张三", "phone": "14200000001"},
        source={"group": "泉星社区居民群", "speaker": "阿明"},
    )

    kind: Sort | None = None
    title: Line | None = None
    description: Text
    category: Code | None = None
    division_code: Code | None = None
    location: Place | None = None
    channel: Literal["group", "visit", "window", "phone"]
    citizen: Person | None = None
    source: Source | None = None
    received_at: Moment | None = None
    files: Files = []
    confidential: bool = False
    about: AboutWhom | None = None


class TicketOfMessage(Body):
    """As POST /tickets; channel, citizen and moment of receipt are the message's. No description: its own words."""

    model_config = example(
        description="（图片）泉星社区小区门口路灯坏了", category="C0105", division_code="430121001001"
    )

    kind: Sort | None = None
    title: Line | None = None
    description: Text | None = None
    category: Code | None = None
    division_code: Code | None = None
    location: Place | None = None
    files: Files = []
    confidential: bool = False
    about: AboutWhom | None = None


class Settle(Body):
    """`text`: what the sender reads with their next message; without it they read nothing more."""

    model_config = example(text="图片收到了，请再用一句话写明是哪里的路灯")

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable] | None = None


class NewVisit(Body):
    """At a household, for a ticket, or both. `at`: when it was, at most 30 days back; without it, now."""

    model_config = example(household_id=1, seen="老人身体好，屋顶漏雨已报修", at="2026-11-24T09:00:00+08:00")

    household_id: Annotated[int, Field(ge=1, le=2**63 - 1, description="走访名单里的 id")] | None = None
    ticket: Annotated[str, StringConstraints(pattern=r"^[0-9]{8,14}$")] | None = Field(None, description="事项编号")
    seen: Text
    location: Place | None = None
    files: Files = []
    at: Moment | None = None


class Act(Body):
    version: int | None = Field(default=None, ge=0, le=2**31 - 1, description="最后看到的版本；已变时答 409")


class Accept(Act):
    model_config = example(category="C0105", place_code="430121001001")

    category: Code | None = None
    kind: Sort | None = None
    place_code: Code | None = None


class Dispatch(Act):
    model_config = example(unit_code="430121001S05", text="请到现场看看，三天内回复")

    division_code: Code | None = None
    unit_code: Code | None = None
    username: Code | None = None
    place_code: Code | None = None
    category: Code | None = None
    text: Text | None = None


class Decline(Act):
    model_config = example(
        reason="in_procedure", sub_reason="litigation", text="此事已在法院审理，请等判决；可拨打12348咨询"
    )

    reason: Annotated[DeclineReason, Field(strict=False)]
    sub_reason: Annotated[DeclineSubReason, Field(strict=False)] | None = None
    text: Text


class WithText(Act):
    """What is written is kept with the ticket."""

    model_config = example(text="不属本村管理，是县道，请上级派给公路养护单位")

    text: Text


class WithOrWithoutText(Act):
    model_config = example(text="问题已经自己解决了")

    text: Text | None = None


class Transfer(Act):
    model_config = example(unit_code="430121001S05", text="属城管职责，转城管站")

    division_code: Code | None = None
    unit_code: Code | None = None
    username: Code | None = None
    text: Text | None = None


class Wait(Act):
    """`look_again_on`: tomorrow or later."""

    model_config = example(reason="season", text="雨季过后才能铺沥青", look_again_on="2026-12-10")

    reason: Annotated[Waiting, Field(strict=False)]
    text: Text
    look_again_on: Annotated[date, Field(strict=False)]


class RequestExtension(Act):
    """`days`: natural days, at most 10 over all cycles."""

    model_config = example(days=3, text="配件从外地发来，三天后到货")

    days: int = Field(ge=1, le=10)
    text: Text


class Decide(Act):
    model_config = example(approve=True, text="同意，请抓紧")

    approve: bool
    text: Text | None = None


class Merge(Act):
    """`into`: the number of the ticket that goes on."""

    model_config = example(into="1000000091")

    into: Annotated[str, StringConstraints(pattern=r"^[0-9]{8,14}$")]


class Bare(Act):
    pass


class Visit(Act):
    model_config = example(
        seen="现场有三处垃圾堆，已联系清运", location={"lat": 28.2466, "lon": 113.0806}, at="2026-11-24T09:00:00+08:00"
    )

    seen: Text
    location: Place | None = None
    files: Files = []
    at: Moment | None = None


class Reply(Act):
    model_config = example(text="已联系环卫，明天上午清运")

    text: Text
    files: Files = []
    public: bool | None = None


class Complete(Act):
    model_config = example(result="已清运并消毒，安排每天巡查")

    result: Text
    files: Files = []
    explained: bool = False


class Rating(Body):
    model_config = example(score="like", code="ABCD2345", comment="来得很快", solved=True)

    score: Literal["like", "dislike"]
    comment: Annotated[str, StringConstraints(max_length=500), Storable] | None = None
    solved: bool | None = None
    code: Code | None = None
    via: Literal["callback"] | None = Field(None, description="工作人员电话回访时填 callback，不填评价码")


BODIES: dict[Action, type[Act]] = {
    Action.ACCEPT: Accept,
    Action.DECLINE: Decline,
    Action.APPEAL: WithText,
    Action.DISPATCH: Dispatch,
    Action.TRANSFER: Transfer,
    Action.ESCALATE: WithText,
    Action.RETURN: WithText,
    Action.START: Bare,
    Action.VISIT: Visit,
    Action.REPLY: Reply,
    Action.COMPLETE: Complete,
    Action.WAIT: Wait,
    Action.RESUME: Bare,
    Action.REQUEST_EXTENSION: RequestExtension,
    Action.DECIDE_EXTENSION: Decide,
    Action.PROPOSE_UNREASONABLE: WithText,
    Action.DECIDE_UNREASONABLE: Decide,
    Action.MERGE: Merge,
    Action.UNMERGE: Bare,
    Action.WITHDRAW: WithOrWithoutText,
    Action.NOTE: WithText,
}
"""One body for each action that people call; a test holds this against the transition table."""


def form_of(body: Act) -> dict[str, Any]:
    """The body as the rules take it."""
    return body.model_dump(mode="python")
