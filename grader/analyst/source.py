"""A submission's Python files as text and syntax trees, with everything hostile refused early."""

from __future__ import annotations

import ast
import bisect
import io
import math
import re
import tokenize
import warnings
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from grader.analyst._names import is_main_guard, renames
from grader.wire.sources import SourceError, decode_source

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Module", "UnreviewableError", "read_module"]

_FILE_BYTES = 512 << 10
_LINE_CHARS = 20_000
_NODES = 200_000
_TYPE_COMMENT = re.compile(r"#\s*type:\s*(?!ignore)\S")


class UnreviewableError(Exception):
    """The code cannot be reviewed as text; every static check of the submission fails."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where


@dataclass(frozen=True, eq=False)
class Module:
    """One parsed file.

    Attributes:
        name: dotted, as the submission's root folder is on the path; a package has its own name.
        plain: the text with every comment blanked out, so that no comment can direct a tool.
        comments: line number → comment text without the ``#``, full-line comments only.
        type_comments: lines with a type in a comment, as before Python 3.6.
        cells: of a notebook, (first line, number) of each cell.
        guarded: what stands below ``if __name__ == "__main__":`` never runs on import.
    """

    path: str
    name: str
    tree: ast.Module
    plain: str
    comments: dict[int, str] = field(default_factory=dict)
    type_comments: tuple[int, ...] = ()
    cells: tuple[tuple[int, int], ...] = ()
    guarded: bool = True

    def is_skipped(self, statement: ast.stmt) -> bool:
        """Whether a top-level statement does nothing on import, and leaves nothing to be called.

        What is defined below the main guard may be used by a file that runs under another name.
        """
        return self.guarded and is_main_guard(statement) and not _defines(statement)

    def imports(self) -> Iterator[ast.Import | ast.ImportFrom]:
        """Every import but those below ``if __name__ == "__main__":``."""
        for statement in self.tree.body:
            if not self.is_skipped(statement):
                for node in ast.walk(statement):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        yield node

    def place(self, line: int) -> str:
        """A line as a report names it: the file's, or a cell's."""
        if not self.cells:
            return f"{self.path}:{line}"
        index = max(bisect.bisect(self.cells, (line, math.inf)) - 1, 0)
        first, number = self.cells[index]
        return f"cell {number}, line {max(line - first + 1, 1)}"


def read_module(path: str, data: bytes, cells: tuple[tuple[int, int], ...] = ()) -> Module:
    """Decode and parse one file.

    Raises:
        UnreviewableError: not Python, or too large or too deep for anybody to review.
    """
    if len(data) > _FILE_BYTES:
        raise UnreviewableError(f"a source file of {len(data)} bytes is too large to review", path)
    text = _decoded(path, data)
    if max(map(len, text.splitlines()), default=0) > _LINE_CHARS:
        raise UnreviewableError(f"a line of more than {_LINE_CHARS} characters", path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f"{path}:{line}" if line else path
        raise UnreviewableError(f"the parser gives up ({type(error).__name__})", where) from None
    if sum(1 for _ in ast.walk(tree)) > _NODES:
        raise UnreviewableError("a source file with too many expressions to review", path)
    plain, comments, typed = _without_comments(path, text)
    guarded = PurePosixPath(path).stem != "__main__" and not renames(tree)
    return Module(path, _dotted(path), tree, plain, comments, typed, cells, guarded)


def _defines(statement: ast.stmt) -> bool:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda | ast.GeneratorExp
    return any(isinstance(node, kinds) for node in ast.walk(statement))


def _decoded(path: str, data: bytes) -> str:
    try:
        return decode_source(data)
    except SourceError as error:
        raise UnreviewableError(str(error), path) from None


def _dotted(path: str) -> str:
    parts = path.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _without_comments(path: str, text: str) -> tuple[str, dict[int, str], tuple[int, ...]]:
    lines = text.split("\n")
    comments: dict[int, str] = {}
    typed = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                if _TYPE_COMMENT.match(token.string):
                    typed.append(row)
                if not lines[row - 1][:column].strip():
                    comments[row] = token.string.lstrip("#").strip()
                lines[row - 1] = lines[row - 1][:column].rstrip()
    except (tokenize.TokenError, IndentationError, RecursionError):
        raise UnreviewableError("the tokenizer gives up", path) from None
    return "\n".join(lines), comments, tuple(typed)
