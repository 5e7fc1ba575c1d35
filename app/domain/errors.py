"""What can be refused. Each error has a stable code, a Chinese sentence that says what to do, and a place in HTTP.

Features and heart raise these; faces show them (web as RFC 9457 problem details, the CLI on stderr, WeChat politely).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a body or a row: `pointer` is a JSON pointer (RFC 6901) or a column, `detail` Chinese."""

    pointer: str
    detail: str


class Refusal(Exception):  # noqa: N818 - it is no error that somebody may not
    """The base of all that the service refuses. `code` is stable; `detail` is for people, in Chinese."""

    status = 400
    title = "请求未被受理"

    def __init__(self, code: str, detail: str, *, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.faults = faults

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle, so that it comes whole out of another process: by itself an exception is made again of its one
        `args`, which is less than any of ours takes."""
        return _again, (type(self), self.args, self.__dict__)


class Invalid(Refusal):
    """The body, a row or an argument is wrong (422)."""

    status = 422
    title = "内容有误"

    @classmethod
    def field(cls, code: str, pointer: str, detail: str) -> "Invalid":
        """One field is wrong; the detail names it, and so does `faults`."""
        return cls(code, detail, faults=(Fault(pointer, detail),))


class Unknown(Refusal):
    """Nobody is signed in, or the sign-in is no longer good (401)."""

    status = 401
    title = "请先登录"


class Forbidden(Refusal):
    """The caller may know of it but may not do this (403)."""

    status = 403
    title = "没有权限"


class Missing(Refusal):
    """It is not there, or the caller may not even know of it (404): the same answer for both."""

    status = 404
    title = "没有找到"


class Conflict(Refusal):
    """Not now: the state or version has changed (409). Carries what they are now, where a ticket is concerned."""

    status = 409
    title = "现在不能这样做"

    def __init__(self, code: str, detail: str, *, state: str | None = None, version: int | None = None) -> None:
        super().__init__(code, detail)
        self.state = state
        self.version = version


class Busy(Refusal):
    """Too much at once, or a part is away; try again after `retry_after` seconds (503)."""

    status = 503
    title = "系统繁忙"

    def __init__(self, code: str, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class TooMany(Refusal):
    """The caller has tried too often (429)."""

    status = 429
    title = "操作太频繁"

    def __init__(self, code: str, detail: str, *, retry_after: int) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


def _again(kind: type[Refusal], args: tuple[object, ...], kept: Mapping[str, object]) -> Refusal:
    made = kind.__new__(kind, *args)
    made.__dict__.update(kept)
    return made
