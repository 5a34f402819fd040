"""The hidden suite as bytes: what the judge gets, and the digest that names it.

They are the *questions*: tests, data, reference. What scores the answers (``rubric.toml``) and what
people read (``*.md``) does not belong to them, so that a change there grades nothing again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.errors import ExerciseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Suite", "load_suite"]

_LEFT_OUT = {"solutions", "rubric.toml", "__pycache__", ".pytest_cache", ".hypothesis"}


@dataclass(frozen=True, slots=True)
class Suite:
    """Relative path → content, and a SHA-256 over both, hex."""

    files: Mapping[str, bytes]
    digest: str


def load_suite(folder: Path) -> Suite:
    """Read a suite's Python and data files; labelled solutions, rubric and notes stay behind.

    Raises:
        ExerciseError: there is no test file in it.
    """
    files: dict[str, bytes] = {}
    for path in _files(folder):
        files[path.relative_to(folder).as_posix()] = path.read_bytes()
    if not any(name.rpartition("/")[2].startswith("test_") for name in files):
        raise ExerciseError(f"{folder} holds no test_*.py; a hidden suite needs at least one")
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(f"{name}\n{len(data)}\n".encode())
        digest.update(data)
    return Suite(files, digest.hexdigest())


def _files(folder: Path) -> Iterator[Path]:
    """Files of a suite in the order of their paths; there are hundreds of labelled solutions."""
    for path in sorted(folder.iterdir()):
        if path.name in _LEFT_OUT or path.suffix == ".md":
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file() and path.name[0] != ".":
            yield path
