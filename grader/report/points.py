"""The score in the units of other programs: whole points, or fractions, out of a maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.models import ScoreCard

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
    most, in both columns alike.
    """
    assessed = [category for category in card.categories if category.assessed]
    most = _whole([category.weight * MOST for category in assessed], MOST)
    exact = [category.weight * 100 * category.level for category in assessed]
    points = _whole(exact, round(card.overall * 100))
    return tuple(
        Points(c.id, c.title, c.level.name.capitalize(), min(have, top), top)
        for c, have, top in zip(assessed, points, most, strict=True)
    )


def _whole(parts: list[float], total: int) -> list[int]:
    """Whole numbers near `parts` that add up to `total`."""
    floors = [int(part + 1e-9) for part in parts]
    order = sorted(range(len(parts)), key=lambda n: floors[n] - parts[n])
    for n in order[: max(0, total - sum(floors))]:
        floors[n] += 1
    return floors
