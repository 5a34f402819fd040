"""The score in the units of other programs: whole points, or fractions, out of a maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.models import Level

if TYPE_CHECKING:
    from grader.scores import ScoreCard

__all__ = ["MOST", "Points", "whole_points"]

MOST = 400  # hundredths of the rubric's 4, so that whole points lose nothing that is shown


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one category."""

    id: str
    title: str
    level_name: str
    points: int
    most: int


def whole_points(card: ScoreCard) -> tuple[Points, ...]:
    """Whole points by category, out of 400 in all; their sum is the overall score times 100.

    Weights rarely give whole numbers, so what rounding down loses goes to the categories that lost
    most. Excellent is always all of a category's points.
    """
    assessed = [category for category in card.categories if category.assessed]
    most = _whole([c.weight * MOST for c in assessed], MOST, [MOST] * len(assessed))
    exact = [
        float(top) if c.level is Level.EXCELLENT else c.weight * 100 * c.level
        for c, top in zip(assessed, most, strict=True)
    ]
    points = _whole(exact, round(card.overall * 100), most)
    return tuple(
        Points(c.id, c.title, c.level.name.capitalize(), have, top)
        for c, have, top in zip(assessed, points, most, strict=True)
    )


def _whole(parts: list[float], total: int, most: list[int]) -> list[int]:
    """Whole numbers near `parts`, none above its `most`, that add up to `total`."""
    found = [int(part + 1e-9) for part in parts]
    while (missing := total - sum(found)) != 0:
        step = 1 if missing > 0 else -1
        free = [n for n, have in enumerate(found) if 0 <= have + step <= most[n]]
        best = max(free, key=lambda n: (parts[n] - found[n]) * step)
        found[best] += step
    return found
