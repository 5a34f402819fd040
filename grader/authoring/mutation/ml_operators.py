"""Mutation operators for defects of machine-learning code.

Leaks (fitting on all rows, or anew on the rows to predict), the wrong statistic, the wrong axis,
the wrong average of a metric. Dropped copies, ``random_state``, ``stratify``, ``groups`` and
``kind="stable"``, boundaries of time and windows off by one are cases of the usual operators.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from grader.authoring.mutation.operators import replaced, with_field
from grader.authoring.mutation.source import Change, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.authoring.mutation.source import Source

__all__ = ["ML"]

_TWINS = (
    ("mean", "median"), ("nanmean", "nanmedian"), ("min", "max"), ("nanmin", "nanmax"),
    ("std", "var"), ("any", "all"), ("argmax", "argmin"), ("nanargmax", "nanargmin"),
    ("idxmax", "idxmin"), ("floor", "ceil"), ("head", "tail"), ("nlargest", "nsmallest"),
    ("ffill", "bfill"), ("first", "last"), ("maximum", "minimum"), ("isna", "notna"),
    ("isnull", "notnull"), ("startswith", "endswith"), ("union", "intersection"), ("ceil", "floor"),
    ("lstrip", "rstrip"), ("exp", "expm1"), ("log", "log1p"),
)  # fmt: skip
_OTHER = {a: b for pair in _TWINS for a, b in (pair, pair[::-1])}
_OTHER |= {"sum": "mean", "nansum": "nanmean", "mode": "median"}
_WORDS = {
    "macro": "micro", "micro": "macro", "weighted": "macro", "left": "right", "right": "left",
    "inner": "outer", "outer": "inner", "mean": "median", "median": "mean", "first": "last",
    "last": "first", "most_frequent": "median", "max": "min", "min": "max", "any": "all",
    "all": "any", "index": "columns", "columns": "index", "l2": "l1", "ignore": "error",
    "NFKC": "NFC", "NFC": "NFKC", "stable": "quicksort", "mergesort": "quicksort", "sum": "mean",
    "softmax": "sigmoid", "balanced": "none",
}  # fmt: skip
_SUBSCRIPTS = {"loc", "iloc"}


def statistic(source: Source, node: ast.AST) -> Iterator[Change]:
    """Mean for median, min for max, argmax for argmin."""
    if not isinstance(node, ast.Call):
        return
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in _OTHER:
        name = _OTHER[function.attr]
        end = source.span(function)[1]
        edit = Edit(end - len(function.attr.encode()), end, name)
        yield Change("statistic", function, with_field(function, attr=name), (edit,))
    elif isinstance(function, ast.Name) and function.id in {"min", "max", "any", "all"}:
        name = _OTHER[function.id]
        edit = Edit(*source.span(function), name)
        yield Change("statistic", function, ast.Name(name, ast.Load()), (edit,))


def word(source: Source, node: ast.AST) -> Iterator[Change]:
    """Micro for macro, right for left, and other words that choose what a call computes."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    parent, field, _ = source.parents[node]
    argument = isinstance(parent, ast.keyword) or (isinstance(parent, ast.Call) and field == "args")
    if argument and node.value in _WORDS:
        other = _WORDS[node.value]
        edit = Edit(*source.span(node), f'"{other}"')
        yield Change("word", node, ast.Constant(other), (edit,))


def axis(source: Source, node: ast.AST) -> Iterator[Change]:
    """``axis=0`` for ``axis=1``; other numbers are the constants' matter."""
    if isinstance(node, ast.keyword) and node.arg == "axis":
        value = node.value
        if isinstance(value, ast.UnaryOp) and isinstance(value.operand, ast.Constant):
            edit = Edit(*source.span(value), "0")
            yield Change("axis", value, ast.Constant(0), (edit,))


def refitted(source: Source, node: ast.AST) -> Iterator[Change]:
    """``fit_transform`` for ``transform``: the rows to predict decide how they are prepared."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        function = node.func
        if function.attr == "transform" and node.args:
            end = source.span(function)[1]
            edit = Edit(end - len("transform"), end, "fit_transform")
            new = with_field(function, attr="fit_transform")
            yield Change("refitted", function, new, (edit,))


def all_rows(source: Source, node: ast.AST) -> Iterator[Change]:
    """``fit(rows)`` for ``fit(rows.iloc[train])``: all rows decide what is learned."""
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if not name.startswith(("fit", "_fit", "train")):
        return
    for argument in node.args:
        if not isinstance(argument, ast.Subscript):
            continue
        base = argument.value
        if isinstance(base, ast.Attribute) and base.attr in _SUBSCRIPTS:
            base = base.value
        yield replaced(source, "all rows", argument, base)


def other_rows(source: Source, node: ast.AST) -> Iterator[Change]:
    """The rows to predict in place of those to learn from, and the other way round."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    for here, there in (("train", "test"), ("test", "train"), ("train", "valid")):
        other = re.sub(rf"(^|_){here}(?=_|$)", rf"\g<1>{there}", node.id)
        if other != node.id and other in _bound_beside(source, node):
            edit = Edit(*source.span(node), other)
            yield Change("other rows", node, ast.Name(other, ast.Load()), (edit,))


def _bound_beside(source: Source, node: ast.AST) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)
    function = next(found for found in source.ancestors(node) if isinstance(found, kinds))
    return {
        part.arg if isinstance(part, ast.arg) else part.id
        for part in ast.walk(function)
        if isinstance(part, ast.arg)
        or (isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))
    }


ML = (statistic, word, axis, refitted, all_rows, other_rows)
