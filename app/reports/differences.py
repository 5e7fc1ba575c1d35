"""What a revision changed: every published figure that is not what the revision before said (quality.md, 3, 5)."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.domain.vocabulary import Level
from app.reports.fields import COUNTS, DECLINES, LEVEL, MATTERS, MILESTONES, RANK, RATES
from app.reports.queries import Report
from app.reports.records import intact


class _Figure(NamedTuple):
    """Where a figure stands: the row's code, and its path in the record."""

    code: str
    path: str


def changes(old: Report, new: Report) -> dict[str, Any]:
    """What is frozen with the revision `new`: the one before it, and each difference to that, in the rows' order.

    Where the old one was tampered with, nothing can be compared: `items` is null then.
    """
    against = {"revision": old.revision, "checksum": old.checksum}
    return against | {"items": list(differences(old, new)) if intact(old) else None}


def unchanged(old: Report, new: Report) -> bool:
    """Whether a revision would say just the same. One of an earlier version, with less in it, may be made anew."""
    return intact(old) and dict(_figures(old)) == dict(_figures(new))


def differences(old: Report, new: Report) -> Iterator[dict[str, Any]]:
    """`code`, `name`, `path`, `field` (in Chinese), `old` and `new` of each. A figure that the old one had none of yet
    (it was made by an earlier version of the service) is none."""
    before, after = dict(_figures(old)), dict(_figures(new))
    names = {row["code"]: row["name"] for one in (old, new) for row in one.figures["rows"]}
    listed = [{row["code"] for row in one.figures["rows"]} for one in (old, new)]
    for code in sorted(listed[0] ^ listed[1]):
        was, now = ("是" if code in rows else "否" for rows in listed)
        yield _difference(_Figure(code, "row"), names[code], "列入", was, now)
    for figure, (label, value) in after.items():
        if figure in before and before[figure][1] != value:
            yield _difference(figure, names[figure.code], label, before[figure][1], value)


def _difference(figure: _Figure, name: str, label: str, old: Any, new: Any) -> dict[str, Any]:
    return {"code": figure.code, "name": name, "path": figure.path, "field": label, "old": old, "new": new}


def _figures(report: Report) -> Iterator[tuple[_Figure, tuple[str, Any]]]:
    """Every figure with its Chinese name and its value. Movements are left out: what they come from is here."""
    root = report.figures["rows"][0]["code"]
    for path, label, value in _parameters(report.parameters):
        yield _Figure(root, f"parameters.{path}"), (label, value)
    for row in report.figures["rows"]:
        for path, label, value in _row(row):
            yield _Figure(row["code"], path), (label, value)
    for told in report.figures.get("beside", ()):
        for path, label, value in _told(told):
            yield _Figure(told["code"], path), (label, value)


def _parameters(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    ranking = parameters["ranking"]
    weights = "、".join(f"{name} {ranking['weights'][name]}" for name in sorted(ranking["weights"]))
    yield "ranking", "排名参数", f"权重 {weights}；最低件数 {ranking['least']}；计分 {ranking['score']}"
    yield "formulas_version", "公式和口径的版本", parameters["formulas_version"]
    if compared := parameters.get("compared_with"):
        revision = compared["revision"]
        basis = "制表时统计" if revision is None else f"第 {revision} 版"
        yield "compared_with", "上月数值的来源", f"{compared['period']} {basis}"


def _row(row: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    yield "name", "名称", row["name"]
    yield "level", LEVEL, Level(row["level"]).label
    yield from _counted(row, "", "")
    if "previous" in row:
        counts = {"received": None, "completed": None}
        nothing = {"counts": counts, "rates": dict.fromkeys(row["rates"]), "rank": None}
        yield from _counted(row["previous"] or nothing, "previous.", "上月")


def _counted(row: Mapping[str, Any], above: str, when: str) -> Iterator[tuple[str, str, Any]]:
    for kind, labels in (("counts", COUNTS), ("rates", RATES)):
        for name, label in labels.items():
            if name in row[kind]:
                yield f"{above}{kind}.{name}", when + label, row[kind][name]
    yield f"{above}rank", when + RANK, row["rank"]


def _told(told: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    yield "matters", MATTERS, told["matters"]
    for reason, label in DECLINES.items():
        yield f"declines.{reason}", f"不予受理（{label}）", told["declines"].get(reason)
    for name, label in MILESTONES.items():
        hours = told["hours"][name]
        for part, said in (("tickets", "计入用时的件数"), ("median", "用时中位数"), ("most", "九成件用时")):
            yield f"hours.{name}.{part}", f"{label}{said}", hours[part]
