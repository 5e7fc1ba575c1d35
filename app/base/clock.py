"""Two clocks. Business time is what the county lives in and can be shifted; machine time serves leases and sessions."""

from datetime import UTC, datetime, timedelta

from app.domain.vocabulary import SHANGHAI


def machine() -> datetime:
    """The machine's time, aware. For sessions, leases, signatures and rate limits only."""
    return datetime.now(UTC)


class Clock:
    """The business clock of a process: the machine's time plus an offset, or a moment that a test has set."""

    def __init__(self, offset: float = 0.0) -> None:
        self._offset = timedelta(seconds=offset)
        self._moment: datetime | None = None

    def business(self) -> datetime:
        """The business moment, aware, in the county's zone."""
        return self._moment if self._moment is not None else (machine() + self._offset).astimezone(SHANGHAI)

    def set(self, moment: datetime) -> None:
        """Stops the clock at `moment` (tests)."""
        self._moment = moment.astimezone(SHANGHAI)

    def advance(self, by: timedelta) -> None:
        """Moves the clock on by `by` (tests)."""
        if self._moment is None:
            self._offset += by
        else:
            self._moment += by
