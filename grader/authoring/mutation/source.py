"""One Python file as text and tree, and changes of single nodes that keep the rest as it is.

A change is proposed as a node, what takes its place, and how the text could say so. It is written
in the first way that parses to exactly the tree that is meant, so that comments and layout stay and
precedence cannot change a mutant's meaning unseen.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.errors import ExerciseError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Change", "Edit", "Source"]

_ATOMS = (ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Call, ast.List, ast.Dict)


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes `start` to `end` of a file become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """What an operator proposes.

    Attributes:
        operator: its name.
        old: a node of the tree.
        new: what takes its place; it may hold nodes of `old`.
        edits: ways to write it, best first. The last resort, the unparsed node, is always tried.
    """

    operator: str
    old: ast.AST
    new: ast.AST
    edits: tuple[Edit, ...] = ()


class Source:
    """One file.

    Args:
        path: relative to the submission's folder.
        data: its content, UTF-8.

    Raises:
        ExerciseError: it is no Python, or no UTF-8.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        try:
            self.text = data.decode("utf-8")
            self.tree = ast.parse(self.text, path)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            raise ExerciseError(
                f"{path}:{line}: this cannot be mutated, because it is no Python: {error}; "
                "correct the file"
            ) from error
        self._starts = [0]
        for line_bytes in data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line_bytes))
        self.parents: dict[ast.AST, tuple[ast.AST, str, int | None]] = {}
        for node in ast.walk(self.tree):
            for field, value in ast.iter_fields(node):
                for index, child in _children(value):
                    self.parents.setdefault(child, (node, field, index))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """First byte of a node, and the one after its last; parentheses around it stay outside."""
        start = self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return start, end

    def written(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.data[start:end].decode("utf-8")

    def operand(self, node: ast.expr) -> str:
        """The text of a node, in parentheses where its place could need them."""
        return self.written(node) if isinstance(node, _ATOMS) else f"({self.written(node)})"

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Parent, parent's parent and so on, up to the module."""
        while node in self.parents:
            node = self.parents[node][0]
            yield node

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that a node is, or is in."""
        if isinstance(node, ast.stmt):
            return node
        return next(found for found in self.ancestors(node) if isinstance(found, ast.stmt))

    def scope(self, node: ast.AST) -> str:
        """Dotted name of the functions and classes around a node; empty in the module itself."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        names = [found.name for found in self.ancestors(node) if isinstance(found, kinds)]
        return ".".join(reversed(names))

    def changed(self, change: Change) -> bytes | None:
        """The file with a change; None where it is none, or cannot be written.

        The text holds what the change means and nothing else: it is parsed and compared.
        """
        meant = self._meant(change)
        if meant is None or meant == self._dump:
            return None
        for edit in (*change.edits, *self._last_resort(change)):
            draft = self.data[: edit.start] + edit.text.encode("utf-8") + self.data[edit.end :]
            try:
                tree = ast.parse(draft, self.path)
                compile(draft, self.path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                continue
            if ast.dump(tree) == meant:
                return draft
        return None

    @property
    def _dump(self) -> str:
        return ast.dump(self.tree)

    def _meant(self, change: Change) -> str | None:
        parent, field, index = self.parents[change.old]
        new = change.new
        if isinstance(new, ast.expr) and hasattr(change.old, "ctx") and hasattr(new, "ctx"):
            new = copy.copy(new)
            new.ctx = change.old.ctx
        held = getattr(parent, field)
        if index is None:
            setattr(parent, field, new)
        else:
            setattr(parent, field, [*held[:index], new, *held[index + 1 :]])
        try:
            return ast.dump(self.tree)
        finally:
            setattr(parent, field, held)

    def _last_resort(self, change: Change) -> Iterator[Edit]:
        if not hasattr(change.old, "lineno"):
            return
        start, end = self.span(change.old)
        text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(change.new)))
        if isinstance(change.new, ast.expr):
            yield Edit(start, end, text)
            yield Edit(start, end, f"({text})")
        elif "\n" not in text:
            yield Edit(start, end, text)


def _children(value: object) -> Iterator[tuple[int | None, ast.AST]]:
    if isinstance(value, ast.AST):
        yield None, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, ast.AST):
                yield index, item
