"""Files that are complete or not there: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["cache_folder", "open_regular", "recipe_folder", "write_whole", "zipped"]

_PACKAGE = Path(__file__).resolve().parent
_CARRIED = _PACKAGE / "recipe"  # in a wheel


def recipe_folder() -> Path:
    """What the images are made from: Dockerfiles, ``scripts/`` and ``requirements/``.

    The checkout's own, or what an installed package brought with it.
    """
    return _CARRIED if _CARRIED.is_dir() else _PACKAGE.parent


def cache_folder() -> Path:
    """Where fetched packages are kept: below the checkout, or below the user's cache."""
    if not _CARRIED.is_dir():
        return _PACKAGE.parent / "build"
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if named else Path.home() / ".cache") / "takehome-grader" / "packages"


def _never(data: bytes) -> bool:
    del data
    return False


def zipped(files: Mapping[str, bytes], *, stored: Callable[[bytes], bool] = _never) -> bytes:
    """A zip archive whose bytes depend on names and contents alone.

    Args:
        files: name → content, in the order in which they are written.
        stored: says of a content that it is not to be compressed.
    """
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)  # dated 1980-01-01
            entry.compress_type = zipfile.ZIP_STORED if stored(data) else zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data, compresslevel=6)
    return raw.getvalue()


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read; a named pipe or a device blocks nobody.

    Raises:
        OSError: it cannot be read, or is something else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file; a reader sees the old one or the whole new one.

    Raises:
        UsageError: it cannot be written there.
    """
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            "wb", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
