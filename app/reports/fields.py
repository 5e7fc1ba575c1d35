"""The figures of a report by name, with the Chinese that is printed; what lists and sheets show, in this order."""

from collections.abc import Mapping

COUNTS: Mapping[str, str] = {
    "received": "收到",
    "accepted": "受理",
    "replied": "回复",
    "completed": "办结",
    "likes": "点赞",
    "dislikes": "踩",
    "not_yet_due": "未到期",
    "open_overdue": "逾期未办结",
    "open_overdue_original": "超过原期限未办结",
    "on_time": "按时办结",
    "on_time_original": "按原期限办结",
    "accepted_automatically": "自动受理",
    "explained": "解释办结",
    "declined": "不予受理",
    "rated_completed": "办结已评价",
    "first_likes": "首次点赞",
    "first_dislikes": "首次踩",
    "callback_likes": "回访点赞",
    "callback_dislikes": "回访踩",
    "solved_yes": "答已解决",
    "solved_no": "答未解决",
    "withdrawn": "群众撤回",
    "spam": "垃圾信息",
    "ranked_accepted": "参与排名受理",
    "ranked_replied": "参与排名回复",
    "ranked_likes": "参与排名点赞",
    "ranked_dislikes": "参与排名踩",
}
"""All of domain.counting.Counts."""
RATES: Mapping[str, str] = {
    "acceptance_rate": "受理率",
    "reply_rate": "回复率",
    "completion_rate": "办结率",
    "satisfaction_rate": "满意率",
    "on_time_rate": "按时办结率",
    "rating_coverage": "评价率",
    "original_on_time_rate": "按原期限按时办结率",
    "first_satisfaction_rate": "首次满意率",
    "solved_rate": "解决率",
    "automatic_share": "自动受理占比",
}
"""All of domain.rates.parts."""
SHOWN_COUNTS = ("received", "accepted", "replied", "completed", "likes", "dislikes")
SHOWN_RATES = ("acceptance_rate", "reply_rate", "completion_rate", "satisfaction_rate", "on_time_rate")
"""Those of the CSV, whose header is a contract (interface.md)."""
RANK, LEVEL = "排名", "层级"
MILESTONES: Mapping[str, str] = {"accepted": "受理", "replied": "首次回复", "completed": "办结"}
DECLINES: Mapping[str, str] = {
    "outside_jurisdiction": "不属于受理范围",
    "no_facts": "没有可办理的事实",
    "in_procedure": "已进入诉讼、信访等程序",
}
MATTERS = "事项数"
NONE = "—"
"""What has no value."""
