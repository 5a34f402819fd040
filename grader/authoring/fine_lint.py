"""Rules about what a suite says: raw operators, thresholds, properties without an example."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["properties_only", "raw_operators", "states", "thresholds"]

# Words of a docstring that says where a limit comes from.
_REASON = re.compile(r"limit|threshold|tolerance|at most|seen on|measured|costs? ", re.IGNORECASE)
_TOLERANCE = 0.01  # what is smaller is rounding, of which the task sheet speaks
_CHECKS = re.compile(r"_?assert\w*|\w+_of")  # suites name what checks and reads so


def states(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Find assertions on what ``solution.state`` gives."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func).startswith("assert_"):
            for part in ast.walk(node):
                if isinstance(part, ast.Call) and _dotted(part.func) == "solution.state":
                    yield part.lineno, "state"


def raw_operators(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Find arithmetic on an answer whose kind nothing has checked above.

    An answer is what ``solution.name(…)`` gives, directly or by way of one name.
    """
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        held = {
            target.id: node.lineno
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and _is_answer(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        checked: dict[str, int] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _CHECKS.fullmatch(_name(node.func)):
                for part in (p for argument in node.args for p in ast.walk(argument)):
                    if isinstance(part, ast.Name) and part.id in held:
                        checked[part.id] = min(checked.get(part.id, node.lineno), node.lineno)
        for node in ast.walk(function):
            if not isinstance(node, ast.BinOp):
                continue
            for side in (node.left, node.right):
                raw = _is_answer(side)
                if isinstance(side, ast.Name) and side.id in held:
                    raw = checked.get(side.id, node.lineno + 1) > node.lineno
                if raw:
                    yield node.lineno, "operator"


def _is_answer(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    dotted = _dotted(node.func)
    return (
        dotted.startswith("solution.")
        and dotted.count(".") == 1
        and not dotted.endswith((".stopwatch", ".make", ".repeat", ".fresh"))
    )


def thresholds(tree: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """Find limits that a test fails by, and for which no reason is given.

    A reason is a comment at the number's line or above it, or the module's docstring when it
    speaks of limits.
    """
    if _REASON.search(ast.get_docstring(tree) or ""):
        return
    lines = source.splitlines()
    constants = {
        target.id: node
        for node in tree.body
        if isinstance(node, ast.Assign) and _is_number(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.If) or not any(isinstance(s, ast.Raise) for s in node.body):
            continue
        for compare in (part for part in ast.walk(node.test) if isinstance(part, ast.Compare)):
            if not any(isinstance(o, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for o in compare.ops):
                continue
            for side in (compare.left, *compare.comparators):
                named = constants.get(_name(side))
                line = named.lineno if named else side.lineno
                if _is_limit(named.value if named else side) and not _has_comment(lines, line):
                    found.add(line)
    yield from ((line, "threshold") for line in sorted(found))


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in {int, float}


def _is_limit(node: ast.AST) -> bool:
    if not isinstance(node, ast.Constant) or type(node.value) not in {int, float}:
        return False
    return abs(float(node.value)) > _TOLERANCE and node.value != 1  # type: ignore[arg-type]


def _has_comment(lines: Sequence[str], line: int) -> bool:
    above = lines[line - 2].strip() if line > 1 else ""
    return "#" in lines[line - 1] or above.startswith("#")


def properties_only(trees: Sequence[tuple[str, ast.Module]]) -> Iterator[tuple[str, int, str]]:
    """Find lines of the task sheet that only generated examples hold: file, line and rule."""
    explicit: set[tuple[str, str]] = set()
    generated: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for file, tree in trees:
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            names = {_name(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list}
            key = _mark(node)
            if "given" in names and "example" not in names:
                generated.setdefault(key, []).append((file, node.lineno))
            else:
                explicit.add(key)
    for key, places in generated.items():
        if key not in explicit and key[1]:
            yield from ((file, line, "property-only") for file, line in places)


def _mark(node: ast.FunctionDef) -> tuple[str, str]:
    """Criterion and line of a test."""
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and _name(mark.func) == "criterion":
            criterion = str(getattr(mark.args[0], "value", "")) if mark.args else ""
            sheet = [k.value for k in mark.keywords if k.arg == "sheet"]
            return criterion, str(getattr(sheet[0], "value", "")) if sheet else ""
    return "", ""


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"
