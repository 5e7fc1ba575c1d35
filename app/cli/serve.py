"""`o2o serve`: the HTTP service."""

import os
import socket
from typing import Annotated, Any

import typer

from app.cli import settings as configuration
from app.cli.database import embedded, ready
from app.domain.errors import Busy

# Given to whoever runs uvicorn: our logs, not its own, and no line per request.
UVICORN: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "timeout_graceful_shutdown": 10,
    "server_header": False,
}


def refuse_taken(host: str, port: int) -> None:
    """Raises Busy where somebody listens there already: told before a database is started for nothing."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Busy("serve.port", f"端口 {port} 已被占用（或不能使用），请换一个，例如 {port + 10}") from error


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
    refuse_taken(host, port)
    with embedded(settings, guard=True) as url:
        ready(url, settings)
        # The workers are new processes: they find the database in their environment.
        os.environ["O2O_DATABASE_URL"] = url
        uvicorn.run("app.main:from_settings", factory=True, host=host, port=port, workers=workers, **UVICORN)
