"""Both stores keep contents by digest, whole or not at all, and say so where they can't."""

import asyncio
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app.files.choosing import store_of
from app.files.disk import FOLDER, DiskStore
from app.files.s3 import S3Store
from app.files.store import Store, StoreAway, digest_of
from app.settings import Settings
from tests.files import s3_server
from tests.files.s3_server import S3Server

ONE, OTHER = b"one photo" * 100, b"another"
DIGEST = digest_of(ONE)


@pytest.fixture
def server() -> Iterator[S3Server]:
    with s3_server.serving() as found:
        yield found


def bucket(server: S3Server, **changes: object) -> Store:
    fields: dict[str, object] = {
        "file_store": f"s3://{s3_server.BUCKET}/county",
        "s3_endpoint": server.endpoint,
        "s3_region": s3_server.REGION,
        "s3_access_key_id": s3_server.KEY,
        "s3_secret_access_key": SecretStr(s3_server.SECRET),
    }
    return store_of(Settings(**(fields | changes)))  # type: ignore[arg-type]


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, server: S3Server) -> Store:
    return DiskStore(tmp_path) if request.param == "disk" else bucket(server)


def kept(tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / FOLDER
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_what_is_put_is_there_under_its_digest_until_it_is_dropped(store: Store) -> None:
    assert (await store.get(DIGEST), await store.size(DIGEST)) == (None, None)
    await store.put(DIGEST, ONE)
    await store.put(digest_of(OTHER), OTHER)
    assert (await store.get(DIGEST), await store.size(DIGEST)) == (ONE, len(ONE))
    await store.drop(DIGEST)
    await store.drop(DIGEST)
    assert (await store.get(DIGEST), await store.get(digest_of(OTHER))) == (None, OTHER)


async def test_the_same_put_by_many_at_once_is_one(store: Store, tmp_path: Path, server: S3Server) -> None:
    await asyncio.gather(*(store.put(DIGEST, ONE) for _ in range(10)))
    path = f"{DIGEST[:2]}/{DIGEST[2:]}"
    if isinstance(store, S3Store):
        assert server.objects == {f"county/{path}": ONE}
    else:
        assert kept(tmp_path) == {path: ONE}


async def test_a_look_leaves_nothing_behind(store: Store, tmp_path: Path, server: S3Server) -> None:
    await store.probe()
    await store.tidy()
    assert kept(tmp_path.parent / "nowhere") == {}
    assert server.objects == {}


async def test_on_the_disk_nobody_else_can_read_it(tmp_path: Path) -> None:
    await DiskStore(tmp_path).put(DIGEST, ONE)
    await DiskStore(tmp_path).probe()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / FOLDER).rglob("*")}
    assert sorted(modes.values()) == [0o600, 0o700]
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700


async def test_what_the_disk_has_spoilt_is_mended_by_whoever_sends_it_again(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    await store.put(DIGEST, ONE)
    (tmp_path / FOLDER / DIGEST[:2] / DIGEST[2:]).write_bytes(ONE[:-1] + b"?")
    await store.put(DIGEST, ONE)
    assert await store.get(DIGEST) == ONE


async def test_a_full_disk_keeps_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DiskStore(tmp_path)
    await store.put(digest_of(OTHER), OTHER)
    before = kept(tmp_path)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreAway, match="磁盘满了"):
        await store.put(DIGEST, ONE)
    monkeypatch.undo()
    assert kept(tmp_path) == before
    assert await store.get(DIGEST) is None


async def test_what_was_left_half_written_goes_in_time_and_nothing_else(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    await store.put(DIGEST, ONE)
    old, young = (tmp_path / FOLDER / f".{letter * 16}" for letter in "ab")
    for draft in (old, young):
        draft.write_bytes(ONE[:9])
    os.utime(old, (0, 0))
    os.utime(tmp_path / FOLDER / DIGEST[:2] / DIGEST[2:], (0, 0))
    await store.tidy()
    assert set(kept(tmp_path)) == {young.name, f"{DIGEST[:2]}/{DIGEST[2:]}"}


async def test_a_folder_that_is_none_or_not_ours_is_said(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("no folder")
    for asked in (DiskStore(tmp_path).put(DIGEST, ONE), DiskStore(tmp_path).get(DIGEST), DiskStore(tmp_path).probe()):
        with pytest.raises(StoreAway, match=r"它不是文件夹|已经有了"):
            await asked


@pytest.mark.parametrize("fault", [403, 500, 503])
async def test_a_bucket_that_does_not_answer_as_it_should_is_away_and_nothing_is_lost(
    server: S3Server, fault: int
) -> None:
    store = bucket(server)
    server.fault = fault
    for asked in (store.put(DIGEST, ONE), store.get(DIGEST), store.size(DIGEST), store.drop(DIGEST), store.probe()):
        with pytest.raises(StoreAway, match=str(fault)):
            await asked
    server.fault = None
    await store.put(DIGEST, ONE)
    assert await store.get(DIGEST) == ONE


async def test_no_bucket_a_wrong_secret_and_no_server_are_no_missing_files(server: S3Server) -> None:
    for store in (
        bucket(server, file_store="s3://nobodys"),
        bucket(server, s3_secret_access_key=SecretStr("wrong")),
        bucket(server, s3_endpoint="http://127.0.0.1:1"),
    ):
        for asked in (store.put(DIGEST, ONE), store.get(DIGEST), store.probe()):
            with pytest.raises(StoreAway) as away:
                await asked
            assert "\n" not in str(away.value)
            assert s3_server.SECRET not in str(away.value)


async def test_a_large_recording_is_sent_in_one_piece(server: S3Server) -> None:
    content = os.urandom(10 * 1024 * 1024)
    await bucket(server).put(digest_of(content), content)
    assert len(server.seen) == 1
    assert list(server.objects.values()) == [content]


async def test_the_bucket_may_stand_before_the_host(server: S3Server) -> None:
    server.virtual = True
    endpoint = f"http://0.0.1:{server.server_address[1]}"
    store = bucket(
        server, s3_endpoint=endpoint, s3_virtual_host=True, file_store=f"s3://{s3_server.BEFORE_HOST}/county"
    )
    await store.put(DIGEST, ONE)
    assert server.objects == {f"county/{DIGEST[:2]}/{DIGEST[2:]}": ONE}
    assert server.seen == [f"PUT /county/{DIGEST[:2]}/{DIGEST[2:]}"]


def test_settings_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    plain = Settings(data_dir=tmp_path)
    assert store_of(plain).where == str(tmp_path / FOLDER)
    half = Settings(file_store="s3://b", s3_access_key_id="a")
    with pytest.raises(ValueError, match="要么都填，要么都不填"):
        store_of(half)
    for wrong in ("b", "s3:/b", "s3://", "file:///x", "s3://b c"):
        with pytest.raises(ValidationError):
            Settings(file_store=wrong)
