"""Proficiency: type hints on the contract's names and on helpers, and whether they hold."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from grader.analyst.lint import Finding
from grader.analyst.reach import FunctionNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.analyst.reach import Function, Reached

__all__ = ["broken_hints", "unhinted_contract", "unhinted_helpers", "vague_hints"]

_NOTHING_SAID = {"Any", "typing.Any", "object"}
_OPEN = {"dict", "list", "tuple", "set", "object", "Callable", "typing.Any", "typing.Callable"}
_HELPER_STATEMENTS = 3
_SCALARS = {"int", "float", "str", "bool", "bytes"}


def unhinted_contract(reached: Reached) -> Iterator[Finding]:
    """Public functions and methods whose parameters or result have no hint that says anything."""
    for function in reached.functions:
        if function.public and (_missing(function) or _vague(function)):
            path, line = function.module.path, function.node.lineno
            yield Finding("unhinted", path, line, "a public function without full type hints")
    for path, line in reached.opaque:
        yield Finding("unhinted", path, line, "a public name that is no plain function or class")


def unhinted_helpers(reached: Reached) -> Iterator[Finding]:
    """Reached helpers of some length without hints."""
    for function in reached.functions:
        if (
            not function.public
            and function.statements >= _HELPER_STATEMENTS
            and not (function.owner and function.node.name.startswith("__"))
            and _missing(function)
        ):
            path, line = function.module.path, function.node.lineno
            yield Finding("unhinted", path, line, "a helper without type hints")


def _parameters(function: Function) -> list[ast.arg]:
    arguments = function.node.args
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    static = any(ast.unparse(d) == "staticmethod" for d in function.node.decorator_list)
    return found[1:] if function.owner and not static else found


def _missing(function: Function) -> bool:
    return function.node.returns is None or any(
        parameter.annotation is None for parameter in _parameters(function)
    )


def _vague(function: Function) -> bool:
    """A hint that fits every value is none; one parameter may be checked at run time."""
    said = [p.annotation for p in _parameters(function)] + [function.node.returns]
    empty = [a for a in said if a is not None and ast.unparse(a) in _NOTHING_SAID]
    return len(empty) == len(said)


def vague_hints(reached: Reached) -> Iterator[Finding]:
    """Hints of ``Any``, and containers and callables that do not say of what."""
    for function in reached.functions:
        said = [p.annotation for p in _parameters(function)] + [function.node.returns]
        for hint in filter(None, said):
            names = {ast.unparse(n) for n in ast.walk(hint) if isinstance(n, ast.Name)}
            if "Any" in names or ast.unparse(hint) in _OPEN:
                yield Finding(
                    "vague-hint", function.module.path, hint.lineno, "a hint that says little"
                )


def broken_hints(reached: Reached) -> Iterator[Finding]:
    """Hints that cannot be true; also the lack of any, since nothing then holds."""
    if all(_missing(function) for function in reached.functions):
        yield Finding("unhinted", reached.modules[0].path, 1, "no function has type hints")
    for function in reached.functions:
        said = function.node.returns
        if said is not None and (text := _contradiction(function.node, ast.unparse(said))):
            yield Finding("broken-hint", function.module.path, function.node.lineno, text)


def _contradiction(node: FunctionNode, said: str) -> str:
    own = list(_own_nodes(node))
    if any(isinstance(item, ast.Yield | ast.YieldFrom) for item in own):
        return ""
    values = [item.value for item in own if isinstance(item, ast.Return)]
    given = [v for v in values if v is not None and ast.unparse(v) != "None"]
    # What is awaited may be None; that of another application, which ASGI calls, is.
    if said in {"None", "'None'"} and not all(isinstance(value, ast.Await) for value in given):
        return "says None and returns a value"
    stub = len(own) <= 2 or any(isinstance(item, ast.Raise) for item in own)  # noqa: PLR2004 - `...`
    if said in _SCALARS and not given and not stub:
        return f"says {said} and returns nothing"
    made = {type(v) for v in given}
    boxes = {ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp}
    if said in _SCALARS and made and made <= boxes:
        return f"says {said} and returns a collection"
    return ""


def _own_nodes(node: FunctionNode) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    stack: list[ast.AST] = list(node.body)
    while stack:
        item = stack.pop()
        if isinstance(item, FunctionNode | ast.Lambda | ast.ClassDef):
            continue
        yield item
        stack.extend(ast.iter_child_nodes(item))
