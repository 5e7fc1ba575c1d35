"""What a message says that nobody could understand, leniently; nothing here takes longer than the message is long.

No pattern looks for the end of what was opened: with thousands of openings and no end it would search the rest anew for
each of them.
"""

import re
from collections.abc import Iterator

_HIDDEN = "（openid）"
_OPENID = re.compile(r"(?<![\w-])o[\w-]{27}(?![\w-])", re.ASCII)
_SENDER, _SENDER_END = "<FromUserName>", "</FromUserName>"
_SECTION, _SECTION_END = "<![CDATA[", "]]>"
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def decoded(raw: bytes) -> str:
    """What was sent: what is no UTF-8 is more likely GBK than nothing."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def text_of(whole: str) -> str | None:
    """The words of a text message, though it be no proper XML."""
    return field(whole, "Content") if field(whole, "MsgType") == "text" else None


def field(whole: str, name: str) -> str | None:
    """What the first element of that name says that holds text alone; None where there is none, or it is empty."""
    opening, closing = f"<{name}>", f"</{name}>"
    last = whole.rfind(_SECTION_END)
    at = whole.find(opening)
    while at >= 0:
        at += len(opening)
        said = []
        for piece, end in _pieces(whole, at, last):
            said.append(piece)
            at = end
        if whole.startswith(closing, at):
            return _ILLEGAL.sub("\ufffd", "".join(said)) or None
        # Behind what was read: what stands in a CDATA section is no element.
        at = whole.find(opening, at)
    return None


def anonymous(whole: str, openid: str | None) -> str:
    """The message without its sender's openid, which nobody is shown (quality.md, 4)."""
    if openid:
        whole = whole.replace(openid, _HIDDEN)
    return _OPENID.sub(_HIDDEN, _without_sender(whole))


def _pieces(whole: str, at: int, last: int) -> Iterator[tuple[str, int]]:
    """The pieces of text from `at` on, each with where it ends; `last`: where the last CDATA section ends."""
    while at < len(whole):
        if whole.startswith(_SECTION, at):
            begin = at + len(_SECTION)
            if begin > last:
                return
            end = whole.index(_SECTION_END, begin)
            piece, at = whole[begin:end], end + len(_SECTION_END)
        else:
            end = whole.find("<", at)
            if end in (-1, at):
                return
            piece, at = _ENTITY.sub(lambda e: _ENTITIES[e[0]], whole[at:end]), end
        yield piece, at


def _without_sender(whole: str) -> str:
    parts: list[str] = []
    at = 0
    while (begin := whole.find(_SENDER, at)) >= 0 and (end := whole.find(_SENDER_END, begin)) >= 0:
        parts += (whole[at:begin], _SENDER, _HIDDEN)
        at = end
    return "".join((*parts, whole[at:]))
