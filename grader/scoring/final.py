"""People's levels over the machine's: the scorecard that counts. Pure.

A level that somebody decided is firm: its category has the rubric's whole weight, also where the
machine's was provisional, and a category that the machine could not assess gets its weight with it.
Score and band follow from the levels by the same rules as the machine's.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from grader.scoring.score import banded, shared_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.models import Evidence, Expectation
    from grader.scores import CategoryScore, LevelDecision, ScoreCard

__all__ = ["beside", "counted", "decided_card", "is_decided"]


def decided_card(
    card: ScoreCard,
    decisions: Mapping[str, LevelDecision],
    evidence: Sequence[Evidence],
    expectation: Expectation,
    weights: Mapping[str, float] | None,
) -> ScoreCard:
    """The scorecard with what people decided.

    Args:
        card: the machine's.
        decisions: by category; those that do not count are shown and change nothing.
        evidence: of the run.
        expectation: what the seniority is expected to reach.
        weights: of all categories in the rubric; None where the rubric is not at hand, and then
            each category keeps its weight of the machine's scorecard.
    """
    if not decisions:
        return card
    categories = [_category(category, decisions.get(category.id)) for category in card.categories]
    if not any(decision.counts for decision in decisions.values()):
        return dataclasses.replace(card, categories=tuple(categories))
    firm = any(c.assessed and not c.provisional for c in categories)
    if weights is not None and firm:
        shared = shared_weights(
            (c.id, weights.get(c.id, 0.0), c.provisional) for c in categories if c.assessed
        )
        categories = [dataclasses.replace(c, weight=shared.get(c.id, 0.0)) for c in categories]
    return banded(tuple(categories), evidence, expectation)


def _category(category: CategoryScore, decision: LevelDecision | None) -> CategoryScore:
    if decision is None:
        return category
    if not decision.counts:
        return dataclasses.replace(category, decision=decision)
    return dataclasses.replace(
        category, level=decision.level, assessed=True, provisional=False, decision=decision
    )


def is_decided(card: ScoreCard) -> bool:
    """Whether a level of it is one that a person decided."""
    return any(c.decision is not None and c.decision.counts for c in card.categories)


def beside(category: CategoryScore, *, named: bool = True) -> str:
    """Machine's and people's level in words, and which counts; empty where nobody decided.

    Args:
        category: of a scorecard.
        named: name the reviewer, as a team may; a candidate reads "a reviewer".
    """
    decision = category.decision
    if decision is None:
        return ""
    who = decision.by if named else "a reviewer"
    machine = decision.machine.name.capitalize() if decision.machine else "none"
    level = decision.level.name.capitalize()
    if not decision.counts:
        return (
            f"{who} decided {level} on another run or rubric, which is stale: the machine's "
            f"level counts ({machine})"
        )
    if decision.how == "confirmed":
        return f"machine {machine}, confirmed by {who}"
    disputed = "; reviewers differ, and it is to be settled" if decision.disputed else ""
    return f"machine {machine}, {decision.how} by {who}: {level} counts{disputed}"


def counted(card: ScoreCard, machine: ScoreCard) -> str:
    """Which of two scorecards counts, and what the other says."""
    other = f"{machine.overall:.2f}, {machine.band.value}"
    if not is_decided(card):
        return f"The machine's score counts ({other}): the decisions of reviewers are stale"
    return f"Score and band count what reviewers decided; the machine's are {other}"
