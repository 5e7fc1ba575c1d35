"""Style sheet and mark, held in memory under names that carry their digest: a browser keeps each one for a year."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.base.work import Opener
from app.domain.errors import Missing
from app.domain.policy import Permission
from app.pages.packing import packed
from app.web.gate import needs

router = APIRouter(include_in_schema=False)
_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    name: str
    content: bytes
    media_type: str


def _load() -> dict[str, Asset]:
    found = {}
    for path in sorted((Path(__file__).parent / "static").iterdir()):
        content = path.read_bytes()
        name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:10]}{path.suffix}"
        found[path.name] = Asset(name, content, _TYPES[path.suffix])
    return found


_BY_FILE = _load()
_BY_NAME = {asset.name: asset for asset in _BY_FILE.values()}


def address(file: str) -> str:
    """Where a page finds that file of static/. Raises KeyError where there is none."""
    return f"/static/{_BY_FILE[file].name}"


@router.get("/static/{name}")
async def serve(request: Request, _: Annotated[Opener, needs(Permission.PUBLIC, later=True)], name: str) -> Response:
    """Opens no Work: a page keeps its looks while the database is away."""
    found = _BY_NAME.get(name)
    if found is None:
        raise Missing("static.unknown", "没有这个文件")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return packed(request, Response(found.content, media_type=found.media_type, headers=headers))
