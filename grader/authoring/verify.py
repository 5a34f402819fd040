"""What an exercise must show before it is used: a floor for nothing, full marks for the reference.

Pure: the grading is done by `grader.authoring.labelled.Bench`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.authoring.labelled import problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.authoring.labelled import Case, Outcome
    from grader.models import Rubric

__all__ = ["chosen", "doubts", "gate"]

_NULLS = (
    "empty", "constant", "echo", "nan", "wrong_shape", "always_equal", "raises", "exits_at_import",
    "sleeps", "starter",
)  # fmt: skip


def gate(cases: Sequence[Case]) -> str:
    """What is missing among the labelled solutions; empty when all is there."""
    names = {case.name for case in cases}
    needed = ["reference", *(f"null_{name}" for name in _NULLS)]
    return ", ".join(name for name in needed if name not in names)


def chosen(cases: Sequence[Case], *, quick: bool) -> list[Case]:
    """The labelled solutions to grade: all, or those of the gate."""
    return [c for c in cases if not quick or c.name.startswith("null_") or c.name == "reference"]


def doubts(case: Case, outcome: Outcome, rubric: Rubric) -> list[str]:
    """What a grading says against the exercise.

    Args:
        case: the labelled solution.
        outcome: what came out.
        rubric: of the exercise; its provisional categories need no Excellent.

    Returns:
        One sentence each: a label that does not hold, a null above the floor, a reference below
        the top.
    """
    found = problems(case, outcome)
    if case.name.startswith("null_"):
        above = sorted(name for name, level in outcome.levels.items() if level != "poor")
        if above:
            found.append(f"a null submission is above the floor in {', '.join(above)}")
    if case.name == "reference":
        firm = {category.id for category in rubric.categories if not category.provisional}
        below = sorted(n for n in firm if outcome.levels.get(n) != "excellent")
        if below:
            found.append(f"the reference does not reach the top in {', '.join(below)}")
    return found
