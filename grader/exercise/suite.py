"""The hidden suite as bytes: what the judge gets, and the digest that names it.

They are the *questions*: tests, data, reference. What scores the answers (``rubric.toml``) and what
people read (``*.md``) does not belong to them, so that a change there grades nothing again.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.errors import ExerciseError
from grader.text import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Suite", "load_suite"]

_LEFT_OUT = {
    "solutions",
    "rubric.toml",
    "mutants.toml",
    "__pycache__",
    ".pytest_cache",
    ".hypothesis",
}


@dataclass(frozen=True, slots=True)
class Suite:
    """Relative path → content, and a SHA-256 over both, hex."""

    files: Mapping[str, bytes]
    digest: str


def load_suite(folder: Path) -> Suite:
    """Read a suite's Python and data files; labelled solutions, rubric and notes stay behind.

    Raises:
        ExerciseError: there is no test file in it, a file is no Python, or a test has no criterion.
    """
    files: dict[str, bytes] = {}
    for path in _files(folder):
        files[path.relative_to(folder).as_posix()] = path.read_bytes()
    if not any(name.rpartition("/")[2].startswith("test_") for name in files):
        raise ExerciseError(f"{folder} holds no test_*.py; a hidden suite needs at least one")
    for name, data in files.items():
        if name.endswith(".py"):
            _check(folder / name, data)
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(f"{name}\n{len(data)}\n".encode())
        digest.update(data)
    return Suite(files, digest.hexdigest())


@functools.lru_cache(maxsize=256)  # a batch loads the same suite for each submission
def _check(path: Path, data: bytes) -> None:
    """Hold that a file parses, and that its tests name their criterion."""
    try:
        tree = syntax_tree(data, str(path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ExerciseError(f"{path}:{line}: this is no Python: {error}") from error
    if not path.name.startswith("test_") or b"pytestmark" in data:
        return
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        marks = (mark.func if isinstance(mark, ast.Call) else mark for mark in node.decorator_list)
        if not any(isinstance(mark, ast.Attribute | ast.Name) and _is_mark(mark) for mark in marks):
            raise ExerciseError(
                f"{path}:{node.lineno}: {node.name} has no criterion; add "
                '@pytest.mark.criterion("…", sheet="…", hint="…")'
            )


def _is_mark(mark: ast.Attribute | ast.Name) -> bool:
    """``pytest.mark.criterion``, or a name of the suite's own, which may stand for it."""
    return isinstance(mark, ast.Name) or mark.attr == "criterion"


def _files(folder: Path) -> Iterator[Path]:
    """Files of a suite in the order of their paths; there are hundreds of labelled solutions."""
    for path in sorted(folder.iterdir()):
        if path.name in _LEFT_OUT or path.suffix == ".md":
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file() and path.name[0] != ".":
            yield path
