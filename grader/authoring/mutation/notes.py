"""``hidden_tests/<id>/mutants.toml``: the bar, the styles, and mutants that no test should find.

::

    styles = ["correct_numpy", "correct_sklearn"]   # correct solutions beside the reference

    [bar]
    reference = 1.0      # share of the mutants below that a test must find
    others = 0.98

    [[equivalent]]       # nobody can tell it from the original
    digest = "3f49480837e0"
    solution = "reference"
    reason = "…"

    [[free]]             # it can be told, and the task sheet leaves the choice to the candidate
    digest = "7bdd54fa0ad4"
    solution = "reference"
    reason = "…"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.errors import ExerciseError
from grader.exercise.toml import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["NOTES", "Note", "Notes", "read_notes"]

NOTES = "mutants.toml"
REFERENCE = "reference"
_STYLES = 2  # beside the reference, where the file names none
_DIGEST, _NAME = r"[0-9a-f]{12}", r"[a-z][a-z0-9_]*"


@dataclass(frozen=True, slots=True)
class Note:
    """One mutant that counts neither way; `kind` is ``equivalent`` or ``free``."""

    kind: str
    digest: str
    solution: str
    reason: str


@dataclass(frozen=True, slots=True)
class Notes:
    """The file's content.

    Attributes:
        styles: labelled solutions that are mutated beside the reference.
        reference: share of the reference's mutants to find, 0 to 1.
        others: the same for each of the styles.
        notes: by solution and digest.
    """

    styles: tuple[str, ...]
    reference: float
    others: float
    notes: Mapping[tuple[str, str], Note]

    def bar(self, solution: str) -> float:
        """The share of a solution's mutants that tests must find."""
        return self.reference if solution == REFERENCE else self.others


def read_notes(folder: Path, correct: Sequence[str]) -> Notes:
    """Read the file, or what holds without one.

    Args:
        folder: ``hidden_tests/<id>``.
        correct: names of the labelled solutions that are correct; without a file, the first two.

    Raises:
        ExerciseError: the file has a mistake, or names a solution that is not there.
    """
    path = folder / NOTES
    if not path.exists():
        return Notes(tuple(correct[:_STYLES]), 1.0, 0.98, {})
    table, _ = read_table(path)
    styles = table.texts("styles", _NAME, "names of labelled solutions")
    for name in styles:
        if name not in correct:
            table.fail("styles", f"{name} is no correct solution; there are {', '.join(correct)}")
    bar = table.table("bar")
    reference, others = bar.number("reference", 0.0, 1.0), bar.number("others", 0.0, 1.0)
    bar.finish()
    notes: dict[tuple[str, str], Note] = {}
    for kind in ("equivalent", "free"):
        for entry in table.tables(kind) if table.has(kind) else ():
            note = Note(
                kind,
                entry.text("digest", _DIGEST, "12 hexadecimal digits"),
                entry.text("solution", _NAME, "the name of a labelled solution"),
                entry.text("reason", r".*\S.*", "a reason in one line"),
            )
            entry.finish()
            if (note.solution, note.digest) in notes:
                raise ExerciseError(f"{path}: {note.digest} is there twice; remove one")
            notes[note.solution, note.digest] = note
    table.finish()
    return Notes(styles, reference, others, notes)
