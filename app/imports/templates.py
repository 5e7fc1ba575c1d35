"""What belongs in each column of each kind that can be imported, in Chinese: what the templates say."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.domain.county import Sign
from app.domain.vocabulary import AccountMode, Channel, Datum, DayRule, GroupKind, Kind, Level, Role, Score, Word
from app.imports.kinds.accounts import AccountKind
from app.imports.kinds.tickets import GRADES

MUST, DEPENDS, MAY = "必填", "看情况", "可不填"
TEXT, _NUMBER, _DAY, _MOMENT = "@", "General", "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
_YES_NO = ("是", "否")


@dataclass(frozen=True, slots=True)
class Column:
    """What belongs in a column, in Chinese. `words` are offered as a list; `form` is the cells' number format: as text
    Excel takes no zero from a code and makes no date of a name."""

    need: str
    how: str
    example: str
    words: tuple[str, ...] = ()
    form: str = TEXT


@dataclass(frozen=True, slots=True)
class Guide:
    """A kind in Chinese, and its columns in the order of the template."""

    title: str
    columns: Mapping[str, Column]


def _labels(words: type[Word]) -> tuple[str, ...]:
    return tuple(word.label for word in words)


def _flag(how: str, example: str = "否", need: str = MUST) -> Column:
    return Column(need, f"{how}，填 是 或 否", example, _YES_NO)


def _days(how: str, example: str) -> Column:
    return Column(MUST, how, example, form=_NUMBER)


def _degrees(how: str, example: str) -> Column:
    return Column(MAY, how, example, form=_NUMBER)


def _time(how: str, example: str, need: str = MAY) -> Column:
    return Column(need, f"{how}，写成 2025-03-01 09:30，按北京时间", example, form=_MOMENT)


GUIDES: Mapping[str, Guide] = MappingProxyType(
    {
        "divisions": Guide(
            "行政区划",
            {
                "code": Column(MUST, "区划代码：县 6 位、镇街 9 位、村社区 12 位、网格 15 位数字", "430121002"),
                "name": Column(MUST, "全称，至多 60 个字", "湘龙街道"),
                "level": Column(MUST, "层级，从下拉列表选", "镇街", _labels(Level)),
                "parent_code": Column(DEPENDS, "上一级的代码，就是本行代码去掉最后 3 位；县不填", "430121"),
                "short_name": Column(MAY, "简称；不填则由全称得出", "湘龙"),
                "aliases": Column(MAY, "群众的其他叫法，至少 2 个字，多个用 | 分隔", "湘龙片区|湘龙办事处"),
                "lat": _degrees("纬度，小数；和经度要么都填，要么都不填", "28.2588"),
                "lon": _degrees("经度，小数", "113.0731"),
                "valid_to": Column(MAY, "撤销的，填最后一天，写成 2026-09-30；现行的不填", "", form=_DAY),
            },
        ),
        "units": Guide(
            "承办单位",
            {
                "code": Column(MUST, "单位代码，自己编，不重复；字母、数字、横线，至多 32 个", "U02"),
                "name": Column(
                    MUST, "全称，至多 60 个字，同一区划内不重复；事项分类按它找到单位", "长沙县城市管理和综合执法局"
                ),
                "short_name": Column(MAY, "简称；不填则同全称", "县城管局"),
                "division_code": Column(MUST, "所属县或镇街的代码", "430121"),
                "aliases": Column(MAY, "其他叫法，多个用 | 分隔", "城管局|城管"),
            },
        ),
        "categories": Guide(
            "事项分类",
            {
                "code": Column(MUST, "分类代码，不重复；字母、数字、横线，至多 32 个", "C0101"),
                "name": Column(MUST, "名称，至多 60 个字", "占道经营与流动摊贩"),
                "parent_code": Column(DEPENDS, "二级分类填上级的代码；一级分类不填", "C01"),
                "level": Column(MUST, "1 为一级分类，2 为二级分类", "2", ("1", "2"), _NUMBER),
                "kind_hint": Column(MAY, "多半是哪一类事项，从下拉列表选", "反馈问题", _labels(Kind)),
                "lowest_level": Column(MUST, "能办的最低层级，从下拉列表选", "村社区", _labels(Level)),
                "unit": Column(MAY, "主管的承办单位的全称，须已导入；县直单位在前", "长沙县城市管理和综合执法局"),
                "accept_working_days": _days("受理时限，工作日，只能是 1", "1"),
                "reply_working_days": _days("首次回复时限，工作日，1 至 3", "2"),
                "complete_days": _days("办结时限，1 至 10 天（按小时计为 1 至 240）", "5"),
                "day_rule": Column(MUST, "办结时限怎样计算，从下拉列表选", "自然日", _labels(DayRule)),
                "auto_accept": _flag("是否收到即自动受理", "是"),
                "photo_required": _flag("办结是否要有照片", "是"),
                "sensitive": _flag("是否涉及敏感个人信息（群里只报编号和状态）"),
                "keywords": Column(MAY, "群众常用的词，多个用 | 分隔，用来推荐分类", "占道|摆摊|摊贩"),
                "confidential": _flag("是否保密（只给督查员办理）；不设这一列则保持原样", need=DEPENDS),
            },
        ),
        "aliases": Guide(
            "地名别名",
            {
                "alias": Column(MUST, "群众的叫法，2 到 60 个字；几个地方同名就写几行", "松雅湖"),
                "division_code": Column(MUST, "所指区划的代码", "430121001"),
            },
        ),
        "areas": Guide(
            "区划边界",
            {
                "division_code": Column(MUST, "区划的代码", "430121001"),
                "datum": Column(MUST, "坐标系，从下拉列表选：量自 GPS，还是腾讯、高德地图", "GPS", _labels(Datum)),
                "geometry": Column(
                    MUST,
                    "GeoJSON 的 Polygon 或 MultiPolygon；也可以不用本表，直接导入 .geojson 文件",
                    '{"type":"Polygon","coordinates":[[[113.07,28.23],[113.09,28.23],[113.09,28.26],[113.07,28.23]]]}',
                ),
            },
        ),
        "urgent-words": Guide(
            "紧急词",
            {
                "word": Column(MUST, "群众的说法，2 到 60 个字", "锅炉爆了"),
                "sign": Column(
                    MUST, "说的是什么，从下拉列表选；看着像、其实不算的选“不算紧急”", "生命危险", _labels(Sign)
                ),
                "alone": _flag("单凭这个词就算（否则要短句，或同一句里说明正在发生）", "是", MAY),
                "calls": Column(DEPENDS, "生命危险的词，填请群众拨打的电话，多个用 | 分隔，最合适的在前", "119|120"),
                "category": Column(MAY, "只对这一分类的事项算的，填分类代码（一级或二级）；不填则都算", "C0101"),
            },
        ),
        "stations": Guide(
            "服务站点",
            {
                "division_code": Column(MUST, "所属区划的代码", "430121001"),
                "name": Column(MUST, "名称，同一区划内不重复", "星沙街道民生快递服务中心"),
                "address": Column(MAY, "地址，至多 100 个字", "开元中路 1 号"),
                "hours": Column(MAY, "开放时间，至多 60 个字", "周一至周五 9:00—17:00"),
                "phone": Column(MAY, "电话，数字，可以有横线", "0731-00000000"),
                "lat": _degrees("纬度，小数；纬度、经度、坐标系要么都填，要么都不填", "28.2467"),
                "lon": _degrees("经度，小数", "113.0806"),
                "datum": Column(DEPENDS, "填了经纬度就要选：量自 GPS，还是腾讯、高德地图", "GPS", _labels(Datum)),
            },
        ),
        "groups": Guide(
            "微信群",
            {
                "division_code": Column(MUST, "群所属区划的代码", "430121001"),
                "name": Column(MUST, "群名，同一区划内不重复", "星沙街道民生快递群"),
                "kind": Column(MUST, "哪一种群，从下拉列表选", "企业微信群", _labels(GroupKind)),
                "robot_url": Column(MAY, "企业微信群机器人的地址，以 https:// 开头；微信群没有，不填", ""),
            },
        ),
        "staff": Guide(
            "工作人员",
            {
                "username": Column(MUST, "用户名，2 到 64 个字母、数字或 . _ @ -；一人几个职务就写几行", "kd-001"),
                "name": Column(MUST, "姓名，至多 40 个字", "王演示"),
                "phone": Column(MUST, "11 位手机号", "14200000001"),
                "role": Column(MUST, "职务，从下拉列表选", "民生快递员", _labels(Role)),
                "division_code": Column(
                    DEPENDS, "在区划任职的填区划代码；和 unit_code 填且只填一个", "430121001001001"
                ),
                "unit_code": Column(DEPENDS, "在承办单位任职的（如承办人）填单位代码", ""),
                "password": Column(MAY, "首次登录的密码，12 到 128 个字符；用微信登录的不填", ""),
            },
        ),
        "households": Guide(
            "住户",
            {
                "grid_code": Column(MUST, "所在网格的 15 位代码", "430121001001001"),
                "head_name": Column(MUST, "户主姓名，至多 40 个字", "李演示"),
                "phone": Column(MAY, "11 位手机号", "14200000002"),
                "address": Column(MAY, "地址，至多 100 个字", "开元路 1 号 2 栋 301 室"),
                "courier_username": Column(MAY, "联系这一户的民生快递员的用户名，须在本村社区任职", "kd-001"),
                "in_difficulty": _flag("是否困难群众（定期走访）"),
            },
        ),
        "accounts": Guide(
            "公众号",
            {
                "appid": Column(MUST, "公众平台上的 AppID，wx 开头，共 18 位", "wx0123456789abcdef"),
                "original_id": Column(MUST, "公众平台上的原始 ID，gh_ 开头", "gh_0123456789ab"),
                "name": Column(MUST, "公众号名称，至多 60 个字", "星沙街道民生快递"),
                "division_code": Column(MUST, "所属区划的代码", "430121001"),
                "kind": Column(MUST, "哪一种公众号，从下拉列表选", "服务号", _labels(AccountKind)),
                "certified": _flag("是否已认证", "是"),
                "mode": Column(MUST, "消息加解密方式，从下拉列表选", "安全模式", _labels(AccountMode)),
                "token": Column(MUST, "服务器配置里的令牌（Token），3 到 32 个字母或数字", "yourToken2026"),
                "encoding_aes_key": Column(
                    MUST, "服务器配置里的 EncodingAESKey，43 个字母或数字", "yourEncodingAESKey" + 25 * "0"
                ),
                "secret": Column(
                    MUST, "开发者密码（AppSecret），16 到 64 个字母或数字", "yourAppSecret0000000000000000000"
                ),
            },
        ),
        "tickets": Guide(
            "历史事项",
            {
                "external_id": Column(MUST, "原系统的编号，不重复，至多 64 个字", "2025-000123"),
                "channel": Column(MUST, "从哪里来，从下拉列表选", "微信群", _labels(Channel)),
                "kind": Column(MAY, "哪一类事项；不填则随分类，没有分类的算咨询求助", "反馈问题", _labels(Kind)),
                "category": Column(MAY, "二级分类的代码，或它唯一的名称；不填则按默认时限", "C0101"),
                "division_code": Column(MAY, "事项所在区划的代码；不填则为县", "430121001"),
                "title": Column(DEPENDS, "标题，至多 200 个字；和 description 至少填一个", "路边摊占道"),
                "description": Column(DEPENDS, "群众的原话，至多 20000 个字", "开元路路口每天傍晚有摊贩占道。"),
                "citizen_name": Column(MAY, "群众姓名，至多 60 个字", "张演示"),
                "citizen_phone": Column(MAY, "群众电话", "14200000003"),
                "received_at": _time("收到的时间", "2025-03-03 09:30", MUST),
                "accepted_at": _time("受理的时间；已回复或已办结的必须填，没有受理的不填", "2025-03-03 10:00", DEPENDS),
                "first_replied_at": _time("首次回复的时间；已办结的可不填，视为办结时回复", "2025-03-03 15:20"),
                "reply": Column(MAY, "首次回复的内容", "已通知执法队员到场处理。"),
                "completed_at": _time("办结的时间；没有办结的不填", "2025-03-05 11:00"),
                "result": Column(MAY, "办理结果", "已劝离，并划定了摆摊点。"),
                "rating": Column(MAY, "评价，从下拉列表选；没有评价的不填", "满意", (*_labels(Score), *GRADES)),
                "rating_comment": Column(MAY, "评价时的留言，至多 500 个字", "处理很快。"),
                "rated_at": _time("评价的时间；不填视为办结时评价", "2025-03-06 08:00"),
                "handler_username": Column(MAY, "承办人的用户名；不填则归所填区划", "kd-001"),
            },
        ),
    }
)
