"""What a notebook's one run for the report gave, read from a hostile process's own account.

Nothing here counts for the hidden tests. The account is lines of JSON: a cell begins, a cell is
done with its outputs, and the end; a line that is none of these ends the reading.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.notebook.outputs import Allowance, clean_outputs, clean_text
from grader.notebook.weight import weigh
from grader.text import CandidateText, clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.models import Notebook, Output

__all__ = ["CellError", "FreshRun", "read_run"]

_CAUSES = {
    "timeout": "the notebook took longer than its limit",
    "memory": "the process was killed for its memory",
    "died": "the process ended",
    "too-large": "the outputs are larger than their limit",
}
_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell that failed.

    Attributes:
        number: of the code cell, from 1.
        line: in the cell, from 1; 0 where it is not known.
        type: of the error.
        source: the line itself.
    """

    number: int
    line: int
    type: CandidateText
    message: CandidateText
    source: CandidateText


@dataclass(frozen=True, slots=True)
class FreshRun:
    """One run from top to bottom in a fresh process.

    Attributes:
        outputs: number of a code cell → what it showed.
        errors: cells that failed, in order.
        stopped: why the run ended before its end, in our words; empty when it did not.
        ran: numbers of the cells that ended, with an error or without.
        cut: numbers of the cells whose outputs were too large to keep whole.
    """

    outputs: dict[int, tuple[Output, ...]] = field(default_factory=dict)
    errors: tuple[CellError, ...] = ()
    stopped: str = ""
    ran: frozenset[int] = frozenset()
    cut: frozenset[int] = frozenset()


def read_run(body: bytes, notebook: Notebook) -> FreshRun:
    """Read the body of a NOTEBOOK_RAN frame; an empty one is a container that fell silent."""
    head, _, lines = body.partition(b"\n")
    outputs: dict[int, tuple[Output, ...]] = {}
    errors: list[CellError] = []
    allowance = Allowance()
    sources = {cell.number: cell.plain for cell in notebook.code}
    waiting = list(sources)
    begun, ended = 0, False
    for record in _records(lines):
        if record.get("end") is True and not waiting:
            ended = True
            break
        if waiting and record.get("begin") == waiting[0]:
            begun = waiting[0]
        elif waiting and begun == waiting[0] and record.get("done") == begun:
            waiting.pop(0)
            outputs[begun] = clean_outputs(record.get("outputs"), begun, allowance)
            if isinstance(told := record.get("error"), dict):
                errors.append(_error(told, begun, sources[begun]))
            begun = 0
        else:
            break
    stopped = ""
    if not ended:
        stopped = _CAUSES.get(_cause(head), _CAUSES["died"])
        if begun:
            errors.append(
                CellError(begun, 0, CandidateText(""), CandidateText(stopped), CandidateText(""))
            )
    ran = frozenset(sources) - set(waiting)
    return FreshRun(outputs, tuple(errors), stopped, ran, frozenset(allowance.cut))


def _records(lines: bytes) -> Iterator[dict[str, object]]:
    for line in lines.split(b"\n"):
        if weigh(line).is_too_much:
            return
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(record, dict):
            return
        yield record


def _cause(head: bytes) -> str:
    try:
        told = json.loads(head)
    except (ValueError, RecursionError):
        return ""
    return str(told.get("cause")) if isinstance(told, dict) else ""


def _error(told: dict[str, object], number: int, source: str) -> CellError:
    line = told.get("line")
    lines = source.split("\n")
    known = line if type(line) is int and 0 < line <= len(lines) else 0
    return CellError(
        number,
        known,
        clip(clean_text(told.get("type")) or "Error", 80),
        clip(clean_text(told.get("message")) or "", _MESSAGE),
        clip(lines[known - 1].strip() if known else "", 200),
    )
