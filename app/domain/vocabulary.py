"""The words of the county: every code that is stored or spoken, with the Chinese that people see."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""The county's zone: days, limits and reports are counted in it, and people read it."""


class Word(StrEnum):
    """A code word that carries its Chinese label."""

    label: str

    def __new__(cls, code: str, label: str = "") -> Self:
        word = str.__new__(cls, code)
        word._value_ = code
        word.label = label
        return word


class Level(Word):
    """The four levels, from the top; `depth` counts them from 1."""

    COUNTY = "county", "县"
    TOWN = "town", "镇街"
    VILLAGE = "village", "村社区"
    GRID = "grid", "网格"

    @property
    def depth(self) -> int:
        return _DEPTHS[self]


_DEPTHS = {level: depth for depth, level in enumerate(Level, 1)}


class Kind(Word):
    CONSULTATION = "consultation", "咨询求助"
    PROBLEM = "problem", "反馈问题"
    SUGGESTION = "suggestion", "意见建议"
    WISH = "wish", "微心愿"


class Channel(Word):
    ACCOUNT = "account", "公众号"
    GROUP = "group", "微信群"
    VISIT = "visit", "走访"
    WINDOW = "window", "窗口"
    PHONE = "phone", "电话"
    API = "api", "接口"


class Status(Word):
    RECEIVED = "received", "待受理"
    ACCEPTED = "accepted", "已受理"
    IN_PROGRESS = "in_progress", "办理中"
    COMPLETED = "completed", "已办结"
    CLOSED = "closed", "已归档"
    DECLINED = "declined", "不予受理"
    WITHDRAWN = "withdrawn", "已撤回"
    MERGED = "merged", "已并单"


OPEN = frozenset({Status.RECEIVED, Status.ACCEPTED, Status.IN_PROGRESS})


class Role(Word):
    COURIER = "courier", "民生快递员"
    ADMINISTRATOR = "administrator", "平台管理员"
    HANDLER = "handler", "承办人"
    PRINCIPAL = "principal", "第一责任人"
    DEPUTY = "deputy", "主要责任人"
    OFFICER = "officer", "具体责任人"
    INSPECTOR = "inspector", "督查员"
    AUDITOR = "auditor", "审计员"
    OPERATOR = "operator", "系统管理员"


class Score(Word):
    LIKE = "like", "点赞"
    DISLIKE = "dislike", "踩"


class Via(Word):
    """How a rating came."""

    WECHAT = "wechat", "微信"
    PAGE = "page", "网页"
    CODE = "code", "评价码"
    CALLBACK = "callback", "回访"
    IMPORTED = "imported", "历史导入"


class Asked(Word):
    """How what was asked of the level above stands: an extension, or a dislike held unreasonable."""

    ASKED = "asked", "待审批"
    APPROVED = "approved", "已同意"
    REFUSED = "refused", "未同意"


class Waiting(Word):
    """What a ticket waits for (待件/挂账); it explains a delay and stops no clock."""

    CITIZEN = "citizen", "等群众答复"
    SEASON = "season", "等季节或天气"
    FUNDS = "funds", "等资金"
    AUTHORITY = "authority", "等其他部门"


class DeclineReason(Word):
    OUTSIDE_JURISDICTION = "outside_jurisdiction", "不属本县管辖"
    NO_FACTS = "no_facts", "没有可办的事实"
    IN_PROCEDURE = "in_procedure", "已进入诉讼或信访程序"
    SPAM = "spam", "垃圾信息"


class DeclineSubReason(Word):
    """The finer reason, where it applies (domain.md, 2, decline)."""

    LITIGATION = "litigation", "诉讼"
    ARBITRATION = "arbitration", "仲裁"
    RECONSIDERATION = "reconsideration", "行政复议"
    PETITION = "petition", "信访"
    DISCIPLINE = "discipline", "纪检监察"
    DISCLOSURE = "disclosure", "政府信息公开"
    SECRETS = "secrets", "涉密事项"
    EMERGENCY = "emergency", "110、119、120等紧急求助"


FINER: Mapping[DeclineReason, frozenset[DeclineSubReason]] = {
    DeclineReason.IN_PROCEDURE: frozenset(
        {
            DeclineSubReason.LITIGATION,
            DeclineSubReason.ARBITRATION,
            DeclineSubReason.RECONSIDERATION,
            DeclineSubReason.PETITION,
            DeclineSubReason.DISCIPLINE,
        }
    ),
    DeclineReason.OUTSIDE_JURISDICTION: frozenset(
        {DeclineSubReason.DISCLOSURE, DeclineSubReason.SECRETS, DeclineSubReason.EMERGENCY}
    ),
}
"""Which finer reasons a reason has; the others have none."""


class DayRule(Word):
    """How a limit is counted (domain.md, 4)."""

    NATURAL = "natural", "自然日"
    WORKING = "working", "工作日"
    HOURS = "hours", "小时"


class Attribution(Word):
    TERRITORIAL = "territorial", "属地"
    HANDLING = "handling", "承办"


class AccountMode(Word):
    PLAIN = "plain", "明文模式"
    COMPATIBLE = "compatible", "兼容模式"
    SAFE = "safe", "安全模式"


class GroupKind(Word):
    """A chat group. WeCom's may have a robot to post through; WeChat's has no interface at all (domain.md, 1)."""

    WECHAT = "wechat", "微信群"
    WECOM = "wecom", "企业微信群"


class Datum(Word):
    """What a pair of degrees is measured from; the two lie hundreds of metres apart."""

    WGS84 = "wgs84", "GPS"
    GCJ02 = "gcj02", "腾讯、高德地图"


class Action(Word):
    """Everything that can happen to a ticket; `open` begins it, `import` corrects one that is still only history.

    The rules of the others are in lifecycle.TABLE.
    """

    OPEN = "open", "收到"
    ACCEPT = "accept", "受理"
    DECLINE = "decline", "不予受理"
    APPEAL = "appeal", "申诉"
    DISPATCH = "dispatch", "派单"
    TRANSFER = "transfer", "转办"
    ESCALATE = "escalate", "上报"
    RETURN = "return", "退单"
    START = "start", "开始办理"
    VISIT = "visit", "走访"
    REPLY = "reply", "回复"
    COMPLETE = "complete", "办结"
    WAIT = "wait", "待件"
    RESUME = "resume", "恢复办理"
    REQUEST_EXTENSION = "request-extension", "申请延期"
    DECIDE_EXTENSION = "decide-extension", "延期审批"
    PROPOSE_UNREASONABLE = "propose-unreasonable", "提请认定不合理诉求"
    DECIDE_UNREASONABLE = "decide-unreasonable", "不合理诉求审批"
    MERGE = "merge", "并单"
    UNMERGE = "unmerge", "拆单"
    WITHDRAW = "withdraw", "撤回"
    NOTE = "note", "内部备注"
    RATE = "rate", "评价"
    REOPEN = "reopen", "重办"
    ARCHIVE = "archive", "归档"
    IMPORT = "import", "历史更正"
