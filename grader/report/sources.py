"""The graded files beside the starter, line by line, with what was found in them in place."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from grader.models import Status
from grader.text import CandidateText, clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from grader.models import Evidence, SubmissionFile

__all__ = ["Note", "Row", "SourceFile", "sources"]

_MOST_LINES = 1500  # of one file
_MOST_CHARS = 400_000  # of all files together
_LINE_CHARS = 400
_TEXT = (".py", ".md", ".txt", ".toml", ".cfg", ".ini", ".json", ".yml", ".yaml", ".ipynb", "")
_AT = re.compile(r"(?P<path>[^\s:;]+):(?P<line>\d{1,7})(?: in (?P<name>\w+))?")
_STATIC = re.compile(r"(?P<path>[^\s:;]+):(?P<line>\d{1,7}) (?P<text>[^;]+)")


@dataclass(frozen=True, slots=True)
class Note:
    """Something found in a line, and the check that found it."""

    text: str
    test_id: str
    static: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the starter beside one of the submission; either may be missing."""

    kind: str  # same, changed, added, removed
    old_number: int | None
    old: CandidateText | None
    new_number: int | None
    new: CandidateText | None
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


def sources(
    files: Sequence[SubmissionFile],
    starter: Mapping[str, bytes] | None,
    evidence: Sequence[Evidence],
) -> tuple[SourceFile, ...]:
    """All files, those with findings first, then changed and new code, then the rest."""
    notes = _notes(evidence)
    known = starter or {}
    room = _MOST_CHARS
    shown: list[SourceFile] = []
    graded = {file.path: file.data for file in files}
    order = sorted(graded, key=lambda path: (path not in notes, not path.endswith(".py"), path))
    for path in order:
        data, old = graded[path], known.get(path)
        state = "new" if old is None else "unchanged" if old == data else "changed"
        why_not = _why_not(path, data, state, room, found=path in notes)
        rows: tuple[Row, ...] = ()
        if not why_not:
            room -= len(data) * (2 if state == "changed" else 1)
            rows = _rows(
                _lines(old or b""), _lines(data), notes.get(path, {}), new_file=old is None
            )
        shown.append(SourceFile(path, len(data), state, rows, why_not))
    shown += (
        SourceFile(path, len(data), "missing", (), "the candidate removed it")
        for path, data in known.items()
        if path not in graded
    )
    return tuple(shown)


def _why_not(path: str, data: bytes, state: str, room: int, *, found: bool) -> str:
    name = path.rpartition("/")[2]
    suffix = name[name.rindex(".") :].lower() if "." in name else ""
    if state == "unchanged" and not found:
        return "as in the starter"
    if suffix not in _TEXT or b"\0" in data or not _decodes(data):
        return "no text"
    if data.count(b"\n") > _MOST_LINES or len(data) > room:
        return "too long for this page; it is in submission.zip"
    return ""


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def _lines(data: bytes) -> list[str]:
    # Numbered as Python numbers them: a form feed or a Unicode separator ends no line.
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _rows(
    old: Sequence[str], new: Sequence[str], notes: Mapping[int, tuple[Note, ...]], *, new_file: bool
) -> tuple[Row, ...]:
    if new_file:
        return tuple(
            Row("same", None, None, n, clip(line, _LINE_CHARS), notes.get(n, ()))
            for n, line in enumerate(new, 1)
        )
    if len(old) > _MOST_LINES:
        old = ()
    return tuple(_compared(old, new, notes))


def _compared(
    old: Sequence[str], new: Sequence[str], notes: Mapping[int, tuple[Note, ...]]
) -> Iterator[Row]:
    matcher = difflib.SequenceMatcher(None, old, new)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        pairs = zip_longest(range(old_from, old_to), range(new_from, new_to))
        for before, after in pairs:
            word = "same" if kind == "equal" else "changed"
            if kind != "equal" and (before is None or after is None):
                word = "added" if before is None else "removed"
            yield Row(
                word,
                None if before is None else before + 1,
                None if before is None else clip(old[before], _LINE_CHARS),
                None if after is None else after + 1,
                None if after is None else clip(new[after], _LINE_CHARS),
                () if after is None else notes.get(after + 1, ()),
            )


def _notes(evidence: Sequence[Evidence]) -> dict[str, dict[int, tuple[Note, ...]]]:
    """Path → line → what was found there, by checks that failed."""
    found: dict[str, dict[int, tuple[Note, ...]]] = {}

    def add(path: str, line: int, note: Note) -> None:
        there = found.setdefault(path, {})
        if note not in there.get(line, ()):
            there[line] = (*there.get(line, ()), note)

    for record in evidence:
        if record.status is Status.PASSED:
            continue
        static = record.test.id.startswith("static::")
        title = record.test.title or record.test.id
        if static:
            for match in _STATIC.finditer(record.message):
                text = match["text"].strip()
                add(match["path"], int(match["line"]), Note(text, record.test.id, static=True))
        elif at := _AT.fullmatch(record.where):
            said = record.message.partition("\n")[0][:200]
            text = f"{title}: {said}" if said else title
            add(at["path"], int(at["line"]), Note(text, record.test.id, static=False))
    return found
