"""``grade label``: fill in what labelled solutions cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from grader.authoring.author_mode import grade_all, needs_sandbox
from grader.authoring.labelled import load_cases, seeds
from grader.authoring.relabel import write_labels
from grader.commands._common import checkout, count, parser
from grader.errors import UsageError
from grader.exercise.contract import load_exercise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("label", "Grade labelled solutions, and write what they get into their labels.")
    made.add_argument("exercise", metavar="EXERCISE")
    made.add_argument("--only", default="", metavar="TEXT", help="those whose name holds TEXT")
    made.add_argument("--jobs", type=count, default=2, metavar="K")
    return made


def run(argv: Sequence[str]) -> int:
    """Write the labels, without Docker; read the difference before you keep it."""
    options = arguments().parse_args(argv)
    root = checkout(options)
    exercise = load_exercise(options.exercise, root=root)
    found = [case for case in load_cases(exercise.id, root) if options.only in case.name]
    cases = [case for case in found if not needs_sandbox(case)]
    if not cases:
        raise UsageError(
            f"{exercise.id} has no labelled solution that matches and can be graded without the "
            "sandbox"
        )
    graded = grade_all([(case, seeds(1)[0]) for case in cases], root=root, jobs=options.jobs)
    console = Console(highlight=False)
    outcomes = []
    for case, _, outcome in graded:
        outcomes.append((case, outcome))
        console.print(
            f"{case.name}: {outcome.overall:.2f} {outcome.band}; fails "
            f"{', '.join(sorted(outcome.failing)) or 'nothing'}",
            markup=False,
            soft_wrap=True,
        )
    changed = write_labels(outcomes, root)
    left = f"; {len(found) - len(cases)} need the sandbox" if len(found) > len(cases) else ""
    console.print(f"{len(cases)} graded, {len(changed)} labels changed{left}", soft_wrap=True)
    return 0
