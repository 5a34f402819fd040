"""A module cut into the pieces that are reached as a whole or not."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from grader.analyst._names import binds, is_main_guard

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from grader.analyst.source import Module

__all__ = ["FunctionNode", "Unit", "calls_own", "count_statements", "units_of"]

_OPERATORS = ast.BinOp | ast.UnaryOp | ast.Compare | ast.Subscript | ast.FormattedValue
_PATCHING = {"setattr", "delattr"}
FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
# `type X = …` of Python 3.12 is evaluated when X is asked for; older Pythons do not know it.
_TYPE_STATEMENT: type[ast.AST] | None = getattr(ast, "TypeAlias", None)


@dataclass(eq=False)
class Unit:
    """A top-level statement, or a method of a top-level class; reached as a whole or not."""

    module: Module
    node: ast.stmt
    names: frozenset[str]
    owner: str = ""  # the class, for a method
    always: bool = False  # runs on import
    counted: bool = True  # as dead code, when it is not reached
    parts: list[ast.AST] = field(default_factory=list)  # what of the node is this unit's own
    reached: bool = False


def count_statements(nodes: list[ast.AST]) -> int:
    """Statements, docstrings and other bare constants and ``pass`` left out."""
    return sum(
        isinstance(item, ast.stmt)
        and not isinstance(item, ast.Pass | ast.Global | ast.Nonlocal)
        and not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
        for node in nodes
        for item in ast.walk(node)
    )


def units_of(module: Module) -> Iterator[Unit]:
    for node in module.tree.body:
        if module.is_skipped(node):
            continue
        if isinstance(node, ast.ClassDef):
            yield from _class_units(module, node)
            continue
        names = binds(node)
        # What can only bind names is reached by their use; anything else runs on import.
        passive = isinstance(node, FunctionNode | ast.Import | ast.ImportFrom) or _only_binds(node)
        marker = bool(names) and all(_is_marker(name, node) for name in names)
        yield Unit(
            module,
            node,
            names,
            always=not passive or is_main_guard(node),
            counted=not isinstance(node, ast.Import | ast.ImportFrom) and not marker,
            parts=[node],
        )


def _is_marker(name: str, node: ast.stmt) -> bool:
    """Whether Python or a tool may ask for a name: ``__all__``, a module's ``__dir__``."""
    return name.startswith("__") and (name.endswith("__") or not isinstance(node, FunctionNode))


def _class_units(module: Module, node: ast.ClassDef) -> Iterator[Unit]:
    methods = [item for item in node.body if isinstance(item, FunctionNode)]
    shell: list[ast.AST] = [*node.decorator_list, *node.bases, *node.keywords]
    shell += getattr(node, "type_params", [])  # their bounds; since Python 3.12
    shell += [item for item in node.body if item not in methods]
    yield Unit(module, node, frozenset({node.name}), parts=shell)
    inherits = bool(node.bases)  # a base class of a library may call any of its methods
    for method in methods:
        yield Unit(
            module,
            method,
            frozenset({method.name}),
            owner=node.name,
            counted=not inherits and not method.name.startswith("__"),
            parts=[method],
        )


def on_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement that run when the file is imported: no bodies of functions."""
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        yield item
        if isinstance(item, FunctionNode):
            hints = [a.annotation for a in ast.walk(item.args) if isinstance(a, ast.arg)]
            parts = [*item.args.defaults, *item.args.kw_defaults, item.returns, *hints]
            stack += [p for p in (*item.decorator_list, *parts) if p is not None]
        elif isinstance(item, ast.Lambda):
            stack += [p for p in (*item.args.defaults, *item.args.kw_defaults) if p is not None]
        else:
            stack.extend(ast.iter_child_nodes(item))


def calls_own(node: ast.AST, own: Container[str]) -> bool:
    """Whether a definition makes code of the submission run on import, or patches something.

    Args:
        node: a top-level statement or a method.
        own: names of the file that do not come from a library.
    """
    for item in on_import(node):
        ran: list[ast.expr] = []
        if isinstance(item, FunctionNode | ast.ClassDef):
            ran = [*item.decorator_list]
        if isinstance(item, ast.ClassDef):
            ran += [keyword.value for keyword in item.keywords]
        elif isinstance(item, ast.Call):
            ran = [item]
        elif isinstance(item, ast.Assign | ast.AnnAssign) and item.value:
            ran = [n for n in on_import(item.value) if isinstance(n, _OPERATORS)]
        elif isinstance(item, ast.Attribute | ast.Subscript) and not isinstance(item.ctx, ast.Load):
            return True
        names = {n.id for part in ran for n in ast.walk(part) if isinstance(n, ast.Name)}
        if names & _PATCHING or any(name in own for name in names):
            return True
    return False


def _only_binds(node: ast.stmt) -> bool:
    if _TYPE_STATEMENT and isinstance(node, _TYPE_STATEMENT):
        return True
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
        return all(map(_is_plain, targets)) and not _acts(value)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and not _acts(node.value)
    if isinstance(node, ast.If | ast.Try | ast.TryStar):
        branches = [*node.body, *node.orelse]
        if isinstance(node, ast.Try | ast.TryStar):
            branches += [s for handler in node.handlers for s in handler.body] + node.finalbody
        plain = FunctionNode | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Pass
        asks = isinstance(node, ast.If) and _acts(node.test)
        return not asks and all(isinstance(s, plain) or _only_binds(s) for s in branches)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_plain(target: ast.expr) -> bool:
    """A target that is a name, or a tuple of them."""
    if isinstance(target, ast.Tuple):
        return all(map(_is_plain, target.elts))
    return isinstance(target, ast.Name)


def _acts(value: ast.expr | None) -> bool:
    return value is not None and any(isinstance(item, ast.Call) for item in ast.walk(value))
