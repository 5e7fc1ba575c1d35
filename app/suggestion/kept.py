"""Where the county's model lies, and the one that this process holds: read when it is first needed, and again when
another has taken its place."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.base import log

if TYPE_CHECKING:  # numpy is there only where a model is
    from app.suggestion.model import Model

FOLDER = "suggestion"
MODEL = "model.npz"
FIGURES = "figures.json"

_logger = log.get(__name__)


@dataclass(slots=True)
class _Shelf:
    """`stamp`: of the file that was read, None where there is none."""

    directory: Path | None = None
    stamp: tuple[int, int, int] | None = None
    model: "Model | None" = None
    doubted: str | None = None


# One for each process, as the county in memory is.
_shelf = _Shelf()


def look_in(data_dir: Path | None) -> None:
    """From now on the model is the one under this data directory; None: there is none, the table is used."""
    _shelf.directory = None if data_dir is None else data_dir / FOLDER
    _shelf.stamp = _shelf.model = _shelf.doubted = None


def held() -> "Model | None":
    """The model to be used, if there is one that was better than the table. A broken one is as none, with a warning."""
    if _shelf.directory is None:
        return None
    path = _shelf.directory / MODEL
    try:
        found = path.stat()
    except OSError:
        _shelf.stamp = _shelf.model = None
        return None
    stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
    if stamp != _shelf.stamp:
        _shelf.stamp, _shelf.model, _shelf.doubted = stamp, _read(path), None
    return _shelf.model


def doubt(revision: str) -> None:
    """Says once an edition of the county that the model is left aside: the categories are others than it learnt."""
    if _shelf.doubted != revision:
        _shelf.doubted = revision
        _logger.warning("suggestion model ignored", reason="categories changed; train again")


def keep(data_dir: Path, model: bytes, figures: Mapping[str, Any]) -> Path:
    """Puts a trained model in the place of the one before, whole or not at all. Gives the folder. Raises OSError."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / MODEL, model)
    _write(folder / FIGURES, json.dumps(figures, ensure_ascii=False, indent=2).encode() + b"\n")
    return folder


def _read(path: Path) -> "Model | None":
    try:
        from app.suggestion.model import ModelError, loaded
    except ImportError:
        _logger.warning("suggestion model ignored", reason="numpy is not installed: pip install '.[suggestion]'")
        return None
    try:
        model = loaded(path.read_bytes())
    except (OSError, ModelError) as error:
        _logger.warning("suggestion model ignored", reason="not readable", error=type(error).__name__)
        return None
    return model if (model.figures or {}).get("used") else None


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
