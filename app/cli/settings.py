"""Settings for a command: read once, any mistake in them one Chinese sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from app.base.clock import Clock
from app.base.running.reasons import of_file
from app.base.secrets import Vault, secret_key
from app.demo import folder
from app.domain.errors import Invalid
from app.files.choosing import store_of
from app.files.store import Store
from app.settings import Settings


def sentence(error: ValidationError) -> str:
    """Which settings are wrong, and what they should be. Their values are not quoted: one of them is a key."""
    return "；".join(_wrong(str(name).lower()) for name in dict.fromkeys(fault["loc"][0] for fault in error.errors()))


def _wrong(name: str) -> str:
    wanted = Settings.model_fields[name].description
    return f"设置 O2O_{name.upper()} 的值不合要求" + (f"，应为 {wanted}" if wanted else "")


@contextmanager
def _mistakes() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise Invalid("settings.invalid", sentence(error)) from error
    except UnicodeDecodeError as error:
        raise Invalid("settings.encoding", ".env 或数据目录里的设置不是 UTF-8 编码，请用 UTF-8 另存后再试") from error
    except ValueError as error:
        raise Invalid("settings.invalid", str(error)) from error
    except OSError as error:
        if not error.filename:
            raise
        raise Invalid("settings.file", of_file(error)) from error


def read() -> Settings:
    """The settings of this process. Raises Invalid: `settings.invalid`, `settings.encoding`, `settings.file`, and
    `settings.demo` where the data directory is the demo's and the database is not; EmbeddedError."""
    with _mistakes():
        settings = Settings()
        try:
            folder.database_of(settings)
            other = folder.elsewhere(settings)
        except ValueError as error:
            raise Invalid("settings.invalid", _wrong("database_url")) from error
    if other is not None:
        raise Invalid("settings.demo", _demos(settings, other))
    return settings


def _demos(settings: Settings, other: str) -> str:
    """What to say where a county would be run with the clock, the key and the spool of a demo."""
    of = "内置数据库" if other == folder.EMBEDDED else f"数据库 {other}"
    named = f"，而 O2O_DATABASE_URL 是 {folder.database_of(settings)}" if settings.database_url else "，现在却没有设它"
    return (
        f"{settings.data_dir} 是演示的文件夹，演示在{of}里{named}。正式用请另设 O2O_DATA_DIR，或换一个文件夹运行，"
        "免得用上演示的时钟和密钥；要看演示，请把 O2O_DATABASE_URL 改回去"
    )


def clock(settings: Settings) -> Clock:
    """The business clock. Raises Invalid where production has an offset."""
    with _mistakes():
        return Clock(settings.offset)


def vault(settings: Settings) -> Vault:
    """What seals and opens the accounts' secrets. Raises Invalid where there is no key, or too short a one."""
    with _mistakes():
        return Vault(secret_key(settings))


def store(settings: Settings) -> Store:
    """Where photos and recordings are kept. Raises Invalid where the settings for it don't fit together."""
    with _mistakes():
        return store_of(settings)
