"""What a piece of code binds, uses and imports, read from its syntax tree."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Uses", "assigned_names", "binds", "is_main_guard", "renames", "uses_of"]

_FIELD = re.compile(r"\{[\w\[\]]*((?:\.\w+)+)")
_ASKING = {"getattr": 1, "hasattr": 1, "methodcaller": 0, "attrgetter": 0, "__getattribute__": 0}


# Functions of libraries that find things by names which they are given, or hand them on.
_FINDING = {
    *("get_field", "vformat", "resolve", "getmembers", "getmembers_static", "getattr_static"),
    *("read_pickle", "register_dataframe_accessor", "register_series_accessor"),
    *("register_index_accessor", "configurator"),
}
_PLAIN = {"json", "np", "numpy", "tomllib", "yaml", "toml"}  # whose `load` makes plain data
_AT = re.compile(r"@\s*(\w+)")


@dataclass
class Uses:
    """Names that a piece of code reads, attributes that it asks for."""

    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)  # names used otherwise than before a dot
    computed: bool = False  # an attribute is looked up by a name that is computed


def binds(node: ast.stmt) -> frozenset[str]:
    """The module-level names that a top-level statement binds, in any of its branches."""
    found: set[str] = set()
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(item.name)
            continue
        if isinstance(item, ast.Lambda):
            continue
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
            found.add(item.id)
        elif isinstance(item, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in item.names}
        stack.extend(ast.iter_child_nodes(item))
    return frozenset(found)


def uses_of(nodes: list[ast.AST]) -> Uses:
    """What some nodes use; annotations in quotes are read too."""
    uses = Uses()
    before_dot: set[int] = set()
    called: set[int] = set()
    for node in _walk(nodes):
        if isinstance(node, ast.Attribute):
            uses.attributes.add(node.attr)
            if isinstance(node.value, ast.Name):
                uses.names.add(node.value.id)
                if node.attr != "__dict__":  # which holds all that a module does
                    before_dot.add(id(node.value))
            elif node.attr == "__dict__":
                uses.computed = True
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            uses.names.add(node.id)
            if id(node) not in before_dot:
                uses.bare.add(node.id)
            if node.id in _ASKING and id(node) not in called:
                uses.computed = True  # handed on, to be called with any name
        elif isinstance(node, ast.Call):
            called.add(id(node.func))
            _read_call(node, uses)
        elif isinstance(node, ast.MatchClass):
            uses.attributes.update(node.kwd_attrs)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            uses.names |= _quoted_names(node.value)
            uses.attributes |= _asked_by_fields(node.value)
    return uses


def _walk(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield from ast.walk(node)  # a parent comes before its children


def _read_call(node: ast.Call, uses: Uses) -> None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if isinstance(node.func, ast.Name):
        name = node.func.id
    if name in _FINDING or (name == "load" and _unpickles(node)):
        uses.computed = True
    if name in {"eval", "query"}:
        _read_expressions(node, uses)
    place = _ASKING.get(name)
    if place is None or len(node.args) <= place:
        return
    for asked in node.args[place:] if name == "attrgetter" else [node.args[place]]:
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
            uses.attributes |= set(asked.value.split("."))
        elif name != "hasattr":
            uses.computed = True


def _unpickles(node: ast.Call) -> bool:
    """Whether ``load`` may be of pickles, which name what they are made of."""
    root = ast.unparse(node.func).partition(".")[0]
    return root not in _PLAIN or any(keyword.arg == "allow_pickle" for keyword in node.keywords)


def _read_expressions(node: ast.Call, uses: Uses) -> None:
    """Expressions for pandas, in which ``@name`` is a name of the code around them."""
    for asked in [*node.args[:1], *(k.value for k in node.keywords if k.arg == "expr")]:
        texts = [n.value for n in ast.walk(asked) if isinstance(n, ast.Constant)]
        uses.names |= {name for text in texts for name in _AT.findall(str(text))}
        uses.computed |= isinstance(asked, ast.Name | ast.Attribute | ast.Call)


def _asked_by_fields(text: str) -> set[str]:
    """Attributes that the fields of a format string ask for, as in ``{0.name}``."""
    return {name for field in _FIELD.findall(text) for name in field.split(".")[1:]}


def _quoted_names(text: str) -> set[str]:
    """Names in a short string that could be an annotation in quotes."""
    if len(text) > 100 or not text.strip() or not (text[0].isalpha() or text[0] == "_"):  # noqa: PLR2004 - no annotation is longer
        return set()
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def assigned_names(node: ast.AST) -> set[str]:
    """Names that this node alone binds or unbinds, but those of functions and classes."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Load) else {node.id}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        return {node.name or ""}
    if isinstance(node, ast.MatchMapping):
        return {node.rest or ""}
    if isinstance(node, ast.Global | ast.Nonlocal):
        return set(node.names)
    return {node.arg} if isinstance(node, ast.arg) else set()


def renames(tree: ast.Module) -> bool:
    """Whether a file may give itself another ``__name__``."""
    for node in ast.walk(tree):
        found = assigned_names(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found = {node.name}
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            found = {node.attr}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"setattr", "delattr"}:
            found = {a.value for a in node.args if isinstance(a, ast.Constant)}  # type: ignore[misc]
            if [ast.unparse(a) for a in node.args[:1]] != ["self"] and not found:
                return True  # a name that is computed, of anything
        if "__name__" in found:
            return True
    return False


def is_main_guard(node: ast.stmt) -> bool:
    """``if __name__ == "__main__":`` without an else; nothing of it runs on import."""
    return (
        isinstance(node, ast.If)
        and not node.orelse
        and isinstance(node.test, ast.Compare)
        and [type(op) for op in node.test.ops] == [ast.Eq]
        and sorted(ast.unparse(part) for part in (node.test.left, *node.test.comparators))
        == ["'__main__'", "__name__"]
    )
