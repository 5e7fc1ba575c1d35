"""One private PostgreSQL: created, configured, started, waited for, stopped. The caller holds the directory's turn.

It listens on a Unix socket in a private folder only, and lets nobody in without the password (scram-sha-256).
"""

import hashlib
import json
import os
import re
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep

from app.base.embedded.place import EmbeddedError, Place, Say, run, settle, write_private
from app.base.secrets import token

WORD_EVERY = 10.0  # seconds between two words to a person who waits
_PORT = 5432  # only part of the socket's name
_SOCKET = f".s.PGSQL.{_PORT}"
_LONGEST_SOCKET = 103  # bytes: sun_path on macOS; Linux has 107

_SETTINGS = """\
# Written anew at every start; change settings with ALTER SYSTEM (postgresql.auto.conf wins).
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = '256MB'
huge_pages = off
jit = off
fsync = on
full_page_writes = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
logging_collector = on
log_directory = '../log'
log_filename = 'server-%a.log'
log_truncate_on_rotation = on
log_rotation_age = '1d'
log_rotation_size = 0
# DETAIL and CONTEXT quote rows, and rows are about people.
log_error_verbosity = terse
"""
_RULES = """\
# Written once, when the database was created. TYPE DATABASE USER METHOD
local all all scram-sha-256
local replication all scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Server:
    """`name` is random, and names the server in the list of processes."""

    data_dir: Path
    place: Place
    password: str
    name: str

    @property
    def data(self) -> Path:
        return self.place.home / "data"

    @property
    def sockets(self) -> Path:
        return sockets(self.place.home, self.name)


def load(data_dir: Path, say: Say) -> Server:
    """The server of `data_dir`, not started; its folder and secrets are made if need be. Raises EmbeddedError."""
    place = settle(data_dir, say)
    kept = kept_secrets(data_dir)
    if kept is None:
        if (place.home / "data").exists():
            raise EmbeddedError(f"{data_dir / 'postgres.json'} 不见了，其中有 {place.home} 的密码，请从备份恢复它。")
        kept = token(), f"minsheng-{token_hex(6)}"
    server = Server(data_dir, place, *kept)
    _keep(server)
    return server


def kept_secrets(data_dir: Path) -> tuple[str, str] | None:
    """Password and name of the server of `data_dir`, None where there is none. Raises EmbeddedError if unreadable."""
    path = data_dir / "postgres.json"
    try:
        kept = json.loads(path.read_text())
        return kept["password"], kept["name"]
    except FileNotFoundError:
        return None
    except PermissionError as wrong:
        raise EmbeddedError(f"无权读取 {path}：请用建立它的用户或 root 运行。") from wrong
    except (ValueError, KeyError, TypeError) as wrong:
        raise EmbeddedError(f"{path} 已损坏，请从备份恢复它。") from wrong


def sockets(home: Path, name: str) -> Path:
    """The socket's folder: in `home`, unless that is too long for a socket, or holds what libpq can't have in a host.

    /tmp is second choice: it is cleaned, and a systemd service may have one of its own (PrivateTmp=). Its name holds
    the place too, lest a copy of a data directory takes the socket of its original.
    """
    inside = home / "socket"
    if re.fullmatch(r"[\w./+-]+", str(inside), re.ASCII) and len(f"{inside}/{_SOCKET}") <= _LONGEST_SOCKET:
        return inside
    mark = hashlib.sha256(os.fsencode(f"{name}{home}")).hexdigest()[:16]
    return Path("/tmp") / f"minsheng-{mark}"  # noqa: S108 (ownership and mode are checked, never followed)


def ensure(server: Server, say: Say) -> Server:
    """Returns once the server takes connections: joined, or created and started; waits for recovery however long.

    The server returned may have another socket folder than the one given. Raises EmbeddedError.
    """
    if _answers(server, say, monotonic()):
        return server
    if _running(server):
        say("数据库的套接字不见了（可能 /tmp 被清理过），正在重新启动数据库。")
        stop(server)
    if not server.data.exists():
        say(f"首次使用，正在 {server.place.home} 建立数据库，约需几秒……")
        _create(server)
    return _start(server, say)


def stop(server: Server) -> None:
    """Stops it cleanly (open transactions are rolled back), within 60 s; nothing if it does not run."""
    if _running(server):
        _, output = run(server.place, "pg_ctl", "stop", "-D", "data", "-m", "fast", "-w", "-t", "60", seconds=90)
        if _running(server):
            raise EmbeddedError(f"数据库在 60 秒内没有停下，仍在停止中：{output.strip()}")
    with suppress(OSError):  # not ours, or not empty: then it stays
        server.sockets.rmdir()


def _create(server: Server) -> None:
    """Under another name first: whoever is killed in between leaves no half-made database that looks whole."""
    place = server.place
    # A name of its own: the initdb of a killed process may still be at work on the one before.
    new = place.home / f"new-{token_hex(4)}"
    _, version = run(place, "postgres", "--version", seconds=30)
    found = re.search(r"(\d+)", version)
    locale = ["--lc-collate=C", "--lc-ctype=C.UTF-8"]
    if found and int(found[1]) >= 17:  # independent of the machine's libc, so indexes survive its updates
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    others = [f"--lc-{name}=C" for name in ("messages", "monetary", "numeric", "time")]
    # "reject", as scram would demand a password in a file here; our own rules replace it below.
    options = ["-D", new.name, "-U", "o2o", "-E", "UTF8", "-k", "-A", "reject", "-T", "simple"]
    code, output = run(place, "initdb", *options, *locale, *others, seconds=300)
    if code != 0:
        raise EmbeddedError(f"没有能建立数据库：\n{_last(output)}")
    sql = f"ALTER ROLE o2o PASSWORD '{server.password}'\nCREATE DATABASE o2o\n"
    single = ["--single", "-D", new.name, "-c", "exit_on_error=on", "template1"]
    code, output = run(place, "postgres", *single, feed=sql, seconds=300)
    if code != 0:
        raise EmbeddedError(f"没有能建立数据库：\n{_last(output)}")
    write_private(new / "pg_hba.conf", _RULES, place.uid, place.gid)
    new.rename(server.data)


def _start(server: Server, say: Say) -> Server:
    server = _socket_folder(server)
    place = server.place
    text = _SETTINGS.format(port=_PORT, sockets=server.sockets)
    write_private(server.data / "postgresql.conf", text, place.uid, place.gid)
    for left in place.home.glob("new-*"):
        shutil.rmtree(left, ignore_errors=True)
    began = monotonic()
    while True:
        _forget_foreign_pid(server)
        (place.home / "start.log").unlink(missing_ok=True)
        # pg_ctl gives the server a session of its own; after 10 s `_answers` takes over, which has all the time.
        call = ["start", "-D", "data", "-l", "start.log", "-o", f"-c cluster_name={server.name}", "-w", "-t", "10"]
        _, said = run(place, "pg_ctl", *call, seconds=60)
        if _answers(server, say, began):
            return server
        log = _log(place.home) or said
        if "shared memory block" not in log or monotonic() - began > 30:
            raise EmbeddedError(f"数据库没有启动成功。{place.home} 中日志的末尾：\n{_last(log)}")
        sleep(0.1)  # backends of a killed server still hold the memory; they are about to notice


def _answers(server: Server, say: Say, began: float) -> bool:
    """True once it takes connections, False when it does not run or has lost its socket. Recovery is waited for."""
    told = began
    while status := _running(server):
        call = ["-q", "-t", "1", "-h", str(server.sockets), "-p", str(_PORT)]
        code, _ = run(server.place, "pg_isready", *call, seconds=30)
        if code == 0 and status != "stopping":
            return True
        if status == "ready" and not (server.sockets / _SOCKET).exists() and _running(server) == "ready":
            return False
        if monotonic() - told >= WORD_EVERY:
            told = monotonic()
            say(f"数据库还没有就绪（可能正在从上次的中断中恢复），已等待 {told - began:.0f} 秒，请不要中断。")
        sleep(0.05)
    return False


def _pid_file(server: Server) -> list[str]:
    try:
        return (server.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _running(server: Server) -> str:
    """What postmaster.pid says of the state (starting, ready, stopping, …), "" where no server of ours runs."""
    lines = _pid_file(server)
    if not lines or not lines[0].isdigit() or not _is_server(int(lines[0]), server):
        return ""
    return lines[7].strip() if len(lines) > 7 else "starting"


def _is_server(pid: int, server: Server) -> bool:
    """Numbers are used again, after a reboot or in a container that starts anew the very same: look who it is."""
    if not Path("/proc/self/cmdline").exists():
        return _exists(pid)
    try:
        call = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"cluster_name={server.name}".encode() in call or os.fsencode(server.data) in call


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as wrong:
        return isinstance(wrong, PermissionError)
    return True


def _forget_foreign_pid(server: Server) -> None:
    """Where a stranger has the number in a stale postmaster.pid, PostgreSQL would refuse to start for ever.

    Our own number instead: it knows the one who called pg_ctl to be no server. The file itself must stay, its line on
    shared memory is what keeps two servers from the same data.
    """
    lines = _pid_file(server)
    if lines and lines[0].isdigit() and not _running(server) and _exists(int(lines[0])):
        text = "\n".join([str(os.getpid()), *lines[1:]]) + "\n"
        write_private(server.data / "postmaster.pid", text, server.place.uid, server.place.gid)


def _socket_folder(server: Server) -> Server:
    """Makes the private folder; one in /tmp that somebody else holds is never used, another name is taken instead."""
    uid, gid = server.place.uid, server.place.gid
    while True:
        folder = server.sockets
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077 and found.st_uid in (uid, os.geteuid())
        if private:
            if found.st_uid != uid:
                os.chown(folder, uid, gid, follow_symlinks=False)
            for left in (_SOCKET, f"{_SOCKET}.lock"):  # of a server that was killed; no server of ours runs now
                (folder / left).unlink(missing_ok=True)
            return server
        if folder.parent == server.place.home:
            raise EmbeddedError(f"{folder} 不再是只有数据库自己能进的文件夹，请删除它。")
        server = replace(server, name=f"minsheng-{token_hex(6)}")
        _keep(server)


def _keep(server: Server) -> None:
    owner = server.data_dir.stat()
    text = json.dumps({"password": server.password, "name": server.name})
    path = server.data_dir / "postgres.json"
    if not path.exists() or path.read_text() != text:
        write_private(path, text, owner.st_uid, owner.st_gid)


def _log(home: Path) -> str:
    """The log that was written last: before the server has its own log, it complains to start.log."""
    logs = [path for path in (home / "start.log", *home.glob("log/*.log")) if path.exists()]
    newest = max(logs, key=lambda path: path.stat().st_mtime_ns, default=None)
    return newest.read_text(errors="replace") if newest else ""


def _last(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-8:])
