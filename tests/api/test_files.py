"""POST and GET /api/v1/files: a form with one file, checked by its content; served to nobody who may not see it."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import text

from app.base.batch import Batch
from app.base.db import Database
from app.domain.files import MOST_BYTES
from app.domain.policy import SYSTEM, Actor, ActorKind
from app.files import service
from app.files.disk import FOLDER, DiskStore
from tests.api.conftest import SignIn
from tests.files import nasty, recordings

FILES = "/api/v1/files"
COURIER = "courier-430121001001001-1"
VILLAGE = "430121001001"
BOUNDARY = "boundary"


@pytest.fixture
def kept(app: FastAPI, tmp_path: Path) -> Path:
    """The folder of the application's store."""
    app.state.store = DiskStore(tmp_path)
    return tmp_path / FOLDER


@pytest.fixture
async def courier(sign_in: SignIn, kept: Path) -> httpx.AsyncClient:
    return await sign_in(COURIER)


async def send(
    client: httpx.AsyncClient, content: bytes, name: str = "photo.jpg", declared: str = "image/jpeg"
) -> httpx.Response:
    return await client.post(FILES, files={"file": (name, content, declared)})


def nothing_in(kept: Path) -> bool:
    return not kept.exists()


def spoil(kept: Path) -> None:
    """Every file in it; where there is no folder yet, it can't become one."""
    if not kept.exists():
        kept.write_text("no folder")
    for path in kept.rglob("*"):
        if path.is_file():
            path.write_bytes(b"spoilt")


async def rows(database: Database) -> int:
    async with database.open_work(SYSTEM) as work:
        return int((await work.conn.execute(text("SELECT count(*) FROM file"))).scalar_one())


async def attach(database: Database, file_id: str, number: str) -> None:
    """To the first event of that ticket, by whoever sent the file."""
    async with database.open_work(SYSTEM) as work:
        sender = (await work.conn.execute(text("SELECT staff_id FROM file WHERE id = :i"), {"i": file_id})).scalar_one()
        found = await work.conn.execute(text("SELECT id FROM ticket WHERE number = :n"), {"n": number})
        ticket_id = found.scalar_one()
    async with database.open_work(Actor(ActorKind.STAFF, sender)) as work:
        batch = Batch()
        service.link(batch, ticket_id, 1, await service.claim(work, [file_id]))
        await batch.write(work.conn)


