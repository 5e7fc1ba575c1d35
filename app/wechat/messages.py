"""What WeChat pushes, read strictly, and the passive replies that answer it.

Our own reader instead of wechatpy's: that one strips the white space of every field, drops fields it does not know, and
lets DTDs, duplicates and out-of-range numbers through (tried; see the tests). Nothing here checks who sent a message:
`app.wechat.crypto` does, before.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

MAX_DEPTH = 16
MAX_ELEMENTS = 1_000
"""WeChat's deepest message (pic_sysphoto) has 5 levels; its largest, some dozens of elements."""

REPLY_BYTES = 2_000
"""The page gives no limit for a text reply; above 2,047 bytes citizens were seen to get 「服务出现故障」 instead."""

_LATEST = 253_402_300_799
"""The last second of the year 9999: later ones do not fit into a datetime."""

# Citizens' keyboards put control characters into texts and WeChat passes them on raw, inside CDATA (offu/WeRoBot#420);
# no XML parser takes them (XML 1.0, 2.2), and PostgreSQL takes no U+0000.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DEGREES = re.compile(r"[+-]?\d{1,3}(\.\d{1,30})?", re.ASCII)
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)
_FOR_DEDUP = re.compile(r"(?:.*/)?(?:MsgID|TemplateId)", re.DOTALL)

_KEY_LENGTHS = {"ToUserName": 128, "FromUserName": 128, "MsgType": 64, "Event": 64, "MsgId": 64, "MsgID": 64}
"""What becomes a key in the database is short, or not WeChat's: an index entry of PostgreSQL holds some 2,700 bytes."""

_LEAVES = frozenset(_KEY_LENGTHS) | {
    "CreateTime", "Content", "EventKey", "Ticket", "bizmsgmenuid", "MediaId", "Location_X", "Location_Y", "Label",
    "Latitude", "Longitude", "Encrypt", "MsgSignature", "TimeStamp", "Nonce",
}  # fmt: skip


class BadPush(Exception):  # noqa: N818 - what is wrong with the push, not an error of ours
    """A push that is not taken. `code` is stable, the text is Chinese and holds nothing of the body.

    `forged`: not provably from WeChat, or not meant for us; answer 403. Otherwise WeChat's own but unreadable: keep the
    raw body for an administrator and answer `success`, or WeChat delivers it again and tells the citizen of a failure.
    """

    def __init__(self, code: str, detail: str, *, forged: bool) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.forged = forged


def _unreadable(code: str, detail: str) -> BadPush:
    return BadPush(code, detail, forged=False)


@dataclass(slots=True)
class _Element:
    name: str
    path: str
    text: list[str]
    children: dict[str, int]


class _Reader:
    """The callbacks of expat over one document; gathers the leaves and refuses what WeChat never sends."""

    __slots__ = ("count", "leaves", "open")

    def __init__(self) -> None:
        self.count = 0
        self.leaves: dict[str, str] = {}
        self.open: list[_Element] = []

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MAX_ELEMENTS or len(self.open) >= MAX_DEPTH:
            raise _unreadable("xml", "消息的层次过深或元素过多")
        if not self.open:
            if name != "xml":
                raise _unreadable("xml", "消息的根元素不是 xml")
            self.open.append(_Element(name, "", [], {}))
            return
        parent = self.open[-1]
        nth = parent.children[name] = parent.children.get(name, 0) + 1
        if len(self.open) == 1 and nth > 1:
            raise _unreadable("xml", "消息中有重复的字段")
        if len(self.open) == 2 and parent.name in _LEAVES:
            raise _unreadable("xml", "消息的文本字段中含有子元素")
        path = f"{parent.path}/{name}" if parent.path else name
        self.open.append(_Element(name, path if nth == 1 else f"{path}[{nth}]", [], {}))

    def end(self, _name: str) -> None:
        element = self.open.pop()
        text = "".join(element.text)
        if element.children:
            if text.strip():
                raise _unreadable("xml", "消息中文本与元素混排")
        elif self.open:
            self.leaves[element.path] = text

    def characters(self, data: str) -> None:
        self.open[-1].text.append(data)

    def doctype(self, *_declared: object) -> None:
        raise _unreadable("xml", "消息中含有 DOCTYPE 或实体声明")


def leaves(xml: bytes) -> dict[str, str]:
    """Every leaf of a WeChat document by its path below `<xml>`, in the order sent, white space kept.

    Nested leaves are named `SendLocationInfo/Label`, repeated ones `SubscribeMsgPopupEvent/List[2]/TemplateId`.
    Control characters become U+FFFD. XML itself turns CR LF and CR into LF (XML 1.0, 2.11). Raises BadPush.
    """
    try:
        text = xml.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable("xml", "消息不是 UTF-8 编码") from error
    reader = _Reader()
    # The encoding named here overrules one declared inside the document.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    # Entities can be declared in a DOCTYPE only: refused here, at its first byte, none is ever defined or expanded.
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(_ILLEGAL.sub("\ufffd", text).encode(), True)
    except expat.ExpatError as error:
        raise _unreadable("xml", "消息不是完整的 XML") from error
    return reader.leaves


