"""What a WeChat text means (domain.md, 6): a command, a courtesy, or a matter. Pure, total, never raises.

A command is the whole text, or its word followed by a number, a rating code or, after punctuation, a short reason.
In doubt a text is a matter: a ticket too many is closed in a minute, a lost request is lost.
"""

import re
import unicodedata
from dataclasses import dataclass

from app.domain import phrases
from app.domain.numbers import as_rating_code, sound
from app.domain.vocabulary import Score, Word


class Command(Word):
    """Commands that only say where to go, so that they never open a ticket by accident."""

    WITHDRAW = "withdraw", "撤回"
    APPEAL = "appeal", "申诉"
    BIND = "bind", "绑定"
    ORDER = "order", "我要下单"
    SPLIT = "split", "另起"


@dataclass(frozen=True, slots=True)
class Matter:
    """Something to be done; `text` is what was sent, untouched."""

    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How one ticket stands; without a number, the citizen's own ones."""

    number: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The citizen's open tickets (待办)."""


@dataclass(frozen=True, slots=True)
class Done:
    """The citizen's completed tickets (已办)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """赞 or 踩: of the numbered ticket, of the one the code belongs to, or else of the latest completed."""

    score: Score
    number: str | None = None
    code: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class CodeAlone:
    """A rating code that does not say whether it likes or dislikes."""

    code: str


@dataclass(frozen=True, slots=True)
class Help:
    """What can be sent here."""


@dataclass(frozen=True, slots=True)
class Courtesy:
    """Thanks, greetings, acknowledgements, or nothing but emoji and punctuation."""


@dataclass(frozen=True, slots=True)
class MistypedNumber:
    """A number or rating code with a slip in it."""

    text: str


@dataclass(frozen=True, slots=True)
class Later:
    """A command that is answered with where to go."""

    command: Command


Said = Matter | Progress | Pending | Done | Rate | CodeAlone | Help | Courtesy | MistypedNumber | Later

_SHORT = 60
"""Characters of a reason without a number, and of a text that may be a command as a whole."""

_HEAD = 120
"""Characters looked at: no command takes more before its reason begins."""

_WHOLE: dict[str, Said] = {
    **dict.fromkeys(phrases.LIKES, Rate(Score.LIKE)),
    **dict.fromkeys(phrases.DISLIKES, Rate(Score.DISLIKE)),
    **{word: Rate(score) for word, score in phrases.VERDICTS.items()},
    **dict.fromkeys(phrases.PROGRESS, Progress()),
    **dict.fromkeys(phrases.PENDING, Pending()),
    **dict.fromkeys(phrases.DONE, Done()),
    **dict.fromkeys(phrases.HELP, Help()),
    **dict.fromkeys(phrases.WITHDRAW, Later(Command.WITHDRAW)),
    **dict.fromkeys(phrases.APPEAL, Later(Command.APPEAL)),
    **dict.fromkeys(phrases.BIND, Later(Command.BIND)),
    **dict.fromkeys(phrases.ORDER, Later(Command.ORDER)),
    **dict.fromkeys(phrases.SPLIT, Later(Command.SPLIT)),
}


def _any_of(words: frozenset[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


# All of these read a skeleton (`_skeleton`): small letters and half width, every separator a blank.
_RATING = phrases.LIKES | phrases.DISLIKES
_LABEL = "(?:(?:事项|工单|评价)?(?:编号|号码|单号|号|码)|事项|工单|no)?"
_TARGET = f" *{_LABEL} *(?P<target>[0-9a-z]+)"
_ADDRESSED = re.compile(
    f" *(?P<word>{_any_of(_RATING | phrases.PROGRESS | phrases.WITHDRAW | phrases.APPEAL)}){_TARGET}"
)
_REASONED = re.compile(f" *(?P<word>{_any_of(_RATING)}) +")
_BARE = re.compile(_TARGET)
_TEN_DIGITS = re.compile("[1-9][0-9]{9}")
_PIECE = re.compile("[^ ]+")

_HALF_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20}
_EMOJI_CODE = re.compile(r"/:[!-.0-~]{1,9}|\[(?P<name>[^\[\]]{1,6})\]")
_LEADING = " \t\r\n\u3000,，.。、:：;；!！~～-—"  # before a reason; its quotation marks and emoji stay


def read(text: str) -> Said:
    """What the citizen means by `text`; whatever is no command or courtesy is a Matter with the text as sent."""
    skeleton = _skeleton(text[:_HEAD])
    said = _whole(text, skeleton) if len(text.strip()) <= _SHORT else None
    return said or _addressed(text, skeleton) or _bare(text, skeleton) or _reasoned(text, skeleton) or Matter(text)


def _skeleton(text: str) -> str:
    """The text with the same positions, in half width and small ASCII letters, every separator and emoji a blank."""
    plain = text.translate(_HALF_WIDTH)
    plain = _EMOJI_CODE.sub(_blank_emoji, plain)
    return "".join(" " if _separates(c) else c.lower() if c.isascii() else c for c in plain)


def _blank_emoji(match: re.Match[str]) -> str:
    known = match["name"] is None or match["name"].lower() in phrases.EMOJI_NAMES
    return " " * len(match[0]) if known else match[0]


def _separates(character: str) -> bool:
    """Punctuation, blanks, symbols (emoji), controls, and what emoji are joined with (UTS #51)."""
    return unicodedata.category(character)[0] in "PZSC" or character in "\ufe0e\ufe0f\u20e3"


def _whole(text: str, skeleton: str) -> Said | None:
    """A short text that is nothing but a command or courtesies, whatever punctuation and emoji stand in it."""
    stripped = text.translate(_HALF_WIDTH).strip()
    if stripped and not stripped.strip("?"):
        return Help()
    if "\N{SQUARED SOS}" in text:
        return Matter(text)
    pieces = skeleton.split()
    if said := _WHOLE.get("".join(pieces)):
        return said
    if _courteous("".join(pieces)):
        return Courtesy()
    said = _WHOLE.get("".join(piece for piece in pieces if not _courteous(piece)))
    # 赞，谢谢你们: the thanks are the reason.
    return None if isinstance(said, Rate) and _courteous(pieces[-1]) else said


def _courteous(joined: str) -> bool:
    """Whether it can be cut into courtesies and those they are said to, at least one courtesy among them."""
    if not joined:
        return True
    if len(joined) > _SHORT:
        return False
    reached: dict[int, bool] = {0: False}  # position → whether a courtesy was on the way
    for start in range(len(joined)):
        if (thanked := reached.get(start)) is None:
            continue
        for end in range(start + 1, min(start + 9, len(joined) + 1)):
            word = joined[start:end]
            if word in phrases.COURTESIES or word in phrases.COMPANY:
                reached[end] = reached.get(end, False) or thanked or word in phrases.COURTESIES
    return reached.get(len(joined), False)


def _addressed(text: str, skeleton: str) -> Said | None:
    """A command word with a number or code behind it: 赞 <number> <reason>, 查进度 <number>, 申诉 <number> <text>."""
    match = _ADDRESSED.match(skeleton, _after_courtesies(skeleton))
    if match is None:
        return None
    word, target, rest = match["word"], match["target"], text[match.end() :]
    number, code = (target if sound(target) else None), (as_rating_code(target) if word in _RATING else None)
    if number is None and code is None:
        return MistypedNumber(target.upper()) if _slip(word, target, rest) else None
    if word in _RATING:
        return Rate(_score(word), number, code, _reason(rest))
    if word in phrases.PROGRESS:
        return Progress(number) if _asks_back(rest) else None
    return Later(Command.WITHDRAW if word in phrases.WITHDRAW else Command.APPEAL)


def _bare(text: str, skeleton: str) -> Said | None:
    """A number or code that stands first, alone or with a 赞 or a question behind it."""
    match = _BARE.match(skeleton, _after_courtesies(skeleton))
    if match is None or len(text) > _HEAD:
        return None
    target, rest = match["target"], text[match.end() :]
    grouped = "".join(text[match.start("target") :].translate(_HALF_WIDTH).rstrip(_LEADING).split())
    if _TEN_DIGITS.fullmatch(grouped):
        target, rest = grouped, ""
    code = as_rating_code(target)
    number = target if _TEN_DIGITS.fullmatch(target) else None
    if number is None and code is None:
        return None
    rating = _WHOLE.get("".join(_skeleton(rest).split()))
    if isinstance(rating, Rate):
        known = code is not None or sound(target)
        return Rate(rating.score, number, code) if known else MistypedNumber(target)
    if not _asks_back(rest):
        return None
    if number is not None:
        return Progress(number) if sound(number) else MistypedNumber(number)
    return CodeAlone(code) if code is not None else None


def _reasoned(text: str, skeleton: str) -> Said | None:
    """赞 or 踩 with a short reason and no number: it is about the latest completed ticket."""
    match = _REASONED.match(skeleton, _after_courtesies(skeleton))
    if match is None or len(text) > _HEAD:
        return None
    comment = _reason(text[match.end("word") :])
    return Rate(_score(match["word"]), comment=comment) if comment is None or len(comment) <= _SHORT else None


def _after_courtesies(skeleton: str) -> int:
    """Where the text begins once its greeting is over."""
    end = 0
    for piece in _PIECE.finditer(skeleton):
        if not _courteous(piece[0]):
            break
        end = piece.end()
    return end


def _slip(word: str, target: str, rest: str) -> bool:
    """Whether what follows a command is a number of the wrong length or check digit, or a code misread.

    查 4001234567 这是骗子 is none. After 赞 and 踩 it is never taken for a reason: that would rate another ticket.
    """
    if len(rest) > _SHORT or (word in phrases.PROGRESS and not _asks_back(rest)):
        return False
    if target.isdigit():
        return 8 <= len(target) <= 14
    mixed = any(c.isdigit() for c in target) and any(c.isalpha() for c in target)
    return word in _RATING and mixed and 7 <= len(target) <= 9


def _asks_back(rest: str) -> bool:
    joined = "".join(_skeleton(rest[:_HEAD]).split())
    return joined in phrases.ASKING_BACK or _courteous(joined)


def _reason(rest: str) -> str | None:
    """The reason without what separates it from the command; None where there is no word in it."""
    return rest.lstrip(_LEADING).rstrip() or None if _skeleton(rest).strip() else None


def _score(word: str) -> Score:
    return Score.LIKE if word in phrases.LIKES else Score.DISLIKE
