"""Code that is made at run time, which a reader cannot review: one trace of it fails every check.

All of a loaded file counts here, reached or not, because a decorator, a default value or a class
body runs on import whoever calls it. This finds what an honest solution never holds; it does not
prove that nothing is hidden.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from grader.analyst._names import is_main_guard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.analyst.source import Module

__all__ = ["dynamic_code"]

_BUILTINS = {
    *("exec", "eval", "compile", "__import__", "globals", "locals", "vars", "delattr"),
    "get_ipython",  # a notebook's shell runs code that is given as text
}
_HIDDEN = {
    "__builtins__",
    "__code__",
    "__globals__",
    "__subclasses__",
    "__loader__",
    "__import__",
    "exec_module",
    "load_module",
    "meta_path",
    "path_hooks",
    "get_ipython",
    "run_cell",
    "run_line_magic",
    "run_cell_magic",
    "InteractiveShell",
}
_MODULES = {
    "builtins",
    "code",
    "codeop",
    "cffi",
    "ctypes",
    "gc",
    "imp",
    "importlib",
    "marshal",
    "pickle",
    "pkgutil",
    "runpy",
    "subprocess",
    "zipimport",
    "IPython",
    "cloudpickle",
    "dill",
}
_HARMLESS = {"importlib.metadata", "importlib.resources", "IPython.display"}
_FROM_MODULES = {
    ("os", "system"),
    ("os", "popen"),
    ("os", "execv"),
    ("os", "execve"),
    ("types", "FunctionType"),
    ("types", "CodeType"),
    ("types", "ModuleType"),
    ("sys", "modules"),
    ("sys", "settrace"),
    ("sys", "setprofile"),
    ("__future__", "barry_as_FLUFL"),  # makes Python of what no parser here takes for it
}
_BLOB_CHARS = 1500
_BLOB_ITEMS = 400
_DENSE_CHARS = 200
_FIXED_HEAD = 3


def dynamic_code(module: Module) -> tuple[int, str] | None:
    """The first line that makes code, or hides it in data, and what it does."""
    for statement in module.tree.body:
        if is_main_guard(statement):
            continue
        docs = set(_docstrings(statement))
        for node in ast.walk(statement):
            said = "" if id(node) in docs else _trace(node)
            if said:
                return getattr(node, "lineno", statement.lineno), said
    return None


def _docstrings(statement: ast.stmt) -> Iterator[int]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


def _trace(node: ast.AST) -> str:
    if isinstance(node, ast.Name) and node.id in _BUILTINS | _HIDDEN:
        return f"it uses {node.id}"
    if isinstance(node, ast.Attribute):
        return _trace_attribute(node)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _trace_import(node)
    if isinstance(node, ast.Call):
        return _trace_call(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return _trace_text(node.value)
    if isinstance(node, ast.List | ast.Tuple | ast.Set) and len(node.elts) > _BLOB_ITEMS:
        return f"a literal of {len(node.elts)} elements"
    if isinstance(node, ast.Dict) and len(node.keys) > _BLOB_ITEMS:
        return f"a literal of {len(node.keys)} entries"
    if isinstance(node, ast.JoinedStr) and len(ast.unparse(node)) > _BLOB_CHARS:
        return "a very long f-string"
    return ""


def _trace_attribute(node: ast.Attribute) -> str:
    if node.attr in _HIDDEN:
        return f"it uses {node.attr}"
    if isinstance(node.value, ast.Name) and (node.value.id, node.attr) in _FROM_MODULES:
        return f"it uses {node.value.id}.{node.attr}"
    return ""


def _trace_import(node: ast.Import | ast.ImportFrom) -> str:
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            return ""
        for alias in node.names:
            if (base, alias.name) in _FROM_MODULES:
                return f"it imports {base}.{alias.name}"
        full = {f"{base}.{alias.name}" for alias in node.names} | {base}
    else:
        full = {alias.name for alias in node.names}
    if full & _HARMLESS:
        return ""
    named = sorted({name.partition(".")[0] for name in full} & _MODULES)
    return f"it imports {named[0]}" if named else ""


def _trace_call(node: ast.Call) -> str:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    place = {"getattr": 1, "setattr": 1, "attrgetter": 0, "methodcaller": 0}.get(name)
    if place is None or len(node.args) <= place:
        return ""
    asked = node.args[place]
    if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
        return f"it asks for {asked.value}" if asked.value in _BUILTINS | _HIDDEN else ""
    if isinstance(asked, ast.Name | ast.Attribute):
        return ""  # everything then counts as reached
    if isinstance(asked, ast.JoinedStr):
        fixed = "".join(
            p.value
            for p in asked.values
            if isinstance(p, ast.Constant) and isinstance(p.value, str)
        )
        if len(fixed) >= _FIXED_HEAD and any(
            isinstance(part, ast.FormattedValue) and not isinstance(part.value, ast.Constant)
            for part in asked.values
        ):
            return ""
    return f"{name} with a name put together at run time"


def _trace_text(text: str | bytes) -> str:
    if len(text) > _BLOB_CHARS:
        return f"a text literal of {len(text)} characters"
    blank = " " if isinstance(text, str) else b" "
    newline = "\n" if isinstance(text, str) else b"\n"
    if len(text) > _DENSE_CHARS and blank not in text and newline not in text:  # type: ignore[operator]
        return f"an encoded-looking literal of {len(text)} characters"
    return ""
