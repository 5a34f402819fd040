"""Proficiency: loops where the library has an operation, pandas habits, type hints."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from grader.analyst._names import assigned_names
from grader.analyst._scopes import Scopes, exports_of
from grader.analyst.lint import Finding, answers
from grader.analyst.reach import FunctionNode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from grader.analyst.reach import Function, Reached, Unit

__all__ = [
    "blanket_handlers",
    "cell_access",
    "chained_assignment",
    "hand_made_statistics",
    "index_loops",
    "row_functions",
    "row_loops",
    "silenced_warnings",
    "type_comments",
]

_ROW_METHODS = {"iterrows", "itertuples"}
_PYTHON_LOOPS = {"numpy.vectorize", "numpy.frompyfunc"}
_BY_ROW = {"apply", "agg", "transform"}
_CELLS = {"at", "iat"}
_POSITIONS = {"loc", "iloc", "at", "iat"}
_LOOPS = ast.For | ast.AsyncFor | ast.While


def _nodes(reached: Reached) -> Iterator[tuple[Unit, ast.AST]]:
    for unit in reached.units:
        for part in unit.parts:
            for node in ast.walk(part):
                yield unit, node


def _finding(unit: Unit, node: ast.AST, rule: str, text: str) -> Finding:
    return Finding(rule, unit.module.path, getattr(node, "lineno", unit.node.lineno), text)


def _loops(reached: Reached) -> Iterator[tuple[Unit, ast.AST, ast.expr, ast.expr, list[ast.AST]]]:
    """Every ``for``: unit, place, target, what is iterated over, and the body."""
    for unit, node in _nodes(reached):
        if isinstance(node, ast.For | ast.AsyncFor):
            yield unit, node, node.target, node.iter, list(node.body)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            parts: list[ast.AST] = (
                [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            )
            for generator in node.generators:
                body = [*parts, *generator.ifs]
                yield unit, node, generator.target, generator.iter, body


def row_loops(reached: Reached) -> Iterator[Finding]:
    """Loops over the rows of a frame."""
    for unit, node in _nodes(reached):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _ROW_METHODS
        ):
            yield _finding(unit, node, "rows", f"{node.func.attr}()")
    for unit, place, target, source, body in _loops(reached):
        if isinstance(target, ast.Name) and _is_row_range(source, target.id, body):
            yield _finding(unit, place, "rows", "a loop over row positions")


def _is_row_range(source: ast.expr, name: str, body: list[ast.AST]) -> bool:
    if isinstance(source, ast.Attribute) and source.attr == "index":
        return any(_picks_row(node, name) for part in body for node in ast.walk(part))
    if not (
        isinstance(source, ast.Call)
        and isinstance(source.func, ast.Name)
        and source.func.id == "range"
        and source.args
    ):
        return False
    end = source.args[-1] if len(source.args) < 3 else source.args[1]  # noqa: PLR2004 - range's stop
    text = ast.unparse(end)
    if text.endswith((".shape[0]", ".index)")) or "len(" in text:
        return any(_picks_row(node, name) for part in body for node in ast.walk(part))
    return False


def _picks_row(node: ast.AST, name: str) -> bool:
    """``x.loc[i]``, ``x.iloc[i, j]``, ``x.at[i, c]``, ``x[c][i]``, ``x.values[i]``."""
    if not isinstance(node, ast.Subscript):
        return False
    key = (
        node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
    )
    if not (isinstance(key, ast.Name) and key.id == name):
        return False
    holder = node.value
    if isinstance(holder, ast.Subscript):
        return True
    return isinstance(holder, ast.Attribute) and holder.attr in _POSITIONS | {"values", "index"}


def row_functions(reached: Reached) -> Iterator[Finding]:
    """Python called for each row or cell: ``apply(axis=1)``, ``applymap``, ``np.vectorize``."""
    exports = exports_of(reached.modules)
    named = any("vectorize" in m.plain or "frompyfunc" in m.plain for m in reached.modules)
    named = named or not all(m.plain.isascii() for m in reached.modules)  # other spellings
    scopes = {m.path: Scopes(m.tree, m.name, m.path, exports) for m in reached.modules if named}
    classes = _own_methods(reached)
    for unit, node in _nodes(reached):
        if named and isinstance(node, ast.Name | ast.Attribute):
            for dotted in scopes[unit.module.path].dotted(node) & _PYTHON_LOOPS:
                yield _finding(unit, node, "cells", f"{dotted.removeprefix('numpy.')}()")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in _BY_ROW and not _is_own(node.func.value, name, unit, classes):
                for keyword in node.keywords:
                    if keyword.arg == "axis" and ast.unparse(keyword.value) in {"1", "'columns'"}:
                        yield _finding(unit, node, "cells", f"{name}(axis=1)")
            elif name == "applymap" and not _is_own(node.func.value, name, unit, classes):
                yield _finding(unit, node, "cells", f"{name}()")


def _own_methods(reached: Reached) -> dict[str, set[str]]:
    """The methods of the submission's classes, by the classes' names."""
    found: dict[str, set[str]] = {}
    for module in reached.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                methods = {item.name for item in node.body if isinstance(item, FunctionNode)}
                found.setdefault(node.name, set()).update(methods)
    return found


def _is_own(
    receiver: ast.expr, method: str, unit: Unit, classes: Mapping[str, Collection[str]]
) -> bool:
    """Whether a method is called on an object of a class of the submission that defines it."""
    if isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Name):
        return method in classes.get(receiver.func.id, ())
    if not isinstance(receiver, ast.Name):
        return False
    if receiver.id in {"self", "cls"}:
        return method in classes.get(unit.owner, ())
    nodes = [node for part in unit.parts for node in ast.walk(part)]
    bound = sum(receiver.id in assigned_names(node) for node in nodes)
    made = [
        node.value
        for node in nodes
        if isinstance(node, ast.Assign)
        and [getattr(target, "id", "") for target in node.targets] == [receiver.id]
    ]
    return bound == len(made) > 0 and all(
        isinstance(value, ast.Call) and _is_own(value, method, unit, classes) for value in made
    )


def cell_access(reached: Reached) -> Iterator[Finding]:
    """One cell after the other, in a loop."""
    for unit, loop in _nodes(reached):
        if not isinstance(loop, _LOOPS):
            continue
        for node in ast.walk(loop):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr in _CELLS
            ):
                yield _finding(unit, node, "cells", f".{node.value.attr}[] in a loop")
    for unit, place, target, source, body in _loops(reached):
        if isinstance(target, ast.Name) and _is_values(source):
            for part in body:
                for node in ast.walk(part):
                    if isinstance(node, ast.Call) and _is_missing_test(node, target.id):
                        yield _finding(unit, place, "cells", "a missing-value test for each cell")


def _is_values(source: ast.expr) -> bool:
    if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute):
        return source.func.attr in {"tolist", "to_list", "to_numpy"}
    return isinstance(source, ast.Subscript) or (
        isinstance(source, ast.Attribute) and source.attr in {"values", "array"}
    )


def _is_missing_test(node: ast.Call, name: str) -> bool:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    return called in {"isna", "isnull", "notna", "notnull", "isnan"} and [
        ast.unparse(argument) for argument in node.args
    ] == [name]


def hand_made_statistics(reached: Reached) -> Iterator[Finding]:
    """A median from ordered values and their middle, or a sort by hand."""
    for function in reached.functions:
        if _sorts_by_hand(function):
            yield _in(function, "statistics", "a sort by hand")
        calls = [node for node in ast.walk(function.node) if isinstance(node, ast.Call)]
        ordered = [call for call in calls if _called(call) in _ORDERING]
        if (
            any(_called(call) == "len" for call in calls)
            and any(map(_halves, ast.walk(function.node)))
            and not all(map(_is_of_distinct, ordered))
        ):
            yield _in(function, "statistics", "a median by hand")


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def _is_of_distinct(ordering: ast.Call) -> bool:
    """Whether each value is there once: the middle of some days is no median of what they hold."""
    return any(
        _called(part) in _DISTINCT
        for part in ast.walk(ordering)
        if isinstance(part, ast.Call) and part is not ordering
    )


_DISTINCT = {"unique", "drop_duplicates", "set", "frozenset", "fromkeys", "keys"}
_ORDERING = {"sorted", "sort", "heappop", "heapify", "nsmallest", "nlargest"}
_HALF = {ast.FloorDiv: 2, ast.RShift: 1}


def _halves(node: ast.AST) -> bool:
    """``n // 2``, ``n >> 1`` or ``divmod(n, 2)``."""
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
        return bool(node.right.value == _HALF.get(type(node.op)))
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "divmod"
        and [getattr(part, "value", None) for part in node.args[1:]] == [2]
    )


