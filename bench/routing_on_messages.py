"""How well places and categories are found in real citizens' messages: `python bench/routing_on_messages.py --help`.

The messages carry no clear licence and are not in the repository: they are read from ../shared/data beside it.
"""

import argparse
import csv
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a file from anywhere; the county's loader lies with the tests

from app.domain import places, routing, suggestion  # noqa: E402
from app.domain.county import County  # noqa: E402
from tests.domain.county_from_csv import county_of  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
MASK = "corpus mask"
README = {"sure": 45.8, "conflict": 3.3}
"""Per cent by the data's README, with mask aliases and the names of both editions; the other 50.9 name no sure one."""

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Reader:
    county: County
    index: places.PlaceIndex
    keywords: suggestion.Keywords


def main() -> int:
    options = _options()
    messages = _rows("messages_county.csv")
    if messages is None:
        return 1
    county = county_of(extra_aliases=_mask_aliases() if options.mask else ())
    reader = Reader(county, places.build(county), suggestion.build(county))
    _places(reader, messages)
    _elsewhere(reader, messages)
    _categories(reader, messages)
    _speed(reader, messages)
    for message in random.Random(options.seed).sample(messages, min(options.read, len(messages))):
        _show(reader, message, options.chars)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mask", action="store_true", help="add the aliases that undo the messages' masking")
    parser.add_argument("--read", type=int, default=0, metavar="N", help="print N random messages with their routing")
    parser.add_argument("--seed", type=int, default=7, help="of the choice of messages (default 7)")
    parser.add_argument("--chars", type=int, default=160, help="of each text to print (default 160)")
    return parser.parse_args()


def _rows(name: str) -> list[Row] | None:
    path = DATA / name
    if not path.exists():
        print(f"{path} is missing: the messages are not part of the repository.", file=sys.stderr)
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _mask_aliases() -> Sequence[tuple[str, str]]:
    rows = _rows("aliases.csv") or []
    return [(row["alias"], row["division_code"]) for row in rows if MASK in row["note"]]


def _text(message: Row) -> str:
    return f"{message['title']}\n{message['text']}"


def _share(count: int, total: int) -> str:
    return f"{count:5d}  {100 * count / total:5.1f} %"


def _kind(found: places.Found) -> str:
    if found.sure:
        return "conflict" if found.conflict else "sure"
    return "ambiguous" if found.ambiguous else "none"


def _places(reader: Reader, messages: Sequence[Row]) -> None:
    kinds = Counter(_kind(reader.index.find(_text(m))) for m in messages)
    print(f"{len(messages)} messages. Places:")
    for kind in ("sure", "conflict", "ambiguous", "none"):
        beside = f"   (README {README[kind]} %)" if kind in README else ""
        print(f"  {kind:10s}{_share(kinds[kind], len(messages))}{beside}")
    print(f"  {'not sure':10s}{_share(kinds['ambiguous'] + kinds['none'], len(messages))}   (README 50.9 %)")


def _elsewhere(reader: Reader, messages: Sequence[Row]) -> None:
    words = Counter(
        word for m in messages if (word := places.elsewhere(_text(m), placed=bool(reader.index.find(_text(m)).words)))
    )
    print(f"Another district's or the city's: {sum(words.values())} {dict(words)}")


def _categories(reader: Reader, messages: Sequence[Row]) -> None:
    given = sum(bool(reader.keywords.suggest(m["title"], m["text"])) for m in messages)
    print(f"A category for {_share(given, len(messages)).strip()}   (README 97.7 %)")


def _speed(reader: Reader, messages: Sequence[Row]) -> None:
    """Milliseconds in the median over 2,000 characters for places, 1,000 for categories."""
    text = "".join(_text(m) for m in messages)
    for what, size, run in (
        ("places in", 2_000, reader.index.find),
        ("categories of", 1_000, lambda part: reader.keywords.suggest(part[:20], part)),
    ):
        parts = [text[at : at + size] for at in range(0, min(len(text), 100 * size), size)]
        spent = []
        for part in parts:
            begun = time.perf_counter()
            run(part)
            spent.append(time.perf_counter() - begun)
        print(f"{what} {size} characters: {sorted(spent)[len(spent) // 2] * 1_000:.3f} ms")


def _show(reader: Reader, message: Row, chars: int) -> None:
    county = reader.county
    located = routing.where(county, reader.index, routing.Request(_text(message)))
    best = next(iter(reader.keywords.suggest(message["title"], message["text"])), None)
    category = county.categories[best.category_id] if best else None
    node, reason = routing.node(county, located.division_id, category, located.elsewhere)
    print(f"\n[{message['id']}] {message['title'].strip()}")
    print("  " + message["text"].replace("_x000D_", "").replace("\n", " ").strip()[:chars])
    print(f"  地点 {located.how.label}：{located.reason}")
    named = (
        f"{category.code} {category.name} {best.confidence:.2f} {'/'.join(best.words)}" if category and best else "—"
    )
    print(f"  分类 {named}")
    print(f"  承办 {county.name_of(node)}：{reason}")


if __name__ == "__main__":
    sys.exit(main())
