"""Settings for a command: read once, any mistake in them one Chinese sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from app.base.clock import Clock
from app.base.secrets import Vault, secret_key
from app.domain.errors import Invalid
from app.settings import Settings


def sentence(error: ValidationError) -> str:
    """Which settings are wrong. Their values are not quoted: one of them is a key."""
    names = dict.fromkeys(f"O2O_{str(fault['loc'][0]).upper()}" for fault in error.errors() if fault["loc"])
    return f"设置 {'、'.join(names)} 的值不合要求，请对照 README 里的设置说明"


@contextmanager
def _mistakes() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise Invalid("settings.invalid", sentence(error)) from error
    except ValueError as error:
        raise Invalid("settings.invalid", str(error)) from error


def read() -> Settings:
    """The settings of this process. Raises Invalid `settings.invalid`."""
    with _mistakes():
        return Settings()


def clock(settings: Settings) -> Clock:
    """The business clock. Raises Invalid where production has an offset."""
    with _mistakes():
        return Clock(settings.offset)


def vault(settings: Settings) -> Vault:
    """What seals and opens the accounts' secrets. Raises Invalid where there is no key, or too short a one."""
    with _mistakes():
        return Vault(secret_key(settings))
