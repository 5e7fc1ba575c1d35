"""Which store an installation has."""

from app.files.disk import DiskStore
from app.files.store import Store
from app.settings import Settings


def store_of(settings: Settings) -> Store:
    """The store that the settings name. Raises ValueError where they don't fit together."""
    if not settings.file_store:
        return DiskStore(settings.data_dir)
    from app.files.s3 import of  # its library: 9 MB in each process

    return of(settings)
