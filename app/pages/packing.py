"""Answers in gzip: at 400 kbit/s that saves the county's board a second."""

import gzip

from fastapi import Request
from fastapi.responses import Response


def packed(request: Request, answer: Response) -> Response:
    """The answer, gzipped where the caller takes that.

    Only for what is public: compressing a secret beside what a stranger chose tells of the secret.
    """
    answer.headers["Vary"] = "Accept-Encoding"
    if "gzip" in request.headers.get("accept-encoding", ""):
        answer.body = gzip.compress(bytes(answer.body), 6, mtime=0)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Content-Length"] = str(len(answer.body))
    return answer