async def recorded(client: httpx.AsyncClient, **more: object) -> str:
    body = {"description": "垃圾没人清", "channel": "group", "division_code": "430121001001001"} | more
    answer = await client.post("/api/v1/tickets", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


async def test_a_photo_with_a_place_comes_back_without_it(courier: httpx.AsyncClient) -> None:
    sent = nasty.jpeg((3000, 2000), exif=nasty.exif(6))
    answer = await send(courier, sent, "IMG_0001.JPG")
    assert answer.status_code == 201
    said = answer.json()
    assert set(said) == {"id", "content_type", "bytes"}
    assert answer.headers["location"] == f"{FILES}/{said['id']}"
    got = await courier.get(answer.headers["location"])
    assert (got.status_code, len(got.content)) == (200, said["bytes"])
    image = Image.open(io.BytesIO(got.content))
    assert (image.size, dict(image.getexif())) == ((1333, 2000), {})
    assert nasty.SECRET.encode() not in got.content


async def test_how_files_are_served(courier: httpx.AsyncClient) -> None:
    for content, kind, shown, suffix in (
        (nasty.encoded(nasty.picture(), "PNG"), "image/jpeg", "inline", "jpg"),
        (recordings.amr(), "audio/amr", "attachment", "amr"),
        (recordings.m4a(), "audio/mp4", "attachment", "m4a"),
    ):
        said = (await send(courier, content)).json()
        got = await courier.get(f"{FILES}/{said['id']}")
        assert (said["content_type"], got.headers["content-type"]) == (kind, kind)
        assert got.headers["content-disposition"] == f'{shown}; filename="{said["id"][:12]}.{suffix}"'
        assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("content", "name", "declared"),
    [
        (nasty.SVG, "photo.svg", "image/svg+xml"),
        (nasty.SVG, "photo.jpg", "image/jpeg"),
        (nasty.HTML, "photo.png", "image/png"),
        (nasty.archive(), "recording.mp3", "audio/mpeg"),
        (nasty.jpeg() + nasty.archive(), "photo.jpg", "image/jpeg"),
        (nasty.jpeg() + nasty.HTML, "photo.jpg", "image/jpeg"),
        (nasty.GIF_SCRIPT, "photo.gif", "image/gif"),
        (nasty.bomb(20_000, 20_000), "photo.png", "image/png"),
        (nasty.jpeg()[:-100], "photo.jpg", "image/jpeg"),
        (nasty.frames("GIF"), "photo.gif", "image/gif"),
        (nasty.HEIC, "photo.heic", "image/heic"),
        (b"", "photo.jpg", "image/jpeg"),
    ],
    ids=[
        "svg",
        "svg.jpg",
        "html.png",
        "zip.mp3",
        "jpeg+zip",
        "jpeg+html",
        "gif.js",
        "bomb",
        "cut",
        "film",
        "heic",
        "0",
    ],
)
async def test_nasty_files_are_refused_in_words_and_nothing_is_kept(
    courier: httpx.AsyncClient, kept: Path, database: Database, content: bytes, name: str, declared: str
) -> None:
    answer = await send(courier, content, name, declared)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/file"
    assert any("\u4e00" <= character <= "\u9fff" for character in error["detail"])
    assert nothing_in(kept)
    assert await rows(database) == 0


async def test_the_name_and_the_declared_type_count_for_nothing(courier: httpx.AsyncClient) -> None:
    for content, kind in ((nasty.jpeg(), "image/jpeg"), (recordings.wav(), "audio/wav")):
        said = (await send(courier, content, "../../etc/passwd\r\n.svg", "text/html")).json()
        assert said["content_type"] == kind
        got = await courier.get(f"{FILES}/{said['id']}")
        assert got.headers["content-type"] == kind
        assert "passwd" not in str(got.headers)


