"""Fill and empty the scratch space; file names and depths in it are hostile."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["empty_directory", "write_files"]


def write_files(root: str, files: Mapping[str, bytes]) -> None:
    """Write relative paths (checked at intake) below an existing folder."""
    base = Path(root)
    for name, data in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def empty_directory(root: str) -> None:
    """Remove everything below a folder, without recursion and without following links.

    A tree of any depth is taken apart from the top: what a subfolder holds is moved up into
    ``root`` before the subfolder goes, so that no path grows long and no stack grows deep.
    """
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        while entries := os.listdir(fd):  # noqa: PTH208 - by descriptor
            for name in entries:
                info = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if not stat.S_ISDIR(info.st_mode):
                    os.unlink(name, dir_fd=fd)
                    continue
                with contextlib.suppress(OSError):
                    os.rmdir(name, dir_fd=fd)
                    continue
                os.chmod(name, 0o700, dir_fd=fd)
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
                try:
                    for child in os.listdir(inner):  # noqa: PTH208 - by descriptor
                        child_info = os.stat(child, dir_fd=inner, follow_symlinks=False)
                        if stat.S_ISDIR(child_info.st_mode):
                            # renaming a folder needs write access to the folder itself
                            os.chmod(child, 0o700, dir_fd=inner)
                            fresh = os.urandom(8).hex()  # a name nobody can have taken
                            os.rename(child, fresh, src_dir_fd=inner, dst_dir_fd=fd)
                        else:
                            os.unlink(child, dir_fd=inner)
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=fd)
    finally:
        os.close(fd)
