"""The formats that a report is taken away in, each of the frozen record alone: CSV, workbook, JSON."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from app.reports.queries import Report
from app.reports.records import as_json
from app.reports.tables import as_csv, title


@dataclass(frozen=True, slots=True)
class Format:
    """`binary`: nothing for a terminal."""

    media_type: str
    render: Callable[[Report], bytes]
    binary: bool = False


def as_xlsx(report: Report) -> bytes:
    """The report as a workbook, made for reading and printing; the same bytes from the same record."""
    from app.reports.workbook import rendered  # heavy: not for commands and processes that make none

    return rendered(report)


FORMATS: Mapping[str, Format] = {
    "csv": Format("text/csv; charset=utf-8", as_csv),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx, binary=True),
    "json": Format("application/json", as_json),
}
"""By the word that asks for it, which is also the file's suffix."""


def disposition(report: Report, suffix: str) -> str:
    """The Content-Disposition header (RFC 6266): a Chinese file name, and a plain one for old programs."""
    code = re.sub("[^0-9A-Za-z-]", "_", report.parameters["division"]["code"])
    plain = f"{report.kind}-{code}-{report.period}-r{report.revision}.{suffix}"
    # What a file's name can't have on Windows.
    full = re.sub(r'[\x00-\x1f\x7f\\/:*?"<>|]', "_", f"{title(report)} 第{report.revision}版.{suffix}")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe='')}"
