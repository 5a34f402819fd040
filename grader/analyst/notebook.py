"""A notebook as the analyst sees it: one text for the tools, and the way back to cells.

The code cells, in order, make one module. Each of its lines knows its cell, so that a finding
names the cell and the line in it. A cell that is no Python never ran; it leaves blank lines.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NOTEBOOK_CRITERION",
    "SHELL_NAMES",
    "Cell",
    "Notebook",
    "is_of_shell",
    "module_of",
    "notebook_of",
]

NOTEBOOK_CRITERION = "notebook_hygiene"
SHELL_NAMES = frozenset({"display", "get_ipython", "In", "Out", "_", "__", "___", "exit", "quit"})
_HISTORY = re.compile(r"_i{0,3}\d*|_[iod]h")  # inputs and outputs of earlier cells
_HEAD = "# coding: utf-8\n"  # a cell's own cookie means nothing, so it must not be the first


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; ``number`` counts code cells from 1 and is 0 for others."""

    kind: str
    number: int
    source: str
    plain: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook and how it ran.

    Attributes:
        errors: (cell, line, what happened) of cells that failed in a fresh run.
        stopped: why the fresh run ended early; empty when it did not.
        differs: numbers of cells whose stored outputs are not those of the fresh run.
    """

    path: str
    cells: tuple[Cell, ...]
    errors: tuple[tuple[int, int, str], ...] = ()
    stopped: str = ""
    differs: tuple[int, ...] = ()

    @property
    def code(self) -> tuple[Cell, ...]:
        """The code cells."""
        return tuple(cell for cell in self.cells if cell.kind == "code")


def notebook_of(meta: Mapping[str, object]) -> Notebook | None:
    """Read the host's description; None where the submission is a module."""
    told = meta.get("notebook")
    if not isinstance(told, dict):
        return None
    return Notebook(
        path=str(told["path"]),
        cells=tuple(Cell(*cell[:5]) for cell in told["cells"]),
        errors=tuple((int(n), int(line), str(text)) for n, line, text in told["errors"]),
        stopped=str(told["stopped"]),
        differs=tuple(int(number) for number in told["differs"]),
    )


def module_of(notebook: Notebook) -> tuple[bytes, tuple[tuple[int, int], ...]]:
    """The code as one module, and the (first line, cell number) of each cell in it."""
    parts, starts = [_HEAD], []
    line = 2
    for cell in notebook.code:
        text = cell.plain if is_python(cell.plain) else "\n" * cell.plain.count("\n")
        starts.append((line, cell.number))
        parts.append(f"{text}\n\n")
        line += text.count("\n") + 2
    return "".join(parts).encode("utf-8", "replace"), tuple(starts)


def is_of_shell(name: str) -> bool:
    """Whether a notebook's shell gives this name."""
    return name in SHELL_NAMES or _HISTORY.fullmatch(name) is not None


def is_python(text: str) -> bool:
    """False for what the parser calls a syntax error; whatever else it raises goes on."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
