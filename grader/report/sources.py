"""The graded files beside the starter, line by line, with what was found in them in place.

Of a notebook the code cells are shown, beside the starter's script.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from grader.models import Status
from grader.notebook.convert import code_cells_of
from grader.notebook.read import read_notebook
from grader.text import CandidateText, clip
from grader.wire.sources import decode_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from grader.models import Evidence, SubmissionFile

__all__ = ["Note", "Row", "SourceFile", "place_of", "sources"]

_MOST_LINES = 1500  # of one file
_MOST_CHARS = 400_000  # of all files together
_LINE_CHARS = 400
_TEXT = (".py", ".md", ".txt", ".toml", ".cfg", ".ini", ".json", ".yml", ".yaml", ".ipynb", "")
_PLACE = r"(?:(?:(?P<book>[^\s:;,]+), )?cell (?P<cell>\d{1,6}), line (?P<inner>\d{1,7})"
_PLACE += r"|(?P<path>[^\s:;]+):(?P<line>\d{1,7}))"
_AT = re.compile(_PLACE + r"(?: in \w+)?")
_STATIC = re.compile(_PLACE + r":? (?P<text>[^;]+)")

Anchor = tuple[str, str]
"""Path of a file, and the place in it: ``"12"`` is a line, ``"3-4"`` line 4 of cell 3."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something found in a line, and the check that found it."""

    text: str
    test_id: str
    static: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the starter beside one of the submission; either may be missing.

    Attributes:
        kind: ``same``, ``changed``, ``added``, ``removed``, or ``cell`` for a cell's heading.
        old_number: line in the starter's file or cell.
        new_number: line in the submission's file or cell.
        anchor: names the place within the file; empty where the submission has no line.
    """

    kind: str
    old_number: int | None
    old: CandidateText | None
    new_number: int | None
    new: CandidateText | None
    anchor: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file.

    Attributes:
        state: ``changed``, ``new``, ``unchanged`` or ``missing``, as the starter has it.
        rows: its lines, where they are shown.
        why_not: why not, where they are not.
    """

    path: str
    size: int
    state: str
    rows: tuple[Row, ...]
    why_not: str = ""

    @property
    def notes(self) -> int:
        """How many findings stand in it."""
        return sum(len(row.notes) for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    number: int  # 0 for the heading of a cell
    anchor: str


def sources(
    files: Sequence[SubmissionFile],
    starter: Mapping[str, bytes] | None,
    evidence: Sequence[Evidence],
    notebook: str = "",
    handed_out: Mapping[str, frozenset[bytes]] | None = None,
) -> tuple[SourceFile, ...]:
    """All files, those with findings first, then changed and new code, then the rest.

    Args:
        files: what was graded.
        starter: path → content of what the candidate began with; None where it is not known.
        evidence: its failed checks are the findings.
        notebook: path of the notebook that was graded, if one was.
        handed_out: path → all contents with which it may have come, such as a task sheet that
            states a policy on assistants; it is then no work of the candidate's.
    """
    given = handed_out or {}
    notes = _notes(evidence, notebook)
    known = starter or {}
    room = _MOST_CHARS
    shown: list[SourceFile] = []
    graded = {file.path: file.data for file in files}
    code = (".py", ".ipynb")
    order = sorted(graded, key=lambda path: (path not in notes, not path.endswith(code), path))
    for path in order:
        data, old = graded[path], known.get(path)
        script = None
        if path.endswith(".ipynb") and old is None:
            script = known.get(f"{path.removesuffix('.ipynb')}.py")
        begun = old is not None or script is not None
        came = old == data or data in given.get(path, ())
        state = "unchanged" if came else "changed" if begun else "new"
        why_not = _why_not(path, data, state, room, found=path in notes)
        lines = [] if why_not else _lines_of(path, data)
        rows: tuple[Row, ...] = ()
        if lines is None:
            why_not = "no readable notebook"
        elif not why_not:
            room -= len(data) * (2 if state == "changed" else 1)
            before = (
                _handed_out(script) if script else None if old is None else _lines_of(path, old)
            )
            rows = tuple(_rows(before, lines, notes.get(path, {})))
        shown.append(SourceFile(path, len(data), state, rows, why_not))
    shown += (
        SourceFile(path, len(data), "missing", (), "the candidate removed it")
        for path, data in known.items()
        if path not in graded and f"{path.removesuffix('.py')}.ipynb" not in graded
    )
    return tuple(shown)


def _why_not(path: str, data: bytes, state: str, room: int, *, found: bool) -> str:
    name = path.rpartition("/")[2]
    suffix = name[name.rindex(".") :].lower() if "." in name else ""
    if state == "unchanged" and not found:
        return "as in the starter"
    if suffix not in _TEXT or b"\0" in data or _text(suffix, data) is None:
        return "no text"
    if data.count(b"\n") > _MOST_LINES or len(data) > room:
        return "too long for this page; it is in submission.zip"
    return ""


def _text(suffix: str, data: bytes) -> str | None:
    """A text file's content, in the encoding that it declares where it is Python."""
    try:
        return decode_source(data) if suffix == ".py" else _universal(data.decode("utf-8-sig"))
    except ValueError:
        return None


def _universal(text: str) -> str:
    # Numbered as Python numbers them: a form feed or a Unicode separator ends no line.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain(path: str, data: bytes) -> list[_Line]:
    text = _text(".py" if path.endswith(".py") else "", data)
    if text is None:
        text = _universal(data.decode("utf-8-sig", "replace"))
    lines = text.removesuffix("\n").split("\n") if text else []
    return [_Line(line, number, str(number)) for number, line in enumerate(lines, 1)]


def _lines_of(path: str, data: bytes) -> list[_Line] | None:
    """A file's lines; None for what claims to be a notebook and is none."""
    if not path.endswith(".ipynb"):
        return _plain(path, data)
    try:
        return _cells((cell.number, cell.source) for cell in read_notebook(path, data).code)
    except Exception:  # noqa: BLE001 - a page that shows one notebook less is still a page
        return None


def _cells(sources: Iterable[tuple[int, str]]) -> list[_Line]:
    found = []
    for count, source in sources:
        found.append(_Line(f"cell {count}", 0, str(count)))
        found += (
            _Line(text, number, f"{count}-{number}")
            for number, text in enumerate(source.split("\n"), 1)
        )
    return found


def _handed_out(script: bytes) -> list[_Line] | None:
    """The starter's script as the notebook that `grade starter --notebook` hands out."""
    try:
        return _cells(enumerate(code_cells_of(script.decode("utf-8")), 1))
    except (UnicodeDecodeError, SyntaxError):
        return None


def _rows(
    old: Sequence[_Line] | None, new: Sequence[_Line], notes: Mapping[str, tuple[Note, ...]]
) -> Iterator[Row]:
    if old is None or len(old) > _MOST_LINES:
        for line in new:
            yield _row("same", None, line, notes)
        return
    # Its rule on frequent lines stays on: without it a hostile file could take minutes.
    matcher = difflib.SequenceMatcher(
        None, [line.text for line in old], [line.text for line in new]
    )
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        pairs = zip_longest(range(old_from, old_to), range(new_from, new_to))
        for before, after in pairs:
            word = "same" if kind == "equal" else "changed"
            if kind != "equal" and (before is None or after is None):
                word = "added" if before is None else "removed"
            left = None if before is None else old[before]
            yield _row(word, left, None if after is None else new[after], notes)


def _row(
    kind: str,
    before: _Line | None,
    line: _Line | None,
    notes: Mapping[str, tuple[Note, ...]],
) -> Row:
    return Row(
        "cell" if 0 in {before and before.number, line and line.number} else kind,
        None if before is None else before.number or None,
        None if before is None else clip(before.text, _LINE_CHARS),
        None if line is None else line.number or None,
        None if line is None else clip(line.text, _LINE_CHARS),
        "" if line is None else line.anchor,
        () if line is None else notes.get(line.anchor, ()),
    )


def _anchor(match: re.Match[str], notebook: str) -> Anchor:
    if match["path"] is not None:
        return match["path"], match["line"]
    return match["book"] or notebook, f"{match['cell']}-{match['inner']}"


def place_of(where: str, notebook: str = "") -> Anchor | None:
    """What a check's ``where`` points to, if it is a line of a file or of a cell."""
    match = _AT.fullmatch(where)
    return None if match is None else _anchor(match, notebook)


def _notes(evidence: Sequence[Evidence], notebook: str) -> dict[str, dict[str, tuple[Note, ...]]]:
    """Path → place → what was found there, by checks that failed."""
    found: dict[str, dict[str, tuple[Note, ...]]] = {}

    def add(anchor: Anchor, note: Note) -> None:
        there = found.setdefault(anchor[0], {})
        if note not in there.get(anchor[1], ()):
            there[anchor[1]] = (*there.get(anchor[1], ()), note)

    for record in evidence:
        if record.status is Status.PASSED:
            continue
        title = record.test.title or record.test.id
        if record.test.id.startswith("static::"):
            for match in _STATIC.finditer(record.message):
                note = Note(match["text"].strip(), record.test.id, static=True)
                add(_anchor(match, notebook), note)
        elif (anchor := place_of(record.where, notebook)) is not None:
            said = record.message.partition("\n")[0][:200]
            text = f"{title}: {said}" if said else title
            add(anchor, Note(text, record.test.id, static=False))
    return found
