"""Texts that an expression puts together out of constants, and those that a name is bound to."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Texts", "folded"]

_LONGEST = 1000
_METHODS = {
    *("join", "format", "replace", "lower", "upper", "strip", "lstrip", "rstrip", "removeprefix"),
    *("removesuffix", "casefold", "swapcase", "capitalize", "decode"),
}
# Without widths, which could make a text as long as they say.
_PLAIN_FIELDS = re.compile(r"(?:[^%{}]|%s|\{\d?\})*")
_Value = str | bytes | int | list["_Value"]


def folded(node: ast.expr) -> str | None:
    """The text that an expression of constants is; None of any other.

    A text that stands there as a whole is not put together.
    """
    if isinstance(node, ast.Constant):
        return None
    try:
        value = _value(node)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return None
    return value if isinstance(value, str) and len(value) <= _LONGEST else None


def _value(node: ast.expr) -> _Value:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes | int):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.JoinedStr):
        return "".join(_as_text(_value(part)) for part in node.values)
    if isinstance(node, ast.FormattedValue) and node.format_spec is None and node.conversion < 0:
        return _value(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_whole(_value(node.operand))
    if isinstance(node, ast.BinOp):
        return _joined(node.op, _value(node.left), _value(node.right))
    if isinstance(node, ast.Subscript):
        return _part(_value(node.value), node.slice)
    if isinstance(node, ast.Call) and not node.keywords:
        return _called(node.func, [_value(item) for item in node.args])
    raise ValueError


def _joined(operator: ast.operator, left: _Value, right: _Value) -> _Value:
    if isinstance(operator, ast.Add):
        if isinstance(left, str) and isinstance(right, str):
            return _short(left + right)
        if isinstance(left, list) and isinstance(right, list):
            return left + right
        return _whole(left) + _whole(right)
    if isinstance(operator, ast.Mod) and isinstance(left, str) and _PLAIN_FIELDS.fullmatch(left):
        return _short(left % (tuple(right) if isinstance(right, list) else right))
    if isinstance(operator, ast.Mult) and isinstance(left, str):
        if len(left) * _whole(right) > _LONGEST:
            raise ValueError
        return left * _whole(right)
    raise ValueError


def _part(value: _Value, place: ast.expr) -> _Value:
    if not isinstance(value, str | list):
        raise TypeError
    if isinstance(place, ast.Slice):
        first, last, step = (
            None if end is None else _whole(_value(end))
            for end in (place.lower, place.upper, place.step)
        )
        return value[first:last:step]
    return value[_whole(_value(place))]


def _called(function: ast.expr, arguments: list[_Value]) -> _Value:
    if isinstance(function, ast.Name):
        if function.id == "reversed" and isinstance(arguments[0], str | list):
            return list(arguments[0])[::-1]
        if function.id == "chr":
            return chr(_whole(arguments[0]))
        raise ValueError
    if not isinstance(function, ast.Attribute):
        raise TypeError
    if ast.unparse(function) == "bytes.fromhex" and isinstance(arguments[0], str):
        return bytes.fromhex(arguments[0])
    holder = _value(function.value)
    name = function.attr
    if name not in _METHODS or not isinstance(holder, bytes if name == "decode" else str):
        raise TypeError
    if name == "join":
        parts = [_short(part) for part in arguments[0]]  # type: ignore[union-attr]
        if sum(map(len, parts)) + len(holder) * len(parts) > _LONGEST:
            raise ValueError
        return holder.join(parts)  # type: ignore[arg-type]
    if name == "format" and not _PLAIN_FIELDS.fullmatch(str(holder)):
        raise ValueError
    return _short(getattr(holder, name)(*arguments))


def _short(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise TypeError
    return value


def _whole(value: _Value) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value


def _as_text(value: _Value) -> str:
    return value if isinstance(value, str) else str(_whole(value))


class Texts:
    """The texts that each name of a file is bound to, wherever it is bound."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self._bound: dict[str, list[ast.expr]] = {}
        for node in nodes:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._bind(target, node.value)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
                self._bind(node.target, node.value)
            elif isinstance(node, ast.For | ast.comprehension) and isinstance(
                node.iter, ast.List | ast.Tuple | ast.Set
            ):
                for item in node.iter.elts:
                    self._bind(node.target, item)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._bound.setdefault(target.id, []).append(value)
        elif (
            isinstance(target, ast.Tuple | ast.List)
            and isinstance(value, ast.Tuple | ast.List)
            and len(target.elts) == len(value.elts)
        ):
            for part, item in zip(target.elts, value.elts, strict=True):
                self._bind(part, item)

    def of(self, name: str) -> list[str]:
        """The texts among what a name is bound to."""
        found = []
        for value in self._bound.get(name, ()):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.append(value.value)
            elif (text := folded(value)) is not None:
                found.append(text)
        return found
