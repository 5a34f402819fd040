"""ruff on the reached files, by a fixed configuration of ours, as findings in reached code.

The files are written under numbered names into an empty folder, with every comment blanked out:
no configuration file, no folder name and no comment of a candidate's can reach the tool.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.analyst._units import FunctionNode
from grader.analyst.notebook import is_of_shell
from grader.analyst.source import UnreviewableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grader.analyst.reach import Reached
    from grader.analyst.source import Module

__all__ = ["Finding", "answers", "run_ruff"]

_UNDEFINED = "F821"
_Raw = tuple[str, str, int, str]  # rule, file, line, the name that is undefined
_SHOWING = {"T201", "T203", "B015", "B018", "E703"}
# What only tells of an error; it goes no further.
_TELLING = {
    *("print", "write", "warn", "str", "repr", "type", "isinstance", "format", "print_exception"),
    *("debug", "info", "warning", "error", "critical", "exception", "log"),
}
_TARGET = f"py{sys.version_info.major}{sys.version_info.minor}"  # the exercise's own Python
_SECONDS = 6.0
_OUTPUT = 8 << 20
_OPTIONS = (
    "lint.mccabe.max-complexity=12",
    "lint.pylint.max-args=7",
    "lint.pep8-naming.extend-ignore-names=['X', 'X_*', 'Xt', 'N', 'Q?']",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that a rule complains about; ``text`` is ours, never the candidate's."""

    rule: str
    path: str
    line: int
    text: str = ""


def run_ruff(reached: Reached, rules: Iterable[str]) -> list[Finding]:
    """Findings of the given rules in reached code, in order of place.

    Raises:
        UnreviewableError: ruff crashed on the source, or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="lint") as folder:
        paths: dict[str, str] = {}
        for number, module in enumerate(reached.modules):
            inner = Path(folder) / f"m{number}"
            inner.mkdir()
            package = module.path.endswith("__init__.py")
            target = inner / ("__init__.py" if package else "module.py")
            target.write_text(module.plain, encoding="utf-8", errors="replace")
            paths[str(target.resolve())] = module.path
        raw = _call(folder, sorted(rules))
    lines = reached.lines()
    loose = {module.path: _loose_lines(module) for module in reached.modules}
    kept = {m.path: _handed_on_lines(m, service=reached.service) for m in reached.modules}
    dtypes = {module.path: _dtype_lines(module) for module in reached.modules}
    found = []
    notebooks = {module.path for module in reached.modules if module.cells}
    for code, filename, line, name in raw:
        path = paths.get(filename, "")
        if code in ("", "invalid-syntax"):
            place = next((m.place(line) for m in reached.modules if m.path == path), "")
            raise UnreviewableError("the linter gives up on the source", place)
        if code == _UNDEFINED and path in notebooks and is_of_shell(name):
            continue
        if code == "BLE001" and line in kept.get(path, ()):
            continue
        if code == "E721" and line in dtypes.get(path, ()):
            continue
        if line in lines.get(path, ()) and not (code in _SHOWING and line in loose[path]):
            found.append(Finding(code, path, line))
    return sorted(found, key=lambda f: (f.path, f.line, f.rule))


def _loose_lines(module: Module) -> set[int]:
    """Lines of a notebook outside functions, where showing something is what cells are for."""
    if not module.cells:
        return set()
    inside: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, FunctionNode | ast.ClassDef):
            inside |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return set(range(1, module.plain.count("\n") + 2)) - inside


def _handed_on_lines(module: Module, *, service: bool) -> set[int]:
    """Lines of ``except`` clauses that pass the caught error on, which is not swallowed then.

    A service answers its caller in place of the error; that is what its boundary is for.
    """
    found: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and node.type:
            inside = [item for statement in node.body for item in ast.walk(statement)]
            if (service and answers(node)) or any(
                _raises(item) or _hands_on(item, node.name or "") for item in inside
            ):
                found |= set(range(node.lineno, (node.type.end_lineno or node.lineno) + 1))
    return found


def answers(handler: ast.ExceptHandler) -> bool:
    """Whether a handler makes something of the error: returns, sends, sets or raises it."""
    for statement in handler.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Return):
                value = node.value
                if value is not None and not (
                    isinstance(value, ast.Constant) and value.value is None
                ):
                    return True
            elif isinstance(node, ast.Raise | ast.Assign | ast.Await):
                return True
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                func = node.value.func
                if (getattr(func, "id", "") or getattr(func, "attr", "")) not in _TELLING:
                    return True
    return False


def _raises(node: ast.AST) -> bool:
    """Whether an error is raised in place of the caught one; B904 asks for its cause."""
    return isinstance(node, ast.Raise) and node.exc is not None


def _dtype_lines(module: Module) -> set[int]:
    """Lines that compare dtypes, for which == is the way."""
    found: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            names = {getattr(side, "attr", getattr(side, "id", "")) for side in sides}
            if any("dtype" in name for name in names):
                found |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def _hands_on(node: ast.AST, name: str) -> bool:
    """Whether a statement keeps, returns, raises or passes on what a name stands for."""
    value: ast.AST | None = None
    if isinstance(node, ast.Return | ast.Yield):
        value = node.value
    elif isinstance(node, ast.Raise):
        value = node
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        value = None if {ast.unparse(t) for t in targets} <= {"_", name} else node.value
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        func = node.value.func
        told = getattr(func, "id", "") or getattr(func, "attr", "")
        value = None if told in _TELLING else node.value
    return value is not None and any(
        isinstance(item, ast.Name) and item.id == name for item in ast.walk(value)
    )


def _program() -> str:
    beside = Path(sys.executable).parent / "ruff"
    image = Path("/opt/site/bin/ruff")
    for path in (image, beside):
        if path.is_file():
            return str(path)
    return shutil.which("ruff") or "ruff"


def _call(folder: str, rules: list[str]) -> list[_Raw]:
    command = [_program(), "check", "--isolated", "--ignore-noqa", "--no-cache", "--exit-zero"]
    command += ["--quiet", "--output-format=json", f"--target-version={_TARGET}", "--no-fix"]
    command += [f"--select={','.join(rules)}", "--no-respect-gitignore"]
    command += [part for option in _OPTIONS for part in ("--config", option)]
    try:
        done = subprocess.run(  # noqa: S603 - our program on our folder, no shell
            [*command, folder],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            cwd=folder,
            env={"PATH": os.environ.get("PATH", ""), "RAYON_NUM_THREADS": "1", "HOME": folder},
        )
    except subprocess.TimeoutExpired:
        raise UnreviewableError("the linter takes too long on the source") from None
    if done.returncode or len(done.stdout) > _OUTPUT:
        raise UnreviewableError(f"the linter ended with status {done.returncode}")
    return [
        (
            str(item["code"] or ""),
            str(item["filename"]),
            int(item["location"]["row"]),
            item["message"].split("`")[1] if item["code"] == _UNDEFINED else "",
        )
        for item in json.loads(done.stdout)
    ]
