"""A stand-in for an S3-compatible store on this machine: objects in memory, signatures checked, faults on demand.

It knows what we use: PUT, GET, HEAD and DELETE of one object, in path style or with the bucket before the host. The
signature is AWS Signature Version 4 (Authenticating Requests: Using the Authorization Header).
"""

import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

BEFORE_HOST = "127"
"""A bucket before the host 0.0.1 makes an address of this machine that needs no name server."""
BUCKET, KEY, SECRET, REGION = "minsheng", "an-access-key", "a secret access key", "cn-test"


class S3Server(ThreadingHTTPServer):
    """`objects`: key → content. `fault`: the status that every request gets; `delay`: seconds before each answer.
    `virtual`: the bucket stands before the host."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.seen: list[str] = []
        self.fault: int | None = None
        self.delay = 0.0
        self.virtual = False

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving() -> Iterator[S3Server]:
    server = S3Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: S3Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, status: int, body: bytes = b"", *, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(f"{self.command} {self.path}")
        time.sleep(self.server.delay)
        if self.server.fault is not None:
            self._answer(self.server.fault)
        elif not self._signed(body):
            self._error(403, "SignatureDoesNotMatch")
        else:
            bucket, key = self._place()
            if bucket not in {BUCKET, BEFORE_HOST}:
                self._error(404, "NoSuchBucket")
            else:
                self._act(key, body)

    do_GET = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815 - the library's names

    def _act(self, key: str, body: bytes) -> None:
        objects = self.server.objects
        match self.command:
            case "PUT":
                objects[key] = body
                self._answer(200, ETag=f'"{hashlib.md5(body).hexdigest()}"')
            case "DELETE":
                objects.pop(key, None)
                self._answer(204)
            case _ if key not in objects:
                self._error(404, "NoSuchKey")
            case _:
                content = objects[key]
                shown = b"" if self.command == "HEAD" else content
                stamp = "Tue, 24 Nov 2026 10:00:00 GMT"
                self._answer(200, shown, length=len(content), ETag='"x"', Last_Modified=stamp)

    def _place(self) -> tuple[str, str]:
        path = urlsplit(self.path).path.lstrip("/")
        if self.server.virtual:
            return self.headers["Host"].partition(".")[0], path
        bucket, _, key = path.partition("/")
        return bucket, key

    def _error(self, status: int, code: str) -> None:
        said = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
        self._answer(status, b"" if self.command == "HEAD" else said, length=len(said))

    def _signed(self, body: bytes) -> bool:
        """Whether whoever asks has the secret, and the body is the one that they signed."""
        kind, _, rest = self.headers.get("Authorization", "").partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if kind != "AWS4-HMAC-SHA256" or self.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            return False
        names = given["SignedHeaders"].split(";")
        parts = urlsplit(self.path)
        query = "&".join(
            f"{quote(k, safe='')}={quote(v, safe='')}"
            for k, v in sorted(parse_qsl(parts.query, keep_blank_values=True))
        )
        signed = "".join(f"{name}:{' '.join(self.headers[name].split())}\n" for name in names)
        digest = self.headers["x-amz-content-sha256"]
        request = "\n".join([self.command, parts.path, query, signed, ";".join(names), digest])
        key, scope = given["Credential"].split("/", 1)
        stamp = self.headers["x-amz-date"]
        text = "\n".join([kind, stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
        step = f"AWS4{SECRET}".encode()
        for part in (stamp[:8], REGION, "s3", "aws4_request"):
            step = hmac.digest(step, part.encode(), "sha256")
        right = hmac.digest(step, text.encode(), "sha256").hex()
        return key == KEY and scope == f"{stamp[:8]}/{REGION}/s3/aws4_request" and right == given["Signature"]
