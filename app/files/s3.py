"""The store in a bucket of anything that speaks S3 (MinIO, Ceph, Aliyun OSS, Huawei OBS …), under `prefix/ab/cdef…`."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from app.files.store import StoreAway, digest_of
from app.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

# Whoever sends a photo waits: 10 MB over a slow line, one more try where the connection broke.
_CLIENT: "ClientConfig" = {"connect_timeout": timedelta(seconds=3), "timeout": timedelta(seconds=20)}
_RETRY: "RetryConfig" = {"max_retries": 1, "retry_timeout": timedelta(seconds=20)}
_NOT_THERE = "NoSuchBucket"


class S3Store:
    def __init__(self, bucket: Bucket, where: str) -> None:
        self._bucket = bucket
        self._where = where

    @property
    def where(self) -> str:
        return self._where

    async def put(self, digest: str, content: bytes) -> None:
        with _reached():
            # In one request: what was begun in parts and never finished would lie there unseen.
            await self._bucket.put_async(_key(digest), content, use_multipart=False)

    async def get(self, digest: str) -> bytes | None:
        with _reached():
            try:
                return bytes(await (await self._bucket.get_async(_key(digest))).bytes_async())
            except FileNotFoundError as error:
                if _NOT_THERE in str(error):  # else all would be told that their files are lost
                    raise
                return None

    async def size(self, digest: str) -> int | None:
        with _reached():
            try:
                return (await self._bucket.head_async(_key(digest)))["size"]
            except FileNotFoundError:
                return None

    async def drop(self, digest: str) -> None:
        with _reached():
            await self._bucket.delete_async(_key(digest))

    async def tidy(self) -> None:
        """Nothing: what was not sent whole is not there."""

    async def probe(self) -> None:
        content = secrets.token_bytes(16)
        key = digest_of(content)
        await self.put(key, content)
        read = await self.get(key)
        await self.drop(key)
        if read != content:
            raise StoreAway("read back other bytes")


def of(settings: Settings) -> S3Store:
    """The bucket that O2O_FILE_STORE names. Raises ValueError where the settings don't fit together."""
    place = urlsplit(settings.file_store)
    key, secret = settings.s3_access_key_id, settings.s3_secret_access_key.get_secret_value()
    if bool(key) != bool(secret):
        raise ValueError("O2O_S3_ACCESS_KEY_ID 和 O2O_S3_SECRET_ACCESS_KEY 要么都填，要么都不填")
    # Aliyun OSS and Huawei OBS refuse the deletion of several in one request without a header that nobody sends.
    options: dict[str, Any] = {"region": settings.s3_region or "us-east-1", "disable_bulk_delete": True}
    if settings.s3_endpoint:
        options["endpoint"] = _endpoint(settings.s3_endpoint, place.netloc, virtual=settings.s3_virtual_host)
        options["virtual_hosted_style_request"] = settings.s3_virtual_host
    if key:
        options |= {"access_key_id": key, "secret_access_key": secret}
    client = _CLIENT | {"allow_http": settings.s3_endpoint.startswith("http://")}
    prefix = place.path.strip("/") or None
    bucket = Bucket(place.netloc, prefix=prefix, client_options=client, retry_config=_RETRY, **options)
    where = f"{settings.file_store}（{settings.s3_endpoint or 'AWS'}）"
    return S3Store(bucket, where)


def _endpoint(address: str, bucket: str, *, virtual: bool) -> str:
    """With the bucket before the host where the store wants it so (Aliyun OSS takes no other)."""
    if not virtual:
        return address.rstrip("/")
    parts = urlsplit(address)
    return f"{parts.scheme}://{bucket}.{parts.netloc}"


def _key(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:]}"


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise StoreAway(str(error).partition("\n")[0]) from error
