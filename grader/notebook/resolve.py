"""Which file of a submission is its solution: the module, or one of its notebooks.

The rule, in this order:

1. ``solution.py`` in the root, unless it is the starter as it was handed out and a notebook
   defines something that the exercise asks for;
2. the one notebook, in any folder, that defines all that the exercise asks for;
3. of several, the one called ``solution.ipynb``; without any, that one or the only notebook;
4. otherwise the submission is refused, and the message names the notebooks.

Definitions are found by the beginnings of lines: whoever reads a submission here runs and parses
none of it.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from grader.errors import SubmissionRejected
from grader.notebook.read import read_notebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from grader.models import Exercise, Submission
    from grader.notebook.model import Notebook

__all__ = ["resolve"]

_SHOWN = 5
_LINE_CHARS = 500  # no definition begins on a longer line, and patterns stay cheap


def resolve(submission: Submission, exercise: Exercise) -> Submission:
    """Choose what is graded; a chosen notebook becomes part of the result.

    Raises:
        SubmissionRejected: no notebook, or several, could be meant, or the chosen one is damaged.
    """
    paths = [file.path for file in submission.files if file.path.endswith(".ipynb")]
    module = next((f.data for f in submission.files if f.path == exercise.entry), None)
    if not paths:
        return submission
    if module is not None and not _is_starter(module, exercise):
        return _noted(submission, f"{exercise.entry} was graded, not {_listed(paths)}")
    notebooks, refusals = _readable(submission, paths)
    defined = {nb.path: _defined(nb, [f.name for f in exercise.functions]) for nb in notebooks}
    if module is not None and not any(defined.values()):
        return _noted(submission, f"{exercise.entry} was graded, not {_listed(paths)}")
    if not notebooks:
        raise refusals[0]
    chosen = _chosen(notebooks, defined, exercise)
    notes = list(chosen.notes)
    others = [path for path in paths if path != chosen.path]
    if others:
        notes.append(f"{chosen.path} was graded, not {_listed(others)}")
    if module is not None:
        notes.append(f"{exercise.entry} is still the starter; {chosen.path} was graded")
    return dataclasses.replace(submission, notebook=chosen, notes=(*submission.notes, *notes))


def _is_starter(module: bytes, exercise: Exercise) -> bool:
    starter = exercise.public_dir / "starter" / exercise.entry
    try:
        return _lines(starter.read_bytes()) == _lines(module)
    except OSError:
        return False


def _lines(data: bytes) -> list[bytes]:
    return [line.rstrip() for line in data.strip().splitlines()]


def _readable(
    submission: Submission, paths: Sequence[str]
) -> tuple[list[Notebook], list[SubmissionRejected]]:
    found, refusals = [], []
    for file in submission.files:
        if file.path in paths:
            try:
                found.append(read_notebook(file.path, file.data))
            except SubmissionRejected as error:
                refusals.append(error)
    return found, refusals


def _defined(notebook: Notebook, names: Iterable[str]) -> set[str]:
    """Which of some names a line at the left margin of a code cell binds."""
    lines = [line for cell in notebook.code for line in cell.plain.split("\n")]
    text = "\n".join(line for line in lines if len(line) <= _LINE_CHARS)
    return {
        name
        for name in names
        if re.search(
            rf"^(?:(?:async +)?def +{name}\b|class +{name}\b|(?:\w+ *[,=] *)*{name} *[,:=]"
            rf"|(?:from\b.*)?import\b.*\b{name}\b|from\b.*import *\([^)]{{0,1000}}\b{name}\b)",
            text,
            re.MULTILINE,
        )
    }


def _chosen(
    notebooks: list[Notebook], defined: dict[str, set[str]], exercise: Exercise
) -> Notebook:
    wanted = {function.name for function in exercise.functions}
    whole = [nb for nb in notebooks if defined[nb.path] == wanted]
    candidates = whole or notebooks
    if len(candidates) == 1:
        return candidates[0]
    name = exercise.entry.removesuffix(".py") + ".ipynb"
    called = [nb for nb in candidates if nb.path.rpartition("/")[2] == name]
    if len(called) == 1:
        return called[0]
    paths = _listed([nb.path for nb in candidates])
    what = "each define" if whole else "are notebooks, and none of them defines"
    raise SubmissionRejected(
        "notebook-choice",
        f"{paths} {what} all of {', '.join(sorted(wanted))}: which one is the solution? "
        f"Call it {name}, or send only that one",
    )


def _noted(submission: Submission, note: str) -> Submission:
    return dataclasses.replace(submission, notes=(*submission.notes, note))


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
