"""From a case's decisions to what a scorecard shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.decisions.events import Kind
from grader.decisions.fold import standing
from grader.models import Level
from grader.scores import LevelDecision
from grader.scoring.final import decided_card

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.decisions.events import Event
    from grader.decisions.fold import Standing
    from grader.models import Evidence, Expectation
    from grader.scores import ScoreCard

__all__ = ["final_card", "level_decision"]

_HOW = {
    Kind.CONFIRM: "confirmed",
    Kind.OVERRULE: "overruled",
    Kind.SCORE: "scored",
    Kind.ADJUDICATE: "settled",
}


def final_card(
    card: ScoreCard,
    decisions: Mapping[str, Sequence[Event]],
    evidence: Sequence[Evidence],
    expectation: Expectation,
    *,
    run: str,
    scoring: str,
    weights: Mapping[str, float] | None,
) -> ScoreCard:
    """The scorecard that counts: the last valid decision of each category over the machine's.

    Args:
        card: the machine's.
        decisions: category → decisions of this case that were not withdrawn, in order.
        evidence: of the run.
        expectation: what the seniority is expected to reach.
        run: digest of the present evidence.
        scoring: digest of the present scoring.
        weights: see `grader.scoring.final.decided_card`.
    """
    found: dict[str, LevelDecision] = {}
    for category in card.categories:
        if events := decisions.get(category.id):
            machine = category.level if category.assessed else None
            told = level_decision(standing(events, run, scoring), machine)
            if told is not None:
                found[category.id] = told
    return decided_card(card, found, evidence, expectation, weights)


def level_decision(found: Standing, machine: Level | None) -> LevelDecision | None:
    """The decision that a category shows: the one that counts, else the newest stale one."""
    event = found.final or (found.stale[-1] if found.stale else None)
    if event is None or event.level is None:
        return None
    return LevelDecision(
        level=Level(event.level),
        machine=machine,
        how=_HOW[event.kind],
        by=event.by,
        at=event.at,
        reason=event.text or "",
        counts=found.final is not None,
        disputed=found.disputed,
    )
