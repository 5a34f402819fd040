"""Mutants of an exercise, from its labelled solutions to the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.authoring.labelled import ENTRY, load_cases, sources
from grader.authoring.mutation.notes import REFERENCE, read_notes
from grader.authoring.mutation.report import document
from grader.authoring.mutation.run import Crew, study
from grader.errors import UsageError
from grader.exercise.suite import load_suite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from grader.models import Exercise

__all__ = ["prove"]


def prove(
    exercise: Exercise,
    root: Path,
    *,
    seed: str,
    jobs: int,
    every_test: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Mutate the reference and the styles that ``mutants.toml`` names, and run the suite on each.

    Args:
        exercise: which.
        root: the checkout.
        seed: 32 hexadecimal digits.
        jobs: how many mutants at a time.
        every_test: go on after the first test that fails.
        say: told how far it is.

    Returns:
        A ``mutants/1`` document; see `grader.authoring.mutation.report`.

    Raises:
        UsageError: there is no labelled reference.
        ExerciseError: ``mutants.toml`` has a mistake, a solution fails its own suite, the suite is
            flaky, or a solution is no Python.
        JudgeError: the author mode ended.
    """
    cases = {case.name: case for case in load_cases(exercise.id, root)}
    if REFERENCE not in cases:
        raise UsageError(
            f"{exercise.id} has no labelled reference, of which mutants are made; add "
            f"{exercise.hidden_dir / 'solutions' / REFERENCE}"
        )
    correct = [
        name
        for name, case in cases.items()
        if name.startswith("correct_") and ENTRY in sources(case)
    ]
    notes = read_notes(exercise.hidden_dir, correct)
    chosen = [cases[name] for name in (REFERENCE, *notes.styles)]
    with Crew(exercise, seed, jobs) as crew:
        studies = study(crew, chosen, every_test=every_test, say=say)
    suite = load_suite(exercise.hidden_dir).digest
    return document(exercise, studies, notes, seed=seed, suite=suite, every=every_test)