@pytest.mark.parametrize("announced", [True, False])
async def test_a_photo_of_50_mb_is_refused_before_it_is_all_read(
    courier: httpx.AsyncClient, kept: Path, announced: bool
) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        yield head.encode()
        for _ in range(50):
            read += 1
            yield bytes(1024 * 1024)

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    headers |= {"Content-Length": str(50 * 1024 * 1024)} if announced else {}
    answer = await courier.post(FILES, content=body(), headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (413, "文件太大，最多 10 MB")
    assert read <= 12
    assert nothing_in(kept)


async def test_one_byte_more_than_10_mb_is_too_much_and_10_mb_are_not(courier: httpx.AsyncClient) -> None:
    sound = recordings.amr(MOST_BYTES // 32 - 1)
    just = sound + b"\x3c" + bytes(MOST_BYTES - len(sound) - 1)
    assert len(just) == MOST_BYTES
    assert (await send(courier, just)).status_code == 201
    assert (await send(courier, just + b"\0")).status_code == 413


async def test_who_may_not_send_files_does_not_make_us_read_one(
    stranger: httpx.AsyncClient, sign_in: SignIn, kept: Path
) -> None:
    read = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read = True
        yield b"x"

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    for client, status in ((stranger, 401), (await sign_in("operator-430121-1"), 403)):
        assert (await client.post(FILES, content=body(), headers=headers)).status_code == status
    assert not read


# Of a form that was cut off Starlette leaves its temporary file to be closed when it is forgotten.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "form",
    [
        {"content": b""},
        {"json": {"file": "x"}},
        {"data": {"file": "x"}},
        {"files": {"file": (None, "text, no file")}},
        {"files": [("file", ("a", nasty.jpeg())), ("file", ("b", nasty.jpeg()))]},
        {"files": [("file", (str(n), b"x")) for n in range(10)]},
        {"content": b"--b\r\nnonsense", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"content": b"--b--", "headers": {"Content-Type": "multipart/form-data"}},
        {
            "content": b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + nasty.jpeg(),
            "headers": {"Content-Type": "multipart/form-data; boundary=b"},
        },
    ],
    ids=["nothing", "json", "urlencoded", "text", "two", "ten", "nonsense", "no boundary", "cut off"],
)
async def test_what_is_no_form_with_one_file_is_refused(
    courier: httpx.AsyncClient, kept: Path, form: dict[str, Any]
) -> None:
    answer = await courier.post(FILES, **form)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/file")
    assert nothing_in(kept)


async def test_without_a_store_or_with_a_broken_one_it_is_said_and_nothing_half_done(
    app: FastAPI, courier: httpx.AsyncClient, kept: Path, database: Database
) -> None:
    spoil(kept)
    away = await send(courier, nasty.jpeg())
    assert (away.status_code, away.json()["type"]) == (503, "/problems/file.store_away")
    assert "retry-after" in away.headers
    app.state.store = None
    assert (await send(courier, nasty.jpeg())).json()["type"] == "/problems/file.store_none"
    async with database.open_work(SYSTEM) as work:
        assert (await work.conn.execute(text("SELECT count(*) FROM file WHERE stored"))).scalar_one() == 0


async def test_whoever_may_not_see_the_ticket_is_told_that_there_is_no_such_file(
    courier: httpx.AsyncClient, sign_in: SignIn, stranger: httpx.AsyncClient, database: Database
) -> None:
    file_id = (await send(courier, nasty.jpeg())).json()["id"]
    readers = ["admin-430121001", "admin-430121", "principal-430121001", "insp-430121001-1"]
    others = ["admin-430121105", "handler-U05-1", "courier-430121105001001-1"]
    before = [(await (await sign_in(name)).get(f"{FILES}/{file_id}")).status_code for name in readers + others]
    assert before == [404] * 7
    await attach(database, file_id, await recorded(courier))
    after = [(await (await sign_in(name)).get(f"{FILES}/{file_id}")).status_code for name in readers + others]
    assert after == [200] * 4 + [404] * 3
    assert (await stranger.get(f"{FILES}/{file_id}")).status_code == 401
    assert (await (await sign_in("operator-430121-1")).get(f"{FILES}/{file_id}")).status_code == 403
    client = await sign_in("admin-430121105")
    hidden, none = [await client.get(f"{FILES}/{one}") for one in (file_id, "x" * 43)]
    assert hidden.json() == none.json()


async def test_the_person_complained_of_and_their_chain_see_no_file_of_it(
    courier: httpx.AsyncClient, sign_in: SignIn, database: Database
) -> None:
    file_id = (await send(courier, nasty.jpeg())).json()["id"]
    number = await recorded(courier, about={"username": f"principal-{VILLAGE}"})
    await attach(database, file_id, number)
    chain = [f"principal-{VILLAGE}", f"admin-{VILLAGE}", "admin-430121001", "admin-430121", "principal-430121"]
    assert [(await (await sign_in(name)).get(f"{FILES}/{file_id}")).status_code for name in chain] == [404] * 5
    assert (await (await sign_in("insp-430121001-1")).get(f"{FILES}/{file_id}")).status_code == 200


async def test_bytes_that_are_lost_are_a_fault_that_is_said(courier: httpx.AsyncClient, kept: Path) -> None:
    file_id = (await send(courier, nasty.jpeg())).json()["id"]
    spoil(kept)
    answer = await courier.get(f"{FILES}/{file_id}")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/file.lost")
    assert b"spoilt" not in answer.content
