"""What the submission's text says beforehand about the code that may run.

The audit hook of each test's process compares what is compiled with it. It follows from the files
alone, so it is read once for all of them, in a process that runs nothing of a candidate's: a text
that breaks Python's parser breaks that process and not the supervisor.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.candidate import parts
from grader.candidate.audited import hint_code
from grader.wire.pipes import be_killed_first, read_exact, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from grader.candidate.config import NotebookConfig

__all__ = ["Reviewed", "read_apart"]

_SECONDS = 30.0
_BYTES = 64 << 20
_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Files that were handed in, and what follows from their text.

    Attributes:
        files: content by path below the submission's folder.
        hints: type hints that are evaluated later, as in a file that imports ``annotations`` from
            ``__future__``. One that is written as a string is not among them: its text is no code
            where it stands.
        active: those of them that do more than look names up.
        parts: what running the notebook's cells may compile.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    hints: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()

    @classmethod
    def read(cls, files: Mapping[str, bytes], notebook: NotebookConfig | None = None) -> Reviewed:
        """Read it in this process."""
        hints = {hint for name, data in files.items() for hint in _later_hints(_trees(name, data))}
        cells = (text for _, text in notebook.cells) if notebook else ()
        active = frozenset(hint for hint in hints if hint_code(hint))
        return cls(files, frozenset(hints), active, parts.every(cells))


def read_apart(files: Mapping[str, bytes], notebook: NotebookConfig | None) -> Reviewed:
    """Read it in a process of its own.

    Where that process dies or takes too long, nothing is known but the files: Python cannot load
    such a submission either.
    """
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        _tell(theirs, files, notebook)
    os.close(theirs)
    try:
        told = _hear(ours)
    finally:
        os.close(ours)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return Reviewed(files, *told) if told else Reviewed(files)


def _tell(fd: int, files: Mapping[str, bytes], notebook: NotebookConfig | None) -> None:
    try:
        be_killed_first()
        found = Reviewed.read(files, notebook)
        told = (sorted(found.hints), sorted(found.active), sorted(found.parts))
        data = json.dumps(told).encode()
        write_all(fd, len(data).to_bytes(_LENGTH) + data)
    finally:
        os._exit(0)


def _hear(fd: int) -> list[frozenset[str]] | None:
    deadline = time.monotonic() + _SECONDS
    head = read_exact(fd, _LENGTH, deadline=deadline)
    if head is None or int.from_bytes(head) > _BYTES:
        return None
    data = read_exact(fd, int.from_bytes(head), deadline=deadline)
    if data is None:
        return None
    return [frozenset(texts) for texts in json.loads(data)]


def _trees(name: str, data: bytes) -> list[ast.Module]:
    """A module, or the cells of a notebook."""
    texts: list[bytes | str] = []
    if name.endswith(".py"):
        texts = [data]
    elif name.endswith(".ipynb"):
        try:
            cells = json.loads(data)["cells"]
            texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return []
    trees = []
    for text in texts:
        try:
            trees.append(ast.parse(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # a module will not be imported either; a cell has magics
    return trees


def _later_hints(trees: Sequence[ast.Module]) -> Iterator[str]:
    """Texts of hints in a file that asks for their later evaluation, a notebook in any cell."""
    if not any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for tree in trees
        for node in tree.body
    ):
        return
    for tree in trees:
        for node in ast.walk(tree):
            for name in ("annotation", "returns"):
                hint = getattr(node, name, None)
                if isinstance(hint, ast.expr) and not isinstance(hint, ast.Constant):
                    yield ast.unparse(hint)
