"""The rates as a page shows them: a percentage, the two numbers it was made of, and the length of a bar."""

from dataclasses import dataclass

from app.domain.counting import Counts
from app.domain.rates import parts, percent, share

NONE = "—"
_MAIN = (
    ("acceptance_rate", "受理率", "已受理", "收到"),
    ("reply_rate", "回复率", "已回复", "收到"),
    ("completion_rate", "办结率", "已办结", "收到"),
    ("satisfaction_rate", "满意率", "点赞", "已评价"),
)
_MORE = (
    ("on_time_rate", "按时办结率", "按时办结", "已办结和逾期未办结"),
    ("rating_coverage", "评价率", "已评价", "已办结"),
    ("original_on_time_rate", "按原期限按时办结率", "按原期限办结", "已办结和超过原期限未办结"),
    ("first_satisfaction_rate", "首次满意率", "首次点赞", "首次评价"),
    ("solved_rate", "解决率", "答“已解决”", "作了回答"),
    ("automatic_share", "自动受理占比", "自动受理", "已受理"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is 96.33% or —; `width` (0 to 100) is the bar's, None where there is no value to draw."""

    name: str
    part_name: str
    whole_name: str
    part: int
    whole: int
    value: str
    width: str | None


@dataclass(frozen=True, slots=True)
class Beside:
    """A number printed beside the rates, with what it means where the name does not say it."""

    name: str
    value: str
    meaning: str = ""


def main(counts: Counts) -> list[Figure]:
    """The four rates."""
    return _figures(counts, _MAIN)


def more(counts: Counts) -> list[Figure]:
    """The rates that stand beside the four."""
    return _figures(counts, _MORE)


def beside(counts: Counts) -> list[Beside]:
    """What has to be known to read the rates (domain.md, 5)."""
    c = counts
    return [
        Beside("未到期", f"{c.not_yet_due:,}件", "还在办理，没有超过期限"),
        Beside("逾期未办结", f"{c.open_overdue:,}件"),
        Beside("解释办结", f"{c.explained:,}件", "办不到，已说明原因；计入办结"),
        Beside("不予受理", f"{c.declined:,}件", "不含垃圾信息"),
        Beside("回访所得评价", f"赞{c.callback_likes:,}、踩{c.callback_dislikes:,}", "其余是群众自己评价的"),
        Beside("不计入统计", f"{c.withdrawn + c.spam:,}件", f"本人撤回{c.withdrawn:,}件，垃圾信息{c.spam:,}件"),
    ]


def _figures(counts: Counts, names: tuple[tuple[str, str, str, str], ...]) -> list[Figure]:
    pairs = parts(counts)
    return [_figure(label, part_name, whole_name, *pairs[key]) for key, label, part_name, whole_name in names]


def _figure(name: str, part_name: str, whole_name: str, part: int, whole: int) -> Figure:
    reached = percent(share(part, whole))
    width = None if reached is None else str(reached)
    return Figure(name, part_name, whole_name, part, whole, NONE if width is None else f"{width}%", width)
