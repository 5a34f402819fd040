"""What a report says about a notebook besides its verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.intake.entries import shown
from grader.notebook.compare import gist, same
from grader.notebook.fresh import CellError
from grader.text import CandidateText, clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from grader.models import Notebook
    from grader.notebook.fresh import FreshRun

__all__ = [
    "PAGE",
    "Difference",
    "NotebookFacts",
    "consequences",
    "departure_notes",
    "facts_from",
    "facts_of",
    "for_analyst",
    "lacking",
]

PAGE = "notebook.html"
_SHOWN_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Difference:
    """A code cell whose stored outputs are not those of the fresh run."""

    number: int
    stored: CandidateText
    fresh: CandidateText


@dataclass(frozen=True, slots=True)
class NotebookFacts:
    """One notebook and its fresh run.

    Attributes:
        path: of its file in the submission.
        code_cells: how many there are; their numbers are those of a fresh run.
        text_cells: Markdown and raw cells.
        errors: the cells that failed in the fresh run.
        stopped: why the fresh run ended early, in our words; empty when it did not.
        differences: cells whose stored outputs are not those of the fresh run.
        figures: pictures that the fresh run made.
        page: the executed notebook as a file of the results folder; empty where there is none.
    """

    path: str
    code_cells: int
    text_cells: int
    errors: tuple[CellError, ...]
    stopped: str
    differences: tuple[Difference, ...]
    figures: int
    page: str = ""


def facts_of(notebook: Notebook, fresh: FreshRun, *, page: bool) -> NotebookFacts:
    """The facts of one notebook after its fresh run."""
    bundles = [o.get("data") for outputs in fresh.outputs.values() for o in outputs]
    return NotebookFacts(
        path=notebook.path,
        code_cells=len(notebook.code),
        text_cells=len(notebook.cells) - len(notebook.code),
        errors=fresh.errors,
        stopped=fresh.stopped,
        differences=tuple(_differences(notebook, fresh)),
        figures=sum(
            any(mime.startswith("image/") for mime in data)
            for data in bundles
            if isinstance(data, dict)
        ),
        page=PAGE if page else "",
    )


def facts_from(item: Mapping[str, Any] | None) -> NotebookFacts | None:
    """The facts that a ``report/1`` document holds."""
    if item is None:
        return None
    return NotebookFacts(
        path=item["path"],
        code_cells=item["code_cells"],
        text_cells=item["text_cells"],
        errors=tuple(
            CellError(
                error["cell"],
                error["line"],
                CandidateText(error["type"]),
                CandidateText(error["message"]),
                CandidateText(error["source"]),
            )
            for error in item["errors"]
        ),
        stopped=item["stopped"],
        differences=tuple(
            Difference(d["cell"], CandidateText(d["stored"]), CandidateText(d["fresh"]))
            for d in item["differences"]
        ),
        figures=item["figures"],
        page=item["page"],
    )


def for_analyst(notebook: Notebook, fresh: FreshRun) -> dict[str, object]:
    """What the analyst container gets of a notebook besides the files."""
    differences = list(_differences(notebook, fresh))
    return {
        "path": notebook.path,
        "cells": [[c.kind, c.number, c.source, c.plain, c.count] for c in notebook.cells],
        "errors": [[e.number, e.line, _said(e)] for e in fresh.errors],
        "stopped": fresh.stopped,
        "differs": [difference.number for difference in differences],
        "stored": {str(d.number): d.stored.raw for d in differences},
        "outputs": {str(number): outputs for number, outputs in fresh.outputs.items()},
    }


def consequences(facts: NotebookFacts) -> tuple[CellError, ...]:
    """Errors that follow from an earlier cell's: a name that it was to define."""
    return tuple(error for error in facts.errors[1:] if error.type.raw == "NameError")


def lacking(count: int) -> str:
    """One line in place of such errors."""
    cells = "1 later cell lacks" if count == 1 else f"{count} later cells lack"
    return f"{cells} a name that is not defined"


def departure_notes(
    notebook: Notebook | None, departure: str, *, page: bool = True
) -> tuple[str, ...]:
    """What to say of a notebook that departs from its nbformat, or of which there is no page."""
    if notebook is None:
        return ()
    path, said = shown(notebook.path), shown(departure)
    notes = [f"{path}: does not conform to its nbformat ({said}); it was repaired"]
    notes = notes if departure else []
    if not page:
        notes.append(f"{path}: no page of the executed notebook could be made")
    return tuple(notes)


def _differences(notebook: Notebook, fresh: FreshRun) -> Iterator[Difference]:
    for cell in notebook.code:
        outputs = fresh.outputs.get(cell.number)
        if outputs is not None and not same(cell, outputs):
            stored = clip(gist(cell.outputs).strip(), _SHOWN_CHARS)
            yield Difference(cell.number, stored, clip(gist(outputs).strip(), _SHOWN_CHARS))


def _said(error: CellError) -> str:
    parts = [clip(text, 200).raw for text in (error.type, error.message) if text.raw]
    return ": ".join(parts)
