"""How a notebook goes on where a package is not here.

An import cell often begins with a package that only another product has (``google.colab``) or that
is not needed for the task. In Jupyter its failure ends the cell, and everything below lacks pandas.
Here the failed import binds nothing, the statements behind it run, and statements that need what
it would have bound are passed over. The failure is reported all the same.
"""

from __future__ import annotations

import ast

from grader.candidate import parts

__all__ = ["Lacking"]

_MOST = 200  # statements that are passed over in one notebook


class Lacking:
    """The names that imports of missing packages would have bound."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._left = _MOST

    def after(self, text: str, error: BaseException, line: int) -> tuple[list[str] | None, str]:
        """What of a part of a cell is still to run after an error at one of its lines.

        Returns:
            Its other statements, each with its lines in their places, or None where the cell ends
            here; and the package that is not here, where that is the error.
        """
        self._left -= 1
        body = parts.parsed(text)  # none with `await` at top level, or where it is no Python
        if self._left < 0 or line < 1 or not body:
            return None, ""
        at = next((n for n, s in enumerate(body) if s.lineno <= line <= (s.end_lineno or 0)), None)
        if at is None:
            return None, ""
        while at + 1 < len(body) and body[at + 1].lineno == line and self._was_run(body[at], error):
            at += 1  # several in one line
        failed = body[at]
        rest = parts.statements(text, body)[at + 1 :]
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
        self, failed: ast.Import | ast.ImportFrom, error: ModuleNotFoundError, rest: list[str]
    ) -> tuple[list[str] | None, str]:
        wanted = error.name or ""
        modules = _modules(failed)
        module = next((module for module in modules if _within(module, wanted)), None)
        if module is None:
            return None, ""  # a package that is here lacks one of its own
        others: list[str] = []
        if isinstance(failed, ast.Import):
            lacking = [_within(alias.name, wanted) for alias in failed.names]
            self._names |= {
                alias.asname or alias.name.partition(".")[0]
                for alias, gone in zip(failed.names, lacking, strict=True)
                if gone
            }
            each = zip(parts.imports(failed), lacking, strict=True)
            others = [part for part, gone in each if not gone]
        else:
            self._names |= {alias.asname or alias.name for alias in failed.names}
        return [*others, *rest], module


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
