"""A notebook after intake: cells in order, with what its author's session had stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Cell", "Notebook", "Output"]

Output = dict[str, object]
"""One output as nbformat 4 has it, reduced to what `grader.notebook.outputs` lets through."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        kind: ``code``, ``markdown`` or ``raw``.
        source: as the author wrote it.
        number: position among the code cells, from 1; what a fresh run shows as ``[n]``. 0 for
            other cells.
        plain: of a code cell, the Python that runs and that is reviewed: magics and shell escapes
            taken out, line by line, so that line numbers stay.
        timed: a magic of it asked for times, which are never twice the same.
        inert: marks and names of magics in it that do nothing here.
        count: the stored execution count.
        outputs: the stored outputs.
    """

    kind: str
    source: str
    number: int = 0
    plain: str = ""
    timed: bool = False
    inert: tuple[str, ...] = ()
    count: int | None = None
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of a submission.

    Attributes:
        path: of its file in the submission.
        cells: all of them, in order.
        notes: what was repaired, left out or made inert, one sentence each.
    """

    path: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> tuple[Cell, ...]:
        """The code cells that hold anything."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    def for_candidate(self, cell_seconds: float) -> Mapping[str, object]:
        """What the candidate container gets: plain sources, and no metadata of the file's."""
        return {
            "path": self.path,
            "cells": [[cell.number, cell.plain] for cell in self.code],
            "cell_ms": int(cell_seconds * 1000),
        }
