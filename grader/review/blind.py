"""Everything that pages show of one case, with names taken out as long as its exercise is blind."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from grader.errors import GraderError
from grader.notebook.read import read_notebook
from grader.report.html.page import reviewer_values
from grader.report.interview import questions
from grader.review.mask import masked
from grader.text import CandidateText, clip

if TYPE_CHECKING:
    from grader.models import Notebook
    from grader.report.dossier import Dossier
    from grader.review.board import Board, Case
    from grader.scores import CategoryScore, ScoreCard

__all__ = ["Views"]

_KEPT = 16
_DETAIL_CHARS = 400
_OUTPUT_CHARS = 2000
_BY_PATH = ("names", "places")  # keyed by what a candidate may have named
_AS_THEY_ARE = frozenset(
    {"to", "version", "anchors", "titles", "causes", "passed", "beside", "counted"}
)


class Views:
    """Makes what templates show, and keeps the last few cases."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._kept: OrderedDict[tuple[object, ...], dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def values(self, case: Case, reviewer: str) -> dict[str, Any]:
        """What a reviewer's pages show of a case, under the scorecard that counts."""
        base = self._base(case)
        card = self.full_card(case, base["card"], reviewer)
        machine = base["card"] if any(c.decision for c in card.categories) else None
        report = dataclasses.replace(base["report"], scorecard=card, machine=machine)
        return {
            **base,
            "card": card,
            "categories": card.categories,
            "report": report,
            "questions": questions(report),
        }

    def _base(self, case: Case) -> dict[str, Any]:
        blind = self._board.is_blind(case)
        key = (case.alias, case.run, case.scoring, blind, self._board.mask)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = self._made(case, blind=blind)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def _made(self, case: Case, *, blind: bool) -> dict[str, Any]:
        dossier = dataclasses.replace(self._board.dossier(case), notebook=None)
        name = self._board.shown(case)
        values = reviewer_values(dossier, checks=f"/case/{case.alias}/checks")
        book = values["report"].notebook  # type: ignore[attr-defined]
        values["cells"] = _cells(dossier, book.path) if book else ()
        if blind:
            values = self._without_names(values)
        report = dataclasses.replace(values["report"], submission_name=name)  # type: ignore[type-var]
        return {**values, "report": report, "notebook": None}

    def _without_names(self, values: dict[str, Any]) -> dict[str, Any]:
        mask = self._board.mask
        found: dict[str, Any] = {}
        for key, value in values.items():
            if key in _AS_THEY_ARE:
                found[key] = value
            elif key in _BY_PATH:
                found[key] = {mask(path): place for path, place in value.items()}
            else:
                found[key] = masked(value, mask)
        return found

    def full_card(self, case: Case, machine: ScoreCard, reviewer: str) -> ScoreCard:
        """The scorecard that counts, with the indicators of the machine's."""
        final = self._board.card(case, reviewer)
        full = {c.id: c for c in machine.categories}
        blind = self._board.is_blind(case)
        categories = []
        for category in final.categories:
            decision = category.decision
            if decision is not None and blind:
                decision = dataclasses.replace(decision, reason=self._board.mask(decision.reason))
            categories.append(
                dataclasses.replace(
                    category, indicators=_short(full[category.id]), decision=decision
                )
            )
        return dataclasses.replace(final, categories=tuple(categories))

    def text(self, case: Case, text: str | None) -> CandidateText:
        """What a reviewer wrote about a case, which may name the candidate."""
        if text is None:
            return CandidateText("(deleted with the candidate's data)")
        blind = self._board.is_blind(case)
        return CandidateText(self._board.mask(text) if blind else text)


def _short(category: CategoryScore) -> tuple[Any, ...]:
    return tuple(
        dataclasses.replace(i, detail=clip(i.detail, _DETAIL_CHARS).raw)
        for i in category.indicators
    )


def _cells(dossier: Dossier, path: str) -> tuple[dict[str, Any], ...]:
    """The cells of a notebook as texts: sources, and of stored outputs what is text."""
    data = next((file.data for file in dossier.files if file.path == path), b"")
    try:
        notebook = read_notebook(path, data)
    except GraderError:
        return ()
    return tuple(_cell_values(notebook))


def _cell_values(notebook: Notebook) -> list[dict[str, Any]]:
    return [
        {
            "code": cell.kind == "code",
            "number": cell.number,
            "source": CandidateText(cell.source),
            "outputs": [
                clip(text, _OUTPUT_CHARS) for output in cell.outputs if (text := _text_of(output))
            ],
        }
        for cell in notebook.cells
    ]


def _text_of(output: dict[str, object]) -> str:
    """The text of one output, in the form that `grader.notebook.outputs` lets through."""
    if output.get("output_type") == "stream":
        return str(output.get("text", ""))
    if output.get("output_type") == "error":
        return f"{output.get('ename', '')}: {output.get('evalue', '')}"
    data = output.get("data")
    if isinstance(data, dict):
        if "text/plain" in data:
            return str(data["text/plain"])
        return "(a picture)" if any(str(kind).startswith("image/") for kind in data) else ""
    return ""
