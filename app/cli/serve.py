"""`o2o serve`: the HTTP service."""

import errno
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from app.base.running.reasons import why
from app.cli import settings as configuration
from app.cli.database import embedded, ready
from app.cli.stopping import stoppable
from app.domain.errors import Busy

# Given to whoever runs uvicorn: our logs, not its own, and no line per request.
UVICORN: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "timeout_graceful_shutdown": 10,
    "server_header": False,
}

COUNTED_IN = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's name for it: it looks at it when it is imported, in the new processes."""


def refuse_taken(host: str, port: int) -> None:
    """Raises Busy where somebody listens there already: told before a database is started for nothing."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            # Ports below 1024 are root's.
            other = max(8000, port + 10) if port + 10 <= 65535 else 8000
            taken = error.errno in {errno.EADDRINUSE, errno.EACCES}
            todo = f"请换一个，例如 {other}" if taken else f"请检查监听地址 {host}"
            raise Busy("serve.port", f"端口 {port} 不能用（{why(error)}），{todo}") from error


def serve(
    port: Annotated[int, typer.Option(help="监听端口", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="进程数", min=1, max=64)] = 1,
    host: Annotated[str, typer.Option(help="监听地址；放在反向代理后面时才需要改")] = "127.0.0.1",
) -> None:
    """HTTP 服务。"""
    import uvicorn  # heavy: not for commands that only ask for --help

    settings = configuration.read()
    configuration.clock(settings)
    configuration.vault(settings)
    configuration.store(settings)
    refuse_taken(host, port)
    with stoppable(), embedded(settings, guard=True) as url, _counted(workers):
        ready(url, settings)
        # The workers are new processes: they find the database in their environment.
        os.environ["O2O_DATABASE_URL"] = url
        proxies = settings.trusted_proxies
        uvicorn.run(
            "app.main:from_settings",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            forwarded_allow_ips=proxies,
            **UVICORN,
        )


@contextmanager
def _counted(workers: int) -> Iterator[None]:
    """Where several processes serve: a folder in which they count together for /metrics (app.web.metrics)."""
    os.environ.pop(COUNTED_IN, None)
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="minsheng-metrics-") as folder:
        os.environ[COUNTED_IN] = folder
        yield
