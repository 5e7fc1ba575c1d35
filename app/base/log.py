"""Logs: JSON lines in production, readable in a terminal; one processor keeps people out of all of them.

Events are constant English words and what varies is a keyword: `log.info("ticket opened", number=number)`. Request and
job ids come from `structlog.contextvars`. Timestamps are the machine's.
"""

import contextlib
import hashlib
import json as jsonlib
import logging
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor

from app.domain import masking

# A name in an event can't be recognised; under a key it can. `name` is never a place's here: say node, division, file.
_NAMES = frozenset({"name", "citizen_name", "head_name", "speaker"})
_PHONES = frozenset({"phone", "citizen_phone", "mobile"})
_TEXTS = frozenset({"description", "text", "content", "comment", "title", "body", "raw", "address"})
_SECRETS = re.compile(r"(?:^|_)(?:token|secret|password|authorization|cookie|signature|key)$|^(?:code|rating_code)$")
_OPENIDS = frozenset({"openid", "unionid", "fromusername", "touser"})

# What a URL, a form or a JSON text may carry past the keys above.
_QUERY = re.compile(r"\?[^\s\"'<>]*=[^\s\"'<>]*")
_PAIR = re.compile(
    r"(?i)\b((?:(?:[a-z_]*_)?(?:token|appsecret|secret|password|signature|encoding_aes_key|openid)[\"']?\s*[=:]"
    r"|(?<!_)code=)\s*)(?:\"[^\"]*\"|'[^']*'|[^\s&\"',;}\])]+)|\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}"
)
_OPENID = re.compile(r"(?<![\w-])o[\w-]{27}(?![\w-])", re.ASCII)
# Errors of the database and of validation quote rows and input (SQLAlchemy's parameters, PostgreSQL's DETAIL,
# pydantic's input_value); any other quotation that is not ASCII is more likely a person's words than ours.
_QUOTED_INPUT = re.compile(
    r"\[parameters: .*|^\s*DETAIL: .*|input_value=.*?(?=, input_type=|$)"
    r"|'[^'\n]*[^\x00-\x7f'\n][^'\n]*'|\"[^\"\n]*[^\x00-\x7f\"\n][^\"\n]*\"|“[^”\n]*”",
    re.MULTILINE,
)


def configure(*, json: bool, level: str = "info", key: bytes | None = None) -> None:
    """Sends all lines, structlog's and the standard library's, through one masking formatter to stderr.

    `key` makes openids look alike in all processes that share it; without one each process has its own. Call it once
    at the start of a process, before uvicorn (which must be given log_config=None). Raises ValueError on an unknown
    level.
    """
    # No openid may be found by trying them all: the key is never one that a log's reader has.
    mask = _masker(hashlib.sha256(key).digest() if key is not None else secrets.token_bytes(32))
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _Handler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask, _renderer(json)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    # Its two lines at every look at the schema (each /readyz) tell nothing.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for own in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(own).handlers = []
        logging.getLogger(own).propagate = True


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module; it may be made before `configure` and used after it."""
    return structlog.stdlib.get_logger(name)


def _renderer(json: bool) -> Processor:
    if json:
        return structlog.processors.JSONRenderer(serializer=jsonlib.dumps, ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, sort_keys=False
    )


class _Handler(logging.StreamHandler[TextIO]):
    """The standard one prints a line that it could not render raw, people included."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes to what stderr is now: whoever redirects it also gets the lines of loggers made before."""
        self.stream = sys.stderr
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Says which line was lost, never what was in it."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(f"log line lost: {record.name}, {record.filename}:{record.lineno}\n")


def _masker(key: bytes) -> Processor:
    """The one processor that masks people (quality.md, 4), last before a line is rendered."""

    def pseudonym(value: object) -> str:
        return hashlib.blake2s(str(value).encode("utf-8", "replace"), key=key, digest_size=4).hexdigest()

    rules: dict[str, Callable[[object], object]] = {
        **dict.fromkeys(("timestamp", "level", "logger"), lambda value: value),
        **dict.fromkeys(("exception", "stack"), _quoted),
        **dict.fromkeys(_OPENIDS, pseudonym),
        **dict.fromkeys(_TEXTS, lambda value: f"（{len(str(value))} 字）"),
        **dict.fromkeys(_NAMES, lambda value: masking.name(str(value))),
        **dict.fromkeys(_PHONES, lambda value: masking.phone(str(value))),
    }

    def keyed(name: str, value: object) -> object:
        plain = name.lower()
        if value is None:
            return None
        if rule := rules.get(plain):
            return rule(value)
        return "***" if _SECRETS.search(plain) else cleaned(value)

    def cleaned(value: object) -> object:
        if isinstance(value, Mapping):
            return {_text(str(k)): keyed(str(k), v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [cleaned(v) for v in value]
        return _scalar(value)

    def mask(_logger: Any, _method: str, event: EventDict) -> EventDict:
        return {name: keyed(name, value) for name, value in event.items()}

    return mask


def _scalar(value: object) -> object:
    """A value that can be shown as it is or scanned; of any other object only its type: its repr may name people."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, Enum):
        return _scalar(value.value)
    if isinstance(value, int):
        return value if (shown := _text(str(value))) == str(value) else shown
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date | timedelta | UUID | PurePath):
        return _text(str(value))
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {_quoted(str(value))}"
    return f"（{len(value)} 字节）" if isinstance(value, bytes) else f"<{type(value).__name__}>"


def _text(text: str) -> str:
    """Free text without phones, identity and card numbers, query strings, openids and secrets."""
    text = _QUERY.sub("?…", text)
    text = _PAIR.sub(lambda match: f"{match[1] or match[2]}***", text)
    text = _OPENID.sub("<openid>", text)
    return masking.scan(text)


def _quoted(value: object) -> str:
    """A traceback or an error's message: besides, without the input that it quotes."""
    return _text(_QUOTED_INPUT.sub("…", str(value)))
