"""What of a person may be shown to those who do not work on the ticket (quality.md, 4): name, numbers, free text."""

import re
from collections.abc import Callable

_STARS = "****"

# Full-width digits, X and + read like their ASCII twins; one character stays one, so that positions agree.
_SHADOW = {0xFF10 + i: 0x30 + i for i in range(10)} | {0xFF38: "X", 0xFF58: "x", 0xFF0B: "+"}

# Seven digits close together: the shortest thing that is masked. Most texts have none, and are done here.
_WORTH_A_LOOK = re.compile("(?:[0-9０-９][^0-9０-９]{0,3}){7}")
_RUN = re.compile("[0-9]{10,}[Xx]?")
_HIDDEN_MOBILE = re.compile("1[3-9][0-9]{9}")
_PREFIXED_MOBILE = re.compile("(?:0086|086|86|0)?1[3-9][0-9]{9}")
_AREA_LANDLINE = re.compile("0[1-9][0-9]{1,2}[2-9][0-9]{6,7}")
_MONTH_DAY = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
# GB 11643-1999: region, year, month, day, order, check character.
_ID_18 = re.compile(f"[1-9][0-9]{{5}}(?:18|19|20)[0-9]{{2}}{_MONTH_DAY}[0-9]{{3}}[0-9Xx]")
# The 15 digits of before 2000. Years before 1930 are left out: nobody alive, and a grid's code looks like that.
_ID_15 = re.compile(f"[1-9][0-9]{{5}}[3-9][0-9]{_MONTH_DAY}[0-9]{{3}}")

# What people put between digits: blanks, dashes, dots, brackets, and the invisible characters that copying brings.
_GAP = r"[ \t\u00a0\u3000\-\u2010-\u2015\uff0d_.\u00b7\u2022\uff0e()\uff08\uff09\u200b-\u200d\u2060\ufeff]{1,3}"
_SPELLING = str.maketrans({"#": "[0-9]", "M": "[3-9]", "N": "[1-9]", "L": "[2-9]", "_": _GAP, "~": f"(?:{_GAP})?"})


def _grouped(*shapes: str) -> re.Pattern[str]:
    """Digits in groups: `#` is a digit, `_` a gap, `~` a gap or none; no digit stands before or after."""
    return re.compile(f"(?<![0-9])(?:{'|'.join(shape.translate(_SPELLING) for shape in shapes)})(?![0-9])")


_GROUPED_ID = _grouped("N#####_####~##~##_###~[0-9Xx]", "N#####_########~###[0-9Xx]")
_GROUPED_CARD = _grouped("####_####_####_####(?:~#{1,3})?")
_GROUPED_MOBILE = _grouped(
    *("1M#_####_####", "1M#_########", "1M#_###_#####", "1M##_###_####", "1M##_####_###", "1M#####_####"),
    "1_M" + "_#" * 9,
)
_GROUPED_LANDLINE = _grouped("[(（]?0N##?_L##~####", "[(（]?0N##?_L###~####")
# Without its area code a landline looks like anything: only after a word that says what it is.
_LOCAL_LANDLINE = re.compile(
    "(?P<word>(?:电话|座机|固话|手机|致电|联系方式|[Tt][Ee][Ll])[^0-9\n]{0,4})"
    "(?P<number>[2-9][0-9]{2,3}[- ]?[0-9]{4})(?![0-9])"
)


def name(value: str) -> str:
    """The first character and two stars, whatever the length (欧阳修 → 欧**); nothing stays nothing."""
    value = value.strip()
    return f"{value[0]}**" if value else ""


def phone(value: str) -> str:
    """A mobile number as 138****1234, whatever stands between its digits; any other number as `other` does."""
    digits = _digits(value)
    return _mobile(digits) if _PREFIXED_MOBILE.fullmatch(digits) else other(value)


def other(value: str) -> str:
    """A number that is no mobile number (a landline, a household's): its last 2 digits, if there are 5 or more."""
    digits = _digits(value)
    return _STARS + digits[-2:] if len(digits) > 4 else _STARS if value.strip() else ""


def id_number(value: str) -> str:
    """An identity number: the first 3 and the last 2 characters of the 15 or 18."""
    value = "".join(value.split())
    if len(value) < 15:
        return _STARS if value else ""
    return f"{value[:3]}{'*' * (len(value) - 5)}{value[-2:]}"


def plate(value: str) -> str:
    """A number plate: the last 4 characters."""
    return _last_four(value)


def bank_card(value: str) -> str:
    """A bank card: the last 4 digits."""
    return _last_four(value)


def scan(text: str) -> str:
    """Free text with its phones (mobile and landline), identity and card numbers masked; all else as it was.

    No run of 16 digits or more stays, nor any that holds a mobile number: an order number masked for nothing costs
    less than a person shown. Ticket numbers (10 digits), dates and most division codes stay.
    """
    if not _WORTH_A_LOOK.search(text):
        return text
    for pattern, mask in _MASKS:
        text = _replace(pattern, text, mask)
    return text


def found(text: str) -> bool:
    """Whether `scan` finds something in it that a person has to release before it is published."""
    return scan(text) != text


def _run(match: re.Match[str]) -> str:
    """What becomes of one unbroken run of digits; the X of an identity number may end it."""
    run = match[0]
    if _ID_18.fullmatch(run):
        return id_number(run)
    digits = run.rstrip("Xx")
    return _long_run(digits) + run[len(digits) :]


def _long_run(digits: str) -> str:
    if _ID_15.fullmatch(digits):
        return id_number(digits)
    if len(digits) >= 16:
        return bank_card(digits)
    if _PREFIXED_MOBILE.fullmatch(digits):
        return digits[:-11] + _mobile(digits)
    if _AREA_LANDLINE.fullmatch(digits) or _HIDDEN_MOBILE.search(digits):
        return other(digits)
    return digits


def _last_four(value: str) -> str:
    value = "".join(value.split())
    return _STARS + value[-4:] if len(value) > 4 else _STARS if value else ""


def _mobile(digits: str) -> str:
    return f"{digits[-11:-8]}{_STARS}{digits[-4:]}"


def _digits(value: str) -> str:
    return "".join(c for c in value.translate(_SHADOW) if "0" <= c <= "9")


def _alnum(value: str) -> str:
    return "".join(c for c in value if c.isascii() and c.isalnum())


_MASKS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_RUN, _run),
    (_GROUPED_ID, lambda match: id_number(_alnum(match[0]))),
    (_GROUPED_CARD, lambda match: bank_card(_digits(match[0]))),
    (_GROUPED_MOBILE, lambda match: _mobile(_digits(match[0]))),
    (_GROUPED_LANDLINE, lambda match: other(match[0])),
    (_LOCAL_LANDLINE, lambda match: match["word"] + other(match["number"])),
)


def _replace(pattern: re.Pattern[str], text: str, mask: Callable[[re.Match[str]], str]) -> str:
    """Masks what `pattern` finds in the text read as ASCII; what is not masked keeps its own characters."""
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(text.translate(_SHADOW)):
        masked = mask(match)
        if masked != match[0]:
            pieces += [text[end : match.start()], masked]
            end = match.end()
    return "".join([*pieces, text[end:]])
