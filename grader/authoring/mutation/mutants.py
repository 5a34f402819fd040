"""All mutants of one solution, each with a name that stays while its code does.

A digest is made from the file's path, the function, the operator, the statement before and after,
and a number among equal ones: other code can move a mutant, but only its own can rename it.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.authoring.mutation.ml_operators import ML
from grader.authoring.mutation.operators import GENERAL
from grader.authoring.mutation.source import Source
from grader.authoring.mutation.text_operators import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Mutant", "mutants_of"]

_DIGITS = 12
_TOLD = {"warn", "debug", "info", "warning", "error", "exception", "critical", "log", "print"}
_TYPES = {"cast", "TypeVar", "NewType", "NamedTuple", "ParamSpec"}
_GUARDS = {"strict"}  # of zip: holds that the code itself is right
_UNSEEN_BINDINGS = {"__all__", "__slots__", "logger", "log", "_logger", "_log"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change of one solution.

    Attributes:
        digest: its name, hexadecimal.
        path: the changed file, relative to the submission's folder.
        line: where the change is in that file.
        lines: of the innermost statement that holds it: if a test reaches none of them, it cannot
            see the mutant.
        function: lines of the function around it, or of the file: where nothing of the statement
            leaves a trace, as of ``continue``, these stand for it.
        operator: which kind of change.
        content: the whole changed file.
        diff: unified, of one hunk.
    """

    digest: str
    path: str
    line: int
    lines: range
    function: range
    operator: str
    content: bytes
    diff: str


def mutants_of(files: Mapping[str, bytes], reached: Mapping[str, frozenset[int]]) -> list[Mutant]:
    """Every mutant of a solution, by path and line; equal ones are there once.

    Args:
        files: path → content.
        reached: path → lines that the exercise's contract reaches; the others are not mutated.

    Raises:
        ExerciseError: a file is no Python.
    """
    found: list[Mutant] = []
    for path in sorted(path for path in files if path.endswith(".py") and reached.get(path)):
        source = Source(path, files[path])
        found += _of_file(source, reached[path])
    return found


def _of_file(source: Source, reached: frozenset[int]) -> Iterator[Mutant]:
    seen: set[str] = set()
    names: Counter[str] = Counter()
    for node in _mutated(source.tree, source):
        for operator in (*GENERAL, *ML, *TEXT):
            for change in operator(source, node):
                line = _line(source, change.old)
                if line not in reached:
                    continue
                content = source.changed(change)
                if content is None:
                    continue
                meaning = ast.dump(ast.parse(content))
                if meaning in seen:
                    continue
                seen.add(meaning)
                yield _named(source, change.operator, change.old, content, names)


def _named(
    source: Source, operator: str, old: ast.AST, content: bytes, names: Counter[str]
) -> Mutant:
    statement = source.statement(old)
    before, after = source.data.decode(), content.decode()
    diff = "".join(_diff(before, after, source.path))
    changed = "\n".join(line for line in diff.splitlines()[2:] if line[:1] in {"-", "+"})
    name = f"{source.path}\n{source.scope(statement)}\n{operator}\n{changed}"
    names[name] += 1
    digest = hashlib.sha256(f"{name}\n{names[name]}".encode()).hexdigest()[:_DIGITS]
    line = _line(source, old)
    return Mutant(
        digest, source.path, line, _lines(statement), _around(source, statement), operator,
        content, diff,
    )  # fmt: skip


def _diff(before: str, after: str, path: str) -> Iterator[str]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for line in difflib.unified_diff(old, new, path, path, n=1):
        yield line if line.endswith("\n") else f"{line}\n"


def _line(source: Source, node: ast.AST) -> int:
    line = getattr(node, "lineno", None)
    return line if line is not None else source.statement(node).lineno


def _lines(statement: ast.stmt) -> range:
    """Of a simple statement all lines, of a compound one those of its head."""
    body = getattr(statement, "body", None)
    last = statement.end_lineno or statement.lineno
    if isinstance(body, list) and body:
        last = max(statement.lineno, body[0].lineno - 1)
    return range(statement.lineno, last + 1)


def _around(source: Source, statement: ast.stmt) -> range:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    for found in source.ancestors(statement):
        if isinstance(found, kinds):
            return range(found.body[0].lineno, (found.end_lineno or found.lineno) + 1)
    return range(1, source.data.count(b"\n") + 2)


def _mutated(node: ast.AST, source: Source) -> Iterator[ast.AST]:
    """The nodes that a change of could be seen from outside, in the order of the text."""
    for field, value in ast.iter_fields(node):
        if _is_unseen(node, field):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_left_alone(child):
                continue
            yield child
            if isinstance(child, ast.keyword) and child.arg in _GUARDS:
                continue
            if isinstance(child, ast.Raise):
                continue  # what it says is nobody's matter
            yield from _mutated(child, source)


def _is_unseen(node: ast.AST, field: str) -> bool:
    if field in {"annotation", "returns", "decorator_list", "type_params", "type_comment"}:
        return True
    return field == "msg" and isinstance(node, ast.Assert)


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(node, ast.If):
        names = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
        return bool(names & {"TYPE_CHECKING", "__name__"})
    if isinstance(node, ast.Expr):
        value = node.value
        if isinstance(value, ast.Call):
            return getattr(value.func, "attr", getattr(value.func, "id", "")) in _TOLD
        return isinstance(value, ast.Constant)
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", "")) in _TYPES
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(t, ast.Name) and t.id in _UNSEEN_BINDINGS for t in targets)
    return False