def _sorts_by_hand(function: Function) -> bool:
    """A loop in a loop that swaps two items of a sequence."""
    for outer in ast.walk(function.node):
        if not isinstance(outer, _LOOPS):
            continue
        for inner in ast.walk(outer):
            if inner is not outer and isinstance(inner, _LOOPS) and _swaps(inner):
                return True
    return False


def _swaps(loop: ast.AST) -> bool:
    written: dict[str, set[str]] = {}
    read: dict[str, set[str]] = {}
    for node in ast.walk(loop):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            side = written if isinstance(node.ctx, ast.Store) else read
            side.setdefault(node.value.id, set()).add(ast.unparse(node.slice))
    return any(len(keys) > 1 and keys <= read.get(name, set()) for name, keys in written.items())


def type_comments(reached: Reached) -> Iterator[Finding]:
    """Types in comments, as before Python 3.6."""
    lines = reached.lines()
    for module in reached.modules:
        for line in module.type_comments:
            if line in lines[module.path]:
                yield Finding("type-comment", module.path, line, "a type in a comment")


def _in(function: Function, rule: str, text: str) -> Finding:
    return Finding(rule, function.module.path, function.node.lineno, text)


def index_loops(reached: Reached) -> Iterator[Finding]:
    """``for i in range(len(x))`` that only reads ``x[i]``, and ``while i < len(x)``."""
    for unit, node in _nodes(reached):
        if isinstance(node, ast.While) and _counts_up(node):
            yield _finding(unit, node, "index-loop", "a while loop that counts up to a length")
    for unit, place, target, source, body in _loops(reached):
        if not isinstance(target, ast.Name) or not isinstance(source, ast.Call):
            continue
        if ast.unparse(source.func) != "range" or len(source.args) != 1:
            continue
        length = source.args[0]
        if not (isinstance(length, ast.Call) and ast.unparse(length.func) == "len"):
            continue
        read = ast.unparse(length.args[0]) if length.args else ""
        if any(
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Load)
            and ast.unparse(node.value) == read
            and ast.unparse(node.slice) == target.id
            for part in body
            for node in ast.walk(part)
        ):
            yield _finding(unit, place, "index-loop", "range(len(x)) to read x[i]")


