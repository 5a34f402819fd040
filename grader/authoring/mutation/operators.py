"""The usual mutation operators, on Python's syntax trees.

Each is a function of a file and one of its nodes, and yields changes. What cannot be told from
outside is left alone: annotations, docstrings, decorators, imports, words of errors and of logs.

Source of the choice: Offutt et al., "An experimental determination of sufficient mutant operators",
1996, with what cosmic-ray and mutmut add for Python.
"""

from __future__ import annotations

import ast
import copy
import re
from typing import TYPE_CHECKING

from grader.authoring.mutation.source import Change, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.authoring.mutation.source import Source

__all__ = ["GENERAL", "replaced", "with_field"]

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.MatMult: ast.Mult,
}
_SYMBOLS: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.MatMult: "@",
    ast.And: "and", ast.Or: "or",
}  # fmt: skip
_TOKENS = re.compile(r"#[^\n]*|not\s+in\b|is\s+not\b|[a-z]+|[<>=!*/%&|@+-]+")
_ERRORS = {"TypeError": "ValueError", "ValueError": "TypeError", "KeyError": "ValueError"}
_GUARDS = {"strict"}  # zip(strict=True) guards the code itself
_SYMMETRIC = {"min", "max", "hypot", "isclose", "allclose", "array_equal"}
_NOT_UNWRAPPED = {"isinstance", "issubclass", "super", "hasattr", "print", "type"}


def replaced(source: Source, operator: str, old: ast.expr, new: ast.expr) -> Change:
    """An expression of the same file in the place of one that it is in."""
    start, end = source.span(old)
    edits = (Edit(start, end, source.written(new)), Edit(start, end, source.operand(new)))
    return Change(operator, old, new, edits)


def with_field(node: ast.AST, **fields: object) -> ast.AST:
    """A shallow copy with other fields."""
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _gap(
    source: Source, left: ast.AST, right: ast.AST, old: type[ast.AST], new: type[ast.AST]
) -> tuple[Edit, ...]:
    """The edit of an operator between two operands, beside any comments and parentheses."""
    start, end = source.span(left)[1], source.span(right)[0]
    gap = source.data[start:end].decode("utf-8")
    for token in _TOKENS.finditer(gap):
        if " ".join(token[0].split()) == _SYMBOLS[old]:
            first = start + len(gap[: token.start()].encode())
            return (Edit(first, first + len(token[0].encode()), _SYMBOLS[new]),)
    return ()


def compare(source: Source, node: ast.AST) -> Iterator[Change]:
    """``<`` for ``<=`` and ``>``, ``==`` for ``!=``, ``in`` for ``not in``."""
    if not isinstance(node, ast.Compare):
        return
    sides = [node.left, *node.comparators]
    for index, operator in enumerate(node.ops):
        for other in _COMPARE[type(operator)]:
            ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            edits = _gap(source, sides[index], sides[index + 1], type(operator), other)
            yield Change("compare", node, with_field(node, ops=ops), edits)


def arithmetic(source: Source, node: ast.AST) -> Iterator[Change]:
    """``+`` for ``-``, ``*`` for ``/``, ``&`` for ``|``, and one operand in place of both."""
    if not isinstance(node, ast.BinOp):
        return
    other = _ARITHMETIC.get(type(node.op))
    if other is not None:
        edits = _gap(source, node.left, node.right, type(node.op), other)
        yield Change("arithmetic", node, with_field(node, op=other()), edits)
    if not isinstance(node.left, ast.Constant):
        yield replaced(source, "operand", node, node.left)
    if not isinstance(node.right, ast.Constant):
        yield replaced(source, "operand", node, node.right)


def unary(source: Source, node: ast.AST) -> Iterator[Change]:
    """``not x``, ``-x`` and ``~x`` become ``x``."""
    if isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield replaced(source, "unary", node, node.operand)


def boolean(source: Source, node: ast.AST) -> Iterator[Change]:
    """``and`` for ``or``, and each operand dropped."""
    if not isinstance(node, ast.BoolOp):
        return
    other = ast.Or if isinstance(node.op, ast.And) else ast.And
    edits: tuple[Edit, ...] = ()
    if len(node.values) == 2:  # noqa: PLR2004 - one gap to edit
        edits = _gap(source, node.values[0], node.values[1], type(node.op), other)
    yield Change("boolean", node, with_field(node, op=other()), edits)
    for index in range(len(node.values)):
        rest = [*node.values[:index], *node.values[index + 1 :]]
        if len(rest) == 1:
            yield replaced(source, "operand", node, rest[0])
        else:
            yield Change("operand", node, with_field(node, values=rest))


