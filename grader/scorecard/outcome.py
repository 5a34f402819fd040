"""What a reviewer's answers amount to: an overall score on the card's scale, and a band. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.models import Band

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.scorecard.card import Goal, Scorecard

__all__ = ["Answers", "Outcome", "combined", "outcome", "share_of_scale"]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a reviewer wrote down.

    Attributes:
        levels: category id → level id; a category that was not scored is absent.
        points: ticked points as ``part/point``.
        indicators: ids of the indicators that were seen, positive and negative.
    """

    levels: Mapping[str, str] = field(default_factory=dict)
    points: frozenset[str] = frozenset()
    indicators: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the answers amount to.

    Attributes:
        overall: weighted mean on ``[1, number of levels]``; None until every category has a level.
        band: None until every category has a level, or where the card expects nothing of the
            seniority.
        missed: why the band is not Exceeds (or not Meets), one line for each requirement.
        open: titles of the categories without a level.
        points: part id → (ticked, all).
    """

    overall: float | None
    band: Band | None
    missed: tuple[str, ...]
    open: tuple[str, ...]
    points: Mapping[str, tuple[int, int]]


def outcome(card: Scorecard, answers: Answers, seniority: str) -> Outcome:
    """Fold a reviewer's answers by a card.

    Args:
        card: what was asked.
        answers: levels that the card does not know raise `KeyError` or `ValueError`: check them
            where they come in.
        seniority: one of `contract.SENIORITIES`.
    """
    points = {
        part.id: (
            sum(f"{part.id}/{point}" in answers.points for point in part.points),
            len(part.points),
        )
        for part in card.parts
    }
    unscored = tuple(c.title for c in card.categories if c.id not in answers.levels)
    if unscored:
        return Outcome(None, None, (), unscored, points)
    overall = math.fsum(
        category.weight * card.score_of(answers.levels[category.id]) for category in card.categories
    )
    expected = card.expectations.get(seniority)
    if expected is None:
        return Outcome(overall, None, (), (), points)
    below = _missed(card, answers, overall, expected.meets)
    above = _missed(card, answers, overall, expected.exceeds)
    band = Band.BELOW if below else Band.MEETS if above else Band.EXCEEDS
    return Outcome(overall, band, below or above, (), points)


def _missed(card: Scorecard, answers: Answers, overall: float, goal: Goal) -> tuple[str, ...]:
    lines = []
    if overall < goal.overall - 1e-9:
        lines.append(f"overall {overall:.2f}, wanted {goal.overall:g} of {len(card.levels)}")
    titles = {category.id: category.title for category in card.categories}
    for name, wanted in goal.levels.items():
        reached = answers.levels[name]
        if card.score_of(reached) < card.score_of(wanted):
            lines.append(f"{titles[name]}: {card.levels[reached]}, wanted {card.levels[wanted]}")
    return tuple(lines)


def share_of_scale(overall: float, levels: int) -> float:
    """An overall score as a share of its scale: 0 is the lowest level, 1 the highest."""
    return (overall - 1) / (levels - 1)


def combined(weights: Mapping[str, float], shares: Mapping[str, float]) -> float | None:
    """One mark over all stages, on ``[0, 1]``.

    Args:
        weights: what `read.load_stage_weights` read; empty means that nobody asked for one.
        shares: id → `share_of_scale` of the exercises and scorecards that are scored.

    Returns:
        None without weights, or while a stage that has a weight has no score.
    """
    if not weights or not weights.keys() <= shares.keys():
        return None
    return math.fsum(weight * shares[name] for name, weight in weights.items())
