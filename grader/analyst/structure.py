"""Clarity: size, nesting, repetition, leftovers and names, measured on reached functions."""

from __future__ import annotations

import ast
import re
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

from grader.analyst.lint import Finding
from grader.analyst.reach import FunctionNode, count_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.analyst.reach import Function, Reached, Unit

__all__ = [
    "cryptic_names",
    "deep_nesting",
    "leftovers",
    "long_functions",
    "noisy_comments",
    "overbuilt",
    "repeated_guards",
    "repetition",
    "single_letters",
    "undocumented",
    "unexplained",
    "unreachable",
]

LONGEST = 40  # statements; pylint's limit is 50, and few reviewers like a function near it
DEEPEST = 4  # blocks in blocks; pylint asks for at most 5
DEEPEST_EXPRESSION = 3  # comprehensions, lambdas and conditionals in one another
_REPEATED_STATEMENTS = 4
_REPEATED_NODES = 50
_EXPLAINED_FROM = 25
_CROWDED = 15
_BLOCKS = (
    ast.For
    | ast.While
    | ast.If
    | ast.With
    | ast.Try
    | ast.TryStar
    | ast.AsyncFor
    | ast.AsyncWith
    | ast.Match
)
_INNER = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda | ast.IfExp
_NUMBERED = re.compile(
    r"(df|data|temp|tmp|res|result|x|val|new|foo|a|b|c|col|cols|lst|out|ret|num)_?\d+$"
)
# Chinese and Japanese characters, Thai and its neighbours: written without spaces between words
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
_TINY, _TINY_SHARE = 12, 0.45
_GUARDS = 3
_COMMENTS, _COMMENT_SHARE = 15, 0.4
_LETTERS, _LETTER_SHARE = 8, 0.35
_HABITS = set("_ijkXy")
_EMPTY = {"foo", "bar", "baz", "tmp", "temp", "asdf", "stuff", "thing", "xx", "xxx", "aa", "bb"}


def long_functions(reached: Reached) -> Iterator[Finding]:
    """Functions of more statements than fit one idea."""
    for function in reached.functions:
        if function.statements > LONGEST:
            text = f"a function of {function.statements} statements"
            yield Finding("long", function.module.path, function.node.lineno, text)
    for module in reached.modules:
        if module.cells:
            continue  # the hygiene of a notebook, which counts for itself
        script = [u for u in reached.units if u.module is module and u.always]
        size = sum(count_statements(unit.parts) for unit in script)
        if size > LONGEST:
            text = f"{size} statements that run on import"
            yield Finding("long", module.path, script[0].node.lineno, text)


def deep_nesting(reached: Reached) -> Iterator[Finding]:
    """Blocks nested too deeply, and expressions likewise."""
    for unit in reached.units:
        for part in unit.parts:
            for node, depth in _depths(part, _BLOCKS):
                if depth == DEEPEST + 1:
                    yield _at(unit, node, "nesting", f"more than {DEEPEST} blocks deep")
            for node, depth in _depths(part, _INNER):
                if depth == DEEPEST_EXPRESSION + 1:
                    yield _at(unit, node, "nesting", "an expression nested too deeply")


def _at(unit: Unit, node: ast.AST, rule: str, text: str) -> Finding:
    return Finding(rule, unit.module.path, getattr(node, "lineno", unit.node.lineno), text)


def _depths(root: ast.AST, kinds: object) -> Iterator[tuple[ast.AST, int]]:
    stack: list[tuple[ast.AST, int]] = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, kinds):  # type: ignore[arg-type]
            depth += 1
            yield node, depth
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    # an `elif` reads as a sibling, not as one level more
                    chained = name == "orelse" and isinstance(node, ast.If) and len(value) == 1
                    chained = chained and isinstance(child, ast.If) and isinstance(node, kinds)  # type: ignore[arg-type]
                    stack.append((child, depth - 1 if chained else depth))


