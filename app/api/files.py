"""Photos and recordings: sent before the act that they go with, read by whoever may see its ticket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.divisions.service import atlas
from app.domain.errors import Busy, Invalid
from app.domain.files import MOST_BYTES, FileType
from app.domain.policy import Permission
from app.files import service
from app.files.store import Store
from app.tickets import attachments
from app.web.gate import Admitted, needs

router = APIRouter(prefix="/files", tags=["照片录音"])
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY["schema"]}}
            }
        },
    }
}
_LOST: dict[int | str, dict[str, Any]] = {500: {"description": "文件在存储中丢失或损坏（file.lost）"}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "照片（JPEG）或录音", "content": {kind.value: _BINARY for kind in FileType}}
}


@dataclass(frozen=True, slots=True)
class UploadedFile:
    id: str
    content_type: str
    bytes: int


@router.post(
    "",
    status_code=201,
    response_model=UploadedFile,
    responses={
        413: {"description": f"文件超过 {MOST_BYTES // 1024 // 1024} MB"},
        429: {"description": "上传了太多还没用到的文件"},
    },
    openapi_extra=_FORM,
    summary="上传照片或录音",
    operation_id="file_upload",
)
async def upload(
    request: Request, admitted: Annotated[Admitted, needs(Permission.FILE_UPLOAD, later=True)]
) -> JSONResponse:
    """一次一个文件，最多 10 MB：照片 JPEG、PNG、WebP、GIF（最多 2500 万像素），录音 AMR、MP3、M4A、OGG、WAV。

    按内容识别，不看文件名。照片缩小、转正，去掉拍摄地点等全部附带信息；录音只去掉附带信息。id 在一天内用于一件
    事项的登记、走访、回复或办结（files），每次最多 9 个，每个只能用一次。
    """
    # The gate is before the body: who may not send files does not make us read one.
    async with _sent(request) as part:
        file = await service.upload(admitted, _store(request), admitted.actor, part.read)
    view = {"id": file.id, "content_type": file.content_type, "bytes": file.bytes}
    return JSONResponse(view, status_code=201, headers={"Location": f"/api/v1/files/{file.id}"})


@router.get(
    "/{id}", response_class=Response, responses=_FILE | _LOST, summary="照片或录音的内容", operation_id="file_show"
)
async def show(
    request: Request,
    admitted: Annotated[Admitted, needs(Permission.FILE_READ, read=True, later=True)],
    id_: Annotated[str, Path(alias="id", max_length=200)],
) -> Response:
    """看得到它所属事项的人可以看，上传的人可以看自己上传的；其他一律 404。"""
    async with admitted(admitted.actor) as work:
        file = await attachments.readable(work, await atlas(work), id_)
    content = await service.content(_store(request), file)
    kind = FileType(file.content_type)
    # A picture was made by us; a recording is what somebody sent, and is never opened in our page.
    shown = "inline" if kind is FileType.PHOTO else "attachment"
    headers = {
        "Content-Disposition": f'{shown}; filename="{file.id[:12]}.{kind.suffix}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type=kind.value, headers=headers)


def _store(request: Request) -> Store:
    store: Store | None = request.app.state.store
    if store is None:
        raise Busy("file.store_none", "没有存放文件的地方，请联系系统管理员")
    return store


@asynccontextmanager
async def _sent(request: Request) -> AsyncIterator[UploadFile]:
    """The one file of the form, under whatever name; beyond 1 MB it lies in a temporary file."""
    try:
        form = await request.form(max_files=2, max_fields=4)
    except ClientDisconnect as gone:
        raise _unread("没有传完整，请重新上传") from gone
    except HTTPException as error:
        if error.status_code == 413:
            raise
        raise _unread("上传的内容无法读取，请重新上传") from error
    try:
        parts = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if len(parts) != 1:
            raise _unread("请用 multipart/form-data 一次上传一个文件，字段名 file")
        if (parts[0].size or 0) > MOST_BYTES:
            raise HTTPException(413, f"文件太大，最多 {MOST_BYTES // 1024 // 1024} MB")
        yield parts[0]
    finally:
        await form.close()


def _unread(said: str) -> Invalid:
    return Invalid.field("file.form", "/file", said)
