"""What citizens write to an account when they write no matter: commands, courtesies, WeChat's emoji names. Data only.

Words are in small letters and half width, without blanks and punctuation; `conversation` reads texts that way.
"""

from app.domain.vocabulary import Score


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LIKES = _words("赞 赞赞 赞赞赞 点赞 点个赞 点一个赞 赞一个 给个赞 好评")
DISLIKES = _words("踩 踩一脚 踩一下 踩踩 点踩 点个踩 差评")
"""A word of these may be followed by a number, a rating code or a reason."""

VERDICTS = {
    **dict.fromkeys(_words("满意 很满意 非常满意 基本满意"), Score.LIKE),
    **dict.fromkeys(_words("不满意 很不满意 非常不满意"), Score.DISLIKE),
}
"""The grades of official surveys: a rating only as the whole text, since matters begin with these words too."""

PROGRESS = _words("查进度 进度 查询进度 进度查询 查看进度 办理进度 查一下进度 我的进度 我的事项 查询 查")
PENDING = _words("待办 我的待办 待办事项 未办")
DONE = _words("已办 我的已办 已办事项 已办结")
HELP = _words("帮助 help 使用帮助 使用说明 怎么用 如何使用 菜单 功能 人工 人工客服 转人工 客服 赞踩 踩赞")
ASKING_BACK = _words("的进度 办得怎么样了 怎么样了 办好了吗 办好没有 处理得怎么样了 到哪一步了") | PROGRESS
"""After a number: asks for its progress."""

WITHDRAW = _words("撤回 撤单 撤销")
APPEAL = frozenset(["申诉"])
BIND = _words("绑定 绑定网格 撤销绑定 解除绑定")
ORDER = _words("我要下单 下单 我要反映 我要反馈 我要投诉 我要咨询 我要求助 我要报修 我要办事")
SPLIT = frozenset(["另起"])

COURTESIES = _words(
    """
    谢谢 谢 谢了 多谢 感谢 感恩 非常感谢 十分感谢 万分感谢 太感谢了 感激不尽 谢谢关心 谢谢回复 感谢回复 谢谢答复
    感谢答复 好的 好 好滴 好嘞 好哒 好呢 好吧 好啊 行 行吧 可以 可以的 没问题 收到 已收到 收到了 知道 知道了 晓得了
    已知晓 明白 明白了 了解 了解了 嗯 嗯嗯 嗯呢 恩 恩恩 哦 哦哦 噢 喔 是 是的 对 对的 ok okk okay 1 666 3q 你好
    您好 你们好 大家好 早 早上好 上午好 中午好 下午好 晚上好 早安 晚安 hi hello 嗨 哈喽 哈罗 在 在吗 在么 在不在
    有人吗 有人在吗 辛苦 辛苦了 费心了 麻烦了 麻烦你们了 麻烦您了 打扰了 不客气 再见 拜拜 thanks thankyou thx
    太好了 很好 真好 非常好 棒 真棒 很棒 太棒了 厉害 给力 加油 哈哈 哈哈哈 呵呵 新年好 新年快乐 春节快乐
    节日快乐 中秋快乐 国庆快乐 元旦快乐 恭喜发财 祝好
    """
)
"""Thanks, greetings, bare acknowledgements: a text made of these alone opens nothing."""

COMPANY = _words(
    "领导 各位领导 政府 党和政府 各位 大家 你 您 你们 您们 工作人员 快递员 师傅 啊 呀 啦 哈 了 的 呢 哟 吧 哒 哦"
)
"""What may stand beside a courtesy; alone it is none."""

EMOJI_NAMES = _words(
    """
    微笑 撇嘴 色 发呆 得意 流泪 害羞 闭嘴 睡 大哭 尴尬 发怒 调皮 呲牙 惊讶 难过 囧 抓狂 吐 偷笑 愉快 白眼 傲慢
    困 惊恐 憨笑 悠闲 咒骂 疑问 嘘 晕 衰 骷髅 敲打 再见 擦汗 抠鼻 鼓掌 坏笑 右哼哼 鄙视 委屈 快哭了 阴险 亲亲
    可怜 笑脸 生病 脸红 破涕为笑 恐惧 失望 无语 嘿哈 捂脸 奸笑 机智 皱眉 耶 吃瓜 加油 汗 天啊 emm 社会社会 旺柴
    好的 打脸 哇 翻白眼 666 让我看看 叹气 苦涩 裂开 嘴唇 爱心 心碎 拥抱 强 弱 握手 胜利 抱拳 勾引 拳头 ok 合十
    啤酒 咖啡 蛋糕 玫瑰 凋谢 菜刀 炸弹 便便 月亮 太阳 庆祝 礼物 红包 發 福 烟花 爆竹 猪头 跳跳 发抖 转圈 yeah!
    smart concerned
    """
)
"""The names WeChat writes in brackets for its own emoji, [微笑]; older clients send codes such as /::) instead."""
