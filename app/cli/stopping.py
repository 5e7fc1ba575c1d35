"""How a service is told to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stoppable() -> Iterator[None]:
    """While inside, SIGTERM and Ctrl-C leave the block: what was opened is closed, and the exit code is 0.

    uvicorn finishes its requests and then raises the signal once more. Left to the system's own handler, that would
    end the process there and then, and leave the embedded server running.
    """
    before = {number: signal.signal(number, _leave) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    for one in SIGNALS:  # a second one must not interrupt the closing
        signal.signal(one, signal.SIG_IGN)
    raise SystemExit(0)
