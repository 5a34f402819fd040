"""Which code the contract reaches: the only code that static checks judge.

A graph of names: from the contract's names to the top-level statements that bind them, to what
those use, through imports into the submission's other files. It errs towards reaching too much (a
local variable that shares a helper's name reaches the helper), because what is not reached cannot
count against anybody.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.analyst._finder import Finder, list_of_names
from grader.analyst._names import uses_of
from grader.analyst._scopes import relative_base
from grader.analyst._units import FunctionNode, Unit, calls_own, count_statements, units_of
from grader.analyst.source import Module, UnreviewableError, read_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Contract", "Function", "FunctionNode", "Reached", "Unit", "count_statements", "reach"]

_TOTAL_BYTES = 2 << 20
_DEEPEST_ALIAS = 8
_TOLD = {
    *("__init_subclass__", "__set_name__"),
    *("__subclasshook__", "__subclasscheck__", "__instancecheck__"),
}
# Metaclasses that run nothing of a submission's; a class that has one as its base may.
_KINDS = {"ABCMeta", "abc.ABCMeta", "EnumMeta", "enum.EnumMeta", "EnumType", "enum.EnumType"}
_METACLASSES = _KINDS | {"type"}


@dataclass(frozen=True, slots=True)
class Contract:
    """What a submission must define: entry file, names, and the methods of classes among them.

    Attributes:
        cells: of a notebook, (first line, number) of each cell in the entry.
        service: a web service is asked for, which answers whatever goes wrong.
    """

    entry: str
    names: tuple[str, ...]
    methods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cells: tuple[tuple[int, int], ...] = ()
    service: bool = False


@dataclass(frozen=True, eq=False)
class Function:
    """A reached function or method, also a nested one."""

    module: Module
    node: FunctionNode
    owner: str
    public: bool  # the contract names it
    statements: int


@dataclass(eq=False)
class Reached:
    """The outcome.

    Attributes:
        size: statements of the reached code, docstrings and ``pass`` left out.
        dead: statements of loaded files that nothing reaches.
        found: where the contract's names are defined, through imports and plain aliases, as
            (path, name); methods are not among them.
        opaque: places that bind a contract's name to something else than a function or class.
        service: as in the contract.
    """

    modules: list[Module]
    units: list[Unit]
    functions: list[Function]
    size: int
    dead: int
    dead_where: str
    found: frozenset[tuple[str, str]]
    opaque: tuple[tuple[str, int], ...]
    service: bool = False

    def lines(self) -> dict[str, set[int]]:
        """Line numbers of the reached code, by path; imports count as reached."""
        found: dict[str, set[int]] = {module.path: set() for module in self.modules}
        for unit in self.units:
            for part in unit.parts:
                first = getattr(part, "lineno", 0)
                found[unit.module.path] |= set(range(first, (part.end_lineno or first) + 1))  # type: ignore[attr-defined]
            found[unit.module.path].add(unit.node.lineno)
        for module in self.modules:
            for node in module.imports():
                found[module.path] |= set(range(node.lineno, (node.end_lineno or 0) + 1))
        return found


def reach(files: Mapping[str, bytes], contract: Contract) -> Reached:
    """Follow the contract's names.

    Raises:
        UnreviewableError: the entry or a file that it imports cannot be read as Python, or the
            entry binds none of the names.
    """
    walker = _Walker(files, contract)
    walker.run()
    return walker.outcome()


class _Walker:
    def __init__(self, files: Mapping[str, bytes], contract: Contract) -> None:
        self._files = files
        self._contract = contract
        self._modules: dict[str, Module] = {}  # by path
        self._units: dict[str, list[Unit]] = {}  # by path
        self._aliases: dict[str, dict[str, set[tuple[str, str]]]] = {}
        self._attributes: set[str] = set()
        self._all = False
        self._queue: list[Unit] = []
        self._bytes = 0
        self._seen: set[tuple[str, str]] = set()
        self._open: set[str] = set()  # paths of files that are passed on as objects
        self._hooked = False  # a class is told of others
        self._finder = Finder(files, contract.entry)
        self._foreign: dict[str, str] = {}  # modules of libraries, and where from
        self._sought: dict[str, tuple[str, str]] = {}  # dotted import → its file, and where from
        self._asked_methods = {name for names in contract.methods.values() for name in names}

    def run(self) -> None:
        entry = self._load(self._contract.entry)
        self._refuse_doubtful_imports()
        for module in self._modules.values():
            self._push_what_runs(module)
        if not any(self._bound(entry, name) for name in self._contract.names):
            raise UnreviewableError("the entry file binds no name of the contract", entry.path)
        for name in (*self._contract.names, "__getattr__"):
            self._reach_name(entry, name)
        while True:
            while self._queue:
                self._follow(self._queue.pop())
            self._open_modules()
            for units in list(self._units.values()):
                for unit in units:
                    if not unit.reached and (self._all or self._method_is_asked(unit)):
                        self._push(unit)
            if not self._queue:
                return

    def _open_modules(self) -> None:
        """Look up what was asked for in files that are at hand as objects: ``package.file.f``."""
        for path, module in list(self._modules.items()):
            if path in self._open or module.name.rpartition(".")[2] in self._attributes:
                for attribute in sorted(self._attributes):
                    self._reach_name_once(module, attribute)

    def _method_is_asked(self, unit: Unit) -> bool:
        if not unit.owner or not isinstance(unit.node, FunctionNode):
            return False
        if not any(u.reached for u in self._bound(unit.module, unit.owner) if not u.owner):
            return False
        name = unit.node.name
        return (
            not unit.counted  # a base class or Python may call it
            or name in self._attributes
            or name in self._asked_methods
        )

    def _bound(self, module: Module, name: str) -> list[Unit]:
        return [u for u in self._units[module.path] if name in u.names and not u.owner]

    def _push(self, unit: Unit) -> None:
        if not unit.reached:
            unit.reached = True
            self._queue.append(unit)

    def _reach_name(self, module: Module, name: str) -> None:
        for unit in self._bound(module, name):
            self._push(unit)
        for path, attribute in self._aliases[module.path].get(name, ()):
            if attribute == "*":
                continue
            if not attribute:
                self._open.add(path)
            self._reach_name_once(self._modules[path], attribute)
        for path, attribute in self._aliases[module.path].get("*", ()):
            if attribute == "*":
                self._reach_name_once(self._modules[path], name)

    def _reach_name_once(self, module: Module, name: str) -> None:
        key = (module.path, name)
        if key not in self._seen:
            self._seen.add(key)
            self._reach_name(module, name)

    def _follow(self, unit: Unit) -> None:
        uses = uses_of(unit.parts)
        self._attributes |= uses.attributes
        self._all |= uses.computed
        aliases = self._aliases[unit.module.path]
        for name in uses.names:
            self._reach_name(unit.module, name)
            for path, attribute in aliases.get(name, ()):
                if attribute:
                    continue
                target = self._modules[path]
                if name in uses.bare:  # the module itself is handed on: anything may be used
                    for inner in self._units[path]:
                        self._push(inner)
                for attr in uses.attributes:
                    self._reach_name_once(target, attr)

    # Loading.

    def _load(self, path: str) -> Module:
        if path in self._modules:
            return self._modules[path]
        if path not in self._files:
            raise UnreviewableError("there is no such file", path)
        self._bytes += len(self._files[path])
        if self._bytes > _TOTAL_BYTES:
            raise UnreviewableError("more source than anybody can review", path)
        cells = self._contract.cells if path == self._contract.entry else ()
        module = read_module(path, self._files[path], cells)
        self._finder.read(module)
        self._modules[path] = module
        self._units[path] = list(units_of(module))
        self._aliases[path] = {}
        self._hooked |= any(_is_told(node) for node in ast.walk(module.tree))
        for node in module.imports():
            self._follow_import(module, node)
        return module

    def _push_what_runs(self, module: Module) -> None:
        """Reach what an import of the file runs, and what Python calls for a name that it lacks."""
        units = self._units[module.path]
        own = {name for unit in units if not unit.owner for name in unit.names}
        own -= {a.asname or a.name.partition(".")[0] for n in module.imports() for a in n.names}
        own |= self._aliases[module.path].keys()
        for unit in units:
            if (
                unit.always
                or "__getattr__" in unit.names - {unit.owner}
                or (self._hooked and isinstance(unit.node, ast.ClassDef))
                or calls_own(unit.node, own)
                or _is_registered(unit.node)
            ):
                self._push(unit)

    def _follow_import(self, module: Module, node: ast.Import | ast.ImportFrom) -> None:
        aliases = self._aliases[module.path]
        for alias in node.names:
            if isinstance(node, ast.Import):
                shown = alias.asname or alias.name.partition(".")[0]
                for path in self._load_named(alias.name, module, whole=alias.asname is None):
                    aliases.setdefault(shown, set()).add((path, ""))
                continue
            base = relative_base(module.name, module.path, node)
            target = self._load_named(base, module, relative=bool(node.level)) if base else []
            full = f"{base}.{alias.name}" if base else alias.name
            if target or node.level or "." in full:
                for path in self._load_named(full, module, relative=bool(node.level)):
                    aliases.setdefault(alias.asname or alias.name, set()).add((path, ""))
            for path in target:
                shown = "*" if alias.name == "*" else alias.asname or alias.name
                aliases.setdefault(shown, set()).add((path, alias.name))
                if alias.name == "*":
                    self._load_listed(module, self._modules[path])

    def _load_named(
        self, dotted: str, module: Module, *, relative: bool = False, whole: bool = False
    ) -> list[str]:
        """Load a local module and the packages that it is in.

        Returns:
            The module's path, after those of the packages where `whole` asks for them; empty when
            it is no file of the submission.
        """
        path = self._finder.find(dotted)
        if path is None:
            if not relative:
                self._foreign.setdefault(dotted.partition(".")[0], module.path)
            return []
        if not relative:
            self._sought.setdefault(dotted, (path, module.path))
        parts = dotted.split(".")
        above = path.removesuffix(".py").removesuffix("/__init__").removesuffix("/".join(parts))
        packages = [f"{above}{'/'.join(parts[:n])}/__init__.py" for n in range(1, len(parts))]
        loaded = [self._load(p).path for p in packages if p in self._files]
        return [*(loaded if whole else []), self._load(path).path]

    def _load_listed(self, module: Module, package: Module) -> None:
        """Load the files of a package that its ``__all__`` may name to a star import."""
        names = list_of_names(package.tree)
        if names is None:
            raise UnreviewableError("a star import of names that are computed", module.path)
        if "__name__" in names:
            raise UnreviewableError("a star import gives the file another name", module.path)
        if package.path.endswith("__init__.py"):
            for name in names:
                for path in self._load_named(f"{package.name}.{name}", module, relative=True):
                    self._aliases[module.path].setdefault(name, set()).add((path, ""))

    def _refuse_doubtful_imports(self) -> None:
        """Refuse imports of which `sys.path` as the code changes it decides what they load."""
        for dotted, (path, place) in self._sought.items():
            if self._finder.candidates(dotted) - {path}:
                raise UnreviewableError("several files could be what is imported", place)
        for name, place in self._foreign.items():
            if self._finder.may_be_packed(name):
                raise UnreviewableError("an archive on the path could be what is imported", place)

    # The outcome.

    def _is_of_dead(self, unit: Unit) -> bool:
        """Whether a method is of a class that nothing reaches, so that no base can call it."""
        classes = [u for u in self._bound(unit.module, unit.owner) if not u.owner]
        return bool(unit.owner and classes) and not any(u.reached for u in classes)

    def _definitions(self, module: Module, name: str, depth: int = 0) -> Iterator[Unit]:
        """The statements that define a name, through imports and ``name = other``."""
        if depth > _DEEPEST_ALIAS:
            return
        for unit in self._bound(module, name):
            other = unit.node.value if isinstance(unit.node, ast.Assign) else None
            if isinstance(other, ast.Name) and self._bound(module, other.id):
                yield from self._definitions(module, other.id, depth + 1)
            elif not isinstance(unit.node, ast.Import | ast.ImportFrom):
                yield unit
        aliases = self._aliases[module.path]
        for path, attribute in sorted(aliases.get(name, set()) | aliases.get("*", set())):
            if attribute:
                target = name if attribute == "*" else attribute
                yield from self._definitions(self._modules[path], target, depth + 1)

    def outcome(self) -> Reached:
        units = [u for units in self._units.values() for u in units]
        reached = [u for u in units if u.reached]
        dead = [u for u in units if not u.reached and (u.counted or self._is_of_dead(u))]
        worst = max(dead, key=lambda u: count_statements(u.parts), default=None)
        entry = self._modules[self._contract.entry]
        public: dict[tuple[str, str], str] = {}
        opaque: list[tuple[str, int]] = []
        for name in self._contract.names:
            for unit in self._definitions(entry, name):
                if isinstance(unit.node, FunctionNode | ast.ClassDef):
                    public[unit.module.path, unit.node.name] = name
                else:
                    opaque.append((unit.module.path, unit.node.lineno))
        return Reached(
            modules=list(self._modules.values()),
            units=reached,
            functions=[f for unit in reached for f in _functions(unit, public, self._contract)],
            size=sum(count_statements(u.parts) for u in reached),
            dead=sum(count_statements(u.parts) for u in dead),
            dead_where=f"{worst.module.path}:{worst.node.lineno}" if worst else "",
            found=frozenset(public),
            opaque=tuple(sorted(set(opaque))),
            service=self._contract.service,
        )


def _is_registered(node: ast.AST) -> bool:
    """Whether a library gets a definition, to call it when it likes: an accessor of pandas'."""
    return isinstance(node, FunctionNode | ast.ClassDef) and any(
        ast.unparse(part).rpartition("(")[0].rpartition(".")[2].startswith("register")
        for part in node.decorator_list
    )


def _is_told(node: ast.AST) -> bool:
    """A class that runs code when another is defined."""
    return isinstance(node, ast.ClassDef) and (
        any(k.arg == "metaclass" and ast.unparse(k.value) not in _KINDS for k in node.keywords)
        or not _METACLASSES.isdisjoint(map(ast.unparse, node.bases))
        or node.name in _METACLASSES
        or any(getattr(item, "name", "") in _TOLD for item in node.body)
    )


def _functions(
    unit: Unit, found: Mapping[tuple[str, str], str], contract: Contract
) -> Iterator[Function]:
    path = unit.module.path
    for part in unit.parts:
        for node in ast.walk(part):
            if isinstance(node, FunctionNode):
                if unit.owner:
                    known = found.get((path, unit.owner), "")
                    public = node is unit.node and node.name in contract.methods.get(known, ())
                else:
                    public = node is unit.node and (path, node.name) in found
                yield Function(
                    unit.module, node, unit.owner, public, count_statements(list(node.body))
                )
