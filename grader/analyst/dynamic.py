"""Code that is made at run time, which a reader cannot review: one trace of it fails every check.

All of a loaded file counts here, reached or not, because a decorator, a default value or a class
body runs on import whoever calls it. This finds what an honest solution never holds; it does not
prove that nothing is hidden. Where a module has honest uses, only what is dangerous in it counts:
names are followed to what they were imported as, and one that hides a builtin is no builtin.
"""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING

from grader.analyst._folded import Texts, folded
from grader.analyst._names import assigned_names
from grader.analyst._scopes import Scopes, chain, import_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from grader.analyst._scopes import Exports
    from grader.analyst.source import Module

__all__ = ["dynamic_code"]

_BUILTINS = {
    *("exec", "eval", "compile", "__import__", "globals", "locals"),
    "get_ipython",  # a notebook's shell runs code that is given as text
}
_HIDDEN = {
    *("__builtins__", "__code__", "__globals__", "__subclasses__", "__loader__", "__import__"),
    *("__self__", "__spec__", "__path__", "__package__"),
    *("exec_module", "load_module", "create_module", "source_to_code", "meta_path", "path_hooks"),
    *("import_module", "module_from_spec", "spec_from_file_location", "spec_from_loader"),
    *("import_optional_dependency", "importorskip", "entry_points", "make_parser"),
    *("get_ipython", "run_cell", "run_line_magic", "run_cell_magic", "InteractiveShell"),
    *("f_globals", "f_locals", "f_builtins", "tb_frame", "gi_frame", "cr_frame", "ag_frame"),
    *("_getframe", "_current_frames", "currentframe", "exec", "runctx", "runsource", "runcode"),
    *("get_type_hints", "ForwardRef", "create_subprocess_exec"),
    *("create_subprocess_shell", "loadTestsFromName", "loadTestsFromNames"),
    *("foreign_buffer", "_import_from_c", "_import_from_c_capsule"),
    *("ctypeslib", "DummyArray", "buffer_to_ndarray", "runstring"),
}
# As a text, too: nobody names them but to ask for them.
_NEVER_NAMED = {name for name in _HIDDEN if name.startswith("__")} - {"__path__", "__package__"}
_TRACING = {"setprofile", "settrace"}
# By them an object says where in memory its array is, and NumPy believes it.
_MEMORY = {"__array_interface__", "__array_struct__"}
_READ_ONLY = {"__package__", "__spec__"}  # the file's own may be asked for
_BOUND_BY_PYTHON = {"__package__", "__spec__", "__path__", "__loader__", "__builtins__"}
# Modules that run code given as text, or find modules by a name given as text, and little else.
_MODULES = {
    *("builtins", "code", "codeop", "cffi", "ctypes", "imp", "importlib", "marshal"),
    *("pkgutil", "runpy", "subprocess", "zipimport", "IPython", "cloudpickle", "dill"),
    *("pydoc", "trace", "bdb", "rlcompleter", "modulefinder", "py_compile", "pty"),
    *("mock", "pkg_resources", "setuptools", "distutils", "shelve", "posix", "idlelib"),
    *("_frozen_importlib", "_frozen_importlib_external", "_imp", "_ctypes", "_posixsubprocess"),
    *("unittest.mock", "logging.config.fileConfig", "logging.config.listen"),
    *("pandas.api.interchange", "pandas.core.interchange"),  # arrays at any address
}
_HARMLESS = ("importlib.metadata", "importlib.resources", "IPython.display")
# As part of a chain of attributes, too: `logging.sys.modules`, `pd.io.common.importlib`.
_ANYWHERE = {
    *("builtins", "importlib", "marshal", "runpy", "subprocess", "pkgutil", "zipimport"),
    *("ctypes", "_ctypes"),
}
_MEMBERS = {
    "os": {"system", "popen", "posix_spawn", "posix_spawnp", "startfile"}
    | {f"exec{kind}" for kind in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")}
    | {f"spawn{kind}" for kind in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")},
    "types": {"FunctionType", "LambdaType", "CodeType", "ModuleType"},
    "sys": {"modules", "settrace", "setprofile", "path_importer_cache"},
    "gc": {"get_objects", "get_referrers", "get_referents", "callbacks"},
    "threading": {"settrace", "setprofile"},
    "typing": {"get_type_hints", "ForwardRef"},
    "inspect": {"stack", "trace", "getmodule", "getouterframes", "getinnerframes"},
    "pdb": {"run", "runeval", "runcall", "Pdb"},
    "cProfile": {"run", "runctx"},
    "profile": {"run", "runctx"},
    "site": {"addsitedir", "addpackage"},  # they run what a .pth file says
    "timeit": {"timeit", "repeat", "Timer"},
    "metadata": {"EntryPoint", "EntryPoints"},
    "__future__": {"barry_as_FLUFL"},  # makes Python of what no parser here takes for it
}
# Of these only what is named here is harmless.
_ONLY = {
    module: {
        *("UnpicklingError", "PickleError", "PicklingError", "dump", "dumps", "Pickler"),
        *("HIGHEST_PROTOCOL", "DEFAULT_PROTOCOL"),
    }
    for module in ("pickle", "_pickle")
} | {"doctest": set()}  # imported for what stands below the main guard
_TELLING = {"os", "sys", "types", "inspect"}  # names that nobody gives to anything else
_PROFILERS = {"cProfile", "profile"}
_HEADS = _MEMBERS.keys() - {"metadata", "threading"} | _ONLY.keys()
# What a class pattern asks for of any object.
_PLAIN_DUNDERS = {"__class__", "__name__", "__qualname__", "__doc__", "__module__", "__version__"}
_PATTERNS = (
    _HIDDEN | _BUILTINS | _ANYWHERE | _MEMORY | _TRACING | _MEMBERS["types"]
    | {"os", "sys", "gc", "inspect", "f_back", "f_code", "tb_next", "pythonapi"}
)  # fmt: skip
# They take the names of modules as text.
_BY_TEXT = ("importlib.resources", "logging.config", "unittest")
_BACKEND = "module://"
_TYPING = ("typing", "typing_extensions")
_BLOB_CHARS = 1500
_BLOB_ITEMS = 400
_DENSE_CHARS = 200
_FIXED_HEAD = 3
_ASKING = {
    "getattr": 1,
    "hasattr": 1,
    "setattr": 1,
    "delattr": 1,
    "attrgetter": 0,
    "methodcaller": 0,
    "__getattribute__": 0,
}
_WRITING = {"update", "setdefault", "pop", "popitem", "clear", "__setitem__", "__delitem__"}


def dynamic_code(
    module: Module, exports: Exports, unread: Callable[[str], bool]
) -> tuple[int, str] | None:
    """The first line that makes code, or hides it in data, and what it does.

    Args:
        module: the file.
        exports: see `exports_of`.
        unread: whether a dotted name is that of a file of the submission that was not read.
    """
    return _Reader(module, exports, unread).first()


class _Reader:
    """One file."""

    def __init__(self, module: Module, exports: Exports, unread: Callable[[str], bool]) -> None:
        self._module = module
        self._scopes = Scopes(module.tree, module.name, module.path, exports)
        self._unread = unread
        self._statements = [s for s in module.tree.body if not module.is_skipped(s)]
        nodes = [node for statement in self._statements for node in ast.walk(statement)]
        self._named = {
            dotted
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for _, _, dotted in import_names(node, module.name, module.path)
        }
        self._by_text = any(name.startswith(_BY_TEXT) for name in self._named) or any(
            map(self._chooses_backend, nodes)
        )
        self._texts = Texts(nodes)
        self._profiles = any(name.partition(".")[0] in _PROFILERS for name in self._named)
        self._functions = {n.name for n in nodes if isinstance(n, ast.FunctionDef)} - {
            name for node in nodes for name in assigned_names(node)
        }
        self._allowed: set[int] = set()  # ids of nodes that a node around them makes harmless
        self._before_dot: set[int] = set()

    def first(self) -> tuple[int, str] | None:
        """The first trace."""
        for statement in self._statements:
            docs = set(_docstrings(statement))
            for node in ast.walk(statement):  # a parent comes before its children
                said = "" if id(node) in docs else self._trace(node)
                if said:
                    return getattr(node, "lineno", statement.lineno), said
        return None

    def _trace(self, node: ast.AST) -> str:
        if isinstance(node, ast.expr) and (text := folded(node)) and _is_hidden(text):
            return f"{text} put together at run time"
        if isinstance(node, ast.Name):
            return self._trace_name(node)
        if isinstance(node, ast.Attribute):
            return self._trace_attribute(node)
        if isinstance(node, ast.Import | ast.ImportFrom):
            return self._trace_import(node)
        if isinstance(node, ast.Call):
            return self._trace_call(node)
        if isinstance(node, ast.Subscript):
            return self._trace_subscript(node)
        if isinstance(node, ast.MatchClass):
            return _trace_pattern(node)
        if bound := _binding(node) & (_BOUND_BY_PYTHON | _MEMORY):
            return f"it binds {min(bound)}"
        if isinstance(node, ast.FunctionDef) and node.name in _MEMORY:
            return f"it binds {node.name}"
        if isinstance(node, ast.arg | ast.AnnAssign | ast.FunctionDef | ast.AsyncFunctionDef):
            return self._trace_annotation(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            return self._trace_text(node.value)
        return _trace_size(node)

    def _trace_name(self, node: ast.Name) -> str:
        if id(node) in self._allowed:
            return ""
        name = node.id
        if not isinstance(node.ctx, ast.Load):
            return f"it binds {name}" if name in _BOUND_BY_PYTHON | _MEMORY else ""
        if name in _HIDDEN - _READ_ONLY | _BUILTINS | {"vars"} and not self._scopes.is_own(node):
            return f"it uses {name}"
        if id(node) in self._before_dot:
            return ""  # judged with what follows the dot
        for dotted in sorted(self._scopes.dotted(node)):
            if dotted in _HEADS:
                return f"it hands on {dotted}"
            if said := _forbidden(dotted):
                return f"it uses {said}"
        return ""

    def _trace_attribute(self, node: ast.Attribute) -> str:
        root, attributes = chain(node)
        self._before_dot.add(id(root))
        if id(node) in self._allowed:
            return ""
        if node.attr == "__name__" and not isinstance(node.ctx, ast.Load):
            renamed = self._scopes.dotted(node.value)
            return "it renames a module" if renamed else ""
        if node.attr == "__dict__" and (of := sorted(self._scopes.dotted(node.value))):
            return f"it uses the namespace of {of[0]}"
        if node.attr in _MEMORY and not isinstance(node.ctx, ast.Load):
            return f"it binds {node.attr}"
        if node.attr in _HIDDEN or (node.attr == "run" and self._profiles):
            return f"it uses {node.attr}"
        names = self._scopes.dotted(node) or {".".join(["", *attributes])}
        said = next(filter(None, map(_forbidden, sorted(names))), "")
        return f"it uses {said}" if said else ""

    def _trace_import(self, node: ast.Import | ast.ImportFrom) -> str:
        relative = isinstance(node, ast.ImportFrom) and node.level
        for _, _, dotted in import_names(node, self._module.name, self._module.path):
            if relative:
                continue
            head, _, last = dotted.rpartition(".")
            if last == "*" and (head in _HEADS or _forbidden(f"{head}.load")):
                return f"it imports all of {head}"
            if head == "timeit":
                continue  # judged by its calls
            if said := _forbidden(dotted):
                return f"it imports {said}"
        return ""

    def _trace_call(self, node: ast.Call) -> str:
        if isinstance(node.func, ast.Name) and node.func.id == "vars":
            plain = len(node.args) == 1 and not node.keywords
            if plain and not isinstance(node.args[0], ast.Starred):
                self._allowed.add(id(node.func))
            return ""
        for keyword in node.keywords:
            if keyword.arg == "eval_str" and ast.unparse(keyword.value) != "False":
                return "it evaluates annotations"
        if isinstance(node.func, ast.Attribute) and node.func.attr in _WRITING:
            return _trace_writing(node.func.value)
        if self._measures_function(node):
            self._allowed.add(id(node.func))
            return ""
        return self._trace_asking(node)

    def _measures_function(self, node: ast.Call) -> bool:
        """``timeit`` of a function, not of a text."""
        if not self._scopes.dotted(node.func) & {f"timeit.{n}" for n in _MEMBERS["timeit"]}:
            return False
        texts = node.args[:2] + [k.value for k in node.keywords if k.arg in {"stmt", "setup"}]
        return not any(k.arg is None for k in node.keywords) and all(
            isinstance(text, ast.Lambda)
            or (isinstance(text, ast.Name) and text.id in self._functions)
            for text in texts
        )

    def _trace_asking(self, node: ast.Call) -> str:
        """A name that is looked up by a text."""
        func = node.func
        name = getattr(func, "id", "") or getattr(func, "attr", "")
        for dotted in self._scopes.dotted(func):
            name = dotted.rpartition(".")[2]
        place = _ASKING.get(name)
        if place is None or len(node.args) <= place:
            return ""
        for asked in node.args[place:] if name == "attrgetter" else [node.args[place]]:
            if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
                if said := self._trace_asked(node, place, asked.value):
                    return said
            elif (
                isinstance(asked, ast.Name)
                and (said := self._trace_texts(node, place, self._texts.of(asked.id)))
            ) or (said := _trace_computed(name, asked)):
                return said
            elif name in {"setattr", "delattr"} and self._scopes.dotted(node.args[0]):
                return f"{name} on what was imported, with a name that is not told"
        return ""

    def _trace_texts(self, node: ast.Call, place: int, texts: Sequence[str]) -> str:
        """What a name asks for that is bound to these texts."""
        return next(filter(None, (self._trace_asked(node, place, text) for text in texts)), "")

    def _trace_asked(self, node: ast.Call, place: int, text: str) -> str:
        asks_only = getattr(node.func, "id", "") == "hasattr"
        for part in text.split("."):
            if part in _BUILTINS | _HIDDEN and not asks_only:
                return f"it asks for {part}"
        if not place:
            said = _forbidden(f".{text}")
            return f"it asks for {said}" if said else ""
        holder = node.args[0]
        if isinstance(holder, ast.Name):
            self._before_dot.add(id(holder))
        for dotted in sorted(self._scopes.dotted(holder)):
            if (said := _forbidden(f"{dotted}.{text}")) and not asks_only:
                return f"it asks for {said}"
            if text == "__name__" and getattr(node.func, "id", "") in {"setattr", "delattr"}:
                return "it renames a module"
        return ""

    def _trace_subscript(self, node: ast.Subscript) -> str:
        return "" if isinstance(node.ctx, ast.Load) else _trace_writing(node.value)

    def _trace_annotation(
        self, node: ast.arg | ast.AnnAssign | ast.FunctionDef | ast.AsyncFunctionDef
    ) -> str:
        """A hint in quotes is code that some libraries run."""
        hint = getattr(node, "returns", None) or getattr(node, "annotation", None)
        stack = [hint] if hint else []
        while stack:
            part = stack.pop()
            if isinstance(part, ast.Subscript) and (kind := self._text_kind(part.value)):
                inside = part.slice.elts if isinstance(part.slice, ast.Tuple) else [part.slice]
                stack += inside[:1] if kind == "Annotated" else []  # the rest is no code
                continue
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    inner = ast.parse(part.value.strip(), mode="eval")
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    continue
                if any(isinstance(item, ast.Call | ast.NamedExpr) for item in ast.walk(inner)):
                    return "a type hint in quotes that calls something"
            stack += [child for child in ast.iter_child_nodes(part) if isinstance(child, ast.expr)]
        return ""

    def _text_kind(self, node: ast.expr) -> str:
        """``Literal`` or ``Annotated``, whose texts are no code; empty for anything else."""
        names = self._scopes.dotted(node)
        known = {f"{home}.{name}": name for home in _TYPING for name in ("Literal", "Annotated")}
        return known[names.pop()] if len(names) == 1 and names <= known.keys() else ""

    def _chooses_backend(self, node: ast.AST) -> bool:
        """Pandas and matplotlib import the module that a backend names."""
        if isinstance(node, ast.Constant):
            text = node.value if isinstance(node.value, str) else ""
            last = text.rpartition(".")[2]
            return text.startswith(_BACKEND) or last == "backend"
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            # A text that names no file chooses none: joblib's threads, for one.
            return node.arg == "backend" and self._names_unread(node.value.value)
        return "backend" in {getattr(node, "arg", ""), getattr(node, "attr", "")}

    def _names_unread(self, text: object) -> bool:
        """Whether a text is the name of a file of the submission that was not read."""
        if not isinstance(text, str):
            return False
        parts = text.removeprefix(_BACKEND).replace(":", ".").split(".")
        names = [".".join(parts[: n + 1]) for n in range(len(parts))]
        return all(part.isidentifier() for part in parts) and any(map(self._unread, names))

    def _trace_text(self, text: str | bytes) -> str:
        if text in _MEMORY | _NEVER_NAMED | _TRACING:
            return f"it asks for {text!s}"
        if len(text) > _BLOB_CHARS:
            return f"a text literal of {len(text)} characters"
        blank = " " if isinstance(text, str) else b" "
        newline = "\n" if isinstance(text, str) else b"\n"
        if len(text) > _DENSE_CHARS and blank not in text and newline not in text:  # type: ignore[operator]
            return f"an encoded-looking literal of {len(text)} characters"
        if self._by_text and self._names_unread(text):
            return "it names a file of the submission in a text"
        return ""


def _is_hidden(text: str) -> bool:
    """Whether a text is the name of something that makes code, or opens memory."""
    return text in _BUILTINS | _HIDDEN | _MEMORY | _TRACING | _ANYWHERE


def _forbidden(dotted: str) -> str:
    """What of a dotted name no honest solution needs; a dot first where the root is unknown."""
    known = not dotted.startswith(".")
    parts = dotted.split(".")
    for count in range(1, len(parts) + 1):
        whole = ".".join(parts[:count])
        if whole in _MODULES and not dotted.startswith(_HARMLESS):
            return whole
    for holder, name in pairwise(parts):
        if name in _HIDDEN | (_ANYWHERE - {holder}):
            return name
        if name in _MEMBERS.get(holder, ()) and (known or holder in _TELLING):
            return f"{holder}.{name}"
        if known and holder in _ONLY and name not in _ONLY[holder]:
            return f"{holder}.{name}"
    return ""


def _trace_pattern(node: ast.MatchClass) -> str:
    """A class pattern, which asks for attributes by name."""
    for name in node.kwd_attrs:
        if name in _PATTERNS or (name.startswith("__") and name not in _PLAIN_DUNDERS):
            return f"it asks for {name}"
    return ""


def _binding(node: ast.AST) -> set[str]:
    """Names that a node binds other than by assignment."""
    if isinstance(node, ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.keyword):
        return {node.arg or ""}
    if isinstance(node, ast.alias):
        return {node.asname or ""}
    patterns = ast.MatchAs | ast.MatchStar | ast.MatchMapping
    return assigned_names(node) if isinstance(node, patterns | ast.ExceptHandler) else set()


def _docstrings(statement: ast.stmt) -> Iterator[int]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


def _trace_writing(holder: ast.expr) -> str:
    """``vars(x)["name"] = value``."""
    called = isinstance(holder, ast.Call) and isinstance(holder.func, ast.Name)
    return "it writes to vars" if called and holder.func.id == "vars" else ""  # type: ignore[attr-defined]


def _trace_computed(name: str, asked: ast.expr) -> str:
    if isinstance(asked, ast.Name | ast.Attribute) or name == "hasattr":
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


def _trace_size(node: ast.AST) -> str:
    if isinstance(node, ast.List | ast.Tuple | ast.Set) and len(node.elts) > _BLOB_ITEMS:
        return f"a literal of {len(node.elts)} elements"
    if isinstance(node, ast.Dict) and len(node.keys) > _BLOB_ITEMS:
        return f"a literal of {len(node.keys)} entries"
    if isinstance(node, ast.JoinedStr) and len(ast.unparse(node)) > _BLOB_CHARS:
        return "a very long f-string"
    return ""