def constant(source: Source, node: ast.AST) -> Iterator[Change]:
    """Whole numbers one more and one less, fractions twice and half, True for False."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    others: tuple[float, ...] = ()
    if isinstance(value, bool):
        others = (not value,)
    elif isinstance(value, int):
        others = (value + 1, value - 1)
    elif isinstance(value, float):
        others = (value + 1, value - 1) if abs(value) >= 1 or not value else (value * 2, value / 2)
    start, end = source.span(node)
    for other in others:
        if type(other) is not bool and other < 0:
            minus = ast.UnaryOp(ast.USub(), ast.Constant(-other))
            yield Change("constant", node, minus, (Edit(start, end, repr(other)),))
        else:
            yield Change("constant", node, ast.Constant(other), (Edit(start, end, repr(other)),))


def condition(source: Source, node: ast.AST) -> Iterator[Change]:
    """A condition always true, and always false."""
    if isinstance(node, ast.If | ast.IfExp):
        values: tuple[bool, ...] = (True, False)
        tests = [node.test]
    elif isinstance(node, ast.While):
        values, tests = (False,), [node.test]
    elif isinstance(node, ast.comprehension):
        values, tests = (True,), node.ifs
    else:
        return
    for test in tests:
        for value in values:
            if not isinstance(test, ast.Constant):
                edit = Edit(*source.span(test), repr(value))
                yield Change("condition", test, ast.Constant(value), (edit,))


def statement(source: Source, node: ast.AST) -> Iterator[Change]:
    """A statement deleted; first assignments of a name are left, for they would only be missed."""
    droppable = (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete, ast.Assert)
    if isinstance(node, ast.Expr):
        dropped = not isinstance(node.value, ast.Constant)
    elif isinstance(node, ast.Assign):
        dropped = _is_second(source, node)
    else:
        dropped = isinstance(node, droppable)
    if dropped:
        yield Change("statement", node, ast.Pass(), (Edit(*source.span(node), "pass"),))


def _is_second(source: Source, node: ast.Assign) -> bool:
    """Whether what an assignment binds is there without it: an item, or a name bound above."""
    target = node.targets[0]
    if not isinstance(target, ast.Name):
        return not isinstance(target, ast.Tuple | ast.List)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)
    function = next(found for found in source.ancestors(node) if isinstance(found, kinds))
    bound = {
        part.arg if isinstance(part, ast.arg) else part.id
        for part in ast.walk(function)
        if isinstance(part, ast.arg)
        or (isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))
        if part is not target and (part.lineno, part.col_offset) < (node.lineno, node.col_offset)
    }
    return target.id in bound


def augmented(source: Source, node: ast.AST) -> Iterator[Change]:
    """``+=`` for ``-=``, and ``=``."""
    if not isinstance(node, ast.AugAssign):
        return
    other = _ARITHMETIC.get(type(node.op))
    if other is not None:
        yield Change("arithmetic", node, with_field(node, op=other()))
    value = source.written(node.value)
    made = ast.Assign([node.target], node.value)
    edit = Edit(*source.span(node), f"{source.written(node.target)} = {value}")
    yield Change("augmented", node, made, (edit,))


def keyword(source: Source, node: ast.AST) -> Iterator[Change]:
    """A keyword argument dropped."""
    if not isinstance(node, ast.Call):
        return
    places = sorted(source.span(part) for part in (*node.args, *node.keywords))
    for index, item in enumerate(node.keywords):
        if item.arg is None or item.arg in _GUARDS or _is_utf8(item):
            continue
        start, end = source.span(item)
        at = places.index((start, end))
        edits = []
        if at:
            edits.append(Edit(places[at - 1][1], end, ""))
        elif len(places) > 1:
            edits.append(Edit(start, places[1][0], ""))
        else:
            edits.append(Edit(start, end, ""))
        rest = [*node.keywords[:index], *node.keywords[index + 1 :]]
        yield Change(f"keyword {item.arg}", node, with_field(node, keywords=rest), tuple(edits))


def _is_utf8(item: ast.keyword) -> bool:
    """Whether it names the encoding that files have in the sandbox anyway."""
    value = getattr(item.value, "value", "")
    return item.arg == "encoding" and str(value).lower().replace("_", "-") in {"utf-8", "utf8"}


def call(source: Source, node: ast.AST) -> Iterator[Change]:
    """A call unwrapped, ``f(x)`` to ``x`` and ``x.f()`` to ``x``, and two arguments swapped."""
    if not isinstance(node, ast.Call):
        return
    function = node.func
    name = getattr(function, "attr", getattr(function, "id", ""))
    first = node.args[0] if node.args and not isinstance(node.args[0], ast.Starred) else None
    alone = isinstance(source.parents[node][0], ast.Expr)  # deleting the statement says the same
    if name not in _NOT_UNWRAPPED and not alone:
        if isinstance(function, ast.Attribute) and not _is_module(source, function.value):
            dropped = "copy dropped" if name in {"copy", "deepcopy"} else "unwrapped"
            yield replaced(source, dropped, node, function.value)
        elif first is not None and not isinstance(first, ast.GeneratorExp):
            yield replaced(source, "unwrapped", node, first)
    swappable = len(node.args) > 1 and name not in _SYMMETRIC
    if swappable and not any(isinstance(a, ast.Starred) for a in node.args[:2]):
        second = node.args[1]
        args = [second, node.args[0], *node.args[2:]]
        start, end = source.span(node.args[0])[0], source.span(second)[1]
        text = f"{source.operand(second)}, {source.operand(node.args[0])}"
        yield Change("swapped", node, with_field(node, args=args), (Edit(start, end, text),))


def _is_module(source: Source, node: ast.expr) -> bool:
    """Whether it names something imported, such as a package or a class."""
    while isinstance(node, ast.Attribute):
        node = node.value
    if not isinstance(node, ast.Name):
        return False
    return any(
        (alias.asname or alias.name.partition(".")[0]) == node.id
        for part in ast.walk(source.tree)
        if isinstance(part, ast.Import | ast.ImportFrom)
        for alias in part.names
    )


def returned(source: Source, node: ast.AST) -> Iterator[Change]:
    """None in place of what is returned."""
    if isinstance(node, ast.Return) and node.value is not None:
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            return
        edit = Edit(*source.span(node.value), "None")
        yield Change("returned", node.value, ast.Constant(None), (edit,))


def exception(source: Source, node: ast.AST) -> Iterator[Change]:
    """Another type raised, a type no longer caught, a caught error raised again."""
    if isinstance(node, ast.Raise) and node.exc is not None:
        kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if isinstance(kind, ast.Name) and (kind.id in _ERRORS or kind.id.endswith("Error")):
            name = _ERRORS.get(kind.id, "Exception")
            edit = Edit(*source.span(kind), name)
            yield Change("exception", kind, ast.Name(name, ast.Load()), (edit,))
    if isinstance(node, ast.ExceptHandler):
        if isinstance(node.type, ast.Tuple) and len(node.type.elts) > 1:
            for index, dropped in enumerate(node.type.elts):
                rest = [*node.type.elts[:index], *node.type.elts[index + 1 :]]
                del dropped
                yield Change("exception", node.type, with_field(node.type, elts=rest))
        first = node.body[0]
        if not isinstance(first, ast.Raise):
            edit = Edit(*source.span(first), "raise")
            yield Change("caught", first, ast.Raise(None, None), (edit,))


def window(source: Source, node: ast.AST) -> Iterator[Change]:
    """A slice without one of its ends, or with an end moved by one."""
    if isinstance(node, ast.Slice):
        for field in ("lower", "upper", "step"):
            bound = getattr(node, field)
            if bound is None:
                continue
            yield Change("window", node, with_field(node, **{field: None}))
            if field != "step" and not _is_number(bound):
                yield _moved(source, bound)
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "range":
        for bound in node.args[:2]:
            if not _is_number(bound) and not isinstance(bound, ast.Starred):
                yield _moved(source, bound)


def _is_number(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant)


def _moved(source: Source, bound: ast.expr) -> Change:
    new = ast.BinOp(bound, ast.Sub(), ast.Constant(1))
    edits = (Edit(*source.span(bound), f"{source.operand(bound)} - 1"),)
    return Change("window", bound, new, edits)


GENERAL = (
    compare, arithmetic, unary, boolean, constant, condition, statement, augmented, keyword, call,
    returned, exception, window,
)  # fmt: skip
