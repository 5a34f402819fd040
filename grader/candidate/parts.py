"""The parts of a notebook's cells that are compiled by themselves.

A cell is compiled whole. Where the value of its last line is shown, that expression and what stands
before it are two parts. Where a statement failed that the notebook can do without (see
`grader.candidate.lacking`), each statement behind it is one. All of them follow from the cells'
text alone, so the audit hook knows them before the first cell runs (`every`), and code that
anything puts in the place of a cell is none of them.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["every", "imports", "normal", "parsed", "shown", "statements"]

_LINE = re.compile(r"\r\n|\r|\n")


def parsed(text: str) -> list[ast.stmt]:
    """The statements of a cell; none where it is no Python, which running it tells."""
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def normal(text: str) -> str:
    """A text without the empty lines around it, which only give its lines their numbers."""
    return text.strip("\n")


def shown(text: str) -> tuple[str, str]:
    """Split a cell into what runs first and the expression whose value is shown.

    Returns:
        Both with their lines in their places; the second is empty where the last statement has no
        value.
    """
    return _split(text, parsed(text))


def statements(text: str, body: list[ast.stmt]) -> list[str]:
    """The text of each statement of a cell, with its lines in their places."""
    lines = _LINE.split(text)
    return [_own(lines, statement) for statement in body]


def imports(statement: ast.Import) -> list[str]:
    """One statement for each name of an import, in its line."""
    place = "\n" * (statement.lineno - 1)
    return [place + ast.unparse(ast.Import(names=[alias])) for alias in statement.names]


def every(cells: Iterable[str]) -> frozenset[str]:
    """All texts that running these cells may compile, in their `normal` form."""
    return frozenset(normal(part) for text in cells for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    body = parsed(text)
    yield text
    yield _split(text, body)[0]
    yield from statements(text, body)  # the last one is what is shown
    yield ""  # nothing stands before a statement that is by itself
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from imports(statement)


def _split(text: str, body: list[ast.stmt]) -> tuple[str, str]:
    if not body or not isinstance(body[-1], ast.Expr):
        return text, ""
    last = body[-1]
    lines = _LINE.split(text)
    before = [*lines[: last.lineno - 1], _cut(lines[last.lineno - 1], 0, last.col_offset)]
    return "\n".join(before), _own(lines, last)


def _own(lines: list[str], statement: ast.stmt) -> str:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    part = lines[first - 1 : statement.end_lineno]
    part[-1] = _cut(part[-1], 0, statement.end_col_offset)
    if first == statement.lineno:
        part[0] = _cut(part[0], statement.col_offset, None)
    return "\n" * (first - 1) + "\n".join(part)


def _cut(line: str, start: int, end: int | None) -> str:
    """A part of a line by its bytes, as trees count them."""
    return line.encode()[start:end].decode()
