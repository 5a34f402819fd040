"""How a notebook is kept: what a reader can rely on when it is opened.

These checks are collected for notebooks only, and count for a criterion of their own, so that
they move no level of a submission that is a module.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from grader.analyst._names import binds, is_main_guard
from grader.analyst._units import FunctionNode, count_statements
from grader.analyst.notebook import SHELL_NAMES, is_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grader.analyst.notebook import Cell, Notebook

__all__ = ["HYGIENE", "HygieneCheck", "Place"]

MOST_WORK = 40  # as for statements that run on import in a module
LONGEST_RUN = 6  # code cells without a text between them
_WORDS = 3
_KNOWN = set(dir(builtins)) | SHELL_NAMES | {"__name__", "__file__", "__doc__", "__builtins__"}
_CODE = re.compile(r"[=(\[]|^(return|import|from|raise|del)\b")

Place: TypeAlias = tuple[int, int, str]  # cell, line in it (0: the cell as a whole), what


@dataclass(frozen=True, slots=True)
class HygieneCheck:
    """One check of a notebook; it fails on anything that it finds."""

    name: str
    title: str
    hint: str
    find: Callable[[Notebook], Iterator[Place]]


def failing_cells(notebook: Notebook) -> Iterator[Place]:
    """Cells that fail when the notebook runs from top to bottom."""
    yield from notebook.errors
    if notebook.stopped and not notebook.errors:
        yield 0, 0, notebook.stopped


def stale_outputs(notebook: Notebook) -> Iterator[Place]:
    """Cells whose stored outputs are not those of the fresh run."""
    for number in notebook.differs:
        yield number, 0, "its stored output is not that of a fresh run"


def disorder(notebook: Notebook) -> Iterator[Place]:
    """Execution counts that fall, and cells without one among those that have one."""
    cells = [cell for cell in notebook.code if cell.plain.strip()]
    counted = [cell for cell in cells if cell.count is not None]
    if not counted:
        return  # cleared on purpose: nothing is claimed
    highest = 0
    for cell in cells:
        if cell.count is None:
            yield cell.number, 0, "it was not run before the notebook was saved"
        elif cell.count <= highest:
            yield cell.number, 0, f"it was run before a cell above it ([{cell.count}])"
        else:
            highest = cell.count


def hidden_state(notebook: Notebook) -> Iterator[Place]:
    """Names that a cell uses on the spot although no cell above it, nor itself, binds them."""
    known, later = set(_KNOWN), _bound_by_cells(notebook)
    for cell in notebook.code:
        tree = _tree(cell)
        if tree is None:
            continue
        known |= later[cell.number]
        if "*" in known:
            return  # a star import may bind anything
        used = _used_at_once(cell.plain)
        for name in sorted(used - known):
            below = [n for n, names in later.items() if name in names]
            where = f"only cell {below[0]} defines it" if below else "no cell defines it"
            yield cell.number, _line_of(tree, name), f"{_shown(name)} is used, and {where}"


def _bound_by_cells(notebook: Notebook) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for cell in notebook.code:
        tree = _tree(cell)
        found[cell.number] = {name for s in tree.body for name in binds(s)} if tree else set()
        if tree:
            found[cell.number] |= _bound_elsewhere(tree)
    return found


def _bound_elsewhere(tree: ast.Module) -> set[str]:
    """Names of ``except … as``, ``match`` and ``global`` statements."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found.add(node.rest)
        elif isinstance(node, ast.Global):
            found.update(node.names)
    return found


def _used_at_once(text: str) -> set[str]:
    """Global names that run-time needs when the cell runs, not when a function is called."""
    try:
        top = symtable.symtable(text, "cell", "exec")
    except (SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    tables = [(top, True)]
    while tables:
        table, outermost = tables.pop()
        found |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (outermost or symbol.is_global())
        }
        tables += [
            (inner, False)
            for inner in table.get_children()
            if inner.get_type() == "class" or inner.get_name() in _COMPREHENSIONS
        ]
    return found


_COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}


def _line_of(tree: ast.Module, name: str) -> int:
    lines = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == name]
    return min(lines, default=0)


