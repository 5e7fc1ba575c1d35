"""What a trained suggestion is worth on real labelled messages beside the keyword table: `python
bench/suggestion_on_messages.py --help`. Needs scikit-learn (`pip install .[suggestion]`).

The messages carry no clear licence and are not in the repository: they are read from ../shared/data beside it, and no
model trained on them is kept. Their seven labels are coarser than the county's categories (first levels, mostly).
"""

import argparse
import csv
import resource
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a file from anywhere; the county's loader lies with the tests

from app.domain import suggestion  # noqa: E402
from app.suggestion.features import whole  # noqa: E402
from app.suggestion.model import Model, dumped, loaded  # noqa: E402
from app.suggestion.training import HELD_OUT, Example, Figures, Score, Trained, train  # noqa: E402
from tests.domain.county_from_csv import demo_county  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "messages_labelled.csv"
LABELS: Mapping[str, frozenset[str]] = {
    "城乡建设": frozenset({"C01", "C02", "C04", "C15"}),
    "环境保护": frozenset({"C05"}),
    "交通运输": frozenset({"C03"}),
    "教育文体": frozenset({"C06"}),
    "劳动和社会保障": frozenset({"C08"}),
    "商贸旅游": frozenset({"C12"}),
    "卫生计生": frozenset({"C07"}),
}
"""Label → first levels of the category tree (README of the data); what the table puts elsewhere counts as wrong."""
SIDES = ("model", "table")
PEERS = """peers.md: character 1-3-gram SVM 0.85 (1,100 raw texts), 0.92 (7,000); BERT 0.94 (thesis); mayor's mailboxes
macro precision and recall >= 0.85; Zhejiang 12345 three-level codes, accuracy 0.846. Other data and classes."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--turns", type=int, default=HELD_OUT, help="fifths held out in turn, 1 to 5 (default 5)")
    options = parser.parse_args()
    if not DATA.exists():
        print(f"{DATA} is missing: the messages are not part of the repository.", file=sys.stderr)
        return 1
    with DATA.open(encoding="utf-8-sig", newline="") as file:
        examples = [Example(whole(row["title"], row["text"]), row["label"].strip()) for row in csv.DictReader(file)]
    keywords = suggestion.build(demo_county())
    begun = time.perf_counter()
    turns = [train(examples, lambda text: _by_table(keywords, text), turn=turn) for turn in range(options.turns)]
    spent = time.perf_counter() - begun
    _report([one.figures for one in turns])
    print(f"training: {spent / len(turns):.1f} s each\n{PEERS}")
    _weigh(turns[0], [example.text for example in examples])
    return 0


def _by_table(keywords: suggestion.Keywords, text: str) -> list[tuple[str, float]]:
    title, _, body = text.partition("\n")
    codes = demo_county().categories
    found: dict[str, float] = {}
    for one in keywords.suggest(title, body):
        first = codes[one.category_id].code[:3]
        label = next((name for name, firsts in LABELS.items() if first in firsts), "")
        found[label] = found.get(label, 0.0) + one.confidence
    return list(found.items())


def _report(figures: Sequence[Figures]) -> None:
    print(f"{figures[0].rows} distinct rows, {figures[0].labels} labels; held out in turn: {len(figures)} fifths")
    print(f"  {'':16s}{'model':>8s}{'table':>8s}")
    for field in fields(Score):
        means = [statistics.mean(getattr(getattr(one, side), field.name) for one in figures) for side in SIDES]
        print(f"  {field.name:16s}" + "".join(f"{mean:8.3f}" for mean in means))
    print(f"  {'macro_f1 from-to':16s}" + "".join(f"  {_range(figures, side)}" for side in SIDES))


def _range(figures: Sequence[Figures], side: str) -> str:
    values = [getattr(one, side).macro_f1 for one in figures]
    return f"{min(values):.3f}-{max(values):.3f}"


def _weigh(trained: Trained, texts: Sequence[str]) -> None:
    """File, memory and time of the model as a service holds it."""
    data = dumped(trained.model)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model: Model = loaded(data)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    spent = []
    for text in texts[:300]:
        begun = time.perf_counter()
        model.guesses(text)
        spent.append(time.perf_counter() - begun)
    print(f"{len(model.vocabulary)} grams, file {len(data) / 1e6:.1f} MB, peak memory +{grown / 1024:.0f} MB when read")
    print(f"a suggestion: {1000 * statistics.median(spent):.2f} ms in the median")


if __name__ == "__main__":
    sys.exit(main())
