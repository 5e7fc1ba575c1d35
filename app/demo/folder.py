"""What a demo's data directory says of it to every command. Nothing heavy is loaded for that."""

import json
from pathlib import Path
from typing import Any

from app.base.db import place_of
from app.base.embedded import dsn
from app.settings import DEMO_STATE, Settings

DEMO_JSON = "demo.json"
EMBEDDED = "embedded"
"""What stands for the directory's own database where the state says which one the demo is in."""


def is_demo(data_dir: Path) -> bool:
    """Whether a demo has been begun there."""
    return (data_dir / DEMO_STATE).exists()


def address(data_dir: Path) -> str | None:
    """Where the demo answers, or did when it ran last; None where it never has."""
    found = _read(data_dir / DEMO_JSON).get("base_url")
    return found if isinstance(found, str) else None


def database_of(settings: Settings) -> str:
    """Which database the settings name, without who asks and with what password."""
    return place_of(settings.database_url) if settings.database_url else EMBEDDED


def elsewhere(settings: Settings) -> str | None:
    """The database that the directory's demo is in, where the settings name another; else None.

    Its clock, its key and its spool go with its own. Raises OSError, EmbeddedError.
    """
    if not is_demo(settings.data_dir):
        return None
    kept = _read(settings.data_dir / DEMO_STATE).get("database")
    if kept is None:
        # Begun before this was written down: with a database of its own, or whichever the settings name.
        kept = EMBEDDED if (settings.data_dir / "postgres.json").exists() else database_of(settings)
    named = database_of(settings)
    own = dsn(settings.data_dir) if EMBEDDED == kept != named else None
    if named == kept or (own is not None and place_of(own) == named):
        return None
    return str(kept)


def _read(path: Path) -> dict[str, Any]:
    """Empty where there is no such file, or it is half of one: who needs more of it says so."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
