"""The spool's files: whole or not there, each message once, in order, one process at a time."""

import os
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.base.spool import FOLDER, Spool, SpoolFull, Waiting, group, unusable, waiting

FIRST, SECOND = f"{'a' * 16}-{'1' * 32}", f"{'a' * 16}-{'2' * 32}"
OTHER = f"{'b' * 16}-{'3' * 32}"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


def at(tmp_path: Path, name: str, nanoseconds: int) -> None:
    os.utime(tmp_path / FOLDER / name, ns=(nanoseconds, nanoseconds))


def test_what_is_put_is_there_for_a_process_that_starts_later(spool: Spool, tmp_path: Path) -> None:
    assert spool.put(FIRST, b"one")
    later = Spool(tmp_path)
    assert (later.count, later.refresh(), later.count) == (0, 1, 1)
    assert later.read(FIRST) == b"one"
    assert later.holds(group(FIRST))
    assert not later.holds(group(OTHER))


def test_nobody_else_on_the_machine_can_read_it(spool: Spool, tmp_path: Path) -> None:
    spool.put(FIRST, b"one")
    with spool.turn():
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / FOLDER).iterdir()}
    assert modes == {FIRST: 0o600, "lock": 0o600}
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700


def test_the_same_message_is_kept_once_by_however_many_at_once(tmp_path: Path) -> None:
    spools = [Spool(tmp_path) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        fresh = list(threads.map(lambda one: one.put(FIRST, b"one"), spools * 5))
    assert fresh.count(True) == 1
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [FIRST]


def test_threads_of_one_process_count_what_they_put_and_drop(spool: Spool, tmp_path: Path) -> None:
    names = [f"{n % 7:016x}-{n:032x}" for n in range(200)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: spool.put(name, b"x"), names))
        list(threads.map(spool.drop, names[:150]))
        list(threads.map(spool.drop, names[:150]))
    assert spool.count == waiting(tmp_path).count == spool.refresh() == 50


def test_a_half_written_file_is_no_message_and_is_swept_away_in_time(spool: Spool, tmp_path: Path) -> None:
    spool.put(FIRST, b"one")
    old, young = (tmp_path / FOLDER / f".{digit * 16}" for digit in "ab")
    for draft in (old, young):
        draft.write_bytes(b"hal")
    os.utime(old, (0, 0))
    assert spool.oldest_first() == [FIRST]
    assert (old.exists(), young.exists()) == (False, True)


def test_the_oldest_comes_first_whatever_it_is_called(spool: Spool, tmp_path: Path) -> None:
    for nanoseconds, name in enumerate((SECOND, OTHER, FIRST), 1):
        spool.put(name, b"x")
        at(tmp_path, name, nanoseconds)
    assert spool.oldest_first() == [SECOND, OTHER, FIRST]


def test_a_full_spool_takes_nothing_new_but_still_knows_what_it_has(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=2)
    spool.put(FIRST, b"one")
    spool.put(SECOND, b"two")
    with pytest.raises(SpoolFull):
        spool.put(OTHER, b"three")
    assert not spool.put(FIRST, b"one")
    spool.drop(SECOND)
    assert spool.put(OTHER, b"three")


def test_what_another_process_took_out_is_not_held_any_more(spool: Spool, tmp_path: Path) -> None:
    spool.put(FIRST, b"one")
    Spool(tmp_path).drop(FIRST)
    assert not spool.holds(group(FIRST))
    assert spool.read(FIRST) is None


def test_one_at_a_time_takes_out(spool: Spool, tmp_path: Path) -> None:
    with spool.turn() as mine, Spool(tmp_path).turn() as theirs:
        assert (mine, theirs) == (True, False)
    with Spool(tmp_path).turn() as theirs:
        assert theirs


def test_how_full_it_is_can_be_asked_without_a_spool(spool: Spool, tmp_path: Path) -> None:
    assert waiting(tmp_path) == Waiting(0, None, 0)
    for name in (FIRST, SECOND, OTHER):
        spool.put(name, b"x")
    at(tmp_path, SECOND, 1_000_000_000)
    spool.set_aside(FIRST)
    found = waiting(tmp_path)
    assert (found.count, found.bad) == (2, 1)
    assert found.oldest is not None
    assert found.oldest > 1_000_000_000
    assert spool.count == 2


def test_a_disk_that_will_not_have_it_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    with pytest.raises(OSError, match="Not a directory"):
        Spool(tmp_path).put(FIRST, b"one")


def test_what_is_no_file_is_no_message_though_it_is_called_like_one(spool: Spool, tmp_path: Path) -> None:
    spool.put(FIRST, b"one")
    (tmp_path / FOLDER / SECOND).mkdir()
    (tmp_path / FOLDER / OTHER).symlink_to(tmp_path / FOLDER / FIRST)
    assert spool.oldest_first() == [FIRST]
    assert spool.refresh() == waiting(tmp_path).count == 1
    assert sorted(unusable(tmp_path)) == sorted([SECOND, OTHER])


def test_what_we_may_not_read_or_lock_is_named() -> None:
    """Not below tmp_path: nobody but root may go there where root runs the tests."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        spool, folder = Spool(Path(place)), Path(place) / FOLDER
        assert unusable(Path(place)) == []
        spool.put(FIRST, b"one")
        spool.put(OTHER, b"two")
        with spool.turn():
            assert unusable(Path(place)) == []
        for path, mode in ((folder, 0o777), (folder / FIRST, 0o644), (folder / OTHER, 0o000), (folder / "lock", 0o444)):
            path.chmod(mode)
        if root:
            os.seteuid(65534)
        try:
            assert sorted(unusable(Path(place))) == [OTHER, "lock"]
        finally:
            if root:
                os.seteuid(0)
