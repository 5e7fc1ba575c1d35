"""Which days a board is about: the present month, one of the ready-made spans, or two dates from the form."""

from dataclasses import dataclass
from datetime import date, timedelta

from app.rates.views import day


@dataclass(frozen=True, slots=True)
class Period:
    """Shanghai days, both included. `name` is 本月, 上月, 今年, or empty for a span of one's own choice."""

    name: str
    first: date
    last: date

    @property
    def query(self) -> dict[str, object]:
        """What an address needs to mean this period; the present month needs nothing."""
        return {} if self.name == "本月" else {"from": self.first, "to": self.last}

    @property
    def asked(self) -> dict[str, object]:
        """What an address needs that asks for just this period, be there anything in it or not."""
        return self.query or {"from": self.first}


def choices(today: date) -> list[Period]:
    """The ready-made ones, the default first."""
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    return [
        Period("本月", month, today),
        Period("上月", before.replace(day=1), before),
        Period("今年", date(today.year, 1, 1), today),
    ]


def chosen(first: str, last: str, today: date) -> Period:
    """The period that the two fields of the form mean; an empty one is the month's first day, or today.

    Raises Invalid for what is no date; whether the span makes sense is for the rates to say.
    """
    ready = choices(today)
    if not first.strip() and not last.strip():
        return ready[0]
    to = day(last.strip(), "/to") if last.strip() else today
    begin = day(first.strip(), "/from") if first.strip() else to.replace(day=1)
    return next((p for p in ready if (p.first, p.last) == (begin, to)), Period("", begin, to))
