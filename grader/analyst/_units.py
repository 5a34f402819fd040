"""A module cut into the pieces that are reached as a whole or not."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from grader.analyst._names import binds, is_main_guard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.analyst.source import Module

__all__ = ["FunctionNode", "Unit", "count_statements", "units_of"]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


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
        if is_main_guard(node):
            continue
        if isinstance(node, ast.ClassDef):
            yield from _class_units(module, node)
            continue
        names = binds(node)
        # What can only bind names is reached by their use; anything else runs on import.
        passive = isinstance(node, FunctionNode | ast.Import | ast.ImportFrom) or _only_binds(node)
        marker = bool(names) and all(n.startswith("__") for n in names)
        yield Unit(
            module,
            node,
            names,
            always=not passive,
            counted=not isinstance(node, ast.Import | ast.ImportFrom) and not marker,
            parts=[node],
        )


def _class_units(module: Module, node: ast.ClassDef) -> Iterator[Unit]:
    methods = [item for item in node.body if isinstance(item, FunctionNode)]
    shell: list[ast.AST] = [*node.decorator_list, *node.bases, *node.keywords]
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


def _only_binds(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
        return all(isinstance(t, ast.Name | ast.Tuple) for t in targets) and not _acts(value)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and not _acts(node.value)
    if isinstance(node, ast.If | ast.Try):
        branches = [*node.body, *node.orelse]
        if isinstance(node, ast.Try):
            branches += [s for handler in node.handlers for s in handler.body] + node.finalbody
        plain = FunctionNode | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Pass
        return all(isinstance(s, plain) or _only_binds(s) for s in branches)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _acts(value: ast.expr | None) -> bool:
    return value is not None and any(isinstance(item, ast.Call) for item in ast.walk(value))
