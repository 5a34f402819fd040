"""How a notebook goes on where a package is not here.

An import cell often begins with a package that only another product has (``google.colab``) or that
is not needed for the task. In Jupyter its failure ends the cell, and everything below lacks pandas.
Here the failed import binds nothing, the statements behind it run, and statements that need what
it would have bound are passed over. The failure is reported all the same.
"""

from __future__ import annotations

import ast

__all__ = ["Lacking"]

_MOST = 200  # statements that are passed over in one notebook


class Lacking:
    """The names that imports of missing packages would have bound."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._left = _MOST

    def after(self, text: str, error: BaseException, line: int) -> tuple[str | None, str]:
        """What of a cell is still to run after an error at one of its lines.

        Returns:
            The rest of the cell with its lines in their places, or None where it ends here; and
            the package that is not here, where that is the error.
        """
        self._left -= 1
        if self._left < 0 or line < 1:
            return None, ""
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # await at top level
            return None, ""
        at = next((n for n, s in enumerate(body) if s.lineno <= line <= (s.end_lineno or 0)), None)
        if at is None:
            return None, ""
        while at + 1 < len(body) and body[at + 1].lineno == line and self._was_run(body[at], error):
            at += 1  # several in one line
        failed = body[at]
        rest = _from(text, body, at + 1)
        if isinstance(error, ModuleNotFoundError) and isinstance(
            failed, ast.Import | ast.ImportFrom
        ):
            return self._without(failed, error, rest)
        plain = isinstance(failed, ast.Expr | ast.Assign | ast.AnnAssign)
        if isinstance(error, NameError) and plain and getattr(error, "name", "") in self._names:
            if isinstance(failed, ast.Assign | ast.AnnAssign):
                self._names |= _bound(failed)
            return rest, ""
        return None, ""

    @staticmethod
    def _was_run(statement: ast.stmt, error: BaseException) -> bool:
        """Whether one of several statements in the failed line cannot be the one that failed."""
        wanted = getattr(error, "name", None) or ""
        if isinstance(error, ModuleNotFoundError):
            modules = _modules(statement)
            return not any(_within(module, wanted) for module in modules)
        return wanted not in {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}

    def _without(
        self, failed: ast.Import | ast.ImportFrom, error: ModuleNotFoundError, rest: str
    ) -> tuple[str | None, str]:
        wanted = error.name or ""
        modules = _modules(failed)
        module = next((module for module in modules if _within(module, wanted)), None)
        if module is None:
            return None, ""  # a package that is here lacks one of its own
        others: list[ast.alias] = []
        if isinstance(failed, ast.Import):
            lacking = [alias for alias in failed.names if _within(alias.name, wanted)]
            others = [alias for alias in failed.names if alias not in lacking]
            self._names |= {a.asname or a.name.partition(".")[0] for a in lacking}
        else:
            self._names |= {alias.asname or alias.name for alias in failed.names}
        if others:  # the other names of the same statement, in its place
            lines = rest.split("\n")
            place = (failed.end_lineno or failed.lineno) - 1
            again = ast.unparse(ast.Import(names=others))
            lines[place] = f"{again}; {lines[place]}" if lines[place].strip() else again
            rest = "\n".join(lines)
        return rest, module


def _modules(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        return ["." * statement.level + (statement.module or "")]
    return []


def _within(module: str, missing: str) -> bool:
    """Whether importing a module fails where another one, itself or one above it, is missing."""
    return bool(missing) and (module == missing or module.startswith(f"{missing}."))


def _bound(statement: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _from(text: str, body: list[ast.stmt], at: int) -> str:
    """The statements from one on, each in its own line."""
    lines = text.split("\n")
    if at >= len(body):
        return "\n" * (len(lines) - 1)
    following = body[at]
    decorators: list[ast.expr] = getattr(following, "decorator_list", [])
    first = min([following.lineno, *(decorator.lineno for decorator in decorators)])
    kept = lines[first - 1 :]
    if body[at - 1].end_lineno == first:  # behind a semicolon
        kept[0] = kept[0].encode()[following.col_offset :].decode()
    return "\n" * (first - 1) + "\n".join(kept)