def repetition(reached: Reached) -> Iterator[Finding]:
    """Runs of statements that occur twice, word for word apart from constants and names bound."""
    seen: dict[str, tuple[str, int]] = {}
    for unit in reached.units:
        for block in _blocks(unit):
            index = 0
            while index + _REPEATED_STATEMENTS <= len(block):
                run = block[index : index + _REPEATED_STATEMENTS]
                key = "\n".join(map(_shape, run))
                nodes = sum(1 for s in run for _ in ast.walk(s))
                if count_statements(list(run)) >= _REPEATED_STATEMENTS and nodes > _REPEATED_NODES:
                    place = (unit.module.path, run[0].lineno)
                    first = seen.setdefault(key, place)
                    if first != place:
                        other = f"line {first[1]}"
                        if unit.module.cells and first[0] == unit.module.path:
                            other = unit.module.place(first[1])
                        yield _at(unit, run[0], "repeated", f"the same as {other}")
                        index += _REPEATED_STATEMENTS
                        continue
                index += 1
    bodies: dict[str, int] = {}
    for function in reached.functions:
        shape = "\n".join(_shape(s) for s in function.node.body[_doc(function.node) :])
        nodes = sum(1 for s in function.node.body for _ in ast.walk(s))
        if nodes > _REPEATED_NODES and bodies.setdefault(shape, function.node.lineno) != (
            function.node.lineno
        ):
            yield Finding("repeated", function.module.path, function.node.lineno, "copied function")


def repeated_guards(reached: Reached) -> Iterator[Finding]:
    """The same ``if …: raise …`` three times or more: too short to be a run of statements."""
    seen: dict[str, int] = {}
    for unit in reached.units:
        for part in unit.parts:
            for node in ast.walk(part):
                if (
                    isinstance(node, ast.If)
                    and not node.orelse
                    and isinstance(node.body[-1], ast.Raise)
                ):
                    # With its message: equal guards with messages of their own are no copies.
                    shape = ast.dump(node)
                    seen[shape] = seen.get(shape, 0) + 1
                    if seen[shape] == _GUARDS:
                        yield _at(unit, node, "repeated", "one guard in three places")


def overbuilt(reached: Reached) -> Iterator[Finding]:
    """More functions than the task has parts: they only pass on, build, register or access.

    The tasks are solved by some ten functions, of which a third may be of one statement. Twelve of
    one statement that are nearly half of all were only seen where two readers found the abstraction
    out of proportion.
    """
    tiny = [function for function in reached.functions if function.statements <= 1]
    if len(tiny) >= _TINY and len(tiny) >= _TINY_SHARE * len(reached.functions):
        first = tiny[0]
        text = f"{len(tiny)} of {len(reached.functions)} functions hold one statement"
        yield Finding("overbuilt", first.module.path, first.node.lineno, text)


def noisy_comments(reached: Reached) -> Iterator[Finding]:
    """A comment at nearly every statement."""
    reached_lines = reached.lines()
    for module in reached.modules:
        lines = reached_lines[module.path]
        comments = [line for line in module.comments if line in lines or line + 1 in lines]
        if len(comments) >= _COMMENTS and len(comments) >= _COMMENT_SHARE * reached.size:
            text = f"{len(comments)} comments on {reached.size} statements"
            yield Finding("comments", module.path, comments[0], text)


def single_letters(reached: Reached) -> Iterator[Finding]:
    """Code whose names are letters: a reader has to keep what each stands for in mind."""
    letters, count = [], 0
    for function in reached.functions:
        names: dict[str, int] = {}
        for node in ast.walk(function.node):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.setdefault(node.id, node.lineno)
            elif isinstance(node, ast.arg) and node.arg not in {"self", "cls"}:
                names.setdefault(node.arg, node.lineno)
        count += len(names)
        letters += [
            (function.module.path, line)
            for name, line in names.items()
            if len(name) == 1 and name not in _HABITS and not _UNSPACED.match(name)
        ]
    if len(letters) >= _LETTERS and len(letters) >= _LETTER_SHARE * count:
        text = f"{len(letters)} of {count} names are single letters"
        yield Finding("letters", *letters[0], text)


def _doc(node: FunctionNode) -> int:
    return int(ast.get_docstring(node, clean=False) is not None)


def _blocks(unit: Unit) -> Iterator[list[ast.stmt]]:
    for part in unit.parts:
        for node in ast.walk(part):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list) and not isinstance(node, ast.ClassDef):
                    yield block


def _shape(statement: ast.stmt) -> str:
    return re.sub(r"Constant\(value=[^()]*?\)", "Constant()", ast.dump(statement))


