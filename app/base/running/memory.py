"""How the C library keeps memory that we have given back."""

import ctypes
from contextlib import suppress

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3
"""mallopt(3), of glibc."""
_LARGE = 1024 * 1024


def frugal() -> None:
    """Large pieces go back to the system as soon as they are free: one password takes 19 MiB for 20 ms, which glibc
    would keep, for each thread that ever checked one. Elsewhere (macOS, musl) nothing happens.

    Measured on the service after sign-in and 160 requests: 125 MB resident instead of 145.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
