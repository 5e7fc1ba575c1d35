"""Why the machine or the database would not, in Chinese: what they say themselves is English."""

import errno
import os
import pwd
import re
import socket
from collections.abc import Mapping
from pathlib import Path

_OF_THE_MACHINE: Mapping[int, str] = {
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EEXIST: "已经有了",
    errno.EISDIR: "它是文件夹",
    errno.ENOTDIR: "它不是文件夹",
    errno.ENOTEMPTY: "文件夹不是空的",
    errno.EROFS: "这个文件系统只能读",
    errno.ENOSPC: "磁盘满了",
    errno.EDQUOT: "用户的磁盘配额满了",
    errno.EIO: "磁盘读写出错",
    errno.EMFILE: "打开的文件太多",
    errno.ENFILE: "打开的文件太多",
    errno.ENAMETOOLONG: "名字太长",
    errno.ELOOP: "链接太多",
    errno.ETXTBSY: "文件正在被使用",
    errno.EBUSY: "正在被使用",
    errno.ENOEXEC: "它不是这台机器能运行的程序",
    errno.ENOMEM: "内存不够",
    errno.EADDRINUSE: "端口已被占用",
    errno.EADDRNOTAVAIL: "本机没有这个地址",
    errno.ECONNREFUSED: "对方没有在监听",
    errno.ECONNRESET: "连接被对方断开",
    errno.ECONNABORTED: "连接中断",
    errno.EPIPE: "连接被对方断开",
    errno.ETIMEDOUT: "等不到回应",
    errno.EHOSTUNREACH: "到不了那台机器",
    errno.EHOSTDOWN: "到不了那台机器",
    errno.ENETUNREACH: "网络不通",
    errno.ENETDOWN: "网络不通",
    socket.EAI_NONAME: "找不到这个主机名",
    socket.EAI_AGAIN: "域名暂时查不到",
    socket.EAI_FAIL: "域名查不到",
}
_OF_THE_DATABASE: Mapping[str, str] = {
    "28P01": "用户名或口令不对",
    "28000": "数据库不让这个用户这样连接（pg_hba.conf）",
    "3D000": "没有这个数据库",
    "42501": "这个用户在数据库里没有权限",
    "53300": "连接数已满",
    "53100": "数据库所在的磁盘满了",
    "55P03": "拿不到锁，有别的操作正在用，请稍后再试",
    "57P01": "数据库正在停止",
    "57P03": "数据库正在启动或停止",
}
"""PostgreSQL, Appendix A."""


def why(error: BaseException) -> str:
    """A few words, without a full stop. What we know no words for is named by its kind or number, never quoted: the
    text of an error may hold a row, or a password."""
    origin = getattr(error, "orig", None) or error  # SQLAlchemy's around the driver's
    state = getattr(origin, "sqlstate", None)
    if state:
        return _OF_THE_DATABASE.get(state, f"数据库说 {state}")
    if isinstance(origin, TimeoutError):
        return _OF_THE_MACHINE[errno.ETIMEDOUT]
    number = _number(origin)
    if number is not None:
        return _OF_THE_MACHINE.get(number, f"系统错误 {errno.errorcode.get(number, number)}")
    return type(origin).__name__


def _number(error: BaseException) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    # Where a name has several addresses asyncio tells of all in one text (4 and 6 of localhost, say).
    told = re.search(r"\[Errno (-?\d+)\]", str(error)) if isinstance(error, OSError) else None
    return int(told[1]) if told else None


def of_file(error: OSError) -> str:
    """Which file or folder could not be used, why, and what to do about it. The error must name one."""
    path = Path(os.fsdecode(error.filename))
    said = f"{path} 不能读写：{why(error)}"
    if not isinstance(error, PermissionError):
        return said
    return f"{said}{_owner(path)}，请换用能读写它的用户运行，或改正它的权限"


def _owner(path: Path) -> str:
    """Whose it is: of a file in a folder that is closed to us, whose the folder is."""
    for place in (path, *path.absolute().parents):
        try:
            return f"（{place} 属于用户 {pwd.getpwuid(place.stat().st_uid).pw_name}）"
        except (OSError, KeyError):
            continue
    return ""
