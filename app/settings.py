"""Settings, read once from O2O_* (and .env) and handed down; features never import them as a global."""

import json
import re
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEMO_STATE = "demo-state.json"
"""Beside demo.json: what the demo must remember between starts (the offset of its clock)."""
CENTURY = 100 * 366 * 86_400.0
"""Seconds that a shifted clock may be off at most: years that every calendar and database knows."""

ADDRESS = r"^https?://([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?(/[^?#\s]*)?$"
"""An http(s) address with a host, as programs write it: a Chinese domain is xn--… there."""


def _networks(given: str) -> str:
    for one in filter(None, (one.strip() for one in given.split(","))):
        ip_network(one)
    return given


def _printable(given: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]*", given.get_secret_value()):
        raise ValueError("not fit for a header")
    return given


class Settings(BaseSettings):
    """Everything an installation can set; the README lists each with its meaning.

    `description`: what a value must be, for whoever has written another.
    """

    model_config = SettingsConfigDict(env_prefix="O2O_", env_file=".env", extra="ignore", frozen=True)

    env: Literal["production", "demo"] | None = Field(default=None, description="production 或 demo")
    data_dir: Path = Path(".o2o")
    database_url: str = Field(
        default="",
        pattern=r"^$|^postgres(ql)?(\+asyncpg)?://.",
        description="postgresql://用户:口令@主机:端口/库名，或不设",
    )
    secret_key: SecretStr = SecretStr("")
    base_url: str = Field(
        default="http://127.0.0.1:8000",
        pattern=ADDRESS,
        description="http:// 或 https:// 加域名，如 https://minsheng.example.cn（中文域名写成 xn-- 开头的形式）",
    )
    clock_offset: float | None = Field(
        default=None, ge=-CENTURY, le=CENTURY, allow_inf_nan=False, description="秒数，前后不超过一百年"
    )
    pool_size: int = Field(default=10, ge=2, le=200, description="2 到 200 的整数")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug、info、warning 或 error"
    )
    metrics_token: Annotated[SecretStr, AfterValidator(_printable)] = Field(
        default=SecretStr(""), description="一串字母、数字和符号，不含空格和中文"
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        default="127.0.0.1,::1", description="IP 地址或网段，用英文逗号分开，如 127.0.0.1,10.0.0.0/8"
    )
    file_store: str = Field(default="", pattern=r"^$|^s3://[^/\s]+(/\S*)?$", description="s3://桶/前缀，或不设")
    s3_endpoint: str = Field(default="", pattern=r"^$|^https?://[^/\s]+/?$", description="https://主机，或不设")
    s3_region: str = ""
    s3_access_key_id: str = ""
    s3_secret_access_key: SecretStr = SecretStr("")
    s3_virtual_host: bool = Field(default=False, description="true 或 false")

    @cached_property
    def mode(self) -> Literal["production", "demo"]:
        """`production` unless said otherwise, or the data directory holds a demo."""
        if self.env is not None:
            return self.env
        return "demo" if (self.data_dir / DEMO_STATE).exists() else "production"

    @cached_property
    def offset(self) -> float:
        """Seconds by which the business clock is ahead; the demo keeps its own beside its data.

        Raises ValueError in production (a shifted clock is for demos and tests only), and where what is kept is none.
        """
        if self.mode == "production":
            if self.clock_offset:
                raise ValueError("O2O_CLOCK_OFFSET 只能在演示或测试中使用（O2O_ENV=production 时拒绝）")
            return 0.0
        if self.clock_offset is not None:
            return self.clock_offset
        state = self.data_dir / DEMO_STATE
        if not state.exists():
            return 0.0
        try:
            kept = json.loads(state.read_text("utf-8"))["clock_offset"]
        except (ValueError, LookupError, TypeError):
            kept = None
        # Also false where it is NaN.
        if not (isinstance(kept, int | float) and -CENTURY <= kept <= CENTURY):
            raise ValueError(f"{state} 里的 clock_offset 应为秒数，前后不超过一百年；可删去该文件后再试")
        return float(kept)