def unreachable(reached: Reached) -> Iterator[Finding]:
    """Statements behind a return, raise, break or continue, and below a constant condition."""
    for unit in reached.units:
        for block in _blocks(unit):
            for before, after in pairwise(block):
                if isinstance(before, ast.Return | ast.Raise | ast.Break | ast.Continue):
                    yield _at(unit, after, "unreachable", "a statement that never runs")
            for statement in block:
                if isinstance(statement, ast.If) and isinstance(statement.test, ast.Constant):
                    yield _at(unit, statement, "unreachable", "a condition that is constant")


def leftovers(reached: Reached) -> Iterator[Finding]:
    """Code that was commented out, in reached lines."""
    lines = reached.lines()
    for module in reached.modules:
        for line, text in module.comments.items():
            near = lines[module.path]
            if (line in near or line + 1 in near) and _is_code(text):
                yield Finding("commented-out", module.path, line, "code that is commented out")


def _is_code(text: str) -> bool:
    if not re.search(r"[=(\[]|^(return|import|from|raise|del)\b", text) or text.endswith(":"):
        return False
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return bool(body) and all(
        isinstance(s, ast.Assign | ast.AugAssign | ast.Return | ast.Import | ast.ImportFrom)
        or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Call))
        for s in body
    )


def undocumented(reached: Reached) -> Iterator[Finding]:
    """Contract functions, and classes of the contract, without a docstring of words."""
    for unit in reached.units:
        node = unit.node
        if (
            not unit.owner
            and isinstance(node, FunctionNode | ast.ClassDef)
            and (unit.module.path, node.name) in reached.found
            and not _says_something(ast.get_docstring(node) or "")
        ):
            yield _at(unit, node, "docstring", "a public name without a docstring")
    for path, line in reached.opaque:
        yield Finding("docstring", path, line, "a public name that is no plain function or class")


def _says_something(text: str) -> bool:
    # Vowel signs and accents are parts of words, and no letters of their own.
    letters = "".join(c for c in text.lower() if not unicodedata.category(c).startswith("M"))
    words = set(re.findall(r"[^\W\d_]{2,}", _UNSPACED.sub(" ", letters)))
    # Where no spaces stand between words, about two characters make one.
    return len(words) + len(set(_UNSPACED.findall(letters))) // 2 >= 3  # noqa: PLR2004 - a phrase


def unexplained(reached: Reached) -> Iterator[Finding]:
    """Long functions with neither docstring nor comment."""
    for function in reached.functions:
        node = function.node
        inside = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if (
            function.statements > _EXPLAINED_FROM
            and not _says_something(ast.get_docstring(node) or "")
            and not any(
                line in inside and _says_something(text) and not _is_code(text)
                for line, text in function.module.comments.items()
            )
        ):
            yield Finding("unexplained", function.module.path, node.lineno, "a long function")


def cryptic_names(reached: Reached) -> Iterator[Finding]:
    """Names that say nothing: numbered copies, placeholders, one letter for a function."""
    for function in reached.functions:
        name = function.node.name
        if (len(name) == 1 and not _UNSPACED.match(name)) or _says_nothing(name):
            path, line = function.module.path, function.node.lineno
            yield Finding("cryptic", path, line, "a function's name that says nothing")
        yield from _cryptic_locals(function)


def _cryptic_locals(function: Function) -> Iterator[Finding]:
    seen: set[str] = set()
    letters: set[str] = set()
    for node in ast.walk(function.node):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in seen:
            seen.add(node.id)
            if _says_nothing(node.id):
                path = function.module.path
                yield Finding("cryptic", path, node.lineno, "a variable's name that says nothing")
            elif len(node.id) == 1 and node.id != "_" and not _UNSPACED.match(node.id):
                letters.add(node.id)
    # A few letters are the field's habit; a long function made of them is a riddle.
    if function.statements > _CROWDED and len(letters - {"i", "j", "k", "X", "y", "n"}) > 4:  # noqa: PLR2004 - see above
        path, line = function.module.path, function.node.lineno
        yield Finding("cryptic", path, line, "a long function of one-letter variables")


def _says_nothing(name: str) -> bool:
    return name.lower() in _EMPTY or bool(_NUMBERED.fullmatch(name.lower()))
