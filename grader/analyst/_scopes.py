"""What a name means where it stands: an import, something of the file's own, or a builtin."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from grader.analyst.source import Module

__all__ = ["Exports", "Scopes", "chain", "exports_of", "import_names", "relative_base"]

Exports = dict[str, dict[str, str]]  # dotted module → name that it imports → dotted
_DEEPEST = 8
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def relative_base(name: str, path: str, node: ast.ImportFrom) -> str:
    """The dotted module that a ``from`` import names, seen from the submission's root folder."""
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    cut = node.level - (1 if path.endswith("__init__.py") else 0)
    return ".".join([*parts[: max(len(parts) - cut, 0)], *filter(None, [node.module])])


def import_names(
    node: ast.Import | ast.ImportFrom, name: str, path: str
) -> list[tuple[str, str, str]]:
    """For each alias, the name that it binds, what that is, and all that was named, dotted."""
    if isinstance(node, ast.Import):
        return [
            (a.asname, a.name, a.name)
            if a.asname
            else (a.name.partition(".")[0], a.name.partition(".")[0], a.name)
            for a in node.names
        ]
    base = relative_base(name, path, node)
    full = [(a, f"{base}.{a.name}" if base else a.name) for a in node.names]
    return [(a.asname or a.name, dotted, dotted) for a, dotted in full]


def exports_of(modules: Sequence[Module]) -> Exports:
    """What each file imports at its top, under every dotted name that the file may have."""
    found: Exports = {}
    for module in modules:
        passed = {
            bound: dotted
            for statement in module.tree.body
            for node in ast.walk(statement)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for bound, dotted, _ in import_names(node, module.name, module.path)
        }
        parts = module.name.split(".")
        for first in range(len(parts)):
            found.setdefault(".".join(parts[first:]), {}).update(passed)
    return found