def dead_cells(notebook: Notebook) -> Iterator[Place]:
    """Empty cells but the last, cells of old code in comments, definitions replaced further on."""
    defined: dict[str, int] = {}
    code = notebook.code
    for cell in code:
        lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
        if not lines and cell is not code[-1]:
            yield cell.number, 0, "it is empty"
        elif _is_old_code(lines):
            yield cell.number, 0, "it holds nothing but code in comments"
        tree = _tree(cell)
        for node in tree.body if tree else ():
            if not isinstance(node, FunctionNode | ast.ClassDef):
                continue
            if node.name in defined and not _decorated_by(node):
                yield (
                    cell.number,
                    node.lineno,
                    f"{_shown(node.name)} replaces that of cell {defined[node.name]}",
                )
            defined[node.name] = cell.number


def _is_old_code(lines: list[str]) -> bool:
    commented = bool(lines) and all(line.startswith("#") for line in lines)
    return commented and any(_CODE.search(line.lstrip("# ")) for line in lines)


def _decorated_by(node: ast.stmt) -> bool:
    """``@f.register`` and the like define under one name again on purpose."""
    return bool(getattr(node, "decorator_list", []))


def loose_work(notebook: Notebook) -> Iterator[Place]:
    """More statements outside functions than a reader follows."""
    sizes = {cell.number: _work(cell) for cell in notebook.code}
    total = sum(sizes.values())
    if total > MOST_WORK:
        number = max(sizes, key=lambda n: sizes[n])
        yield number, 0, f"{total} statements in all do their work outside functions"


def _work(cell: Cell) -> int:
    """Statements of a cell that are neither imports, definitions nor there to show something."""
    tree = _tree(cell)
    if tree is None:
        return 0
    passed = FunctionNode | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Expr
    return sum(
        count_statements([s])
        for s in tree.body
        if not isinstance(s, passed) and not is_main_guard(s)
    )


def silence(notebook: Notebook) -> Iterator[Place]:
    """Notebooks without a text, and long runs of code cells without one."""
    if not any(c.kind == "markdown" and _says_something(c.source) for c in notebook.cells):
        yield 0, 0, "no cell says what the notebook does"
        return
    run = 0
    for cell in notebook.cells:
        if cell.kind == "markdown" and cell.source.strip():
            run = 0
        elif cell.kind == "code" and cell.source.strip():
            run += 1
            if run == LONGEST_RUN + 1:
                yield cell.number, 0, f"more than {LONGEST_RUN} code cells without a word between"


def _says_something(text: str) -> bool:
    return len(set(re.findall(r"[^\W\d_]{2,}", text.lower()))) >= _WORDS


def _tree(cell: Cell) -> ast.Module | None:
    return ast.parse(cell.plain) if is_python(cell.plain) else None


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 40 else f"{name[:37]}...")[1:-1]  # noqa: PLR2004 - fits a line


HYGIENE = (
    HygieneCheck(
        "runs-through",
        "Every cell runs, from top to bottom in a fresh session",
        "Restart the kernel and run all cells before handing in.",
        failing_cells,
    ),
    HygieneCheck(
        "outputs-current",
        "The stored outputs are those of a fresh run",
        "Save the notebook right after running all of it; fix random seeds.",
        stale_outputs,
    ),
    HygieneCheck(
        "in-order",
        "The cells were run in the order in which they stand",
        "Restart the kernel, run all cells, then save.",
        disorder,
    ),
    HygieneCheck(
        "no-hidden-state",
        "No cell relies on names that only the author's session had",
        "Define every name above the cell that uses it.",
        hidden_state,
    ),
    HygieneCheck(
        "no-dead-cells",
        "No cell is empty, commented out or replaced by a later one",
        "Remove cells that are no longer needed.",
        dead_cells,
    ),
    HygieneCheck(
        "work-in-functions",
        f"At most {MOST_WORK} statements do work outside functions",
        "Move work that has a purpose into functions with names.",
        loose_work,
    ),
    HygieneCheck(
        "narrative",
        "Texts between the cells say what happens",
        "Begin with what the notebook is for, and head each step.",
        silence,
    ),
)
