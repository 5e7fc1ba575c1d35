"""Which of the real messages are read as urgent: `python bench/urgency_on_messages.py --help`.

They are letters, of which next to none tells of a danger that is there: what is found says how often the reading is
wrong, not how much it misses (that, on invented cries: tests/domain/test_urgency.py).
The messages carry no clear licence and are not in the repository: they are read from ../shared/data beside it.
"""

import argparse
import csv
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a file from anywhere; the county's loader lies with the tests

from app.domain import suggestion, urgency  # noqa: E402
from app.domain.county import Category, County, Sign  # noqa: E402
from tests.domain.county_from_csv import demo_county, urgent_words  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
FILES = ("messages_county", "messages_replies", "messages_likes", "messages_labelled")

Row = dict[str, str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--show", choices=[str(sign) for sign in Sign], help="print those with this sign")
    options = parser.parse_args()
    rows = list(_distinct())
    if not rows:
        print(f"{DATA}/messages_*.csv are missing: the messages are not part of the repository.", file=sys.stderr)
        return 1
    county = replace(demo_county(), urgent_words=urgent_words())
    index, keywords = urgency.build(county), suggestion.build(county)
    found: Counter[str] = Counter()
    spent = 0.0
    for row in rows:
        text = f"{row['title']}\n{row['text']}"
        category = _category(county, keywords, row)
        begun = time.perf_counter()
        urgent = index.read(text, category)
        spent += time.perf_counter() - begun
        if urgent is not None:
            found[urgent.sign] += 1
            if urgent.sign == options.show:
                _show(row, urgent)
    _report(found, rows)
    print(f"{1000 * spent / len(rows):.3f} ms a text")
    return 0


def _distinct() -> Iterator[Row]:
    """Every message once; the four files share many."""
    seen: set[str] = set()
    for path in (DATA / f"{name}.csv" for name in FILES):
        if path.exists():
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    key = row["title"].strip() + row["text"][:80]
                    if key not in seen:
                        seen.add(key)
                        yield row


def _category(county: County, keywords: suggestion.Keywords, row: Row) -> Category | None:
    best = next(iter(keywords.suggest(row["title"], row["text"])), None)
    return county.categories[best.category_id] if best else None


def _show(row: Row, urgent: urgency.Urgency) -> None:
    text = f"{row['title'].strip()}\n{row['text']}"
    at = max(0, text.find(urgent.words[0]) - 30)
    context = text[at : at + 70].replace("\n", " ")
    print(f"[{row['id']}] {len(text)} characters, {'、'.join(urgent.words)} {'/'.join(urgent.calls)}: …{context}…")


def _report(found: Counter[str], rows: Sequence[Row]) -> None:
    print(f"{len(rows)} distinct messages")
    for sign in (Sign.DANGER, Sign.CUTOFF):
        print(f"  {sign:8s}{found[sign]:5d}  {100 * found[sign] / len(rows):5.2f} %")


if __name__ == "__main__":
    sys.exit(main())