def _counts_up(loop: ast.While) -> bool:
    """``while i < len(x)`` or ``i < n`` with ``i += 1`` and ``x[i]`` in the body."""
    test = loop.test
    if not isinstance(test, ast.Compare) or not isinstance(test.left, ast.Name):
        return False
    name = test.left.id
    body = [node for statement in loop.body for node in ast.walk(statement)]
    stepped = any(
        isinstance(node, ast.AugAssign)
        and isinstance(node.op, ast.Add)
        and ast.unparse(node.target) == name
        and ast.unparse(node.value) == "1"
        for node in loop.body
    )
    return stepped and any(
        isinstance(node, ast.Subscript) and ast.unparse(node.slice) == name for node in body
    )


def chained_assignment(reached: Reached) -> Iterator[Finding]:
    """``frame[a][b] = value``, which may write to a copy."""
    for unit, node in _nodes(reached):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        for target in targets:
            if (
                isinstance(target, ast.Subscript)
                and isinstance(target.value, ast.Subscript)
                and _is_frame_like(target.value)
            ):
                yield _finding(unit, target, "chained", "a chained assignment")


def _is_frame_like(node: ast.Subscript) -> bool:
    """A frame's column, or rows by position; not a list in a dict of lists."""
    holder = node.value
    if isinstance(holder, ast.Attribute) and holder.attr in {"loc", "iloc"}:
        return True
    return isinstance(holder, ast.Name) and any(
        part in holder.id.lower()
        for part in ("df", "frame", "data", "copy", "result", "out", "new")
    )


def blanket_handlers(reached: Reached) -> Iterator[Finding]:
    """``except Exception`` in more than one place: errors that nobody thought of are renamed."""
    found = [
        (unit, node)
        for unit, node in _nodes(reached)
        if isinstance(node, ast.ExceptHandler)
        and node.type is not None
        and ast.unparse(node.type) in {"Exception", "BaseException"}
        and not (reached.service and answers(node))
    ]
    for unit, node in found[1:]:
        yield _finding(unit, node, "blanket", "every error caught, for the second time")


def silenced_warnings(reached: Reached) -> Iterator[Finding]:
    """All warnings switched off for the whole process."""
    for unit, node in _nodes(reached):
        if isinstance(node, ast.Call) and _silences_all(node) and not _in_with(unit, node):
            yield _finding(unit, node, "silenced", "all warnings switched off")
        elif isinstance(node, ast.Assign) and _silences_pandas(node.targets[0]):
            yield _finding(unit, node, "silenced", "pandas' own warning switched off")


def _silences_pandas(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == "chained_assignment"


def _silences_all(node: ast.Call) -> bool:
    return (
        ast.unparse(node.func).endswith(("filterwarnings", "simplefilter"))
        and not node.keywords
        and [ast.unparse(argument) for argument in node.args] == ["'ignore'"]
    )


def _in_with(unit: Unit, call: ast.Call) -> bool:
    return any(
        isinstance(node, ast.With) and any(item is call for item in ast.walk(node))
        for part in unit.parts
        for node in ast.walk(part)
    )