@dataclass(frozen=True, slots=True)
class Location:
    """Degrees as sent, taken for GCJ-02 (the page does not say): convert before comparing with WGS-84."""

    lat: float
    lon: float
    label: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message or event. `type` and `event` are in lower case (WeChat's case varies); all else is as sent."""

    to_user: str
    from_user: str
    create_time: int
    type: str
    event: str | None
    msg_id: str | None
    content: str | None
    event_key: str | None
    ticket: str | None
    menu_id: str | None
    media_id: str | None
    location: Location | None
    fields: Mapping[str, str]


def read(xml: bytes) -> Message:
    """The message in clear XML; `create_time` in seconds, `msg_id` as text (64 bits), unknown types read like known.

    `msg_id` is MsgId, or the MsgID of TEMPLATESENDJOBFINISH. `fields` holds all leaves (see `leaves`). Raises BadPush.
    """
    fields = leaves(xml)
    kind = _required(fields, "MsgType", "type").lower()
    event = _required(fields, "Event", "type").lower() if kind == "event" else None
    msg_id = fields.get("MsgId", fields.get("MsgID"))
    if msg_id is not None and len(msg_id) > _KEY_LENGTHS["MsgId"]:
        raise _unreadable("field", "消息字段 MsgId 过长")
    return Message(
        to_user=_required(fields, "ToUserName", "field"),
        from_user=_required(fields, "FromUserName", "field"),
        create_time=_seconds(fields.get("CreateTime", "")),
        type=kind,
        event=event,
        msg_id=msg_id,
        content=fields.get("Content"),
        event_key=fields.get("EventKey"),
        ticket=fields.get("Ticket"),
        menu_id=fields.get("bizmsgmenuid"),
        media_id=fields.get("MediaId"),
        location=_location(fields),
        fields=fields,
    )


def _required(fields: Mapping[str, str], name: str, code: str) -> str:
    value = fields.get(name, "")
    if not value or len(value) > _KEY_LENGTHS[name]:
        raise _unreadable(code, f"消息缺少字段 {name}，或其内容过长")
    return value


def _seconds(text: str) -> int:
    if not _SECONDS.fullmatch(text) or int(text) > _LATEST:
        raise _unreadable("field", "消息字段 CreateTime 不是秒数")
    return int(text)


def _location(fields: Mapping[str, str]) -> Location | None:
    # Location_X is the latitude (接收普通消息); the LOCATION event spells it out (获取用户地理位置). A place that can't
    # be read is no reason to lose the message: the raw values stay in `fields`.
    for x, y, label in (
        ("Location_X", "Location_Y", "Label"),
        ("SendLocationInfo/Location_X", "SendLocationInfo/Location_Y", "SendLocationInfo/Label"),
        ("Latitude", "Longitude", "Label"),
    ):
        lat, lon = _degrees(fields.get(x, ""), 90), _degrees(fields.get(y, ""), 180)
        if lat is not None and lon is not None:
            return Location(lat, lon, fields.get(label, ""))
    return None


def _degrees(text: str, limit: int) -> float | None:
    value = float(text) if _DEGREES.fullmatch(text) else None
    return value if value is not None and abs(value) <= limit else None


def dedup_key(message: Message) -> str:
    """What all deliveries of one message share and no other message of the account has: 64 hexadecimal digits.

    MsgId alone repeats between users (WxJava#333) and events of one second collide (WxJava#2705), so: receiver and
    sender, then MsgId and time; for events time, event, key and the ids of message or template.
    """
    parts = [message.to_user, message.from_user, str(message.create_time)]
    if message.event is not None:
        ids = [value for path, value in message.fields.items() if _FOR_DEDUP.fullmatch(path)]
        parts += ["event", message.event, message.event_key or "", *ids]
    elif message.msg_id:
        parts += ["message", message.msg_id]
    else:
        # An unknown type may lack MsgId: all that was sent is then the key, for a delivery repeats the same body.
        parts += ["fields", *(part for field in message.fields.items() for part in field)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def cdata(text: str) -> str:
    """The text as a CDATA section; `]]>` is split over two, or it would end the section and open a way in."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def text_reply(message: Message, content: str, create_time: int) -> str:
    """The passive text reply to a message; `create_time` in seconds.

    Control characters are left out. Content over 2,000 UTF-8 bytes is cut between characters and ends in 「…」.
    """
    return _text(message.from_user, message.to_user, _cut(_UNSENDABLE.sub("", content)), create_time)


def text_message(to_user: str, from_user: str, content: str, create_time: int, msg_id: int) -> str:
    """A text message as WeChat pushes it, for whoever plays WeChat; control characters go in raw, as they really do."""
    return _text(to_user, from_user, content, create_time, f"<MsgId>{msg_id}</MsgId>\n")


def _text(to_user: str, from_user: str, content: str, create_time: int, more: str = "") -> str:
    return (
        f"<xml><ToUserName>{cdata(to_user)}</ToUserName>\n"
        f"<FromUserName>{cdata(from_user)}</FromUserName>\n"
        f"<CreateTime>{create_time}</CreateTime>\n"
        f"<MsgType>{cdata('text')}</MsgType>\n"
        f"<Content>{cdata(content)}</Content>\n{more}</xml>"
    )


def _cut(content: str) -> str:
    raw = content.encode()
    if len(raw) <= REPLY_BYTES:
        return content
    return raw[: REPLY_BYTES - len("…".encode())].decode("utf-8", "ignore") + "…"
