"""Whether the levels and bands of labelled defects follow from how severe each defect is.

A *headline* defect is one that the exercise's brief names: with it, nobody meets mid. A *serious*
one breaks what the task asks for: with it, nobody exceeds. A *minor* one costs exactly one level of
one category.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.models import Band, Level

if TYPE_CHECKING:
    from grader.authoring.labels import Case

__all__ = ["severity_problems"]


def severity_problems(case: Case, base: Case) -> list[str]:
    """How a label contradicts the severity that it states; empty where it does not.

    Args:
        case: a single defect.
        base: the solution without the defect.
    """
    if not case.severity:
        return ["it has no severity: add severity and because"]
    if case.severity == "headline" and case.band != Band.BELOW:
        return [f"a headline defect is below expectations, and the label says {case.band}"]
    if case.severity == "serious" and case.band == Band.EXCEEDS:
        return ["a serious defect exceeds no expectation"]
    if case.severity == "minor":
        lost = {
            name: Level[level.upper()] - Level[case.levels.get(name, "poor").upper()]
            for name, level in base.levels.items()
        }
        moved = {name: levels for name, levels in lost.items() if levels}
        if sorted(moved.values()) != [1]:
            told = ", ".join(f"{name} by {levels}" for name, levels in moved.items()) or "nothing"
            return [f"a minor defect costs one level of one category; this one costs {told}"]
    return []
