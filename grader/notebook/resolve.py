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
from bisect import bisect_left
from typing import TYPE_CHECKING

from grader.errors import SubmissionRejected
from grader.notebook.read import read_notebook

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from grader.models import Exercise, Notebook, Submission

__all__ = ["resolve"]

_SHOWN = 5
_LINE_CHARS = 500  # no definition begins on a longer line, and patterns stay cheap
_IMPORTING = re.compile(r"^(?:from\b[^\n]*?)?import\b", re.MULTILINE)
_BRACKET = re.compile(r" *\(")
_BRACKET_CHARS = 1000  # of the names in the brackets behind an import
_MOST_NOTEBOOKS = 20  # that are looked into


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
    looked_into = _likeliest(submission, paths, exercise)
    notebooks, refusals = _readable(submission, looked_into)
    defined = {nb.path: _defined(nb, [f.name for f in exercise.functions]) for nb in notebooks}
    if module is not None and not any(defined.values()):
        return _noted(submission, f"{exercise.entry} was graded, not {_listed(paths)}")
    if not notebooks:
        raise refusals[0]
    chosen = _chosen(notebooks, defined, exercise)
    notes = list(chosen.notes)
    if len(looked_into) < len(paths):
        notes.append(f"of {len(paths)} notebooks the likeliest {len(looked_into)} were looked into")
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


def _likeliest(submission: Submission, paths: Sequence[str], exercise: Exercise) -> list[str]:
    """As many notebooks as are looked into: those that hold what the exercise asks for first."""
    if len(paths) <= _MOST_NOTEBOOKS:
        return list(paths)
    data = {file.path: file.data for file in submission.files}
    called = exercise.entry.removesuffix(".py") + ".ipynb"
    wanted = [function.name.encode() for function in exercise.functions]

    def doubts(path: str) -> tuple[int, bool, int, str]:
        missing = sum(name not in data[path] for name in wanted)
        return missing, path.rpartition("/")[2] != called, path.count("/"), path

    return sorted(paths, key=doubts)[:_MOST_NOTEBOOKS]


def _readable(
    submission: Submission, paths: Collection[str]
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
    imported = list(_imports(text))
    return {
        name
        for name in names
        if re.search(
            rf"^(?:(?:async +)?def +{name}\b|class +{name}\b|(?:\w+ *[,=] *)*{name} *[,:=])",
            text,
            re.MULTILINE,
        )
        or _within(imported, [match.start() for match in re.finditer(rf"\b{name}\b", text)])
    }


def _imports(text: str) -> Iterator[tuple[int, int]]:
    """From where to where import statements name what they bind.

    By hand: one pattern for all of it tries every "import" of a line with every name.
    """
    for line in _IMPORTING.finditer(text):
        end = text.find("\n", line.end())
        yield line.end(), len(text) if end < 0 else end
        if bracket := _BRACKET.match(text, line.end()):
            start = bracket.end()
            close = text.find(")", start, start + _BRACKET_CHARS)
            yield start, start + _BRACKET_CHARS if close < 0 else close


def _within(spans: Iterable[tuple[int, int]], places: Sequence[int]) -> bool:
    """Whether one of some places, in order, is in one of some spans."""
    return any(bisect_left(places, begin) < bisect_left(places, end) for begin, end in spans)


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
