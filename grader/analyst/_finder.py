"""Which file an import loads, as Python finds it, and where a changed `sys.path` leaves doubt."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from grader.analyst._names import assigned_names
from grader.analyst._scopes import Scopes, chain
from grader.analyst.source import UnreviewableError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from grader.analyst.source import Module

__all__ = ["Finder", "list_of_names"]

_COMPILED = (".pyc", ".so", ".pyd")
_ADDING = {"insert", "append", "extend"}
# An import of one of these is none of a file in an archive.
_INSTALLED = sys.stdlib_module_names | {
    *("numpy", "pandas", "sklearn", "scipy", "joblib", "matplotlib", "IPython", "pytest"),
    *("imblearn", "pyarrow", "tzdata"),
    *("narwhals", "sklearn_compat", "typing_extensions", "PIL", "mpl_toolkits", "packaging"),
    *("psutil", "traitlets", "cycler", "pyparsing", "tqdm"),
    *("threadpoolctl", "dateutil", "pytz", "seaborn", "statsmodels", "lightgbm", "xgboost"),
}
_LIBRARY = {"os", "os.path", "sys", "pathlib", "pathlib.Path"}
_OWN_FOLDER = {"", ".", ".."}
_PATH_WORDS = {
    *("path", "Path", "parent", "parents", "resolve", "absolute", "dirname", "abspath", "realpath"),
    *("join", "joinpath", "cwd", "getcwd", "fspath", "as_posix", "sep"),
}


class Finder:
    """The files of a submission by the names that they are imported by.

    Args:
        files: all paths.
        entry: the path of the file that is graded.
    """

    def __init__(self, files: Collection[str], entry: str) -> None:
        self._files = frozenset(files)
        self._by_name: dict[str, list[str]] = {}  # first part of a file's name → paths
        for path in sorted(files):
            name = path.removesuffix("/__init__.py").rpartition("/")[2]
            self._by_name.setdefault(name.partition(".")[0], []).append(path)
        self._compiled = sorted(path for path in files if path.endswith(_COMPILED))
        self._notebook = entry if entry.endswith(".ipynb") else ""
        # A notebook's own folder comes before the root folder.
        self._roots = list(dict.fromkeys([entry.rpartition("/")[0], ""]))
        self._above: set[str] = set()  # folders that files with a changed path are in
        self._folders: set[str] = set()  # last parts of folders that are put on the path
        self._anywhere = False  # folders that nobody can tell are

    def read(self, module: Module) -> None:
        """Note what a loaded file does to `sys.path`."""
        if "path" not in module.plain and module.plain.isascii():
            return
        scopes = Scopes(module.tree, module.name, module.path, {})
        nodes = [n for s in module.tree.body if not module.is_skipped(s) for n in ast.walk(s)]
        known: set[int] = set()
        for node in nodes:
            if isinstance(node, ast.Compare):  # whether a folder is on the path already
                known |= {id(part) for part in node.comparators}
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _ADDING
                and node.args
                and _is_path(node.func.value, scopes)
            ):
                known.add(id(node.func.value))
                self._add(_folder_words(node.args[-1], module, scopes), module)
            elif isinstance(node, ast.expr) and id(node) not in known and _is_path(node, scopes):
                self._anywhere = True

    def _add(self, words: set[str] | None, module: Module) -> None:
        if words is None:
            self._anywhere = True
            return
        self._folders |= words - _OWN_FOLDER
        if not words - _OWN_FOLDER:
            parts = module.path.split("/")[:-1]
            self._above |= {"/".join(parts[:n]) for n in range(len(parts) + 1)}

    def find(self, dotted: str) -> str | None:
        """The file of a local module; also one below another folder, which may be on the path.

        Raises:
            UnreviewableError: the name is that of a module and of a package, or of compiled code.
        """
        tail = dotted.replace(".", "/")
        for root in self._roots:
            if path := self._in_folder(root, tail):
                return path
        if self._notebook.rpartition("/")[2] == f"{dotted}.ipynb":
            return self._notebook  # which is a module of its name, where there is no other
        found = self._elsewhere(tail)
        sure = [path for path in found if path in self.candidates(dotted)]
        for path in sure or found:
            return self._in_folder(path[: path.rindex(f"/{tail}")], tail)
        head = tail.partition("/")[0]
        for path in self._compiled:
            if path.rpartition("/")[2].partition(".")[0] == head:
                raise UnreviewableError("compiled code is imported", path)
        return None

    def candidates(self, dotted: str) -> set[str]:
        """The files that an import may load, after all changes of the path."""
        tail = dotted.replace(".", "/")
        found = {
            path
            for path in self._elsewhere(tail)
            if self._anywhere or self._is_on_path(path[: path.rindex(f"/{tail}")])
        }
        for root in self._roots:
            if path := self._in_folder(root, tail):
                return found | {path}
        return found

    def may_be_packed(self, name: str) -> bool:
        """Whether a module that is no file of the submission may come from an archive of it."""
        folders = {part for path in self._files for part in path.split("/")[:-1]}
        elsewhere = self._anywhere or self._folders - folders
        packed = any("." in word for word in self._folders - folders)
        return packed or bool(elsewhere and name not in _INSTALLED)

    def _is_on_path(self, folder: str) -> bool:
        return folder in self._above or folder.rpartition("/")[2] in self._folders

    def _elsewhere(self, tail: str) -> list[str]:
        ends = (f"/{tail}.py", f"/{tail}/__init__.py")
        near = self._by_name.get(tail.rpartition("/")[2], ())
        return [path for path in near if path.endswith(ends)]

    def _in_folder(self, root: str, tail: str) -> str | None:
        stem = f"{root}/{tail}" if root else tail
        package, module = f"{stem}/__init__.py", f"{stem}.py"
        for path in self._compiled:
            if path.startswith((f"{stem}.", f"{stem}/__init__.")) and not path.endswith(".pyc"):
                raise UnreviewableError("compiled code is imported", path)
        if package in self._files and module in self._files:
            raise UnreviewableError("a module and a package have one name", module)
        return next((path for path in (package, module) if path in self._files), None)


def _is_path(node: ast.expr, scopes: Scopes) -> bool:
    """``sys.path``, by whatever name."""
    if "sys.path" in scopes.dotted(node):
        return True
    attributes = chain(node)[1]
    return attributes[-2:] == ["sys", "path"]


def _folder_words(node: ast.expr, module: Module, scopes: Scopes) -> set[str] | None:
    """Last parts of the folders that an expression puts together; None when nobody can tell."""
    words: set[str] = set()
    for part in _spelled_out(node, module):
        if isinstance(part, ast.Constant):
            if isinstance(part.value, str):
                words.add(part.value.rstrip("/").rpartition("/")[2])
        elif isinstance(part, ast.Name):
            built_in = part.id in {"str", "__file__"} and scopes.is_unbound(part)
            if not built_in and not scopes.dotted(part) & _LIBRARY:
                return None
        elif isinstance(part, ast.Attribute):
            if part.attr not in _PATH_WORDS:
                return None
        elif not isinstance(part, _PLAIN):
            return None
    return words


_PLAIN = ast.Call | ast.BinOp | ast.Div | ast.Subscript | ast.expr_context | ast.List | ast.Tuple


def _spelled_out(node: ast.expr, module: Module, depth: int = 0) -> Iterator[ast.AST]:
    """The nodes of an expression, names that the file binds once replaced by their values."""
    for part in ast.walk(node):
        value = _value_of(part.id, module) if isinstance(part, ast.Name) and depth < 4 else None  # noqa: PLR2004 - deeper is a riddle
        if value is None:
            yield part
        else:
            yield from _spelled_out(value, module, depth + 1)


def _value_of(name: str, module: Module) -> ast.expr | None:
    bound = [n for n in ast.walk(module.tree) if name in assigned_names(n)]
    for statement in module.tree.body:
        if (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and bound == [statement.targets[0]]
        ):
            return statement.value
    return None


def list_of_names(tree: ast.Module) -> set[str] | None:
    """The names that a file's ``__all__`` lists; None when they are computed."""
    nodes = list(ast.walk(tree))
    stated = [
        node.value
        for node in nodes
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["__all__"]
    ]
    if len(stated) != sum(isinstance(n, ast.Name) and n.id == "__all__" for n in nodes):
        return None  # extended, or handed to something that may
    items = [
        item
        for value in stated
        for item in (value.elts if isinstance(value, ast.List | ast.Tuple) else [value])
    ]
    names = [i.value for i in items if isinstance(i, ast.Constant) and isinstance(i.value, str)]
    return set(names) if len(names) == len(items) else None
