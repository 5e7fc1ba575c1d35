"""Times as people and spreadsheets write them."""

import re
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from app.domain.vocabulary import SHANGHAI

EARLIEST = 1990
"""No office has kept requests on a computer for longer: what is older is a slip (Excel's zero is 1899-12-30)."""
LATEST = 2999
_WRITTEN = re.compile(
    r"(?P<y>[0-9]{4})[-/.年](?P<m>[0-9]{1,2})[-/.月](?P<d>[0-9]{1,2})日?"
    r"(?:[T ]+(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:\.[0-9]+)?)?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_SERIAL = re.compile(r"[0-9]{5}(\.[0-9]+)?")
_EXCEL_ZERO = date(1899, 12, 30)


def moment(text: str) -> datetime:
    """An aware moment from ISO 8601, or as spreadsheets write it (2026/10/1 9:30); without a zone: Asia/Shanghai.

    Raises ValueError with what is wrong, in Chinese.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(_why_not(text))
    part = {name: int(found[name] or 0) for name in "ymdHMS"}
    try:
        read = datetime(*(part[name] for name in "ymdHMS"), tzinfo=SHANGHAI)  # type: ignore[misc, arg-type]
        if found["zone"]:
            read = read.replace(tzinfo=_zone(found["zone"]))
    except ValueError:
        raise ValueError(f"不是一个存在的时间：“{text[:32]}”") from None
    if not EARLIEST <= read.year <= LATEST:
        raise ValueError(f"不在 {EARLIEST} 年到 {LATEST} 年之间：“{text[:32]}”")
    return read.astimezone(SHANGHAI)


@lru_cache(maxsize=64)
def _zone(text: str) -> tzinfo | None:
    return datetime.strptime(text, "%z").tzinfo


def _why_not(text: str) -> str:
    if _SERIAL.fullmatch(text):
        meant = datetime.combine(_EXCEL_ZERO, datetime.min.time()) + timedelta(days=float(text))
        return f"是 Excel 的日期序号“{text}”（大概是 {meant:%Y-%m-%d %H:%M}），请把该列设成日期格式再保存"
    return f"应写成 2026-10-01T09:30:00 的样子（不写时区按北京时间），现为“{text[:32]}”"
