"""All that a report format may draw on: the report, the graded files, the starter, the notebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.exercise.contract import starter_files
from grader.notebook.facts import PAGE
from grader.report.stored import read_run, scored_again

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from grader.models import Exercise, SubmissionFile
    from grader.report.model import Report

__all__ = ["Dossier", "open_dossier"]


@dataclass(frozen=True, slots=True)
class Dossier:
    """One run with everything around it.

    Attributes:
        report: the report.
        files: what was graded, in path order.
        starter: path → content of what the candidate began with; None where it is not known.
        notebook: the executed notebook as a page of its own, cleaned, where there is one.
        handed_out: path → all contents with which it may have come with the task.
    """

    report: Report
    files: tuple[SubmissionFile, ...]
    starter: Mapping[str, bytes] | None = None
    notebook: str | None = None
    handed_out: Mapping[str, frozenset[bytes]] = field(default_factory=dict)


def open_dossier(
    folder: Path,
    exercise: Exercise | None,
    handed_out: Mapping[str, frozenset[bytes]] | None = None,
) -> tuple[Dossier, bool]:
    """Read a results folder.

    Args:
        folder: what `grade` wrote for one run.
        exercise: scores again if its rubric is no longer that of the run, and gives the starter;
            None leaves the score as recorded.
        handed_out: see `Dossier`.

    Returns:
        The dossier, and whether it was scored again.

    Raises:
        UsageError: it is no results folder.
        ExerciseError: the recorded tests do not fit the present rubric.
    """
    report, files = read_run(folder)
    again = False
    if exercise is not None:
        report, again = scored_again(report, files, exercise)
    notebook = folder / PAGE
    return Dossier(
        report,
        files,
        starter_files(exercise) if exercise else None,
        notebook.read_text("utf-8") if notebook.is_file() else None,
        handed_out or {},
    ), again
