"""What the submission's text says beforehand about the code that may run.

The audit hook of each test's process compares what is compiled with it. It follows from the files
alone, so it is read once for all of them, in a process that runs nothing of a candidate's: a text
that breaks Python's parser breaks that process and not the supervisor.
"""

from __future__ import annotations

import ast
import io
import json
import os
import signal
import time
import tokenize
from dataclasses import dataclass, field, replace
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
_NAME = "__name__"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Files that were handed in, and what follows from their text.

    Attributes:
        files: content by path below the submission's folder.
        texts: of files in another encoding than UTF-8, their text in UTF-8: what Python compiles
            where it is given the characters.
        hints: type hints that are evaluated later, as in a file that imports ``annotations`` from
            ``__future__``, and the files that have them. One that is written as a string is not
            among them, as its text is no code where it stands; nor is one of code that only runs
            as a program, which nobody reviews.
        active: those of them that do more than look names up.
        parts: what running the notebook's cells may compile.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    texts: Mapping[str, bytes] = field(default_factory=dict)
    hints: Mapping[str, frozenset[str]] = field(default_factory=dict)
    active: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()

    @classmethod
    def read(cls, files: Mapping[str, bytes], notebook: NotebookConfig | None = None) -> Reviewed:
        """Read it in this process."""
        hints: dict[str, set[str]] = {}
        for name, data in files.items():
            for hint in _later_hints(_trees(name, data)):
                hints.setdefault(hint, set()).add(name)
        cells = (text for _, text in notebook.cells) if notebook else ()
        return cls(
            files,
            _in_utf_8(files),
            {hint: frozenset(names) for hint, names in hints.items()},
            frozenset(hint for hint in hints if hint_code(hint)),
            parts.every(cells),
        )


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
    return replace(told, files=files) if told else Reviewed(files)


def _tell(fd: int, files: Mapping[str, bytes], notebook: NotebookConfig | None) -> None:
    try:
        be_killed_first()
        found = Reviewed.read(files, notebook)
        told = {
            "texts": {name: data.decode() for name, data in found.texts.items()},
            "hints": {hint: sorted(names) for hint, names in found.hints.items()},
            "active": sorted(found.active),
            "parts": sorted(found.parts),
        }
        data = json.dumps(told).encode()
        write_all(fd, len(data).to_bytes(_LENGTH) + data)
    finally:
        os._exit(0)


def _hear(fd: int) -> Reviewed | None:
    deadline = time.monotonic() + _SECONDS
    head = read_exact(fd, _LENGTH, deadline=deadline)
    if head is None or int.from_bytes(head) > _BYTES:
        return None
    data = read_exact(fd, int.from_bytes(head), deadline=deadline)
    if data is None:
        return None
    told = json.loads(data)
    return Reviewed(
        {},
        {name: text.encode() for name, text in told["texts"].items()},
        {hint: frozenset(names) for hint, names in told["hints"].items()},
        frozenset(told["active"]),
        frozenset(told["parts"]),
    )


def _in_utf_8(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The texts of Python files that are written in another encoding."""
    found = {}
    for name, data in files.items():
        if not name.endswith(".py"):
            continue
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            if encoding not in {"utf-8", "utf-8-sig"}:
                found[name] = data.decode(encoding).encode()
        except (SyntaxError, UnicodeError, LookupError):
            continue  # Python does not read it either
    return found


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
    waiting: list[ast.AST] = [*trees]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and _NAME in {
            part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)
        }:
            waiting += node.orelse
            continue  # it runs as a program alone
        waiting += ast.iter_child_nodes(node)
        for name in ("annotation", "returns"):
            hint = getattr(node, name, None)
            if isinstance(hint, ast.expr) and not isinstance(hint, ast.Constant):
                yield from _kept_text(hint)


def _kept_text(hint: ast.expr) -> Iterator[str]:
    """The text that Python keeps of a hint; none where it gives up, as on one that is too deep.

    Of one that is unpacked, as in ``*args: *Ts``, it is what `typing` makes of it.
    """
    starred = isinstance(hint, ast.Starred)  # stands in brackets, as nothing else may hold it
    kept = ast.Subscript(ast.Name(_NAME, ast.Load()), ast.Tuple([hint], ast.Load()), ast.Load())
    target = ast.Name("kept", ast.Store())
    node = ast.AnnAssign(target, kept if starred else hint, simple=1)
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], level=0)
    try:
        tree = ast.fix_missing_locations(ast.Module([future, node], []))
        code = compile(tree, "<hint>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    texts = [value for value in code.co_consts if isinstance(value, str) and value != "kept"]
    for text in texts:
        yield f"({text[len(_NAME) + 1 : -1].removesuffix(',')},)[0]" if starred else text
