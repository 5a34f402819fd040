"""Which packages of an environment execute text that they make when their functions are called.

Such text is no code that anybody reviewed, so the author of an exercise decides about each package
(``generates_code`` in ``[environment]``). Found by reading the sources; nothing of them runs here.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["generators"]

_CALL = re.compile(rb"\b(?:exec|eval|compile)\(")
_EVALUATES = {"exec", "eval", "compile", "exec_"}
_ASIDE = {"tests", "test", "testing", "benchmarks", "examples"}


def generators(site: Path) -> dict[str, str]:
    """Import name → the first of its files with a function that evaluates, in order of name.

    What is evaluated while a module is imported does not count, nor do folders of tests.

    Args:
        site: a folder of installed packages.
    """
    found: dict[str, str] = {}
    for path in _modules(site):
        name = path.relative_to(site).as_posix()
        package = name.partition("/")[0].removesuffix(".py")
        if package not in found and _evaluates(path.read_bytes()):
            found[package] = name
    return dict(sorted(found.items()))


def _modules(site: Path) -> Iterator[Path]:
    for path in sorted(site.rglob("*.py")):
        if _ASIDE.isdisjoint(path.relative_to(site).parts):
            yield path


def _evaluates(source: bytes) -> bool:
    """Whether a function calls ``exec``, ``eval`` or ``compile`` by its name."""
    if not _CALL.search(source):
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False  # of another Python, or no source: nobody can import it
    functions = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    )
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _EVALUATES
        for function in functions
        for node in ast.walk(function)
    )
