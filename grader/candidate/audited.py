"""What the library and the image's packages compile for themselves, by the function that does it.

Found by running the honest solutions with a hook that wrote down whatever it did not know.
"""

from __future__ import annotations

import ast
import opcode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType

__all__ = ["ALLOWED", "DENIED_PICKLES", "DOORS", "EVALUATORS", "STARTERS", "ran_inert"]

_INERT = frozenset(
    opcode.opmap[name]
    for name in (
        *("RESUME", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_ATTR", "LOAD_CONST", "BINARY_SUBSCR"),
        *("BUILD_TUPLE", "BUILD_LIST", "BINARY_OP", "RETURN_VALUE", "CACHE", "EXTENDED_ARG"),
        *("PUSH_NULL", "NOP", "LIST_EXTEND", "RETURN_CONST"),
    )
    if name in opcode.opmap
)
_INERT_NODES = (
    *(ast.Expression, ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List),
    *(ast.BinOp, ast.BitOr, ast.Load, ast.Starred),
)


def ran_inert(code: CodeType, _frame: FrameType) -> bool:
    """Code that only looks names up, as a type hint does."""
    return _INERT.issuperset(code.co_code[::2])


def _inert_text(source: object, _frame: FrameType) -> bool:
    if not isinstance(source, str | bytes):
        return False
    try:
        return all(
            isinstance(node, _INERT_NODES) for node in ast.walk(ast.parse(source, mode="eval"))
        )
    except SyntaxError:
        return True  # nothing comes of it


def _plain_fields(_code: CodeType, frame: FrameType) -> bool:
    """Of a dataclass: its fields have names and not code for names."""
    at: FrameType | None = frame
    while at is not None:
        if (
            at.f_code.co_name == "_process_class"
            and at.f_code.co_filename == frame.f_code.co_filename
        ):
            owner = at.f_locals.get("cls")
            hints = vars(owner).get("__annotations__", {}) if isinstance(owner, type) else None
            return isinstance(hints, dict) and all(
                type(name) is str and name.isidentifier() for name in hints
            )
        at = at.f_back
    return False


def _always(_source: object, _frame: FrameType) -> bool:
    return True


# (file below its root, function) → may it execute this? None: whatever it executes
EVALUATORS: Mapping[tuple[str, str], Callable[[Any, FrameType], bool] | None] = {
    ("dataclasses.py", "_create_fn"): _plain_fields,  # Python 3.11
    ("dataclasses.py", "_FuncBuilder.add_fns_to_class"): _plain_fields,  # Python 3.13
    ("collections/__init__.py", "namedtuple"): None,  # asks for identifiers itself
    ("typing.py", "ForwardRef._evaluate"): ran_inert,
    ("inspect.py", "get_annotations.<locals>.<dictcomp>"): ran_inert,
    ("inspect.py", "get_annotations"): ran_inert,
    ("scipy/_lib/_bunch.py", "_make_tuple_bunch"): None,  # asks for identifiers itself
    ("scipy/stats/_distn_infrastructure.py", "rv_generic._attach_argparser_methods"): None,
}
# the same for what is compiled
ALLOWED: Mapping[tuple[str, str], Callable[[object, FrameType], bool]] = {
    ("typing.py", "ForwardRef.__init__"): _inert_text,
}
# files whose calls of other programs ask about the machine
STARTERS = frozenset(
    {
        *("platform.py", "uuid.py", "ctypes/util.py", "locale.py"),
        "matplotlib/font_manager.py",
        "joblib/externals/loky/backend/context.py",
    }
)
# events of what reaches into memory
DOORS = (
    *("ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function"),
    *("ctypes.cdata", "ctypes.cdata/buffer", "ctypes.string_at", "ctypes.addressof"),
    *("gc.get_objects", "gc.get_referrers", "gc.get_referents"),
)
# root of a module → names that no model needs; None: the whole module
DENIED_PICKLES: Mapping[str, tuple[str, ...] | None] = {
    "builtins": (
        *("eval", "exec", "compile", "__import__", "open", "input", "breakpoint", "globals"),
        *("locals", "vars", "setattr", "delattr", "__build_class__"),
    ),
    **dict.fromkeys(
        (
            *("os", "posix", "nt", "subprocess", "_posixsubprocess", "sys", "importlib", "imp"),
            *("runpy", "code", "codeop", "marshal", "ctypes", "_ctypes", "gc", "inspect", "pdb"),
            *("bdb", "timeit", "cProfile", "profile", "trace", "pty", "shutil", "pkgutil"),
            *("zipimport", "_imp", "_frozen_importlib", "_frozen_importlib_external"),
        ),
    ),
    "types": ("CodeType", "FunctionType", "LambdaType", "ModuleType"),
}