def chain(node: ast.expr) -> tuple[ast.expr, list[str]]:
    """``a.b.c`` → the node of a, and [b, c]."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return node, attributes[::-1]


@dataclass(eq=False)
class _Scope:
    parent: _Scope | None
    kind: str  # module, class, function or comprehension
    bound: set[str] = field(default_factory=set)
    imports: dict[str, set[str]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)  # declared global or nonlocal


class Scopes:
    """The scopes of one file.

    Args:
        tree: the file.
        name: dotted.
        path: in the submission.
        exports: what the submission's files import, for names that come from there.
    """

    def __init__(
        self, tree: ast.Module, name: str, path: str, exports: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._name, self._path, self._exports = name, path, exports
        self._scope_of: dict[int, _Scope] = {}
        self._top = _Scope(None, "module")
        self._deleted: set[str] = set()
        self._firm: dict[str, int] = {}  # bound whatever happens, from this line on
        for statement in tree.body:
            for bound in _bound_by(statement):
                self._firm.setdefault(bound, statement.end_lineno or statement.lineno)
        self._walk(tree.body, self._top)

    def dotted(self, node: ast.expr) -> set[str]:
        """``a.b`` as ``library.a.b`` where a was imported; empty for anything else."""
        root, attributes = chain(node)
        if not isinstance(root, ast.Name):
            return set()
        return {self._through(".".join([found, *attributes])) for found in self._imported(root)}

    def _imported(self, node: ast.Name) -> set[str]:
        scope = self._home(node)
        if scope is None:
            return self._by_star(node.id)
        return scope.imports.get(node.id, set())

    def is_own(self, node: ast.Name) -> bool:
        """Whether the name certainly is no builtin here."""
        scope = self._home(node)
        if scope is None:
            return False
        if scope is self._top:
            firm = self._firm.get(node.id)
            return firm is not None and node.id not in self._deleted and firm < node.lineno
        return scope.kind != "class"

    def is_unbound(self, node: ast.Name) -> bool:
        """Whether nothing in the file binds the name for this use."""
        return self._home(node) is None

    def _home(self, node: ast.Name) -> _Scope | None:
        """The scope that binds a name for this use of it."""
        scope: _Scope | None = self._scope_of.get(id(node), self._top)
        first = True
        while scope is not None:
            if node.id in scope.outer:
                return self._top if node.id in self._top.bound else None
            if node.id in scope.bound and (scope.kind != "class" or first):
                return scope
            first = first and scope.kind == "comprehension"
            scope = scope.parent
        return None

    def _by_star(self, name: str) -> set[str]:
        modules = [found.removesuffix(".*") for found in self._top.imports.get("*", ())]
        return {f"{module}.{name}" for module in modules}

    def _through(self, dotted: str) -> str:
        """Follow names that other files of the submission import and pass on."""
        for _ in range(_DEEPEST):
            parts = dotted.split(".")
            for cut in range(len(parts) - 1, 0, -1):
                passed = self._exports.get(".".join(parts[:cut]), {}).get(parts[cut])
                if passed:
                    dotted = ".".join([passed, *parts[cut + 1 :]])
                    break
            else:
                break
        return dotted

    # Building.

    def _walk(self, nodes: Iterable[ast.AST | None], scope: _Scope) -> None:
        stack = [(node, scope) for node in nodes if node is not None]
        while stack:
            node, scope = stack.pop()
            self._bind(node, scope)
            stack += [(child, inner) for child, inner in _children(node, scope) if child]

    def _bind(self, node: ast.AST, scope: _Scope) -> None:  # noqa: C901, PLR0912 - one branch a kind of binding
        if isinstance(node, ast.Name):
            self._scope_of[id(node)] = scope
            if not isinstance(node.ctx, ast.Load):
                scope.bound.add(node.id)
            if isinstance(node.ctx, ast.Del):
                self._deleted.add(node.id)
        elif isinstance(node, ast.NamedExpr):
            while scope.kind == "comprehension" and scope.parent:
                scope = scope.parent
            scope.bound.add(node.target.id)
        elif isinstance(node, _FUNCTIONS | ast.ClassDef):
            scope.bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for bound, dotted, _ in import_names(node, self._name, self._path):
                scope.bound.add(bound)
                scope.imports.setdefault(bound, set()).add(dotted)
        elif isinstance(node, ast.arg):
            scope.bound.add(node.arg)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            scope.outer.update(node.names)
            if isinstance(node, ast.Global):
                self._top.bound.update(node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            scope.bound.add(node.name)
            self._deleted.add(node.name)  # the name of a caught error is deleted again
        elif isinstance(node, ast.MatchMapping) and node.rest:
            scope.bound.add(node.rest)


def _bound_by(statement: ast.stmt) -> list[str]:
    """Names that a statement binds in any case."""
    if isinstance(statement, _FUNCTIONS | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [a.asname or a.name.partition(".")[0] for a in statement.names if a.name != "*"]
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value:
        targets = [statement.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _children(node: ast.AST, scope: _Scope) -> Iterable[tuple[ast.AST | None, _Scope]]:
    if parameters := getattr(node, "type_params", []):  # since Python 3.12
        outer, scope = scope, _Scope(scope, "function")
        scope.bound.update(parameter.name for parameter in parameters)
        yield from ((part, scope) for item in parameters for part in ast.iter_child_nodes(item))
        if not isinstance(node, _FUNCTIONS | ast.ClassDef):  # type X[T] = …
            yield node.name, outer  # type: ignore[attr-defined]
            yield node.value, scope  # type: ignore[attr-defined]
            return
    yield from _parts(node, scope)


def _parts(node: ast.AST, scope: _Scope) -> Iterable[tuple[ast.AST | None, _Scope]]:
    if isinstance(node, _FUNCTIONS | ast.Lambda):
        inner = _Scope(scope, "function")
        spec = node.args
        named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        yield from ((child, inner) for child in body)
        for argument in named:
            if argument:
                inner.bound.add(argument.arg)
                yield argument.annotation, scope
        yield from ((child, scope) for child in (*spec.defaults, *spec.kw_defaults))
        if not isinstance(node, ast.Lambda):
            yield from ((child, scope) for child in (*node.decorator_list, node.returns))
    elif isinstance(node, ast.ClassDef):
        inner = _Scope(scope, "class")
        yield from ((child, inner) for child in node.body)
        yield from ((c, scope) for c in (*node.decorator_list, *node.bases, *node.keywords))
    elif isinstance(node, _COMPREHENSIONS):
        inner = _Scope(scope, "comprehension")
        first = node.generators[0].iter
        yield first, scope
        for generator in node.generators:
            yield generator.target, inner
            yield from ((c, inner) for c in (generator.iter, *generator.ifs) if c is not first)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        yield from ((child, inner) for child in parts)
    elif isinstance(node, ast.NamedExpr):
        home = scope
        while home.kind == "comprehension" and home.parent:
            home = home.parent
        yield node.target, home
        yield node.value, scope
    else:
        yield from ((child, scope) for child in ast.iter_child_nodes(node))
