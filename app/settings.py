"""Settings, read once from O2O_* (and .env) and handed down; features never import them as a global."""

import json
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEMO_STATE = "demo-state.json"
"""Beside demo.json: what the demo must remember between starts (the offset of its clock)."""
CENTURY = 100 * 366 * 86_400.0
"""Seconds that a shifted clock may be off at most: years that every calendar and database knows."""


class Settings(BaseSettings):
    """Everything an installation can set; the README lists each with its meaning."""

    model_config = SettingsConfigDict(env_prefix="O2O_", env_file=".env", extra="ignore", frozen=True)

    env: Literal["production", "demo"] | None = None
    data_dir: Path = Path(".o2o")
    database_url: str = Field(default="", pattern=r"^$|^postgres(ql)?(\+asyncpg)?://.")
    secret_key: SecretStr = SecretStr("")
    base_url: str = "http://127.0.0.1:8000"
    clock_offset: float | None = Field(default=None, ge=-CENTURY, le=CENTURY, allow_inf_nan=False)
    pool_size: int = Field(default=10, ge=2, le=200)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_token: SecretStr = SecretStr("")
    trusted_proxies: str = "127.0.0.1,::1"

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
        kept = json.loads(state.read_text("utf-8")).get("clock_offset", 0.0)
        # Also false where it is NaN.
        if not (isinstance(kept, int | float) and -CENTURY <= kept <= CENTURY):
            raise ValueError(f"{state} 里的 clock_offset 应为秒数，前后不超过一百年；可删去该文件后再试")
        return float(kept)
