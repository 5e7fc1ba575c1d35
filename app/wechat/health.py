"""What `o2o doctor` asks of the official accounts and of what came in through them."""

from collections import Counter

from app.base.running.health import Check, State, reporter
from app.base.secrets import Vault
from app.base.work import Work
from app.domain.vocabulary import AccountMode
from app.wechat import queries
from app.wechat.accounts import unopened
from app.wechat.queries import Standing


async def accounts(work: Work, vault: Vault) -> list[Check]:
    """Whether our key opens every account's keys, and what the accounts can't do as they are registered."""
    check = reporter("accounts", "公众号")
    found = await queries.standings(work.conn)
    if not found:
        return [check(State.WARN, "还没有公众号，收不到微信消息：请运行 o2o import accounts 文件")]
    broken = await unopened(work, vault)
    if broken:
        said = f"{len(found)} 个公众号中有 {len(broken)} 个的密钥打不开（{'、'.join(broken[:3])}……）"
        todo = "请把 O2O_SECRET_KEY 换回导入它们时的那个"
        return [check(State.FAIL, f"{said}，它们的消息都会被拒收：{todo}")]
    return [check(State.OK, f"{len(found)} 个，密钥都打得开"), _modes(found), _kinds(found)]


def _modes(found: list[Standing]) -> Check:
    check = reporter("account_modes", "公众号加密")
    counts = Counter(AccountMode(one.mode) for one in found)
    said = "、".join(f"{mode.label} {counts[mode]} 个" for mode in AccountMode if counts[mode])
    if counts[AccountMode.SAFE] < len(found):
        todo = "请在公众平台把它们改为安全模式，改好 mode 一列后重新导入"
        return check(State.WARN, f"{said}；明文和兼容模式的消息在途中能被读到，明文的还能被改：{todo}")
    return check(State.OK, said)


def _kinds(found: list[Standing]) -> Check:
    check = reporter("account_kinds", "公众号资格")
    lesser = sum(not (one.kind == "service" and one.certified) for one in found)
    if lesser:
        said = f"{lesser} 个不是已认证的服务号，没有网页授权、带参数二维码、模板消息和订阅通知"
        return check(State.WARN, f"{said}：请在公众平台办理认证，或请群众改用县级公众号")
    return check(State.OK, "都是已认证的服务号")


async def messages(work: Work) -> Check:
    """Messages that wait for a person."""
    check = reporter("messages", "待看消息")
    waiting = await queries.kept_waiting(work.conn)
    if waiting:
        return check(State.WARN, f"{waiting} 条公众号消息没能自动办理，留待人工处理（inbound 表中 outcome 为 kept 的）")
    return check(State.OK, "没有留待人工处理的公众号消息")
