"""Files that are complete or not there: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from grader.errors import UsageError

__all__ = ["write_whole"]


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
