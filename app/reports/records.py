"""A report as a sealed record: its checksum, its JSON, and what is said where it was changed."""

import hashlib
import json
from dataclasses import fields, replace
from typing import Any

from app.domain.errors import Refusal
from app.domain.vocabulary import SHANGHAI
from app.reports.queries import Report


class Tampered(Refusal):
    """A frozen report is no longer what was written (500): a person must look into it."""

    status = 500
    title = "报表已被改动"


def record(report: Report) -> dict[str, Any]:
    """The report whole, as JSON. The checksum is SHA-256 of the rest in canonical JSON: anybody can check it."""
    whole = {field.name: getattr(report, field.name) for field in fields(report)}
    # One moment has one text, whatever zone it is told in.
    return whole | {"as_of": report.as_of.astimezone(SHANGHAI).isoformat()}


def sealed(report: Report) -> Report:
    """The report with the checksum of all the rest of it."""
    return replace(report, checksum=digest({k: v for k, v in record(report).items() if k != "checksum"}))


def intact(report: Report) -> bool:
    """Whether its checksum fits it."""
    return sealed(report).checksum == report.checksum


def verified(report: Report) -> Report:
    """The same report. Raises Tampered where its checksum does not fit it."""
    if not intact(report):
        detail = (
            f"{report.period} 第 {report.revision} 版通报与校验和不符，可能被改动过；请联系系统管理员核查，不要使用"
        )
        raise Tampered("report.tampered", detail)
    return report


def digest(content: object) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(_canonical(content)).hexdigest()


def as_json(report: Report) -> bytes:
    """The record as a file, canonical too: the same bytes whether it was made just now or read back."""
    return _canonical(record(report)) + b"\n"


def _canonical(content: object) -> bytes:
    """Keys in order, no blanks, UTF-8."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
