"""Reads Python sources as syntax trees and says what they define. Runs in a process of its own.

The sources are a candidate's. They are parsed, and neither compiled nor run; whatever a parser can
be made to do (a deep stack, much memory, a long time) ends this process and not the grader's.
Started by `grader.notebook.shape` with the standard library only; reads and writes JSON.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import sys
import warnings

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_Definition = (*_Function, ast.ClassDef)
_PLAIN_BASES = {"object", "ABC", "Protocol", "Generic"}


def limit() -> None:
    """At most ten seconds and a gigabyte."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has none, macOS not all
        import resource  # noqa: PLC0415 - see above

        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


class Shape:
    """What one source defines at its top level."""

    def __init__(self, names: list[str], entry: str) -> None:
        self.entry = entry
        self.asked = set(names)
        self.real: dict[str, bool] = {}  # asked name → whether what it is bound to is implemented
        self.borrowed = False  # an asked name comes from another file
        self.shell = False  # it calls what only a notebook has
        self.functions: list[str] = []
        self.assigned: list[str] = []
        self.code: list[str] = []
        self.broken: list[int] = []
        self.problem = ""

    def read(self, number: int, text: str) -> None:
        """Add the statements of one cell."""
        try:
            tree = ast.parse(text)
            strip(tree)
            for node in tree.body:
                self.statement(node)
                self.visit(node)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.broken.append(number)
            if not self.problem:
                self.problem = f"line {getattr(error, 'lineno', None) or 1}"

    def statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
            return
        if not isinstance(node, (*_Definition, ast.Try, ast.If)) and calls_shell(node):
            self.shell = True
            return
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            self.code.append(digest(node))

    def visit(self, node: ast.stmt) -> None:
        if isinstance(node, _Definition):
            real = implemented(node)
            if real:
                self.functions.append(digest(node))
            self.bind(node.name, real=real)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            self.assignment(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.imported(node)
        elif not (isinstance(node, ast.If) and is_guard(node)):
            for block in ("body", "orelse", "finalbody", "handlers"):
                for inner in getattr(node, block, ()):
                    self.visit(inner)

    def assignment(self, node: ast.Assign | ast.AnnAssign) -> None:
        if node.value is None or calls_shell(node):
            return
        self.assigned.append(digest(node))
        real = not is_nothing(node.value)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            for part in ast.walk(target):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    self.bind(part.id, real=real)

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                self.borrow(alias.asname or alias.name.partition(".")[0], alias.name)
                continue
            module = node.module or ""
            names = self.asked - self.real.keys() if alias.name == "*" else [alias.name]
            for name in names:
                self.borrow(alias.asname or name, module)

    def bind(self, name: str, *, real: bool) -> None:
        if name in self.asked:
            self.real[name] = real

    def borrow(self, name: str, module: str) -> None:
        """A name from another file; what the entry itself holds is no second implementation."""
        if name in self.asked and module != self.entry:
            self.real[name] = self.borrowed = True


def strip(tree: ast.Module) -> None:
    """Take out what says nothing: docstrings, `pass`, `...`, and what only marks a stub."""
    for node in ast.walk(tree):
        if isinstance(node, _Definition):
            body = [item for item in node.body if not is_empty(item)]
            node.body = [] if isinstance(node, _Function) and is_stub(body) else body


def is_empty(node: ast.stmt) -> bool:
    if isinstance(node, ast.Pass):
        return True
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and (node.value.value is ... or isinstance(node.value.value, str))
    )


def is_stub(body: list[ast.stmt]) -> bool:
    """Whether a function does nothing, or says that it does nothing."""
    if not body:
        return True
    last = body[-1]
    if isinstance(last, ast.Return):
        return len(body) == 1 and is_nothing(last.value)
    raised = last.exc if isinstance(last, ast.Raise) else None
    raised = raised.func if isinstance(raised, ast.Call) else raised
    marked = isinstance(raised, ast.Name) and raised.id in {"NotImplementedError", "NotImplemented"}
    # Of a real one the last line may be this too, behind a branch that returns.
    returns = any(isinstance(n, ast.Return | ast.Yield) for item in body for n in ast.walk(item))
    return marked and not returns


def is_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value in (None, ...))


def implemented(node: ast.stmt) -> bool:
    """Whether a definition, stripped, does anything."""
    if isinstance(node, ast.ClassDef):
        methods = [item for item in node.body if isinstance(item, _Function)]
        if methods:
            return any(map(implemented, methods))
        bases = [ast.unparse(base).rpartition(".")[2].partition("[")[0] for base in node.bases]
        return bool(node.body) or not set(bases) <= _PLAIN_BASES
    return bool(getattr(node, "body", ()))


def is_guard(node: ast.If) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))


def calls_shell(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "get_ipython" for part in ast.walk(node))


def digest(node: ast.AST) -> str:
    return hashlib.sha256(ast.dump(node).encode("utf-8", "replace")).hexdigest()[:24]


def main() -> None:
    """Answer one list of sources, a list of cells each."""
    limit()
    asked = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    answer = []
    for cells in asked["sources"]:
        shape = Shape(asked["names"], asked["entry"])
        for number, text in enumerate(cells):
            shape.read(number, text)
        answer.append(
            {
                "real": shape.real,
                "borrowed": shape.borrowed,
                "shell": shape.shell,
                "functions": shape.functions,
                "assigned": shape.assigned,
                "code": shape.code,
                "broken": shape.broken,
                "problem": shape.problem,
            }
        )
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
